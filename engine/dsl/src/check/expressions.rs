//! Every expression, compiled where it stands.

use tongban_expr::{Expression, Language, Read};

use crate::codes;
use crate::definition::{
    ExpressionSource, Mode, SchemaSource, TaskKind, Template, TemplateKind, TextPart,
};
use crate::diagnostic::Diagnostic;
use crate::parse::looks_like_expression;
use crate::span::Span;
use crate::suggest;

use super::scope::Scope;
use super::surroundings::Reference;
use super::walk::Checker;

/// Where an expression stands, and so what it sees.
#[derive(Clone)]
pub(super) struct Setting<'s> {
    pub scope: &'s Scope<'s>,
    /// The task in whose definition it stands; `None` behind the list's end.
    pub at: Option<usize>,
    /// Whether the task has run: `output` exists.
    pub output: bool,
    pub secrets: Secrets,
    /// Variables of this place alone, besides the scope's.
    pub locals: Vec<String>,
    /// Evaluated again and again while the case runs, so that any step may not have run yet.
    pub any_time: bool,
}

/// Whether secrets may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    /// In arguments that leave the machine.
    Allowed,
    /// Where their value would be kept, compared or shown.
    Forbidden,
}

impl<'s> Setting<'s> {
    pub fn before(scope: &'s Scope<'s>, at: usize) -> Self {
        Setting {
            scope,
            at: Some(at),
            output: false,
            secrets: Secrets::Forbidden,
            locals: Vec::new(),
            any_time: false,
        }
    }

    pub fn after(scope: &'s Scope<'s>, at: usize) -> Self {
        Setting {
            output: true,
            ..Self::before(scope, at)
        }
    }

    pub fn at_end(scope: &'s Scope<'s>) -> Self {
        Setting {
            at: None,
            ..Self::after(scope, 0)
        }
    }

    pub fn any_time(scope: &'s Scope<'s>) -> Self {
        Setting {
            any_time: true,
            ..Self::at_end(scope)
        }
    }

    pub fn with(mut self, local: &str) -> Self {
        self.locals.push(local.to_owned());
        self
    }

    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }
}

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

    /// `input[0]` right after a fork.
    fn by_position(&mut self, source: &ExpressionSource, read: &Read, setting: &Setting<'_>) {
        let indexed = source
            .text
            .get(read.at.end..)
            .is_some_and(|rest| rest.trim_start().starts_with('['));
        let argument = matches!(read.root.as_str(), "input" | ".") && read.path.is_empty();
        let before = setting
            .at
            .and_then(|at| setting.scope.tasks.get(at.checked_sub(1)?));
        let Some(TaskKind::Fork(fork)) = before.map(|task| &task.kind) else {
            return;
        };
        if !indexed || !argument || fork.compete {
            return;
        }
        let first = fork
            .branches
            .first()
            .map_or("BRANCH", |branch| branch.name.value.as_str());
        let span = self.place(source, &read.at);
        self.faults.push(
            Diagnostic::warning(
                codes::BY_POSITION,
                span,
                "this reads a branch's result by its position",
            )
            .help(format!("write `steps.{first}` and its like")),
        );
    }

    fn forgotten(&mut self, text: &str, span: Span) {
        if self.definition.evaluate.mode == Mode::Strict
            && looks_like_expression(text, self.definition.evaluate.language)
        {
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

    fn syntax(
        &mut self,
        source: &ExpressionSource,
        error: &tongban_expr::SyntaxError,
        locals: &[&str],
    ) {
        let mut span = self.place(source, &error.at);
        if span.start == span.end || error.at.start >= source.text.len() {
            let at = error.at.start.min(source.text.len().saturating_sub(1));
            let at = source.text.floor_char_boundary(at);
            let next = source
                .text
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .map_or(at, |c| at + c.len_utf8());
            span = self.place(source, &(at..next));
        }
        let found = source
            .text
            .get(error.at.clone())
            .unwrap_or("")
            .trim_start_matches('$');
        let unknown = error.message.contains("variable")
            || error.message.contains("not defined")
                && found.chars().all(|c| c.is_alphanumeric() || c == '_');
        let code = if unknown && !found.is_empty() {
            codes::UNKNOWN_VARIABLE
        } else {
            codes::EXPRESSION_SYNTAX
        };
        let near = || {
            let roots = tongban_expr::Scope::NAMES
                .iter()
                .copied()
                .chain(locals.iter().copied());
            suggest::nearest(found, roots).map(|near| {
                // The name is right: what is missing is the mark of a variable.
                let mark = if near == found { "$" } else { "" };
                format!("did you mean `{mark}{near}`?")
            })
        };
        let help = self
            .cut_off(source)
            .or_else(|| if unknown { near() } else { None })
            .or_else(|| error.help.clone());
        self.faults
            .push(Diagnostic::error(code, span, error.message.clone()).help_if(help));
    }

    /// An unquoted expression that YAML cut off at ` #` or, in `{ }`, at a comma.
    fn cut_off(&self, source: &ExpressionSource) -> Option<String> {
        let text = &self.definition.source;
        let first = text.get(source.span.start as usize..)?.chars().next()?;
        if matches!(first, '\'' | '"' | '|' | '>') {
            return None;
        }
        let rest = text.get(source.span.end as usize..)?.lines().next()?;
        let trimmed = rest.trim_start();
        if trimmed.starts_with('#') && rest.starts_with([' ', '\t']) {
            return Some(
                "` #` begins a comment in YAML: put the whole expression into single quotes"
                    .to_owned(),
            );
        }
        trimmed.starts_with(',').then(|| {
            "a comma ends an unquoted value here: put the whole expression into single quotes"
                .to_owned()
        })
    }

    /// `'approved'`: one character in rhai, not a text. Tells whether that was found.
    fn character_literal(&mut self, source: &ExpressionSource) -> bool {
        let Some(part) = quoted(&source.text) else {
            return false;
        };
        let inner = source
            .text
            .get(part.start + 1..part.end - 1)
            .unwrap_or("")
            .to_owned();
        let span = self.place(source, &part);
        self.faults.push(
            Diagnostic::error(
                codes::SINGLE_QUOTES,
                span,
                format!("`'{inner}'` is no text in rhai: single quotes hold one character"),
            )
            .help(format!("write \"{inner}\"")),
        );
        true
    }

    fn read(&mut self, source: &ExpressionSource, read: &Read, setting: &Setting<'_>) {
        let known_local =
            setting.locals.contains(&read.root) || setting.scope.all_locals().contains(&read.root);
        if known_local {
            return;
        }
        self.by_position(source, read, setting);
        match read.root.as_str() {
            "steps" => self.step(source, read, setting),
            "secrets" => self.secret(source, read, setting),
            "params" => self.parameter(source, read),
            "form" => self.field(source, read),
            "output" if !setting.output => {
                let word = if source.language == Language::Jq {
                    "$output"
                } else {
                    "output"
                };
                let instead = if source.language == Language::Jq {
                    "`.` or `$input`"
                } else {
                    "`input`"
                };
                self.faults.push(
                    Diagnostic::error(codes::NOT_HERE, self.place(source, &read.at), format!("`{word}` is not known before the task has run"))
                        .help(format!("what comes in is {instead} here; `{word}` stands in `output.as` and `export.as`")),
                );
            }
            _ => {}
        }
    }

    fn secret(&mut self, source: &ExpressionSource, read: &Read, setting: &Setting<'_>) {
        let span = self.place(source, &read.at);
        if setting.secrets == Secrets::Forbidden {
            self.faults.push(
                Diagnostic::error(codes::SECRET_MISPLACED, span, "a secret must not stand here: its value would be kept, compared or shown")
                    .help("secrets stand in the arguments of calls that leave the machine, such as `call: http`"),
            );
            return;
        }
        if under_function(&source.text, &read.at) {
            self.faults.push(
                Diagnostic::error(
                    codes::SECRET_MISPLACED,
                    span,
                    "a secret is a marker until it is sent: nothing can be computed from it",
                )
                .help("give it whole, or joined to a text: 'Bearer ${ … }'"),
            );
        }
        let declared: Vec<&str> = self
            .definition
            .reusables
            .secrets
            .iter()
            .map(|name| name.value.as_str())
            .collect();
        if let Some(part) = read
            .path
            .first()
            .filter(|part| !declared.contains(&part.name.as_str()))
        {
            let help = suggest::nearest(&part.name, declared.iter().copied()).map_or_else(
                || format!("declare it: `use: {{ secrets: [{}] }}`", part.name),
                |near| format!("did you mean `{near}`?"),
            );
            self.faults.push(
                Diagnostic::error(
                    codes::UNKNOWN_SECRET,
                    span,
                    format!("`use.secrets` has no `{}`", part.name),
                )
                .help(help),
            );
        }
    }

    fn parameter(&mut self, source: &ExpressionSource, read: &Read) {
        let Some(part) = read.path.first().filter(|part| part.name != "basis") else {
            return;
        };
        let Some(known) = self.surroundings.names(Reference::Parameter) else {
            return;
        };
        if !known.contains(&part.name) {
            let help = suggest::did_you_mean(&part.name, known.iter().map(String::as_str))
                .unwrap_or_else(|| "define it in rules/parameters.yaml".to_owned());
            let span = self.place(source, &read.at);
            self.faults.push(
                Diagnostic::error(
                    codes::UNKNOWN_PARAMETER,
                    span,
                    format!("there is no parameter `{}`", part.name),
                )
                .help(help),
            );
        }
    }

    /// `form.FIELD`, when the form is known and the input is not transformed.
    fn field(&mut self, source: &ExpressionSource, read: &Read) {
        let Some(part) = read.path.first() else {
            return;
        };
        let Some(input) = self
            .definition
            .input
            .as_ref()
            .filter(|input| input.from.is_none())
        else {
            return;
        };
        let schema = match input.schema.as_ref().map(|schema| &schema.source) {
            Some(SchemaSource::Form(path)) => self.surroundings.form(&path.value),
            _ => None,
        };
        let Some(schema) = schema else { return };
        let open = [
            "allOf",
            "anyOf",
            "oneOf",
            "$ref",
            "patternProperties",
            "additionalProperties",
        ];
        if open.iter().any(|word| {
            schema
                .get(word)
                .is_some_and(|value| value.as_bool() != Some(false))
        }) {
            return;
        }
        let Some(properties) = schema
            .get("properties")
            .filter(|properties| properties.get(&part.name).is_none())
        else {
            return;
        };
        let known: Vec<&str> = properties
            .entries()
            .map(|(name, _)| name.as_str())
            .collect();
        let span = self.place(source, &read.at);
        self.faults.push(
            Diagnostic::error(
                codes::UNKNOWN_FIELD,
                span,
                format!("the form has no field `{}`", part.name),
            )
            .help_if(suggest::did_you_mean(&part.name, known)),
        );
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

/// The first text in single quotes that is not one character, outside of rhai's own texts and comments.
fn quoted(text: &str) -> Option<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'`' => {
                at += 1;
                while let Some(&inner) = bytes.get(at).filter(|inner| **inner != byte) {
                    at += if inner == b'\\' { 2 } else { 1 };
                }
            }
            b'\'' => {
                let rest = text.get(at + 1..)?;
                let close = rest.char_indices().scan(false, |escaped, (place, c)| {
                    let ends = c == '\'' && !*escaped;
                    *escaped = c == '\\' && !*escaped;
                    Some((place, ends))
                });
                let end = close
                    .filter(|(_, ends)| *ends)
                    .map(|(place, _)| at + 1 + place)
                    .next()?;
                let inner = text.get(at + 1..end)?;
                if inner.chars().count() != 1 && !inner.starts_with('\\') {
                    return Some(at..end + 1);
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Whether what is read is given to a function.
fn under_function(text: &str, at: &std::ops::Range<usize>) -> bool {
    let before = text.get(..at.start).unwrap_or("").trim_end();
    let after = text.get(at.end..).unwrap_or("").trim_start();
    let argument = before.ends_with(['(', ','])
        && before
            .trim_end_matches(['(', ' ', ','])
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_');
    let piped = after.starts_with('|') && !after.starts_with("||");
    let method = after.starts_with('.') && after.contains('(') || after.starts_with('[');
    argument || piped || method
}
