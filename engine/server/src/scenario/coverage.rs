//! Which tasks of which workflows the scenarios reached.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use tongban_core::RecordStatus;
use tongban_dsl::definition::{Definition, Task};
use tongban_runtime::history::Entry;

/// Tasks by workflow.
#[derive(Default)]
pub struct Coverage {
    workflows: BTreeMap<String, Reached>,
}

#[derive(Default)]
struct Reached {
    all: Vec<String>,
    entered: BTreeSet<String>,
    skipped: BTreeSet<String>,
}

impl Coverage {
    /// Makes a workflow known, so that one without any scenario shows.
    pub fn know(&mut self, definition: &Definition) {
        let reached = self.workflows.entry(definition.reference()).or_default();
        if reached.all.is_empty() {
            paths(&definition.tasks, "", &mut reached.all);
        }
    }

    /// Notes the records of one run.
    pub fn note(&mut self, definition: &Definition, entries: &[Entry]) {
        if !self.workflows.contains_key(&definition.reference()) {
            return;
        }
        self.know(definition);
        let Some(reached) = self.workflows.get_mut(&definition.reference()) else {
            return;
        };
        for entry in entries {
            if entry.status == RecordStatus::Skipped {
                reached.skipped.insert(entry.task.clone());
            } else {
                reached.entered.insert(entry.task.clone());
            }
        }
    }

    /// One line a workflow, and the tasks that no scenario entered.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (workflow, reached) in &self.workflows {
            let missed: Vec<&str> = reached
                .all
                .iter()
                .filter(|path| !reached.entered.contains(*path))
                .map(String::as_str)
                .collect();
            let entered = reached.all.len() - missed.len();
            let _ = write!(
                text,
                "{workflow}: {entered} of {} tasks entered",
                reached.all.len()
            );
            if !missed.is_empty() {
                let _ = write!(text, "; never: {}", missed.join(", "));
            }
            text.push('\n');
        }
        text
    }

    /// `{workflow: {tasks, entered, skipped, missed}}`.
    pub fn json(&self) -> serde_json::Value {
        let workflows = self.workflows.iter().map(|(workflow, reached)| {
            let missed: Vec<&String> = reached.all.iter().filter(|path| !reached.entered.contains(*path)).collect();
            let value = serde_json::json!({
                "tasks": reached.all, "entered": reached.entered, "skipped": reached.skipped, "missed": missed,
            });
            (workflow.clone(), value)
        });
        serde_json::Value::Object(workflows.collect())
    }
}

/// The paths of all tasks below a list.
fn paths(tasks: &[Task], above: &str, found: &mut Vec<String>) {
    for task in tasks {
        let path = if above.is_empty() {
            task.name.value.clone()
        } else {
            format!("{above}/{}", task.name.value)
        };
        found.push(path.clone());
        for (_, inner) in task.scopes() {
            paths(inner, &path, found);
        }
    }
}
