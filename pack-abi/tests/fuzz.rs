//! Seeds and regressions of the codec's fuzz targets, replayed without a fuzzer.

#[path = "../../fuzz/src/codec/mod.rs"]
mod codec;
#[path = "corpus/cost.rs"]
mod cost;
#[path = "../../fuzz/src/target.rs"]
mod target;

#[test]
fn reading_the_seeds_as_values_keeps_every_promise() {
    codec::decode::TARGET.replay();
}

#[test]
fn reading_the_seeds_as_rust_types_keeps_every_promise() {
    codec::decode_typed::TARGET.replay();
}

#[test]
fn values_made_of_the_seeds_go_to_bytes_and_text_and_back() {
    codec::round_trip::TARGET.replay();
}

#[test]
fn the_published_codec_agrees_on_the_seeds() {
    codec::differential::TARGET.replay();
}

#[test]
fn texts_among_the_seeds_read_as_they_print() {
    codec::value_text::TARGET.replay();
}
