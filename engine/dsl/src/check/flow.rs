//! The ways through a list of tasks: what leads where, what is reached, what goes round for ever.

use crate::codes;
use crate::definition::{Definition, Flow, Task, TaskKind, Then};
use crate::diagnostic::Diagnostic;
use crate::suggest;

use super::scope::{ListKind, Scope};
use super::walk::Checker;

/// The ways between the tasks of one list.
pub(super) struct Graph {
    /// For each task the tasks that may come next.
    next: Vec<Vec<usize>>,
    /// For each task whether the flow may leave the list there.
    leaves: Vec<bool>,
    /// For each task those that have certainly run before it (indices, as bits).
    certain: Vec<Vec<u64>>,
    /// For each task whether it is ever reached.
    reached: Vec<bool>,
}

impl Graph {
    pub fn of(tasks: &[Task], branches: bool) -> Self {
        let count = tasks.len();
        let mut graph = Graph {
            next: vec![Vec::new(); count],
            leaves: vec![branches; count],
            certain: Vec::new(),
            reached: vec![branches; count],
        };
        if branches {
            graph.certain = vec![vec![0; count.div_ceil(64)]; count];
            return graph;
        }
        for (at, task) in tasks.iter().enumerate() {
            let (next, leaves) = ways(tasks, at, task);
            if let Some(slot) = graph.next.get_mut(at) {
                *slot = next;
            }
            if let Some(slot) = graph.leaves.get_mut(at) {
                *slot = leaves;
            }
        }
        graph.reach();
        graph.settle(tasks);
        graph
    }

    fn reach(&mut self) {
        let mut waiting = vec![0];
        while let Some(at) = waiting.pop() {
            match self.reached.get_mut(at) {
                Some(reached) if !*reached => *reached = true,
                _ => continue,
            }
            waiting.extend(self.next.get(at).into_iter().flatten().copied());
        }
    }

    /// Which tasks have certainly run before each: the least that all ways have in common.
    fn settle(&mut self, tasks: &[Task]) {
        let words = tasks.len().div_ceil(64);
        let mut known: Vec<Option<Vec<u64>>> = vec![None; tasks.len()];
        if let Some(first) = known.first_mut() {
            *first = Some(vec![0; words]);
        }
        let mut waiting: std::collections::VecDeque<usize> = [0].into();
        while let Some(at) = waiting.pop_front() {
            let Some(before) = known.get(at).cloned().flatten() else {
                continue;
            };
            let skippable = tasks.get(at).is_some_and(|task| task.if_.is_some());
            let mut after = before;
            if !skippable && let Some(word) = after.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
            for &next in self.next.get(at).into_iter().flatten() {
                let Some(slot) = known.get_mut(next) else {
                    continue;
                };
                let met: Vec<u64> = match slot {
                    None => after.clone(),
                    Some(old) => old.iter().zip(&after).map(|(a, b)| a & b).collect(),
                };
                if slot.as_ref() != Some(&met) {
                    *slot = Some(met);
                    waiting.push_back(next);
                }
            }
        }
        self.certain = known
            .into_iter()
            .map(|set| set.unwrap_or_else(|| vec![u64::MAX; words]))
            .collect();
    }

    /// Whether `task` has certainly run when `at` begins.
    pub fn certainly_before(&self, task: usize, at: usize) -> bool {
        self.certain
            .get(at)
            .and_then(|set| set.get(task / 64))
            .is_some_and(|word| word & (1 << (task % 64)) != 0)
    }

    /// Whether `task` has certainly run when the list ends by its last task.
    pub fn certainly_at_end(&self, task: usize, tasks: &[Task]) -> bool {
        let skippable = tasks.get(task).is_some_and(|found| found.if_.is_some());
        let ends = (0..tasks.len())
            .filter(|at| self.is_reached(*at) && self.leaves.get(*at).copied().unwrap_or(false));
        ends.into_iter()
            .all(|at| self.certainly_before(task, at) || at == task && !skippable)
    }

    /// Whether a way leads from `from` to `to`.
    pub fn leads(&self, from: usize, to: usize) -> bool {
        let mut seen = vec![false; self.next.len()];
        let mut waiting: Vec<usize> = self.next.get(from).cloned().unwrap_or_default();
        while let Some(at) = waiting.pop() {
            if at == to {
                return true;
            }
            match seen.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            waiting.extend(self.next.get(at).into_iter().flatten().copied());
        }
        false
    }

    pub fn is_reached(&self, at: usize) -> bool {
        self.reached.get(at).copied().unwrap_or(true)
    }
}

/// The tasks that may come after one, and whether the list may end there.
fn ways(tasks: &[Task], at: usize, task: &Task) -> (Vec<usize>, bool) {
    let mut next = Vec::new();
    let mut leaves = false;
    let mut go = |flow: Option<&Flow>| match flow {
        None | Some(Flow::Continue) if at + 1 < tasks.len() => next.push(at + 1),
        None | Some(Flow::Continue | Flow::Exit | Flow::End) => leaves = true,
        Some(Flow::Task(name)) => match tasks.iter().position(|task| task.name.value == *name) {
            Some(to) => next.push(to),
            None => leaves = true,
        },
    };
    if task.if_.is_some() {
        go(None);
    }
    let then = task.then.as_ref().map(|then| &then.value);
    match &task.kind {
        TaskKind::Switch(cases) => {
            cases.iter().for_each(|case| go(Some(&case.then.value)));
            if cases.iter().all(|case| case.when.is_some()) {
                go(then);
            }
        }
        TaskKind::Raise(_) => leaves = true,
        TaskKind::Try(body) => {
            go(then);
            if let Some(then) = &body.catch.then {
                go(Some(&then.value));
            }
        }
        _ => go(then),
    }
    if always_ends(task) && task.if_.is_none() {
        return (Vec::new(), true);
    }
    next.sort_unstable();
    next.dedup();
    (next, leaves)
}

/// Whether every way through a block ends the workflow.
fn always_ends(task: &Task) -> bool {
    match &task.kind {
        TaskKind::Do(tasks) => {
            let graph = Graph::of(tasks, false);
            let last = |at: usize, task: &Task| {
                graph.is_reached(at)
                    && graph.leaves.get(at).copied().unwrap_or(false)
                    && !matches!(task.then.as_ref().map(|then| &then.value), Some(Flow::End))
            };
            !tasks.is_empty()
                && !tasks.iter().enumerate().any(|(at, task)| {
                    last(at, task) || task.if_.is_some() || matches!(task.kind, TaskKind::Switch(_))
                })
        }
        _ => false,
    }
}

impl Checker<'_> {
    /// Checks the ways through one list.
    pub(super) fn flow(&mut self, scope: &Scope<'_>) {
        for task in scope.tasks {
            self.directives(scope, task);
        }
        if scope.kind == ListKind::Sequence {
            self.unreachable(scope);
            self.endless(scope);
            self.falling_through(scope);
        }
    }

    fn directives(&mut self, scope: &Scope<'_>, task: &Task) {
        if let Some(then) = &task.then {
            self.target(scope, then);
        }
        match &task.kind {
            TaskKind::Switch(cases) => cases.iter().for_each(|case| self.target(scope, &case.then)),
            TaskKind::Try(body) => {
                if let Some(then) = &body.catch.then {
                    self.target(scope, then);
                }
            }
            _ => {}
        }
    }

    fn target(&mut self, scope: &Scope<'_>, then: &Then) {
        let Flow::Task(name) = &then.value else {
            return;
        };
        if scope.kind == ListKind::Branches {
            self.faults.push(
                Diagnostic::error(
                    codes::OTHER_SCOPE,
                    then.span,
                    format!("a branch of a fork cannot go to `{name}`"),
                )
                .help("`exit` ends the branch; what comes after the fork is the fork's own `then`"),
            );
            return;
        }
        if scope.tasks.iter().any(|task| task.name.value == *name) {
            return;
        }
        let words = ["continue", "exit", "end"];
        let elsewhere = find(self.definition, name);
        let fault = match elsewhere {
            Some(task) => Diagnostic::error(
                codes::OTHER_SCOPE,
                then.span,
                format!("the task `{name}` is in another scope"),
            )
            .help("leave this block with `then: exit`, and route after it")
            .label(task.name.span, "it is here"),
            None => {
                let names = scope
                    .tasks
                    .iter()
                    .map(|task| task.name.value.as_str())
                    .chain(words);
                Diagnostic::error(
                    codes::UNKNOWN_TARGET,
                    then.span,
                    format!("there is no task `{name}` in this scope"),
                )
                .help_if(suggest::did_you_mean(name, names))
            }
        };
        self.faults.push(fault);
    }

    fn unreachable(&mut self, scope: &Scope<'_>) {
        let mut told = false;
        for (at, task) in scope.tasks.iter().enumerate() {
            let reached = scope.graph.is_reached(at);
            if !reached && !told {
                self.faults.push(
                    Diagnostic::warning(codes::UNREACHABLE, task.name.span, format!("no way leads to the task `{}`", task.name.value))
                        .help("every task before it ends or goes elsewhere; name it in a `then`, or take it out"),
                );
            }
            told = !reached;
        }
    }

    /// Circles that nothing leaves and nothing waits in.
    fn endless(&mut self, scope: &Scope<'_>) {
        let graph = &scope.graph;
        for (at, task) in scope.tasks.iter().enumerate() {
            if !graph.is_reached(at) || !graph.leads(at, at) {
                continue;
            }
            let circle: Vec<usize> = (0..scope.tasks.len())
                .filter(|other| *other == at || graph.leads(at, *other) && graph.leads(*other, at))
                .collect();
            if circle.first() != Some(&at) {
                continue;
            }
            let open = circle.iter().any(|member| {
                graph.leaves.get(*member).copied().unwrap_or(true)
                    || graph
                        .next
                        .get(*member)
                        .is_some_and(|next| next.iter().any(|to| !circle.contains(to)))
            });
            let waits = circle
                .iter()
                .filter_map(|member| scope.tasks.get(*member))
                .any(|task| self.waits(task));
            if !open && !waits {
                let last = circle
                    .last()
                    .and_then(|last| scope.tasks.get(*last))
                    .unwrap_or(task);
                let fault = Diagnostic::error(
                    codes::ENDLESS_LOOP,
                    last.then.as_ref().map_or(last.name.span, |then| then.span),
                    format!("`{}` and what follows it repeat for ever, without a wait and without a way out", task.name.value),
                )
                .help("put a `switch` that leaves, or a `wait`, into the circle");
                self.faults
                    .push(fault.label(task.name.span, "the circle begins here"));
            }
        }
    }

    /// Whether a task may take time.
    fn waits(&self, task: &Task) -> bool {
        match &task.kind {
            TaskKind::Wait(_)
            | TaskKind::Listen(_)
            | TaskKind::Call(_)
            | TaskKind::Run(_)
            | TaskKind::Raise(_) => true,
            _ => task
                .scopes()
                .iter()
                .any(|(_, tasks)| tasks.iter().any(|inner| self.waits(inner))),
        }
    }

    /// A switch that no case need match, before the target of one of its cases.
    fn falling_through(&mut self, scope: &Scope<'_>) {
        for (at, task) in scope.tasks.iter().enumerate() {
            let TaskKind::Switch(cases) = &task.kind else {
                continue;
            };
            let Some(next) = scope.tasks.get(at + 1) else {
                continue;
            };
            if task.then.is_some() || cases.iter().any(|case| case.when.is_none()) {
                continue;
            }
            let case = cases.iter().find(
                |case| matches!(&case.then.value, Flow::Task(name) if *name == next.name.value),
            );
            if let Some(case) = case {
                self.faults.push(
                    Diagnostic::warning(
                        codes::NO_DEFAULT,
                        task.name.span,
                        format!("when no case of `{}` matches, the flow goes on to `{}` as if `{}` had matched", task.name.value, next.name.value, case.name.value),
                    )
                    .help("add a case without `when`, or a `then` to the switch"),
                );
            }
        }
    }
}

/// A task of this name anywhere in the document.
fn find<'a>(definition: &'a Definition, name: &str) -> Option<&'a Task> {
    fn within<'a>(tasks: &'a [Task], name: &str) -> Option<&'a Task> {
        tasks.iter().find_map(|task| {
            if task.name.value == name {
                return Some(task);
            }
            task.scopes()
                .into_iter()
                .find_map(|(_, inner)| within(inner, name))
        })
    }
    within(&definition.tasks, name).or_else(|| {
        definition.reusables.functions.values().find_map(|body| {
            within(std::slice::from_ref(body), name)
                .filter(|found| found.name.value != body.name.value)
        })
    })
}
