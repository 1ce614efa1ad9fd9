//! Calling the host: arguments to bytes, the call, its answer from bytes.

use pack_abi::{Decode, DecodeError, Encode, EncodeError};

use crate::panic::fail;

/// An imported function as wasm sees it: input address and length, where to put the answer's; a status.
pub type Raw = unsafe extern "C" fn(*const u8, usize, *mut *mut u8, *mut usize) -> i32;

/// Stands for an imported function where there is no host.
#[cfg(not(target_arch = "wasm32"))]
pub extern "C" fn unavailable(_: *const u8, _: usize, _: *mut *mut u8, _: *mut usize) -> i32 {
    -1
}

/// Calls an imported function.
///
/// # Panics
/// If the host refuses the call, or its answer is not of the type that the interface says.
#[cfg(target_arch = "wasm32")]
#[track_caller]
pub fn call<A, R>(name: &'static str, raw: Raw, arguments: &A) -> R
where
    A: Encode + ?Sized,
    R: for<'a> Decode<'a>,
{
    let mut buffer = crate::memory::ready(crate::memory::kept_arguments().replace(alloc::vec::Vec::new()));
    if let Err(error) = pack_abi::encode_into(arguments, &mut buffer) {
        bad_arguments(name, error);
    }
    let answer = wasm::invoke(name, raw, &buffer);
    drop(crate::memory::kept_arguments().replace(buffer));
    match pack_abi::decode(answer.bytes()) {
        Ok(result) => result,
        Err(error) => bad_answer(name, error),
    }
}

/// Calls an imported function; outside wasm the host is one that a test supplies.
///
/// # Panics
/// If there is no such host, or its answer is not of the type that the interface says.
#[cfg(not(target_arch = "wasm32"))]
#[track_caller]
pub fn call<A, R>(name: &'static str, _raw: Raw, arguments: &A) -> R
where
    A: Encode + ?Sized,
    R: for<'a> Decode<'a>,
{
    let input = match pack_abi::encode(arguments) {
        Ok(input) => input,
        Err(error) => bad_arguments(name, error),
    };
    #[cfg(feature = "std")]
    let answer = crate::testing::answer(name, &input);
    #[cfg(not(feature = "std"))]
    let answer = None::<alloc::vec::Vec<u8>>.filter(|_| input.is_empty());
    let Some(answer) = answer else { panic!("{name} is not available outside a host") };
    match pack_abi::decode(&answer) {
        Ok(result) => result,
        Err(error) => bad_answer(name, error),
    }
}

#[cold]
#[track_caller]
fn bad_arguments(name: &str, error: EncodeError) -> ! {
    fail(&|put| {
        put(name);
        put(": arguments: ");
        error.put(put);
    })
}

#[cold]
#[track_caller]
fn bad_answer(name: &str, error: DecodeError) -> ! {
    fail(&|put| {
        put(name);
        put(": answer: ");
        error.put(put);
    })
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the host deals in addresses")]
mod wasm {
    use core::alloc::Layout;

    /// The bytes of an answer, and whether they are ours to free.
    pub(super) struct Answer {
        pointer: *mut u8,
        len: usize,
        is_owned: bool,
    }

    impl Answer {
        pub(super) fn bytes(&self) -> &[u8] {
            if self.len == 0 {
                return &[];
            }
            // SAFETY: the host wrote this many bytes there and does not touch them before the next call.
            unsafe { core::slice::from_raw_parts(self.pointer, self.len) }
        }
    }

    impl Drop for Answer {
        fn drop(&mut self) {
            if !self.is_owned || self.pointer.is_null() || self.len == 0 {
                return;
            }
            if let Ok(layout) = Layout::from_size_align(self.len, 1) {
                // SAFETY: status 1 says that the bytes came from `__pack_alloc` with this size.
                unsafe { alloc::alloc::dealloc(self.pointer, layout) }
            }
        }
    }

    /// The part of a call that is the same for all types.
    #[track_caller]
    pub(super) fn invoke(name: &'static str, raw: super::Raw, input: &[u8]) -> Answer {
        let mut pointer = core::ptr::null_mut();
        let mut len = 0;
        // SAFETY: the addresses are those of live values.
        let status = unsafe { raw(input.as_ptr(), input.len(), &raw mut pointer, &raw mut len) };
        match status {
            0 => Answer { pointer, len, is_owned: false },
            1 => Answer { pointer, len, is_owned: true },
            _ => super::fail(&|put| {
                put(name);
                put(": the host refused the call");
            }),
        }
    }
}
