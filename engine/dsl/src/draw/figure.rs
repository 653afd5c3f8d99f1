//! Tasks as figures: what is drawn, before it has a place.

use super::words::{detail, say, short, title};
use super::{Mark, Marks, Tongue};
use crate::definition::{Definition, Flow, Retry, Task, TaskKind};

/// What is drawn for one task or one list.
pub(super) enum Figure {
    /// A task without tasks inside.
    Leaf(Leaf),
    /// Tasks in order.
    Sequence(Sequence),
    /// A task with tasks inside.
    Frame(Frame),
    /// Branches side by side.
    Lanes(Vec<Figure>),
    /// What is tried, and what catches.
    Trial(Box<Figure>, Box<Figure>),
}

pub(super) struct Leaf {
    pub path: String,
    pub title: String,
    pub detail: String,
    pub condition: Option<String>,
    pub look: Look,
    pub mark: Option<Mark>,
    /// Exits at its sides (a switch).
    pub exits: usize,
}

/// The outline of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Box,
    /// People work on it.
    Person,
    Choice,
    /// Waits for time.
    Wait,
    /// Waits for or sends events.
    Event,
    Failure,
}

pub(super) struct Frame {
    pub path: String,
    pub title: String,
    pub detail: String,
    pub condition: Option<String>,
    pub mark: Option<Mark>,
    pub inner: Box<Figure>,
    pub repeats: bool,
    pub catches: bool,
}

pub(super) struct Sequence {
    pub rows: Vec<Figure>,
    /// For each row whether the flow goes on to the next.
    pub falls: Vec<Fall>,
    pub jumps: Vec<Jump>,
}

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
}

/// Makes figures.
pub(super) struct Maker<'a> {
    pub marks: &'a Marks,
}

impl Maker<'_> {
    pub fn definition(&self, definition: &Definition) -> Figure {
        self.sequence(&definition.tasks, "")
    }

    fn tongue(&self) -> Tongue {
        self.marks.tongue
    }

    fn sequence(&self, tasks: &[Task], path: &str) -> Figure {
        let rows = tasks.iter().map(|task| self.task(task, path)).collect();
        let mut falls = Vec::new();
        let mut jumps = Vec::new();
        for (at, task) in tasks.iter().enumerate() {
            falls.push(self.ways(tasks, at, task, &mut jumps));
        }
        Figure::Sequence(Sequence { rows, falls, jumps })
    }

    fn ways(&self, tasks: &[Task], at: usize, task: &Task, jumps: &mut Vec<Jump>) -> Fall {
        let mut fall = Fall {
            on: task.if_.is_some(),
            label: String::new(),
            ends: false,
        };
        let mut exits = 0;
        if let TaskKind::Switch(cases) = &task.kind {
            for case in cases {
                match place(tasks, at, &case.then.value) {
                    Way::Next => {
                        fall.on = true;
                        join(&mut fall.label, &case.name.value);
                    }
                    Way::Row(to, ends) => {
                        jumps.push(Jump {
                            from: at,
                            to,
                            label: case.name.value.clone(),
                            exit: Some(exits),
                            ends,
                        });
                        exits += 1;
                    }
                }
            }
            if cases.iter().any(|case| case.when.is_none()) {
                return fall;
            }
            if fall.label.is_empty() && !cases.is_empty() {
                fall.label = say(self.tongue(), "其他", "else").to_owned();
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
                }),
            },
        }
        fall
    }

    fn task(&self, task: &Task, outer: &str) -> Figure {
        let path = if outer.is_empty() {
            task.name.value.clone()
        } else {
            format!("{outer}/{}", task.name.value)
        };
        let frame = |inner: Figure, repeats: bool| {
            Figure::Frame(Frame {
                title: title(task),
                detail: detail(task, self.tongue()),
                condition: condition(task),
                mark: self.marks.of(&path),
                path: path.clone(),
                inner: Box::new(inner),
                repeats,
                catches: false,
            })
        };
        match &task.kind {
            TaskKind::Do(tasks) => frame(self.sequence(tasks, &path), false),
            TaskKind::For(body) => frame(self.sequence(&body.tasks, &path), true),
            TaskKind::Fork(fork) => frame(
                Figure::Lanes(
                    fork.branches
                        .iter()
                        .map(|branch| self.task(branch, &path))
                        .collect(),
                ),
                false,
            ),
            TaskKind::Try(body) => {
                let caught = self.caught(task, &path);
                frame(
                    Figure::Trial(
                        Box::new(self.sequence(&body.tasks, &path)),
                        Box::new(caught),
                    ),
                    false,
                )
            }
            TaskKind::Listen(listen)
                if listen
                    .foreach
                    .as_ref()
                    .is_some_and(|each| !each.tasks.is_empty()) =>
            {
                let tasks = listen
                    .foreach
                    .as_ref()
                    .map(|each| each.tasks.as_slice())
                    .unwrap_or_default();
                frame(self.sequence(tasks, &path), true)
            }
            _ => Figure::Leaf(self.leaf(task, path)),
        }
    }

    fn caught(&self, task: &Task, path: &str) -> Figure {
        let TaskKind::Try(body) = &task.kind else {
            return Figure::Lanes(Vec::new());
        };
        let tongue = self.tongue();
        let mut detail = String::new();
        if let Some(retry) = &body.catch.retry {
            let count = match retry {
                Retry::Policy(policy) => policy.limit_count,
                Retry::Named(_) => None,
            };
            detail = match count {
                Some(count) => format!("{} ≤ {count}", say(tongue, "重试", "retries")),
                None => say(tongue, "重试", "retries").to_owned(),
            };
        }
        let filter = body.catch.errors.as_ref();
        let kind = filter
            .and_then(|filter| filter.type_uri.as_ref())
            .and_then(|uri| uri.value.rsplit('/').next().map(str::to_owned));
        let status = filter
            .and_then(|filter| filter.status.as_ref())
            .map(|status| status.value.to_string());
        let which = [kind, status]
            .into_iter()
            .flatten()
            .collect::<Vec<String>>()
            .join(" ");
        let name = say(tongue, "出错时", "on error");
        let title = if which.is_empty() {
            name.to_owned()
        } else {
            format!("{name} {which}")
        };
        if body.catch.tasks.is_empty() {
            let leaf = Leaf {
                path: String::new(),
                title,
                detail,
                condition: None,
                look: Look::Failure,
                mark: None,
                exits: 0,
            };
            return Figure::Leaf(leaf);
        }
        Figure::Frame(Frame {
            path: String::new(),
            title,
            detail,
            condition: None,
            mark: None,
            inner: Box::new(self.sequence(&body.catch.tasks, path)),
            repeats: false,
            catches: true,
        })
    }

    fn leaf(&self, task: &Task, path: String) -> Leaf {
        let look = match &task.kind {
            TaskKind::Switch(_) => Look::Choice,
            TaskKind::Wait(_) => Look::Wait,
            TaskKind::Listen(_) | TaskKind::Emit(_) => Look::Event,
            TaskKind::Raise(_) => Look::Failure,
            TaskKind::Call(call)
                if matches!(
                    call.function.value.as_str(),
                    "approve" | "collect" | "notice"
                ) =>
            {
                Look::Person
            }
            _ => Look::Box,
        };
        let exits = match &task.kind {
            TaskKind::Switch(cases) => cases.len(),
            _ => 0,
        };
        let mark = self.marks.of(&path);
        Leaf {
            title: title(task),
            detail: detail(task, self.tongue()),
            condition: condition(task),
            look,
            mark,
            exits,
            path,
        }
    }
}

fn condition(task: &Task) -> Option<String> {
    task.if_.as_ref().map(|source| short(&source.text, 28))
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
