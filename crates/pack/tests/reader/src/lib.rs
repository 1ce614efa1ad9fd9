//! The codec in 32 bits: reads what the host has put into its memory and says what came of it and what it cost.

#![deny(unsafe_code)]

#[path = "../../../../../pack-abi/tests/corpus/cost.rs"]
#[expect(dead_code, reason = "the bounds are the host's business")]
mod cost;
#[path = "../../../../../pack-abi/tests/corpus/ways.rs"]
mod ways;

use std::cell::RefCell;

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static ANSWER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes room for an input and returns where it is.
#[expect(unsafe_code, reason = "the host knows the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> *mut u8 {
    INPUT.with_borrow_mut(|input| {
        input.clear();
        input.resize(bytes, 0);
        input.as_mut_ptr()
    })
}

/// Reads the input in this way, and returns the most bytes that were allocated at one time.
#[expect(unsafe_code, reason = "the host knows the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn read(way: usize) -> usize {
    let (_, way) = ways::ALL[way];
    let (answer, spent) = INPUT.with_borrow(|input| cost::cost(|| way(input)));
    ANSWER.set(answer);
    spent.peak
}

/// Returns where the text is that says what came of the last reading.
#[expect(unsafe_code, reason = "the host knows the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> *const u8 {
    ANSWER.with_borrow(|answer| answer.as_ptr())
}

/// Returns the length of that text.
#[expect(unsafe_code, reason = "the host knows the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn answer_bytes() -> usize {
    ANSWER.with_borrow(String::len)
}
