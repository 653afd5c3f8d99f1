//! The picture as a list: the same steps, ways and marks in words.

use super::figure::below;
use super::ways::named;
use super::who::Who;
use super::words::{detail, extensions, mark_word, say, title};
use super::{Mark, Marks, Reading, Tongue};
use crate::definition::{Definition, Flow, Task, TaskKind};

/// One line of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Path of the task.
    pub path: String,
    /// How deep it is nested, from 0.
    pub depth: usize,
    /// Title for people.
    pub title: String,
    /// What kind of step it is, in words.
    pub detail: String,
    /// Who does it, when people do.
    pub who: Option<String>,
    /// Its condition, as written.
    pub condition: Option<String>,
    /// Where the flow goes from here, when not simply on.
    pub ways: Vec<String>,
    /// What became of it.
    pub mark: Option<Mark>,
    /// Whether it belongs to the handling of an error.
    pub catches: bool,
}

impl Step {
    /// The step in one sentence.
    #[must_use]
    pub fn sentence(&self, tongue: Tongue, reading: Reading) -> String {
        let who = self.who.as_deref().map(|who| format!("{who}: "));
        let mut text = format!(
            "{} ({}{})",
            self.title,
            who.unwrap_or_default(),
            self.detail
        );
        if let Some(condition) = &self.condition {
            text.push_str(&format!(", {} {condition}", say(tongue, "若", "if")));
        }
        if let Some(mark) = self.mark {
            text.push_str(&format!(", {}", mark_word(mark, reading, tongue)));
        }
        for way in &self.ways {
            text.push_str(&format!("; {way}"));
        }
        text.push_str(say(tongue, "。", "."));
        text
    }
}

/// The steps of a definition in the order of the document.
#[must_use]
pub fn outline(definition: &Definition, marks: &Marks) -> Vec<Step> {
    let mut writer = Writer {
        who: Who { definition, marks },
        steps: Vec::new(),
    };
    writer.list(&definition.tasks, "", 0, false);
    writer.steps
}

struct Writer<'a> {
    who: Who<'a>,
    steps: Vec<Step>,
}

impl Writer<'_> {
    fn list(&mut self, tasks: &[Task], outer: &str, depth: usize, catches: bool) {
        let marks = self.who.marks;
        for (at, task) in tasks.iter().enumerate() {
            let path = below(outer, &task.name.value);
            self.steps.push(Step {
                depth,
                title: title(task, marks.tongue),
                detail: [
                    Some(detail(task, marks.tongue)),
                    extensions(self.who.definition, task, marks.tongue),
                ]
                .into_iter()
                .flatten()
                .collect::<Vec<String>>()
                .join(" "),
                who: self.who.of(task).map(|actor| actor.full()),
                condition: task.if_.as_ref().map(|source| source.text.to_string()),
                ways: ways(tasks, at, task, marks.tongue),
                mark: marks.of(&path),
                catches,
                path: path.clone(),
            });
            for (word, inner) in task.scopes() {
                self.list(inner, &path, depth + 1, catches || word == "catch");
            }
        }
    }
}

fn ways(tasks: &[Task], at: usize, task: &Task, tongue: Tongue) -> Vec<String> {
    let target = |flow: &Flow| match flow {
        Flow::Continue => say(tongue, "下一步", "next").to_owned(),
        Flow::Exit => say(tongue, "离开本段", "leave this block").to_owned(),
        Flow::End => say(tongue, "结束", "end").to_owned(),
        Flow::Task(name) => tasks
            .iter()
            .find(|task| task.name.value == *name)
            .map_or_else(|| name.clone(), |task| title(task, tongue)),
    };
    let before = tasks.get(..at).unwrap_or_default();
    let mut found = Vec::new();
    if let TaskKind::Switch(cases) = &task.kind {
        found.extend(cases.iter().map(|case| {
            format!(
                "{} → {}",
                named(before, case, tongue),
                target(&case.then.value)
            )
        }));
    }
    if let Some(then) = &task.then {
        found.push(format!("→ {}", target(&then.value)));
    }
    found
}
