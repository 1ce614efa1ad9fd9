//! Seeds and regressions of the fuzz target `interface-text`, replayed without a fuzzer.

#[test]
fn interfaces_among_the_seeds_read_as_they_print() {
    crate::interface_text::TARGET.replay();
}
