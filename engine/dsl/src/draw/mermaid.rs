//! The picture as a Mermaid flowchart, for documents that are rendered elsewhere.

use std::fmt::Write;

use super::figure::below;
use super::ways::named;
use super::who::Who;
use super::words::{detail, extensions, say, title};
use super::{Mark, Marks};
use crate::definition::{Definition, Flow, Task, TaskKind};

/// Draws a definition as a Mermaid flowchart.
#[must_use]
pub fn mermaid(definition: &Definition, marks: &Marks) -> String {
    let mut chart = Chart {
        out: String::from("flowchart TD\n"),
        marks,
        who: Who { definition, marks },
        classes: Vec::new(),
    };
    chart.out.push_str("  begin((●))\n");
    chart.out.push_str("  finish(((■)))\n");
    let begin = vec![("begin".to_owned(), String::new())];
    let ends = chart.list(&definition.tasks, "", begin, 1);
    chart.join(&ends, "finish");
    for (mark, fill) in [
        ("done", "#e3f4e8"),
        ("doing", "#e2edfb"),
        ("failed", "#fbe5e3"),
        ("skipped", "#eeeeee"),
    ] {
        let members: Vec<&str> = chart
            .classes
            .iter()
            .filter(|(class, _)| *class == mark)
            .map(|(_, id)| id.as_str())
            .collect();
        if !members.is_empty() {
            let _ = writeln!(
                chart.out,
                "  classDef {mark} fill:{fill}\n  class {} {mark}",
                members.join(",")
            );
        }
    }
    chart.out
}

/// Ways that are still open: from which node, under which label.
type Open = Vec<(String, String)>;

struct Chart<'a> {
    out: String,
    marks: &'a Marks,
    who: Who<'a>,
    classes: Vec<(&'static str, String)>,
}

impl Chart<'_> {
    fn join(&mut self, from: &Open, to: &str) {
        for (node, label) in from {
            if label.is_empty() {
                let _ = writeln!(self.out, "  {node} --> {to}");
            } else {
                let _ = writeln!(self.out, "  {node} -->|\"{}\"| {to}", quoted(label));
            }
        }
    }

    /// A list of tasks; gives the ways on which it is left.
    fn list(&mut self, tasks: &[Task], path: &str, entry: Open, depth: usize) -> Open {
        let mut left = Open::new();
        let mut current = entry;
        for (at, task) in tasks.iter().enumerate() {
            let place = below(path, &task.name.value);
            self.join(&current, &id(&place));
            let after = self.task(task, &place, depth);
            current = self.ways(tasks, at, task, path, &after, &mut left);
        }
        left.extend(current);
        left
    }

    /// Where the flow goes after a task: the ways to the next one.
    fn ways(
        &mut self,
        tasks: &[Task],
        at: usize,
        task: &Task,
        path: &str,
        after: &Open,
        left: &mut Open,
    ) -> Open {
        let mut next = Open::new();
        let mut go = |chart: &mut Self, from: Open, flow: &Flow| match flow {
            Flow::Continue => next.extend(from),
            Flow::Exit => left.extend(from),
            Flow::End => chart.join(&from, "finish"),
            Flow::Task(name)
                if tasks
                    .get(at + 1)
                    .is_some_and(|task| task.name.value == *name) =>
            {
                next.extend(from)
            }
            Flow::Task(name) => {
                chart.join(&from, &id(&below(path, name)));
            }
        };
        let labelled = |label: &str| {
            after
                .iter()
                .map(|(node, _)| (node.clone(), label.to_owned()))
                .collect::<Open>()
        };
        if let TaskKind::Switch(cases) = &task.kind {
            for case in cases {
                let before = tasks.get(..at).unwrap_or_default();
                let label = named(before, case, self.marks.tongue);
                go(self, labelled(&label), &case.then.value);
            }
            if cases.iter().any(|case| case.when.is_none()) {
                return next;
            }
        }
        if task.if_.is_some() && task.then.is_some() {
            go(
                self,
                labelled(say(self.marks.tongue, "跳过", "skipped")),
                &Flow::Continue,
            );
        }
        if !matches!(task.kind, TaskKind::Raise(_)) {
            let flow = task
                .then
                .as_ref()
                .map_or(Flow::Continue, |then| then.value.clone());
            go(self, after.clone(), &flow);
        }
        next
    }

    fn task(&mut self, task: &Task, path: &str, depth: usize) -> Open {
        let node = id(path);
        let who = self.who.of(task).map(|actor| actor.full());
        let small: Vec<String> = who
            .into_iter()
            .chain([detail(task, self.marks.tongue)])
            .chain(extensions(self.who.definition, task, self.marks.tongue))
            .map(|line| format!("<br/><small>{}</small>", escaped(&line)))
            .collect();
        let text = quoted(&format!(
            "{}{}",
            escaped(&title(task, self.marks.tongue)),
            small.concat()
        ));
        let (open, close) = match &task.kind {
            TaskKind::Switch(_) => ("{{", "}}"),
            TaskKind::Wait(_) | TaskKind::Listen(_) => ("([", "])"),
            TaskKind::Call(_) => ("(", ")"),
            _ => ("[", "]"),
        };
        let pad = "  ".repeat(depth);
        let _ = writeln!(self.out, "{pad}{node}{open}\"{text}\"{close}");
        match self.marks.of(path) {
            Some(Mark::Done) => self.classes.push(("done", node.clone())),
            Some(Mark::Doing) => self.classes.push(("doing", node.clone())),
            Some(Mark::Failed) => self.classes.push(("failed", node.clone())),
            Some(Mark::Skipped | Mark::Cancelled) => self.classes.push(("skipped", node.clone())),
            _ => {}
        }
        self.inside(task, path, &node, depth)
    }

    fn inside(&mut self, task: &Task, path: &str, node: &str, depth: usize) -> Open {
        let here = vec![(node.to_owned(), String::new())];
        let scopes = task.scopes();
        if scopes.iter().all(|(_, tasks)| tasks.is_empty()) {
            return here;
        }
        let pad = "  ".repeat(depth);
        let _ = writeln!(
            self.out,
            "{pad}subgraph {node}_in[\"{}\"]",
            quoted(&escaped(&title(task, self.marks.tongue)))
        );
        let mut left = Open::new();
        for (word, tasks) in scopes {
            match word {
                "branches" => {
                    for branch in tasks {
                        left.extend(self.list(
                            std::slice::from_ref(branch),
                            path,
                            here.clone(),
                            depth + 1,
                        ));
                    }
                }
                "catch" => {
                    let error = vec![(
                        node.to_owned(),
                        say(self.marks.tongue, "出错时", "on error").to_owned(),
                    )];
                    left.extend(self.list(tasks, path, error, depth + 1));
                }
                _ => left.extend(self.list(tasks, path, here.clone(), depth + 1)),
            }
        }
        let _ = writeln!(self.out, "{pad}end");
        if matches!(task.kind, TaskKind::For(_) | TaskKind::Listen(_)) {
            let again: Open = left
                .iter()
                .map(|(from, _)| (from.clone(), "↻".to_owned()))
                .collect();
            self.join(&again, node);
            return here;
        }
        left
    }
}

/// An identifier that Mermaid takes: letters and digits as they are, the rest as numbers.
fn id(path: &str) -> String {
    let mut out = String::from("t_");
    for c in path.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c),
            '/' => out.push_str("__"),
            c => {
                let _ = write!(out, "_{:x}_", u32::from(c));
            }
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn quoted(text: &str) -> String {
    text.replace('"', "#quot;").replace('\n', " ")
}
