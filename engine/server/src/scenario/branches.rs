//! The branches of a definition, and which of them the records of a run show as taken.

use std::collections::{BTreeMap, BTreeSet};

use tongban_core::RecordStatus;
use tongban_dsl::definition::{Definition, Flow, Task, TaskKind, Template};
use tongban_expr::Value;
use tongban_runtime::history::Entry;

use super::coverage::below;
use super::references::{CALLS_MAX, called, paths};

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

/// Where a case of a `switch` leads, as far as records show it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Task(String),
    /// The list, or the whole run, ends here.
    Leaves,
}

/// The branches of a definition.
#[derive(Clone, Debug, Default)]
pub struct Branches {
    /// All of them in the order of the document.
    pub all: Vec<Branch>,
    /// Where the cases of each `switch` lead.
    targets: BTreeMap<String, Vec<(Target, String)>>,
    /// The tasks inside each `catch`.
    caught: BTreeMap<String, Vec<String>>,
}

impl Branches {
    /// Finds the branches of a definition.
    pub fn of(definition: &Definition) -> Branches {
        let mut branches = Branches::default();
        branches.list(definition, &definition.tasks, "", true, 0);
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

    fn list(
        &mut self,
        definition: &Definition,
        tasks: &[Task],
        above: &str,
        in_order: bool,
        calls: usize,
    ) {
        for (at, task) in tasks.iter().enumerate() {
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
                TaskKind::Switch(_) if in_order => self.switch(tasks, at, task, &path),
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
                    paths(&body.catch.tasks, &path, definition, calls, &mut inside);
                    self.caught.insert(path.clone(), inside);
                }
                _ => {}
            }
            for (word, inner) in task.scopes() {
                self.list(definition, inner, &path, word != "branches", calls);
            }
            if let Some(body) = called(task, definition).filter(|_| calls < CALLS_MAX) {
                let body = std::slice::from_ref(body);
                self.list(definition, body, &path, false, calls + 1);
            }
        }
    }

    /// The cases, those that lead to the same place as one: records show where the flow went, not why.
    fn switch(&mut self, tasks: &[Task], at: usize, task: &Task, path: &str) {
        let TaskKind::Switch(cases) = &task.kind else {
            return;
        };
        let next = || match tasks.get(at + 1) {
            Some(next) => Target::Task(next.name.value.clone()),
            None => Target::Leaves,
        };
        let target = |flow: &Flow| match flow {
            Flow::Continue => next(),
            Flow::Exit | Flow::End => Target::Leaves,
            Flow::Task(name) => Target::Task(name.clone()),
        };
        let mut found: Vec<(Target, String)> = Vec::new();
        let mut add = |target: Target, label: &str| match found
            .iter_mut()
            .find(|(known, _)| *known == target)
        {
            Some((_, labels)) => {
                labels.push_str(" | ");
                labels.push_str(label);
            }
            None => found.push((target, label.to_string())),
        };
        for case in cases {
            add(target(&case.then.value), &case.name.value);
        }
        if cases.iter().all(|case| case.when.is_some()) {
            let then = task
                .then
                .as_ref()
                .map_or(Flow::Continue, |then| then.value.clone());
            add(target(&then), "no match");
        }
        for (_, label) in &found {
            self.add(path, "case", label.clone());
        }
        self.targets.insert(path.to_string(), found);
    }

    fn outcomes(&mut self, task: &Task, path: &str) {
        let TaskKind::Call(call) = &task.kind else {
            return;
        };
        let name = call.function.value.as_str();
        if !matches!(name, "approve" | "collect") {
            return;
        }
        let with = call.with.as_ref();
        let declared = with
            .and_then(|with| with.get("outcomes"))
            .map(Template::entries);
        let mut outcomes: Vec<String> = match declared {
            Some(entries) if !entries.is_empty() => {
                entries.iter().map(|entry| entry.key.to_string()).collect()
            }
            _ if name == "approve" => vec!["approved".to_string(), "rejected".to_string()],
            _ => vec!["submitted".to_string()],
        };
        let timeout = with
            .and_then(|with| with.get("timeout"))
            .and_then(Template::as_str);
        outcomes.extend(
            timeout
                .filter(|timeout| !outcomes.iter().any(|outcome| outcome == timeout))
                .map(str::to_string),
        );
        for outcome in outcomes {
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
        for (at, entry) in entries.iter().enumerate() {
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
                    self.switched(entries, at, entry);
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

    /// Where the flow went after a `switch`: the next task that was entered in the same list.
    fn switched(&mut self, entries: &[Entry], at: usize, entry: &Entry) {
        let Some(targets) = self.targets.get(&entry.task) else {
            return;
        };
        let scope = scope_of(run_id(entry));
        let next = entries.iter().skip(at + 1).find(|other| {
            scope_of(run_id(other)) == scope
                && scope_of(&other.task) == scope_of(&entry.task)
                && (begins(other) || other.status == RecordStatus::Skipped)
        });
        let went = match next {
            Some(next) => Target::Task(name_of(&next.task).to_string()),
            None => Target::Leaves,
        };
        let label = targets
            .iter()
            .find(|(target, _)| *target == went)
            .map(|(_, label)| label.clone());
        if let Some(label) = label {
            self.take(&entry.task, "case", &label);
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

fn scope_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(scope, _)| scope)
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
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
