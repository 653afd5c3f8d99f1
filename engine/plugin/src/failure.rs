//! A function's failure, in the terms of the DSL's standard errors (RFC 9457).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

/// The base of the error types that the engine emits.
pub const ERROR_BASE: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

/// The family of a failure; [`FailureKind::name`] is the last segment of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    /// Wrong or missing settings, arguments that can never work.
    Configuration,
    /// Data that a schema or a rule refuses.
    Validation,
    /// An expression or a template that could not be evaluated.
    Expression,
    /// The callee does not know who we are.
    Authentication,
    /// The callee, or a register's rights, forbid it.
    Authorization,
    /// No answer in time.
    Timeout,
    /// The network, or the callee, failed.
    Communication,
    /// Somebody changed the data meanwhile, or the key is taken.
    Conflict,
    /// Anything else.
    Runtime,
}

impl FailureKind {
    /// The last segment of the error type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Validation => "validation",
            Self::Expression => "expression",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Timeout => "timeout",
            Self::Communication => "communication",
            Self::Conflict => "conflict",
            Self::Runtime => "runtime",
        }
    }

    /// The status that the DSL gives this family by default.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Configuration | Self::Validation | Self::Expression => 400,
            Self::Authentication => 401,
            Self::Authorization => 403,
            Self::Timeout => 408,
            Self::Conflict => 409,
            Self::Communication | Self::Runtime => 500,
        }
    }

    /// The title that people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration error",
            Self::Validation => "Validation error",
            Self::Expression => "Expression error",
            Self::Authentication => "Authentication error",
            Self::Authorization => "Authorization error",
            Self::Timeout => "Timeout",
            Self::Communication => "Communication error",
            Self::Conflict => "Conflict",
            Self::Runtime => "Runtime error",
        }
    }
}

/// A known failure of a call: it goes to the instance as the DSL's error object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The family.
    pub kind: FailureKind,
    /// The HTTP-like status.
    pub status: u16,
    /// Short summary.
    pub title: String,
    /// What exactly went wrong and what to do, without data of people and without secrets.
    pub detail: String,
    /// True when the same call may succeed later; only the author's `catch.retry` repeats it.
    pub retryable: bool,
    /// Further members of the problem, for example `faults` of a validation. `Null` when none.
    #[serde(default)]
    pub extra: Value,
    /// Set when nothing was sent and the call may wait this long instead of failing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<i64>,
}

impl Failure {
    /// Makes a failure with the family's default status and title.
    #[must_use]
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            status: kind.status(),
            title: kind.title().to_owned(),
            detail: detail.into(),
            retryable: matches!(
                kind,
                FailureKind::Timeout | FailureKind::Communication | FailureKind::Conflict
            ),
            extra: Value::Null,
            wait_ms: None,
        }
    }

    /// Replaces the status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Says that trying again cannot help, or that it may.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// Adds further members of the problem.
    #[must_use]
    pub fn with_extra(mut self, extra: Value) -> Self {
        self.extra = extra;
        self
    }

    /// Says that nothing was sent yet: the call waits so long and is performed then, instead of failing.
    #[must_use]
    pub fn waiting(mut self, left: Duration) -> Self {
        self.wait_ms = Some(i64::try_from(left.as_millis()).unwrap_or(i64::MAX).max(1));
        self
    }

    /// The full error type, for example `…/errors/communication`.
    #[must_use]
    pub fn type_uri(&self) -> String {
        format!("{ERROR_BASE}{}", self.kind.name())
    }
}

macro_rules! families {
    ($($function:ident => $kind:ident),* $(,)?) => {
        impl Failure {$(
            #[doc = concat!("Makes a failure of the family `", stringify!($function), "`.")]
            #[must_use]
            pub fn $function(detail: impl Into<String>) -> Self {
                Self::new(FailureKind::$kind, detail)
            }
        )*}
    };
}

families! {
    configuration => Configuration,
    validation => Validation,
    expression => Expression,
    authentication => Authentication,
    authorization => Authorization,
    timeout => Timeout,
    communication => Communication,
    conflict => Conflict,
    runtime => Runtime,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} ({}): {}",
            self.kind.name(),
            self.status,
            self.detail
        )
    }
}

impl std::error::Error for Failure {}
