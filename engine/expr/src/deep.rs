//! Room on the stack for parsers, which recurse as deep as a source nests.

/// The longest sources nest some ten thousand terms, each a few frames.
pub(crate) const STACK_BYTES: usize = 128 << 20;
/// Below this many bytes of source any thread has enough stack.
const SHORT: usize = 256;

/// Runs `f` here when the source is short, on a thread with a large stack
/// otherwise. Pages of it that are not touched cost nothing.
pub(crate) fn run<T: Send>(source_length: usize, f: impl FnOnce() -> T + Send) -> T {
    if source_length <= SHORT {
        return f();
    }
    on_large_stack(f)
}

/// Runs `f` on a thread with a large stack.
pub(crate) fn on_large_stack<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .name("compile".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, f)
            .expect("the system has room for one more thread");
        match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
