//! What an author meant by a line that is no YAML: the line is rewritten, and the whole text is read again. Only what
//! then goes on is proposed.

mod columns;
mod quotes;
mod signs;

use std::ops::Range;

use super::builder::first_fault;
use crate::codes::{self, Code};
use crate::diagnostic::Diagnostic;
use crate::place::Places;
use crate::span::Span;
use columns::{indentation, keyless_list, tabs};
use quotes::{apostrophe, colon, escape, expression, inner_quotes, leading, open_quote};
use signs::{beside_key, brackets, comment, fence, full_width, joined, semicolon};

/// Longer sources are not read again and again.
const SOURCE_MAX: usize = 300_000;
/// How many lines before the place of the fault are looked at.
const LINES_BACK: u32 = 3;

/// One line as it should be.
struct Proposal {
    code: Code,
    message: String,
    /// The place of the mistake, in bytes of the line.
    at: Range<usize>,
    line: String,
    /// What to do, when the line alone does not say it.
    help: Option<String>,
}

impl Proposal {
    fn yaml(message: impl Into<String>, at: Range<usize>, line: String) -> Option<Self> {
        Some(Proposal {
            code: codes::YAML_SYNTAX,
            message: message.into(),
            at,
            line,
            help: None,
        })
    }
}

type Rule = fn(&str) -> Option<Proposal>;

const RULES: &[Rule] = &[
    fence,
    comment,
    full_width,
    tabs,
    expression,
    joined,
    beside_key,
    semicolon,
    colon,
    leading,
    apostrophe,
    inner_quotes,
    escape,
    open_quote,
    brackets,
];

/// The fault with its repair, when a repair is found.
pub(super) fn repaired(source: &str, places: &Places<'_>, span: Span) -> Option<Diagnostic> {
    if source.len() > SOURCE_MAX {
        return None;
    }
    // A mistake may show only later: a quote that opens far above.
    let lines = (span.line.saturating_sub(LINES_BACK).max(1)..=span.line).rev();
    for line in lines {
        let (start, text) = places.line(line)?;
        for rule in RULES {
            let Some(proposal) = rule(text) else { continue };
            let mut whole = String::with_capacity(source.len() + 16);
            whole.push_str(source.get(..start)?);
            whole.push_str(&proposal.line);
            whole.push_str(source.get(start + text.len()..)?);
            if cured(&whole, source, span) {
                let place = places.bytes(start + proposal.at.start, start + proposal.at.end);
                let help = proposal
                    .help
                    .unwrap_or_else(|| format!("write `{}`", shown(&proposal.line)));
                return Some(Diagnostic::error(proposal.code, place, proposal.message).help(help));
            }
        }
    }
    keyless_list(source, places, span).or_else(|| indentation(source, places, span))
}

/// Whether what is wrong with the repaired text, if anything, comes later.
fn cured(repaired: &str, source: &str, span: Span) -> bool {
    first_fault(repaired).is_none_or(|next| {
        // The end of the text stays where it is, what was changed stands before it.
        let left = repaired.len().saturating_sub(next.start as usize);
        let left_before = source.len().saturating_sub(span.start as usize);
        left < left_before && next.line >= span.line
    })
}

/// A line without its indentation, shortened.
fn shown(line: &str) -> String {
    let line = line.trim();
    match line.char_indices().nth(120) {
        Some((at, _)) => format!("{} …", line.get(..at).unwrap_or("")),
        None => line.to_owned(),
    }
}
