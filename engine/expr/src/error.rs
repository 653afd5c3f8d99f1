//! What can be wrong with an expression, before and while it runs.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::meter::{Budget, Limit};

/// A source that does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct SyntaxError {
    /// What was expected and found.
    pub message: String,
    /// Where, in bytes of the source.
    pub at: Range<usize>,
    /// What to do.
    pub help: Option<String>,
}

impl SyntaxError {
    /// The system had no room for the thread that should have compiled.
    pub(crate) fn no_thread(error: &std::io::Error) -> Self {
        Self {
            message: format!("the source was not compiled: {error}"),
            at: 0..0,
            help: Some("the system has no room for another thread".to_owned()),
        }
    }
}

/// An evaluation that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct EvalError {
    /// What happened.
    pub message: String,
    /// Where, in bytes of the source, when the language tells.
    pub at: Option<Range<usize>>,
    /// The limit that stopped it, when one did.
    pub limit: Option<Limit>,
}

impl EvalError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: None,
            limit: None,
        }
    }

    /// A limit of `budget` stopped it.
    pub(crate) fn stopped(limit: Limit, budget: &Budget) -> Self {
        Self {
            message: format!("the evaluation was stopped: {}", limit.of(budget)),
            at: None,
            limit: Some(limit),
        }
    }

    /// The process that should have evaluated it is gone, or stayed silent.
    #[must_use]
    pub fn process(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: None,
            limit: Some(Limit::Process),
        }
    }
}

/// Keeps a message at a length that people read: it may quote whole values.
pub(crate) fn shortened(text: &str) -> String {
    const LENGTH_MAX: usize = 300;
    match text.char_indices().nth(LENGTH_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
