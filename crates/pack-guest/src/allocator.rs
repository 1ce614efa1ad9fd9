//! The allocator of a guest: size classes for small blocks, runs of pages for large ones.
//!
//! An actor allocates a handful of blocks per message and its memory is thrown away with the instance, so what
//! counts is a short path and little code: this is a tenth of the standard library's allocator in size. A block
//! of up to 32 KiB has one of 22 sizes, at most a third larger than asked for, and goes back to the list of its
//! size. Larger blocks are whole pages; neighbours that are free are joined, and a block grows in place where
//! the pages behind it are free.

use core::alloc::Layout;
use core::ptr;

/// A page of wasm memory.
const PAGE: usize = 64 << 10;
/// What every block is aligned to, and a multiple of in size.
const GRAIN: usize = 16;
/// Blocks of up to this size are small.
const SMALL_BYTES_MAX: usize = 32 << 10;
/// Sizes of small blocks: 16, 32, 48, 64, then two for each doubling.
const CLASSES: usize = 22;

/// Where pages come from.
pub(crate) trait Pages {
    /// Adds pages to the end of memory and returns the address at which they begin.
    fn grow(&mut self, pages: usize) -> Option<usize>;

    /// Returns the address at which memory ends.
    fn end(&self) -> usize;
}

/// A free run of pages, written at its own beginning; runs are linked in order of address.
struct Run {
    pages: usize,
    next: *mut Self,
}

/// A free small block, written at its own beginning.
struct Block {
    next: *mut Self,
}

/// The heap of one memory.
pub(crate) struct Heap<P> {
    pages: P,
    blocks: [*mut Block; CLASSES],
    runs: *mut Run,
    /// Memory that has not been cut into blocks yet.
    fresh: usize,
    fresh_end: usize,
}

/// The class of a small size.
fn class(size: usize) -> usize {
    let last = size.saturating_sub(1);
    if last < 64 {
        return last / GRAIN;
    }
    let top = last.ilog2() as usize;
    4 + 2 * (top - 6) + ((last >> (top - 1)) & 1)
}

/// The size of the blocks of a class.
fn class_size(class: usize) -> usize {
    if class < 4 {
        return (class + 1) * GRAIN;
    }
    let top = (class - 4) / 2 + 6;
    if class.is_multiple_of(2) { 3 << (top - 1) } else { 2 << top }
}

/// Whether a layout is served from the classes; what needs more alignment gets pages.
fn is_small(layout: Layout) -> bool {
    layout.size() <= SMALL_BYTES_MAX && layout.align() <= GRAIN
}

fn pages_for(size: usize) -> usize {
    size.div_ceil(PAGE).max(1)
}

impl<P: Pages> Heap<P> {
    /// Returns a heap without memory.
    pub(crate) const fn new(pages: P) -> Self {
        Self { pages, blocks: [ptr::null_mut(); CLASSES], runs: ptr::null_mut(), fresh: 0, fresh_end: 0 }
    }
}

#[expect(unsafe_code, reason = "an allocator deals in addresses")]
impl<P: Pages> Heap<P> {
    /// Gives the heap a stretch of memory, such as what is left of the last page of the program's data.
    ///
    /// # Safety
    /// Nothing else may use it.
    pub(crate) unsafe fn donate(&mut self, start: usize, end: usize) {
        self.retire_fresh();
        self.fresh = start.next_multiple_of(GRAIN);
        self.fresh_end = end.max(self.fresh);
    }

    /// Returns a block, or null if there is no memory.
    ///
    /// # Safety
    /// As [`GlobalAlloc::alloc`](core::alloc::GlobalAlloc::alloc).
    pub(crate) unsafe fn alloc(&mut self, layout: Layout) -> *mut u8 {
        if !is_small(layout) {
            if layout.align() > PAGE || layout.size() > isize::MAX as usize - PAGE {
                return ptr::null_mut();
            }
            return self.take_run(pages_for(layout.size())) as *mut u8;
        }
        let class = class(layout.size());
        // There is a list for the class of every small size; a guest shall not carry what a panic needs.
        let Some(blocks) = self.blocks.get_mut(class) else { return ptr::null_mut() };
        let first = *blocks;
        if !first.is_null() {
            // SAFETY: blocks in the lists are free and hold a link.
            *blocks = unsafe { (*first).next };
            return first.cast();
        }
        let size = class_size(class);
        if self.fresh_end - self.fresh < size {
            let start = self.take_run(1);
            if start == 0 {
                return ptr::null_mut();
            }
            self.retire_fresh();
            (self.fresh, self.fresh_end) = (start, start + PAGE);
        }
        let block = self.fresh;
        self.fresh += size;
        block as *mut u8
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// As [`GlobalAlloc::dealloc`](core::alloc::GlobalAlloc::dealloc).
    pub(crate) unsafe fn dealloc(&mut self, block: *mut u8, layout: Layout) {
        if is_small(layout) {
            self.put_block(block as usize, class(layout.size()));
        } else {
            self.put_run(block as usize, pages_for(layout.size()));
        }
    }

    /// Changes the size of a block, in place if it can be; null if there is no memory.
    ///
    /// # Safety
    /// As [`GlobalAlloc::realloc`](core::alloc::GlobalAlloc::realloc).
    pub(crate) unsafe fn realloc(&mut self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else { return ptr::null_mut() };
        let is_in_place = match (is_small(layout), is_small(wanted)) {
            (true, true) => class(layout.size()) == class(size),
            (false, false) => self.resize_run(block as usize, pages_for(layout.size()), pages_for(size)),
            _ => false,
        };
        if is_in_place {
            return block;
        }
        // SAFETY: as promised by the caller; the blocks do not overlap because both are in use.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }

    fn put_block(&mut self, block: usize, class: usize) {
        let block = block as *mut Block;
        if let Some(first) = self.blocks.get_mut(class) {
            // SAFETY: the block is free and large enough for a link.
            unsafe { block.write(Block { next: *first }) };
            *first = block;
        }
    }

    /// Cuts what is left of the fresh memory into blocks, so that nothing is lost.
    fn retire_fresh(&mut self) {
        while self.fresh_end - self.fresh >= GRAIN {
            let left = (self.fresh_end - self.fresh).min(SMALL_BYTES_MAX);
            let fitting = class(left);
            let class = if class_size(fitting) > left { fitting - 1 } else { fitting };
            self.put_block(self.fresh, class);
            self.fresh += class_size(class);
        }
    }

    /// Returns the address of so many pages, or 0.
    fn take_run(&mut self, pages: usize) -> usize {
        // SAFETY: runs in the list are free and hold their length and link.
        unsafe {
            let mut link = &raw mut self.runs;
            while !(*link).is_null() {
                let run = *link;
                if (*run).pages >= pages {
                    let rest = (*run).pages - pages;
                    // The end of the run is taken, so that the link to what is left stays as it is.
                    if rest == 0 {
                        *link = (*run).next;
                    } else {
                        (*run).pages = rest;
                    }
                    return run as usize + rest * PAGE;
                }
                link = &raw mut (*run).next;
            }
        }
        self.pages.grow(pages).unwrap_or(0)
    }

    /// Puts pages into the list, joined with their neighbours.
    fn put_run(&mut self, start: usize, pages: usize) {
        let run = start as *mut Run;
        // SAFETY: runs in the list are free and hold their length and link; so is the new one.
        unsafe {
            let mut before: *mut Run = ptr::null_mut();
            let mut after = self.runs;
            while !after.is_null() && (after as usize) < start {
                before = after;
                after = (*after).next;
            }
            run.write(Run { pages, next: after });
            if !after.is_null() && start + pages * PAGE == after as usize {
                run.write(Run { pages: pages + (*after).pages, next: (*after).next });
            }
            if before.is_null() {
                self.runs = run;
            } else if before as usize + (*before).pages * PAGE == start {
                (*before).pages += (*run).pages;
                (*before).next = (*run).next;
            } else {
                (*before).next = run;
            }
        }
    }

    /// Makes a run in use longer or shorter without moving it; false if that cannot be.
    fn resize_run(&mut self, start: usize, old: usize, new: usize) -> bool {
        if new <= old {
            if new < old {
                self.put_run(start + new * PAGE, old - new);
            }
            return true;
        }
        let end = start + old * PAGE;
        if end == self.pages.end() {
            return self.pages.grow(new - old).is_some();
        }
        // SAFETY: runs in the list are free and hold their length and link.
        unsafe {
            let mut link = &raw mut self.runs;
            while !(*link).is_null() && (*link as usize) < end {
                link = &raw mut (**link).next;
            }
            let run = *link;
            if run.is_null() || run as usize != end || (*run).pages < new - old {
                return false;
            }
            let (rest, next) = ((*run).pages - (new - old), (*run).next);
            if rest == 0 {
                *link = next;
            } else {
                let left = (end + (new - old) * PAGE) as *mut Run;
                left.write(Run { pages: rest, next });
                *link = left;
            }
        }
        true
    }
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "an allocator deals in addresses")]
mod wasm {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32::{memory_grow, memory_size};

    use super::{Heap, PAGE, Pages};
    use crate::memory::Slot;

    struct Memory;

    impl Pages for Memory {
        fn grow(&mut self, pages: usize) -> Option<usize> {
            let before = memory_grow::<0>(pages);
            if before == usize::MAX { None } else { Some(before * PAGE) }
        }

        fn end(&self) -> usize {
            // A memory of all 65,536 pages ends where addresses end.
            memory_size::<0>().saturating_mul(PAGE)
        }
    }

    unsafe extern "C" {
        /// Where the linker's data ends; what follows in the last page is free.
        static __heap_base: u8;
    }

    struct Global(Slot<Option<Heap<Memory>>>);

    impl Global {
        fn heap(&self) -> &mut Heap<Memory> {
            // SAFETY: there is one thread, and no reference outlives the call that made it.
            let heap = unsafe { &mut *self.0.get() };
            heap.get_or_insert_with(|| {
                let mut heap = Heap::new(Memory);
                // SAFETY: the allocator is the only one to use memory behind the data, and this is its first use.
                unsafe { heap.donate((&raw const __heap_base) as usize, Memory.end()) };
                heap
            })
        }
    }

    // SAFETY: blocks do not overlap and stay until they are given back; the tests of `Heap` check it.
    unsafe impl GlobalAlloc for Global {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as promised by the caller.
            unsafe { self.heap().alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: as promised by the caller.
            unsafe { self.heap().dealloc(block, layout) }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: as promised by the caller.
            unsafe { self.heap().realloc(block, layout, size) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Global = Global(Slot::new(None));
}

#[cfg(test)]
mod tests;
