//! The heap against a plain record of what is in use, on memory of the test's own.

use core::alloc::Layout;
use std::vec::Vec;

use super::{CLASSES, GRAIN, Heap, PAGE, Pages, SMALL_BYTES_MAX, class, class_size};

/// A stretch of the test's memory that plays the wasm memory.
struct Arena {
    memory: Vec<u8>,
    used: usize,
}

impl Arena {
    fn new(pages: usize) -> Self {
        Self { memory: std::vec![0; (pages + 1) * PAGE], used: 0 }
    }

    fn start(&self) -> usize {
        (self.memory.as_ptr() as usize).next_multiple_of(PAGE)
    }
}

impl Pages for Arena {
    fn grow(&mut self, pages: usize) -> Option<usize> {
        let start = self.end();
        let is_there = self.used + pages < self.memory.len() / PAGE;
        self.used += if is_there { pages } else { 0 };
        is_there.then_some(start)
    }

    fn end(&self) -> usize {
        self.start() + self.used * PAGE
    }
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("a layout")
}

/// A generator whose numbers are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn every_small_size_fits_its_class_and_no_smaller_one() {
    for size in 0..=SMALL_BYTES_MAX {
        let class = class(size);
        assert!(
            class < CLASSES && class_size(class) >= size && class_size(class).is_multiple_of(GRAIN),
            "{size}"
        );
        assert!(class == 0 || class_size(class - 1) < size, "{size}");
    }
    assert_eq!(class_size(CLASSES - 1), SMALL_BYTES_MAX);
}

#[test]
#[expect(unsafe_code, reason = "an allocator deals in addresses")]
fn blocks_never_overlap_and_keep_what_is_in_them() {
    let mut heap = Heap::new(Arena::new(400));
    let mut numbers = Numbers(7);
    let mut live: Vec<(*mut u8, Layout, u8)> = Vec::new();
    for round in 0..40_000_u32 {
        let size = match numbers.below(20) {
            0 => 1 + numbers.below(4 * PAGE),
            1 => 1 + numbers.below(SMALL_BYTES_MAX + 100),
            _ => 1 + numbers.below(400),
        };
        let align = [1, 8, 16, 64, 4096][numbers.below(5)];
        let wanted = Layout::from_size_align(size, align).expect("a layout");
        let mark = round as u8;
        // SAFETY: blocks are written within their layout and given back once, with the layout they have.
        unsafe {
            match numbers.below(3) {
                0 if !live.is_empty() => {
                    let (block, layout, mark) = live.swap_remove(numbers.below(live.len()));
                    assert!((0..layout.size()).all(|at| *block.add(at) == mark), "altered in round {round}");
                    heap.dealloc(block, layout);
                }
                1 if !live.is_empty() => {
                    let place = numbers.below(live.len());
                    let (block, layout, mark) = live[place];
                    let moved = heap.realloc(block, layout, size);
                    assert!(!moved.is_null() && (moved as usize).is_multiple_of(layout.align()));
                    let kept = layout.size().min(size);
                    assert!((0..kept).all(|at| *moved.add(at) == mark), "lost in round {round}");
                    moved.write_bytes(mark, size);
                    live[place] =
                        (moved, Layout::from_size_align(size, layout.align()).expect("a layout"), mark);
                }
                _ if live.len() < 300 => {
                    let block = heap.alloc(wanted);
                    assert!(!block.is_null() && (block as usize).is_multiple_of(align));
                    block.write_bytes(mark, size);
                    live.push((block, wanted, mark));
                }
                _ => {}
            }
        }
    }
}

#[test]
#[expect(unsafe_code, reason = "an allocator deals in addresses")]
fn freed_neighbours_are_joined_and_a_growing_block_stays_in_place() {
    let mut heap = Heap::new(Arena::new(40));
    // SAFETY: blocks are given back once, with the layout they have.
    unsafe {
        let blocks: Vec<_> = (0..4).map(|_| heap.alloc(layout(3 * PAGE))).collect();
        for place in [0, 2, 1, 3] {
            heap.dealloc(blocks[place], layout(3 * PAGE));
        }
        let used = heap.pages.used;
        let whole = heap.alloc(layout(12 * PAGE));
        assert_eq!((whole, heap.pages.used), (blocks[0], used), "four runs became one");
        assert_eq!(heap.realloc(whole, layout(12 * PAGE), 20 * PAGE), whole, "at the end of memory");
        assert_eq!(heap.realloc(whole, layout(20 * PAGE), 2 * PAGE), whole, "shorter");
        assert_eq!(heap.realloc(whole, layout(2 * PAGE), 9 * PAGE), whole, "into free pages");
        assert_eq!(heap.pages.used, 20);
        heap.dealloc(whole, layout(9 * PAGE));
        assert_eq!(heap.alloc(layout(20 * PAGE)), whole);
    }
}

#[test]
#[expect(unsafe_code, reason = "an allocator deals in addresses")]
fn steady_work_does_not_take_more_and_more_memory() {
    let mut heap = Heap::new(Arena::new(64));
    // SAFETY: blocks are given back once, with the layout they have.
    unsafe {
        let mut used = 0;
        for round in 0..2000 {
            let blocks: Vec<_> = (1..60).map(|n| (heap.alloc(layout(n * 37)), layout(n * 37))).collect();
            let large = heap.alloc(layout(PAGE + 1 + round));
            for (block, layout) in blocks {
                heap.dealloc(block, layout);
            }
            heap.dealloc(large, layout(PAGE + 1 + round));
            if round == 0 {
                used = heap.pages.used;
            }
        }
        assert_eq!(heap.pages.used, used);
    }
}

#[test]
#[expect(unsafe_code, reason = "an allocator deals in addresses")]
fn without_memory_there_is_no_block_and_the_old_one_stays() {
    let mut heap = Heap::new(Arena::new(4));
    // SAFETY: blocks are given back once, with the layout they have.
    unsafe {
        let block = heap.alloc(layout(2 * PAGE));
        let other = heap.alloc(layout(PAGE));
        assert!(heap.realloc(block, layout(2 * PAGE), 9 * PAGE).is_null());
        assert!(heap.alloc(layout(isize::MAX as usize - PAGE)).is_null());
        heap.dealloc(block, layout(2 * PAGE));
        heap.dealloc(other, layout(PAGE));
        assert_eq!(heap.alloc(layout(3 * PAGE)), block);
    }
}

#[test]
#[expect(unsafe_code, reason = "an allocator deals in addresses")]
fn the_rest_of_the_first_page_is_used() {
    let mut arena = Arena::new(8);
    let start = arena.grow(1).expect("a page");
    let mut heap = Heap::new(arena);
    // SAFETY: nothing else uses the page.
    unsafe {
        heap.donate(start + 1001, start + PAGE);
        let block = heap.alloc(layout(100)) as usize;
        assert_eq!(block, start + 1008);
        assert_eq!(heap.alloc(layout(SMALL_BYTES_MAX)) as usize, start + 1008 + 128);
        assert_eq!(heap.pages.used, 1);
        let larger = heap.alloc(layout(SMALL_BYTES_MAX)) as usize;
        assert_eq!((larger, heap.pages.used), (start + PAGE, 2));
        let rest = heap.alloc(layout(24 << 10)) as usize;
        assert!(rest < start + PAGE, "what was left of the first page became blocks");
    }
}
