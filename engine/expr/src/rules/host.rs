//! What functions of the running evaluation need beside their arguments.
//!
//! The engines are shared by all threads; an evaluation stays on one. So the
//! host of the current evaluation stands in a thread-local place.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::{Parameters, Scope, Units, Value};

/// The parts of a scope that functions use.
#[derive(Clone)]
pub(super) struct Host {
    pub units: Arc<dyn Units>,
    pub parameters: Option<Arc<Parameters>>,
    pub params: Value,
    pub sources_none: Value,
}

thread_local! {
    static CURRENT: RefCell<Option<Host>> = const { RefCell::new(None) };
    /// Within a rule's measure a figure that is not there is not nothing.
    static MEASURING: Cell<bool> = const { Cell::new(false) };
}

impl Host {
    pub(super) fn of(scope: &Scope) -> Self {
        Self {
            units: Arc::clone(&scope.units),
            parameters: scope.parameters.clone(),
            params: scope.params.clone(),
            sources_none: scope.sources_none.clone(),
        }
    }

    /// Makes this the host until the result is dropped.
    #[must_use]
    pub(super) fn enter(self) -> Entered {
        Entered(CURRENT.replace(Some(self)))
    }
}

/// Puts the host before back when dropped, also on a stop.
pub(super) struct Entered(Option<Host>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.replace(self.0.take());
    }
}

/// Asks the current host; `None` outside an evaluation.
pub(super) fn ask<T>(question: impl FnOnce(&Host) -> T) -> Option<T> {
    CURRENT.with_borrow(|host| host.as_ref().map(question))
}

/// Runs `f` as a rule's measure.
pub(super) fn measuring<T>(f: impl FnOnce() -> T) -> T {
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            MEASURING.set(self.0);
        }
    }
    let _back = Back(MEASURING.replace(true));
    f()
}

/// Tells whether a rule's measure is running.
pub(super) fn is_measuring() -> bool {
    MEASURING.get()
}
