//! Every expression, compiled where it stands.

use tongban_expr::{Expression, Language};

use crate::codes;
use crate::definition::{ExpressionSource, Mode, Template, TemplateKind, TextPart};
use crate::diagnostic::Diagnostic;
use crate::parse::looks_like_expression;
use crate::span::Span;

use super::checker::Checker;
use super::repair;
use super::setting::Setting;

impl Checker<'_> {
    /// Every expression of a value, and texts that look like forgotten ones.
    pub(super) fn template(&mut self, template: &Template, setting: &Setting<'_>) {
        match &template.kind {
            TemplateKind::Literal(value) => {
                if let Some(text) = value.as_str() {
                    self.forgotten(text, template.span);
                }
            }
            TemplateKind::Expression(source) => self.expression(source, setting),
            TemplateKind::Text(parts) => {
                for part in parts {
                    if let TextPart::Expression(source) = part {
                        self.expression(source, setting);
                    }
                }
            }
            TemplateKind::List(items) => items.iter().for_each(|item| self.template(item, setting)),
            TemplateKind::Object(entries) => {
                for entry in entries {
                    self.template(&entry.value, setting);
                    self.local_date(&entry.key, &entry.value);
                }
            }
        }
    }

    /// `asOf` from the UTC instant of the start.
    fn local_date(&mut self, key: &str, value: &Template) {
        let Some(source) = value.as_expression().filter(|_| key == "asOf") else {
            return;
        };
        if let Some(at) = source.text.find("startedAt") {
            let span = self.place(source, &(at..at + "startedAt".len()));
            self.faults.push(
                Diagnostic::warning(
                    codes::UTC_DATE,
                    span,
                    "`startedAt` is an instant in UTC, not a date",
                )
                .help("write `workflow.startedOn`, the site's local date"),
            );
        }
    }

    /// A text that its author took for an expression.
    fn forgotten(&mut self, text: &str, span: Span) {
        if let Some((shown, inner)) = repair::unwrapped(text) {
            self.faults.push(
                Diagnostic::error(
                    codes::FOREIGN_WRAPPER,
                    span,
                    format!(
                        "`{shown}` marks the expressions of another tool; this would stay a text"
                    ),
                )
                .help(format!(
                    "write '${{ {inner} }}'; a text that is meant as it stands: '${{ {} }}'",
                    tongban_expr::Value::from(text).to_json()
                )),
            );
            return;
        }
        if let Some(inner) = half_marked(text) {
            let fault = Diagnostic::warning(
                codes::UNMARKED,
                span,
                "this looks like an expression whose `${` is not whole: it stays a text",
            );
            self.faults
                .push(fault.help(format!("write '${{ {inner} }}'")));
            return;
        }
        let embedded = text.contains("{{") && text.contains("}}")
            || text.contains("<%") && text.contains("%>");
        let language = self.definition.evaluate.language;
        let strict = self.definition.evaluate.mode == Mode::Strict;
        if embedded && strict {
            self.faults.push(
                Diagnostic::warning(
                    codes::FOREIGN_WRAPPER,
                    span,
                    "`{{ … }}` marks the expressions of another tool; this stays a text",
                )
                .help("write `${ … }` instead of `{{ … }}`"),
            );
        } else if strict && looks_like_expression(text, language) {
            self.faults.push(
                Diagnostic::warning(
                    codes::UNMARKED,
                    span,
                    "this looks like an expression but is passed on as a text",
                )
                .help(format!("write '${{ {} }}'", text.trim())),
            );
        }
    }

    /// An expression that decides: `if`, `when`, `while`.
    pub(super) fn condition(&mut self, source: &ExpressionSource, setting: &Setting<'_>) {
        let before = self.faults.len();
        self.expression(source, setting);
        if self.faults.len() != before || source.language != Language::Jq {
            return;
        }
        if let Some(at) = repair::assignments(&source.text).first() {
            let mut right = source.text.to_string();
            right.insert(at.start, '=');
            self.faults.push(
                Diagnostic::error(
                    codes::ASSIGNMENT,
                    self.place(source, at),
                    "`=` sets a value in jq and does not compare: this is always true",
                )
                .help(format!("write '{right}'")),
            );
        }
    }

    pub(super) fn expression(&mut self, source: &ExpressionSource, setting: &Setting<'_>) {
        let locals = setting.scope.all_locals();
        let names: Vec<&str> = locals
            .iter()
            .chain(&setting.locals)
            .map(String::as_str)
            .collect();
        if source.language == Language::Rhai && self.character_literal(source) {
            return;
        }
        match Expression::compile(source.language, &source.text, &names) {
            Err(_) if source.mode == Mode::Loose => {}
            Err(error) => self.syntax(source, &error, &names),
            Ok(compiled) => {
                for read in compiled.reads() {
                    self.read(source, read, setting);
                }
                self.methods(source);
            }
        }
    }

    /// A part of the expression, as it stands in the document.
    pub(super) fn place(&self, source: &ExpressionSource, part: &std::ops::Range<usize>) -> Span {
        let offset = source.offset as usize;
        let end = part.end.min(source.text.len()).max(part.start);
        self.places.inside(
            source.span,
            &source.scalar,
            offset + part.start..offset + end,
        )
    }

    /// `export.as` that does not carry the context on.
    pub(super) fn dropped_context(&mut self, as_: &Template) {
        let mut carries = false;
        as_.each_expression(&mut |source| carries |= source.text.contains("context"));
        let earlier = self.exports > 0;
        self.exports += 1;
        if !carries && earlier {
            let help = if self.definition.evaluate.language == Language::Jq {
                "write '$context + { … }'"
            } else {
                "write 'context + #{ … }'"
            };
            self.faults.push(
                Diagnostic::warning(
                    codes::EXPORT_DROPS,
                    as_.span,
                    "this replaces the context: what earlier tasks exported is lost",
                )
                .help(help),
            );
        }
    }
}

/// `$ form.name }`: an expression that lost the brace of its mark.
fn half_marked(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("$ ")?.strip_suffix('}')?.trim();
    (!inner.is_empty() && inner.matches('{').count() == inner.matches('}').count()).then_some(inner)
}
