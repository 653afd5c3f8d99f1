//! Clocks, pauses, titles and the case: expressions and names in our metadata.

use crate::codes;
use crate::data::cut_title;
use crate::definition::{Clock, StartTrigger, Task};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::{shape, signatures};

use super::checker::Checker;
use super::outcomes::document_refuses;
use super::scope::{ListKind, Scope};
use super::setting::Setting;
use super::surroundings::Reference;

impl Checker<'_> {
    pub(super) fn document_metadata(&mut self, nowhere: &Scope<'_>) {
        let metadata = &self.definition.document.metadata;
        let main = Scope::new(None, &self.definition.tasks, ListKind::Sequence);
        let document = &self.definition.document;
        for text in [&document.title, &document.summary].into_iter().flatten() {
            self.commented_text(text.span);
        }
        if let Some(case) = &metadata.case {
            let start = Setting::before(nowhere, 0);
            // The title is made anew after every activation, so that it may say what steps found.
            if let Some(title) = &case.title {
                self.commented_text(title.span);
                self.template(title, &Setting::any_time(&main));
            }
            if let Some(key) = &case.key {
                self.template(key, &start);
            }
            for entry in &case.search {
                self.template(&entry.value, &Setting::any_time(&main));
            }
            for entry in &case.links {
                self.template(&entry.value, &start);
            }
            if let Some(refusal) = case.refusals.first()
                && !document_refuses(self.definition)
            {
                self.faults.push(
                    Diagnostic::error(
                        codes::NOBODY_REFUSES,
                        refusal.span,
                        format!("the case may end as `{}`, which refuses a person, but no step of people has an outcome marked `x-refusal`", refusal.value),
                    )
                    .help("mark the outcome by which somebody decides so: `outcomes: { rejected: { title: …, x-refusal: true } }`"),
                );
            }
        }
        if let Some(clock) = &metadata.clock {
            self.clock(clock, &Setting::before(nowhere, 0));
        }
        if let Some(start) = &metadata.start {
            let (StartTrigger::Case { workflow, .. } | StartTrigger::Notice { workflow }) =
                &start.on;
            self.reference(Reference::Workflow, &workflow.value, workflow.span);
            self.numbered(&workflow.value, workflow.span, "what is started from them");
            if let Some(by) = &start.by {
                self.role_references(by);
                self.members(by);
                self.template(by, &Setting::before(nowhere, 0));
            }
        }
    }

    pub(super) fn task_metadata(&mut self, scope: &Scope<'_>, at: usize, task: &Task) {
        let setting = Setting::before(scope, at);
        let metadata = &task.metadata;
        for template in [&metadata.title, &metadata.state, &metadata.idempotency_key]
            .into_iter()
            .flatten()
        {
            self.template(template, &setting);
            self.commented_text(template.span);
        }
        if let Some(clock) = &metadata.clock {
            self.clock(clock, &setting);
        }
        let Some(pauses) = &metadata.pauses else {
            return;
        };
        if let Some(basis) = &pauses.basis {
            self.template(basis, &setting);
        }
        let ground = pauses.ground.value.as_str();
        let own = metadata
            .clock
            .iter()
            .flat_map(|clock| &clock.stops)
            .any(|stop| stop.value == ground);
        if scope.returnable && !own && !scope.stopped_by(ground) {
            self.faults.push(
                Diagnostic::warning(
                    codes::IDLE_GROUND,
                    pauses.ground.span,
                    format!("no clock around this task stands still for `{ground}`"),
                )
                .help(format!("list it in a clock: `stops: [{ground}]`")),
            );
        }
    }

    /// `title: 受理 #1`: YAML takes the number for a comment.
    fn commented_text(&mut self, span: Span) {
        self.faults.extend(cut_title(&self.definition.source, span));
    }

    fn clock(&mut self, clock: &Clock, setting: &Setting<'_>) {
        if let Some(title) = &clock.title {
            self.commented_text(title.span);
        }
        let parts = [&clock.title, &clock.due, &clock.promise, &clock.basis];
        parts
            .into_iter()
            .flatten()
            .for_each(|template| self.template(template, setting));
        for (name, list) in [("remind", &clock.remind), ("escalate", &clock.escalate)] {
            if let Some(list) = list {
                shape::check(list, signatures::rungs(name), name, &mut self.faults);
                self.template(list, setting);
                self.rung_references(list);
            }
        }
    }
}
