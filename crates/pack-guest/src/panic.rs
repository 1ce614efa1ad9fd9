//! The text of a panic, where the host finds it after the trap.
//!
//! `__pack_panic` returns the address of two words, address and length of the text. The host calls it once, at
//! the start, and after a trap only reads memory. The text is the message, and in its last line
//! `at file:line:column`.

/// Bytes of text that are kept.
pub const TEXT_BYTES_MAX: usize = 1024;

/// Puts out a text in parts, so that saying what is wrong needs no formatting machinery.
pub type Put<'a> = &'a dyn Fn(&mut dyn FnMut(&str));

#[cfg(any(test, target_arch = "wasm32"))]
use text::Text;

#[cfg(any(test, target_arch = "wasm32"))]
mod text {
    use core::panic::Location;

    use super::{Put, TEXT_BYTES_MAX};

    /// Text of bounded size; what does not fit is cut off at a character.
    pub(super) struct Text {
        pub(super) bytes: [u8; TEXT_BYTES_MAX],
        pub(super) len: usize,
    }

    impl Text {
        pub(super) const fn new() -> Self {
            Self { bytes: [0; TEXT_BYTES_MAX], len: 0 }
        }

        /// Writes message and place; a long message is cut so that the place fits.
        pub(super) fn record(&mut self, message: Put<'_>, place: Option<&Location<'_>>) {
            self.len = 0;
            let place_room = place.map_or(0, |place| place.file().len() + 32);
            let room = TEXT_BYTES_MAX.saturating_sub(place_room);
            message(&mut |part| self.push(part, room));
            let Some(place) = place else { return };
            let mut put = |part: &str| self.push(part, TEXT_BYTES_MAX);
            put("\nat ");
            put(place.file());
            put(":");
            pack_abi::__private::decimal(place.line(), &mut put);
            put(":");
            pack_abi::__private::decimal(place.column(), &mut put);
        }

        fn push(&mut self, part: &str, room: usize) {
            let mut end = part.len().min(room.saturating_sub(self.len));
            while !part.is_char_boundary(end) {
                end -= 1;
            }
            let free = self.bytes.get_mut(self.len..).unwrap_or_default();
            for (slot, byte) in free.iter_mut().zip(part.as_bytes().iter().take(end)) {
                *slot = *byte;
            }
            self.len += end;
        }
    }
}

/// Gives up with a text; its place is the caller's.
///
/// # Panics
/// Always. On wasm it is no panic but a trap with the text of one, for which nothing has to be linked.
#[cold]
#[track_caller]
pub fn fail(message: Put<'_>) -> ! {
    #[cfg(target_arch = "wasm32")]
    {
        record(message, Some(core::panic::Location::caller()));
        core::arch::wasm32::unreachable()
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let mut text = alloc::string::String::new();
        message(&mut |part| text.push_str(part));
        panic!("{text}")
    }
}

#[cfg(target_arch = "wasm32")]
pub use wasm::{listen, record};

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the host deals in addresses")]
mod wasm {
    use crate::memory::Slot;

    use super::{Put, Text};

    #[repr(C)]
    struct Found {
        pointer: *const u8,
        len: usize,
    }

    static TEXT: Slot<Text> = Slot::new(Text::new());
    static FOUND: Slot<Found> = Slot::new(Found { pointer: core::ptr::null(), len: 0 });

    /// Returns the address of (address, length) of the text of a later panic.
    #[unsafe(no_mangle)]
    extern "C" fn __pack_panic() -> *const u8 {
        listen();
        FOUND.get().cast()
    }

    /// Keeps the text of a panic.
    pub fn record(message: Put<'_>, place: Option<&core::panic::Location<'_>>) {
        // SAFETY: there is one thread, and a panic while this runs ends the instance.
        unsafe {
            let text = &mut *TEXT.get();
            text.record(message, place);
            FOUND.get().write(Found { pointer: text.bytes.as_ptr(), len: text.len });
        }
    }

    /// Sees to it that panics are recorded.
    #[cfg(feature = "std")]
    pub fn listen() {
        static IS_LISTENING: Slot<bool> = Slot::new(false);
        if !IS_LISTENING.replace(true) {
            std::panic::set_hook(alloc::boxed::Box::new(|info| {
                let text = info.payload_as_str().unwrap_or("a value that is not text");
                record(&|put| put(text), info.location());
            }));
        }
    }

    /// Without the standard library, [`panic_handler!`](crate::panic_handler) records panics.
    #[cfg(not(feature = "std"))]
    pub fn listen() {}
}

/// Puts out a message that only formatting can tell, as that of a panic without the standard library.
#[doc(hidden)]
pub fn put_formatted(message: &dyn core::fmt::Display, put: &mut dyn FnMut(&str)) {
    struct Parts<'a>(&'a mut dyn FnMut(&str));

    impl core::fmt::Write for Parts<'_> {
        fn write_str(&mut self, part: &str) -> core::fmt::Result {
            (self.0)(part);
            Ok(())
        }
    }

    // What fails to describe itself is left out: there is nobody left to tell.
    core::fmt::write(&mut Parts(put), format_args!("{message}")).unwrap_or_default();
}

/// Defines the panic handler of a guest without the standard library: it records the text and traps.
#[macro_export]
macro_rules! panic_handler {
    () => {
        #[cfg(target_arch = "wasm32")]
        #[panic_handler]
        fn panic(info: &::core::panic::PanicInfo<'_>) -> ! {
            let message = info.message();
            $crate::panic::record(&|put| $crate::panic::put_formatted(&message, put), info.location());
            ::core::arch::wasm32::unreachable()
        }
    };
}

#[cfg(test)]
mod tests {
    use super::{TEXT_BYTES_MAX, Text};

    fn recorded(message: &str) -> alloc::string::String {
        let mut text = Text::new();
        text.record(&|put| put(message), Some(core::panic::Location::caller()));
        core::str::from_utf8(&text.bytes[..text.len]).expect("whole characters").into()
    }

    #[test]
    fn a_panic_is_its_message_and_its_place() {
        let text = recorded("index out of bounds");
        let (message, place) = text.split_once('\n').expect("two lines");
        assert_eq!(message, "index out of bounds");
        assert!(place.starts_with("at ") && place.contains("panic.rs:"), "{place}");
    }

    #[test]
    fn a_long_message_is_cut_at_a_character_and_keeps_its_place() {
        let text = recorded(&"é".repeat(TEXT_BYTES_MAX));
        assert!(text.len() <= TEXT_BYTES_MAX);
        assert!(text.rsplit('\n').next().is_some_and(|last| last.contains("panic.rs:")), "{text}");
    }
}
