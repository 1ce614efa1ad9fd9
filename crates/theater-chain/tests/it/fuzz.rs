//! Seeds and regressions of the fuzz target `journal`, replayed without a fuzzer.

#[test]
fn runs_among_the_seeds_are_intact_or_faulty_and_never_a_panic() {
    crate::fuzzed::TARGET.replay();
}
