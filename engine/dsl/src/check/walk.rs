//! Through the whole document, once: every list, every task, every expression in its own setting.

use tongban_expr::Language;

use crate::codes;
use crate::definition::{
    Consumption, Duration, DurationKind, EventFilter, Export, ExpressionSource, Input, Listen,
    Output, Task, TaskKind, Timeout, Until,
};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::suggest;

use super::checker::Checker;
use super::scope::{ListKind, Scope};
use super::setting::{AT_THE_END, AT_THE_START, BEFORE_THE_INPUT, OF_THE_RESULT, Secrets, Setting};
use super::surroundings::is_work;

impl Checker<'_> {
    pub fn definition(&mut self) {
        let definition = self.definition;
        let nowhere = Scope::new(None, &[], ListKind::Sequence);
        if let Some(input) = &definition.input {
            self.input(input, &Setting::before(&nowhere, 0).without(AT_THE_START));
        }
        self.document_metadata(&nowhere);
        self.reusables();
        if let Some(schedule) = &definition.schedule {
            for duration in [&schedule.every, &schedule.after].into_iter().flatten() {
                self.duration(duration, &Setting::before(&nowhere, 0));
            }
            if let Some(on) = &schedule.on {
                self.consumption(on, &Setting::before(&nowhere, 0));
            }
        }
        let mut main = Scope::new(None, &definition.tasks, ListKind::Sequence);
        if let Some(clock) = &definition.document.metadata.clock {
            main.stops = clock.stops.iter().map(|stop| stop.value.clone()).collect();
        }
        if let Some(timeout) = &definition.timeout {
            self.timeout(timeout, &Setting::before(&nowhere, 0));
        }
        self.list(&main);
        if let Some(output) = &definition.output {
            self.output(output, &Setting::at_end(&main).without(AT_THE_END));
        }
    }

    fn reusables(&mut self) {
        let reusables = &self.definition.reusables;
        let nowhere = Scope::new(None, &[], ListKind::Sequence);
        for body in reusables.functions.values() {
            let mut scope = Scope::new(None, std::slice::from_ref(body), ListKind::Sequence);
            scope.returnable = false;
            self.list(&scope);
            self.self_call(body);
        }
        for extension in &reusables.extensions {
            if let Some(when) = &extension.when {
                self.expression(when, &Setting::before(&nowhere, 0));
            }
            for tasks in [&extension.before, &extension.after] {
                let mut scope = Scope::new(None, tasks, ListKind::Sequence);
                scope.returnable = false;
                self.list(&scope);
            }
        }
        for error in reusables.errors.values() {
            self.error(error, &Setting::before(&nowhere, 0));
        }
        for policy in reusables.retries.values() {
            self.policy(policy, &Setting::before(&nowhere, 0).with("error"));
        }
        for duration in reusables.timeouts.values() {
            self.duration(duration, &Setting::before(&nowhere, 0));
        }
        for authentication in reusables.authentications.values() {
            self.template(
                authentication,
                &Setting::before(&nowhere, 0).secrets(Secrets::Allowed),
            );
            self.authentication_secret(authentication);
            self.disclosing_authentication(authentication);
        }
    }

    /// A list of tasks, and everything below.
    pub fn list(&mut self, scope: &Scope<'_>) {
        self.flow(scope);
        for (at, task) in scope.tasks.iter().enumerate() {
            if self.is_full() {
                return;
            }
            self.task(scope, at, task);
        }
    }

    fn task(&mut self, scope: &Scope<'_>, at: usize, task: &Task) {
        // The name of a function's own body is no step's name.
        if scope.outer.is_some() || !scope.in_function() {
            self.name(task);
        }
        let before = Setting::before(scope, at);
        let early = before.clone().without(BEFORE_THE_INPUT);
        if let Some(condition) = &task.if_ {
            self.condition(condition, &early);
        }
        if let Some(input) = &task.input {
            self.input(input, &early.secrets(Secrets::Allowed));
        }
        if let Some(timeout) = &task.timeout {
            self.timeout(timeout, &before);
            self.timeout_over_work(task, timeout);
        }
        self.task_metadata(scope, at, task);
        self.kind(scope, at, task);
        let after = Setting::after(scope, at);
        if let Some(output) = &task.output {
            self.output(output, &after.clone().without(OF_THE_RESULT));
        }
        if let Some(export) = &task.export {
            self.export(export, &after);
        }
    }

    fn kind(&mut self, scope: &Scope<'_>, at: usize, task: &Task) {
        let setting = Setting::before(scope, at);
        match &task.kind {
            TaskKind::Call(call) => self.call(scope, at, task, call),
            // A `set` that holds one text was reported when it was parsed.
            TaskKind::Set(template) if template.as_str().is_some() => {}
            TaskKind::Set(template) => self.template(template, &setting),
            TaskKind::Wait(duration) => self.duration(duration, &setting),
            TaskKind::Switch(cases) => {
                for when in cases.iter().filter_map(|case| case.when.as_ref()) {
                    self.condition(when, &setting);
                }
            }
            TaskKind::Emit(emit) => emit
                .with
                .iter()
                .for_each(|entry| self.template(&entry.value, &setting)),
            TaskKind::Raise(raise) => self.raised(&raise.error, &setting),
            TaskKind::Run(run) => self.run(run, task, &setting),
            TaskKind::Do(tasks) => {
                self.inner(scope, at, task, tasks, ListKind::Sequence, Vec::new())
            }
            TaskKind::Fork(fork) => self.inner(
                scope,
                at,
                task,
                &fork.branches,
                ListKind::Branches,
                Vec::new(),
            ),
            TaskKind::For(body) => {
                self.expression(&body.in_, &setting);
                self.streamed(&body.in_);
                let locals = vec![body.each.value.clone(), body.at.value.clone()];
                if let Some(condition) = &body.while_ {
                    self.condition(
                        condition,
                        &setting.clone().with(&body.each.value).with(&body.at.value),
                    );
                }
                self.inner(scope, at, task, &body.tasks, ListKind::Sequence, locals);
            }
            TaskKind::Try(body) => {
                self.inner(scope, at, task, &body.tasks, ListKind::Sequence, Vec::new());
                self.caught_type(&body.catch);
                let caught = setting.clone().with(&body.catch.as_.value);
                for condition in [&body.catch.when, &body.catch.except_when]
                    .into_iter()
                    .flatten()
                {
                    self.condition(condition, &caught);
                }
                if let Some(retry) = &body.catch.retry {
                    self.retry(retry, &caught);
                    self.swallowed(&body.catch);
                }
                self.inner(
                    scope,
                    at,
                    task,
                    &body.catch.tasks,
                    ListKind::Sequence,
                    vec![body.catch.as_.value.clone()],
                );
            }
            TaskKind::Listen(listen) => self.listen(scope, at, task, listen),
        }
    }

    /// `in: .list[]`, which gives the items one by one and no list.
    fn streamed(&mut self, source: &ExpressionSource) {
        let Some(list) = source
            .text
            .strip_suffix("[]")
            .filter(|list| source.language == Language::Jq && list.starts_with(['.', '$']))
        else {
            return;
        };
        let at = list.len()..source.text.len();
        let span = self.place(source, &at);
        self.faults.push(
            Diagnostic::error(
                codes::BAD_VALUE,
                span,
                "`in` takes a list; `[]` gives its items one by one",
            )
            .help(format!(
                "write '{}'",
                if list.is_empty() { "." } else { list }
            )),
        );
    }

    fn inner(
        &mut self,
        outer: &Scope<'_>,
        at: usize,
        task: &Task,
        tasks: &[Task],
        kind: ListKind,
        locals: Vec<String>,
    ) {
        let mut scope = Scope::new(Some((outer, at)), tasks, kind);
        scope.locals = locals;
        scope.returnable = outer.returnable;
        scope.stops = task
            .metadata
            .clock
            .iter()
            .flat_map(|clock| &clock.stops)
            .map(|stop| stop.value.clone())
            .collect();
        self.list(&scope);
    }

    fn listen(&mut self, scope: &Scope<'_>, at: usize, task: &Task, listen: &Listen) {
        self.consumption(&listen.to, &Setting::before(scope, at));
        let Some(iterator) = &listen.foreach else {
            return;
        };
        let locals = vec![iterator.item.value.clone(), iterator.at.value.clone()];
        let after = Setting::after(scope, at)
            .with(&iterator.item.value)
            .with(&iterator.at.value);
        self.inner(scope, at, task, &iterator.tasks, ListKind::Sequence, locals);
        if let Some(output) = &iterator.output {
            self.output(output, &after.clone().without(OF_THE_RESULT));
        }
        if let Some(export) = &iterator.export {
            self.export(export, &after);
        }
    }

    fn consumption(&mut self, consumption: &Consumption, setting: &Setting<'_>) {
        match consumption {
            Consumption::One(filter) => self.filter(filter, setting),
            Consumption::All(filters) => filters
                .iter()
                .for_each(|filter| self.filter(filter, setting)),
            Consumption::Any { filters, until } => {
                filters
                    .iter()
                    .for_each(|filter| self.filter(filter, setting));
                match until {
                    Some(Until::Condition(condition)) => self.condition(condition, setting),
                    Some(Until::Consumed(stop)) => self.consumption(stop, setting),
                    _ => {}
                }
            }
        }
    }

    fn filter(&mut self, filter: &EventFilter, setting: &Setting<'_>) {
        filter
            .with
            .iter()
            .for_each(|pattern| self.template(&pattern.value, setting));
        for correlation in &filter.correlate {
            self.expression(&correlation.from, setting);
            if let Some(expect) = &correlation.expect {
                self.template(expect, setting);
            }
        }
    }

    pub fn timeout(&mut self, timeout: &Timeout, setting: &Setting<'_>) {
        match timeout {
            Timeout::After(duration) => self.duration(duration, setting),
            Timeout::Named(name) => {
                self.reusable(
                    &name.value,
                    name.span,
                    "timeouts",
                    self.definition.reusables.timeouts.keys(),
                );
            }
        }
    }

    fn timeout_over_work(&mut self, task: &Task, timeout: &Timeout) {
        let TaskKind::Call(call) = &task.kind else {
            return;
        };
        let name = call.function.value.as_str();
        if name != "batch" && is_work(self.surroundings, name) {
            self.faults.push(
                Diagnostic::warning(codes::TIMEOUT_OVER_WORK, timeout.span(), format!("this runs in calendar time and faults the case, while people still work on `{}`", task.name.value))
                    .help("use `due: { workingDays: n }` in `with`, and `timeout: OUTCOME` where silence means something"),
            );
        }
    }

    pub(super) fn duration(&mut self, duration: &Duration, setting: &Setting<'_>) {
        if let DurationKind::Expression(source) = &duration.kind {
            self.expression(source, setting);
        }
    }

    pub fn input(&mut self, input: &Input, setting: &Setting<'_>) {
        if let Some(schema) = &input.schema {
            self.schema(schema);
        }
        if let Some(from) = &input.from {
            self.template(from, &setting.clone().secrets(Secrets::Allowed));
        }
    }

    fn output(&mut self, output: &Output, setting: &Setting<'_>) {
        if let Some(schema) = &output.schema {
            self.schema(schema);
        }
        if let Some(as_) = &output.as_ {
            self.template(as_, setting);
        }
    }

    fn export(&mut self, export: &Export, setting: &Setting<'_>) {
        if let Some(schema) = &export.schema {
            self.schema(schema);
        }
        if let Some(as_) = &export.as_ {
            self.template(as_, setting);
            self.dropped_context(as_);
        }
    }

    /// A name that should stand under `use`.
    pub(super) fn reusable<'n>(
        &mut self,
        name: &str,
        span: Span,
        section: &str,
        known: impl Iterator<Item = &'n String>,
    ) {
        let known: Vec<&str> = known.map(String::as_str).collect();
        if !known.contains(&name) {
            let help = suggest::did_you_mean(name, known.iter().copied())
                .unwrap_or_else(|| format!("define it under `use.{section}`"));
            self.faults.push(
                Diagnostic::error(
                    codes::UNKNOWN_REUSABLE,
                    span,
                    format!("`use.{section}` has no `{name}`"),
                )
                .help(help),
            );
        }
    }

    pub fn named_authentication(&mut self, name: &str, span: Span) {
        self.reusable(
            name,
            span,
            "authentications",
            self.definition.reusables.authentications.keys(),
        );
    }
}
