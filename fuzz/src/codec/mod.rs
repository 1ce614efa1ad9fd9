//! What the codec promises, checked for one input at a time.

pub(crate) mod decode;
pub(crate) mod decode_typed;
pub(crate) mod differential;
#[path = "../../../pack-abi/tests/corpus/golden.rs"]
mod golden;
#[path = "../../../pack-abi/tests/corpus/hostile.rs"]
#[expect(dead_code, reason = "what must become of each buffer is for the tests that name it")]
mod hostile;
mod recipe;
pub(crate) mod round_trip;
mod types;
pub(crate) mod value_text;

use crate::target::Seed;

/// Returns the bytes of every kind, every hostile buffer, and the values that take the most room.
fn buffers() -> Vec<Seed> {
    let golden = golden::ALL.iter().map(|(name, hex)| (format!("golden {name}"), golden::bytes(hex)));
    let hostile = hostile::cases().into_iter().map(|case| (format!("hostile {}", case.name), case.bytes));
    let heavy = hostile::heavy().into_iter().map(|(name, bytes)| (format!("heavy {name}"), bytes));
    golden.chain(hostile).chain(heavy).collect()
}

/// Fails if reading an input has taken more room than is promised.
fn assert_price(what: &str, bytes: &[u8], peak: usize, times: usize) {
    let most = times * bytes.len() + crate::cost::START_BYTES;
    assert!(
        peak <= most,
        "{what}: {} bytes took {peak} bytes of room, which is more than {most}",
        bytes.len()
    );
}
