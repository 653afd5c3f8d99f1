//! What a parsed definition still gets wrong: names that do not exist, expressions that do not
//! compile, ways that lead nowhere, arguments that nobody takes.

mod calls;
mod catalogs;
mod checker;
mod disclosed;
mod exports;
mod expressions;
mod failures;
mod fields;
mod flow;
mod graph;
mod members;
mod metadata;
mod methods;
mod names;
mod outcomes;
mod people;
mod reads;
mod references;
mod repair;
mod scope;
mod selectors;
mod setting;
mod steps;
mod surroundings;
mod syntax;
mod walk;

pub use surroundings::{Nothing, Reference, Surroundings};

use crate::codes;
use crate::definition::Definition;
use crate::diagnostic::{Diagnostic, in_order};
use crate::parse;
pub use names::is_rhai_keyword;

use checker::Checker;

/// A document that was parsed and checked.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The definition; `None` when there is an error among the diagnostics.
    pub definition: Option<Definition>,
    /// Every fault, in the order of the document.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a definition against what surrounds it.
#[must_use]
pub fn check(definition: &Definition, surroundings: &dyn Surroundings) -> Vec<Diagnostic> {
    let mut checker = Checker::new(definition, surroundings);
    checker.definition();
    let mut faults = checker.faults;
    // A way that leads nowhere is why nothing leads to the task that was meant.
    let astray = [codes::UNKNOWN_TARGET, codes::OTHER_SCOPE];
    if faults.iter().any(|fault| astray.contains(&fault.code)) {
        faults.retain(|fault| fault.code != codes::UNREACHABLE);
    }
    in_order(faults)
}

/// Parses and checks in one go, so that faults of both kinds are told at once.
#[must_use]
pub fn inspect(source: &str, surroundings: &dyn Surroundings) -> Inspected {
    let (draft, mut diagnostics) = parse::draft(source);
    if let Some(draft) = &draft {
        let mut found = check(draft, surroundings);
        // Which ways there are is not known while a task cannot be read.
        if diagnostics.iter().any(Diagnostic::is_error) {
            found.retain(|fault| ![codes::UNREACHABLE, codes::NO_DEFAULT].contains(&fault.code));
        }
        diagnostics.extend(found);
    }
    let diagnostics = in_order(diagnostics);
    let valid = !diagnostics.iter().any(Diagnostic::is_error);
    Inspected {
        definition: draft.filter(|_| valid),
        diagnostics,
    }
}
