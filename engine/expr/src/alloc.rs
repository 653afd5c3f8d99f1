//! A global allocator that counts what each thread holds.
//!
//! jaq and rhai allocate out of sight of the meter. A binary that
//! installs [`Counting`] lets the meter see that memory too:
//!
//! ```
//! use std::alloc::System;
//! use tongban_expr::alloc::Counting;
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting<System> = Counting::new(System);
//! # fn main() {}
//! ```

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

thread_local! {
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
}

/// Counts the live bytes of each thread and hands the work to `A`.
///
/// Memory freed by another thread than the one that allocated it skews both
/// counters; the meter compares with the value at the start of an evaluation,
/// during which one thread works alone.
#[derive(Debug, Default)]
pub struct Counting<A> {
    inner: A,
}

impl<A> Counting<A> {
    /// Wraps an allocator.
    pub const fn new(inner: A) -> Self {
        Self { inner }
    }
}

/// Gives the bytes that this thread allocated and did not free, 0 without
/// [`Counting`].
pub(crate) fn live_bytes() -> i64 {
    LIVE.try_with(Cell::get).unwrap_or(0)
}

/// Gives the bytes that this thread ever allocated, 0 without [`Counting`].
pub(crate) fn allocated_bytes() -> u64 {
    ALLOCATED.try_with(Cell::get).unwrap_or(0)
}

fn add(bytes: i64) {
    // A thread that is ending has no counter any more, and needs none.
    let _ = LIVE.try_with(|live| live.set(live.get().wrapping_add(bytes)));
    if let Ok(more) = u64::try_from(bytes) {
        let _ = ALLOCATED.try_with(|all| all.set(all.get().wrapping_add(more)));
    }
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

// SAFETY: every call goes unchanged to the inner allocator; counting neither
// allocates nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(signed(layout.size()));
        unsafe { self.inner.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-signed(layout.size()));
        unsafe { self.inner.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(signed(layout.size()));
        unsafe { self.inner.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(signed(size).wrapping_sub(signed(layout.size())));
        unsafe { self.inner.realloc(pointer, layout, size) }
    }
}
