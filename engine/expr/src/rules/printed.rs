//! What a script prints: `print` writes lines to its standard output, `debug` to its standard error.

use std::cell::RefCell;

use crate::meter;

/// The lines of both, without the last line's end.
#[derive(Default)]
pub(super) struct Printed {
    pub(super) output: String,
    pub(super) errors: String,
}

thread_local! {
    /// Of the script that runs on this thread, when somebody wants to know.
    static PRINTED: RefCell<Option<Printed>> = const { RefCell::new(None) };
}

/// What `print` does.
pub(super) fn output(text: &str) {
    add(text, |printed| &mut printed.output);
}

/// What `debug` does.
pub(super) fn error(text: &str) {
    add(text, |printed| &mut printed.errors);
}

fn add(text: &str, stream: impl FnOnce(&mut Printed) -> &mut String) {
    meter::step();
    meter::draw(text.len() + 1);
    PRINTED.with_borrow_mut(|printed| {
        if let Some(printed) = printed {
            let stream = stream(printed);
            if !stream.is_empty() {
                stream.push('\n');
            }
            stream.push_str(text);
        }
    });
}

/// Runs `f` and gives what was printed meanwhile.
pub(super) fn collected<T>(f: impl FnOnce() -> T) -> (T, Printed) {
    /// Puts back what was collected before, also on a stop.
    struct Back(Option<Printed>);
    impl Drop for Back {
        fn drop(&mut self) {
            PRINTED.replace(self.0.take());
        }
    }
    let _back = Back(PRINTED.replace(Some(Printed::default())));
    let result = f();
    let printed = PRINTED.with_borrow_mut(|printed| printed.as_mut().map(std::mem::take));
    (result, printed.unwrap_or_default())
}
