//! What is wrong with a document, where, and what to do about it.

use std::collections::HashSet;

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
            message: readable(message.into()),
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
        self.help = Some(readable(help.into()));
        self
    }

    /// With what to do, when that is known.
    #[must_use]
    pub fn help_if(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
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

/// A text as people can read it: what it quotes is shortened, and characters that nobody sees are written as escapes.
fn readable(text: String) -> String {
    const SHORT: usize = 300;
    /// Of what stands between backticks so much is shown.
    const QUOTED: usize = 160;
    let hidden = |letter: char| letter.is_control() || is_invisible(letter);
    if text.len() <= SHORT && !text.contains(hidden) {
        return text;
    }
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at > 0 {
            out.push('`');
        }
        let quoted = at % 2 == 1;
        let cut = part.char_indices().nth(if quoted { QUOTED } else { SHORT });
        for letter in part
            .get(..cut.map_or(part.len(), |(end, _)| end))
            .unwrap_or("")
            .chars()
        {
            match letter {
                letter if hidden(letter) => out.extend(letter.escape_unicode()),
                letter => out.push(letter),
            }
        }
        if cut.is_some() {
            out.push('…');
        }
    }
    out
}

/// A character that nobody sees or that turns the text around: two names with it look like one.
pub(crate) fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
    let spans = |fits: &dyn Fn(&Diagnostic) -> bool| {
        let found = diagnostics.iter().filter(|fault| fits(fault));
        let mut spans: Vec<Span> = found.map(|fault| fault.span).collect();
        spans.sort_unstable_by_key(|span| span.start);
        spans
    };
    let causes = spans(&|fault| EXPLAINING.contains(&fault.code) && fault.is_error());
    // `to:` beside `call:` instead of under `with:` explains that there is no `with`.
    let misplaced = spans(&|fault| {
        fault.code == codes::WRONG_WRAPPER && fault.message.starts_with("the argument")
    });
    let calls = spans(&|fault| fault.code == codes::NO_ARGUMENTS);
    let unread: HashSet<Span> = spans(&is_of_the_text).into_iter().collect();
    let after = |spans: &[Span], start: u32| {
        let at = spans.partition_point(|span| span.start <= start);
        spans.get(at).map(|span| span.start)
    };
    diagnostics.retain(|fault| {
        let span = fault.span;
        if fault.code == codes::NO_ARGUMENTS {
            let next = after(&calls, span.start).unwrap_or(u32::MAX);
            return !after(&misplaced, span.start)
                .is_some_and(|at| at < span.start + 400 && at < next);
        }
        // What could not be read stands as nothing in the tree.
        if !is_of_the_text(fault) && unread.contains(&span) {
            return false;
        }
        let from = causes.partition_point(|cause| cause.start < span.start);
        let mut inside = causes
            .iter()
            .skip(from)
            .take_while(|cause| cause.start <= span.end);
        !EXPLAINED.contains(&fault.code)
            || !inside.any(|cause| cause.end <= span.end && *cause != span)
    });
}

/// Whether a fault is one of the text, below the level of properties and tasks.
fn is_of_the_text(fault: &Diagnostic) -> bool {
    fault.code.id().starts_with("TB01")
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
