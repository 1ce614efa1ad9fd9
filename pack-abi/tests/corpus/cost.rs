//! What a piece of work allocates, on the thread that does it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Reading a buffer as a dynamic value takes at most so many times its bytes of room, whatever comes of it.
pub(crate) const VALUE_TIMES_MAX: usize = 100;
/// Room that is taken for a start, however few the bytes.
pub(crate) const START_BYTES: usize = 1024;

/// What was asked of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Bytes, all told.
    pub(crate) bytes: usize,
    /// How often.
    pub(crate) allocations: usize,
    /// The most bytes at one time.
    pub(crate) peak: usize,
    /// Bytes that are held at the end; what is freed here may come from another thread.
    pub(crate) live: usize,
}

thread_local! {
    static SPENT: Cell<Cost> =
        const { Cell::new(Cost { bytes: 0, allocations: 0, peak: 0, live: 0 }) };
}

/// Returns the result of the work and what it cost.
pub(crate) fn cost<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    SPENT.set(Cost::default());
    let result = work();
    (result, SPENT.get())
}

struct Counting;

fn taken(size: usize) {
    let mut spent = SPENT.get();
    spent.bytes = spent.bytes.saturating_add(size);
    spent.allocations += 1;
    spent.live = spent.live.saturating_add(size);
    spent.peak = spent.peak.max(spent.live);
    SPENT.set(spent);
}

fn given_back(size: usize) {
    let mut spent = SPENT.get();
    spent.live = spent.live.saturating_sub(size);
    SPENT.set(spent);
}

#[expect(unsafe_code, reason = "an allocator that counts can be written in no other way")]
// SAFETY: every call is passed on unchanged to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as required of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as required of the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        taken(size);
        given_back(layout.size());
        // SAFETY: as required of the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        given_back(layout.size());
        // SAFETY: as required of the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
