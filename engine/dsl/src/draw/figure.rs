//! Tasks as figures: what is drawn, before it has a place.

use super::measure::short;
use super::ways::{Fall, Jump, said, ways};
use super::who::{Actor, Who};
use super::words::{comma, detail, extensions, plain, say, title};
use super::{Mark, Marks, Tongue};
use crate::definition::{Definition, Retry, Task, TaskKind, Template, Try};

/// What is drawn for one task or one list.
pub(super) enum Figure {
    /// A task without tasks inside.
    Leaf(Leaf),
    /// Tasks in order.
    Sequence(Sequence),
    /// A task with tasks inside.
    Frame(Frame),
    /// Branches side by side.
    Branches(Vec<Figure>),
    /// What is tried, and what catches.
    Trial(Box<Trial>),
}

pub(super) struct Leaf {
    pub path: String,
    pub title: String,
    /// Lines under the title: who, what kind, where it may be returned to, its condition.
    pub lines: Vec<String>,
    /// Said when the picture is pointed at: conditions as they were written.
    pub told: String,
    pub look: Look,
    pub mark: Option<Mark>,
    pub note: Option<String>,
    /// Exits at its sides (a switch).
    pub exits: usize,
    /// Whose lane it stands in.
    pub actor: Actor,
}

/// The outline of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// People work on it.
    Person,
    /// The system does it.
    Box,
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
    pub told: String,
    pub mark: Option<Mark>,
    pub note: Option<String>,
    pub inner: Box<Figure>,
    pub repeats: bool,
    pub catches: bool,
}

#[derive(Default)]
pub(super) struct Sequence {
    pub rows: Vec<Figure>,
    /// For each row whether the flow goes on to the next.
    pub falls: Vec<Fall>,
    pub jumps: Vec<Jump>,
    /// Rows to which ways of other columns lead, with their letters.
    pub arrivals: Vec<(usize, String)>,
}

pub(super) struct Trial {
    pub body: Figure,
    pub caught: Figure,
    /// Whether the flow goes on after what catches.
    pub recovers: bool,
}

/// Makes figures.
pub(super) struct Maker<'a> {
    pub marks: &'a Marks,
    who: Who<'a>,
    /// Who did the step before: a choice stands in that lane.
    last: Actor,
    /// Steps tell their unit too: the head of their lane is far away, or they stand in none.
    far: bool,
}

/// From so many steps on the heads of the lanes are out of sight.
const MANY: usize = 25;

impl<'a> Maker<'a> {
    pub fn new(definition: &'a Definition, marks: &'a Marks) -> Self {
        let who = Who { definition, marks };
        let last = who.system();
        let far = count(&definition.tasks) > MANY;
        Maker {
            marks,
            who,
            last,
            far,
        }
    }

    pub fn definition(&mut self) -> Figure {
        let definition = self.who.definition;
        self.sequence(&definition.tasks, "")
    }

    fn tongue(&self) -> Tongue {
        self.marks.tongue
    }

    fn sequence(&mut self, tasks: &[Task], path: &str) -> Figure {
        let rows = tasks
            .iter()
            .enumerate()
            .map(|(at, task)| self.task(task, path, tasks.get(..at).unwrap_or_default()))
            .collect();
        let (falls, jumps) = ways(tasks, self.tongue());
        Figure::Sequence(Sequence {
            rows,
            falls,
            jumps,
            arrivals: Vec::new(),
        })
    }

    fn task(&mut self, task: &Task, outer: &str, before: &[Task]) -> Figure {
        let path = below(outer, &task.name.value);
        let (inner, repeats) = match &task.kind {
            TaskKind::Do(tasks) => (self.sequence(tasks, &path), false),
            TaskKind::For(body) => (self.sequence(&body.tasks, &path), true),
            TaskKind::Fork(fork) => {
                let far = std::mem::replace(&mut self.far, true);
                let branches = fork.branches.iter();
                let branches = branches
                    .map(|branch| self.task(branch, &path, &[]))
                    .collect();
                self.far = far;
                (Figure::Branches(branches), false)
            }
            TaskKind::Try(body) => {
                let tried = self.sequence(&body.tasks, &path);
                let caught = self.caught(body, &path);
                let trial = Trial {
                    body: tried,
                    caught,
                    recovers: body.catch.retry.is_none() || !body.catch.tasks.is_empty(),
                };
                (Figure::Trial(Box::new(trial)), false)
            }
            TaskKind::Listen(listen) => match &listen.foreach {
                Some(each) if !each.tasks.is_empty() => (self.sequence(&each.tasks, &path), true),
                _ => return Figure::Leaf(self.leaf(task, path, before)),
            },
            _ => return Figure::Leaf(self.leaf(task, path, before)),
        };
        Figure::Frame(Frame {
            title: title(task, self.tongue()),
            detail: [
                Some(detail(task, self.tongue())),
                extensions(self.who.definition, task, self.tongue()),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<String>>()
            .join(" "),
            condition: condition(task, before, self.tongue()),
            told: told(task, self.tongue()),
            mark: self.marks.of(&path),
            note: self.marks.notes.get(&path).cloned(),
            path,
            inner: Box::new(inner),
            repeats,
            catches: false,
        })
    }

    fn caught(&mut self, body: &Try, path: &str) -> Figure {
        let title = self.caught_what(body);
        let detail = self.retried(body);
        let condition = self.caught_when(body);
        if body.catch.tasks.is_empty() {
            return Figure::Leaf(Leaf {
                path: String::new(),
                told: String::new(),
                lines: [detail, condition].into_iter().flatten().collect(),
                title,
                look: Look::Failure,
                mark: None,
                note: None,
                exits: 0,
                actor: self.last.clone(),
            });
        }
        Figure::Frame(Frame {
            path: String::new(),
            title,
            detail: detail.unwrap_or_default(),
            condition,
            told: String::new(),
            mark: None,
            note: None,
            inner: Box::new(self.sequence(&body.catch.tasks, path)),
            repeats: false,
            catches: true,
        })
    }

    /// Which errors are caught: by type and status, as far as they are written.
    fn caught_what(&self, body: &Try) -> String {
        let filter = body.catch.errors.as_ref();
        let kind = filter
            .and_then(|filter| filter.type_uri.as_ref())
            .and_then(|uri| uri.value.rsplit('/').next().map(str::to_owned));
        let status = filter
            .and_then(|filter| filter.status.as_ref())
            .map(|status| status.value.to_string());
        let name = Some(say(self.tongue(), "出错时", "on error").to_owned());
        let words: Vec<String> = [name, kind, status].into_iter().flatten().collect();
        words.join(" ")
    }

    /// How often it is tried again.
    fn retried(&self, body: &Try) -> Option<String> {
        let count = match body.catch.retry.as_ref()? {
            Retry::Policy(policy) => policy.limit_count,
            Retry::Named(name) => {
                let policies = &self.who.definition.reusables.retries;
                let policy = policies.get(name.value.as_str());
                policy.and_then(|policy| policy.limit_count)
            }
        };
        let tongue = self.tongue();
        Some(match count {
            Some(count) => format!("{} ≤ {count}", say(tongue, "重试", "retries")),
            None => say(tongue, "重试", "retries").to_owned(),
        })
    }

    /// On which conditions it is caught.
    fn caught_when(&self, body: &Try) -> Option<String> {
        let tongue = self.tongue();
        let conditions = [
            (say(tongue, "若", "if"), &body.catch.when),
            (say(tongue, "除非", "unless"), &body.catch.except_when),
        ];
        let told: Vec<String> = conditions
            .iter()
            .filter_map(|(word, source)| {
                Some(format!("{word} {}", short(&source.as_ref()?.text, 28)))
            })
            .collect();
        (!told.is_empty()).then(|| told.join(", "))
    }

    fn leaf(&mut self, task: &Task, path: String, before: &[Task]) -> Leaf {
        let people = self.who.of(task);
        let look = match &task.kind {
            _ if people.is_some() => Look::Person,
            TaskKind::Switch(_) => Look::Choice,
            TaskKind::Wait(_) => Look::Wait,
            TaskKind::Listen(_) | TaskKind::Emit(_) => Look::Event,
            TaskKind::Raise(_) => Look::Failure,
            TaskKind::Call(call) if call.function.value == "notice" => Look::Wait,
            _ => Look::Box,
        };
        let tongue = self.tongue();
        let mut lines = Vec::new();
        if let Some(people) = &people {
            lines.push(if self.far {
                people.full()
            } else {
                people.name.clone()
            });
        }
        lines.push(detail(task, tongue));
        lines.extend(self.returns(task, &path));
        lines.extend(condition(task, before, tongue));
        lines.extend(extensions(self.who.definition, task, tongue));
        let actor = match (&people, look) {
            (Some(people), _) => people.clone(),
            (None, Look::Choice) => self.last.clone(),
            (None, _) => self.who.system(),
        };
        self.last = actor.clone();
        Leaf {
            title: title(task, self.tongue()),
            lines,
            told: told(task, tongue),
            look,
            mark: self.marks.of(&path),
            note: self.marks.notes.get(&path).cloned(),
            exits: match &task.kind {
                TaskKind::Switch(cases) => cases.len(),
                _ => 0,
            },
            actor,
            path,
        }
    }

    /// Where a reviewer may send it back to.
    fn returns(&self, task: &Task, path: &str) -> Option<String> {
        let TaskKind::Call(call) = &task.kind else {
            return None;
        };
        let tongue = self.tongue();
        let with = call.with.as_ref()?;
        let mut words = Vec::new();
        if with.get("correct").is_some() {
            words.push(say(tongue, "补正", "correction").to_owned());
        }
        let to = with.get("return").and_then(|back| back.get("to"));
        let one = to.iter().filter_map(|to| to.as_str());
        let many = to
            .iter()
            .flat_map(|to| to.items())
            .filter_map(Template::as_str);
        for step in one.chain(many) {
            words.push(match step {
                "applicant" => say(tongue, "申请人", "applicant").to_owned(),
                "previous" => say(tongue, "上一步", "the step before").to_owned(),
                "any" => say(tongue, "任一步", "any step").to_owned(),
                other => self.titled(path, other),
            });
        }
        (!words.is_empty()).then(|| format!("↩ {}", words.join(comma(tongue))))
    }

    /// The title of a step that is named from another: in its own list first, then in those around it.
    fn titled(&self, from: &str, name: &str) -> String {
        let mut outer = from;
        while let Some((above, _)) = outer.rsplit_once('/') {
            if let Some(task) = self.task_at(&below(above, name)) {
                return title(task, self.tongue());
            }
            outer = above;
        }
        self.task_at(name)
            .map_or_else(|| name.to_owned(), |task| title(task, self.tongue()))
    }

    fn task_at(&self, path: &str) -> Option<&Task> {
        let mut lists: Vec<&[Task]> = vec![&self.who.definition.tasks];
        let mut found = None;
        for part in path.split('/') {
            let mut tasks = lists.into_iter().flatten();
            let task = tasks.find(|task| task.name.value == part)?;
            lists = task.scopes().into_iter().map(|(_, inner)| inner).collect();
            found = Some(task);
        }
        found
    }
}

fn count(tasks: &[Task]) -> usize {
    let inner = tasks.iter().flat_map(Task::scopes);
    tasks.len() + inner.map(|(_, inner)| count(inner)).sum::<usize>()
}

pub(super) fn below(outer: &str, name: &str) -> String {
    if outer.is_empty() {
        name.to_owned()
    } else {
        format!("{outer}/{name}")
    }
}

fn condition(task: &Task, before: &[Task], tongue: Tongue) -> Option<String> {
    let source = task.if_.as_ref()?;
    let said = said(before, &source.text, tongue);
    let text = said.unwrap_or_else(|| short(&source.text, 28));
    Some(format!("{} {text}", say(tongue, "若", "if")))
}

/// What a step says when it is pointed at: its conditions as they were written.
fn told(task: &Task, tongue: Tongue) -> String {
    let mut text = String::new();
    if let Some(source) = &task.if_ {
        text.push_str(&format!("\n{} {}", say(tongue, "若", "if"), source.text));
    }
    if let TaskKind::Switch(cases) = &task.kind {
        for case in cases {
            let when = case.when.as_ref().map_or("", |source| &source.text);
            text.push_str(&format!("\n{}: {when}", case.name.value));
        }
    }
    if let Some(state) = &task.metadata.state {
        text.push_str(&format!(
            "\n{}: {}",
            say(tongue, "状态", "state"),
            plain(state)
        ));
    }
    text
}
