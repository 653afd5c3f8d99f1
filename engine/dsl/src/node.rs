//! YAML read once into a tree of nodes with places.
//!
//! The parser is serde-saphyr's own; its events are taken here one by one, because only they tell
//! the style of a scalar, its tag and its exact bytes. Scalars follow the core schema of YAML 1.2:
//! `yes`, `no`, `on` and `off` are texts.

mod builder;
mod help;
mod refusals;
mod repair;
mod tree;

use std::rc::Rc;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::place::Places;
use crate::span::Span;
use builder::{Builder, Fault};
pub(crate) use tree::{Field, Node, NodeKind};

/// Longest source that is read.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// What reading gave: the root, unless the text is no YAML at all.
pub(crate) struct Read {
    pub root: Option<Rc<Node>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads one document.
pub(crate) fn read(source: &str, places: &Places<'_>) -> Read {
    if source.len() > MAX_BYTES {
        let found = source.len();
        let fault = Diagnostic::error(
            codes::TOO_LARGE,
            Span {
                line: 1,
                column: 1,
                ..Span::default()
            },
            format!("a file has at most 2 MiB ({MAX_BYTES} bytes), this one has {found} bytes"),
        )
        .help("move data into the pack's files and split the workflow with `run: { workflow: … }`");
        return Read {
            root: None,
            diagnostics: vec![fault],
        };
    }
    let mut builder = Builder::new(places);
    let read = builder.run(source);
    let mut diagnostics = builder.diagnostics;
    match read {
        Ok(root) => Read { root, diagnostics },
        Err(fault) => {
            diagnostics.push(not_yaml(source, places, &fault));
            Read {
                root: None,
                diagnostics,
            }
        }
    }
}

/// What the parser could not read: what was meant, when that is found out, or else what the parser says.
fn not_yaml(source: &str, places: &Places<'_>, fault: &Fault) -> Diagnostic {
    let (span, info) = (fault.span, fault.info.as_str());
    if info.contains("recursion limit") {
        return builder::too_deep(span);
    }
    let letter = source
        .get(span.start as usize..)
        .and_then(|rest| rest.chars().next());
    if let Some(letter) = letter.filter(|letter| help::is_no_text(*letter, info)) {
        let code = if letter == '\0' {
            codes::NUL
        } else {
            codes::YAML_SYNTAX
        };
        let message = format!(
            "the character U+{:04X} does not stand in a text file",
            letter as u32
        );
        return Diagnostic::error(code, span, message).help(
            "a workflow is UTF-8 text without control characters; an office document is none: save it as plain text",
        );
    }
    repair::repaired(source, places, span).unwrap_or_else(|| {
        let (message, help) = help::worded(info, places.line_text(span.line), span.column);
        Diagnostic::error(codes::YAML_SYNTAX, span, message).help(help)
    })
}
