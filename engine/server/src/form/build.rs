//! From a JSON Schema to fields: references inside the document, layout, widgets, choices.
//!
//! Only what the keywords say is read here; a schema that says something else than these widgets can
//! ask (a union, a tuple) becomes a field that is shown and not typed.

use serde_json::{Map, Value as Json};

use super::field::{Choice, Field, Form, Kind, Mask, Section, title_of};
use crate::language::Title;

/// How deep a form may nest before its rest is shown as data.
const DEPTH_MAX: usize = 12;
/// The most rows of a table when its schema sets no limit.
const ROWS_MAX: usize = 500;

/// Where the values to choose come from; looked up beforehand, so that building stays pure.
pub trait Offers {
    /// The entries of a code list (`x-code`), `None` when there is no such list.
    fn code(&self, list: &str) -> Option<Vec<Choice>>;
    /// The values found for the `x-choose` of the field at a schema path.
    fn chosen(&self, path: &str) -> Option<Vec<Choice>>;
    /// The units of a level, or all of them.
    fn units(&self, level: Option<&str>) -> Vec<Choice>;
    /// A text of the pack (`x-text`), as HTML.
    fn text(&self, _reference: &str) -> Option<String> {
        None
    }
}

/// A field whose values come from a register and have to be looked up before the form is built.
#[derive(Debug, Clone, PartialEq)]
pub struct WantedChoice {
    /// The field's schema path.
    pub path: String,
    /// The value of `x-choose`.
    pub choose: Json,
}

/// Lists the fields of a schema that want a lookup.
pub fn wanted_choices(schema: &Json) -> Vec<WantedChoice> {
    fn walk(root: &Json, schema: &Json, path: &str, depth: usize, found: &mut Vec<WantedChoice>) {
        if depth > DEPTH_MAX {
            return;
        }
        let schema = resolved(root, schema);
        if let Some(choose) = schema.get("x-choose") {
            found.push(WantedChoice {
                path: path.to_owned(),
                choose: choose.clone(),
            });
        }
        if let Some(items) = schema.get("items") {
            walk(root, items, path, depth + 1, found);
        }
        for (name, property) in properties(&schema) {
            walk(root, property, &joined(path, name), depth + 1, found);
        }
    }
    let mut found = Vec::new();
    walk(schema, schema, "", 0, &mut found);
    found
}

/// Builds the fields of a schema.
pub fn build(schema: &Json, offers: &dyn Offers) -> Form {
    let root = resolved(schema, schema);
    let builder = Builder {
        root: schema,
        offers,
    };
    let fields = builder.fields(&root, "", 0);
    Form {
        title: title_of(&root, ""),
        sections: sections(&root, fields),
    }
}

struct Builder<'a> {
    root: &'a Json,
    offers: &'a dyn Offers,
}

impl Builder<'_> {
    fn fields(&self, schema: &Json, path: &str, depth: usize) -> Vec<Field> {
        let required = names(schema.get("required"));
        properties(schema)
            .map(|(name, property)| {
                self.field(
                    name,
                    property,
                    &joined(path, name),
                    required.contains(&name),
                    depth,
                )
            })
            .collect()
    }

    fn field(&self, name: &str, schema: &Json, path: &str, required: bool, depth: usize) -> Field {
        let schema = resolved(self.root, schema);
        Field {
            name: name.to_owned(),
            path: path.to_owned(),
            title: title_of(&schema, name),
            help: help_of(&schema),
            text: schema
                .get("x-text")
                .and_then(Json::as_str)
                .and_then(|reference| self.offers.text(reference)),
            required,
            read_only: schema.get("readOnly") == Some(&Json::Bool(true)),
            mask: schema
                .get("x-mask")
                .and_then(Json::as_str)
                .map(Mask::from_keyword),
            default: schema.get("default").cloned(),
            kind: self.kind(&schema, path, depth),
        }
    }

    fn kind(&self, schema: &Json, path: &str, depth: usize) -> Kind {
        if depth >= DEPTH_MAX {
            return Kind::Data;
        }
        if let Some(fixed) = schema.get("const") {
            return Kind::Agree(fixed.clone());
        }
        match kind_word(schema) {
            "object" => match self.fields(schema, path, depth + 1) {
                fields if fields.is_empty() => Kind::Data,
                fields => Kind::Group(fields),
            },
            "array" => self.list(schema, path, depth),
            "boolean" => Kind::Tick,
            "integer" | "number" if self.choices(schema, path).is_none() => Kind::Number {
                whole: kind_word(schema) == "integer",
            },
            "string" | "integer" | "number" => self.text(schema, path),
            _ => Kind::Data,
        }
    }

    fn text(&self, schema: &Json, path: &str) -> Kind {
        if let Some(choices) = self.choices(schema, path) {
            return Kind::Choice(choices);
        }
        match (widget(schema), schema.get("format").and_then(Json::as_str)) {
            ("signature", _) => Kind::Signature,
            (_, Some("date")) => Kind::Date,
            (word, _) => Kind::Text {
                lines: word == "textarea",
                max: schema.get("maxLength").and_then(Json::as_u64),
                code: schema.get("pattern").is_some() || schema.get("x-check").is_some(),
            },
        }
    }

    fn list(&self, schema: &Json, path: &str, depth: usize) -> Kind {
        let Some(items) = schema.get("items") else {
            return Kind::Data;
        };
        let items = resolved(self.root, items);
        match kind_word(&items) {
            "object" => Kind::Table {
                columns: self.fields(&items, path, depth + 1),
                most: schema
                    .get("maxItems")
                    .and_then(Json::as_u64)
                    .map_or(ROWS_MAX, |most| (most as usize).min(ROWS_MAX)),
            },
            "string" | "integer" => {
                let choices = self
                    .choices(schema, path)
                    .or_else(|| self.choices(&items, path));
                match choices {
                    Some(choices) => Kind::Several(choices),
                    None => Kind::Lines {
                        whole_numbers: kind_word(&items) == "integer",
                        files: widget(schema) == "files",
                    },
                }
            }
            _ => Kind::Data,
        }
    }

    fn choices(&self, schema: &Json, path: &str) -> Option<Vec<Choice>> {
        if let Some(list) = schema.get("x-code").and_then(Json::as_str) {
            let mut choices = self.offers.code(list)?;
            // A field that takes some of a list's codes offers these.
            if let Some(some) = schema.get("enum").and_then(Json::as_array) {
                choices.retain(|choice| some.contains(&choice.value));
            }
            return Some(choices);
        }
        if schema.get("x-choose").is_some() {
            return self.offers.chosen(path);
        }
        if widget(schema) == "unit" {
            return Some(
                self.offers
                    .units(schema.get("x-level").and_then(Json::as_str)),
            );
        }
        let values = schema.get("enum").and_then(Json::as_array)?;
        let choices = values.iter().filter(|value| !value.is_null()).map(|value| {
            let label = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            Choice {
                value: value.clone(),
                label,
            }
        });
        Some(choices.collect())
    }
}

fn widget(schema: &Json) -> &str {
    schema
        .get("x-widget")
        .and_then(Json::as_str)
        .unwrap_or_default()
}

/// The kind of value, by `type` (a list with `null` in it counts as its other member) or by shape.
fn kind_word(schema: &Json) -> &str {
    match schema.get("type") {
        Some(Json::String(word)) => word,
        Some(Json::Array(words)) => {
            let mut real = words
                .iter()
                .filter_map(Json::as_str)
                .filter(|word| *word != "null");
            match (real.next(), real.next()) {
                (Some(word), None) => word,
                _ => "",
            }
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ if schema.get("enum").is_some() || schema.get("x-code").is_some() => "string",
        _ => "",
    }
}

fn help_of(schema: &Json) -> Option<Title> {
    match schema.get("x-help") {
        Some(Json::String(text)) => Some(Title {
            own: text.clone(),
            english: english_help(schema),
        }),
        Some(Json::Object(texts)) => {
            let own = texts
                .get("zh-CN")
                .or_else(|| texts.get("zh"))
                .and_then(Json::as_str)?;
            Some(Title {
                own: own.to_owned(),
                english: texts.get("en").and_then(Json::as_str).map(str::to_owned),
            })
        }
        _ => schema
            .get("description")
            .and_then(Json::as_str)
            .map(Title::plain),
    }
}

fn english_help(schema: &Json) -> Option<String> {
    schema
        .get("x-help-en")
        .and_then(Json::as_str)
        .map(str::to_owned)
}

fn properties(schema: &Json) -> impl Iterator<Item = (&str, &Json)> {
    schema
        .get("properties")
        .and_then(Json::as_object)
        .into_iter()
        .flat_map(|map| map.iter().map(|(name, property)| (name.as_str(), property)))
}

fn names(list: Option<&Json>) -> Vec<&str> {
    list.and_then(Json::as_array)
        .map(|names| names.iter().filter_map(Json::as_str).collect())
        .unwrap_or_default()
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Follows a reference inside the document and lays the keywords beside it over what it names:
/// `properties` and `required` add up, everything else replaces.
fn resolved(root: &Json, schema: &Json) -> Json {
    let mut layers = vec![schema];
    let mut at = schema;
    while let Some(reference) = at.get("$ref").and_then(Json::as_str) {
        let Some(target) = reference
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer))
        else {
            break;
        };
        if layers.len() > DEPTH_MAX {
            break;
        }
        layers.push(target);
        at = target;
    }
    if layers.len() == 1 {
        return schema.clone();
    }
    let mut merged = Map::new();
    for layer in layers.into_iter().rev().filter_map(Json::as_object) {
        for (keyword, value) in layer.iter().filter(|(keyword, _)| *keyword != "$ref") {
            match (keyword.as_str(), merged.get_mut(keyword), value) {
                ("properties", Some(Json::Object(kept)), Json::Object(more)) => {
                    kept.extend(more.clone())
                }
                ("required", Some(Json::Array(kept)), Json::Array(more)) => {
                    kept.extend(more.iter().cloned())
                }
                _ => {
                    merged.insert(keyword.clone(), value.clone());
                }
            }
        }
    }
    Json::Object(merged)
}

/// Groups the top-level fields by `x-layout` or `x-pages`; fields that neither names come last.
fn sections(schema: &Json, mut fields: Vec<Field>) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut take = |names: Vec<&str>, title: Option<Title>| {
        let mut taken = Vec::new();
        for name in names {
            if let Some(at) = fields.iter().position(|field| field.name == name) {
                taken.push(fields.remove(at));
            }
        }
        if !taken.is_empty() {
            sections.push(Section {
                title,
                fields: taken,
            });
        }
    };
    for part in schema
        .get("x-layout")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        let title = part.get("group").and_then(Json::as_str).map(|own| Title {
            own: own.to_owned(),
            english: part
                .get("x-en")
                .or_else(|| part.get("en"))
                .and_then(Json::as_str)
                .map(str::to_owned),
        });
        take(names(part.get("fields")), title);
    }
    for page in schema
        .get("x-pages")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        take(names(Some(page)), None);
    }
    if !fields.is_empty() {
        sections.push(Section {
            title: None,
            fields,
        });
    }
    sections
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
