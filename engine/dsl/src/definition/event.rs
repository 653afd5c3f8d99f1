//! Events: what is emitted, listened to and correlated.

use crate::definition::expression::{ExpressionSource, Template};
use crate::span::{Span, Spanned};

/// What of an event becomes the value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Read {
    /// Its data.
    #[default]
    Data,
    /// Its attributes and its data.
    Envelope,
    /// As it came in.
    Raw,
}

/// Which events are consumed.
#[derive(Debug, Clone, PartialEq)]
pub enum Consumption {
    /// One event that fits.
    One(Box<EventFilter>),
    /// All of these, each once, in any order.
    All(Vec<EventFilter>),
    /// Any of these; an empty list fits every event.
    Any {
        /// The filters.
        filters: Vec<EventFilter>,
        /// Goes on listening until this; without it the first event ends it.
        until: Option<Until>,
    },
}

/// When `any` stops.
#[derive(Debug, Clone, PartialEq)]
pub enum Until {
    /// A condition evaluated after each event.
    Condition(ExpressionSource),
    /// Events that stop it.
    Consumed(Box<Consumption>),
    /// `until: false`: never by itself.
    Never,
}

/// One event that may be consumed.
#[derive(Debug, Clone, PartialEq)]
pub struct EventFilter {
    /// Its place.
    pub span: Span,
    /// `with`: attributes that the event must have.
    pub with: Vec<EventPattern>,
    /// `correlate`: values that tie events to this activation.
    pub correlate: Vec<Correlation>,
}

/// One attribute of an event filter.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPattern {
    /// The attribute's name (`type`, `source`, `data`, an extension attribute).
    pub attribute: Spanned<String>,
    /// A literal to be equal to; a text that is an expression is a condition on that attribute
    /// (its value is the argument).
    pub value: Template,
}

/// One key of `correlate`.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    /// The key's name.
    pub name: Spanned<String>,
    /// Takes the value from the event.
    pub from: ExpressionSource,
    /// What the value must be; without it the first event decides.
    pub expect: Option<Template>,
}
