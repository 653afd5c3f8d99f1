//! What a step of people can answer, and what expressions take its answer for.

use tongban_expr::{Language, Read};

use crate::chinese;
use crate::codes;
use crate::definition::{
    Call, Definition, ExpressionSource, Task, TaskKind, Template, TemplateKind,
};
use crate::diagnostic::Diagnostic;
use crate::suggest;

use super::checker::Checker;
use super::scope::{ListKind, Scope};
use super::setting::Setting;

/// The outcomes of a step of people; `None` when they are not known before it runs.
pub(super) fn declared(call: &Call) -> Option<Vec<&str>> {
    let given = call.with.as_ref().and_then(|with| with.get("outcomes"));
    match (given, call.function.value.as_str()) {
        (Some(outcomes), "approve" | "collect") => {
            let names = outcomes.entries().iter().map(|entry| &*entry.key);
            (!outcomes.entries().is_empty()).then(|| names.collect())
        }
        (None, "approve") => Some(vec!["approved", "rejected"]),
        (None, "collect") => Some(vec!["submitted"]),
        (_, "notice") => Some(vec!["clear", "objected"]),
        _ => None,
    }
}

/// Whether any step of people may answer with an outcome that refuses a person.
pub(super) fn document_refuses(definition: &Definition) -> bool {
    definition.roots().any(refuses)
}

fn refuses(task: &Task) -> bool {
    let own = match &task.kind {
        TaskKind::Call(call) => call.with.as_ref().and_then(|with| with.get("outcomes")),
        _ => None,
    };
    let marked = own.is_some_and(|outcomes| match &outcomes.kind {
        // What an expression gives is not known before it runs.
        TemplateKind::Expression(_) => true,
        _ => outcomes
            .entries()
            .iter()
            .any(|outcome| outcome.value.get("x-refusal").is_some()),
    });
    marked
        || task
            .scopes()
            .into_iter()
            .any(|(_, tasks)| tasks.iter().any(refuses))
}

/// The outcome that people know by this title, or that a Chinese word means.
pub(super) fn titled<'c>(call: &'c Call, declared: &[&'c str], title: &str) -> Option<&'c str> {
    let given = call.with.as_ref().and_then(|with| with.get("outcomes"));
    let own = given.map(Template::entries).unwrap_or_default();
    own.iter()
        .find(|entry| entry.value.as_str() == Some(title))
        .map(|entry| &*entry.key)
        .or_else(|| chinese::value(title, declared))
}

/// Every outcome that a step can come out with: its own, and the ones that silence and returns give.
fn possible(task: &Task) -> Option<Vec<&str>> {
    let TaskKind::Call(call) = &task.kind else {
        return None;
    };
    if task.output.is_some() {
        return None;
    }
    let mut found = declared(call)?;
    let with = call.with.as_ref();
    let timeout = with.and_then(|with| with.get("timeout"));
    let at_timeout = with
        .and_then(|with| with.get("correct"))
        .and_then(|correct| correct.get("atTimeout"));
    for other in [timeout, at_timeout].into_iter().flatten() {
        found.push(other.as_str()?);
    }
    // Nobody there: `empty: pass` and `empty: reject` decide by themselves.
    if with
        .and_then(|with| with.get("empty"))
        .and_then(Template::as_str)
        == Some("reject")
    {
        found.push("rejected");
    }
    Some(found)
}

impl Checker<'_> {
    /// `input.outcome == "aproved"` and `steps.office.outcome == "agreed"`.
    pub(super) fn compared(
        &mut self,
        source: &ExpressionSource,
        read: &Read,
        setting: &Setting<'_>,
    ) {
        let Some((text, place)) = compared_text(&source.text, read) else {
            return;
        };
        let step = match (read.root.as_str(), read.path.as_slice()) {
            ("steps", [step, outcome]) if outcome.name == "outcome" => Some(step.name.as_str()),
            ("input" | ".", [outcome]) if outcome.name == "outcome" && !setting.output => None,
            _ => return,
        };
        let producers = match step {
            Some(name) => setting.scope.step(name).map(|task| vec![task]),
            None => producers(setting),
        };
        let Some(producers) = producers.filter(|tasks| !tasks.is_empty()) else {
            return;
        };
        let mut known: Vec<&str> = Vec::new();
        for task in &producers {
            match possible(task) {
                Some(outcomes) => known.extend(outcomes),
                None => return,
            }
        }
        if known.contains(&text.as_str()) {
            return;
        }
        known.dedup();
        let names: Vec<&str> = producers
            .iter()
            .map(|task| task.name.value.as_str())
            .collect();
        let message = format!("{} never comes out as `{text}`", suggest::list(&names));
        let meant = producers.iter().find_map(|task| match &task.kind {
            TaskKind::Call(call) => titled(call, &known, &text),
            _ => None,
        });
        let help = meant
            .or_else(|| suggest::nearest(&text, known.iter().copied()))
            .map_or_else(
                || format!("it comes out as {}", suggest::list(&known)),
                |near| format!("did you mean `{near}`?"),
            );
        let span = self.place(source, &place);
        self.faults
            .push(Diagnostic::error(codes::UNKNOWN_OUTCOME, span, message).help(help));
    }

    /// `input.outcom` right behind a step of people, and `input.data` where it asked for no form.
    pub(super) fn answer(&mut self, source: &ExpressionSource, read: &Read, setting: &Setting<'_>) {
        let argument = matches!(read.root.as_str(), "input" | ".") && !setting.output;
        let (Some(part), true) = (read.path.first(), argument) else {
            return;
        };
        let Some(tasks) = producers(setting).filter(|tasks| !tasks.is_empty()) else {
            return;
        };
        let mut known: Vec<String> = Vec::new();
        let mut formless = true;
        for task in &tasks {
            let TaskKind::Call(call) = &task.kind else {
                return;
            };
            let name = call.function.value.as_str();
            if task.output.is_some() || !matches!(name, "approve" | "collect" | "notice" | "notify")
            {
                return;
            }
            formless &= name == "approve" && asks_nothing(call);
            let Some(signature) = self.surroundings.function(name) else {
                return;
            };
            let Some(properties) = signature.result.get("properties") else {
                return;
            };
            known.extend(properties.entries().map(|(name, _)| name.to_string()));
        }
        let names: Vec<&str> = tasks.iter().map(|task| task.name.value.as_str()).collect();
        let shown = suggest::list(&names);
        let span = self.place(source, &read.at);
        let word = if source.language == Language::Jq {
            "$form"
        } else {
            "form"
        };
        if !known.contains(&part.name) {
            let near = suggest::nearest(&part.name, known.iter().map(String::as_str));
            let help = near.map_or_else(
                || {
                    format!(
                        "the application is `{word}.{}`; `input` is what the task before gave",
                        part.name
                    )
                },
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("{shown} gives no `{}`", part.name);
            self.faults
                .push(Diagnostic::error(codes::UNKNOWN_RESULT, span, message).help(help));
        } else if part.name == "data" && formless {
            let message = format!("{shown} asks for no form, so its answer has no `data`");
            self.faults.push(
                Diagnostic::warning(codes::UNKNOWN_RESULT, span, message).help(format!(
                    "the application is `{word}`; an answer with data comes from `call: collect`"
                )),
            );
        }
    }
}

pub(super) fn asks_nothing(call: &Call) -> bool {
    let has = |name: &str| {
        call.with
            .as_ref()
            .is_some_and(|with| with.get(name).is_some())
    };
    !has("form") && !has("fields") && !has("data")
}

/// The tasks whose output may be the input here; `None` when something else may be.
fn producers<'s>(setting: &Setting<'s>) -> Option<Vec<&'s Task>> {
    let scope: &Scope<'s> = setting.scope;
    let at = setting.at?;
    if scope.kind == ListKind::Branches || at == 0 || setting.any_time {
        return None;
    }
    if scope
        .tasks
        .get(at)?
        .input
        .as_ref()
        .is_some_and(|input| input.from.is_some())
    {
        return None;
    }
    let mut found = Vec::new();
    let mut seen = vec![false; scope.tasks.len()];
    let mut waiting = vec![at];
    while let Some(here) = waiting.pop() {
        if here == 0 {
            return None;
        }
        for before in scope.graph.before(here) {
            let task = scope.tasks.get(before)?;
            match seen.get_mut(before) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match &task.kind {
                // A switch hands its input on.
                TaskKind::Switch(_) | TaskKind::Wait(_) if task.output.is_none() => {
                    waiting.push(before)
                }
                TaskKind::Call(_) => {
                    found.push(task);
                    if task.if_.is_some() {
                        waiting.push(before);
                    }
                }
                // What other tasks give is not known.
                _ => return None,
            }
        }
    }
    found.sort_by_key(|task| task.span.start);
    Some(found)
}

/// `== "text"` behind a read, or `"text" ==` before it, with the place of the text.
fn compared_text(text: &str, read: &Read) -> Option<(String, std::ops::Range<usize>)> {
    let behind = text.get(read.at.end..)?;
    let trimmed = behind.trim_start();
    let operator = trimmed
        .strip_prefix("==")
        .or_else(|| trimmed.strip_prefix("!="))?;
    let value = operator.trim_start();
    let start = text.len() - value.len();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '`'))?;
    let inner = value.get(1..)?;
    let end = inner.find(quote)?;
    let found = inner.get(..end)?;
    let plain = !found.contains(['\\', '$']);
    plain.then(|| (found.to_owned(), start..start + end + 2))
}
