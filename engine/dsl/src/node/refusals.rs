//! What YAML allows and a document must not hold: tags, keys that are no texts, NUL, forgotten spaces.

use serde_saphyr::granit_parser::Tag;

use super::builder::{Builder, Open};
use super::tree::{Field, NodeKind};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

impl Builder<'_> {
    /// `: value`, `~: value` and `null: value`.
    pub(super) fn nameless_key(&mut self, text: &str, span: Span) {
        // The parser reads an empty key as `~`.
        let (message, help) = if span.start == span.end || text.is_empty() {
            (
                "a value stands here without its key".to_owned(),
                "write the key before the colon".to_owned(),
            )
        } else {
            (
                format!("a key must be a text, and `{text}` is no value at all in YAML"),
                format!("quote it when it is a name: '{text}'"),
            )
        };
        self.diagnostics
            .push(Diagnostic::error(codes::KEY_NOT_TEXT, span, message).help(help));
    }

    /// `{ amount:5 }`: a key without a value that holds both.
    pub(super) fn joined_keys(&mut self, fields: &[Field]) {
        for field in fields {
            let empty = matches!(field.value.kind, NodeKind::Null)
                && field.value.span.start == field.value.span.end;
            let plain = self
                .places
                .byte_at(field.key_span.start)
                .is_some_and(|byte| byte != b'\'' && byte != b'"');
            let Some((key, value)) = field.key.split_once(':').filter(|_| empty && plain) else {
                continue;
            };
            let name = !key.is_empty()
                && key
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
            if name && !value.is_empty() && !value.starts_with("//") {
                self.diagnostics.push(
                    Diagnostic::error(
                        codes::SPACING,
                        field.key_span,
                        format!(
                            "`{}` is one key without a value: a space is missing behind the colon",
                            field.key
                        ),
                    )
                    .help(format!("write `{key}: {value}`")),
                );
            }
        }
    }

    pub(super) fn refuse_nul(&mut self, text: &str, span: Span) {
        if text.contains('\0') {
            let message = "a text must not hold the character NUL";
            self.diagnostics
                .push(Diagnostic::error(codes::NUL, span, message).help("take it out"));
        }
    }

    pub(super) fn refuse_tag(&mut self, tag: Option<&Tag>, span: Span) {
        if let Some(tag) = tag {
            let tag = tag.original();
            let span = self.places.before(span, &tag);
            self.diagnostics.push(
                Diagnostic::error(
                    codes::TAG,
                    span,
                    format!("the YAML tag `{tag}` is not allowed"),
                )
                .help("leave the tag out; quote a value that must be a text"),
            );
        }
    }

    pub(super) fn refuse_collection_key(&mut self, span: Span) {
        if matches!(self.stack.last(), Some(Open::Map { key: None, .. })) {
            self.diagnostics.push(
                Diagnostic::error(
                    codes::KEY_NOT_TEXT,
                    span,
                    "a key must be a text, found a list or an object",
                )
                .help("an expression or a value in `{ }` or `[ ]` must be quoted: '${ … }'"),
            );
        }
    }
}
