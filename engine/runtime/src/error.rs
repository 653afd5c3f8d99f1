//! What a caller of the runtime is told when it does not get what it asked for.

use tongban_core::Error as Problem;
use tongban_store::StoreError;
use tongban_work::Refusal;

use crate::form::FieldFault;

/// Every variant is one problem type of the API.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RuntimeError {
    /// 404: there is no such thing, or not for this caller.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// `workflow`, `instance`, `work item`, `link`, `act` …
        what: &'static str,
        /// Its name or id.
        id: String,
    },
    /// The one decision function refused; the refusal says why and with which status.
    #[error("{0}")]
    Refused(Refusal),
    /// 422: the data does not fit its form.
    #[error("{} field(s) do not fit the form", .0.len())]
    Invalid(Vec<FieldFault>),
    /// 409: the business key is held by another instance.
    #[error("the key `{key}` is held by the instance `{instance}`")]
    Conflict {
        /// The business key.
        key: String,
        /// Who holds it.
        instance: String,
    },
    /// 422: the idempotency key came before with another request.
    #[error("the idempotency key was used before with another request")]
    KeyReused,
    /// 503 with `Retry-After`.
    #[error("too much is waiting; try again in {retry_after_s} s")]
    Busy {
        /// Seconds until trying again makes sense.
        retry_after_s: u32,
    },
    /// 409: the instance is suspended.
    #[error("the instance is suspended")]
    Suspended,
    /// 409: the instance has ended.
    #[error("the instance has ended")]
    Ended,
    /// 409: what was asked does not fit the state; the text says what was expected and found.
    #[error("{0}")]
    Unfit(String),
    /// 410: the link has expired, was used, or its item has moved on.
    #[error("the link is no longer good: {0}")]
    LinkGone(&'static str),
    /// 500, or the status of the problem: it failed, and the problem says how.
    #[error("{}: {}", .0.title, .0.detail.as_deref().unwrap_or_default())]
    Failed(Box<Problem>),
    /// 500: the database or the engine itself; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

impl RuntimeError {
    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self {
            RuntimeError::NotFound { .. } => 404,
            RuntimeError::Invalid(_) | RuntimeError::KeyReused => 422,
            RuntimeError::Refused(refusal) => refusal.status(),
            RuntimeError::Conflict { .. }
            | RuntimeError::Suspended
            | RuntimeError::Ended
            | RuntimeError::Unfit(_) => 409,
            RuntimeError::Busy { .. } => 503,
            RuntimeError::LinkGone(_) => 410,
            RuntimeError::Failed(problem) => u16::try_from(problem.status).unwrap_or(500),
            RuntimeError::Internal(_) => 500,
        }
    }

    /// There is no `what` of that id.
    pub fn not_found(what: &'static str, id: impl Into<String>) -> RuntimeError {
        RuntimeError::NotFound {
            what,
            id: id.into(),
        }
    }
}

impl From<StoreError> for RuntimeError {
    fn from(error: StoreError) -> RuntimeError {
        match error {
            StoreError::Unavailable(_) | StoreError::Unclear | StoreError::Resource(_) => {
                tracing::warn!(%error, "the store cannot take it now");
                RuntimeError::Busy { retry_after_s: 2 }
            }
            other => RuntimeError::Internal(other.to_string()),
        }
    }
}
