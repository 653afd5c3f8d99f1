//! What an expression reads, held against what there is: secrets, parameters, fields of the form, branches by position.

use tongban_expr::{Language, Read};

use crate::codes;
use crate::definition::{ExpressionSource, SchemaSource, TaskKind};
use crate::diagnostic::Diagnostic;
use crate::suggest;

use super::calls::secret_meant;
use super::checker::Checker;
use super::fields;
use super::setting::{Secrets, Setting};
use super::surroundings::Reference;

impl Checker<'_> {
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

    pub(super) fn read(&mut self, source: &ExpressionSource, read: &Read, setting: &Setting<'_>) {
        let known_local =
            setting.locals.contains(&read.root) || setting.scope.all_locals().contains(&read.root);
        if known_local {
            return;
        }
        self.by_position(source, read, setting);
        self.compared(source, read, setting);
        self.answer(source, read, setting);
        match read.root.as_str() {
            "steps" => self.step(source, read, setting),
            "secrets" => self.secret(source, read, setting),
            "params" => self.parameter(source, read),
            "form" => self.field(source, read),
            "workflow" => self.numberless(source, read),
            "context" => self.context_property(source, read),
            _ => {}
        }
        self.absent(source, read, setting);
    }

    /// Variables that the language's table of expression arguments does not give to this place.
    fn absent(&mut self, source: &ExpressionSource, read: &Read, setting: &Setting<'_>) {
        let name = read.root.as_str();
        let jq = source.language == Language::Jq;
        let word = if jq {
            format!("${name}")
        } else {
            name.to_owned()
        };
        let (message, help) = if name == "output" && !setting.output {
            let instead = if jq { "`.` or `$input`" } else { "`input`" };
            (
                format!("`{word}` is not known before the task has run"),
                format!(
                    "what comes in is {instead} here; `{word}` stands in `output.as` and `export.as`"
                ),
            )
        } else if setting
            .absent
            .iter()
            .any(|absent| absent.name == name && (jq || absent.in_rhai))
        {
            let instead = if jq {
                "what it is evaluated on is `.`"
            } else if setting.output {
                "what it is evaluated on is `output`"
            } else {
                "what it is evaluated on is `input`"
            };
            (
                format!("`{word}` is not known in this expression"),
                format!("{instead}; `tongban explain TB0410` says what is known where"),
            )
        } else {
            return;
        };
        let span = self.place(source, &read.at);
        self.faults
            .push(Diagnostic::error(codes::NOT_HERE, span, message).help(help));
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
        let declared = self.declared_secrets();
        let named = read.path.first().map(|part| part.name.as_str());
        if let Some(name) = named.filter(|name| !declared.contains(name)) {
            let message = format!("`use.secrets` has no `{name}`");
            self.faults.push(
                Diagnostic::error(codes::UNKNOWN_SECRET, span, message)
                    .help(secret_meant(name, &declared)),
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

    /// `context.x`, where every export replaces the context and none of them gives an `x`.
    fn context_property(&mut self, source: &ExpressionSource, read: &Read) {
        let Some(part) = read.path.first() else {
            return;
        };
        let Some(exported) = &self.exported else {
            return;
        };
        // Before the first export the context is the workflow's input.
        if self.exports == 0 || exported.is_empty() || exported.contains(&part.name) {
            return;
        }
        let known: Vec<&str> = exported.iter().map(String::as_str).collect();
        let help = suggest::nearest(&part.name, known.iter().copied()).map_or_else(
            || match source.language {
                Language::Jq => {
                    "carry the context on: `export: { as: '$context + { … }' }`".to_owned()
                }
                Language::Rhai => {
                    "carry the context on: `export: { as: 'context + #{ … }' }`".to_owned()
                }
            },
            |near| format!("did you mean `{near}`?"),
        );
        let span = self.place(source, &read.at);
        self.faults.push(
            Diagnostic::warning(
                codes::EXPORT_DROPS,
                span,
                format!(
                    "no `export` gives `{}`, and each of them replaces the context",
                    part.name
                ),
            )
            .help(help),
        );
    }

    /// `workflow.number` of a case that gets no number.
    fn numberless(&mut self, source: &ExpressionSource, read: &Read) {
        let case = self.definition.document.metadata.case.as_ref();
        let numbered = case
            .and_then(|case| case.number.as_ref())
            .is_some_and(|number| number.value != "none");
        if numbered || read.path.first().is_none_or(|part| part.name != "number") {
            return;
        }
        let prefix = self.definition.document.name.value.to_uppercase();
        let span = self.place(source, &read.at);
        self.faults.push(
            Diagnostic::warning(
                codes::NUMBERLESS,
                span,
                "the cases of this workflow have no number: it is empty here",
            )
            .help(format!(
                "add `metadata: {{ case: {{ number: '{prefix}{{yyyy}}-{{seq:5}}' }} }}` to `document`"
            )),
        );
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
        let Some(properties) =
            fields::listed(&schema).filter(|properties| properties.get(&part.name).is_none())
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
            .help(
                fields::titled(properties, &part.name)
                    .map(|near| format!("did you mean `{near}`?"))
                    .or_else(|| suggest::did_you_mean(&part.name, known.iter().copied()))
                    .unwrap_or_else(|| format!("its fields are {}", suggest::all(&known))),
            ),
        );
    }
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
