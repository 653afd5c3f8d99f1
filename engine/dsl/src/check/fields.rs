//! `fields` of a step of people: that the form which it asks for has them.

use tongban_expr::Value;

use crate::codes;
use crate::definition::{SchemaSource, Template};
use crate::diagnostic::Diagnostic;
use crate::suggest;

use super::walk::Checker;

/// Words of a schema behind which more fields may stand than are listed.
const OPEN: &[&str] = &[
    "allOf",
    "anyOf",
    "oneOf",
    "$ref",
    "patternProperties",
    "additionalProperties",
];

/// The fields that a schema lists, when these are all that there are.
pub(super) fn listed(schema: &Value) -> Option<&Value> {
    let open = OPEN.iter().any(|word| {
        schema
            .get(word)
            .is_some_and(|value| value.as_bool() != Some(false))
    });
    schema.get("properties").filter(|_| !open)
}

impl Checker<'_> {
    /// The path of the form that a step of people shows: its own, or the case's.
    pub(super) fn shown_form<'t>(&'t self, with: &'t Template) -> Option<&'t str> {
        if let Some(own) = with.get("form") {
            return own.as_str();
        }
        let input = self.definition.input.as_ref()?;
        match &input.schema.as_ref()?.source {
            SchemaSource::Form(path) if input.from.is_none() => Some(path.value.as_str()),
            _ => None,
        }
    }

    /// `fields: { read, edit, hide, require }`.
    pub(super) fn field_rights(&mut self, with: &Template) {
        let Some(fields) = with.get("fields") else {
            return;
        };
        let Some(path) = self.shown_form(with).map(str::to_owned) else {
            return;
        };
        let Some(schema) = self.surroundings.form(&path) else {
            return;
        };
        for rights in fields.entries() {
            for named in rights.value.items() {
                let Some(text) = named.as_str() else { continue };
                if let Some(fault) = unknown(&schema, text, named, &path) {
                    self.faults.push(fault);
                }
            }
        }
    }
}

/// A path of which the form has no such part.
fn unknown(schema: &Value, text: &str, named: &Template, path: &str) -> Option<Diagnostic> {
    let plain: String = text
        .split('[')
        .enumerate()
        .map(|(at, part)| match part.split_once(']') {
            Some((_, rest)) if at > 0 => rest,
            _ => part,
        })
        .collect();
    let mut here = schema;
    let mut above = String::new();
    for part in plain.split('.').filter(|part| !part.is_empty()) {
        let properties = listed(here)?;
        let Some(next) = properties.get(part) else {
            let known: Vec<&str> = properties
                .entries()
                .map(|(name, _)| name.as_str())
                .collect();
            let whole = |near: &str| format!("did you mean `{above}{near}`?");
            let help = titled(properties, part)
                .or_else(|| suggest::nearest(part, known.iter().copied()))
                .map_or_else(|| format!("its fields are {}", suggest::all(&known)), whole);
            return Some(
                Diagnostic::error(
                    codes::UNKNOWN_FIELD,
                    named.span,
                    format!("the form `{path}` has no field `{text}`"),
                )
                .help(help),
            );
        };
        above = format!("{above}{part}.");
        here = next.get("items").unwrap_or(next);
    }
    None
}

/// The field whose title this is.
pub(super) fn titled<'v>(properties: &'v Value, title: &str) -> Option<&'v str> {
    properties
        .entries()
        .find(|(_, field)| field.text("title") == Some(title))
        .map(|(name, _)| name.as_str())
}
