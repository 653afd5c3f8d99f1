//! JSON Schemas that stand in a document: that they are ones, and fetch nothing.

use tongban_expr::Value;

use super::reader::{Reader, first_line, value};
use crate::codes;
use crate::definition::SchemaSource;
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};
use crate::span::Spanned;
use crate::vocabulary::schema_stranger;

impl Reader {
    pub(super) fn schema_document(&mut self, node: &Node) -> Option<SchemaSource> {
        if let [field] = node.fields()
            && &*field.key == "$ref"
            && let Some(path) = field.value.as_str()
            && !path.starts_with('#')
            && !is_remote(path)
        {
            return Some(SchemaSource::Form(Spanned::new(
                path.to_owned(),
                field.value.span,
            )));
        }
        if !matches!(node.kind, NodeKind::Map(_) | NodeKind::Bool(_)) {
            self.wrong_type(
                node,
                "the `document` of a schema",
                "a JSON Schema (an object)",
            );
            return None;
        }
        if let Some(remote) = remote_reference(node) {
            let target = remote.as_str().unwrap_or_default();
            self.report(
                Diagnostic::error(
                    codes::BAD_VALUE,
                    remote.span,
                    format!("`{target}` lies outside the pack and is never fetched"),
                )
                .help(
                    "copy the schema into `forms/` of the pack and write `$ref: forms/NAME.yaml`",
                ),
            );
            return None;
        }
        self.schema_strangers(node);
        let document = value(node);
        if let Some((pointer, message)) = schema_fault(&document) {
            let place = inside(node, &pointer).unwrap_or(node);
            self.report(
                Diagnostic::error(codes::BAD_VALUE, first_line(place.span), message)
                    .help("it follows JSON Schema 2020-12"),
            );
            return None;
        }
        Some(SchemaSource::Document(Spanned::new(document, node.span)))
    }

    /// Keys of a schema that are no keywords: a validator takes them without a word.
    fn schema_strangers(&mut self, schema: &Node) {
        for field in schema.fields() {
            let Some(help) = schema_stranger(&field.key, &[], field.value.is_null()) else {
                continue;
            };
            let message = format!(
                "`{}` is no keyword of JSON Schema: nothing reads it",
                field.key
            );
            self.report(
                Diagnostic::warning(codes::UNKNOWN_PROPERTY, field.key_span, message).help(help),
            );
        }
        for inner in schemas_below(schema) {
            self.schema_strangers(inner);
        }
    }
}

/// Keywords that hold schemas by name, one schema, or a list of them.
const BY_NAME: &[&str] = &["properties", "$defs", "patternProperties"];
const ONE: &[&str] = &[
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
];
const SEVERAL: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];

/// The schemas directly inside of one.
fn schemas_below(schema: &Node) -> impl Iterator<Item = &Node> {
    schema.fields().iter().flat_map(|field| {
        let held: Vec<&Node> = match (&*field.key, &field.value.kind) {
            (key, _) if ONE.contains(&key) => vec![&field.value],
            (key, NodeKind::List(items)) if SEVERAL.contains(&key) => {
                items.iter().map(|item| &**item).collect()
            }
            (key, NodeKind::Map(named)) if BY_NAME.contains(&key) => {
                named.iter().map(|field| &*field.value).collect()
            }
            _ => Vec::new(),
        };
        held
    })
}

/// The first reference that lies outside.
fn remote_reference(schema: &Node) -> Option<&Node> {
    let own = schema.get("$ref").map(|target| &**target);
    own.filter(|target| target.as_str().is_some_and(is_remote))
        .or_else(|| schemas_below(schema).find_map(remote_reference))
}

/// What stands at a JSON pointer.
fn inside<'n>(node: &'n Node, pointer: &str) -> Option<&'n Node> {
    pointer.split('/').skip(1).try_fold(node, |node, part| {
        let name = part.replace("~1", "/").replace("~0", "~");
        match &node.kind {
            NodeKind::List(items) => items.get(name.parse::<usize>().ok()?).map(|item| &**item),
            _ => node.get(&name).map(|inner| &**inner),
        }
    })
}

/// Where a value is no JSON Schema, and why.
fn schema_fault(document: &Value) -> Option<(String, String)> {
    let mut json: serde_json::Value = serde_json::from_str(&document.to_json()).ok()?;
    if let Err(error) = jsonschema::draft202012::meta::validate(&json) {
        let place = error.instance_path().to_string();
        let found = error.instance().to_string();
        let why = match place.rsplit('/').next() {
            Some("type") => format!(
                "{found} is no type; types are string, integer, number, boolean, array, object, null"
            ),
            Some("pattern") => format!(
                "`{}` is no regular expression, or one that grows too large",
                found.trim_matches('"')
            ),
            Some(keyword) if !place.is_empty() => format!("`{keyword}` cannot be {found}"),
            _ => error.to_string(),
        };
        let message = format!("this is no JSON Schema: {why}");
        return Some((place, message));
    }
    without_files(&mut json);
    let error = tongban_expr::schema::Schema::compile(&json, false).err()?;
    Some((String::new(), format!("this is no JSON Schema: {error}")))
}

/// References to files of the pack are taken out: the pack resolves them.
fn without_files(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Object(members) => {
            let target = members.get("$ref").and_then(|target| target.as_str());
            if target.is_some_and(|target| !target.starts_with('#')) {
                members.remove("$ref");
            }
            members.values_mut().for_each(without_files);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_files),
        _ => {}
    }
}

fn is_remote(target: &str) -> bool {
    target.contains("://") && !target.starts_with("pack://")
}
