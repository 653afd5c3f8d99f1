//! The tree: values with their places.

use std::rc::Rc;
use std::sync::Arc;

use crate::span::Span;

/// One value of the document.
#[derive(Debug)]
pub(crate) struct Node {
    pub span: Span,
    pub kind: NodeKind,
    /// How many values it holds, itself included, aliases expanded.
    pub(super) weight: usize,
    /// How deep it is nested inside itself.
    pub(super) height: usize,
}

#[derive(Debug)]
pub(crate) enum NodeKind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    List(Vec<Rc<Node>>),
    Map(Vec<Field>),
}

/// One entry of an object.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub key: Arc<str>,
    pub key_span: Span,
    pub value: Rc<Node>,
}

impl Node {
    /// What it is, for messages.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Bool(_) => "true or false",
            NodeKind::Int(_) | NodeKind::Float(_) => "a number",
            NodeKind::Text(_) => "a text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "an object",
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Null)
    }

    /// The same place with other fields.
    pub fn with_fields(&self, fields: Vec<Field>) -> Rc<Node> {
        Rc::new(Node {
            span: self.span,
            kind: NodeKind::Map(fields),
            weight: self.weight,
            height: self.height,
        })
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The fields of an object; empty for every other kind.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            NodeKind::Map(fields) => fields,
            _ => &[],
        }
    }

    pub fn get(&self, key: &str) -> Option<&Rc<Node>> {
        self.fields()
            .iter()
            .find(|field| &*field.key == key)
            .map(|field| &field.value)
    }
}
