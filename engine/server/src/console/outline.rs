//! The steps of a case in words: the diagram's equal for everybody who cannot see it.

use std::collections::HashMap;

use askama::Template;
use tongban_core::Mark;
use tongban_dsl::definition::{Task, TaskKind, Template as Source, TemplateKind};
use tongban_runtime::CaseView;

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

/// The title of a task: the author's text, or its name.
pub fn task_title(task: &Task) -> String {
    task.metadata
        .title
        .as_ref()
        .and_then(plain)
        .unwrap_or_else(|| task.name.value.clone())
}

fn plain(title: &Source) -> Option<String> {
    match &title.kind {
        TemplateKind::Literal(value) => value.as_str().map(str::to_owned),
        _ => None,
    }
}

/// Renders the steps of a case as nested lists.
pub fn outline(case: &CaseView, words: &'static Words) -> String {
    let marks: HashMap<String, Mark> = case.instance.marks(&case.program).into_iter().collect();
    list(&case.definition.tasks, "", &marks, words)
}

/// The titles of all tasks by path.
pub fn titles(case: &CaseView) -> HashMap<String, String> {
    fn walk(tasks: &[Task], prefix: &str, titles: &mut HashMap<String, String>) {
        for task in tasks {
            let path = format!("{prefix}{}", task.name.value);
            titles.insert(path.clone(), task_title(task));
            for (inside, step) in children(&task.kind) {
                walk(inside, &format!("{path}/{step}"), titles);
            }
        }
    }
    let mut titles = HashMap::new();
    walk(&case.definition.tasks, "", &mut titles);
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

fn list(
    tasks: &[Task],
    prefix: &str,
    marks: &HashMap<String, Mark>,
    words: &'static Words,
) -> String {
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
                .map(|(tasks, step)| list(tasks, &format!("{path}/{step}"), marks, words))
                .collect();
            Step {
                class,
                sign,
                title: task_title(task),
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
