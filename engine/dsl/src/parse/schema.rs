//! Input, output, export, schemas and resources.

use super::reader::{Reader, first_line};
use super::retry::has_scheme;
use crate::codes;
use crate::definition::{
    Export, Input, Output, Resource, Schema, SchemaSource, Template, TemplateKind,
};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node};
use crate::shape;
use crate::signatures;
use crate::span::Spanned;

impl Reader {
    pub fn input(&mut self, node: &Node, what: &str) -> Option<Input> {
        if self.bare_block(node, what, "from") {
            return None;
        }
        if self.bare_fields(node, what) {
            return None;
        }
        self.closed(node, what, &["schema", "from"])?;
        let schema = node.get("schema").and_then(|schema| self.schema(schema));
        let from = node
            .get("from")
            .and_then(|from| self.transformation(from, "`from`"));
        Some(Input {
            span: node.span,
            schema,
            from,
        })
    }

    pub fn output(&mut self, node: &Node, what: &str) -> Option<Output> {
        if self.bare_block(node, what, "as") || self.bare_as(node, "output") {
            return None;
        }
        let (schema, as_) = self.schema_and_as(node, what)?;
        Some(Output {
            span: node.span,
            as_,
            schema,
        })
    }

    pub fn export(&mut self, node: &Node) -> Option<Export> {
        if self.bare_block(node, "`export`", "as") || self.bare_as(node, "export") {
            return None;
        }
        let (schema, as_) = self.schema_and_as(node, "`export`")?;
        Some(Export {
            span: node.span,
            as_,
            schema,
        })
    }

    fn schema_and_as(
        &mut self,
        node: &Node,
        what: &str,
    ) -> Option<(Option<Schema>, Option<Template>)> {
        self.closed(node, what, &["schema", "as"])?;
        let schema = node.get("schema").and_then(|schema| self.schema(schema));
        let as_ = node
            .get("as")
            .and_then(|as_| self.transformation(as_, "`as`"));
        Some((schema, as_))
    }

    /// `input: expression` where `input: { from: expression }` is meant.
    fn bare_block(&mut self, node: &Node, what: &str, property: &str) -> bool {
        let Some(text) = node.as_str() else {
            return false;
        };
        let name = what.trim_matches('`');
        let file = [".yaml", ".yml", ".json"]
            .iter()
            .any(|ending| text.ends_with(ending));
        let inner = if file {
            format!("schema: {{ document: {{ $ref: {text} }} }}")
        } else {
            format!("{property}: '{}'", text.trim())
        };
        self.report(
            Diagnostic::error(
                codes::WRONG_WRAPPER,
                node.span,
                format!("{what} must be an object, found a text"),
            )
            .help(format!("write `{name}: {{ {inner} }}`")),
        );
        true
    }

    /// `export: { total: '${ … }' }` where `as` is missing.
    fn bare_as(&mut self, node: &Node, name: &str) -> bool {
        let known = ["schema", "as"];
        let fields = node.fields();
        let near = |field: &Field| crate::suggest::nearest(&field.key, known).is_some();
        let Some(first) = fields.first() else {
            return false;
        };
        if fields
            .iter()
            .any(|field| known.contains(&&*field.key) || near(field) || &*field.key == "from")
        {
            return false;
        }
        self.report(
            Diagnostic::error(
                codes::WRONG_WRAPPER,
                first.key_span,
                format!("what `{name}` gives stands under `as`"),
            )
            .help(format!("write `{name}: {{ as: {{ {}: … }} }}`", first.key)),
        );
        true
    }

    /// `input: { name: { type: string } }`: the fields of a form where its file is named.
    fn bare_fields(&mut self, node: &Node, what: &str) -> bool {
        let fields = node.fields();
        let is_schema = |field: &Field| {
            field.value.get("type").is_some() || matches!(&*field.key, "properties" | "required")
        };
        let [first, ..] = fields else { return false };
        if !fields.iter().all(is_schema) || matches!(&*first.key, "schema" | "from" | "as") {
            return false;
        }
        let name = what.trim_matches('`');
        self.report(
            Diagnostic::error(
                codes::WRONG_WRAPPER,
                first.key_span,
                format!("the fields of {what} stand in a schema"),
            )
            .help(format!(
                "put them under `properties` of a form and write `{name}: {{ schema: {{ document: {{ $ref: forms/NAME.yaml }} }} }}`"
            )),
        );
        true
    }

    fn schema(&mut self, node: &Node) -> Option<Schema> {
        let fields = self.wrapped_schema(node)?;
        self.only(fields, "`schema`", &["format", "document", "resource"]);
        let format = self.schema_format(node);
        let source = match (node.get("document"), node.get("resource")) {
            (Some(document), None) => self.schema_document(document)?,
            (None, Some(resource)) => {
                SchemaSource::Resource(self.resource(resource, "`resource`")?)
            }
            (Some(_), Some(resource)) => {
                self.report(
                    Diagnostic::error(
                        codes::MANY_KINDS,
                        first_line(resource.span),
                        "a schema has either `document` or `resource`",
                    )
                    .help("keep one of them"),
                );
                return None;
            }
            (None, None) => {
                self.missing(node.span, "`schema`", "document");
                return None;
            }
        };
        Some(Schema {
            span: node.span,
            format,
            source,
        })
    }

    /// The fields of a schema that stands in its wrapper.
    fn wrapped_schema<'n>(&mut self, node: &'n Node) -> Option<&'n [Field]> {
        if let Some(text) = node.as_str() {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    node.span,
                    "`schema` must be an object, found a text",
                )
                .help(format!(
                    "write `schema: {{ document: {{ $ref: {} }} }}`",
                    text.trim_start_matches("./")
                )),
            );
            return None;
        }
        let fields = self.object(node, "`schema`")?;
        let looks_inline = fields
            .iter()
            .any(|field| matches!(&*field.key, "type" | "properties" | "required" | "$ref"));
        if looks_inline && node.get("document").is_none() {
            let key = fields.first().map_or("type", |field| &*field.key);
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    first_line(node.span),
                    "a schema stands under `document`",
                )
                .help(format!("write `schema: {{ document: {{ {key}: … }} }}`")),
            );
            return None;
        }
        Some(fields)
    }

    fn schema_format(&mut self, node: &Node) -> Option<Spanned<String>> {
        let format = self.text(node.get("format")?, "`format`")?;
        if format.value.split(':').next() != Some("json") {
            self.report(
                Diagnostic::error(
                    codes::UNSUPPORTED_FORMAT,
                    format.span,
                    format!(
                        "schemas are JSON Schema, found the format `{}`",
                        format.value
                    ),
                )
                .help("write `format: json`, or leave it out"),
            );
        }
        Some(format)
    }

    pub fn resource(&mut self, node: &Node, what: &str) -> Option<Resource> {
        if let Some(text) = node.as_str() {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    node.span,
                    format!("{what} must be an object, found a text"),
                )
                .help(format!(
                    "write `{}: {{ endpoint: {text} }}`",
                    what.trim_matches('`')
                )),
            );
            return None;
        }
        self.closed(node, what, &["name", "endpoint"])?;
        let name = node.get("name").and_then(|name| self.text(name, "`name`"));
        let endpoint = self.required(node, what, "endpoint")?;
        let endpoint = self.template(endpoint);
        shape::check(
            &endpoint,
            signatures::endpoint(),
            "an endpoint",
            &mut self.diagnostics,
        );
        if let Some(text) = endpoint.as_str().filter(|text| !has_scheme(text)) {
            self.report(
                Diagnostic::error(
                    codes::BAD_URI,
                    endpoint.span,
                    format!("an endpoint is a URI, found `{text}`"),
                )
                .help(format!(
                    "a file of the pack is written `pack://{}`",
                    text.trim_start_matches(['.', '/'])
                )),
            );
        }
        if matches!(endpoint.kind, TemplateKind::List(_)) {
            return None;
        }
        Some(Resource {
            span: node.span,
            name,
            endpoint,
        })
    }
}
