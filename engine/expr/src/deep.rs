//! Room on the stack for parsers, which recurse as deep as a source nests.

use std::cell::Cell;
use std::io;

/// The longest sources nest some ten thousand terms, each a few frames.
pub(crate) const STACK_BYTES: usize = 64 << 20;
/// Below this many bytes of source any thread has enough stack.
const SHORT: usize = 256;

thread_local! {
    /// This thread has a large stack.
    static ROOM: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f`, which needs no other thread: this one has [`STACK_BYTES`].
pub(crate) fn with_room<T>(f: impl FnOnce() -> T) -> T {
    ROOM.set(true);
    let result = f();
    ROOM.set(false);
    result
}

/// Runs `f` here when the source is short or the thread has room, on a thread
/// with a large stack otherwise. Pages of it that are not touched cost nothing.
///
/// # Errors
/// The system's, when it has no room for another thread.
pub(crate) fn run<T: Send>(source_length: usize, f: impl FnOnce() -> T + Send) -> io::Result<T> {
    if source_length <= SHORT || ROOM.get() {
        return Ok(f());
    }
    on_large_stack(f)
}

/// Runs `f` on a thread with a large stack.
///
/// # Errors
/// As [`run`].
pub(crate) fn on_large_stack<T: Send>(f: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .name("expression".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, f)?;
        match worker.join() {
            Ok(result) => Ok(result),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
