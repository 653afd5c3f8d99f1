//! Room on the stack for parsers, which recurse as deep as a source nests.

use std::io;

/// The longest sources nest some ten thousand terms, each a few frames.
pub(crate) const STACK_BYTES: usize = 64 << 20;
/// Below this many bytes of source any thread has enough stack.
const SHORT: usize = 256;

/// Runs `f` here when the source is short, on a thread with a large stack
/// otherwise. Pages of it that are not touched cost nothing.
///
/// # Errors
/// The system's, when it has no room for another thread.
pub(crate) fn run<T: Send>(source_length: usize, f: impl FnOnce() -> T + Send) -> io::Result<T> {
    if source_length <= SHORT {
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
