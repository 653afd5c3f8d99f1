//! `steps.NAME`: whether there is such a step, and whether it has run.

use tongban_expr::{Language, Read, Value};

use crate::codes;
use crate::definition::{ExpressionSource, TaskKind};
use crate::diagnostic::Diagnostic;
use crate::signatures::Signature;
use crate::span::Span;
use crate::suggest;

use super::checker::Checker;
use super::outcomes;
use super::people;
use super::scope::{ListKind, Scope};
use super::setting::Setting;

/// What is known about a step at the place where it is read.
enum Standing {
    /// It has run.
    Certain,
    /// It may have been skipped, or the way may have led past it.
    Perhaps,
    /// It comes later, and nothing leads back.
    Later(Span),
    /// It is a sibling branch, which runs at the same time.
    Sibling(Span),
    Unknown,
}

impl Checker<'_> {
    pub(super) fn step(&mut self, source: &ExpressionSource, read: &Read, setting: &Setting<'_>) {
        let Some(part) = read.path.first() else {
            return;
        };
        let name = part.name.as_str();
        let span = self.place(source, &read.at);
        let standing = match standing(setting.scope, setting.at, name) {
            Standing::Certain if setting.any_time => Standing::Perhaps,
            found => found,
        };
        if matches!(standing, Standing::Certain | Standing::Perhaps) {
            self.result_property(source, read, setting.scope);
        }
        let fault = match standing {
            Standing::Certain => None,
            Standing::Perhaps => unguarded(source, read, name, span),
            Standing::Later(place) => Some(
                Diagnostic::error(
                    codes::STEP_LATER,
                    span,
                    format!("the step `{name}` has not run here"),
                )
                .help("read it in a task after it")
                .label(place, "it stands here"),
            ),
            Standing::Sibling(place) => Some(
                Diagnostic::error(
                    codes::STEP_LATER,
                    span,
                    format!("the branch `{name}` runs at the same time"),
                )
                .help("read it after the fork has joined")
                .label(place, "it stands here"),
            ),
            // The body of a function may read the steps of whoever calls it.
            Standing::Unknown if setting.scope.in_function() => None,
            Standing::Unknown => Some(self.no_step(name, span, setting.scope)),
        };
        self.faults.extend(fault);
    }

    /// A name that no task has here: one of the whole document, of a block, or a slip.
    fn no_step(&self, name: &str, span: Span, scope: &Scope<'_>) -> Diagnostic {
        if scope.tasks.is_empty() && self.is_task(name) {
            return Diagnostic::error(
                codes::STEP_LATER,
                span,
                format!("`steps.{name}` is empty here: this is evaluated when the case begins, before any task"),
            )
            .help("use `form` and `workflow.starter`; what a step gives can stand in `case.title`, in `case.search` and in the tasks after it");
        }
        let names = scope.step_names();
        let help = suggest::nearest(name, names.iter().copied())
            .map(|near| format!("did you mean `{near}`?"))
            .or_else(|| {
                self.enclosing(name).map(|block| {
                    format!("it stands inside `{block}`, whose result is `steps.{block}`")
                })
            })
            .or_else(|| suggest::did_you_mean(name, names));
        Diagnostic::error(
            codes::UNKNOWN_STEP,
            span,
            format!("there is no step `{name}` here"),
        )
        .help(help.unwrap_or_else(|| {
            "`steps` has the tasks of this list and of the lists around it".to_owned()
        }))
    }

    /// `steps.NAME.PROPERTY`, when the function's signature lists what it gives.
    fn result_property(&mut self, source: &ExpressionSource, read: &Read, scope: &Scope<'_>) {
        let (Some(name), Some(property)) = (read.path.first(), read.path.get(1)) else {
            return;
        };
        let Some(task) = scope.step(&name.name).filter(|task| task.output.is_none()) else {
            return;
        };
        let TaskKind::Call(call) = &task.kind else {
            return;
        };
        let Some(signature) = self.surroundings.function(&call.function.value) else {
            return;
        };
        let Some(properties) = signature.result.get("properties") else {
            return;
        };
        let method = source
            .text
            .get(read.at.end..)
            .is_some_and(|rest| rest.starts_with('('));
        if property.name == "data"
            && call.function.value == "approve"
            && outcomes::asks_nothing(call)
        {
            self.no_data(source, read, &name.name);
            return;
        }
        if let ("data", Some(field)) = (property.name.as_str(), read.path.get(2))
            && !(method && read.path.len() == 3)
            && let Some((message, help)) = self.answered_field(call, &field.name)
        {
            let span = self.place(source, &read.at);
            self.faults
                .push(Diagnostic::warning(codes::UNKNOWN_FIELD, span, message).help(help));
        }
        if properties.get(&property.name).is_some() || method && read.path.len() == 2 {
            return;
        }
        self.no_result(source, read, &property.name, &signature);
    }

    /// `steps.NAME.data` of an approval that asks for no form.
    fn no_data(&mut self, source: &ExpressionSource, read: &Read, step: &str) {
        let span = self.place(source, &read.at);
        let form = match source.language {
            Language::Jq => "$form",
            Language::Rhai => "form",
        };
        self.faults.push(
            Diagnostic::warning(
                codes::UNKNOWN_RESULT,
                span,
                format!("`{step}` asks for no form, so its answer has no `data`"),
            )
            .help(format!(
                "the application is `{form}`; an answer with data comes from a step with a `form` of its own"
            )),
        );
    }

    /// A property that a function does not give: certain when it gives no others than it lists, or when one of them is near.
    fn no_result(
        &mut self,
        source: &ExpressionSource,
        read: &Read,
        property: &str,
        signature: &Signature,
    ) {
        let closed = signature
            .result
            .get("additionalProperties")
            .and_then(Value::as_bool);
        let listed = signature.result.get("properties").into_iter();
        let known: Vec<&str> = listed
            .flat_map(Value::entries)
            .map(|(name, _)| name.as_str())
            .collect();
        let near = suggest::nearest(property, known.iter().copied());
        if closed != Some(false) && near.is_none() {
            return;
        }
        let message = format!("`{}` gives no `{property}`", signature.name);
        let span = self.place(source, &read.at);
        let help = suggest::did_you_mean(property, known);
        self.faults.push(
            Diagnostic::error(codes::UNKNOWN_RESULT, span, message).help(
                help.unwrap_or_else(|| "the manual lists what the function gives".to_owned()),
            ),
        );
    }

    /// Whether any task of the document has this name.
    fn is_task(&self, name: &str) -> bool {
        self.definition
            .tasks
            .iter()
            .any(|task| task.name.value == name)
            || self.enclosing(name).is_some()
    }

    /// The block of the main list that holds a task of this name.
    fn enclosing(&self, name: &str) -> Option<&str> {
        fn holds(task: &crate::definition::Task, name: &str) -> bool {
            task.scopes().iter().any(|(_, tasks)| {
                tasks
                    .iter()
                    .any(|inner| inner.name.value == name || holds(inner, name))
            })
        }
        self.definition
            .tasks
            .iter()
            .find(|task| holds(task, name))
            .map(|task| task.name.value.as_str())
    }
}

/// A step that may not have run, read as if it had.
fn unguarded(source: &ExpressionSource, read: &Read, name: &str, span: Span) -> Option<Diagnostic> {
    let guarded = read.path.get(1).is_none_or(|next| next.optional);
    if source.language != Language::Rhai || guarded {
        return None;
    }
    Some(
        Diagnostic::warning(
            codes::STEP_UNSET,
            span,
            format!("the step `{name}` may not have run here"),
        )
        .help(format!(
            "write `steps.{name}?.…`, with `?? …` for what stands in its place"
        )),
    )
}

/// Looks for the step in this list, then in those around it.
fn standing(scope: &Scope<'_>, at: Option<usize>, name: &str) -> Standing {
    let found = scope.tasks.iter().enumerate().find_map(|(index, task)| {
        if task.name.value == name {
            return Some((index, task.name.span, false));
        }
        match &task.kind {
            TaskKind::Fork(fork) => {
                let branch = fork
                    .branches
                    .iter()
                    .find(|branch| branch.name.value == name)?;
                Some((
                    index,
                    branch.name.span,
                    fork.compete || branch.if_.is_some(),
                ))
            }
            _ => None,
        }
    });
    let Some((index, place, unsure)) = found else {
        return match scope.outer {
            Some((outer, at)) => standing(outer, Some(at), name),
            None => Standing::Unknown,
        };
    };
    let Some(at) = at else {
        let certain = scope.graph.certainly_at_end(index, scope.tasks) && !unsure;
        return if certain {
            Standing::Certain
        } else {
            Standing::Perhaps
        };
    };
    if scope.kind == ListKind::Branches {
        return if index == at {
            Standing::Later(place)
        } else {
            Standing::Sibling(place)
        };
    }
    if index != at && scope.graph.certainly_before(index, at) {
        return if unsure {
            Standing::Perhaps
        } else {
            Standing::Certain
        };
    }
    let comes_back =
        scope.graph.leads(index, at) || returns(scope, index, at) || !scope.graph.is_reached(at);
    if comes_back {
        Standing::Perhaps
    } else {
        Standing::Later(place)
    }
}

/// Whether somebody at or after `index` may return the case to a place at or before `at`.
fn returns(scope: &Scope<'_>, index: usize, at: usize) -> bool {
    scope.tasks.iter().skip(index).any(|task| {
        people::return_targets(task).iter().any(|target| {
            matches!(*target, "applicant" | "previous" | "any")
                || scope
                    .tasks
                    .iter()
                    .position(|task| task.name.value == *target)
                    .is_some_and(|to| to <= at)
        })
    })
}
