//! Answering a call: arguments from bytes, the function, its result to bytes.

use alloc::vec::Vec;

use pack_abi::{Decode, DecodeError, Encode, EncodeError, Kind, Limits, View, encode_into};

/// Why a call could not be answered; the host gets the text.
#[derive(Debug)]
pub enum CallError {
    /// The arguments are not those of the function.
    Arguments(DecodeError),
    /// The result cannot be written.
    Result(EncodeError),
}

impl CallError {
    /// Puts out the text in parts.
    fn put(&self, out: &mut dyn FnMut(&str)) {
        match self {
            Self::Arguments(error) => {
                out("decode error: arguments: ");
                error.put(out);
            }
            Self::Result(error) => {
                out("encode error: result: ");
                error.put(out);
            }
        }
    }
}

impl core::fmt::Display for CallError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut text = alloc::string::String::new();
        self.put(&mut |part| text.push_str(part));
        f.write_str(&text)
    }
}

impl core::error::Error for CallError {}

/// Reads the arguments of a function with several parameters: a tuple.
///
/// # Errors
/// If the bytes are not such a tuple.
pub fn arguments<'a, T: Decode<'a>>(input: &'a [u8]) -> Result<T, CallError> {
    pack_abi::decode(input).map_err(CallError::Arguments)
}

/// Reads the argument of a function with one parameter: the value itself, or in a tuple of one.
///
/// # Errors
/// If the bytes are neither.
pub fn argument<'a, T: Decode<'a>>(input: &'a [u8]) -> Result<T, CallError> {
    let view = View::parse(input, &Limits::default()).map_err(CallError::Arguments)?;
    let root = view.root();
    let wrapped = match root.kind() {
        Kind::Tuple => root.tuple_of::<1>().ok(),
        _ => None,
    };
    let Some([only]) = wrapped else { return T::decode_node(root).map_err(CallError::Arguments) };
    // What is wrong in the tuple is what the caller wants to know, unless the tuple is the value itself.
    T::decode_node(only).or_else(|error| T::decode_node(root).map_err(|_| CallError::Arguments(error)))
}

/// Writes the result of a function.
///
/// # Errors
/// If it is nested too deeply or too large.
pub fn reply<T: Encode>(result: &T, out: &mut Vec<u8>) -> Result<(), CallError> {
    encode_into(result, out).map_err(CallError::Result)
}

/// A function that answers a call: from the bytes of its arguments to those of its result.
pub type Answer = fn(&[u8], &mut Vec<u8>) -> Result<(), CallError>;

/// Runs an answer into `out` and returns the status: 0, or -1 with a message instead of the result.
pub fn run(answer: Answer, input: &[u8], out: &mut Vec<u8>) -> i32 {
    match answer(input, out) {
        Ok(()) => 0,
        Err(error) => {
            out.clear();
            error.put(&mut |part| out.extend_from_slice(part.as_bytes()));
            -1
        }
    }
}

/// Answers a call of the host; the result stays valid until the next call.
///
/// # Safety
/// The addresses must be those that the host passed.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the host deals in addresses")]
pub unsafe fn serve(
    (input, input_len): (*const u8, usize),
    (out, out_len): (*mut *const u8, *mut usize),
    answer: Answer,
) -> i32 {
    crate::panic::listen();
    // SAFETY: the host passes a buffer that it got from `__pack_alloc` and filled; it may be empty.
    let input = if input_len == 0 { &[] } else { unsafe { core::slice::from_raw_parts(input, input_len) } };
    let mut reply = crate::memory::ready(crate::memory::kept_result().replace(Vec::new()));
    let status = run(answer, input, &mut reply);
    // SAFETY: as promised by the caller.
    unsafe { hand_over(reply, (out, out_len)) }
    status
}

/// Answers `__pack_types`: unpacks the description into the buffer that is kept for results.
///
/// # Safety
/// The addresses must be those that the host passed.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the host deals in addresses")]
pub unsafe fn describe(packed: &[u8], (out, out_len): (*mut *const u8, *mut usize)) -> i32 {
    let mut types = crate::memory::ready(crate::memory::kept_result().replace(Vec::new()));
    let is_whole = pack_abi::squeeze::expand(packed, &mut types).is_some();
    // SAFETY: as promised by the caller.
    unsafe { hand_over(types, (out, out_len)) }
    if is_whole { 0 } else { -1 }
}

/// Keeps a result and tells the host where it lies.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the host deals in addresses")]
unsafe fn hand_over(result: Vec<u8>, (out, out_len): (*mut *const u8, *mut usize)) {
    // SAFETY: the host passes the addresses of two words of this memory, of any alignment.
    unsafe {
        out.write_unaligned(result.as_ptr());
        out_len.write_unaligned(result.len());
    }
    drop(crate::memory::kept_result().replace(result));
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::{argument, arguments, reply, run};

    fn greet(input: &[u8], out: &mut Vec<u8>) -> Result<(), super::CallError> {
        let name: String = argument(input)?;
        reply(&alloc::format!("hello, {name}"), out)
    }

    fn add(input: &[u8], out: &mut Vec<u8>) -> Result<(), super::CallError> {
        let (a, b): (u32, u32) = arguments(input)?;
        reply(&(a + b), out)
    }

    #[test]
    fn one_argument_comes_bare_or_in_a_tuple() {
        for input in [pack_abi::encode("Ada"), pack_abi::encode(&("Ada",))] {
            let mut out = Vec::new();
            assert_eq!(run(greet, &input.expect("encodes"), &mut out), 0);
            assert_eq!(pack_abi::decode::<&str>(&out), Ok("hello, Ada"));
        }
    }

    #[test]
    fn one_argument_that_is_a_tuple_itself_is_found_either_way() {
        let bare = pack_abi::encode(&("id",)).expect("encodes");
        let wrapped = pack_abi::encode(&(("id",),)).expect("encodes");
        for input in [bare, wrapped] {
            let argument: (String,) = argument(&input).expect("decodes");
            assert_eq!(argument.0, "id");
        }
    }

    #[test]
    fn a_wrong_argument_is_told_from_the_tuple_around_it() {
        let error = argument::<String>(&pack_abi::encode(&(5_u8,)).expect("encodes")).expect_err("a number");
        assert!(alloc::string::ToString::to_string(&error).contains("expected string, found u8"), "{error}");
    }

    #[test]
    fn several_arguments_are_a_tuple_and_wrong_ones_are_refused_with_the_place() {
        let mut out = Vec::new();
        assert_eq!(run(add, &pack_abi::encode(&(1_u32, 2_u32)).expect("encodes"), &mut out), 0);
        assert_eq!(pack_abi::decode::<u32>(&out), Ok(3));
        out.clear();
        assert_eq!(run(add, &pack_abi::encode(&(1_u32, "two")).expect("encodes"), &mut out), -1);
        let text = core::str::from_utf8(&out).expect("a message");
        assert!(text.starts_with("decode error: arguments: expected u32, found string at byte"), "{text}");
    }
}
