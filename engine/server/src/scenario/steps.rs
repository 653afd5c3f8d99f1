//! The steps of a definition as scenarios name them: by path, with the outcomes that people may give.

use tongban_dsl::definition::{Definition, Task, TaskKind, Template, TemplateKind};

/// How deep functions may call each other.
pub(super) const CALLS_MAX: usize = 8;

/// The paths of all tasks of a definition in the order of the document, those of functions below every call of them.
pub(super) fn all_paths(definition: &Definition) -> Vec<String> {
    let mut found = Vec::new();
    walk(&definition.tasks, "", definition, 0, &mut |path, _| {
        found.push(path.to_string());
    });
    found
}

/// Every task below a list with its path.
pub(super) fn walk<'d>(
    tasks: &'d [Task],
    above: &str,
    definition: &'d Definition,
    calls: usize,
    meet: &mut impl FnMut(&str, &'d Task),
) {
    for task in tasks {
        let path = below(above, &task.name.value);
        meet(&path, task);
        for (_, inner) in task.scopes() {
            walk(inner, &path, definition, calls, meet);
        }
        if let Some(body) = called(task, definition).filter(|_| calls < CALLS_MAX) {
            let body = std::slice::from_ref(body);
            walk(body, &path, definition, calls + 1, meet);
        }
    }
}

/// The body of the document's own function that a task calls.
pub(super) fn called<'d>(task: &Task, definition: &'d Definition) -> Option<&'d Task> {
    match &task.kind {
        TaskKind::Call(call) => definition.reusables.functions.get(&call.function.value),
        _ => None,
    }
}

/// The outcomes that people may give a step; `None` when nobody is asked, or only the case knows which they are.
pub(super) fn outcomes(task: &Task) -> Option<Vec<String>> {
    let TaskKind::Call(call) = &task.kind else {
        return None;
    };
    let usual = match call.function.value.as_str() {
        "approve" => vec!["approved".to_string(), "rejected".to_string()],
        "collect" => vec!["submitted".to_string()],
        _ => return None,
    };
    let declared = call.with.as_ref().and_then(|with| with.get("outcomes"));
    match declared.map(|declared| (&declared.kind, declared.entries())) {
        None => Some(usual),
        Some((_, entries)) if !entries.is_empty() => {
            Some(entries.iter().map(|entry| entry.key.to_string()).collect())
        }
        Some((TemplateKind::Object(_), _)) => Some(usual),
        Some(_) => None,
    }
}

/// The outcome that a step takes when its time is over.
pub(super) fn timeout(task: &Task) -> Option<&str> {
    match &task.kind {
        TaskKind::Call(call) => call
            .with
            .as_ref()?
            .get("timeout")
            .and_then(Template::as_str),
        _ => None,
    }
}

pub(super) fn below(above: &str, name: &str) -> String {
    if above.is_empty() {
        name.to_string()
    } else {
        format!("{above}/{name}")
    }
}
