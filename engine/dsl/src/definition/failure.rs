//! Errors that a document defines, raises and catches.

use crate::definition::expression::Template;
use crate::span::{Span, Spanned};

/// An error: problem details (RFC 9457) whose texts may be expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorDefinition {
    /// Its place.
    pub span: Span,
    /// `type`: a URI.
    pub type_uri: Template,
    /// `status`: an integer (or, leniently, an expression).
    pub status: Template,
    /// `instance`: a JSON pointer to the task; the raising task's own when absent.
    pub instance: Option<Template>,
    /// `title`.
    pub title: Option<Template>,
    /// `detail`.
    pub detail: Option<Template>,
}

/// What `raise.error` holds.
#[derive(Debug, Clone, PartialEq)]
pub enum ErrorReference {
    /// The error itself.
    Inline(Box<ErrorDefinition>),
    /// The name of one in `use.errors`.
    Named(Spanned<String>),
}

/// `catch.errors.with`: static values that an error must have. An absent one matches all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ErrorFilter {
    /// `type`.
    pub type_uri: Option<Spanned<String>>,
    /// `status`.
    pub status: Option<Spanned<i64>>,
    /// `instance`.
    pub instance: Option<Spanned<String>>,
    /// `title`.
    pub title: Option<Spanned<String>>,
    /// `details` (the schema's word; `detail` is taken too).
    pub detail: Option<Spanned<String>>,
}
