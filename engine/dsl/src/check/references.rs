//! What a definition names in its pack: forms, registers, roles, rules, templates, workflows.

use tongban_expr::{Script, Value};

use crate::codes::{self, Code};
use crate::definition::{
    Resource, Run, RunKind, Schema, SchemaSource, ScriptSource, Task, Template,
};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::suggest;

use super::calls::roles;
use super::checker::Checker;
use super::setting::{Secrets, Setting};
use super::surroundings::Reference;

/// Arguments of the functions that come with the engine which name something of the pack.
const ARGUMENTS: &[(&str, &str, Reference)] = &[
    ("approve", "form", Reference::Form),
    ("approve", "check", Reference::Rule),
    ("collect", "form", Reference::Form),
    ("collect", "check", Reference::Rule),
    ("notify", "template", Reference::Template),
    ("notice", "template", Reference::Template),
    ("batch", "workflow", Reference::Workflow),
    ("unit.find", "level", Reference::Level),
    ("register.", "register", Reference::Register),
];

impl Checker<'_> {
    pub(super) fn reference(&mut self, kind: Reference, name: &str, span: Span) {
        let (code, noun): (Code, &str) = match kind {
            Reference::Form => (codes::UNKNOWN_FORM, "form"),
            Reference::Register => (codes::UNKNOWN_REGISTER, "register"),
            Reference::Role => (codes::UNKNOWN_ROLE, "role"),
            Reference::Rule => (codes::UNKNOWN_RULE, "rule file"),
            Reference::Template => (codes::UNKNOWN_TEMPLATE, "template"),
            Reference::Workflow => (codes::UNKNOWN_WORKFLOW, "workflow"),
            Reference::Code => (codes::UNKNOWN_CODES, "code list"),
            Reference::Level => (codes::UNKNOWN_LEVEL, "level of units"),
            Reference::Parameter => (codes::UNKNOWN_PARAMETER, "parameter"),
            Reference::File => (codes::PACK_REFERENCE, "file"),
            Reference::Unit => (codes::UNKNOWN_MEMBER, "unit"),
            Reference::Post => (codes::UNKNOWN_MEMBER, "post"),
            Reference::Group => (codes::UNKNOWN_MEMBER, "group"),
            Reference::Person => (codes::UNKNOWN_MEMBER, "person"),
        };
        let is_path = matches!(
            kind,
            Reference::Form | Reference::Rule | Reference::Template | Reference::File
        );
        if is_path
            && (name.starts_with(['/', '.', '~'])
                || name.split(['/', '\\']).any(|part| part == "..")
                || name.contains("%2"))
        {
            self.faults.push(
                Diagnostic::error(
                    codes::OUTSIDE_PACK,
                    span,
                    format!("`{name}` is no path inside the pack"),
                )
                .help(
                    "paths begin at the pack, without `./`, `/` or `..`: `forms/application.yaml`",
                ),
            );
            return;
        }
        let Some(known) = self.surroundings.names(kind) else {
            return;
        };
        if known.iter().any(|other| other == name) {
            return;
        }
        let titled = self.surroundings.titled(kind, name);
        let help = titled
            .as_deref()
            .or_else(|| same_stem(name, &known).filter(|_| is_path))
            .map(|near| format!("did you mean `{near}`?"))
            .or_else(|| suggest::did_you_mean(name, known.iter().map(String::as_str)))
            .unwrap_or_else(|| where_from(kind).to_owned());
        let message = format!("there is no {noun} `{name}`");
        // People come and go while the pack stays.
        let fault = if code == codes::UNKNOWN_MEMBER {
            Diagnostic::warning(code, span, message)
        } else {
            Diagnostic::error(code, span, message)
        };
        self.faults.push(fault.help(help));
    }

    /// Every role that selectors in a value name.
    pub(super) fn role_references(&mut self, template: &Template) {
        let mut found = Vec::new();
        roles(template, &mut found);
        for (name, span) in found {
            self.reference(Reference::Role, &name, span);
        }
    }

    /// Roles and letters that the rungs of a clock name.
    pub(super) fn rung_references(&mut self, list: &Template) {
        self.role_references(list);
        self.rung_members(list);
        self.rung_templates(list);
    }

    fn rung_templates(&mut self, list: &Template) {
        for template in list.items().iter().filter_map(|rung| rung.get("template")) {
            if let Some(text) = template.as_str() {
                self.reference(Reference::Template, text, template.span);
            }
        }
    }

    /// What the arguments of a call name.
    pub(super) fn argument_references(&mut self, function: &str, with: &Template, schema: &Value) {
        for entry in with.entries() {
            let property = schema
                .get("properties")
                .and_then(|properties| properties.get(&entry.key));
            let marked = property
                .and_then(|property| property.text("x-reference"))
                .and_then(kind_of);
            let built_in = ARGUMENTS
                .iter()
                .find(|(name, argument, _)| {
                    *argument == &*entry.key
                        && (*name == function || name.ends_with('.') && function.starts_with(name))
                })
                .map(|(.., kind)| *kind);
            if let (Some(kind), Some(text)) = (marked.or(built_in), entry.value.as_str()) {
                self.reference(kind, text, entry.value.span);
            }
        }
        if matches!(function, "approve" | "collect" | "notify" | "notice") {
            self.role_references(with);
            self.member_references(with);
        }
        for list in ["remind", "escalate"] {
            if let Some(list) = with.get(list) {
                self.rung_templates(list);
            }
        }
        self.record_fields(function, with);
        match function {
            "batch" => self.batch_references(with),
            "openapi" => self.openapi_document(with),
            "unit.find" => {
                let under = with.get("under");
                if let Some((under, id)) = under.and_then(|under| Some((under, under.as_str()?))) {
                    self.reference(Reference::Unit, id, under.span);
                }
            }
            "notice" => {
                let workflow = with
                    .get("objections")
                    .and_then(|objections| objections.get("workflow"));
                if let Some((workflow, text)) =
                    workflow.and_then(|workflow| workflow.as_str().map(|text| (workflow, text)))
                {
                    self.reference(Reference::Workflow, text, workflow.span);
                    self.numbered(text, workflow.span, "its objections");
                }
            }
            _ => {}
        }
    }

    /// `document: { endpoint: pack://apis/houses.yaml }`.
    fn openapi_document(&mut self, with: &Template) {
        let endpoint = with
            .get("document")
            .and_then(|document| document.get("endpoint"));
        let Some(endpoint) = endpoint else { return };
        let place = endpoint.get("uri").unwrap_or(endpoint);
        let path = place.as_str().and_then(|uri| uri.strip_prefix("pack://"));
        if let Some(path) = path {
            self.reference(Reference::File, path, place.span);
        }
    }

    /// Cases that others refer to by number, of a workflow that gives none.
    pub(super) fn numbered(&mut self, workflow: &str, span: Span, what: &str) {
        if self.surroundings.is_numbered(workflow) == Some(false) {
            self.faults.push(
                Diagnostic::warning(
                    codes::NUMBERLESS,
                    span,
                    format!(
                        "the cases of `{workflow}` have no number: {what} cannot be told apart"
                    ),
                )
                .help("add `metadata: { case: { number: 'AB{yyyy}-{seq:5}' } }` to its `document`"),
            );
        }
    }

    fn batch_references(&mut self, with: &Template) {
        let register = with.get("each").and_then(|each| each.get("register"));
        if let Some((register, text)) =
            register.and_then(|register| register.as_str().map(|text| (register, text)))
        {
            self.reference(Reference::Register, text, register.span);
        }
        if let Some(pause) = with.entry("pause") {
            self.faults.push(
                Diagnostic::error(
                    codes::UNSUPPORTED_ARGUMENT,
                    pause.key_span,
                    "nobody can pause a batch by itself yet: `pause` would have no effect",
                )
                .help("take it out; who may `intervene` suspends the case that runs the batch"),
            );
        }
    }

    pub(super) fn schema(&mut self, schema: &Schema) {
        match &schema.source {
            SchemaSource::Document(_) => {}
            SchemaSource::Form(path) => self.reference(
                Reference::Form,
                path.value.trim_start_matches("pack://"),
                path.span,
            ),
            SchemaSource::Resource(resource) => self.pack_file(resource, Reference::Form),
        }
    }

    /// A resource that must lie in the pack.
    fn pack_file(&mut self, resource: &Resource, kind: Reference) {
        let span = resource
            .endpoint
            .get("uri")
            .map_or(resource.endpoint.span, |uri| uri.span);
        match (resource.pack_path(), resource.uri()) {
            (Some(path), _) => {
                let path = path.to_owned();
                self.reference(kind, &path, span);
            }
            (None, uri) => {
                let found =
                    uri.map_or_else(|| "an expression".to_owned(), |uri| format!("`{uri}`"));
                self.faults.push(
                    Diagnostic::error(
                        codes::UNSUPPORTED_RESOURCE,
                        span,
                        format!("scripts and schemas are read from the pack, found {found}"),
                    )
                    .help("put the file into the pack and write `endpoint: pack://folder/file`"),
                );
            }
        }
    }

    pub(super) fn run(&mut self, run: &Run, task: &Task, setting: &Setting<'_>) {
        match &run.kind {
            RunKind::Script {
                language,
                source,
                process,
            } => {
                if let Some(process) = process {
                    self.template(process, setting);
                }
                if language.value != "rhai" {
                    return;
                }
                match source {
                    ScriptSource::Resource(resource) => self.pack_file(resource, Reference::Rule),
                    ScriptSource::Code(code) => self.inline_script(&code.value, code.span, task),
                }
            }
            RunKind::Workflow {
                namespace,
                name,
                input,
                ..
            } => {
                let reference = format!("{}/{}", namespace.value, name.value);
                self.reference(Reference::Workflow, &reference, name.span);
                if let Some(input) = input {
                    self.template(input, setting);
                }
            }
            RunKind::Shell(process) => self.process("run.shell", process, setting),
            RunKind::Container(process) => self.process("run.container", process, setting),
        }
    }

    /// A process of the machine: a function that only a site that allows it has.
    fn process(&mut self, function: &str, process: &Template, setting: &Setting<'_>) {
        if self.surroundings.function(function).is_none() {
            self.faults.push(
                Diagnostic::error(
                    codes::UNSUPPORTED_PROCESS,
                    crate::parse::first_line(process.span),
                    format!("`{function}` is performed only where a site allows it"),
                )
                .help("a site allows it with `run:` in `config/tongban.yaml`; without that write the logic as a rhai script, or call a service with `call: http`"),
            );
        }
        self.template(process, &setting.clone().secrets(Secrets::Allowed));
    }

    fn inline_script(&mut self, code: &str, span: Span, task: &Task) {
        if let Err(error) = Script::compile(code, &task.name.value) {
            let place = self.places.inside(span, code, error.at.clone());
            self.faults.push(
                Diagnostic::error(codes::EXPRESSION_SYNTAX, place, error.message).help(
                    error.help.unwrap_or_else(|| {
                        "the last value of a script is its result; statements end with `;`"
                            .to_owned()
                    }),
                ),
            );
        }
    }
}

/// The thing of the same name in another folder, language or spelling of the path: `granted.md`, `application`.
fn same_stem<'k>(name: &str, known: &'k [String]) -> Option<&'k str> {
    let stem = |path: &str| {
        let file = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        file.split('.').next().map(str::to_owned).unwrap_or(file)
    };
    let wanted = stem(name);
    let mut same = known.iter().filter(|other| stem(other) == wanted);
    match (same.next(), same.next()) {
        (Some(only), None) if !wanted.is_empty() => Some(only),
        _ => None,
    }
}

/// Where things of a kind come from.
fn where_from(kind: Reference) -> &'static str {
    match kind {
        Reference::Form => "forms are files under `forms/`, written `forms/name.yaml`",
        Reference::Register => "registers are files under `registers/`, named by their `register`",
        Reference::Role => "list it under `roles` in pack.yaml",
        Reference::Rule => "rules are files under `rules/`, written `pack://rules/name.rhai`",
        Reference::Template => "templates are files `mails/NAME.LANG.md`, written `mails/NAME`",
        Reference::Workflow => "workflows are named `namespace/name`",
        Reference::Parameter => "define it in rules/parameters.yaml",
        Reference::Code => "code lists stand under `codes` in pack.yaml",
        Reference::Level => "list it under `levels` in pack.yaml",
        Reference::File => {
            "files of a pack are `.yaml`, `.rhai` and `.md`, named by their path from the pack's folder"
        }
        Reference::Unit => "units are named by their ids under `units` in config/organisation.yaml",
        Reference::Post => "posts are named by their ids under `posts` in config/organisation.yaml",
        Reference::Group => {
            "groups are named by their ids under `groups` in config/organisation.yaml"
        }
        Reference::Person => {
            "people are named by their ids under `people` in config/organisation.yaml; a role or a post outlives them"
        }
    }
}

/// `x-reference` of a signature's argument.
fn kind_of(word: &str) -> Option<Reference> {
    Some(match word {
        "form" => Reference::Form,
        "register" => Reference::Register,
        "role" => Reference::Role,
        "rule" => Reference::Rule,
        "template" => Reference::Template,
        "workflow" => Reference::Workflow,
        "parameter" => Reference::Parameter,
        "code" => Reference::Code,
        "level" => Reference::Level,
        _ => return None,
    })
}
