//! `run`: scripts, workflows, shell commands and containers.

use super::document::is_semantic;
use super::reader::{Reader, first_line};
use crate::codes;
use crate::definition::{Entry, Run, RunKind, ScriptSource, Template, TemplateKind};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};
use crate::span::Spanned;

const PROCESSES: &[&str] = &["script", "workflow", "shell", "container"];
const RUN: &[&str] = &[
    "await",
    "return",
    "script",
    "workflow",
    "shell",
    "container",
];
const SCRIPT: &[&str] = &[
    "language",
    "code",
    "source",
    "stdin",
    "arguments",
    "environment",
];
const SHELL: &[&str] = &["command", "stdin", "arguments", "environment"];
const CONTAINER: &[&str] = &[
    "image",
    "name",
    "command",
    "ports",
    "volumes",
    "environment",
    "stdin",
    "arguments",
    "lifetime",
    "pullPolicy",
];
const RETURNS: &[(&str, ())] = &[
    ("stdout", ()),
    ("stderr", ()),
    ("code", ()),
    ("all", ()),
    ("none", ()),
];

impl Reader {
    pub fn run(&mut self, node: &Node) -> Option<Run> {
        if self.bare_process(node) {
            return None;
        }
        let fields = self.closed(node, "`run`", RUN)?;
        let chosen: Vec<&str> = PROCESSES
            .iter()
            .copied()
            .filter(|name| node.get(name).is_some())
            .collect();
        if chosen.len() != 1 {
            let found = if chosen.is_empty() {
                "none of them".to_owned()
            } else {
                chosen.join(" and ")
            };
            self.report(
                Diagnostic::error(
                    codes::MISSING_PROPERTY,
                    first_line(node.span),
                    format!("`run` runs one of script, workflow, shell, container; found {found}"),
                )
                .help(
                    "write `run: { script: { language: rhai, … } }` or `run: { workflow: { … } }`",
                ),
            );
            return None;
        }
        let await_ = node
            .get("await")
            .and_then(|wait| self.boolean(wait, "`await`"))
            .unwrap_or(true);
        let returns = node.get("return").and_then(|what| {
            self.choice(what, "`return`", RETURNS)?;
            self.text(what, "`return`")
        });
        let field = fields
            .iter()
            .find(|field| PROCESSES.contains(&&*field.key))?;
        let kind = match &*field.key {
            "script" => self.script(&field.value)?,
            "workflow" => {
                self.no_process_result(returns.as_ref(), "a workflow");
                self.subflow(&field.value)?
            }
            name => {
                self.process(&field.value, name);
                let template = self.template(&field.value);
                if name == "shell" {
                    RunKind::Shell(template)
                } else {
                    RunKind::Container(template)
                }
            }
        };
        Some(Run {
            await_,
            returns,
            kind,
        })
    }

    /// `run: rules/fit.rhai`, `run: { script: rules/fit.rhai }`, `run: { workflow: pack/name }`. Tells whether that was
    /// found.
    fn bare_process(&mut self, node: &Node) -> bool {
        let (span, key, text) = match (node.as_str(), node.fields()) {
            (Some(text), _) => (node.span, "run", text),
            (None, [only]) if matches!(&*only.key, "script" | "workflow") => {
                match only.value.as_str() {
                    Some(text) => (only.value.span, &*only.key, text),
                    None => return false,
                }
            }
            _ => return false,
        };
        let path = text.trim_start_matches("pack://").trim_start_matches("./");
        let named = path
            .split_once('/')
            .filter(|(_, name)| super::document::is_name(name));
        let inner = if path.ends_with(".rhai") {
            format!("script: {{ language: rhai, source: {{ endpoint: 'pack://{path}' }} }}")
        } else if let Some((namespace, name)) = named {
            format!("workflow: {{ namespace: {namespace}, name: {name}, version: latest }}")
        } else if key == "workflow" {
            format!("workflow: {{ namespace: …, name: {path}, version: latest }}")
        } else if key == "script" {
            format!(
                "script: {{ language: rhai, code: '{}' }}",
                text.replace('\'', "''")
            )
        } else {
            "script: { language: rhai, source: { endpoint: 'pack://rules/NAME.rhai' } }".to_owned()
        };
        self.report(
            Diagnostic::error(
                codes::WRONG_WRAPPER,
                span,
                format!("`{key}` must be an object, found a text"),
            )
            .help(format!("write `run: {{ {inner} }}`")),
        );
        true
    }

    /// What a shell command or a container is given.
    fn process(&mut self, node: &Node, name: &str) {
        let (known, needed): (&[&str], &str) = if name == "shell" {
            (SHELL, "command")
        } else {
            (CONTAINER, "image")
        };
        if self.closed(node, &format!("`{name}`"), known).is_none() {
            return;
        }
        self.required(node, &format!("`{name}`"), needed);
        self.given(node);
        for property in ["command", "image", "name"] {
            if let Some(found) = node.get(property) {
                self.text(found, &format!("`{property}`"));
            }
        }
        for property in ["ports", "volumes"] {
            if let Some(found) = node.get(property) {
                self.object(found, &format!("`{property}`"));
            }
        }
        if let Some(policy) = node.get("pullPolicy") {
            let choices = [("ifNotPresent", ()), ("always", ()), ("never", ())];
            self.choice(policy, "`pullPolicy`", &choices);
        }
        if let Some(lifetime) = node.get("lifetime") {
            self.lifetime(lifetime);
        }
    }

    /// What processes of every kind are given.
    fn given(&mut self, node: &Node) {
        if let Some(stdin) = node.get("stdin") {
            self.text(stdin, "`stdin`");
        }
        if let Some(arguments) = node.get("arguments") {
            self.texts(arguments, "`arguments`");
        }
        if let Some(environment) = node.get("environment") {
            self.object(environment, "`environment`");
        }
    }

    fn lifetime(&mut self, node: &Node) {
        if self
            .closed(node, "`lifetime`", &["cleanup", "after"])
            .is_none()
        {
            return;
        }
        let choices = [("always", false), ("never", false), ("eventually", true)];
        let eventually = self
            .required(node, "`lifetime`", "cleanup")
            .and_then(|cleanup| self.choice(cleanup, "`cleanup`", &choices));
        match node.get("after") {
            Some(after) => {
                self.duration(after, "`after`");
                if eventually == Some(false) {
                    self.report(
                        Diagnostic::error(
                            codes::UNKNOWN_PROPERTY,
                            first_line(after.span),
                            "`after` belongs to `cleanup: eventually`",
                        )
                        .help("take it away, or write `cleanup: eventually`"),
                    );
                }
            }
            None if eventually == Some(true) => self.missing(node.span, "`lifetime`", "after"),
            None => {}
        }
    }

    fn script(&mut self, node: &Node) -> Option<RunKind> {
        self.closed(node, "`script`", SCRIPT)?;
        let language = self
            .required(node, "`script`", "language")
            .and_then(|found| self.text(found, "`language`"));
        let source = match (node.get("code"), node.get("source")) {
            (Some(code), None) => self.text(code, "`code`").map(ScriptSource::Code),
            (None, Some(source)) => self
                .resource(source, "`source`")
                .map(ScriptSource::Resource),
            (Some(_), Some(source)) => {
                self.report(
                    Diagnostic::error(
                        codes::MANY_KINDS,
                        first_line(source.span),
                        "a script has either `code` or `source`",
                    )
                    .help("take one of them away"),
                );
                None
            }
            (None, None) => {
                self.missing(node.span, "`script`", "code` or `source");
                None
            }
        };
        let language = language?;
        if language.value != "rhai" {
            self.report(
                Diagnostic::error(
                    codes::UNSUPPORTED_LANGUAGE,
                    language.span,
                    format!("scripts are written in rhai, found `{}`", language.value),
                )
                .help(
                    "write `language: rhai`; the script sees `input`, its last value is the result",
                ),
            );
        }
        self.given(node);
        let process: Vec<Entry> = self
            .entries(node)
            .into_iter()
            .filter(|entry| matches!(&*entry.key, "stdin" | "arguments" | "environment"))
            .collect();
        let process = (!process.is_empty()).then(|| Template {
            span: node.span,
            kind: TemplateKind::Object(process),
        });
        Some(RunKind::Script {
            language,
            source: source?,
            process,
        })
    }

    fn no_process_result(&mut self, returns: Option<&Spanned<String>>, what: &str) {
        if let Some(returns) =
            returns.filter(|returns| matches!(returns.value.as_str(), "stderr" | "code" | "all"))
        {
            self.report(
                Diagnostic::error(
                    codes::UNSUPPORTED_RETURN,
                    returns.span,
                    format!("{what} has a result, but no `{}`", returns.value),
                )
                .help("leave `return` out to get the result, or say `none`"),
            );
        }
    }

    fn subflow(&mut self, node: &Node) -> Option<RunKind> {
        if let Some(text) = node.as_str() {
            let (namespace, name) = text.split_once('/').unwrap_or(("NAMESPACE", text));
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    node.span,
                    "`workflow` must be an object, found a text",
                )
                .help(format!(
                    "write `workflow: {{ namespace: {namespace}, name: {name}, version: latest }}`"
                )),
            );
            return None;
        }
        self.closed(
            node,
            "`workflow`",
            &["namespace", "name", "version", "input"],
        )?;
        let mut text = |name: &str| {
            let found = self.required(node, "`workflow`", name)?;
            self.text(found, &format!("`{name}`"))
        };
        let (namespace, name, version) = (text("namespace"), text("name"), text("version"));
        if let Some(version) = version
            .as_ref()
            .filter(|version| version.value != "latest" && !is_semantic(version))
        {
            self.report(
                Diagnostic::error(
                    codes::BAD_VERSION,
                    version.span,
                    format!("`{}` is not a semantic version", version.value),
                )
                .help("write '1.0.0', or `latest`"),
            );
        }
        let input = node.get("input").map(|input| {
            let whole = input.as_str().is_some_and(|text| text.contains("${"));
            if !matches!(input.kind, NodeKind::Map(_)) && !whole {
                self.wrong_type(input, "the `input` of a workflow", "an object");
            }
            self.template(input)
        });
        Some(RunKind::Workflow {
            namespace: namespace?,
            name: name?,
            version: version?,
            input,
        })
    }
}
