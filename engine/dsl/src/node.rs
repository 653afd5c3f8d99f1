//! YAML read once into a tree of nodes with places.
//!
//! The parser is serde-saphyr's own; its events are taken here one by one, because only they tell
//! the style of a scalar, its tag and its exact bytes. Scalars follow the core schema of YAML 1.2:
//! `yes`, `no`, `on` and `off` are texts.

mod builder;
mod help;
mod refusals;
mod repair;

use std::rc::Rc;
use std::sync::Arc;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::place::Places;
use crate::span::Span;
use builder::Builder;

/// Longest source that is read.
pub(crate) const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Deepest nesting of lists and objects.
pub(crate) const MAX_DEPTH: usize = 100;
/// Most values, counted after aliases are expanded.
pub(crate) const MAX_NODES: usize = 250_000;

/// One value of the document.
#[derive(Debug)]
pub(crate) struct Node {
    pub span: Span,
    pub kind: NodeKind,
    /// How many values it holds, itself included, aliases expanded.
    weight: usize,
    /// How deep it is nested inside itself.
    height: usize,
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

/// What reading gave: the root, unless the text is no YAML at all.
pub(crate) struct Read {
    pub root: Option<Rc<Node>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads one document.
pub(crate) fn read(source: &str, places: &Places<'_>) -> Read {
    if source.len() > MAX_BYTES {
        let found = source.len();
        let fault = Diagnostic::error(
            codes::TOO_LARGE,
            Span {
                line: 1,
                column: 1,
                ..Span::default()
            },
            format!("a definition has at most {MAX_BYTES} bytes, this one has {found}"),
        )
        .help("move data into the pack's files and split the workflow with `run: { workflow: … }`");
        return Read {
            root: None,
            diagnostics: vec![fault],
        };
    }
    let mut builder = Builder::new(places, false);
    builder.run(source);
    Read {
        root: builder.root,
        diagnostics: builder.diagnostics,
    }
}
