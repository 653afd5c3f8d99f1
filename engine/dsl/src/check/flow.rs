//! The ways through a list of tasks: what leads where, what is reached, what goes round for ever.

use crate::codes;
use crate::definition::{Definition, Flow, Task, TaskKind, Then};
use crate::diagnostic::Diagnostic;
use crate::suggest;

use super::checker::Checker;
use super::scope::{ListKind, Scope};

impl Checker<'_> {
    /// Checks the ways through one list.
    pub(super) fn flow(&mut self, scope: &Scope<'_>) {
        for task in scope.tasks {
            if self.is_full() {
                return;
            }
            self.directives(scope, task);
        }
        if scope.kind == ListKind::Sequence {
            self.unreachable(scope);
            self.endless(scope);
            self.falling_through(scope);
        }
    }

    /// A task whose name is a word of `then`.
    fn reserved(&mut self, scope: &Scope<'_>, task: &Task) {
        let name = task.name.value.as_str();
        let flow = match name {
            "continue" => Flow::Continue,
            "exit" => Flow::Exit,
            "end" => Flow::End,
            _ => return,
        };
        // Somebody says `then: end` beside a task `end`: one of both is not meant.
        let said = scope.tasks.iter().any(|other| says(other, &flow));
        let message = format!("`{name}` is a word of `then`: no `then` can lead to this task");
        let help = format!("rename it, for example `{name}Step`");
        let fault = if said {
            Diagnostic::error(codes::RESERVED_NAME, task.name.span, message)
        } else {
            Diagnostic::warning(codes::RESERVED_NAME, task.name.span, message)
        };
        self.faults.push(fault.help(help));
    }

    fn directives(&mut self, scope: &Scope<'_>, task: &Task) {
        self.reserved(scope, task);
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
                .help(suggest::did_you_mean(name, names).unwrap_or_else(|| {
                    "name a task of this list, or `continue`, `exit` or `end`".to_owned()
                }))
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
        for circle in &scope.graph.circles {
            let members: Vec<&Task> = circle
                .iter()
                .filter_map(|at| scope.tasks.get(*at))
                .collect();
            let (Some(first), Some(last)) = (members.first(), members.last()) else {
                continue;
            };
            let reached = circle.iter().any(|at| scope.graph.is_reached(*at));
            let waits = members.iter().any(|task| self.waits(task));
            let ends = members.iter().any(|task| may_end(task));
            if !reached || waits || ends || scope.graph.leaves(circle) {
                continue;
            }
            let place = last.then.as_ref().map_or(last.name.span, |then| then.span);
            let message = format!(
                "`{}` and what follows it repeat for ever, without a wait and without a way out",
                first.name.value
            );
            self.faults.push(
                Diagnostic::error(codes::ENDLESS_LOOP, place, message)
                    .help("put a `switch` that leaves, or a `wait`, into the circle")
                    .label(first.name.span, "the circle begins here"),
            );
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

/// Whether a directive of a task says this.
fn says(task: &Task, flow: &Flow) -> bool {
    let own = task.then.as_ref().is_some_and(|then| then.value == *flow);
    own || match &task.kind {
        TaskKind::Switch(cases) => cases.iter().any(|case| case.then.value == *flow),
        TaskKind::Try(body) => {
            let then = body.catch.then.as_ref();
            then.is_some_and(|then| then.value == *flow)
        }
        _ => false,
    }
}

/// Whether a way inside a task ends the workflow.
fn may_end(task: &Task) -> bool {
    let ends = |then: &Then| then.value == Flow::End;
    let cases = match &task.kind {
        TaskKind::Switch(cases) => cases.iter().any(|case| ends(&case.then)),
        TaskKind::Try(body) => body.catch.then.as_ref().is_some_and(ends),
        _ => false,
    };
    cases
        || task.then.as_ref().is_some_and(ends)
        || task
            .scopes()
            .iter()
            .any(|(_, tasks)| tasks.iter().any(may_end))
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
