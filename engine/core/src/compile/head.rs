//! What belongs to the whole document: input, output, case, clock, schemas.

use std::sync::Arc;

use tongban_dsl::definition::{Clock as SourceClock, Schema as SourceSchema, SchemaSource};
use tongban_dsl::{Diagnostic, Span, codes};
use tongban_expr::Value;

use super::{Compiler, Place, body, task};
use crate::code::Template;
use crate::program::{Body, Case, Clock};
use crate::schema::Schema;

impl<'a> Compiler<'a> {
    /// Compiles the whole document.
    pub(super) fn document(&mut self) {
        let definition = self.definition;
        let top = Place::default();
        self.policies(&top);
        self.program.tasks.push(task::blank(
            "".into(),
            "".into(),
            Place::default(),
            Value::Null,
        ));
        let scope = self.list(&definition.tasks, "do", &top);
        if let Some(root) = self.program.tasks.first_mut() {
            root.keyword = "workflow";
            root.body = Body::Do(scope);
            root.definition = self.program.document.clone();
        }
        if let Some(input) = &definition.input {
            self.program.input_schema = self.schema(input.schema.as_ref());
            self.program.input_from = self.template_if(input.from.as_ref(), "input.from", &top);
        }
        if let Some(output) = &definition.output {
            let last = Place {
                scopes: vec![scope],
                ..Place::default()
            };
            self.program.output_as = self.template_if(output.as_.as_ref(), "output.as", &last);
            self.program.output_schema = self.schema(output.schema.as_ref());
        }
        self.program.timeout = self.timeout(definition.timeout.as_ref(), &top);
        self.case(Place {
            scopes: vec![scope],
            ..Place::default()
        });
    }

    fn policies(&mut self, top: &Place) {
        let authentications = &self.definition.reusables.authentications;
        let compiled = authentications.iter().map(|(name, policy)| {
            let policy = self.template(policy, &format!("use.authentications.{name}"), top);
            (name.clone(), body::policy_with_uris(policy))
        });
        self.policies = Arc::new(compiled.collect());
    }

    fn case(&mut self, place: Place) {
        let metadata = &self.definition.document.metadata;
        self.program.clock = metadata
            .clock
            .as_ref()
            .map(|clock| self.clock(clock, &place));
        let Some(case) = &metadata.case else { return };
        self.program.case = Some(Case {
            title: self.template_if(case.title.as_ref(), "metadata.case.title", &place),
            number: case.number.as_ref().map(|number| number.value.clone()),
            key: self.template_if(case.key.as_ref(), "metadata.case.key", &place),
            search: self.entries(&case.search, "metadata.case.search", &place),
            links: self.entries(&case.links, "metadata.case.links", &place),
            refusals: case
                .refusals
                .iter()
                .map(|outcome| outcome.value.clone())
                .collect(),
        });
    }

    /// Compiles a clock.
    pub(super) fn clock(&mut self, clock: &SourceClock, place: &Place) -> Clock {
        let mut parts: Vec<(&'static str, Template)> = Vec::new();
        let sources = [
            ("due", &clock.due),
            ("promise", &clock.promise),
            ("basis", &clock.basis),
            ("remind", &clock.remind),
            ("escalate", &clock.escalate),
        ];
        for (name, source) in sources {
            if let Some(source) = source {
                parts.push((
                    name,
                    self.template(source, &format!("metadata.clock.{name}"), place),
                ));
            }
        }
        Clock {
            title: self.template_if(clock.title.as_ref(), "metadata.clock.title", place),
            parts,
            stops: Value::list(
                clock
                    .stops
                    .iter()
                    .map(|ground| Value::from(ground.value.as_str()))
                    .collect(),
            ),
        }
    }

    /// Compiles a schema, given in place or in a file of the pack.
    pub(super) fn schema(&mut self, schema: Option<&SourceSchema>) -> Option<Schema> {
        let schema = schema?;
        let (document, span) = match &schema.source {
            SchemaSource::Document(document) => (document.value.clone(), document.span),
            SchemaSource::Form(path) => (self.file(&path.value, path.span)?, path.span),
            SchemaSource::Resource(resource) => match resource.pack_path() {
                Some(path) => (self.file(path, resource.span)?, resource.span),
                None => {
                    let message = "expected a schema in place or in a file of the pack (pack://…)";
                    self.error(Diagnostic::error(
                        codes::UNSUPPORTED_RESOURCE,
                        resource.span,
                        message,
                    ));
                    return None;
                }
            },
        };
        match Schema::compile(document) {
            Ok(schema) => Some(schema),
            Err(fault) => {
                let message = format!("the schema is not a JSON Schema: {fault}");
                self.error(Diagnostic::error(codes::BAD_VALUE, span, message));
                None
            }
        }
    }

    /// Reads a YAML or JSON file of the pack.
    fn file(&mut self, path: &str, span: Span) -> Option<Value> {
        let Some(text) = self.surroundings.file(path) else {
            let message = format!("the pack has no file {path:?}");
            self.error(Diagnostic::error(codes::UNKNOWN_FORM, span, message));
            return None;
        };
        let (value, faults) = tongban_dsl::read_yaml(&text);
        if let Some(fault) = faults.iter().find(|fault| fault.is_error()) {
            let message = format!("the file {path:?} cannot be read: {}", fault.message);
            self.error(Diagnostic::error(codes::UNKNOWN_FORM, span, message));
            return None;
        }
        value
    }
}
