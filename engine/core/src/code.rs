//! Compiled expressions and the values that hold them.

use std::sync::Arc;

use tongban_dsl::Span;
use tongban_dsl::definition::Period;
use tongban_expr::{Expression, Value};

/// One compiled expression.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// `None`: a loosely evaluated text that is no expression and stands for itself.
    pub(crate) expression: Option<Expression>,
    /// Its text.
    pub(crate) text: Arc<str>,
    /// Whether a failure makes it stand for itself.
    pub(crate) loose: bool,
    /// Where it stands inside the task, such as `with.to[0].unit`.
    pub(crate) place: Arc<str>,
    /// Where it stands in the source.
    pub(crate) span: Span,
    /// Which of the fixed variables it reads.
    pub(crate) reads: Reads,
    /// The local variables that it reads.
    pub(crate) locals: Vec<Arc<str>>,
    /// The results that it reads: the name as written, the list that keeps it and its label there.
    pub(crate) steps: Vec<StepRead>,
}

/// A result that an expression reads.
#[derive(Debug, Clone)]
pub(crate) struct StepRead {
    pub(crate) name: Arc<str>,
    pub(crate) scope: u32,
    pub(crate) label: Arc<str>,
}

/// Which variables an expression reads, so that only these are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) task: bool,
    pub(crate) workflow: bool,
    pub(crate) secrets: bool,
    pub(crate) authorization: bool,
    /// It reads nothing but its argument.
    pub(crate) argument_only: bool,
}

/// A value whose leaves may be expressions.
#[derive(Debug, Clone)]
pub(crate) enum Template {
    /// No expression in it.
    Constant(Value),
    /// An expression's value.
    Code(Box<Code>),
    /// A text with expressions in it.
    Text(Vec<Part>),
    /// A URI with places for top-level properties of the input.
    Uri(Arc<str>),
    /// A list.
    List(Vec<Template>),
    /// An object.
    Object(Vec<(Arc<str>, Template)>),
}

/// A part of an interpolated text.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Literal(Arc<str>),
    Code(Code),
}

impl Template {
    /// The text, when it is one without an expression.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self {
            Template::Constant(value) => value.as_str(),
            _ => None,
        }
    }

    /// The same, where a literal text at a path of keys is a URI template.
    pub(crate) fn with_uri_at(self, path: &[&str]) -> Self {
        match (path, self) {
            ([], Template::Constant(value)) => match value.as_str() {
                Some(text) if text.contains('{') => Template::Uri(text.into()),
                _ => Template::Constant(value),
            },
            ([key, rest @ ..], Template::Constant(value)) => match value.get(key) {
                Some(inner) if holds_template(inner, rest) => {
                    let entries = value.entries().map(|(name, value)| {
                        let entry = Template::Constant(value.clone());
                        let entry = if name.as_str() == *key {
                            entry.with_uri_at(rest)
                        } else {
                            entry
                        };
                        (Arc::from(name.as_str()), entry)
                    });
                    Template::Object(entries.collect())
                }
                _ => Template::Constant(value),
            },
            ([key, rest @ ..], Template::Object(entries)) => {
                let entry = |(name, entry): (Arc<str>, Template)| {
                    let entry = if *name == **key {
                        entry.with_uri_at(rest)
                    } else {
                        entry
                    };
                    (name, entry)
                };
                Template::Object(entries.into_iter().map(entry).collect())
            }
            (_, other) => other,
        }
    }
}

/// A value inside a text: null is nothing, a text itself, everything else its JSON.
pub(crate) fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Str(text) => text.to_string(),
        other => other.to_json(),
    }
}

/// Whether the value at a path of keys is a text with a place for a variable.
fn holds_template(value: &Value, path: &[&str]) -> bool {
    let found = path.iter().try_fold(value, |here, key| here.get(key));
    found
        .and_then(Value::as_str)
        .is_some_and(|text| text.contains('{'))
}

/// A length of time.
#[derive(Debug, Clone)]
pub(crate) enum Duration {
    Fixed(Period),
    Code(Box<Code>),
}
