//! Selectors: that each names people in one way, with what that way needs.

use crate::codes;
use crate::definition::{Template, TemplateKind};
use crate::diagnostic::Diagnostic;

use super::checker::Checker;
use super::surroundings::Reference;

/// The ways to name people.
const WAYS: &[&str] = &[
    "user", "role", "post", "head", "members", "group", "identity", "chain", "chosenBy", "late",
    "decided",
];
/// Modes of a vote that need a number.
const MEASURED: &[&str] = &["count", "share", "weight"];

impl Checker<'_> {
    /// Every selector in the arguments of a step of people.
    pub(super) fn selectors(&mut self, with: &Template) {
        for name in ["to", "cc", "except", "empty"] {
            for selector in with.get(name).map(Template::items).unwrap_or_default() {
                self.selector(selector);
            }
        }
        for name in ["remind", "escalate"] {
            for rung in with.get(name).map(Template::items).unwrap_or_default() {
                for selector in rung.get("to").map(Template::items).unwrap_or_default() {
                    self.selector(selector);
                }
            }
        }
        for entry in with
            .get("reasons")
            .map(Template::entries)
            .unwrap_or_default()
        {
            if let Some(list) = entry.value.as_str() {
                self.reference(Reference::Code, list, entry.value.span);
            }
        }
    }

    fn selector(&mut self, selector: &Template) {
        if !matches!(selector.kind, TemplateKind::Object(_)) {
            return;
        }
        let mut ways = selector
            .entries()
            .iter()
            .filter(|entry| WAYS.contains(&&*entry.key));
        let (first, second) = (ways.next(), ways.next());
        let unit = selector.entry("unit");
        let fault = match (first, second, unit) {
            (Some(first), Some(second), _) => Some(
                Diagnostic::error(
                    codes::BAD_SELECTOR,
                    second.key_span,
                    format!("one selector names people by `{}` or by `{}`, not by both", first.key, second.key),
                )
                .help(format!(
                    "make two of it: `{{ {}: … }}, {{ {}: … }}`",
                    first.key, second.key
                )),
            ),
            (Some(way), None, None) if &*way.key == "post" => Some(
                Diagnostic::error(
                    codes::BAD_SELECTOR,
                    way.key_span,
                    "a post is a post of a unit",
                )
                .help("write `{ post: …, unit: '${ workflow.starter.unit }' }`"),
            ),
            (Some(way), None, Some(unit)) if !matches!(&*way.key, "role" | "post") => Some(
                Diagnostic::error(
                    codes::BAD_SELECTOR,
                    unit.key_span,
                    format!("`unit` narrows a role or a post, `{}` stands alone", way.key),
                )
                .help(match &*way.key {
                    "head" | "members" => format!("the unit itself is the value: `{{ {}: UNIT }}`", way.key),
                    other => format!("write `{{ {other}: … }}`"),
                }),
            ),
            (None, None, None) if !selector.entries().is_empty() => Some(
                Diagnostic::error(
                    codes::BAD_SELECTOR,
                    selector.span,
                    "this selector names nobody",
                )
                .help("write one of `{ role: …, unit: … }`, `{ user: … }`, `{ head: UNIT }`, `{ members: UNIT }`, `{ group: … }`"),
            ),
            _ => None,
        };
        self.faults.extend(fault);
        if let Some(chain) = selector.get("chain") {
            self.chain(chain);
        }
    }

    /// `{ chain: { from, until, role } }`.
    fn chain(&mut self, chain: &Template) {
        if matches!(chain.kind, TemplateKind::Object(_)) && chain.get("from").is_none() {
            self.faults.push(
                Diagnostic::error(
                    codes::BAD_SELECTOR,
                    chain.span,
                    "a chain of heads needs the unit where it begins",
                )
                .help("write `chain: { from: '${ workflow.starter.unit }' }`"),
            );
        }
    }

    /// `mode: share` without `pass: { share }`.
    pub(super) fn vote(&mut self, with: &Template) {
        let Some((mode, name)) = with
            .get("mode")
            .and_then(|mode| mode.as_str().map(|name| (mode, name)))
            .filter(|(_, name)| MEASURED.contains(name))
        else {
            return;
        };
        let pass = with.get("pass");
        if pass.is_some_and(|pass| pass.entries().is_empty() || pass.get(name).is_some()) {
            return;
        }
        let example = if name == "share" { 60 } else { 2 };
        let place = pass.map_or(mode.span, |pass| pass.span);
        self.faults.push(
            Diagnostic::error(
                codes::UNDECIDED_SHARE,
                place,
                format!("a vote by {name} needs to know how much is enough"),
            )
            .help(format!(
                "write `pass: {{ {name}: {example} }}`{}",
                if name == "share" { ", in percent" } else { "" }
            )),
        );
    }
}
