//! Seeds and regressions of the fuzz targets `journal` and `bundle`, replayed without a fuzzer.

#[test]
fn runs_among_the_seeds_are_intact_or_faulty_and_never_a_panic() {
    crate::fuzzed::TARGET.replay();
}

#[test]
fn bundles_among_the_seeds_are_exported_as_they_are() {
    crate::fuzzed::BUNDLE.replay();
}
