//! Input, output and export: transformations and the schemas that guard them.

use crate::definition::expression::Template;
use crate::span::{Span, Spanned};

/// `input` of a workflow or a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Place of the block.
    pub span: Span,
    /// Validates the raw input.
    pub schema: Option<Schema>,
    /// Transforms it. A text here is an expression, with or without `${ }`.
    pub from: Option<Template>,
}

/// `output` of a workflow, a task or a listener's iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Place of the block.
    pub span: Span,
    /// Transforms the raw output. A text here is an expression, with or without `${ }`.
    pub as_: Option<Template>,
    /// Validates the transformed output.
    pub schema: Option<Schema>,
}

/// `export`: what a task leaves in the context.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Place of the block.
    pub span: Span,
    /// Gives the new context. A text here is an expression, with or without `${ }`.
    pub as_: Option<Template>,
    /// Validates the new context.
    pub schema: Option<Schema>,
}

/// A schema, in place or in a file of the pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Place of the block.
    pub span: Span,
    /// `format`, `json` when absent.
    pub format: Option<Spanned<String>>,
    /// Where the schema is.
    pub source: SchemaSource,
}

/// Where a schema is.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemaSource {
    /// `document`: the schema itself. Nothing in it is an expression.
    Document(Spanned<tongban_expr::Value>),
    /// `document: { $ref: path }` and nothing else: a file of the pack (by our convention a form).
    Form(Spanned<String>),
    /// `resource`.
    Resource(Resource),
}

/// An external resource: a file of the pack (`pack://…`) or a place on the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its place in the document.
    pub span: Span,
    /// Its name, if it has one.
    pub name: Option<Spanned<String>>,
    /// `endpoint`: a text, an expression, or an object with `uri` and `authentication`.
    pub endpoint: Template,
}

impl Resource {
    /// The address, when it is written as a literal.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        self.endpoint
            .as_str()
            .or_else(|| self.endpoint.get("uri").and_then(Template::as_str))
    }

    /// The path inside the pack, when the address is `pack://path`.
    #[must_use]
    pub fn pack_path(&self) -> Option<&str> {
        self.uri().and_then(|uri| uri.strip_prefix("pack://"))
    }
}
