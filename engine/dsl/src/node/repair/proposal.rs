//! A line as it should be, and whether it cures the text.

use std::ops::Range;

use crate::codes::{self, Code};
use crate::node::builder::first_fault;
use crate::span::Span;

/// One line as it should be.
pub(super) struct Proposal {
    pub code: Code,
    pub message: String,
    /// The place of the mistake, in bytes of the line.
    pub at: Range<usize>,
    pub line: String,
    /// What to do, when the line alone does not say it.
    pub help: Option<String>,
}

impl Proposal {
    pub fn yaml(message: impl Into<String>, at: Range<usize>, line: String) -> Option<Self> {
        Some(Proposal {
            code: codes::YAML_SYNTAX,
            message: message.into(),
            at,
            line,
            help: None,
        })
    }
}

/// The text with another piece at `at`.
pub(super) fn replaced(source: &str, at: Range<usize>, with: &str) -> Option<String> {
    let (before, behind) = (source.get(..at.start)?, source.get(at.end..)?);
    Some([before, with, behind].concat())
}

/// Whether what is wrong with the repaired text, if anything, comes later.
pub(super) fn cured(repaired: &str, source: &str, span: Span) -> bool {
    first_fault(repaired).is_none_or(|next| {
        // The end of the text stays where it is, what was changed stands before it.
        let left = repaired.len().saturating_sub(next.start as usize);
        let left_before = source.len().saturating_sub(span.start as usize);
        left < left_before && next.line >= span.line
    })
}

/// A line without its indentation, shortened.
pub(super) fn shown(line: &str) -> String {
    let line = line.trim();
    match line.char_indices().nth(120) {
        Some((at, _)) => format!("{} …", line.get(..at).unwrap_or("")),
        None => line.to_owned(),
    }
}
