//! What a step wants done: effects in their order, and the records of what it did.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use crate::error::Error;
use crate::event::Signing;
use crate::instance::{Instance, Status};
use crate::surroundings::Kind;

/// What a step gives.
#[derive(Debug, Clone)]
pub struct Step {
    /// The instance after it.
    pub instance: Instance,
    /// What is to be done, in order.
    pub effects: Vec<Effect>,
    /// What was done, in order.
    pub records: Vec<Record>,
    /// The step budget was crossed: commit, then send [`crate::Event::Continue`].
    pub more: bool,
    /// Whether a [`crate::Event::Heard`] was taken; `false` when it fitted no filter after all.
    pub consumed: bool,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Call a function; answered by `Returned` or `Failed`.
    Call(Box<Call>),
    /// The waiting task of this run id ended: an act not yet taken is withdrawn, a work item closed,
    /// an awaited child sent `cancel`, a question to the applicant closed.
    Withdraw {
        /// Who waited.
        run_id: String,
        /// Why it waits no more.
        why: Why,
    },
    /// Ask the applicant to correct the form: answered by `Form` and then `Returned`.
    AskApplicant {
        /// Who waits.
        run_id: String,
        /// Fields to correct, each with the reason.
        fields: Vec<(String, String)>,
        /// The returner's comment.
        comment: String,
        /// Who returned.
        by: String,
    },
    /// A former answer stands in for a call.
    Reused {
        /// Run id of the entry that it answers.
        run_id: String,
        /// Path of the task.
        path: String,
        /// Run id of the entry that had been answered.
        former: String,
        /// The answer.
        output: Value,
    },
    /// Listen for events; each that fits is sent as `Heard`.
    Listen {
        /// Who listens.
        run_id: String,
        /// To what.
        filters: Vec<Filter>,
    },
    /// Stop listening.
    Unlisten {
        /// Who listened.
        run_id: String,
    },
    /// Publish an event.
    Emit {
        /// Which entry made it.
        run_id: String,
        /// The CloudEvent.
        event: Value,
    },
    /// Start another workflow.
    Child {
        /// Who waits for it, if it is awaited.
        run_id: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its version or `latest`.
        version: String,
        /// Its input.
        input: Value,
        /// Whether its end is to be reported by `Returned` or `Failed`; otherwise its beginning is, at once.
        awaited: bool,
    },
    /// A clock begins.
    ClockOpen {
        /// Which: the place of its task, empty for the case's.
        place: String,
        /// `{ due, promise, stops, basis, remind, escalate }`, evaluated.
        spec: Value,
        /// Its title.
        title: Option<String>,
        /// It was interrupted by a return and goes on with what was left.
        resume: bool,
    },
    /// A clock ends.
    ClockClose {
        /// Which.
        place: String,
    },
    /// A ground begins to hold at a place: the clocks around it that list the ground stand still.
    GroundEnter {
        /// Where.
        place: String,
        /// Which ground, `correction` for a return.
        ground: String,
        /// The rule that it rests on.
        basis: Option<String>,
    },
    /// A ground ends.
    GroundLeave {
        /// Where.
        place: String,
        /// Which ground.
        ground: String,
    },
    /// The instance has ended.
    Finish {
        /// How.
        status: Status,
        /// With what output.
        output: Value,
        /// With what error.
        error: Option<Error>,
    },
}

/// Why a waiting task ended without its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// A sibling faulted, or the instance.
    Faulted,
    /// A competing branch won.
    Lost,
    /// Its time, or that of a task around it, was over.
    Timeout,
    /// The workflow ended elsewhere (`end`).
    Ended,
    /// It was returned.
    Returned,
    /// A jump left it.
    Jumped,
    /// The instance was cancelled.
    Cancelled,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Names this entry into the task, for ever.
    pub run_id: String,
    /// Path of names.
    pub path: String,
    /// Path of names with the numbers of iterations: the same for every entry.
    pub place: String,
    /// The how manieth entry into the task, from 1.
    pub entry: u32,
    /// The function's name.
    pub function: String,
    /// What kind of function.
    pub kind: Kind,
    /// Its arguments, evaluated; late ones are left out.
    pub args: Value,
    /// The idempotency key.
    pub key: String,
    /// When the task's own timeout ends it.
    pub timeout_at_ms: Option<i64>,
    /// The task's title.
    pub title: Option<String>,
    /// Whether and how the place is opened again.
    pub resume: Reopen,
    /// Keys of the task's metadata that begin with `x-`, evaluated.
    pub metadata: Value,
}

/// How a work task is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reopen {
    /// Anew.
    Fresh,
    /// A further round after a return: automatic skips do not apply, the form shows the last submission.
    Round {
        /// Who signs.
        signing: Signing,
        /// Who returned.
        by: String,
    },
    /// With everything that was already said.
    Keep,
}

/// One filter of a listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Its number in the listener.
    pub n: u32,
    /// The event type that it wants, if that is fixed.
    pub event_type: Option<String>,
    /// Id of its [`crate::Shape`].
    pub shape: String,
    /// What [`crate::Shape::value`] must give; empty when nothing is known beforehand.
    pub value: String,
}

/// What happened to one task in a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The entry; empty for the instance itself.
    pub run_id: String,
    /// Path of names; empty for the instance itself.
    pub path: String,
    /// The task's keyword, `workflow` for the instance.
    pub kind: String,
    /// What happened.
    pub status: RecordStatus,
    /// Which attempt of a retried block it belongs to, from 1.
    pub attempt: u32,
    /// When.
    pub at_ms: i64,
    /// The output of a call, a listener or an awaited child.
    pub output: Option<Value>,
    /// The error.
    pub error: Option<Error>,
    /// A former answer was reused.
    pub reused: bool,
    /// Anything worth knowing, for people; of a `switch` that ended the name of the case that it took.
    pub note: Option<String>,
    /// On a listener that correlates events: null where it began, the values by key where it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Value>,
}

/// What happened to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordStatus {
    /// It was entered.
    Started,
    /// It ended well.
    Completed,
    /// It ended with an error.
    Faulted,
    /// Its `if` did not hold.
    Skipped,
    /// It was ended from outside.
    Cancelled,
    /// Its block is tried again.
    Retried,
    /// The flow jumped here.
    Jumped,
    /// The instance stands still.
    Suspended,
    /// The instance goes on.
    Resumed,
    /// An answer came that nobody waits for; it changed nothing.
    Late,
    /// An event was consumed.
    Heard,
}
