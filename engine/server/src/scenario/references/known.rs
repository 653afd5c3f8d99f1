//! What a workflow has that scenarios name: steps, outcomes, fields of forms, search fields.

use std::collections::BTreeMap;

use tongban_dsl::definition::{SchemaSource, TaskKind, Template};
use tongban_expr::{Segment, Value, segments};
use tongban_runtime::pack::{Library, Pack};

use crate::scenario::steps::{outcomes, timeout, walk};

/// What a workflow has.
#[derive(Default)]
pub struct Known {
    /// The paths of its steps.
    pub steps: Vec<String>,
    /// The outcomes that people may give, by step, where the document says them.
    pub outcomes: BTreeMap<String, Vec<String>>,
    /// The schema of what starts it.
    pub start: Option<Value>,
    /// The schemas of the forms of its steps.
    forms: Vec<Value>,
    /// Whether some form is known only to the case.
    any_form: bool,
    /// Its search fields.
    pub search: Vec<String>,
}

impl Known {
    /// What a workflow of the packs has; `None` when there is no such workflow.
    pub fn of(reference: &str, library: &Library) -> Option<Known> {
        let (pack, workflow) = library.workflow(reference)?;
        let definition = &workflow.definition;
        let mut known = Known::default();
        if let Some(schema) = definition
            .input
            .as_ref()
            .and_then(|input| input.schema.as_ref())
        {
            known.start = match &schema.source {
                SchemaSource::Form(path) => form(&path.value, pack, library),
                SchemaSource::Document(schema) => Some(schema.value.clone()),
                SchemaSource::Resource(resource) => resource
                    .pack_path()
                    .and_then(|path| form(path, pack, library)),
            };
        }
        if let Some(case) = &definition.document.metadata.case {
            known.search = case
                .search
                .iter()
                .map(|entry| entry.key.to_string())
                .collect();
        }
        walk(&definition.tasks, "", definition, 0, &mut |path, task| {
            known.steps.push(path.to_string());
            if let Some(mut given) = outcomes(task) {
                given.extend(timeout(task).map(str::to_string));
                known.outcomes.insert(path.to_string(), given);
            }
            if let TaskKind::Call(call) = &task.kind {
                let written = call.with.as_ref().and_then(|with| with.get("form"));
                match written.map(|written| written.as_str()) {
                    None => {}
                    Some(Some(path)) => match form(path, pack, library) {
                        Some(schema) => known.forms.push(schema),
                        None => known.any_form = true,
                    },
                    Some(None) => match written.map(Template::constant) {
                        Some(Some(schema)) => known.forms.push(schema.clone()),
                        _ => known.any_form = true,
                    },
                }
            }
        });
        Some(known)
    }

    /// The part of a field's path that no form of the workflow has, with what stands there.
    pub fn lacks_field(&self, path: &str) -> Option<Lack> {
        if self.any_form {
            return None;
        }
        let mut nearest = None;
        for schema in self.start.iter().chain(&self.forms) {
            let lack = lacks(schema, path)?;
            if nearest
                .as_ref()
                .is_none_or(|other: &Lack| lack.at > other.at)
            {
                nearest = Some(lack);
            }
        }
        nearest
    }
}

/// A part of a path that a schema does not have.
pub struct Lack {
    /// How many parts before it are there.
    at: usize,
    /// The part.
    pub name: String,
    /// What could stand there.
    pub known: Vec<String>,
}

/// The part of a path that a schema does not have; `None` when it has all of it, or does not say.
pub fn lacks(schema: &Value, path: &str) -> Option<Lack> {
    let mut here = schema;
    for (at, segment) in segments(path).ok()?.into_iter().enumerate() {
        let open = ["$ref", "allOf", "anyOf", "oneOf", "patternProperties"];
        if open.iter().any(|key| here.get(key).is_some()) {
            return None;
        }
        here = match segment {
            Segment::Index(_) => here.get("items")?,
            Segment::Key(name) => {
                let properties = here.get("properties")?;
                match properties.get(&name) {
                    Some(property) => property,
                    None => match here.get("additionalProperties") {
                        None | Some(Value::Bool(false)) => {
                            let known = properties.entries().map(|(name, _)| name.to_string());
                            return Some(Lack {
                                at,
                                name,
                                known: known.collect(),
                            });
                        }
                        Some(_) => return None,
                    },
                }
            }
        };
    }
    None
}

/// Numbers where the schema wants texts: digits that were not put in quotes. Each with its pointer.
pub fn numbers_for_texts(
    schema: &Value,
    value: &Value,
    pointer: &str,
    found: &mut Vec<(String, String)>,
) {
    match value {
        Value::Int(_) | Value::Float(_) if schema.text("type") == Some("string") => {
            found.push((pointer.to_string(), value.to_json()));
        }
        Value::Arr(_) => {
            let Some(items) = schema.get("items") else {
                return;
            };
            for (at, item) in value.items().enumerate() {
                numbers_for_texts(items, item, &format!("{pointer}/{at}"), found);
            }
        }
        _ => {
            for (name, inner) in value.entries() {
                let property = schema.get("properties").and_then(|all| all.get(name));
                if let Some(property) = property {
                    numbers_for_texts(property, inner, &super::below(pointer, name), found);
                }
            }
        }
    }
}

fn form(path: &str, pack: &Pack, library: &Library) -> Option<Value> {
    if let Some(form) = pack.forms.get(path) {
        return Some(form.clone());
    }
    let (other, inside) = path.split_once('/')?;
    library.pack(other)?.forms.get(inside).cloned()
}
