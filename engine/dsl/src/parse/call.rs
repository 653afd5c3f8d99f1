//! `call`: what is called and with what.

use super::keywords::SHARED;
use super::reader::Reader;
use crate::codes;
use crate::definition::{Call, Cataloged, Template};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};
use crate::shape;
use crate::signatures;
use crate::span::Spanned;

/// The calls of the language that this runtime does not perform.
const UNSUPPORTED: &[&str] = &["grpc", "asyncapi", "a2a", "mcp"];

impl Reader {
    pub fn call(&mut self, task: &Node, node: &Node) -> Option<Call> {
        if let NodeKind::Map(fields) = &node.kind {
            let name = fields.first().map_or("http", |field| &*field.key);
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    node.span,
                    "`call` must be the name of a function, found an object",
                )
                .help(format!(
                    "write `call: {name}` and its arguments under `with:`"
                )),
            );
            return None;
        }
        let function = self.text(node, "`call`")?;
        let with = task
            .get("with")
            .and_then(|with| self.arguments(task, with, &function.value));
        match refused(&function) {
            Some(fault) => self.report(fault),
            None => self.of_the_language(task, &function, with.as_ref()),
        }
        Some(Call { function, with })
    }

    fn arguments(&mut self, task: &Node, with: &Node, function: &str) -> Option<Template> {
        match &with.kind {
            NodeKind::Map(_) => Some(self.template(with)),
            // Its arguments stand beside it: that was told, and they are read as what they are.
            NodeKind::Null if task.fields().iter().any(|field| is_argument(&field.key)) => {
                let beside = task.fields().iter();
                let beside = beside.filter(|field| is_argument(&field.key)).cloned();
                Some(self.template(&task.with_fields(beside.collect())))
            }
            NodeKind::List(items) if items.iter().all(|item| item.fields().len() == 1) => {
                self.report(
                    Diagnostic::error(
                        codes::WRONG_TYPE,
                        super::first_line(with.span),
                        "`with` must be an object of arguments, found a list",
                    )
                    .help("take the hyphens away: the arguments are `key: value` pairs"),
                );
                let all = items.iter().flat_map(|item| item.fields()).cloned();
                Some(self.template(&with.with_fields(all.collect())))
            }
            NodeKind::Null => {
                self.report(
                    Diagnostic::error(
                        codes::WRONG_TYPE,
                        with.span,
                        "`with` must be an object of arguments, found nothing",
                    )
                    .help(format!(
                        "write what `{function}` is given, indented below it, or take `with` out"
                    )),
                );
                None
            }
            _ => {
                self.wrong_type(with, "`with`", "an object of arguments");
                None
            }
        }
    }

    /// The arguments of the calls that belong to the language itself.
    fn of_the_language(
        &mut self,
        task: &Node,
        function: &Spanned<String>,
        with: Option<&Template>,
    ) {
        let name = function.value.as_str();
        let Some(schema) = signatures::of_the_language(name) else {
            return;
        };
        if let Some(with) = with {
            shape::check(with, schema, name, &mut self.diagnostics);
            return;
        }
        let elsewhere = ["with", "endpoint", "method"];
        if elsewhere.iter().all(|key| task.get(key).is_none()) {
            self.report(
                Diagnostic::error(
                    codes::NO_ARGUMENTS,
                    function.span,
                    format!("`call: {name}` needs arguments"),
                )
                .help(signatures::example(name)),
            );
        }
    }
}

/// Whether a key beside `call` is none of a task.
fn is_argument(key: &str) -> bool {
    !SHARED.contains(&key) && !matches!(key, "call" | "with")
}

/// Calls that are refused by their names.
fn refused(function: &Spanned<String>) -> Option<Diagnostic> {
    let name = function.value.as_str();
    let (code, message, help) = if UNSUPPORTED.contains(&name) {
        (
            codes::UNSUPPORTED_CALL,
            format!("`call: {name}` is not performed by this runtime"),
            "reach the service over HTTP with `call: http` or `call: openapi`",
        )
    } else if name.starts_with("http") && name.contains("://") && !name.contains(".yaml") {
        (
            codes::UNSUPPORTED_CATALOG,
            "a service is no function".to_owned(),
            "services are reached by `call: http` with `with: { method: get, endpoint: https://… }`",
        )
    } else if name.contains("://") && !name.starts_with("pack://") {
        (
            codes::UNSUPPORTED_CATALOG,
            "a function is read from the pack, never from the network".to_owned(),
            "copy it to `catalogs/default/functions/NAME/VERSION/function.yaml` of the pack and call it `NAME:VERSION@default`",
        )
    } else if name.contains('@') && Cataloged::read(name).is_none() {
        (
            codes::UNSUPPORTED_CATALOG,
            format!("a function of a catalogue is called NAME:VERSION@CATALOGUE, found `{name}`"),
            "write for example `log:1.0.0@default`",
        )
    } else {
        return None;
    };
    Some(Diagnostic::error(code, function.span, message).help(help))
}
