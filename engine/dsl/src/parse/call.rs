//! `call`: what is called and with what.

use super::reader::Reader;
use crate::codes;
use crate::definition::{Call, Cataloged};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};
use crate::shape;
use crate::signatures;

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
        let with = task.get("with").and_then(|with| match &with.kind {
            NodeKind::Map(_) => Some(self.template(with)),
            _ => {
                self.wrong_type(with, "`with`", "an object of arguments");
                None
            }
        });
        let name = function.value.as_str();
        if UNSUPPORTED.contains(&name) {
            self.report(
                Diagnostic::error(
                    codes::UNSUPPORTED_CALL,
                    function.span,
                    format!("`call: {name}` is not performed by this runtime"),
                )
                .help("reach the service over HTTP with `call: http` or `call: openapi`"),
            );
        } else if name.contains("://") && !name.starts_with("pack://") {
            self.report(
                Diagnostic::error(
                    codes::UNSUPPORTED_CATALOG,
                    function.span,
                    "a function is read from the pack, never from the network",
                )
                .help("copy it to `catalogs/default/functions/NAME/VERSION/function.yaml` of the pack and call it `NAME:VERSION@default`"),
            );
        } else if name.contains('@') && Cataloged::read(name).is_none() {
            self.report(
                Diagnostic::error(
                    codes::UNSUPPORTED_CATALOG,
                    function.span,
                    format!(
                        "a function of a catalogue is called NAME:VERSION@CATALOGUE, found `{name}`"
                    ),
                )
                .help("write for example `log:1.0.0@default`"),
            );
        } else if let Some(schema) = signatures::of_the_language(name) {
            match &with {
                Some(with) => shape::check(with, schema, name, &mut self.diagnostics),
                None if task.get("with").is_none()
                    && task.get("endpoint").is_none()
                    && task.get("method").is_none() =>
                {
                    self.report(
                        Diagnostic::error(
                            codes::NO_ARGUMENTS,
                            function.span,
                            format!("`call: {name}` needs arguments"),
                        )
                        .help(signatures::example(name)),
                    );
                }
                None => {}
            }
        }
        Some(Call { function, with })
    }
}
