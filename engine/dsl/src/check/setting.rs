//! Where an expression stands, and so which variables it sees.

use super::scope::Scope;

/// Where an expression stands, and so what it sees.
#[derive(Clone)]
pub(super) struct Setting<'s> {
    pub scope: &'s Scope<'s>,
    /// The task in whose definition it stands; `None` behind the list's end.
    pub at: Option<usize>,
    /// Whether the task has run: `output` exists.
    pub output: bool,
    /// Which variables of the language's own table are not there.
    pub absent: &'static [Absent],
    pub secrets: Secrets,
    /// Variables of this place alone, besides the scope's.
    pub locals: Vec<String>,
    /// Evaluated again and again while the case runs, so that any step may not have run yet.
    pub any_time: bool,
}

/// A variable that the table of runtime expression arguments (`dsl.md`) does not give to a place.
///
/// In rhai, which has no `.`, `input` and `output` also name what an expression is evaluated on: there they may stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Absent {
    pub name: &'static str,
    pub in_rhai: bool,
}

const fn absent(name: &'static str) -> Absent {
    Absent {
        name,
        in_rhai: true,
    }
}

const fn argument(name: &'static str) -> Absent {
    Absent {
        name,
        in_rhai: false,
    }
}

/// The workflow's `input.from`.
pub(super) const AT_THE_START: &[Absent] = &[
    absent("context"),
    argument("input"),
    absent("task"),
    absent("authorization"),
];
/// A task's `if` and `input.from`.
pub(super) const BEFORE_THE_INPUT: &[Absent] = &[argument("input"), absent("authorization")];
/// A task's `output.as`.
pub(super) const OF_THE_RESULT: &[Absent] = &[argument("output")];
/// The workflow's `output.as`.
pub(super) const AT_THE_END: &[Absent] = &[
    absent("input"),
    argument("output"),
    absent("task"),
    absent("authorization"),
];

/// Whether secrets may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    /// In arguments that leave the machine.
    Allowed,
    /// Where their value would be kept, compared or shown.
    Forbidden,
}

impl<'s> Setting<'s> {
    pub fn before(scope: &'s Scope<'s>, at: usize) -> Self {
        Setting {
            scope,
            at: Some(at),
            output: false,
            absent: &[],
            secrets: Secrets::Forbidden,
            locals: Vec::new(),
            any_time: false,
        }
    }

    pub fn after(scope: &'s Scope<'s>, at: usize) -> Self {
        Setting {
            output: true,
            ..Self::before(scope, at)
        }
    }

    pub fn at_end(scope: &'s Scope<'s>) -> Self {
        Setting {
            at: None,
            ..Self::after(scope, 0)
        }
    }

    pub fn any_time(scope: &'s Scope<'s>) -> Self {
        Setting {
            any_time: true,
            ..Self::at_end(scope)
        }
    }

    pub fn without(mut self, absent: &'static [Absent]) -> Self {
        self.absent = absent;
        self
    }

    pub fn with(mut self, local: &str) -> Self {
        self.locals.push(local.to_owned());
        self
    }

    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }
}
