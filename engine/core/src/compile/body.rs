//! What each kind of task does.

use std::collections::HashSet;
use std::sync::Arc;

use tongban_dsl::definition::{
    Call as SourceCall, Cataloged, DEFAULT_CATALOG, ErrorReference, For as SourceFor,
    Raise as SourceRaise, Retry as SourceRetry, Run, RunKind, ScriptSource,
    SwitchCase as SourceCase, Task as Source, TaskKind, Template as SourceTemplate,
    Try as SourceTry,
};
use tongban_dsl::{Diagnostic, Span, codes};
use tongban_expr::Script;

use super::{Compiler, Place};
use crate::code::Template;
use crate::program::{
    Body, Call, Child, For, Gives, Raise, Retry, ScopeId, ScriptGives, ScriptRun, SwitchCase, Try,
};
use crate::surroundings::Kind;

/// The variable that holds the item for which a late argument is evaluated.
const LATE_ITEM: &str = "item";

impl<'a> Compiler<'a> {
    pub(super) fn body(&mut self, source: &'a Source, place: &Place) -> Body {
        let home = place.scopes.last().copied().unwrap_or_default();
        match &source.kind {
            TaskKind::Set(value) => Body::Set(self.template(value, "set", place)),
            TaskKind::Do(tasks) => Body::Do(self.list(tasks, "do", place)),
            TaskKind::Switch(cases) => Body::Switch(self.cases(cases, home, place)),
            TaskKind::For(body) => Body::For(Box::new(self.loop_(body, place))),
            TaskKind::Fork(fork) => Body::Fork {
                scope: self.branches(&fork.branches, place),
                compete: fork.compete,
            },
            TaskKind::Try(body) => Body::Try(Box::new(self.trial(body, home, place))),
            TaskKind::Raise(raise) => self.raise(raise, place),
            TaskKind::Wait(duration) => Body::Wait(self.duration(duration, "wait", place)),
            TaskKind::Emit(emit) => Body::Emit(self.entries(&emit.with, "emit.event.with", place)),
            TaskKind::Listen(listen) => Body::Listen(Box::new(self.listen(listen, place))),
            TaskKind::Call(call) => self.call(call, place),
            TaskKind::Run(run) => self.run(run, place),
        }
    }

    fn cases(&mut self, cases: &'a [SourceCase], home: ScopeId, place: &Place) -> Vec<SwitchCase> {
        let compiled = cases.iter().map(|case| SwitchCase {
            name: case.name.value.as_str().into(),
            when: self.code_if(
                case.when.as_ref(),
                &format!("switch.{}.when", case.name.value),
                place,
            ),
            then: self.next(Some(&case.then), home),
        });
        compiled.collect()
    }

    fn loop_(&mut self, body: &'a SourceFor, place: &Place) -> For {
        let inside = place
            .clone()
            .with_local(&body.each.value)
            .with_local(&body.at.value);
        For {
            each: body.each.value.as_str().into(),
            at: body.at.value.as_str().into(),
            in_: self.code(&body.in_, "for.in", place),
            while_: self.code_if(body.while_.as_ref(), "while", &inside),
            scope: self.list(&body.tasks, "do", &inside),
        }
    }

    fn trial(&mut self, body: &'a SourceTry, home: ScopeId, place: &Place) -> Try {
        let catch = &body.catch;
        let inside = place.clone().with_local(&catch.as_.value);
        let scope = self.list(&body.tasks, "try", place);
        let taken: HashSet<Arc<str>> = self.program.scope(scope).by_label.keys().cloned().collect();
        let retry = catch
            .retry
            .as_ref()
            .and_then(|retry| self.retry(retry, &inside));
        let do_ = (!catch.tasks.is_empty())
            .then(|| self.labelled_list(&catch.tasks, "do", &inside.below("catch"), &taken));
        Try {
            scope,
            errors: catch.errors.clone(),
            as_: catch.as_.value.as_str().into(),
            when: self.code_if(catch.when.as_ref(), "catch.when", &inside),
            except_when: self.code_if(catch.except_when.as_ref(), "catch.exceptWhen", &inside),
            retry,
            catch: do_,
            then: catch.then.as_ref().map(|then| self.next(Some(then), home)),
        }
    }

    fn retry(&mut self, retry: &'a SourceRetry, place: &Place) -> Option<Retry> {
        let Some(policy) = self.definition.retry_policy(retry) else {
            if let SourceRetry::Named(name) = retry {
                self.unknown("retry policy", "retries", &name.value, name.span);
            }
            return None;
        };
        Some(Retry {
            when: self.code_if(policy.when.as_ref(), "catch.retry.when", place),
            except_when: self.code_if(policy.except_when.as_ref(), "catch.retry.exceptWhen", place),
            delay: self.duration_if(policy.delay.as_ref(), "catch.retry.delay", place),
            backoff: policy.backoff,
            count: policy.limit_count,
            attempt: self.duration_if(
                policy.limit_attempt.as_ref(),
                "catch.retry.limit.attempt.duration",
                place,
            ),
            total: self.duration_if(
                policy.limit_total.as_ref(),
                "catch.retry.limit.duration",
                place,
            ),
            jitter: policy.jitter.as_ref().map(|(from, to)| {
                (
                    self.duration(from, "catch.retry.jitter.from", place),
                    self.duration(to, "catch.retry.jitter.to", place),
                )
            }),
        })
    }

    fn raise(&mut self, raise: &'a SourceRaise, place: &Place) -> Body {
        let Some(error) = self.definition.error(&raise.error) else {
            if let ErrorReference::Named(name) = &raise.error {
                self.unknown("error", "errors", &name.value, name.span);
            }
            return Body::None;
        };
        Body::Raise(Box::new(Raise {
            type_uri: self
                .template(&error.type_uri, "raise.error.type", place)
                .with_uri_at(&[]),
            status: self.template(&error.status, "raise.error.status", place),
            title: self.template_if(error.title.as_ref(), "raise.error.title", place),
            detail: self.template_if(error.detail.as_ref(), "raise.error.detail", place),
        }))
    }

    fn unknown(&mut self, what: &str, block: &str, name: &str, span: Span) {
        let message = format!("expected the name of a {what} in `use.{block}`, found {name:?}");
        self.error(Diagnostic::error(codes::UNKNOWN_REUSABLE, span, message));
    }

    fn call(&mut self, call: &'a SourceCall, place: &Place) -> Body {
        let name = call.function.value.as_str();
        if let Some(function) = self.definition.reusables.functions.get(name) {
            let pointer = format!("/use/functions/{}", super::escaped(name));
            return self.function(call, name, function, pointer, place);
        }
        if let Some(found) = self.cataloged.get(name) {
            return self.function(call, &found.name, &found.task, found.pointer.clone(), place);
        }
        let name = self.of_the_site(name).unwrap_or(name);
        let Some(info) = self.surroundings.function(name) else {
            let message = format!("there is no function {name:?}");
            self.error(Diagnostic::error(
                codes::UNKNOWN_FUNCTION,
                call.function.span,
                message,
            ));
            return Body::None;
        };
        if info.kind == Kind::Work {
            self.return_targets(call.with.as_ref(), place);
        }
        let (late, with) = self.arguments(call.with.as_ref(), &info.late, place);
        let with = with.map(|with| with_uris(with, uri_places(name)));
        Body::Call(Box::new(Call {
            function: name.to_owned(),
            kind: info.kind,
            with,
            late,
            policies: self.policies.clone(),
            gives: Gives::Result,
        }))
    }

    /// The function that `name:version@default` stands for when no file has it: one of the site.
    fn of_the_site<'n>(&self, call: &'n str) -> Option<&'n str> {
        let cataloged = Cataloged::read(call)?;
        let declared = &self.definition.reusables.catalogs;
        let default =
            cataloged.catalog == DEFAULT_CATALOG && !declared.contains_key(DEFAULT_CATALOG);
        (default && cataloged.version == Cataloged::SITE_VERSION).then_some(cataloged.name)
    }

    /// Compiles the arguments: late ones apart, with the item that they are evaluated for.
    fn arguments(
        &mut self,
        with: Option<&SourceTemplate>,
        late: &[String],
        place: &Place,
    ) -> (Vec<(Arc<str>, Template)>, Option<Template>) {
        let Some(with) = with else {
            return (Vec::new(), None);
        };
        let is_late = |key: &str| late.iter().any(|name| name == key);
        if !with.entries().iter().any(|entry| is_late(&entry.key)) {
            return (Vec::new(), Some(self.template(with, "with", place)));
        }
        let inside = place.clone().with_local(LATE_ITEM);
        let (mut later, mut now) = (Vec::new(), Vec::new());
        for entry in with.entries() {
            let part = format!("with.{}", entry.key);
            if is_late(&entry.key) {
                later.push((
                    entry.key.clone(),
                    self.template(&entry.value, &part, &inside),
                ));
            } else {
                now.push((entry.key.clone(), self.template(&entry.value, &part, place)));
            }
        }
        (later, Some(Template::Object(now)))
    }

    /// Notes the tasks that a work task may return to: they keep a checkpoint.
    fn return_targets(&mut self, with: Option<&SourceTemplate>, place: &Place) {
        let Some(to) = with
            .and_then(|with| with.get("return"))
            .and_then(|back| back.get("to"))
        else {
            return;
        };
        let one = std::slice::from_ref(to);
        let names = if to.items().is_empty() {
            one
        } else {
            to.items()
        };
        for name in names.iter().filter_map(SourceTemplate::as_str) {
            self.targets.push((place.scopes.clone(), name.into()));
        }
    }

    /// A call of a function that is a task, of `use.functions` or of a catalogue: its body stands below the call.
    fn function(
        &mut self,
        call: &'a SourceCall,
        name: &str,
        function: &'a Source,
        pointer: String,
        place: &Place,
    ) -> Body {
        let called = call.function.value.as_str();
        if self.calling.iter().any(|calling| calling == called) {
            let message = format!("the function {called:?} calls itself");
            self.error(Diagnostic::error(
                codes::SELF_CALL,
                call.function.span,
                message,
            ));
            return Body::None;
        }
        let with = self.template_if(call.with.as_ref(), "with", place);
        self.calling.push(called.to_owned());
        let label: Arc<str> = name.into();
        let scope = self.open_scope(std::slice::from_ref(&label), None);
        let mut inside = place.clone();
        inside.scopes.push(scope);
        inside.pointer = pointer;
        self.task(function, label, scope, 0, &inside);
        self.calling.pop();
        Body::Function { with, scope }
    }

    fn run(&mut self, run: &'a Run, place: &Place) -> Body {
        match &run.kind {
            RunKind::Script {
                language,
                source,
                process,
            } => {
                if language.value != "rhai" {
                    let message = format!("expected the language rhai, found {:?}", language.value);
                    self.error(Diagnostic::error(
                        codes::UNSUPPORTED_LANGUAGE,
                        language.span,
                        message,
                    ));
                    return Body::None;
                }
                let process = process.as_ref().map_or(&[][..], SourceTemplate::entries);
                let with = self.entries(process, "run.script", place);
                self.script(source, with, script_gives(run))
            }
            RunKind::Workflow {
                namespace,
                name,
                version,
                input,
            } => Body::Child(Box::new(Child {
                namespace: namespace.value.clone(),
                name: name.value.clone(),
                version: version.value.clone(),
                input: self.template_if(input.as_ref(), "run.workflow.input", place),
                awaited: run.await_,
                gives: gives(run),
            })),
            RunKind::Shell(process) => self.process("run.shell", run, process, place),
            RunKind::Container(process) => self.process("run.container", run, process, place),
        }
    }

    /// A process of the machine: a function that only a site that allows it has.
    fn process(
        &mut self,
        function: &str,
        run: &Run,
        process: &'a SourceTemplate,
        place: &Place,
    ) -> Body {
        let Some(info) = self.surroundings.function(function) else {
            let message = format!("`{function}` is not allowed here; a site must allow it");
            self.error(Diagnostic::error(
                codes::UNSUPPORTED_PROCESS,
                process.span,
                message,
            ));
            return Body::None;
        };
        let returns = run
            .returns
            .as_ref()
            .map_or("stdout", |returns| returns.value.as_str());
        let mut with = self.entries(process.entries(), function, place);
        with.push(("await".into(), Template::Constant(run.await_.into())));
        with.push(("return".into(), Template::Constant(returns.into())));
        // What the process gives is the function's to choose; what nobody awaits gives the input.
        let gives = if run.await_ {
            Gives::Result
        } else {
            Gives::Input
        };
        Body::Call(Box::new(Call {
            function: function.to_owned(),
            kind: info.kind,
            with: Some(Template::Object(with)),
            late: Vec::new(),
            policies: self.policies.clone(),
            gives,
        }))
    }

    fn script(
        &mut self,
        source: &'a ScriptSource,
        with: Vec<(Arc<str>, Template)>,
        gives: ScriptGives,
    ) -> Body {
        let (text, name, span): (Arc<str>, &str, Span) = match source {
            ScriptSource::Code(code) => (code.value.as_str().into(), "the script", code.span),
            ScriptSource::Resource(resource) => {
                let path = resource.pack_path();
                let Some((path, text)) =
                    path.and_then(|path| Some((path, self.surroundings.file(path)?)))
                else {
                    let message = format!(
                        "the pack has no rule {:?}",
                        resource.uri().unwrap_or_default()
                    );
                    self.error(Diagnostic::error(
                        codes::UNKNOWN_RULE,
                        resource.span,
                        message,
                    ));
                    return Body::None;
                };
                (text, path, resource.span)
            }
        };
        match Script::compile_process(self.evaluator.as_ref(), &text, name) {
            Ok(script) => Body::Script(Box::new(ScriptRun {
                script,
                with,
                gives,
            })),
            Err(fault) => {
                let message = format!("{name} does not compile: {}", fault.message);
                self.error(Diagnostic::error(codes::PACK_RULE, span, message).help_if(fault.help));
                Body::None
            }
        }
    }
}

/// What a script gives to the flow.
fn script_gives(run: &Run) -> ScriptGives {
    match run.returns.as_ref().map(|returns| returns.value.as_str()) {
        _ if !run.await_ => ScriptGives::Input,
        Some("stderr") => ScriptGives::Stderr,
        Some("code") => ScriptGives::Code,
        Some("all") => ScriptGives::All,
        Some("none") => ScriptGives::Nothing,
        _ => ScriptGives::Value,
    }
}

/// What a workflow gives to the flow.
fn gives(run: &Run) -> Gives {
    match run.returns.as_ref().map(|returns| returns.value.as_str()) {
        _ if !run.await_ => Gives::Input,
        Some("none") => Gives::Nothing,
        _ => Gives::Result,
    }
}

/// Where the functions of the language take URI templates.
fn uri_places(function: &str) -> &'static [&'static [&'static str]] {
    match function {
        "http" => &[&["endpoint"], &["endpoint", "uri"]],
        "openapi" => &[&["document", "endpoint"], &["document", "endpoint", "uri"]],
        _ => &[],
    }
}

/// Where authentication policies have them.
const POLICY_URIS: [&[&str]; 8] = [
    &["oauth2", "authority"],
    &["oauth2", "endpoints", "token"],
    &["oauth2", "endpoints", "revocation"],
    &["oauth2", "endpoints", "introspection"],
    &["oidc", "authority"],
    &["oidc", "endpoints", "token"],
    &["oidc", "endpoints", "revocation"],
    &["oidc", "endpoints", "introspection"],
];

/// Where calls have authentication policies.
pub(crate) const POLICIES: [&[&str]; 4] = [
    &["authentication"],
    &["endpoint", "authentication"],
    &["document", "endpoint", "authentication"],
    &["document", "authentication"],
];

/// The arguments of a call with its URI templates marked.
fn with_uris(with: Template, places: &[&[&str]]) -> Template {
    let mut with = places
        .iter()
        .fold(with, |with, path| with.with_uri_at(path));
    if places.is_empty() {
        return with;
    }
    for policy in POLICIES {
        for uri in POLICY_URIS {
            let path: Vec<&str> = policy.iter().chain(uri).copied().collect();
            with = with.with_uri_at(&path);
        }
    }
    with
}

/// An authentication policy with its URI templates marked.
pub(super) fn policy_with_uris(policy: Template) -> Template {
    POLICY_URIS
        .iter()
        .fold(policy, |policy, path| policy.with_uri_at(path))
}
