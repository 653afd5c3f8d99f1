//! The ways between the tasks of one list, as a graph.

use std::collections::HashMap;

use crate::definition::{Flow, Task, TaskKind};

/// The ways between the tasks of one list.
pub(super) struct Graph {
    /// For each task the tasks that may come next.
    next: Vec<Vec<usize>>,
    /// For each task those from which a way leads straight to it.
    back: Vec<Vec<usize>>,
    /// For each task whether the flow may leave the list there.
    leaves: Vec<bool>,
    /// For each task those that have certainly run before it (indices, as bits).
    certain: Vec<Vec<u64>>,
    /// For each task whether it is ever reached.
    reached: Vec<bool>,
    /// Tasks that lead back to themselves, in the order of the document.
    pub circles: Vec<Vec<usize>>,
}

/// Longest list whose certainties are worked out; in longer ones every step counts as certain.
const MAX_SETTLED: usize = 2_000;

impl Graph {
    pub fn of(tasks: &[Task], branches: bool) -> Self {
        let count = tasks.len();
        let mut graph = Graph {
            next: vec![Vec::new(); count],
            back: vec![Vec::new(); count],
            leaves: vec![branches; count],
            certain: Vec::new(),
            reached: vec![branches; count],
            circles: Vec::new(),
        };
        if branches {
            return graph;
        }
        let places: HashMap<&str, usize> = tasks
            .iter()
            .enumerate()
            .rev()
            .map(|(at, task)| (task.name.value.as_str(), at))
            .collect();
        for (at, task) in tasks.iter().enumerate() {
            let (next, leaves) = ways(&places, at + 1 < count, at, task);
            if let Some(slot) = graph.next.get_mut(at) {
                *slot = next;
            }
            if let Some(slot) = graph.leaves.get_mut(at) {
                *slot = leaves;
            }
        }
        graph.reach();
        if count <= MAX_SETTLED {
            graph.settle(tasks);
        }
        graph.circle();
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
        if self.certain.is_empty() {
            return true;
        }
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

    /// The tasks from which a way leads straight to `to`.
    pub fn before(&self, to: usize) -> impl Iterator<Item = usize> + '_ {
        self.back.get(to).into_iter().flatten().copied()
    }

    /// Whether a way leads out of a circle.
    pub fn leaves(&self, circle: &[usize]) -> bool {
        circle.iter().any(|member| {
            let outside =
                |next: &Vec<usize>| next.iter().any(|to| circle.binary_search(to).is_err());
            self.leaves.get(*member).copied().unwrap_or(true)
                || self.next.get(*member).is_some_and(outside)
        })
    }

    /// Finds the circles: strongly connected tasks, by two walks (Kosaraju).
    fn circle(&mut self) {
        let count = self.next.len();
        for (from, next) in self.next.iter().enumerate() {
            for to in next {
                if let Some(slot) = self.back.get_mut(*to) {
                    slot.push(from);
                }
            }
        }
        let mut order = Vec::new();
        let mut seen = vec![false; count];
        for start in 0..count {
            walk(&self.next, start, &mut seen, &mut order);
        }
        let mut seen = vec![false; count];
        for start in order.into_iter().rev() {
            let mut members = Vec::new();
            walk(&self.back, start, &mut seen, &mut members);
            members.sort_unstable();
            let itself = self
                .next
                .get(start)
                .is_some_and(|next| next.contains(&start));
            if members.len() > 1 || members.len() == 1 && itself {
                self.circles.push(members);
            }
        }
        self.circles.sort_unstable();
    }

    pub fn is_reached(&self, at: usize) -> bool {
        self.reached.get(at).copied().unwrap_or(true)
    }
}

/// Everything that can be reached from `start` and was not seen, in the order in which it is left.
fn walk(next: &[Vec<usize>], start: usize, seen: &mut [bool], left: &mut Vec<usize>) {
    let mut stack = vec![(start, 0)];
    match seen.get_mut(start) {
        Some(seen) if !*seen => *seen = true,
        _ => return,
    }
    while let Some((at, way)) = stack.last_mut() {
        let to = next.get(*at).and_then(|next| next.get(*way)).copied();
        *way += 1;
        match to {
            None => {
                left.push(*at);
                stack.pop();
            }
            Some(to) => {
                if let Some(seen) = seen.get_mut(to).filter(|seen| !**seen) {
                    *seen = true;
                    stack.push((to, 0));
                }
            }
        }
    }
}

/// The tasks that may come after one, and whether the list may end there.
fn ways(places: &HashMap<&str, usize>, more: bool, at: usize, task: &Task) -> (Vec<usize>, bool) {
    let mut next = Vec::new();
    let mut leaves = false;
    let mut go = |flow: Option<&Flow>| match flow {
        None | Some(Flow::Continue) if more => next.push(at + 1),
        None | Some(Flow::Continue | Flow::Exit | Flow::End) => leaves = true,
        Some(Flow::Task(name)) => match places.get(name.as_str()) {
            Some(to) => next.push(*to),
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
