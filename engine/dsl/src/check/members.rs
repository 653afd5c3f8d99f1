//! Units, posts, groups and people that selectors name, held against the organisation where one is known.

use crate::definition::{Template, TemplateKind};

use super::checker::Checker;
use super::surroundings::Reference;

/// The properties of a selector that name members of the organisation.
const NAMING: &[(&str, Reference)] = &[
    ("unit", Reference::Unit),
    ("head", Reference::Unit),
    ("members", Reference::Unit),
    ("post", Reference::Post),
    ("user", Reference::Person),
    ("group", Reference::Group),
];

impl Checker<'_> {
    /// Everybody whom the arguments of a function of people name.
    pub(super) fn member_references(&mut self, with: &Template) {
        for name in ["to", "cc", "except", "empty"] {
            if let Some(selectors) = with.get(name) {
                self.members(selectors);
            }
        }
        for name in ["remind", "escalate"] {
            if let Some(rungs) = with.get(name) {
                self.rung_members(rungs);
            }
        }
    }

    /// Whom the rungs of a clock tell, and to whom they hand over.
    pub(super) fn rung_members(&mut self, rungs: &Template) {
        for rung in rungs.items() {
            for name in ["to", "transfer"] {
                if let Some(selectors) = rung.get(name) {
                    self.members(selectors);
                }
            }
        }
    }

    /// One selector or a list of them.
    pub(super) fn members(&mut self, selectors: &Template) {
        for selector in selectors.items() {
            self.members(selector);
        }
        for (property, kind) in NAMING {
            if let Some(named) = selectors.get(property) {
                self.member(*kind, named);
            }
        }
        if let Some(from) = selectors.get("chain").and_then(|chain| chain.get("from")) {
            self.member(Reference::Unit, from);
        }
    }

    fn member(&mut self, kind: Reference, named: &Template) {
        if matches!(named.kind, TemplateKind::List(_)) {
            for one in named.items() {
                self.member(kind, one);
            }
        } else if let Some(id) = named.as_str() {
            self.reference(kind, id, named.span);
        }
    }
}
