//! The whole document: its blocks, and what the mistaken shapes of it look like.

use std::sync::Arc;

use super::dialect;
use super::reader::{Reader, first_line, value};
use crate::codes;
use crate::definition::{Definition, Document, Evaluate, Language, Mode, Schedule};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node, NodeKind};
use crate::span::Spanned;
use crate::suggest;

const ROOT: &[&str] = &[
    "document", "input", "use", "do", "timeout", "output", "schedule", "evaluate",
];
const DOCUMENT: &[&str] = &[
    "dsl",
    "namespace",
    "name",
    "version",
    "title",
    "summary",
    "tags",
    "metadata",
];
/// Versions of the language that this runtime reads.
const VERSIONS: &[&str] = &["1.0.0", "1.0.1", "1.0.2", "1.0.3"];

impl Reader {
    pub fn definition(&mut self, root: &Node, source: &Arc<str>) -> Option<Definition> {
        if let Some(fault) = dialect::bare_list(root).or_else(|| dialect::told(root)) {
            self.report(fault);
            return None;
        }
        let root = self.unwrapped(root)?;
        let evaluate = self.evaluate(root.get("evaluate").map(|node| &**node));
        self.root_properties(root);
        let document = match root.get("document") {
            Some(node) => self.document(node),
            None => {
                if DOCUMENT.iter().all(|key| root.get(key).is_none()) {
                    self.missing(root.span, "a workflow", "document");
                }
                None
            }
        };
        let input = root
            .get("input")
            .and_then(|node| self.input(node, "`input`"));
        let output = root
            .get("output")
            .and_then(|node| self.output(node, "`output`"));
        let reusables = root
            .get("use")
            .map(|node| self.reusables(node))
            .unwrap_or_default();
        let timeout = root
            .get("timeout")
            .and_then(|node| self.timeout(node, "`timeout`"));
        let schedule = root
            .get("schedule")
            .and_then(|node| self.schedule(node, source));
        let tasks = match root.get("do") {
            Some(node) => self.tasks(node, "`do`"),
            None => {
                let named = root
                    .fields()
                    .iter()
                    .any(|field| matches!(&*field.key, "tasks" | "steps" | "states"));
                if !named {
                    self.missing(root.span, "a workflow", "do");
                }
                Vec::new()
            }
        };
        Some(Definition {
            source: Arc::clone(source),
            value: value(root),
            document: document?,
            input,
            output,
            reusables,
            timeout,
            schedule,
            evaluate,
            tasks,
        })
    }

    /// The workflow itself, when somebody put it into a wrapper.
    fn unwrapped<'n>(&mut self, root: &'n Node) -> Option<&'n Node> {
        let fields = self.object(root, "a workflow")?;
        if let [only] = fields
            && !ROOT.contains(&&*only.key)
            && only.value.get("do").is_some()
        {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    only.key_span,
                    format!("a workflow has no wrapper `{}`", only.key),
                )
                .help("put `document` and `do` at the top of the file"),
            );
            return Some(&only.value);
        }
        Some(root)
    }

    fn root_properties(&mut self, root: &Node) {
        let strays = root.fields().iter();
        let strays: Vec<&Field> = strays
            .filter(|field| !ROOT.contains(&&*field.key))
            .collect();
        let (of_document, unknown): (Vec<&Field>, Vec<&Field>) = strays
            .into_iter()
            .partition(|field| DOCUMENT.contains(&&*field.key));
        for field in unknown {
            self.unknown_property(field, "a workflow", ROOT);
        }
        let Some((first, others)) = of_document.split_first() else {
            return;
        };
        let keys: Vec<&str> = of_document.iter().map(|field| &*field.key).collect();
        let belong = if others.is_empty() {
            "belongs"
        } else {
            "belong"
        };
        let help = match root.get("document") {
            Some(_) if others.is_empty() => "indent it under `document:`".to_owned(),
            Some(_) => "indent them under `document:`".to_owned(),
            None => format!(
                "write a line `document:` above {} and indent by two spaces",
                if others.is_empty() { "it" } else { "them" }
            ),
        };
        let message = format!("{} {belong} to `document`", suggest::and(&keys));
        let mut fault = Diagnostic::error(codes::WRONG_WRAPPER, first.key_span, message).help(help);
        for other in others.iter().take(3) {
            fault = fault.label(other.key_span, "this too");
        }
        self.report(fault);
    }

    fn evaluate(&mut self, node: Option<&Node>) -> Evaluate {
        if let Some((node, text)) = node.and_then(|node| Some((node, node.as_str()?))) {
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    node.span,
                    "`evaluate` must be an object, found a text",
                )
                .help(format!("write `evaluate: {{ language: {text} }}`")),
            );
            if text == "rhai" {
                self.language = Language::Rhai;
            }
            return Evaluate {
                language: self.language,
                mode: self.mode,
            };
        }
        if let Some(node) = node
            && self
                .closed(node, "`evaluate`", &["language", "mode"])
                .is_some()
        {
            if let Some(language) = node.get("language") {
                let choices = [("jq", Language::Jq), ("rhai", Language::Rhai)];
                self.language = self
                    .choice(language, "the expressions' language", &choices)
                    .unwrap_or_default();
            }
            if let Some(mode) = node.get("mode") {
                let choices = [("strict", Mode::Strict), ("loose", Mode::Loose)];
                self.mode = self
                    .choice(mode, "the evaluation mode", &choices)
                    .unwrap_or_default();
            }
        }
        Evaluate {
            language: self.language,
            mode: self.mode,
        }
    }

    fn document(&mut self, node: &Node) -> Option<Document> {
        self.closed(node, "`document`", DOCUMENT)?;
        let nowhere = || Spanned::new(String::new(), first_line(node.span));
        let dsl = self.document_text(node, "dsl");
        let namespace = self.document_text(node, "namespace");
        let name = self.document_text(node, "name");
        let version = self.document_text(node, "version");
        if let Some(dsl) = &dsl {
            self.dsl_version(dsl);
        }
        for (what, text) in [("a namespace", &namespace), ("a name", &name)] {
            if let Some(text) = text.as_ref().filter(|text| !is_name(text)) {
                self.bad_name(what, text);
            }
        }
        if let Some(version) = version.as_ref().filter(|version| !is_semantic(version)) {
            self.report(
                Diagnostic::error(
                    codes::BAD_VERSION,
                    version.span,
                    format!("`{}` is not a semantic version", version.value),
                )
                .help("write major.minor.patch in quotes: '1.0.0'"),
            );
        }
        let title = node
            .get("title")
            .and_then(|title| self.document_title(title));
        let summary = node
            .get("summary")
            .and_then(|summary| self.text(summary, "`summary`"));
        let tags = node.get("tags").and_then(|tags| {
            self.object(tags, "`tags`")?;
            Some(self.template(tags))
        });
        let metadata = node
            .get("metadata")
            .map(|metadata| self.document_metadata(metadata))
            .unwrap_or_default();
        Some(Document {
            span: node.span,
            dsl: dsl.unwrap_or_else(nowhere),
            namespace: namespace.unwrap_or_else(nowhere),
            name: name.unwrap_or_else(nowhere),
            version: version.unwrap_or_else(nowhere),
            title,
            summary,
            tags,
            metadata,
        })
    }

    /// A text of `document` that must be there; a version that is written as a number is told as such.
    fn document_text(&mut self, node: &Node, name: &str) -> Option<Spanned<String>> {
        let found = self.required(node, "`document`", name)?;
        let is_number = matches!(found.kind, NodeKind::Int(_) | NodeKind::Float(_));
        if is_number && matches!(name, "version" | "dsl") {
            let wanted = if name == "dsl" { "1.0.3" } else { "1.0.0" };
            self.report(
                Diagnostic::error(
                    codes::WRONG_TYPE,
                    found.span,
                    format!("`{name}` must be a text, found a number"),
                )
                .help(format!(
                    "write all three parts, in quotes: {name}: '{wanted}'"
                )),
            );
            return None;
        }
        self.text(found, &format!("`{name}`"))
    }

    /// `title`, one text; that of readers of English stands in the metadata.
    fn document_title(&mut self, node: &Node) -> Option<Spanned<String>> {
        let said = |name: &str| node.get(name).and_then(|title| title.as_str());
        let Some(english) = said("en") else {
            return self.text(node, "`title`");
        };
        let chinese = said("zh").or_else(|| said("zh-CN")).unwrap_or("…");
        self.report(
            Diagnostic::error(
                codes::WRONG_TYPE,
                node.span,
                "`title` must be a text, found an object",
            )
            .help(format!(
                "write `title: {chinese}`, and for readers of English `metadata: {{ x-en: {english} }}`"
            )),
        );
        None
    }

    fn bad_name(&mut self, what: &str, text: &Spanned<String>) {
        self.report(
            Diagnostic::error(
                codes::BAD_NAME,
                text.span,
                format!(
                    "{what} has 1 to 63 letters, digits and hyphens (a-z, A-Z, 0-9), found `{}`",
                    text.value
                ),
            )
            .help("put what people read into `title`"),
        );
    }

    fn dsl_version(&mut self, dsl: &Spanned<String>) {
        let base = dsl.value.split(['-', '+']).next().unwrap_or("");
        if !VERSIONS.contains(&base) {
            self.report(
                Diagnostic::error(
                    codes::DSL_VERSION,
                    dsl.span,
                    format!(
                        "this runtime reads the DSL 1.0.0 to 1.0.3, found `{}`",
                        dsl.value
                    ),
                )
                .help("write dsl: '1.0.3'"),
            );
        }
    }

    fn schedule(&mut self, node: &Node, source: &str) -> Option<Schedule> {
        if let Some(text) = node.as_str() {
            let inner = if text.split_whitespace().count() >= 5 {
                format!("cron: '{text}'")
            } else {
                let every = super::duration::human(text);
                format!("every: {}", every.as_deref().unwrap_or("{ days: 1 }"))
            };
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    node.span,
                    "`schedule` must be an object, found a text",
                )
                .help(format!("write `schedule: {{ {inner} }}`")),
            );
            return None;
        }
        let fields = self.closed(node, "`schedule`", &["every", "cron", "after", "on"])?;
        let every = node
            .get("every")
            .and_then(|every| self.pace(every, "`every`"));
        let after = node
            .get("after")
            .and_then(|after| self.pace(after, "`after`"));
        let cron = node.get("cron").and_then(|cron| self.text(cron, "`cron`"));
        if let Some(cron) = &cron {
            let places = crate::place::Places::new(source);
            self.cron(cron, &|part| places.inside(cron.span, &cron.value, part));
        }
        let on = node.get("on").and_then(|on| self.consumption(on, "`on`"));
        if fields.len() != 1 {
            self.report(
                Diagnostic::error(
                    codes::SCHEDULE_CHOICE,
                    first_line(node.span),
                    format!(
                        "a schedule has exactly one of every, cron, after, on; found {}",
                        fields.len()
                    ),
                )
                .help("make a workflow for each trigger that runs this one"),
            );
        }
        Some(Schedule {
            span: node.span,
            every,
            cron,
            after,
            on,
        })
    }
}

/// The schema's pattern of namespaces and names.
pub(crate) fn is_name(text: &str) -> bool {
    let inner = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    inner && (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether a text is a semantic version.
pub(crate) fn is_semantic(text: &str) -> bool {
    let (rest, build) = text
        .split_once('+')
        .map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (core, pre) = rest
        .split_once('-')
        .map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    core.split('.').count() == 3
        && core.split('.').all(number)
        && pre.is_none_or(|pre| {
            pre.split('.')
                .all(|part| word(part) && (!digits(part) || number(part)))
        })
        && build.is_none_or(|build| build.split('.').all(word))
}
