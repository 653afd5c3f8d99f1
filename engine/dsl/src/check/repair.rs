//! What an author meant by an expression that does not compile: habits of other languages, rewritten and tried.
//!
//! Every proposal was compiled before it is made, so that what `help` says to write works.

mod edits;

use std::ops::Range;

use tongban_expr::Language;

use crate::codes::{self, Code};

pub(super) use edits::{assignments, unwrapped};

/// A habit, and the expression without it.
pub(super) struct Repair {
    pub code: Code,
    /// What was done, in words.
    pub message: String,
    /// Where, in bytes of the expression.
    pub at: Range<usize>,
    /// The whole expression as it should be.
    pub text: String,
}

/// One change of a text.
pub(super) struct Edit {
    at: Range<usize>,
    with: String,
}

impl Edit {
    fn new(at: Range<usize>, with: impl Into<String>) -> Self {
        Edit {
            at,
            with: with.into(),
        }
    }
}

/// What a rule proposes for a text.
pub(super) struct Proposal {
    code: Code,
    message: String,
    edits: Vec<Edit>,
}

impl Proposal {
    fn new(code: Code, message: impl Into<String>, edits: Vec<Edit>) -> Option<Self> {
        (!edits.is_empty()).then(|| Proposal {
            code,
            message: message.into(),
            edits,
        })
    }

    fn syntax(message: impl Into<String>, edits: Vec<Edit>) -> Option<Self> {
        Self::new(codes::EXPRESSION_SYNTAX, message, edits)
    }

    fn applied(&self, text: &str) -> String {
        let mut out = String::new();
        let mut from = 0;
        for edit in &self.edits {
            out.push_str(text.get(from..edit.at.start).unwrap_or(""));
            out.push_str(&edit.with);
            from = edit.at.end;
        }
        out.push_str(text.get(from..).unwrap_or(""));
        out
    }

    fn place(&self) -> Range<usize> {
        self.edits.first().map_or(0..0, |edit| edit.at.clone())
    }
}

/// The repair of a text that `compiles` refuses: one rule alone, or else all of them one after the other.
pub(super) fn repaired(
    language: Language,
    text: &str,
    compiles: &dyn Fn(&str) -> bool,
) -> Option<Repair> {
    let found = |proposal: Proposal, at: Range<usize>, text: String| Repair {
        code: proposal.code,
        message: proposal.message,
        at,
        text,
    };
    for rule in edits::RULES {
        if let Some(proposal) = rule(language, text) {
            let changed = proposal.applied(text);
            if compiles(&changed) {
                let at = proposal.place();
                return Some(found(proposal, at, changed));
            }
        }
    }
    let mut first: Option<(Proposal, Range<usize>)> = None;
    let mut now = text.to_owned();
    for rule in edits::RULES {
        if let Some(proposal) = rule(language, &now) {
            now = proposal.applied(&now);
            let at = proposal.place();
            first.get_or_insert((proposal, at));
            if compiles(&now) {
                let (proposal, at) = first?;
                return Some(found(proposal, at, now));
            }
        }
    }
    None
}
