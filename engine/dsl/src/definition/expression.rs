//! Expressions as they stand in the document, and values that hold them.

use std::sync::Arc;

pub use tongban_expr::Language;
use tongban_expr::Value;

use crate::span::Span;

/// Whether an expression must stand in `${ … }`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Only `${ … }` is evaluated.
    #[default]
    Strict,
    /// Every text is tried as an expression; one that fails stands for itself.
    Loose,
}

/// The source of one expression, without `${` and `}`.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpressionSource {
    /// The expression's own text, trimmed.
    pub text: Arc<str>,
    /// The language that it is written in.
    pub language: Language,
    /// Whether the document is evaluated loosely: a text that fails then stands for itself.
    pub mode: Mode,
    /// Place of the whole YAML scalar that holds it.
    pub span: Span,
    /// The scalar's decoded text, shared by all of its expressions.
    pub scalar: Arc<str>,
    /// Where `text` begins, in bytes of `scalar`.
    pub offset: u32,
}

/// A value whose leaves may be expressions: `with`, `set`, `input.from`, a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Place of the value.
    pub span: Span,
    /// What it is.
    pub kind: TemplateKind,
}

/// The shapes of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateKind {
    /// A scalar that holds no expression.
    Literal(Value),
    /// `${ … }` and nothing else: the expression's value, of whatever type.
    Expression(ExpressionSource),
    /// A text with `${ … }` inside: always a text.
    Text(Vec<TextPart>),
    /// A list.
    List(Vec<Template>),
    /// An object, in the order of the document; keys are unique.
    Object(Vec<Entry>),
}

/// One part of an interpolated text.
#[derive(Debug, Clone, PartialEq)]
pub enum TextPart {
    /// Text that stands for itself.
    Literal(Arc<str>),
    /// An expression whose value is inserted as text.
    Expression(ExpressionSource),
}

/// One key of an object template. Keys are never expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// Place of the key.
    pub key_span: Span,
    /// The value.
    pub value: Template,
}

impl Template {
    /// A scalar literal at `span`.
    #[must_use]
    pub fn literal(value: Value, span: Span) -> Self {
        Self {
            span,
            kind: TemplateKind::Literal(value),
        }
    }

    /// The value of `key`, when this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Template> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of `key`, when this is an object that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// The entries of an object; empty for every other shape.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            TemplateKind::Object(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; empty for every other shape.
    #[must_use]
    pub fn items(&self) -> &[Template] {
        match &self.kind {
            TemplateKind::List(items) => items,
            _ => &[],
        }
    }

    /// The text, when this is a literal text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            TemplateKind::Literal(value) => value.as_str(),
            _ => None,
        }
    }

    /// The expression, when this is one expression and nothing else.
    #[must_use]
    pub fn as_expression(&self) -> Option<&ExpressionSource> {
        match &self.kind {
            TemplateKind::Expression(source) => Some(source),
            _ => None,
        }
    }

    /// The whole value, when no leaf of it is an expression.
    #[must_use]
    pub fn constant(&self) -> Option<Value> {
        match &self.kind {
            TemplateKind::Literal(value) => Some(value.clone()),
            TemplateKind::Expression(_) | TemplateKind::Text(_) => None,
            TemplateKind::List(items) => {
                let values: Option<Vec<Value>> = items.iter().map(Template::constant).collect();
                values.map(Value::from)
            }
            TemplateKind::Object(entries) => {
                let fields: Option<Vec<(&str, Value)>> = entries
                    .iter()
                    .map(|entry| entry.value.constant().map(|value| (&*entry.key, value)))
                    .collect();
                fields.map(Value::object)
            }
        }
    }

    /// Calls `visit` for every expression of this value, in the order of the document.
    pub fn each_expression<'a>(&'a self, visit: &mut dyn FnMut(&'a ExpressionSource)) {
        match &self.kind {
            TemplateKind::Literal(_) => {}
            TemplateKind::Expression(source) => visit(source),
            TemplateKind::Text(parts) => {
                for part in parts {
                    if let TextPart::Expression(source) = part {
                        visit(source);
                    }
                }
            }
            TemplateKind::List(items) => items.iter().for_each(|item| item.each_expression(visit)),
            TemplateKind::Object(entries) => entries
                .iter()
                .for_each(|entry| entry.value.each_expression(visit)),
        }
    }
}
