//! From nodes to the typed tree, collecting every fault on the way.
//!
//! A task's kind is decided first, by its keyword; only then are its properties read, so that a
//! misspelt property is told as such and never as "none of twelve alternatives fits".

mod blocks;
mod call;
mod cron;
mod dialect;
mod document;
mod duration;
mod effects;
mod event;
mod expression;
mod foreign;
mod items;
mod json_schema;
mod keywords;
mod metadata;
mod reader;
mod retry;
mod reusables;
mod run;
mod schema;
mod stray;
mod task;

use std::sync::Arc;

use crate::definition::{Definition, Task};
use crate::diagnostic::Diagnostic;
use crate::node;
use crate::place::Places;

pub(crate) use duration::human as human_duration;
pub use duration::period;
pub(crate) use expression::{close, commented, cut_off, looks_like_expression};
pub(crate) use reader::{first_line, value};
pub(crate) use retry::has_scheme;
pub(crate) use task::is_identifier;

/// What parsing gave.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The definition; `None` when there is an error among the diagnostics.
    pub definition: Option<Definition>,
    /// Every fault, in the order of the document.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses one document.
#[must_use]
pub fn parse(source: &str) -> Parsed {
    let (draft, diagnostics) = draft(source);
    let valid = !diagnostics.iter().any(Diagnostic::is_error);
    Parsed {
        definition: draft.filter(|_| valid),
        diagnostics,
    }
}

/// A function of a catalogue: a file that holds one task without a name.
#[derive(Debug, Clone)]
pub struct ParsedFunction {
    /// The task; `None` when there is an error among the diagnostics.
    pub task: Option<Task>,
    /// Every fault, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses the file of a cataloged function under the name that it is called by. Its expressions are
/// jq: a catalogue does not know the workflows that call it.
#[must_use]
pub fn parse_function(source: &str, name: &str) -> ParsedFunction {
    let source: Arc<str> = Arc::from(source.strip_prefix('\u{feff}').unwrap_or(source));
    let places = Places::new(&source);
    let read = node::read(&source, &places);
    let mut reader = reader::Reader::new(read.diagnostics);
    reader.source = Arc::clone(&source);
    let task = read.root.map(|root| reader.function(&root, name));
    let diagnostics = crate::diagnostic::in_order(reader.diagnostics);
    let valid = !diagnostics.iter().any(Diagnostic::is_error);
    ParsedFunction {
        task: task.filter(|_| valid),
        diagnostics,
    }
}

/// As much of the definition as could be understood, and every fault.
pub(crate) fn draft(source: &str) -> (Option<Definition>, Vec<Diagnostic>) {
    let source: Arc<str> = Arc::from(source.strip_prefix('\u{feff}').unwrap_or(source));
    let places = Places::new(&source);
    let read = node::read(&source, &places);
    let mut reader = reader::Reader::new(read.diagnostics);
    reader.source = Arc::clone(&source);
    let draft = read.root.and_then(|root| reader.definition(&root, &source));
    (draft, crate::diagnostic::in_order(reader.diagnostics))
}
