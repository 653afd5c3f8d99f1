//! A static value held against a JSON Schema, place by place.
//!
//! A template is known only in part before it runs: an expression fits everywhere, a text with an
//! expression inside fits where a text fits. What is written literally must fit now.

mod literal;
mod strangers;
mod words;

use literal::{WRONG_KIND, counted, literal};
pub(crate) use strangers::behind_comma;
use tongban_expr::Value;
pub(crate) use words::due_meant;
use words::{Place, added, kind_name, type_name, wrap_help};

use crate::codes::{self, Code};
use crate::definition::{Entry, Template, TemplateKind};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::suggest;
use crate::width;

/// Reports where `template` does not fit `schema`; `function` is what is called.
pub(crate) fn check(
    template: &Template,
    schema: &Value,
    function: &str,
    faults: &mut Vec<Diagnostic>,
) {
    let shape = Shape {
        root: schema,
        function,
        file: false,
    };
    shape.fit(
        template,
        schema,
        &Place {
            name: format!("`{function}`"),
            top: true,
        },
        faults,
        0,
    );
}

/// The same for a file of data: `file` is what it is called, `code` the code of all of its faults.
pub(crate) fn check_file(
    template: &Template,
    schema: &Value,
    file: &str,
    code: Code,
    faults: &mut Vec<Diagnostic>,
) {
    let shape = Shape {
        root: schema,
        function: file,
        file: true,
    };
    let place = Place {
        name: file.to_owned(),
        top: false,
    };
    let mut found = Vec::new();
    shape.fit(template, schema, &place, &mut found, 0);
    faults.extend(found.into_iter().map(|fault| Diagnostic { code, ..fault }));
}

struct Shape<'a> {
    root: &'a Value,
    function: &'a str,
    /// Whether it is a file of data, where keys of one's own begin with `x-`.
    file: bool,
}

/// References of a schema deeper than this are not followed.
const DEPTH: usize = 40;

impl<'a> Shape<'a> {
    fn fit(
        &self,
        template: &Template,
        schema: &'a Value,
        place: &Place,
        faults: &mut Vec<Diagnostic>,
        depth: usize,
    ) {
        if depth > DEPTH || matches!(template.kind, TemplateKind::Expression(_)) {
            return;
        }
        if schema.as_bool() == Some(false) {
            faults.push(
                Diagnostic::error(
                    codes::BAD_ARGUMENT,
                    template.span,
                    format!("{} is not allowed here", place.name),
                )
                .help("take it out"),
            );
            return;
        }
        if let Some(target) = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| self.target(path))
        {
            self.fit(template, target, place, faults, depth + 1);
        }
        for all in schema.get("allOf").map(Value::items).into_iter().flatten() {
            self.fit(template, all, place, faults, depth + 1);
        }
        let alternatives = schema.get("oneOf").or_else(|| schema.get("anyOf"));
        if let Some(alternatives) = alternatives.and_then(Value::as_list) {
            let example = schema.text("x-example");
            self.fit_one(template, alternatives, example, place, faults, depth + 1);
        }
        if !self.typed(template, schema, place, faults) {
            return;
        }
        match &template.kind {
            TemplateKind::Object(entries) => {
                self.object(template.span, entries, schema, place, faults, depth)
            }
            TemplateKind::List(items) => {
                self.list(template.span, items, schema, place, faults, depth)
            }
            TemplateKind::Literal(value) => literal(value, template.span, schema, place, faults),
            _ => {}
        }
    }

    fn target(&self, path: &str) -> Option<&'a Value> {
        let name = path.strip_prefix("#/$defs/")?;
        self.root.get("$defs")?.get(name)
    }

    /// One of the alternatives must fit; otherwise the nearest one speaks.
    fn fit_one(
        &self,
        template: &Template,
        alternatives: &'a [Value],
        example: Option<&str>,
        place: &Place,
        faults: &mut Vec<Diagnostic>,
        depth: usize,
    ) {
        let mut nearest: Option<(usize, Vec<Diagnostic>)> = None;
        for alternative in alternatives {
            let mut found = Vec::new();
            self.fit(template, alternative, place, &mut found, depth);
            if found.is_empty() {
                return;
            }
            let distance = self.distance(template, alternative, found.len());
            if nearest.as_ref().is_none_or(|(best, _)| distance < *best) {
                nearest = Some((distance, found));
            }
        }
        let Some((distance, found)) = nearest else {
            return;
        };
        let types: Vec<String> = alternatives
            .iter()
            .flat_map(|alternative| self.kinds(alternative))
            .collect();
        if distance >= WRONG_KIND && !types.is_empty() {
            let mut words: Vec<&str> = Vec::new();
            for word in &types {
                if !words.contains(&word.as_str()) {
                    words.push(word);
                }
            }
            faults.push(
                Diagnostic::error(
                    codes::BAD_ARGUMENT,
                    template.span,
                    format!(
                        "{} must be {}, found {}",
                        place.name,
                        words.join(" or "),
                        kind_name(template)
                    ),
                )
                .help_if(wrap_help(template, &words, example)),
            );
        } else {
            faults.extend(found);
        }
    }

    /// How far a value is from an alternative: another type is farthest, then missing and unknown keys.
    fn distance(&self, template: &Template, schema: &'a Value, faults: usize) -> usize {
        let schema = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| self.target(path))
            .unwrap_or(schema);
        let mut probe = Vec::new();
        let place = Place {
            name: String::new(),
            top: false,
        };
        if !self.typed(template, schema, &place, &mut probe) {
            return WRONG_KIND + faults;
        }
        let known = |entry: &Entry| {
            schema
                .get("properties")
                .is_some_and(|properties| properties.get(&entry.key).is_some())
        };
        let strangers = template
            .entries()
            .iter()
            .filter(|entry| !known(entry))
            .count();
        strangers * 10 + faults
    }

    /// The words for the types that a schema allows.
    fn kinds(&self, schema: &'a Value) -> Vec<String> {
        let schema = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| self.target(path))
            .unwrap_or(schema);
        if let Some(constant) = schema.get("const").and_then(Value::as_str) {
            return vec![format!("`{constant}`")];
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_list) {
            return choices
                .iter()
                .filter_map(Value::as_str)
                .map(|word| format!("`{word}`"))
                .collect();
        }
        match schema.get("type").and_then(Value::as_str) {
            Some(kind) => vec![type_name(kind).to_owned()],
            None => {
                let nested = schema
                    .get("oneOf")
                    .or_else(|| schema.get("anyOf"))
                    .and_then(Value::as_list);
                nested
                    .unwrap_or_default()
                    .iter()
                    .flat_map(|inner| self.kinds(inner))
                    .collect()
            }
        }
    }

    /// Whether the value is of a type that the schema allows.
    fn typed(
        &self,
        template: &Template,
        schema: &Value,
        place: &Place,
        faults: &mut Vec<Diagnostic>,
    ) -> bool {
        let allowed: Vec<&str> = match schema.get("type") {
            Some(Value::Str(kind)) => vec![kind.as_str()],
            Some(kinds) => kinds.items().filter_map(Value::as_str).collect(),
            None => return true,
        };
        let fits = allowed.iter().any(|kind| match (&template.kind, *kind) {
            (TemplateKind::Expression(_), _)
            | (TemplateKind::Text(_), "string")
            | (TemplateKind::List(_), "array")
            | (TemplateKind::Object(_), "object") => true,
            (TemplateKind::Literal(value), kind) => match value {
                Value::Null => kind == "null",
                Value::Bool(_) => kind == "boolean",
                Value::Int(_) => kind == "integer" || kind == "number",
                Value::Float(number) => {
                    kind == "number" || kind == "integer" && number.fract() == 0.0
                }
                Value::Str(_) => kind == "string",
                Value::Arr(_) => kind == "array",
                Value::Obj(_) => kind == "object",
            },
            _ => false,
        });
        if !fits {
            let words: Vec<&str> = allowed.iter().map(|kind| type_name(kind)).collect();
            let choices = schema.get("enum").into_iter().flat_map(Value::items);
            let choices: Vec<&str> = choices.filter_map(Value::as_str).collect();
            let help = if choices.is_empty() {
                wrap_help(template, &words, schema.text("x-example"))
            } else {
                Some(format!("write {}", suggest::list(&choices)))
            };
            faults.push(
                Diagnostic::error(
                    codes::BAD_ARGUMENT,
                    template.span,
                    format!(
                        "{} must be {}, found {}",
                        place.name,
                        words.join(" or "),
                        kind_name(template)
                    ),
                )
                .help_if(help),
            );
        }
        fits
    }

    fn object(
        &self,
        span: Span,
        entries: &[Entry],
        schema: &'a Value,
        place: &Place,
        faults: &mut Vec<Diagnostic>,
        depth: usize,
    ) {
        let properties = schema.get("properties");
        for (at, entry) in entries.iter().enumerate() {
            let known = properties.and_then(|properties| properties.get(&entry.key));
            match (known, schema.get("additionalProperties")) {
                (Some(inner), _) | (None, Some(inner @ Value::Obj(_))) => {
                    let root = place.top || self.file && place.name == self.function;
                    let name = if root {
                        format!("`{}`", entry.key)
                    } else {
                        format!("`{}` of {}", entry.key, place.name)
                    };
                    self.fit(
                        &entry.value,
                        inner,
                        &Place { name, top: false },
                        faults,
                        depth + 1,
                    );
                }
                (None, Some(Value::Bool(false))) if self.file && entry.key.starts_with("x-") => {}
                (None, Some(Value::Bool(false))) => {
                    let fault = self.unknown(entry, properties, place);
                    faults.push(match strangers::behind_comma(entries, at) {
                        Some(help) => fault.help(help),
                        None => fault,
                    });
                }
                (None, _) => {}
            }
        }
        self.missing(span, entries, schema, place, faults);
        counted(span, entries.len(), schema, place, faults);
    }

    /// Properties that must be there.
    fn missing(
        &self,
        span: Span,
        entries: &[Entry],
        schema: &Value,
        place: &Place,
        faults: &mut Vec<Diagnostic>,
    ) {
        let properties = schema.get("properties");
        // A misspelt property is reported as such, where others are not taken; "missing" beside it would only be noise.
        let closed = matches!(schema.get("additionalProperties"), Some(Value::Bool(false)));
        let misspelt = |name: &str| {
            if !closed {
                return false;
            }
            let known = |entry: &Entry| {
                properties.is_some_and(|properties| properties.get(&entry.key).is_some())
            };
            let mut strangers = entries.iter().filter(|entry| !known(entry));
            strangers.any(|entry| strangers::means(&entry.key, name))
        };
        let missing = schema
            .get("required")
            .map(Value::items)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for name in missing
            .filter(|name| entries.iter().all(|entry| &*entry.key != *name) && !misspelt(name))
        {
            let (code, message) = if place.top {
                (
                    codes::MISSING_ARGUMENT,
                    format!("`{}` needs the argument `{name}`", self.function),
                )
            } else {
                (
                    codes::MISSING_PROPERTY,
                    format!("{} needs `{name}`", place.name),
                )
            };
            faults.push(
                Diagnostic::error(code, crate::parse::first_line(span), message)
                    .help(format!("add `{}`", added(name))),
            );
        }
    }

    fn unknown(&self, entry: &Entry, properties: Option<&Value>, place: &Place) -> Diagnostic {
        let known: Vec<&str> = properties
            .map(|known| known.entries().map(|(name, _)| name.as_str()).collect())
            .unwrap_or_default();
        if let Some(fault) = width::key(&entry.key, entry.key_span, &known) {
            return fault;
        }
        if place.top
            && !self.file
            && let Some(fault) = strangers::beside_with(entry)
        {
            return fault;
        }
        let help = strangers::meant(&entry.key, &known)
            .or_else(|| (!known.is_empty()).then(|| format!("it takes {}", suggest::all(&known))));
        let (code, message) = if place.top {
            (
                codes::UNKNOWN_ARGUMENT,
                format!("`{}` takes no argument `{}`", self.function, entry.key),
            )
        } else {
            (
                codes::UNKNOWN_PROPERTY,
                format!("{} has no property `{}`", place.name, entry.key),
            )
        };
        Diagnostic::error(code, entry.key_span, message).help_if(help)
    }

    fn list(
        &self,
        span: Span,
        items: &[Template],
        schema: &'a Value,
        place: &Place,
        faults: &mut Vec<Diagnostic>,
        depth: usize,
    ) {
        if let Some(inner) = schema.get("items") {
            let inner_place = Place {
                name: format!("each entry of {}", place.name),
                top: false,
            };
            for item in items {
                self.fit(item, inner, &inner_place, faults, depth + 1);
            }
        }
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        if let Some(least) = schema
            .get("minItems")
            .and_then(Value::as_i64)
            .filter(|least| count < *least)
        {
            faults.push(
                Diagnostic::error(
                    codes::BAD_ARGUMENT,
                    span,
                    format!(
                        "{} must have at least {least} entries, found {count}",
                        place.name
                    ),
                )
                .help("add to the list, or leave it out"),
            );
        }
        if let Some(most) = schema
            .get("maxItems")
            .and_then(Value::as_i64)
            .filter(|most| count > *most)
        {
            faults.push(
                Diagnostic::error(
                    codes::BAD_ARGUMENT,
                    span,
                    format!(
                        "{} must have at most {most} entries, found {count}",
                        place.name
                    ),
                )
                .help("divide the list"),
            );
        }
    }
}
