//! The branches of a definition, and which of them the records of a run show as taken.

use std::collections::{BTreeMap, BTreeSet};

use tongban_core::RecordStatus;
use tongban_dsl::definition::{Definition, SwitchCase, Task, TaskKind};
use tongban_expr::Value;
use tongban_runtime::history::Entry;

use super::steps::{CALLS_MAX, below, called, outcomes, timeout, walk};

/// A `switch` none of whose cases held.
const NO_MATCH: &str = "no match";

/// One way that a task may go.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The task.
    pub path: String,
    /// What kind of branch: `if`, `case`, `outcome`, `error`, `timeout`, `loop`.
    pub kind: &'static str,
    /// Which: `taken`, the name of a case, an outcome.
    pub label: String,
    /// How often it was taken.
    pub taken: usize,
}

/// The branches of a definition.
#[derive(Clone, Debug, Default)]
pub struct Branches {
    /// All of them in the order of the document.
    pub all: Vec<Branch>,
    /// The tasks inside each `catch`.
    caught: BTreeMap<String, Vec<String>>,
}

impl Branches {
    /// Finds the branches of a definition.
    pub fn of(definition: &Definition) -> Branches {
        let mut branches = Branches::default();
        branches.list(definition, &definition.tasks, "", 0);
        branches
    }

    fn add(&mut self, path: &str, kind: &'static str, label: impl Into<String>) {
        self.all.push(Branch {
            path: path.to_string(),
            kind,
            label: label.into(),
            taken: 0,
        });
    }

    fn list(&mut self, definition: &Definition, tasks: &[Task], above: &str, calls: usize) {
        for task in tasks {
            let path = below(above, &task.name.value);
            if task.if_.is_some() {
                self.add(&path, "if", "taken");
                self.add(&path, "if", "skipped");
            }
            if task.timeout.is_some() {
                self.add(&path, "timeout", "in time");
                self.add(&path, "timeout", "timed out");
            }
            match &task.kind {
                TaskKind::Switch(cases) => self.switch(cases, &path),
                TaskKind::Call(_) => self.outcomes(task, &path),
                TaskKind::For(_) => {
                    for label in ["no item", "one item", "several items"] {
                        self.add(&path, "loop", label);
                    }
                }
                TaskKind::Try(body) => {
                    self.add(&path, "error", "none");
                    self.add(&path, "error", "caught");
                    if body.catch.retry.is_some() {
                        self.add(&path, "error", "retried");
                    }
                    let mut inside = Vec::new();
                    walk(
                        &body.catch.tasks,
                        &path,
                        definition,
                        calls,
                        &mut |path, _| {
                            inside.push(path.to_string());
                        },
                    );
                    self.caught.insert(path.clone(), inside);
                }
                _ => {}
            }
            for (_, inner) in task.scopes() {
                self.list(definition, inner, &path, calls);
            }
            if let Some(body) = called(task, definition).filter(|_| calls < CALLS_MAX) {
                let body = std::slice::from_ref(body);
                self.list(definition, body, &path, calls + 1);
            }
        }
    }

    fn switch(&mut self, cases: &[SwitchCase], path: &str) {
        for case in cases {
            self.add(path, "case", case.name.value.clone());
        }
        if cases.iter().all(|case| case.when.is_some()) {
            self.add(path, "case", NO_MATCH);
        }
    }

    fn outcomes(&mut self, task: &Task, path: &str) {
        let Some(mut given) = outcomes(task) else {
            return;
        };
        let late = timeout(task).map(str::to_string);
        given.extend(late.filter(|late| !given.contains(late)));
        for outcome in given {
            self.add(path, "outcome", outcome);
        }
    }

    fn take(&mut self, path: &str, kind: &str, label: &str) {
        let found = self
            .all
            .iter_mut()
            .find(|branch| branch.path == path && branch.kind == kind && branch.label == label);
        if let Some(branch) = found {
            branch.taken += 1;
        }
    }

    /// Notes what the records of one run show.
    pub fn note(&mut self, entries: &[Entry]) {
        for entry in entries {
            let path = entry.task.as_str();
            if path.is_empty() {
                continue;
            }
            match entry.status {
                RecordStatus::Skipped => self.take(path, "if", "skipped"),
                _ if begins(entry) => self.take(path, "if", "taken"),
                _ => {}
            }
            match entry.status {
                RecordStatus::Completed => {
                    self.take(path, "timeout", "in time");
                    if entry.kind == "switch" {
                        let chosen = entry.note.as_deref().unwrap_or(NO_MATCH);
                        self.take(path, "case", chosen);
                    }
                    self.timed_out(entry);
                }
                RecordStatus::Faulted if is_timeout(entry) => {
                    self.take(path, "timeout", "timed out");
                }
                RecordStatus::Retried => self.take(path, "error", "retried"),
                _ => {}
            }
        }
        self.loops(entries);
        self.errors(entries);
    }

    /// An outcome that nobody gave: the time of a step was over.
    fn timed_out(&mut self, entry: &Entry) {
        let outcome = entry
            .output
            .as_ref()
            .and_then(|output| output.text("outcome"));
        let by = entry.output.as_ref().and_then(|output| output.get("by"));
        if let Some(outcome) = outcome
            && by.is_none_or(Value::is_null)
        {
            self.take(&entry.task, "outcome", outcome);
        }
    }

    /// The outcomes that people gave.
    pub fn decided(&mut self, decisions: &[Value]) {
        for decision in decisions {
            let (Some(step), Some(outcome)) = (decision.text("step"), decision.text("outcome"))
            else {
                continue;
            };
            let outcome = if outcome == "submit" {
                "submitted"
            } else {
                outcome
            };
            self.take(step, "outcome", outcome);
        }
    }

    fn loops(&mut self, entries: &[Entry]) {
        let loops: BTreeSet<String> = self
            .all
            .iter()
            .filter(|branch| branch.kind == "loop")
            .map(|branch| branch.path.clone())
            .collect();
        for path in loops {
            let depth = path.split('/').count();
            let mut items: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for entry in entries {
                if entry.task == path && begins(entry) {
                    items.entry(run_id(entry).to_string()).or_default();
                }
                if !entry.task.starts_with(&format!("{path}/")) {
                    continue;
                }
                let parts: Vec<&str> = run_id(entry).split('/').collect();
                let Some((last, before)) = parts.get(..depth).and_then(|parts| parts.split_last())
                else {
                    continue;
                };
                if let Some((run, index)) = last.split_once('[') {
                    let run = below(&before.join("/"), run);
                    items.entry(run).or_default().insert(index.to_string());
                }
            }
            for seen in items.values() {
                let label = match seen.len() {
                    0 => "no item",
                    1 => "one item",
                    _ => "several items",
                };
                self.take(&path, "loop", label);
            }
        }
    }

    fn errors(&mut self, entries: &[Entry]) {
        let tries: Vec<(String, Vec<String>)> = self
            .caught
            .iter()
            .map(|(path, inside)| (path.clone(), inside.clone()))
            .collect();
        for (path, inside) in tries {
            let below = format!("{path}/");
            let ended = entries
                .iter()
                .filter(|entry| entry.task == path && entry.status == RecordStatus::Completed);
            for entry in ended {
                let run = run_id(entry);
                let within = |other: &&Entry| {
                    other.task.starts_with(&below) && run_id(other).starts_with(run)
                };
                let caught = entries.iter().filter(within).any(|other| {
                    inside.contains(&other.task)
                        || (inside.is_empty() && other.status == RecordStatus::Faulted)
                });
                self.take(&path, "error", if caught { "caught" } else { "none" });
            }
        }
    }
}

fn run_id(entry: &Entry) -> &str {
    entry.run_id.as_deref().unwrap_or(&entry.task)
}

/// Whether the record tells of an entry into the task, and not only of its end.
fn begins(entry: &Entry) -> bool {
    entry.began_ms.is_some()
}

fn is_timeout(entry: &Entry) -> bool {
    entry.error.as_ref().is_some_and(|error| {
        error
            .to_value()
            .text("type")
            .is_some_and(|kind| kind.ends_with("/timeout"))
    })
}
