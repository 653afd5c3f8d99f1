//! Fields by name: those of a step of people in the form that it asks for, those of records in their register.

use tongban_expr::Value;

use crate::codes;
use crate::definition::{Call, Entry, SchemaSource, Template};
use crate::diagnostic::Diagnostic;
use crate::shape;
use crate::suggest;

use super::checker::Checker;

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

impl Checker<'_> {
    /// The records of `register.put` and the `change` of `register.amend`, as far as they are written literally.
    pub(super) fn record_fields(&mut self, function: &str, with: &Template) {
        let Some(register) = with.get("register").and_then(Template::as_str) else {
            return;
        };
        let records: Vec<&Template> = match function {
            "register.put" => {
                let given = with.get("records").map(Template::items);
                given.unwrap_or_default().iter().collect()
            }
            "register.amend" => with.get("change").into_iter().collect(),
            _ => return,
        };
        let Some(schema) = self.surroundings.record(register) else {
            return;
        };
        let Some(properties) = listed(&schema) else {
            return;
        };
        for record in records {
            let entries = record.entries();
            for (at, entry) in entries.iter().enumerate() {
                let first = entry.key.split(['.', '[']).next().unwrap_or(&entry.key);
                if properties.get(first).is_none() {
                    let help = shape::behind_comma(entries, at);
                    self.faults
                        .push(no_record_field(register, entry, properties, help));
                }
            }
        }
    }

    /// `steps.NAME.data.FIELD`, when the step asks for a form of its own that is known.
    pub(super) fn answered_field(&self, call: &Call, field: &str) -> Option<(String, String)> {
        let form = call.with.as_ref()?.get("form")?.as_str()?;
        let schema = self.surroundings.form(form)?;
        // Of a form that is put together of parts, only a slip is certain.
        let properties = schema.get("properties")?;
        if properties.get(field).is_some() {
            return None;
        }
        let known: Vec<&str> = properties
            .entries()
            .map(|(name, _)| name.as_str())
            .collect();
        let near = titled(properties, field)
            .or_else(|| suggest::nearest(field, known.iter().copied()))
            .map(|near| format!("did you mean `{near}`?"));
        let help = match (near, listed(&schema)) {
            (Some(near), _) => near,
            (None, Some(_)) => format!("its fields are {}", suggest::all(&known)),
            (None, None) => return None,
        };
        Some((format!("the form `{form}` has no field `{field}`"), help))
    }
}

/// A field that the records of a register do not have.
fn no_record_field(
    register: &str,
    entry: &Entry,
    properties: &Value,
    help: Option<String>,
) -> Diagnostic {
    let known: Vec<&str> = properties
        .entries()
        .map(|(name, _)| name.as_str())
        .collect();
    let help = help
        .or_else(|| {
            titled(properties, &entry.key)
                .or_else(|| suggest::nearest(&entry.key, known.iter().copied()))
                .map(|near| format!("did you mean `{near}`?"))
        })
        .unwrap_or_else(|| format!("its fields are {}", suggest::all(&known)));
    Diagnostic::warning(
        codes::UNKNOWN_FIELD,
        entry.key_span,
        format!("the register `{register}` has no field `{}`", entry.key),
    )
    .help(help)
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
