//! Rules: that they can be compiled, and that what their `rule(…)` name in quotes exists.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use tongban_dsl::definition::{RunKind, ScriptSource, Task, TaskKind, TemplateKind};
use tongban_dsl::{Diagnostic, Span, codes};
use tongban_expr::Script;

use super::{Checking, near};

/// What `rule` compares by.
const COMPARE: &[&str] = &["<", "<=", "==", "!=", ">=", ">"];

impl Checking<'_> {
    pub(super) fn rules(&mut self) {
        let rules: Vec<(String, Arc<str>)> = self.files_with(".rhai");
        for (path, source) in rules {
            if let Err(error) = Script::compile(&source, &path) {
                let span = Span::of(&source, error.at.clone());
                let help = error.help.unwrap_or_else(|| {
                    "the manual, “Packs”, says what a rule file sees and gives".to_owned()
                });
                self.push(
                    &path,
                    Diagnostic::error(codes::PACK_RULE, span, error.message).help(help),
                );
                continue;
            }
            let given = self.sources_given(&path);
            for arguments in rule_calls(&source) {
                self.rule_names(&path, &source, &arguments);
                if let (Some(given), Some(sources)) = (&given, arguments.get(1)) {
                    self.rule_sources(&path, &source, sources.clone(), given);
                }
            }
        }
    }

    /// `rule(id, sources, measure, compare, parameter)`: the last two, where they are written as texts.
    fn rule_names(&mut self, path: &str, source: &str, arguments: &[Range<usize>]) {
        let [_, _, _, compare, parameter] = arguments else {
            return;
        };
        let text = |at: &Range<usize>| {
            let inner = source
                .get(at.clone())?
                .strip_prefix('"')?
                .strip_suffix('"')?;
            (!inner.contains(['\\', '"'])).then_some(inner)
        };
        if let Some(sign) = text(compare).filter(|sign| !COMPARE.contains(sign)) {
            let message = format!("`{sign}` does not compare");
            let help = match compare_meant(sign) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("write one of `{}`", COMPARE.join("` `")),
            };
            let span = Span::of(source, compare.clone());
            self.push(
                path,
                Diagnostic::error(codes::PACK_RULE, span, message).help(help),
            );
        }
        let known: Vec<String> = self
            .pack
            .parameters
            .get("parameters")
            .into_iter()
            .flat_map(tongban_expr::Value::entries)
            .map(|(id, _)| id.to_string())
            .collect();
        if let Some(id) = text(parameter).filter(|id| !known.iter().any(|known| known == id)) {
            let help = near(
                id,
                known.iter().map(String::as_str),
                "define it in rules/parameters.yaml",
            );
            let span = Span::of(source, parameter.clone());
            let message = format!("there is no parameter `{id}`");
            self.push(
                path,
                Diagnostic::error(codes::UNKNOWN_PARAMETER, span, message).help(help),
            );
        }
    }

    /// The sources of a rule that no workflow gives to its file: the rule would be undetermined for ever.
    fn rule_sources(
        &mut self,
        path: &str,
        source: &str,
        listed: Range<usize>,
        given: &BTreeSet<String>,
    ) {
        let text = source.get(listed.clone()).unwrap_or("");
        let mut quotes = text.match_indices('"').map(|(at, _)| at);
        while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
            let name = text.get(open + 1..close).unwrap_or("");
            if given.contains(name) {
                continue;
            }
            let span = Span::of(source, listed.start + open..listed.start + close + 1);
            let help = near(
                name,
                given.iter().map(String::as_str),
                "give it under `sources` in the `input.from` of the task that runs this file",
            );
            let message = format!("no workflow gives this file the source `{name}`");
            self.push(
                path,
                Diagnostic::warning(codes::PACK_RULE, span, message).help(help),
            );
        }
    }

    /// The names of the sources that the workflows of the pack give to a rule file; `None` when that cannot be told.
    fn sources_given(&self, path: &str) -> Option<BTreeSet<String>> {
        if self.unread_workflows() {
            return None;
        }
        let mut given = BTreeSet::new();
        let mut users = 0;
        for workflow in &self.pack.workflows {
            for task in workflow.definition.roots() {
                users += gather_sources(task, path, &mut given)?;
            }
        }
        (users > 0).then_some(given)
    }

    pub(super) fn files_with(&self, ending: &str) -> Vec<(String, Arc<str>)> {
        let files = self.pack.files.iter();
        files
            .filter(|(path, _)| path.ends_with(ending))
            .map(|(path, source)| (path.clone(), source.clone()))
            .collect()
    }
}

/// The sources that a task, or one inside of it, gives to the rule file that it runs; how many tasks run it, or `None`
/// when one of them gives what cannot be told.
fn gather_sources(task: &Task, path: &str, given: &mut BTreeSet<String>) -> Option<usize> {
    let mut users = 0;
    if let TaskKind::Run(run) = &task.kind
        && let RunKind::Script {
            source: ScriptSource::Resource(file),
            ..
        } = &run.kind
        && file.pack_path() == Some(path)
    {
        let from = task.input.as_ref()?.from.as_ref()?;
        match &from.kind {
            TemplateKind::Object(_) => {
                let sources = from.get("sources")?.entries();
                given.extend(sources.iter().map(|entry| entry.key.to_string()));
                (!sources.is_empty()).then_some(())?;
            }
            TemplateKind::Expression(source) => given.extend(literal_sources(&source.text)?),
            _ => return None,
        }
        users += 1;
    }
    for (_, tasks) in task.scopes() {
        for inner in tasks {
            users += gather_sources(inner, path, given)?;
        }
    }
    Some(users)
}

/// The keys of `sources: #{ a: …, b: … }` (or of jq's `{ … }`) in an expression.
fn literal_sources(text: &str) -> Option<Vec<String>> {
    let code = without_texts(text);
    let at = code.find("sources:")? + "sources:".len();
    let rest = code.get(at..)?;
    let open = rest.trim_start().trim_start_matches('#');
    let inside = open.strip_prefix('{')?;
    let (mut depth, mut from) = (0_usize, 0);
    let mut keys = Vec::new();
    for (at, sign) in inside.char_indices() {
        let ends = depth == 0 && matches!(sign, ',' | '}');
        if ends {
            let part = inside.get(from..at)?;
            match part.split_once(':').map(|(key, _)| key.trim()) {
                // A key in quotes was blanked out.
                Some("") => return None,
                Some(key) => keys.push(key.to_owned()),
                None => {}
            }
            from = at + 1;
        }
        match sign {
            '(' | '[' | '{' => depth += 1,
            '}' if depth == 0 => {
                // What is added to the literal is not known.
                let more = inside.get(at + 1..)?.trim_start();
                return more.starts_with([',', '}']).then_some(keys);
            }
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// The comparison that another sign or a word means.
fn compare_meant(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "=<" | "≤" | "⩽" | "不超过" | "至多" | "小于等于" | "le" | "lte" | "atMost" => {
            "<="
        }
        "=>" | "≥" | "⩾" | "不低于" | "至少" | "大于等于" | "ge" | "gte" | "atLeast" => {
            ">="
        }
        "=" | "===" | "等于" | "eq" => "==",
        "<>" | "≠" | "不等于" | "ne" => "!=",
        "＜" | "小于" | "低于" | "lt" => "<",
        "＞" | "大于" | "高于" | "gt" => ">",
        _ => return None,
    })
}

/// The arguments of every `rule(…)` of a rule file, each as its bytes without the spaces around it.
fn rule_calls(source: &str) -> Vec<Vec<Range<usize>>> {
    let code = without_texts(source);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("rule(") {
        let before = code.get(..at).and_then(|before| before.chars().next_back());
        let named = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        if !before.is_some_and(named) {
            found.extend(arguments(source, &code, at + "rule(".len()));
        }
    }
    found
}

/// The arguments from behind the bracket to the one that closes it.
fn arguments(source: &str, code: &str, from: usize) -> Option<Vec<Range<usize>>> {
    let mut depth = 0_usize;
    // The commas between `|s, f|` separate parameters.
    let mut parameters = false;
    let mut start = from;
    let mut found = Vec::new();
    let mut take = |start: usize, end: usize| {
        let text = source.get(start..end).unwrap_or("");
        let first = start + text.len() - text.trim_start().len();
        found.push(first..first + text.trim().len());
    };
    for (at, sign) in code.char_indices().skip_while(|(at, _)| *at < from) {
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth > 0 => depth -= 1,
            ')' => {
                take(start, at);
                return Some(found);
            }
            ']' | '}' => return None,
            '|' if depth == 0 => parameters = !parameters,
            ',' if depth == 0 && !parameters => {
                take(start, at);
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// A script in which every byte of texts and comments is a space, so that what is left is code at its place.
fn without_texts(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '`' => quoted(rest, first),
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ => 0,
        };
        if length == 0 {
            code.push(first);
        } else {
            code.extend(std::iter::repeat_n(' ', length));
        }
        rest = rest.get(length.max(first.len_utf8())..).unwrap_or_default();
    }
    code
}

/// How many bytes a text has that begins here, its quotes included.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, sign) in rest.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            sign if sign == quote => return at + sign.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}
