//! Calls: whether the function exists and takes what it is given.

use std::collections::BTreeSet;

use crate::codes;
use crate::definition::{Call, SchemaSource, Task, TaskKind, Template, TemplateKind};
use crate::diagnostic::{Diagnostic, Severity};
use crate::shape;
use crate::signatures::{Kind, Signature};
use crate::span::Span;
use crate::suggest;

use super::checker::Checker;
use super::scope::Scope;
use super::setting::{Secrets, Setting};

impl Checker<'_> {
    pub(super) fn call(&mut self, scope: &Scope<'_>, at: usize, task: &Task, call: &Call) {
        let name = call.function.value.as_str();
        let setting = Setting::before(scope, at);
        if let Some(body) = self.definition.reusables.functions.get(name) {
            self.reusable_call(body, call, &setting);
            return;
        }
        if let Some(cataloged) = self.cataloged(call) {
            self.cataloged_call(&cataloged, call, &setting);
            return;
        }
        let Some(signature) = self.surroundings.function(name) else {
            let refused = self.unknown_function(call);
            if let Some(with) = call.with.as_ref().filter(|_| !refused) {
                self.template(with, &setting.secrets(Secrets::Allowed));
            }
            return;
        };
        self.arguments(call, &signature);
        if let Some(with) = &call.with {
            self.argument_expressions(with, &signature, &setting);
            self.authentications(with);
            self.disclosing_headers(with);
            self.argument_references(name, with, &signature.arguments);
        }
        self.people(scope, at, task, call);
    }

    pub(super) fn reusable_call(&mut self, body: &Task, call: &Call, setting: &Setting<'_>) {
        let Some(with) = &call.with else { return };
        self.template(with, &setting.clone().secrets(Secrets::Allowed));
        let schema = body.input.as_ref().and_then(|input| input.schema.as_ref());
        if let Some(SchemaSource::Document(document)) = schema.map(|schema| &schema.source) {
            let mut found = Vec::new();
            shape::check(with, &document.value, &call.function.value, &mut found);
            // The language has such a call fault when it gets there, and a `try` may be waiting for that.
            self.faults
                .extend(found.into_iter().map(|fault| Diagnostic {
                    severity: Severity::Warning,
                    ..fault
                }));
        }
    }

    /// Tells whether the call was refused by name when it was parsed: its arguments are not looked at.
    fn unknown_function(&mut self, call: &Call) -> bool {
        let name = call.function.value.as_str();
        let told = ["grpc", "asyncapi", "a2a", "mcp"].contains(&name)
            || name.contains("://")
            || name.contains('@');
        if told {
            return true;
        }
        let mut known = self.surroundings.function_names();
        known.extend(self.definition.reusables.functions.keys().cloned());
        let near = suggest::nearest(name, known.iter().map(String::as_str))
            .map(|near| format!("did you mean `{near}`?"))
            .or_else(|| foreign(name).map(str::to_owned));
        let family: Vec<&str> = match name.split_once('.') {
            Some((family, _)) => known
                .iter()
                .filter(|other| other.starts_with(&format!("{family}.")))
                .map(String::as_str)
                .collect(),
            None => Vec::new(),
        };
        let help = near
            .or_else(|| {
                (!family.is_empty()).then(|| format!("there are {}", suggest::list(&family)))
            })
            .unwrap_or_else(|| {
                "functions come from the engine, from plugins and from `use.functions`".to_owned()
            });
        self.faults.push(
            Diagnostic::error(
                codes::UNKNOWN_FUNCTION,
                call.function.span,
                format!("there is no function `{name}`"),
            )
            .help(help),
        );
        false
    }

    pub(super) fn arguments(&mut self, call: &Call, signature: &Signature) {
        let name = signature.name.as_str();
        if matches!(name, "http" | "openapi") || signature.arguments.is_null() {
            return;
        }
        match &call.with {
            Some(with) => shape::check(with, &signature.arguments, name, &mut self.faults),
            None => {
                let needed: Vec<&str> = signature
                    .arguments
                    .get("required")
                    .map(tongban_expr::Value::items)
                    .into_iter()
                    .flatten()
                    .filter_map(tongban_expr::Value::as_str)
                    .collect();
                if !needed.is_empty() {
                    let fields: Vec<String> = needed
                        .iter()
                        .map(|argument| format!("{argument}: …"))
                        .collect();
                    self.faults.push(
                        Diagnostic::error(
                            codes::NO_ARGUMENTS,
                            call.function.span,
                            format!("`call: {name}` needs arguments"),
                        )
                        .help(format!("write `with: {{ {} }}`", fields.join(", "))),
                    );
                }
            }
        }
    }

    pub(super) fn argument_expressions(
        &mut self,
        with: &Template,
        signature: &Signature,
        setting: &Setting<'_>,
    ) {
        let secrets = if signature.kind == Kind::Act {
            Secrets::Allowed
        } else {
            Secrets::Forbidden
        };
        let setting = setting.clone().secrets(secrets);
        for entry in with.entries() {
            if signature.late.iter().any(|late| *late == *entry.key) {
                self.template(&entry.value, &setting.clone().with("item").with("index"));
            } else {
                self.template(&entry.value, &setting);
            }
        }
    }

    /// `authentication: { use: NAME }` and `basic: { use: SECRET }` anywhere in the arguments.
    fn authentications(&mut self, with: &Template) {
        let places = [
            with.get("authentication"),
            with.get("endpoint")
                .and_then(|endpoint| endpoint.get("authentication")),
        ];
        let document = with
            .get("document")
            .and_then(|document| document.get("endpoint"))
            .and_then(|endpoint| endpoint.get("authentication"));
        for authentication in places.into_iter().flatten().chain(document) {
            match authentication.get("use") {
                Some(name) => {
                    if let Some(text) = name.as_str() {
                        self.named_authentication(text, name.span);
                    }
                }
                None => {
                    self.authentication_secret(authentication);
                    self.disclosing_authentication(authentication);
                }
            }
        }
    }

    pub(super) fn authentication_secret(&mut self, authentication: &Template) {
        let declared = self.declared_secrets();
        for entry in authentication.entries() {
            let Some(name) = entry.value.get("use") else {
                continue;
            };
            if let Some(text) = name.as_str().filter(|text| !declared.contains(text)) {
                self.faults.push(unknown_secret(text, name.span, &declared));
            }
        }
    }

    /// A function under `use.functions` that reaches itself.
    pub(super) fn self_call(&mut self, body: &Task) {
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<&Call> = Vec::new();
        called(body, &mut waiting);
        while let Some(call) = waiting.pop() {
            let name = call.function.value.as_str();
            if name == body.name.value {
                self.faults.push(
                    Diagnostic::error(
                        codes::SELF_CALL,
                        call.function.span,
                        format!("the function `{name}` calls itself"),
                    )
                    .help("repeat with `for`, or by `then` with a way out"),
                );
                return;
            }
            if seen.insert(name)
                && let Some(next) = self.definition.reusables.functions.get(name)
            {
                called(next, &mut waiting);
            }
        }
    }
}

/// What functions of other tools are called here.
fn foreign(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let is = |words: &[&str]| words.contains(&lower.as_str());
    if is(&[
        "email",
        "mail",
        "sendmail",
        "send-mail",
        "sendemail",
        "message",
        "sms",
        "remind",
    ]) {
        return Some("letters are sent by `call: notify`");
    }
    if is(&[
        "rest", "api", "fetch", "get", "post", "put", "delete", "request", "webhook", "https",
        "curl",
    ]) {
        return Some(
            "services are reached by `call: http` with `with: { method: get, endpoint: https://… }`",
        );
    }
    if is(&[
        "review",
        "approval",
        "signoff",
        "sign-off",
        "countersign",
        "usertask",
        "user-task",
    ]) {
        return Some("people decide in `call: approve`");
    }
    if is(&["form", "fill", "ask", "input", "survey", "question"]) {
        return Some("people fill in a form in `call: collect`");
    }
    if is(&["publish", "publicity", "announce", "announcement"]) {
        return Some(
            "公示 is `call: notice`; items of the catalogue are published by `catalogue.publish`",
        );
    }
    if is(&["workflow", "subflow", "subprocess", "callactivity"]) {
        return Some(
            "another workflow is started by `run: { workflow: … }`, one for each item by `call: batch`",
        );
    }
    if is(&["script", "rule", "decision"]) {
        return Some(
            "rules are run by `run: { script: { language: rhai, source: { endpoint: 'pack://rules/…' } } }`",
        );
    }
    if is(&["db", "database", "sql", "query", "lookup", "select"]) {
        return Some("records are read by `register.get` and `register.find`");
    }
    None
}

fn unknown_secret(name: &str, span: Span, declared: &[&str]) -> Diagnostic {
    if name.is_empty() {
        let message = "expected the name of a secret, found an empty text";
        return Diagnostic::error(codes::UNKNOWN_SECRET, span, message)
            .help("name one of `use.secrets`");
    }
    // The schema allows it; the secret may be given by the site all the same.
    Diagnostic::warning(
        codes::UNKNOWN_SECRET,
        span,
        format!("`use.secrets` has no `{name}`"),
    )
    .help(secret_meant(name, declared))
}

/// What to do about a secret that is not declared.
pub(super) fn secret_meant(name: &str, declared: &[&str]) -> String {
    suggest::nearest(name, declared.iter().copied()).map_or_else(
        || format!("declare it: `use: {{ secrets: [{name}] }}`"),
        |near| format!("did you mean `{near}`?"),
    )
}

fn called<'t>(task: &'t Task, found: &mut Vec<&'t Call>) {
    if let TaskKind::Call(call) = &task.kind {
        found.push(call);
    }
    for (_, tasks) in task.scopes() {
        tasks.iter().for_each(|inner| called(inner, found));
    }
}

/// Every literal text under the key `role`, wherever selectors stand.
pub(super) fn roles(template: &Template, found: &mut Vec<(String, Span)>) {
    match &template.kind {
        TemplateKind::List(items) => items.iter().for_each(|item| roles(item, found)),
        TemplateKind::Object(entries) => {
            for entry in entries {
                if &*entry.key == "role" {
                    let one = std::slice::from_ref(&entry.value);
                    let named = if entry.value.items().is_empty() {
                        one
                    } else {
                        entry.value.items()
                    };
                    found.extend(
                        named.iter().filter_map(|name| {
                            name.as_str().map(|text| (text.to_owned(), name.span))
                        }),
                    );
                }
                roles(&entry.value, found);
            }
        }
        _ => {}
    }
}
