//! Lines that stand in another column than they should: lists without their key, indentation, tabs.

use super::proposal::{Proposal, cured, replaced};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::builder::first_fault;
use crate::place::Places;
use crate::span::Span;

/// The list of tasks at the top of the document, without `do:` above it.
pub(super) fn keyless_list(source: &str, places: &Places<'_>, span: Span) -> Option<Diagnostic> {
    let (start, text) = places.line(span.line)?;
    if !text.starts_with("- ") || source.lines().any(|line| line.starts_with("do:")) {
        return None;
    }
    let whole = replaced(source, start..start, "do:\n")?;
    first_fault(&whole).is_none().then(|| {
        Diagnostic::error(
            codes::YAML_SYNTAX,
            places.bytes(start, start + 1),
            "a list stands at the top of the document without its key",
        )
        .help("write a line `do:` above it: below it stand the tasks")
    })
}

/// A line whose indentation is none of those above it.
pub(super) fn indentation(source: &str, places: &Places<'_>, span: Span) -> Option<Diagnostic> {
    let (start, text) = places.line(span.line)?;
    let own = indent(text);
    let item = text.trim_start().starts_with("- ");
    let mut proposed: Option<(usize, u32)> = None;
    for (other, line) in indents_above(places, span.line, own, item) {
        let whole = replaced(source, start..start + own, &" ".repeat(other))?;
        if first_fault(&whole).is_none() {
            proposed = Some((other, line));
            break;
        }
        if proposed.is_none() && cured(&whole, source, span) {
            proposed = Some((other, line));
        }
    }
    let (other, line) = proposed?;
    Some(
        Diagnostic::error(
            codes::YAML_SYNTAX,
            places.bytes(start + own, start + own + 1),
            format!("this line is indented by {own} spaces, and nothing above it is"),
        )
        .help(format!("indent it by {other}, as line {line}")),
    )
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// The indentations of the lines above that are near, each with its line, the nearest line first; of an item of a list
/// those of other items come first.
fn indents_above(places: &Places<'_>, below: u32, own: usize, item: bool) -> Vec<(usize, u32)> {
    let mut found: Vec<(usize, u32)> = Vec::new();
    let mut of_items: Vec<(usize, u32)> = Vec::new();
    for line in (below.saturating_sub(20).max(1)..below).rev() {
        let Some((_, above)) = places.line(line) else {
            break;
        };
        let trimmed = above.trim_start_matches(' ');
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let hyphen = trimmed.starts_with("- ");
        let take = |width: usize, list: &mut Vec<(usize, u32)>| {
            let near = own.abs_diff(width) <= 3 && own != width;
            if near && list.iter().all(|(other, _)| *other != width) {
                list.push((width, line));
            }
        };
        if hyphen && item {
            take(indent(above), &mut of_items);
        }
        take(indent(above), &mut found);
        // What stands behind `- ` is indented too.
        if hyphen {
            take(indent(above) + 2, &mut found);
        }
    }
    of_items.extend(found);
    of_items
}

pub(super) fn tabs(line: &str) -> Option<Proposal> {
    let indent = line.len() - line.trim_start_matches([' ', '\t', '-']).len();
    let at = line.get(..indent)?.find('\t')?;
    let rest = line.get(indent..)?;
    // What the tab stood for is not known; two spaces are the usual step.
    let spaces = line.get(..indent)?.replace('\t', "  ");
    Some(Proposal {
        code: codes::YAML_SYNTAX,
        message: "a tab does not indent in YAML".to_owned(),
        at: at..at + 1,
        line: format!("{spaces}{rest}"),
        help: Some(
            "indent with spaces, two for each step; let the editor write spaces for the tab key"
                .to_owned(),
        ),
    })
}
