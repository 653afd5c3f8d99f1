//! What is checked, against what, and what was found so far.

use std::collections::BTreeSet;

use crate::definition::Definition;
use crate::diagnostic::Diagnostic;
use crate::place::Places;

use super::exports;
use super::surroundings::Surroundings;

/// So many faults are more than anybody reads: what comes after them is not looked at.
const FAULTS_MAX: usize = 2_000;

/// Checks one definition.
pub(super) struct Checker<'a> {
    pub definition: &'a Definition,
    pub surroundings: &'a dyn Surroundings,
    pub places: Places<'a>,
    pub faults: Vec<Diagnostic>,
    /// How many tasks have exported so far.
    pub exports: usize,
    /// The keys that exports give, when every export is known to replace the context; `None` when one carries it on.
    pub exported: Option<BTreeSet<String>>,
    /// How many expressions have been repaired so far.
    pub repairs: usize,
}

impl<'a> Checker<'a> {
    pub fn new(definition: &'a Definition, surroundings: &'a dyn Surroundings) -> Self {
        Checker {
            definition,
            surroundings,
            places: Places::new(&definition.source),
            faults: Vec::new(),
            exports: 0,
            repairs: 0,
            exported: exports::keys(definition),
        }
    }

    /// Whether there are more faults already than will be told.
    pub fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }

    /// The names under `use.secrets`.
    pub fn declared_secrets(&self) -> Vec<&'a str> {
        let secrets = self.definition.reusables.secrets.iter();
        secrets.map(|name| name.value.as_str()).collect()
    }
}
