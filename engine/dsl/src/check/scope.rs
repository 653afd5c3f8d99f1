//! Where a task stands: its list, the lists around it, the variables that are known there.

use crate::definition::{Task, TaskKind};

use super::graph::Graph;

/// What kind of list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListKind {
    /// Tasks in order.
    Sequence,
    /// Branches of a fork: each is alone.
    Branches,
}

/// A list of tasks, and the lists around it.
pub(super) struct Scope<'a> {
    /// The list around, with the index of the task there that holds this list.
    pub outer: Option<(&'a Scope<'a>, usize)>,
    pub tasks: &'a [Task],
    pub kind: ListKind,
    pub graph: Graph,
    /// Variables that the enclosing task gives to this list.
    pub locals: Vec<String>,
    /// Grounds of the clocks on this list's own enclosing task.
    pub stops: Vec<String>,
    /// Whether a return may be sent to a place outside: false for the bodies of reusable functions.
    pub returnable: bool,
}

impl<'a> Scope<'a> {
    pub fn new(outer: Option<(&'a Scope<'a>, usize)>, tasks: &'a [Task], kind: ListKind) -> Self {
        let graph = Graph::of(tasks, kind == ListKind::Branches);
        Scope {
            outer,
            tasks,
            kind,
            graph,
            locals: Vec::new(),
            stops: Vec::new(),
            returnable: true,
        }
    }

    /// Every variable known here, the innermost first.
    pub fn all_locals(&self) -> Vec<String> {
        let mut found = self.locals.clone();
        if let Some((outer, _)) = self.outer {
            found.extend(outer.all_locals());
        }
        found
    }

    /// Whether this is inside the body of a reusable function.
    pub fn in_function(&self) -> bool {
        !self.returnable
    }

    /// Whether an enclosing clock lists a ground in its `stops`.
    pub fn stopped_by(&self, ground: &str) -> bool {
        self.stops.iter().any(|stop| stop == ground)
            || self
                .outer
                .is_some_and(|(outer, _)| outer.stopped_by(ground))
    }

    /// The task or branch that `steps.NAME` means here.
    pub fn step(&self, name: &str) -> Option<&'a Task> {
        let here = self.tasks.iter().find_map(|task| match &task.kind {
            _ if task.name.value == name => Some(task),
            TaskKind::Fork(fork) => fork
                .branches
                .iter()
                .find(|branch| branch.name.value == name),
            _ => None,
        });
        here.or_else(|| self.outer.and_then(|(outer, _)| outer.step(name)))
    }

    /// Names that `steps.NAME` can mean in this list: the tasks, and the branches of its forks.
    pub fn step_names(&self) -> Vec<&'a str> {
        let mut found = Vec::new();
        let mut scope = self;
        loop {
            for task in scope.tasks {
                found.push(task.name.value.as_str());
                if let TaskKind::Fork(fork) = &task.kind {
                    found.extend(
                        fork.branches
                            .iter()
                            .map(|branch| branch.name.value.as_str()),
                    );
                }
            }
            match scope.outer {
                Some((outer, _)) => scope = outer,
                None => return found,
            }
        }
    }
}
