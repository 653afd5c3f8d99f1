//! Where the flow goes after each task of a list, with the words on each way.

use super::Tongue;
use super::words::{plain, say};
use crate::definition::{Flow, SwitchCase, Task, TaskKind};

/// How a row goes on.
pub(super) struct Fall {
    /// Straight to the next row.
    pub on: bool,
    /// Label of that way.
    pub label: String,
    /// Ends the workflow here.
    pub ends: bool,
}

/// A way that is not the straight one.
pub(super) struct Jump {
    pub from: usize,
    /// The row it leads to; the number of rows is the end of the list.
    pub to: usize,
    pub label: String,
    /// Which of the leaf's exits; `None` leaves at its middle.
    pub exit: Option<usize>,
    /// Ends the workflow.
    pub ends: bool,
    /// It leads to another column: the letter that stands there, too.
    pub link: Option<String>,
}

impl Jump {
    /// Whether it ends beside its row.
    pub fn is_short(&self) -> bool {
        self.ends || self.link.is_some()
    }
}

/// The ways of a list of tasks.
pub(super) fn ways(tasks: &[Task], tongue: Tongue) -> (Vec<Fall>, Vec<Jump>) {
    let mut jumps = Vec::new();
    let falls = tasks
        .iter()
        .enumerate()
        .map(|(at, task)| of(tasks, at, task, tongue, &mut jumps))
        .collect();
    (falls, jumps)
}

fn of(tasks: &[Task], at: usize, task: &Task, tongue: Tongue, jumps: &mut Vec<Jump>) -> Fall {
    let mut fall = Fall {
        on: task.if_.is_some(),
        label: String::new(),
        ends: false,
    };
    let before = tasks.get(..at).unwrap_or_default();
    let mut exits = 0;
    if let TaskKind::Switch(cases) = &task.kind {
        for case in cases {
            let label = named(before, case, tongue);
            match place(tasks, at, &case.then.value) {
                Way::Next => {
                    fall.on = true;
                    join(&mut fall.label, &label);
                }
                Way::Row(to, ends) => {
                    jumps.push(Jump {
                        from: at,
                        to,
                        label,
                        exit: Some(exits),
                        ends,
                        link: None,
                    });
                    exits += 1;
                }
            }
        }
        if cases.iter().any(|case| case.when.is_none()) {
            return fall;
        }
        if fall.label.is_empty() && !cases.is_empty() {
            fall.label = say(tongue, "其他", "else").to_owned();
        }
    }
    match (&task.kind, task.then.as_ref().map(|then| &then.value)) {
        (TaskKind::Raise(_), _) => {}
        (_, None) => fall.on = true,
        (_, Some(flow)) => match place(tasks, at, flow) {
            Way::Next => fall.on = true,
            Way::Row(_, true) if !fall.on => fall.ends = true,
            Way::Row(to, ends) => jumps.push(Jump {
                from: at,
                to,
                label: String::new(),
                exit: None,
                ends,
                link: None,
            }),
        },
    }
    fall
}

/// The label of a case: what its condition says of the outcome before, or its name.
pub(super) fn named(before: &[Task], case: &SwitchCase, tongue: Tongue) -> String {
    match &case.when {
        None => say(tongue, "其他", "else").to_owned(),
        Some(source) => {
            said(before, &source.text, tongue).unwrap_or_else(|| case.name.value.clone())
        }
    }
}

/// `input.outcome == "approved"` in the words that the step before gives to its outcomes.
pub(super) fn said(before: &[Task], condition: &str, tongue: Tongue) -> Option<String> {
    let rest = condition.trim().trim_start_matches("input");
    let rest = rest.strip_prefix(".outcome")?.trim();
    let (negated, rest) = match (rest.strip_prefix("=="), rest.strip_prefix("!=")) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        _ => return None,
    };
    let outcome = rest.trim().strip_prefix('"')?.strip_suffix('"')?;
    if outcome.contains('"') {
        return None;
    }
    let given = before
        .iter()
        .rev()
        .find_map(|task| titled(task, outcome, tongue))
        .flatten();
    let word = given.or_else(|| {
        let word = match outcome {
            "approved" => say(tongue, "同意", "approved"),
            "rejected" => say(tongue, "不同意", "rejected"),
            _ => return None,
        };
        Some(word.to_owned())
    })?;
    Some(match (negated, tongue) {
        (false, _) => word,
        (true, Tongue::Chinese) => format!("非“{word}”"),
        (true, Tongue::English) => format!("not {word}"),
    })
}

/// The title that a step, or the last step inside it that has one, gives to an outcome; `Some(None)` when the outcome
/// is one of those that need no title.
fn titled(task: &Task, outcome: &str, tongue: Tongue) -> Option<Option<String>> {
    if let TaskKind::Call(call) = &task.kind {
        let outcomes = call.with.as_ref().and_then(|with| with.get("outcomes"));
        return match outcomes {
            Some(outcomes) => {
                let title = outcomes.get(outcome)?;
                let english = (tongue == Tongue::English)
                    .then(|| title.get("x-en"))
                    .flatten();
                let word = english.or_else(|| title.get("title")).unwrap_or(title);
                Some(Some(plain(word)))
            }
            None if call.function.value == "approve" => {
                matches!(outcome, "approved" | "rejected").then_some(None)
            }
            None => None,
        };
    }
    let (_, inner) = task.scopes().into_iter().next()?;
    inner
        .iter()
        .rev()
        .find_map(|task| titled(task, outcome, tongue))
}

enum Way {
    Next,
    /// A row, and whether the workflow ends there.
    Row(usize, bool),
}

fn place(tasks: &[Task], at: usize, flow: &Flow) -> Way {
    match flow {
        Flow::Continue => Way::Next,
        Flow::Exit if at + 1 == tasks.len() => Way::Next,
        Flow::Exit => Way::Row(tasks.len(), false),
        Flow::End => Way::Row(tasks.len(), true),
        Flow::Task(name) => match tasks.iter().position(|task| task.name.value == *name) {
            Some(to) if to == at + 1 => Way::Next,
            Some(to) => Way::Row(to, false),
            None => Way::Next,
        },
    }
}

fn join(label: &mut String, word: &str) {
    if !label.is_empty() {
        label.push_str(" / ");
    }
    label.push_str(word);
}
