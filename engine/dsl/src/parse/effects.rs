//! Tasks that change, tell or refuse something at once: `set`, `emit`, `raise`.

use super::reader::Reader;
use super::task::is_identifier;
use crate::codes;
use crate::definition::{Emit, Raise, Template, TemplateKind};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};

impl Reader {
    pub(super) fn set(&mut self, node: &Node) -> Option<Template> {
        match &node.kind {
            NodeKind::Map(fields) if fields.is_empty() => {
                self.report(
                    Diagnostic::error(codes::EMPTY_LIST, node.span, "`set` sets nothing")
                        .help("give it at least one property"),
                );
                None
            }
            NodeKind::Map(_) => Some(self.template(node)),
            NodeKind::Text(text) => {
                let template = self.template(node);
                self.set_text(node, text, &template);
                Some(template)
            }
            _ => {
                self.wrong_type(node, "`set`", "an object or an expression");
                None
            }
        }
    }

    /// `set` with one text that is no expression.
    fn set_text(&mut self, node: &Node, text: &str, template: &Template) {
        let pair = |separator: char| {
            let (key, value) = text.split_once(separator)?;
            let (key, value) = (key.trim_end(), value.trim());
            let plain = is_identifier(key) && !value.is_empty() && !value.starts_with(['/', '=']);
            plain.then_some((key, value))
        };
        if let Some((key, value)) = pair(':').filter(|_| !text.contains(": ")) {
            self.report(
                Diagnostic::error(
                    codes::SPACING,
                    node.span,
                    format!("`{text}` is one text: a space is missing behind the colon"),
                )
                .help(format!("write `{key}: {value}`")),
            );
        } else if !matches!(template.kind, TemplateKind::Expression(_)) {
            let help = match pair('=') {
                Some((key, value)) => format!("write `set: {{ {key}: {value} }}`"),
                None => format!(
                    "write an object, or an expression: '${{ {} }}'",
                    text.trim()
                ),
            };
            self.report(
                Diagnostic::error(
                    codes::UNMARKED,
                    node.span,
                    "`set` takes an object or one expression in `${ … }`, found a text",
                )
                .help(help),
            );
        }
    }

    pub(super) fn emit(&mut self, node: &Node) -> Option<Emit> {
        let bare = ["type", "source", "data", "with", "subject"];
        if self.unwrapped_keys(
            node,
            "emit",
            &bare,
            "event: { with: { source: …, type: … } }",
        ) {
            return None;
        }
        if let Some(kind) = node.as_str() {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    node.span,
                    "`emit` must be an object, found a text",
                )
                .help(format!(
                    "write `emit: {{ event: {{ with: {{ source: …, type: {kind} }} }} }}`"
                )),
            );
            return None;
        }
        self.closed(node, "`emit`", &["event"])?;
        let event = self.required(node, "`emit`", "event")?;
        let fields = self.object(event, "`event`")?;
        if event.get("with").is_none()
            && let Some(field) = fields
                .iter()
                .find(|field| matches!(&*field.key, "type" | "source" | "data"))
        {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    field.key_span,
                    format!("`{}` of an event stands under `with`", field.key),
                )
                .help("write `emit: { event: { with: { source: …, type: … } } }`"),
            );
            return None;
        }
        let with = self.required(event, "`event`", "with")?;
        self.object(with, "`event.with`")?;
        for property in ["source", "type"] {
            self.required(with, "an emitted event", property);
        }
        self.event_attributes(with);
        Some(Emit {
            span: with.span,
            with: self.entries(with),
        })
    }

    /// `emit: { type: … }` where a wrapper is missing. Tells whether that was found.
    fn unwrapped_keys(&mut self, node: &Node, keyword: &str, bare: &[&str], wrapped: &str) -> bool {
        let Some(field) = node
            .fields()
            .iter()
            .find(|field| bare.contains(&&*field.key))
        else {
            return false;
        };
        self.report(
            Diagnostic::error(
                codes::WRONG_WRAPPER,
                field.key_span,
                format!("`{}` does not stand under `{keyword}` itself", field.key),
            )
            .help(format!("write `{keyword}: {{ {wrapped} }}`")),
        );
        true
    }

    pub(super) fn raise(&mut self, node: &Node) -> Option<Raise> {
        let bare = [
            "type", "status", "title", "detail", "instance", "message", "code",
        ];
        if self.unwrapped_keys(node, "raise", &bare, "error: { type: …, status: … }") {
            return None;
        }
        if let Some(text) = node.as_str() {
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    node.span,
                    "`raise` must be an object, found a text",
                )
                .help(if is_identifier(text) {
                    format!("write `raise: {{ error: {text} }}` for an error of `use.errors`")
                } else {
                    format!(
                        "write `raise: {{ error: {{ type: https://serverlessworkflow.io/spec/1.0.0/errors/validation, status: 400, title: {text} }} }}`"
                    )
                }),
            );
            return None;
        }
        self.closed(node, "`raise`", &["error"])?;
        let error = self.required(node, "`raise`", "error")?;
        self.error_reference(error).map(|error| Raise { error })
    }
}
