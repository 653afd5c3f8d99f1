//! Steps of people: outcomes, silence, returns, signers.

use crate::codes;
use crate::definition::{Call, Task, TaskKind, Template};
use crate::diagnostic::Diagnostic;
use crate::signatures::Kind;
use crate::suggest;

use super::checker::Checker;
use super::outcomes;
use super::scope::{ListKind, Scope};

/// Most signers of one work item.
const MAX_SIGNERS: usize = 500;
/// Targets of a return that are no tasks.
const VIRTUAL: &[&str] = &["applicant", "previous", "any"];

/// The literal targets of a task's return.
pub(super) fn return_targets(task: &Task) -> Vec<&str> {
    let TaskKind::Call(call) = &task.kind else {
        return Vec::new();
    };
    let targets = call
        .with
        .as_ref()
        .and_then(|with| with.get("return"))
        .and_then(|back| back.get("to"));
    targets
        .map(Template::items)
        .unwrap_or_default()
        .iter()
        .filter_map(Template::as_str)
        .collect()
}

impl Checker<'_> {
    pub(super) fn people(&mut self, scope: &Scope<'_>, at: usize, task: &Task, call: &Call) {
        let function = call.function.value.as_str();
        let Some(with) = call
            .with
            .as_ref()
            .filter(|_| matches!(function, "approve" | "collect"))
        else {
            return;
        };
        if let (Some(title), Some(other)) = (with.entry("title"), &task.metadata.title) {
            self.faults.push(
                Diagnostic::warning(
                    codes::TITLE_TWICE,
                    title.key_span,
                    "the title of this step is given twice",
                )
                .help("keep `metadata.title`")
                .label(other.span, "and here"),
            );
        }
        if let Some(to) = with.get("to").filter(|to| to.items().len() > MAX_SIGNERS) {
            self.faults.push(
                Diagnostic::error(
                    codes::TOO_MANY_SIGNERS,
                    crate::parse::first_line(to.span),
                    format!(
                        "a step has at most {MAX_SIGNERS} signers, found {}",
                        to.items().len()
                    ),
                )
                .help("ask wider rounds with `call: batch`: one case for each unit"),
            );
        }
        self.unsupported(with);
        self.outcomes(call, with);
        self.selectors(with);
        self.vote(with);
        self.figures(with);
        self.field_rights(with);
        if let Some(targets) = with.get("return").and_then(|back| back.get("to")) {
            for target in targets.items() {
                if let Some(name) = target.as_str() {
                    self.return_target(scope, at, name, target);
                }
            }
        }
    }

    /// Arguments that are known and would have no effect: refused by name.
    fn unsupported(&mut self, with: &Template) {
        if let Some(sign) = with.entry("sign") {
            self.faults.push(
                Diagnostic::error(
                    codes::UNSUPPORTED_ARGUMENT,
                    sign.key_span,
                    "no signature can be verified here: there is no plugin that signs",
                )
                .help("take `sign` out; every decision records who, when, through which channel, and a digest of what was seen"),
            );
        }
        let chosen = |selector: &Template| selector.entry("chosenBy").map(|entry| entry.key_span);
        let to = with.get("to").map(Template::items).unwrap_or_default();
        for span in to.iter().filter_map(chosen) {
            self.faults.push(
                Diagnostic::error(
                    codes::UNSUPPORTED_ARGUMENT,
                    span,
                    "nobody is asked whom he chooses: `chosenBy` would find nobody",
                )
                .help("put a field for the person into the form and write `{ user: '${ form.FIELD }' }`"),
            );
        }
    }

    /// `fields.edit` on a form that holds a respondent's figures.
    fn figures(&mut self, with: &Template) {
        let Some(edit) = with.get("fields").and_then(|fields| fields.get("edit")) else {
            return;
        };
        let Some(path) = self.shown_form(with) else {
            return;
        };
        let respondent = with.get("to").is_some_and(|to| {
            to.items()
                .iter()
                .all(|selector| selector.as_str() == Some("applicant"))
        });
        let figures = self.surroundings.form(path).is_some_and(|form| {
            form.get("x-figures").and_then(tongban_expr::Value::as_bool) == Some(true)
        });
        if figures && !respondent {
            self.faults.push(
                Diagnostic::error(codes::FIGURES, edit.span, "only the respondent changes the figures of this form")
                    .help("take `fields.edit` away and return the case to the respondent: `return: { to: [ … ], fields: true }`"),
            );
        }
    }

    fn outcomes(&mut self, call: &Call, with: &Template) {
        let function = call.function.value.as_str();
        let Some(declared) = outcomes::declared(call) else {
            return;
        };
        let mut unknown = |name: &str, span| {
            if !declared.contains(&name) {
                let meant = outcomes::titled(call, &declared, name)
                    .map(|meant| format!("did you mean `{meant}`?"))
                    .or_else(|| suggest::did_you_mean(name, declared.iter().copied()));
                self.faults.push(
                    Diagnostic::error(
                        codes::UNKNOWN_OUTCOME,
                        span,
                        format!("the step has no outcome `{name}`"),
                    )
                    .help_if(meant),
                );
            }
        };
        for place in ["reasons", "comment"] {
            for entry in with.get(place).map(Template::entries).unwrap_or_default() {
                unknown(&entry.key, entry.key_span);
            }
        }
        let Some(timeout) = with.get("timeout") else {
            return;
        };
        let Some(outcome) = timeout.as_str() else {
            return;
        };
        if let Some(time) = crate::shape::due_meant(outcome) {
            self.faults.push(
                Diagnostic::error(
                    codes::UNKNOWN_OUTCOME,
                    timeout.span,
                    format!("`timeout` names the outcome when nobody answers, found the time `{outcome}`"),
                )
                .help(format!("the time itself is `due: {time}`")),
            );
            return;
        }
        if function == "approve" {
            unknown(outcome, timeout.span);
        }
        let consent =
            declared.first() == Some(&outcome) && declared.len() > 1 || outcome == "approved";
        if function == "approve" && consent {
            self.faults.push(
                Diagnostic::warning(codes::TIMEOUT_DECIDES, timeout.span, format!("when nobody answers in time, the case goes on as `{outcome}`"))
                    .help("keep it only where a rule says that silence is consent; otherwise escalate, or give another outcome"),
            );
        }
        if with.get("due").is_none() {
            self.faults.push(
                Diagnostic::warning(
                    codes::TIMEOUT_DECIDES,
                    timeout.span,
                    "`timeout` names an outcome, but the step has no `due`: it never comes",
                )
                .help("add `due: { workingDays: n }`"),
            );
        }
    }

    fn return_target(&mut self, scope: &Scope<'_>, at: usize, name: &str, target: &Template) {
        if VIRTUAL.contains(&name) {
            return;
        }
        let (mut here, mut index) = (scope, at);
        loop {
            if let Some(found) = here.tasks.iter().position(|task| task.name.value == name) {
                self.found_target(here, found, index, name, target);
                return;
            }
            match here.outer {
                Some((outer, outer_at)) => (here, index) = (outer, outer_at),
                None => break,
            }
        }
        if !here.returnable {
            return;
        }
        let mut names = VIRTUAL.to_vec();
        let (mut here, mut index) = (Some(scope), at);
        while let Some(list) = here {
            names.extend(
                list.tasks
                    .iter()
                    .take(index)
                    .map(|task| task.name.value.as_str()),
            );
            (here, index) = list
                .outer
                .map_or((None, 0), |(outer, at)| (Some(outer), at));
        }
        let elsewhere = holder(&self.definition.tasks, name);
        let fault = match elsewhere {
            Some(block) => Diagnostic::error(
                codes::BAD_RETURN,
                target.span,
                format!(
                    "`{name}` is inside `{}`, which has ended or runs beside this step",
                    block.name.value
                ),
            )
            .help(format!(
                "return to `{}`, which runs all of it again",
                block.name.value
            )),
            None => Diagnostic::error(
                codes::BAD_RETURN,
                target.span,
                format!("there is no step `{name}` to return to"),
            )
            .help_if(suggest::did_you_mean(name, names)),
        };
        self.faults.push(fault);
    }

    fn found_target(
        &mut self,
        list: &Scope<'_>,
        found: usize,
        at: usize,
        name: &str,
        target: &Template,
    ) {
        if list.kind == ListKind::Branches && found != at {
            self.faults.push(
                Diagnostic::error(
                    codes::BAD_RETURN,
                    target.span,
                    format!("`{name}` is a parallel branch"),
                )
                .help("return to a step of this branch, or to one before the fork"),
            );
            return;
        }
        if found == at {
            let message = if list
                .tasks
                .get(at)
                .is_some_and(|task| task.scopes().is_empty())
            {
                format!("`{name}` is this step itself")
            } else {
                return;
            };
            self.faults.push(
                Diagnostic::error(codes::BAD_RETURN, target.span, message)
                    .help("return to a step before it"),
            );
            return;
        }
        if !list.graph.leads(found, at) && list.graph.is_reached(at) {
            self.faults.push(
                Diagnostic::error(
                    codes::BAD_RETURN,
                    target.span,
                    format!("no way leads from `{name}` to this step: it has not been passed"),
                )
                .help("return to a step before it"),
            );
            return;
        }
        let between = list.tasks.get(found.min(at)..at).unwrap_or_default();
        if let Some(effect) = between.iter().find_map(|task| self.effect(task)) {
            let what = format!(
                "a return to `{name}` performs `{}` again",
                effect.name.value
            );
            let fault = Diagnostic::warning(codes::REPEATED_EFFECT, target.span, what)
                .help(format!(
                    "say `metadata: {{ again: true }}` at `{}` when that is meant",
                    effect.name.value
                ))
                .label(effect.name.span, "this writes or sends");
            self.faults.push(fault);
        }
    }

    /// The first task in here that writes or sends and does not say that it may do so again.
    fn effect<'t>(&self, task: &'t Task) -> Option<&'t Task> {
        if task.metadata.again {
            return None;
        }
        let effective = match &task.kind {
            TaskKind::Call(call) => {
                let kind = self
                    .surroundings
                    .function(&call.function.value)
                    .map(|signature| signature.kind);
                matches!(kind, Some(Kind::Write | Kind::Act))
            }
            TaskKind::Emit(_) => true,
            _ => false,
        };
        if effective {
            return Some(task);
        }
        task.scopes()
            .into_iter()
            .find_map(|(_, tasks)| tasks.iter().find_map(|inner| self.effect(inner)))
    }
}

/// The task that directly holds a task of this name.
fn holder<'t>(tasks: &'t [Task], name: &str) -> Option<&'t Task> {
    tasks.iter().find_map(|task| {
        let inside = task.scopes();
        if inside
            .iter()
            .any(|(_, inner)| inner.iter().any(|inner| inner.name.value == name))
        {
            return Some(task);
        }
        inside
            .into_iter()
            .find_map(|(_, inner)| holder(inner, name))
    })
}
