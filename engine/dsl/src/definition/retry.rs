//! Retry policies.

use crate::definition::duration::Duration;
use crate::definition::expression::ExpressionSource;
use crate::span::{Span, Spanned};

/// What `catch.retry` holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Retry {
    /// The policy itself.
    Policy(Box<RetryPolicy>),
    /// The name of one in `use.retries`.
    Named(Spanned<String>),
}

/// How often, when and how long a caught block is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Its place.
    pub span: Span,
    /// Retry only when this holds.
    pub when: Option<ExpressionSource>,
    /// Do not retry when this holds.
    pub except_when: Option<ExpressionSource>,
    /// Pause before a retry; none when absent.
    pub delay: Option<Duration>,
    /// How the pause grows.
    pub backoff: Backoff,
    /// `limit.attempt.count`: how many retries.
    pub limit_count: Option<u32>,
    /// `limit.attempt.duration`: bounds one attempt.
    pub limit_attempt: Option<Duration>,
    /// `limit.duration`: bounds all of them.
    pub limit_total: Option<Duration>,
    /// `jitter`: a random addition to each pause, from and to.
    pub jitter: Option<(Duration, Duration)>,
}

/// How the pause between retries grows with their number n = 1, 2, …
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Backoff {
    /// Always `delay`.
    #[default]
    Constant,
    /// `delay` × n.
    Linear,
    /// `delay` × 2ⁿ⁻¹.
    Exponential,
}
