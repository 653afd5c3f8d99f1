//! What is wrong with a document, where, and what to do about it.

use serde::{Serialize, Serializer};

use crate::codes::{self, Code};
use crate::span::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be published.
    Error,
    /// It can, but it probably does not do what its author wants.
    Warning,
}

/// Another place that helps to understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen there.
    pub text: String,
}

/// One fault of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable code; `tongban explain CODE` has its page.
    #[serde(serialize_with = "code_text")]
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The place.
    pub span: Span,
    /// What was expected and what was found, in lower case.
    pub message: String,
    /// What to do, or nothing when the message says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Other places that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

impl Diagnostic {
    /// A fault that stops publishing.
    #[must_use]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            span,
            message: message.into(),
            help: None,
            labels: Vec::new(),
        }
    }

    /// Something that is probably not meant.
    #[must_use]
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With what to do, when that is known.
    #[must_use]
    pub fn help_if(mut self, help: Option<String>) -> Self {
        if help.is_some() {
            self.help = help;
        }
        self
    }

    /// With another place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Whether it stops publishing.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

fn code_text<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.id())
}

/// Most faults that are told of one document.
const MOST: usize = 500;

/// Faults of a whole block that a misspelt or misplaced key inside of it explains.
const EXPLAINED: &[Code] = &[codes::RETRY_FOREVER, codes::BAD_SELECTOR];
/// Faults of a key.
const EXPLAINING: &[Code] = &[
    codes::UNKNOWN_PROPERTY,
    codes::UNKNOWN_ARGUMENT,
    codes::WRONG_WRAPPER,
    codes::FULL_WIDTH,
];

/// Leaves out what is only a consequence of another fault.
fn without_consequences(diagnostics: &mut Vec<Diagnostic>) {
    let causes: Vec<Span> = diagnostics
        .iter()
        .filter(|fault| EXPLAINING.contains(&fault.code) && fault.is_error())
        .map(|fault| fault.span)
        .collect();
    // `to:` beside `call:` instead of under `with:` explains that there is no `with`.
    let misplaced: Vec<u32> = diagnostics
        .iter()
        .filter(|fault| {
            fault.code == codes::WRONG_WRAPPER && fault.message.starts_with("the argument")
        })
        .map(|fault| fault.span.start)
        .collect();
    let calls: Vec<u32> = diagnostics
        .iter()
        .filter(|fault| fault.code == codes::NO_ARGUMENTS)
        .map(|fault| fault.span.start)
        .collect();
    diagnostics.retain(|fault| {
        let start = fault.span.start;
        let next = calls.iter().filter(|call| **call > start).min();
        fault.code != codes::NO_ARGUMENTS
            || !misplaced
                .iter()
                .any(|at| *at > start && *at < start + 400 && next.is_none_or(|next| at < next))
    });
    let unread: Vec<Span> = diagnostics
        .iter()
        .filter(|fault| fault.code.id().starts_with("TB01"))
        .map(|fault| fault.span)
        .collect();
    diagnostics.retain(|fault| {
        // What could not be read stands as nothing in the tree.
        fault.code.id().starts_with("TB01") || !unread.contains(&fault.span)
    });
    diagnostics.retain(|fault| {
        !EXPLAINED.contains(&fault.code)
            || !causes.iter().any(|cause| {
                fault.span.start <= cause.start
                    && cause.end <= fault.span.end
                    && *cause != fault.span
            })
    });
}

/// The faults in the order of the document, each once, without those that are only consequences of another.
#[must_use]
pub fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    without_consequences(&mut diagnostics);
    diagnostics.sort_by(|a, b| {
        (a.span.start, a.code.id(), &a.message).cmp(&(b.span.start, b.code.id(), &b.message))
    });
    diagnostics.dedup();
    for fault in diagnostics.iter_mut().filter(|fault| fault.help.is_none()) {
        fault.help = Some(format!(
            "`tongban explain {}` says more and has an example",
            fault.code
        ));
    }
    // Nobody reads more, and a hostile document could make millions.
    if diagnostics.len() > MOST && diagnostics.iter().any(Diagnostic::is_error) {
        diagnostics.retain(Diagnostic::is_error);
    }
    diagnostics.truncate(MOST);
    diagnostics
}
