//! What an author meant by a line that is no YAML: the line is rewritten, and the whole text is read again. Only what
//! then goes on is proposed.

mod columns;
mod proposal;
mod quotes;
mod signs;

use crate::diagnostic::Diagnostic;
use crate::place::Places;
use crate::span::Span;
use columns::{indentation, keyless_list, tabs};
use proposal::{Proposal, cured, replaced, shown};
use quotes::{apostrophe, colon, escape, expression, inner_quotes, leading, open_quote};
use signs::{beside_key, brackets, comment, fence, full_width, hash, joined, semicolon};

/// Longer sources are not read again and again.
const SOURCE_MAX: usize = 300_000;
/// How many lines before the place of the fault are looked at.
const LINES_BACK: u32 = 3;

type Rule = fn(&str) -> Option<Proposal>;

const RULES: &[Rule] = &[
    fence,
    comment,
    full_width,
    hash,
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
            let whole = replaced(source, start..start + text.len(), &proposal.line)?;
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
