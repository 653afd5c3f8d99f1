//! Definitions of workflows: parsing with places, checking, drawing.
//!
//! The language is the CNCF Serverless Workflow DSL 1.0.3 with the conventions of Tongban under
//! `metadata` and as functions. This crate is pure: a source text goes in, typed trees, diagnostics
//! and pictures come out.

#![warn(missing_docs)]

mod check;
mod chinese;
pub mod codes;
mod data;
pub mod definition;
mod diagnostic;
pub mod draw;
mod node;
mod number;
mod parse;
mod place;
pub mod render;
mod shape;
pub mod signatures;
mod span;
mod suggest;
mod vocabulary;
mod width;

pub use check::{Inspected, Nothing, Reference, Surroundings, check, inspect, is_rhai_keyword};
pub use data::{Placed, read_yaml, read_yaml_placed};
pub use definition::Definition;
pub use diagnostic::{Diagnostic, Label, Severity, in_order};
pub use draw::{Mark, Marks, draw, mermaid, outline};
pub use number::meant as number_meant;
pub use parse::{Parsed, ParsedFunction, parse, parse_function, period};
pub use span::{Span, Spanned};
pub use suggest::did_you_mean;
pub use vocabulary::schema_stranger;
