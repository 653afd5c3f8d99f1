//! The titles of tasks in the language of a reader.

use tongban_dsl::definition::{Task, TaskKind, Template};

/// The English title (`x-en`) of the task at a path, when its author gave one.
pub(crate) fn english(tasks: &[Task], path: &str) -> Option<String> {
    let (name, rest) = match path.split_once('/') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    // Iterations of a loop share their task's title.
    let name = name.split('[').next().unwrap_or(name);
    let task = tasks.iter().find(|task| task.name.value == name)?;
    match rest {
        None => own(task),
        Some(rest) => match (&task.kind, rest.strip_prefix("catch/")) {
            (TaskKind::Try(body), Some(caught)) => {
                english(&body.catch.tasks, caught).or_else(|| english(&body.tasks, rest))
            }
            (TaskKind::Try(body), None) => english(&body.tasks, rest),
            (TaskKind::Do(tasks), _) => english(tasks, rest),
            (TaskKind::For(each), _) => english(&each.tasks, rest),
            (TaskKind::Fork(fork), _) => english(&fork.branches, rest),
            _ => None,
        },
    }
}

fn own(task: &Task) -> Option<String> {
    let extra = task.metadata.extra.iter();
    let entry = extra.into_iter().find(|entry| &*entry.key == "x-en")?;
    let title = Template::constant(&entry.value)?;
    title.as_str().map(str::to_owned)
}
