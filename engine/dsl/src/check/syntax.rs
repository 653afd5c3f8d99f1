//! Expressions that do not compile: what was meant, and where YAML cut them off.

use std::ops::Range;

use tongban_expr::{Expression, Language, Scope, SyntaxError};

use crate::chinese;
use crate::codes;
use crate::definition::ExpressionSource;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::suggest;

use super::checker::Checker;
use super::repair::{self, Repair};

/// How many expressions of one document are repaired: each repair compiles its proposals.
const REPAIRS_MAX: usize = 60;

impl Checker<'_> {
    /// An expression that does not compile.
    pub(super) fn syntax(
        &mut self,
        source: &ExpressionSource,
        error: &SyntaxError,
        locals: &[&str],
    ) {
        let cut = self
            .cut_off(source)
            .filter(|_| error.at.start >= source.text.len());
        if let Some(repair) = self.repair(source, error, locals).filter(|_| cut.is_none()) {
            let span = self.visible(source, repair.at);
            let help = written(source, &repair.text);
            self.faults
                .push(Diagnostic::error(repair.code, span, repair.message).help(help));
            return;
        }
        let found = source.text.get(error.at.clone()).unwrap_or("");
        let name = found.trim_start_matches('$');
        let unknown = !name.is_empty()
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
            && (error.message.contains("variable") || error.message.contains("not defined"));
        let code = if unknown {
            codes::UNKNOWN_VARIABLE
        } else {
            codes::EXPRESSION_SYNTAX
        };
        let help = cut
            .or_else(|| on_purpose(mark_of(source.language), name))
            .or_else(|| self.meant_text(source, error))
            .or_else(|| {
                (chinese::is_written(found) && source.language == Language::Rhai).then(|| {
                    "fields, steps and variables are named by their keys in Latin letters, not by their titles; texts stand in double quotes".to_owned()
                })
            })
            .or_else(|| {
                unknown
                    .then(|| meant(source.language, name, locals))
                    .flatten()
            })
            .or_else(|| error.help.clone())
            .unwrap_or_else(|| habit(source.language, &source.text).to_owned());
        let span = self.visible(source, error.at.clone());
        self.faults
            .push(Diagnostic::error(code, span, error.message.clone()).help(help));
    }

    /// `input.outcome == approved`: a word behind a comparison that is no variable.
    fn meant_text(&self, source: &ExpressionSource, error: &SyntaxError) -> Option<String> {
        let word = source.text.get(error.at.clone())?;
        let before = source.text.get(..error.at.start)?.trim_end();
        let compared = before.ends_with("==") || before.ends_with("!=");
        let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !compared || !plain || source.language != Language::Rhai {
            return None;
        }
        let mut text = source.text.to_string();
        text.replace_range(error.at.clone(), &format!("\"{word}\""));
        Some(format!(
            "a text stands in double quotes: {}",
            written(source, &text)
        ))
    }

    /// A part of the expression; where it is empty or behind the end, the last character.
    fn visible(&self, source: &ExpressionSource, at: Range<usize>) -> Span {
        let span = self.place(source, &at);
        if span.start != span.end && at.start < source.text.len() {
            return span;
        }
        let at = at.start.min(source.text.len().saturating_sub(1));
        let at = source.text.floor_char_boundary(at);
        let next = source.text.get(at..).and_then(|rest| rest.chars().next());
        let end = next.map_or(at, |letter| at + letter.len_utf8());
        self.place(source, &(at..end))
    }

    fn repair(
        &mut self,
        source: &ExpressionSource,
        error: &SyntaxError,
        locals: &[&str],
    ) -> Option<Repair> {
        if self.repairs >= REPAIRS_MAX || source.text.len() > 2_000 {
            return None;
        }
        self.repairs += 1;
        let compiles = |text: &str| {
            !text.trim().is_empty() && Expression::compile(source.language, text, locals).is_ok()
        };
        doubled(source, &compiles)
            .or_else(|| dotless(source, error, &compiles))
            .or_else(|| repair::repaired(source.language, &source.text, &compiles))
    }

    /// Why YAML ended an unquoted expression before its author did.
    fn cut_off(&self, source: &ExpressionSource) -> Option<String> {
        crate::parse::cut_off(&self.definition.source, source.span).map(str::to_owned)
    }

    /// `'approved'`: one character in rhai, not a text. Tells whether that was found.
    pub(super) fn character_literal(&mut self, source: &ExpressionSource) -> bool {
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
            .help(written(source, &in_double_quotes(&source.text))),
        );
        true
    }
}

/// `${{ … }}`: the outer braces are the mark, the inner ones another tool's.
fn doubled(source: &ExpressionSource, compiles: &dyn Fn(&str) -> bool) -> Option<Repair> {
    let before = source.scalar.get(..source.offset as usize)?;
    let inner = source.text.strip_prefix('{')?.strip_suffix('}')?.trim();
    (before.ends_with("${") && compiles(inner)).then(|| Repair {
        code: codes::FOREIGN_WRAPPER,
        message: "`${{ … }}` marks the expressions of another tool".to_owned(),
        at: 0..source.text.len(),
        text: inner.to_owned(),
    })
}

/// `a == 3` in jq: a property without its dot.
fn dotless(
    source: &ExpressionSource,
    error: &SyntaxError,
    compiles: &dyn Fn(&str) -> bool,
) -> Option<Repair> {
    let name = source.text.get(error.at.clone())?;
    let behind = source.text.get(error.at.end..)?;
    let before = source.text.get(..error.at.start)?;
    let property = source.language == Language::Jq
        && !before.ends_with('-')
        && error.message.contains("the filter")
        && crate::parse::is_identifier(name)
        && !behind.trim_start().starts_with('(')
        && !Scope::NAMES.contains(&name)
        && on_purpose("$", name).is_none();
    if !property {
        return None;
    }
    let mut text = source.text.to_string();
    text.insert(error.at.start, '.');
    compiles(&text).then(|| Repair {
        code: codes::UNKNOWN_VARIABLE,
        message: format!("the filter `{name}` is not defined; a property is read with a dot"),
        at: error.at.clone(),
        text,
    })
}

/// The scalar with the expression as it should be, ready to be pasted.
fn written(source: &ExpressionSource, text: &str) -> String {
    let before = source.scalar.get(..source.offset as usize).unwrap_or("");
    let whole = if before.trim_start().starts_with("${") && before.trim() == "${" {
        format!("${{ {text} }}")
    } else {
        text.to_owned()
    };
    if before.trim().is_empty() || before.trim() == "${" {
        format!("write '{}'", whole.replace('\'', "''"))
    } else {
        format!("write ${{ {text} }}")
    }
}

/// What a name that does not exist stands for elsewhere.
const FOREIGN: &[(&str, &str)] = &[
    ("request", "input"),
    ("req", "input"),
    ("data", "input"),
    ("payload", "input"),
    ("body", "input"),
    ("self", "input"),
    ("result", "output"),
    ("response", "output"),
    ("ctx", "context"),
    ("vars", "context"),
    ("variables", "context"),
    ("state", "context"),
    ("user", "workflow.starter"),
    ("initiator", "workflow.starter"),
    ("applicant", "workflow.starter"),
    ("starter", "workflow.starter"),
    ("process", "workflow"),
    ("case", "workflow"),
    ("instance", "workflow"),
    ("parameters", "params"),
    ("config", "params"),
    ("step", "steps"),
    ("tasks", "steps"),
    ("nodes", "steps"),
    ("activities", "steps"),
];

/// What a variable begins with.
pub(super) fn mark_of(language: Language) -> &'static str {
    match language {
        Language::Jq => "$",
        Language::Rhai => "",
    }
}

fn meant(language: Language, name: &str, locals: &[&str]) -> Option<String> {
    let mark = mark_of(language);
    if let Some(help) = on_purpose(mark, name) {
        return Some(help);
    }
    let names = Scope::NAMES.iter().copied().chain(locals.iter().copied());
    let foreign = FOREIGN
        .iter()
        .find(|(foreign, _)| *foreign == name)
        .map(|(_, ours)| *ours);
    if let Some(near) = suggest::nearest(name, names) {
        return Some(format!("did you mean `{mark}{near}`?"));
    }
    if let Some(ours) = foreign {
        return Some(format!("it is called `{mark}{ours}` here"));
    }
    matches!(name, "item" | "index" | "each").then(|| {
        format!("`{name}` is known inside of a `for` only, unless `each` or `at` name it otherwise")
    })
}

/// What other programs have and an expression of a case must not: it is evaluated again and has to give the same.
pub(super) fn on_purpose(mark: &str, name: &str) -> Option<String> {
    match name {
        "now" | "today" | "date" | "time" | "timestamp" | "localtime" | "mktime" => Some(format!(
            "expressions have no clock: write `{mark}task.startedAt.iso8601`, the moment at which this task began, `{mark}workflow.startedAt.iso8601`, or `{mark}workflow.startedOn`, the date of the start"
        )),
        "env" | "ENV" | "getenv" => Some(format!(
            "expressions do not see the machine's environment: dated values are `{mark}params.NAME`, secrets `{mark}secrets.NAME`"
        )),
        "inputs" => Some(format!("there is one input: `{mark}input`")),
        "input" if mark == "$" => {
            Some("there is one input: write `.`, or `$input`".to_owned())
        }
        "debug" | "stderr" | "print" | "log" => Some(
            "nothing is printed from an expression: the history of a case shows what each task gave"
                .to_owned(),
        ),
        _ => None,
    }
}

/// What there is to know about a language whose parser says no more.
fn habit(language: Language, text: &str) -> &'static str {
    match language {
        Language::Rhai if text.contains('|') && text.contains("=>") || text.contains("(|") => {
            "expressions have no closures; lists have `pluck(f)`, `where(f, value)`, `sum_by(f)`, `max_by(f)`; more belongs into a rule file"
        }
        Language::Rhai => {
            "an expression of rhai looks like `input.outcome == \"approved\" && form.days > 3`; statements belong into a rule file"
        }
        Language::Jq => {
            "an expression of jq looks like `.outcome == \"approved\" and .days > 3`; what is chained stands behind `|`"
        }
    }
}

/// The expression with every text of it in double quotes.
fn in_double_quotes(text: &str) -> String {
    let mut out = text.to_owned();
    // Each turn takes one pair of single quotes away.
    while let Some(part) = quoted(&out) {
        let inner = out.get(part.start + 1..part.end - 1).unwrap_or("");
        let plain = inner.replace("\\'", "'").replace('"', "\\\"");
        out.replace_range(part, &format!("\"{plain}\""));
    }
    out
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
