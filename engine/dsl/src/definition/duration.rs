//! Spans of calendar time.

use crate::definition::expression::ExpressionSource;
use crate::span::{Span, Spanned};

/// A duration as it stands in the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Duration {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: DurationKind,
}

/// The two ways to give a duration.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationKind {
    /// `{ hours: 2 }` or `PT2H`.
    Fixed(Period),
    /// `${ … }`: its value is an ISO 8601 text or an object of units, see [`Period::from_iso`].
    Expression(ExpressionSource),
}

/// A length of time: months, whose length depends on the calendar, and milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// Calendar months (a year is 12).
    pub months: i64,
    /// Everything else; a week is seven days, a day 24 hours.
    pub milliseconds: i64,
}

impl Period {
    /// The length in milliseconds where a month counts 30 days: to compare and to bound.
    #[must_use]
    pub fn approximate_ms(self) -> i64 {
        self.months
            .saturating_mul(30 * 86_400_000)
            .saturating_add(self.milliseconds)
    }
}

/// A `timeout`: given in place, or the name of one in `use.timeouts`.
#[derive(Debug, Clone, PartialEq)]
pub enum Timeout {
    /// `{ after: … }`.
    After(Duration),
    /// A name.
    Named(Spanned<String>),
}

impl Timeout {
    /// Its place.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Timeout::After(duration) => duration.span,
            Timeout::Named(name) => name.span,
        }
    }
}
