//! Expressions, templates and durations.

use std::sync::Arc;

use tongban_dsl::definition::{
    Duration as SourceDuration, DurationKind, Entry, ExpressionSource, Mode, Template as Source,
    TemplateKind, TextPart, Timeout,
};
use tongban_dsl::{Diagnostic, codes};
use tongban_expr::{Expression, Language, Scope};

use super::{Compiler, Place};
use crate::code::{Code, Duration, Part, Reads, StepRead, Template};

impl<'a> Compiler<'a> {
    /// Compiles one expression; `part` says where in its task it stands.
    pub(super) fn code(&mut self, source: &ExpressionSource, part: &str, place: &Place) -> Code {
        let locals: Vec<&str> = place.locals.iter().map(|name| &**name).collect();
        let loose = source.mode == Mode::Loose;
        let compiled = match &self.evaluator {
            Some(evaluator) => {
                Expression::compile_for(evaluator, source.language, &source.text, &locals)
            }
            None => Expression::compile(source.language, &source.text, &locals),
        };
        let expression = match compiled {
            Ok(expression) => Some(expression),
            Err(_) if loose => None,
            Err(fault) => {
                let message = format!(
                    "the expression `{}` does not compile: {}",
                    source.text, fault.message
                );
                let diagnostic = Diagnostic::error(codes::EXPRESSION_SYNTAX, source.span, message);
                self.error(diagnostic.help_if(fault.help));
                None
            }
        };
        let mut code = Code {
            expression,
            text: source.text.clone(),
            loose,
            place: part.into(),
            span: source.span,
            reads: Reads::default(),
            locals: Vec::new(),
            steps: Vec::new(),
        };
        self.note_reads(&mut code, place);
        code
    }

    fn note_reads(&mut self, code: &mut Code, place: &Place) {
        let Some(expression) = code.expression.clone() else {
            return;
        };
        let argument = match expression.language() {
            Language::Jq => ".",
            Language::Rhai => "input",
        };
        code.reads.argument_only = true;
        for read in expression.reads() {
            let root = read.root.as_str();
            code.reads.argument_only &= root == argument;
            if place.locals.iter().any(|local| &**local == root) {
                if !code.locals.iter().any(|local| &**local == root) {
                    code.locals.push(root.into());
                }
                continue;
            }
            match root {
                "task" => code.reads.task = true,
                "workflow" => code.reads.workflow = true,
                "secrets" => code.reads.secrets = true,
                "authorization" => code.reads.authorization = true,
                _ => debug_assert!(root == "." || Scope::NAMES.contains(&root) || !root.is_empty()),
            }
        }
        for name in expression.steps() {
            if let Some((scope, label)) = self.result(name, &place.scopes) {
                self.kept.insert((scope, label.clone()));
                code.steps.push(StepRead {
                    name: name.into(),
                    scope,
                    label,
                });
            }
        }
    }

    /// Compiles an optional expression.
    pub(super) fn code_if(
        &mut self,
        source: Option<&ExpressionSource>,
        part: &str,
        place: &Place,
    ) -> Option<Code> {
        source.map(|source| self.code(source, part, place))
    }

    /// Compiles a value whose leaves may be expressions.
    pub(super) fn template(&mut self, source: &Source, part: &str, place: &Place) -> Template {
        if let Some(value) = source.constant() {
            return Template::Constant(value);
        }
        match &source.kind {
            TemplateKind::Literal(value) => Template::Constant(value.clone()),
            TemplateKind::Expression(expression) => {
                let code = self.code(expression, part, place);
                if code.loose && code.expression.is_none() {
                    // A text that is no expression, loosely read: it stands for itself.
                    return Template::Constant(expression.scalar.as_ref().into());
                }
                Template::Code(Box::new(code))
            }
            TemplateKind::Text(parts) => {
                let part_of = |text: &TextPart| match text {
                    TextPart::Literal(text) => Part::Literal(text.clone()),
                    TextPart::Expression(expression) => {
                        Part::Code(self.code(expression, part, place))
                    }
                };
                Template::Text(parts.iter().map(part_of).collect())
            }
            TemplateKind::List(items) => {
                let item = |(at, item): (usize, &Source)| {
                    self.template(item, &format!("{part}[{at}]"), place)
                };
                Template::List(items.iter().enumerate().map(item).collect())
            }
            TemplateKind::Object(entries) => Template::Object(self.entries(entries, part, place)),
        }
    }

    /// Compiles an optional value.
    pub(super) fn template_if(
        &mut self,
        source: Option<&Source>,
        part: &str,
        place: &Place,
    ) -> Option<Template> {
        source.map(|source| self.template(source, part, place))
    }

    /// Compiles the entries of an object.
    pub(super) fn entries(
        &mut self,
        entries: &[Entry],
        part: &str,
        place: &Place,
    ) -> Vec<(Arc<str>, Template)> {
        let compiled = entries.iter().map(|entry| {
            let inner = if part.is_empty() {
                entry.key.to_string()
            } else {
                format!("{part}.{}", entry.key)
            };
            (
                entry.key.clone(),
                self.template(&entry.value, &inner, place),
            )
        });
        compiled.collect()
    }

    /// Compiles a duration.
    pub(super) fn duration(
        &mut self,
        source: &SourceDuration,
        part: &str,
        place: &Place,
    ) -> Duration {
        match &source.kind {
            DurationKind::Fixed(period) => Duration::Fixed(*period),
            DurationKind::Expression(expression) => {
                Duration::Code(Box::new(self.code(expression, part, place)))
            }
        }
    }

    /// Compiles an optional duration.
    pub(super) fn duration_if(
        &mut self,
        source: Option<&SourceDuration>,
        part: &str,
        place: &Place,
    ) -> Option<Duration> {
        source.map(|source| self.duration(source, part, place))
    }

    /// Compiles a timeout, which may be a name.
    pub(super) fn timeout(
        &mut self,
        source: Option<&'a Timeout>,
        place: &Place,
    ) -> Option<Duration> {
        let source = source?;
        let Some(duration) = self.definition.timeout_after(source) else {
            let message = "expected the name of a timeout in `use.timeouts`";
            self.error(Diagnostic::error(
                codes::UNKNOWN_REUSABLE,
                source.span(),
                message,
            ));
            return None;
        };
        Some(self.duration(duration, "timeout.after", place))
    }
}
