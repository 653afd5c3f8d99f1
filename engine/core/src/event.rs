//! What may happen to an instance: the only inputs of [`crate::step`].

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use crate::error::Error;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It begins, with its raw input.
    Start {
        /// The raw input.
        input: Value,
    },
    /// A call or an awaited child gave its result; the applicant sent his form.
    Returned {
        /// Who waits for it.
        run_id: String,
        /// The result.
        output: Value,
    },
    /// A call or an awaited child failed.
    Failed {
        /// Who waits for it.
        run_id: String,
        /// Why.
        error: Error,
    },
    /// A CloudEvent came that one of the listener's filters may fit.
    Heard {
        /// The listener.
        run_id: String,
        /// Number of the filter, see [`crate::Filter::n`].
        n: u32,
        /// The whole CloudEvent.
        event: Value,
    },
    /// A timer may be due: everything due at the step's time fires, in due order.
    Due,
    /// Goes on after a step that ended with `more`.
    Continue,
    /// The case's form has a new version.
    Form {
        /// The whole new version.
        form: Value,
    },
    /// The flow goes on somewhere else: return, withdrawal, an operator's act.
    Jump(Box<Jump>),
    /// Stands still until resumed.
    Suspend {
        /// Why.
        reason: String,
    },
    /// Goes on.
    Resume,
    /// Ends as cancelled.
    Cancel {
        /// Why.
        reason: String,
    },
}

impl Event {
    /// An operator's or returner's jump.
    #[must_use]
    pub fn jump(jump: Jump) -> Self {
        Event::Jump(Box::new(jump))
    }

    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> u64 {
        let data = match self {
            Event::Start { input: value }
            | Event::Returned { output: value, .. }
            | Event::Heard { event: value, .. }
            | Event::Form { form: value } => value.weight(),
            Event::Failed { error, .. } => error.extra.weight(),
            _ => 0,
        };
        data + 256
    }
}

/// A jump: every return, withdrawal and operator's act is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Jump {
    /// Run id of the task that returns; an operator may leave it out, then the scope that holds the
    /// target is looked up.
    pub from: Option<String>,
    /// Where to.
    pub to: Target,
    /// What goes in there.
    pub input: JumpInput,
    /// What happens to people's answers on the way back.
    pub mode: Mode,
    /// What happens to parallel branches that the jump ends.
    pub siblings: Siblings,
    /// Who signs in the returner's next round.
    pub signing: Signing,
    /// What happens to the context.
    pub context: ContextChange,
    /// Fields that the returner marked, each with a reason: path and reason.
    pub fields: Vec<(String, String)>,
    /// The returner's comment.
    pub comment: String,
    /// Why, for operators' acts.
    pub reason: String,
    /// Who.
    pub by: String,
    /// By what right: it decides which targets are allowed.
    pub right: Right,
    /// The most returns that this instance may have (`return.max`); 10 when absent, 0 for none.
    pub limit: Option<u32>,
}

impl Jump {
    /// A return of the task `from`, by rerun, everybody signing again.
    #[must_use]
    pub fn back(from: impl Into<String>, to: Target, by: impl Into<String>) -> Self {
        Self {
            from: Some(from.into()),
            right: Right::Return,
            ..Self::operator(to, by, "")
        }
    }

    /// An operator's jump.
    #[must_use]
    pub fn operator(to: Target, by: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            from: None,
            to,
            input: JumpInput::Checkpoint,
            mode: Mode::Rerun,
            siblings: Siblings::Cancel,
            signing: Signing::All,
            context: ContextChange::Keep,
            fields: Vec::new(),
            comment: String::new(),
            reason: reason.into(),
            by: by.into(),
            right: Right::Operator,
            limit: None,
        }
    }
}

/// Where a jump goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// To the applicant, before the first task.
    Applicant,
    /// To the latest passed work task on the way from the root to the returner.
    Previous,
    /// Into a task, by its path of names (or, from a returner, by its bare name).
    Task(String),
    /// Past a task, as if it had ended: `input` is its output (an operator's *skip*).
    After(String),
}

/// What goes into the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum JumpInput {
    /// The raw input that it had when it was last entered.
    Checkpoint,
    /// The raw input of the task that the jump leaves: what the last passed task gave.
    LastOutput,
    /// This.
    Given(Value),
}

/// What happens to people's answers on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Everybody is asked again (逐级重走).
    Rerun,
    /// Former answers stand until the returning task opens again (原路返回).
    Direct,
}

/// What happens to parallel branches that the jump ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Siblings {
    /// Their answers are reused, their open items are opened with what was already said.
    Keep,
    /// They are asked afresh.
    Cancel,
}

/// Who signs in the returner's next round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signing {
    /// Everybody.
    All,
    /// Only who returned.
    Returner,
    /// Who had not yet approved.
    Open,
}

/// What a jump does to the context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ContextChange {
    /// Nothing. The only choice of a return.
    Keep,
    /// Back to what it was at the target's checkpoint.
    Restore,
    /// This.
    Given(Value),
}

/// By what right a jump is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Right {
    /// A work task's own return: only to what has passed, counted.
    Return,
    /// A signer takes his decision back: not counted, refused once an act has been taken since.
    Withdrawal,
    /// An operator's: any task of a live scope, also of a faulted or suspended instance.
    Operator,
    /// An operator's on an instance that has ended.
    Revive,
}
