//! The steps of a case in words: the diagram's equal for everybody who cannot see it.

use std::collections::HashMap;

use askama::Template;
use tongban_core::Mark;
use tongban_dsl::definition::{Definition, Task, TaskKind, Template as Source, TemplateKind};
use tongban_runtime::CaseView;

use crate::language::{InWords, Language};
use crate::words::Words;

/// A step with what stands inside it already rendered.
struct Step {
    class: &'static str,
    sign: &'static str,
    title: String,
    state: &'static str,
    inside: String,
}

#[derive(Template)]
#[template(path = "outline.html")]
struct OutlineTemplate<'a> {
    steps: &'a [Step],
}

/// The title of a task: the author's text in the reader's language (`x-en`), or its name.
pub fn task_title(task: &Task, language: Language) -> String {
    let metadata = &task.metadata;
    let english = || {
        let entry = metadata.extra.iter().find(|entry| &*entry.key == "x-en")?;
        plain(&entry.value)
    };
    Some(language)
        .filter(|language| *language == Language::English)
        .and_then(|_| english())
        .or_else(|| metadata.title.as_ref().and_then(plain))
        .unwrap_or_else(|| task.name.value.clone())
}

/// The title of a workflow in the reader's language.
pub fn workflow_title(definition: &Definition, language: Language) -> String {
    let document = &definition.document;
    let extra = document.metadata.extra.iter();
    let english = extra
        .filter(|_| language == Language::English)
        .find(|entry| &*entry.key == "x-en")
        .and_then(|entry| plain(&entry.value));
    english
        .or_else(|| document.title.as_ref().map(|title| title.value.clone()))
        .unwrap_or_else(|| document.name.value.clone())
}

/// The titles of the steps of people that come after a task in the order in which they are written.
pub fn later_steps(case: &CaseView, path: &str, language: Language) -> Vec<String> {
    fn walk(tasks: &[Task], prefix: &str, found: &mut Vec<(String, String)>, language: Language) {
        for task in tasks {
            let path = format!("{prefix}{}", task.name.value);
            if let TaskKind::Call(call) = &task.kind
                && matches!(
                    call.function.value.as_str(),
                    "approve" | "collect" | "notice"
                )
            {
                found.push((path.clone(), task_title(task, language)));
            }
            for (inside, step) in children(&task.kind) {
                walk(inside, &format!("{path}/{step}"), found, language);
            }
        }
    }
    let mut found = Vec::new();
    walk(&case.definition.tasks, "", &mut found, language);
    let at = found.iter().position(|(known, _)| known == path);
    let later = at.map_or(found.len(), |at| at + 1);
    found
        .into_iter()
        .skip(later)
        .map(|(_, title)| title)
        .collect()
}

fn plain(title: &Source) -> Option<String> {
    match &title.kind {
        TemplateKind::Literal(value) => value.as_str().map(str::to_owned),
        _ => None,
    }
}

/// Renders the steps of a case as nested lists.
pub fn outline(case: &CaseView, language: Language) -> String {
    let marks: HashMap<String, Mark> = case.instance.marks(&case.program).into_iter().collect();
    list(&case.definition.tasks, "", &marks, language)
}

/// The titles of all tasks by path.
pub fn titles(case: &CaseView, language: Language) -> HashMap<String, String> {
    fn walk(
        tasks: &[Task],
        prefix: &str,
        titles: &mut HashMap<String, String>,
        language: Language,
    ) {
        for task in tasks {
            let path = format!("{prefix}{}", task.name.value);
            titles.insert(path.clone(), task_title(task, language));
            for (inside, step) in children(&task.kind) {
                walk(inside, &format!("{path}/{step}"), titles, language);
            }
        }
    }
    let mut titles = HashMap::new();
    walk(&case.definition.tasks, "", &mut titles, language);
    titles
}

/// The lists of tasks inside a task, each with what its paths say beside the task's own.
fn children(kind: &TaskKind) -> Vec<(&[Task], &'static str)> {
    match kind {
        TaskKind::Do(tasks) => vec![(tasks, "")],
        TaskKind::For(each) => vec![(&each.tasks, "")],
        TaskKind::Fork(fork) => vec![(&fork.branches, "")],
        TaskKind::Try(body) => vec![(&body.tasks, ""), (&body.catch.tasks, "catch/")],
        _ => Vec::new(),
    }
}

fn list(tasks: &[Task], prefix: &str, marks: &HashMap<String, Mark>, language: Language) -> String {
    let words: &'static Words = language.words();
    let steps: Vec<Step> = tasks
        .iter()
        .map(|task| {
            let path = format!("{prefix}{}", task.name.value);
            let (class, sign, state) = match marks.get(&path) {
                Some(Mark::Done) => ("done", "✓", words.mark_done),
                Some(Mark::Doing) => ("doing", "▶", words.mark_doing),
                Some(Mark::Skipped) => ("skipped", "–", words.mark_skipped),
                Some(Mark::Failed) => ("failed", "✕", words.mark_failed),
                Some(Mark::Cancelled) => ("skipped", "–", words.mark_skipped),
                None => ("not-reached", "○", words.mark_not_reached),
            };
            let inside = children(&task.kind);
            let inside = inside
                .into_iter()
                .map(|(tasks, step)| list(tasks, &format!("{path}/{step}"), marks, language))
                .collect();
            Step {
                class,
                sign,
                title: task_title(task, language),
                state,
                inside,
            }
        })
        .collect();
    if steps.is_empty() {
        return String::new();
    }
    OutlineTemplate { steps: &steps }
        .render()
        .unwrap_or_default()
}
