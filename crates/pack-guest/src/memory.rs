//! Room for the host: what it asks for with `__pack_alloc` and gives back with `__pack_free`.
//!
//! The bytes of a result stay in one buffer that lives as long as the instance. `__pack_free` leaves it alone,
//! and the section `pack:sdk` says so, so that a host that knows need not call.

#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::{Slot, kept_arguments, kept_result, ready};

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the host deals in addresses")]
mod wasm {
    use core::alloc::Layout;
    use core::cell::UnsafeCell;

    use alloc::vec::Vec;

    /// Buffers that grew beyond this are given back before the next use.
    const KEPT_BYTES_MAX: usize = 1 << 20;

    /// Empties a kept buffer for its next use.
    pub(crate) fn ready(mut buffer: Vec<u8>) -> Vec<u8> {
        buffer.clear();
        if buffer.capacity() > KEPT_BYTES_MAX { Vec::new() } else { buffer }
    }

    /// A static of the instance's only thread.
    pub(crate) struct Slot<T>(UnsafeCell<T>);

    // SAFETY: wasm32 without the threads proposal has one thread; the runtime does not enable the proposal.
    unsafe impl<T> Sync for Slot<T> {}

    impl<T> Slot<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(UnsafeCell::new(value))
        }

        pub(crate) fn get(&self) -> *mut T {
            self.0.get()
        }

        pub(crate) fn replace(&self, value: T) -> T {
            // SAFETY: there is one thread and no reference into the slot outlives a method.
            unsafe { self.0.get().replace(value) }
        }
    }

    static RESULT: Slot<Vec<u8>> = Slot::new(Vec::new());
    static ARGUMENTS: Slot<Vec<u8>> = Slot::new(Vec::new());

    /// The buffer in which the last result lies.
    pub(crate) fn kept_result() -> &'static Slot<Vec<u8>> {
        &RESULT
    }

    /// The buffer in which arguments of imports are written.
    pub(crate) fn kept_arguments() -> &'static Slot<Vec<u8>> {
        &ARGUMENTS
    }

    /// Gives the host `size` bytes, or 0 if there are none. Their contents are not cleared.
    #[unsafe(no_mangle)]
    extern "C" fn __pack_alloc(size: i32) -> *mut u8 {
        match usize::try_from(size).ok().filter(|size| *size > 0).map(|size| Layout::from_size_align(size, 1))
        {
            // SAFETY: the size is not zero.
            Some(Ok(layout)) => unsafe { alloc::alloc::alloc(layout) },
            _ => core::ptr::null_mut(),
        }
    }

    /// Takes back what `__pack_alloc` gave; the kept result is left alone.
    #[unsafe(no_mangle)]
    extern "C" fn __pack_free(pointer: *mut u8, size: usize) {
        // SAFETY: there is one thread, and the reference ends here.
        let kept = unsafe { (*RESULT.get()).as_ptr() };
        if pointer.is_null() || size == 0 || core::ptr::eq(pointer, kept) {
            return;
        }
        if let Ok(layout) = Layout::from_size_align(size, 1) {
            // SAFETY: the host gives back what it was given, with the same size; a host that does not can
            // only harm the guest's own memory, which it can write anyway.
            unsafe { alloc::alloc::dealloc(pointer, layout) }
        }
    }
}
