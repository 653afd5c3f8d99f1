//! Definitions of workflows: parsing with places, checking, drawing.
//!
//! The language is the CNCF Serverless Workflow DSL 1.0.3 with the conventions of Tongban under
//! `metadata` and as functions. This crate is pure: a source text goes in, typed trees, diagnostics
//! and pictures come out.

#![warn(missing_docs)]

pub mod codes;
pub mod definition;
mod diagnostic;
mod node;
mod place;
mod span;
mod suggest;

pub use definition::Definition;
pub use diagnostic::{Diagnostic, Label, Severity};
pub use span::{Span, Spanned};
