//! Events that an instance does not take.

use crate::instance::{Instance, Status};

/// An event was not taken; the instance is as it was.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{refusal}")]
pub struct Refused {
    /// The instance, unchanged.
    pub instance: Box<Instance>,
    /// Why.
    pub refusal: Refusal,
}

/// Why an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It has begun already.
    #[error("the instance has begun already")]
    Begun,
    /// It does not run.
    #[error("the instance is {0:?}; this needs one that runs")]
    Status(Status),
    /// It stands still.
    #[error("the instance is suspended; resume it first")]
    Suspended,
    /// Too much waits for its resumption.
    #[error("too many events wait for the instance to be resumed")]
    InboxFull,
    /// The state was written by a newer release.
    #[error("the state has format {0}, this release reads up to {max}", max = crate::FORMAT)]
    Newer(u32),
    /// The program has no such live task.
    #[error("the program has no task {0:?} where the instance runs it")]
    Misfit(String),
    /// The task that returns is not live.
    #[error("the task {0:?} is not waiting any more")]
    NotLive(String),
    /// The program has no such task.
    #[error("there is no task {0:?}")]
    NoTask(String),
    /// The target is not in a live scope around the returner.
    #[error("the task {0:?} is not in a running part of the case that this one belongs to")]
    OutOfScope(String),
    /// The target has not passed.
    #[error("the task {0:?} has not been passed on the way here")]
    NotPassed(String),
    /// Nothing passed before.
    #[error("no earlier work task lies on the way here")]
    NoPrevious,
    /// No raw input is known for the target.
    #[error("the task {0:?} was never entered; give its input")]
    NoCheckpoint(String),
    /// The returns are used up.
    #[error("the case has been returned {count} times, the limit is {limit}")]
    ReturnLimit {
        /// Returns so far.
        count: u32,
        /// The most.
        limit: u32,
    },
    /// An act has been taken since the decision.
    #[error("the decision cannot be taken back: {0:?} has been done since")]
    ActTaken(String),
    /// What is asked for does not go together.
    #[error("{0}")]
    Contradiction(&'static str),
}
