//! Templates of letters and notices: that they can be rendered, that they exist in every language, and that what they
//! name is given to them.

use std::collections::BTreeSet;

use tongban_dsl::definition::{Definition, SchemaSource, Task, TaskKind};
use tongban_dsl::{Diagnostic, Span, codes};

use super::{Checking, beginning, near};
use crate::render::{self, Named};

/// What a kind of templates is given, whatever the case.
struct Kind {
    /// The function that names such a template.
    function: &'static str,
    /// What it is called.
    noun: &'static str,
    roots: &'static [&'static str],
    /// The members of `workflow`.
    workflow: &'static [&'static str],
    /// The members of `notice`, where they are known.
    notice: Option<&'static [&'static str]>,
}

const LETTER: Kind = Kind {
    function: "notify",
    noun: "a letter",
    roots: &[
        "form", "steps", "data", "workflow", "to", "now", "link", "notice",
    ],
    workflow: &[
        "id",
        "definition",
        "input",
        "startedAt",
        "startedOn",
        "number",
        "title",
        "url",
        "starter",
    ],
    notice: None,
};
const NOTICE: Kind = Kind {
    function: "notice",
    noun: "a notice",
    roots: &["form", "steps", "data", "workflow", "now", "notice"],
    workflow: &["id", "definition", "number", "title"],
    notice: Some(&["title", "from", "to", "url"]),
};
/// The members of `workflow.starter`.
const STARTER: &[&str] = &["user", "name", "unit", "identity"];
/// The members of `to`.
const RECEIVER: &[&str] = &["id", "name"];
/// Filters of ours, and those of minijinja that letters need.
const FILTERS: &[&str] = &[
    "date", "unit", "code", "verdict", "outcome", "join", "length", "default", "upper", "lower",
    "trim", "title", "replace", "round", "first", "last", "list", "sort", "items",
];

/// What is known of the data that a template gets; `None` where it may be anything.
struct Given {
    kind: &'static Kind,
    data: Option<BTreeSet<String>>,
    form: Option<BTreeSet<String>>,
    steps: Option<BTreeSet<String>>,
}

impl Checking<'_> {
    pub(super) fn templates(&mut self) {
        let mut templates = self.files_with(".md");
        templates.retain(|(path, _)| path.starts_with("mails/") || path.starts_with("notices/"));
        for (path, source) in templates {
            self.template_names(&path, &source);
            if let Err(error) = render::check(&source) {
                let line = u32::try_from(error.line).unwrap_or(1).max(1);
                let before: usize = source
                    .split_inclusive('\n')
                    .take(line as usize - 1)
                    .map(str::len)
                    .sum();
                let text = source.get(before..).and_then(|rest| rest.lines().next());
                let length = text.map_or(0, str::len);
                let span = Span::of(&source, before..before + length);
                self.push(
                    &path,
                    Diagnostic::error(codes::PACK_TEMPLATE, span, error.message).help(
                        "templates have `{{ value }}`, `{% if … %}` and the filters `date unit code verdict outcome`",
                    ),
                );
            }
            let stem = path
                .strip_suffix(".md")
                .and_then(|path| path.rsplit_once('.'));
            match stem {
                Some((name, _)) => self.other_languages(&path, name),
                None => {
                    let language = self.pack.manifest.languages.first();
                    let language = language.map_or("zh-CN", String::as_str);
                    let name = path.trim_end_matches(".md");
                    self.push(
                        &path,
                        Diagnostic::error(
                            codes::PACK_TEMPLATE,
                            beginning(),
                            "the name of a template's file says its language",
                        )
                        .help(format!("rename it to `{name}.{language}.md`")),
                    );
                }
            }
        }
    }

    /// Variables and filters that a template names.
    fn template_names(&mut self, path: &str, source: &str) {
        let (variables, filters) = render::names(source);
        for filter in filters {
            let message = format!("there is no filter `{}`", filter.name);
            let help = near(
                &filter.name,
                FILTERS.iter().copied(),
                "the filters of letters are `date unit code verdict outcome`, and those of Jinja",
            );
            let span = Span::of(source, filter.at);
            self.push(
                path,
                Diagnostic::error(codes::PACK_TEMPLATE, span, message).help(help),
            );
        }
        let name = path
            .strip_suffix(".md")
            .and_then(|path| path.rsplit_once('.'))
            .map_or(path, |(name, _)| name);
        let given = self.given(name);
        for variable in variables {
            if let Some(fault) = unknown(&variable, &given, source) {
                self.push(path, fault);
            }
        }
    }

    /// What the workflows of the pack give to a template.
    fn given(&self, template: &str) -> Given {
        let is_notice = template.starts_with("notices/");
        let kind = if is_notice { &NOTICE } else { &LETTER };
        let mut given = Given {
            kind,
            data: Some(BTreeSet::new()),
            form: Some(BTreeSet::new()),
            steps: Some(BTreeSet::new()),
        };
        let mut users = 0;
        for workflow in &self.pack.workflows {
            let definition = &workflow.definition;
            let named = definition.source.matches(template).count();
            if named == 0 {
                continue;
            }
            users += 1;
            let mut calls = Vec::new();
            let mut steps = BTreeSet::new();
            for task in definition.roots() {
                gather(task, (kind.function, template), &mut calls, &mut steps);
            }
            // Clocks and notices name templates too, and add data of their own.
            if calls.len() < named || calls.iter().any(Option::is_none) {
                given.data = None;
            }
            if let Some(data) = &mut given.data {
                data.extend(calls.into_iter().flatten().flatten());
            }
            if let Some(all) = &mut given.steps {
                all.extend(steps);
            }
            given.form = given.form.take().and_then(|mut all| {
                all.extend(self.fields_of(definition)?);
                Some(all)
            });
        }
        // A workflow of another pack, or one that cannot be read, may use it.
        if users == 0 || self.unread_workflows() {
            return Given {
                kind,
                data: None,
                form: None,
                steps: None,
            };
        }
        given
    }

    pub(super) fn unread_workflows(&self) -> bool {
        let files = self.pack.files.keys();
        let all = files
            .filter(|path| path.starts_with("workflows/") && path.ends_with(".yaml"))
            .count();
        all > self.pack.workflows.len()
    }

    /// The fields of a workflow's form, when these are all that it has.
    fn fields_of(&self, definition: &Definition) -> Option<BTreeSet<String>> {
        let input = definition.input.as_ref()?;
        if input.from.is_some() {
            return None;
        }
        let SchemaSource::Form(path) = &input.schema.as_ref()?.source else {
            return None;
        };
        let schema = self.pack.forms.get(&path.value)?;
        let open = ["allOf", "anyOf", "oneOf", "$ref", "patternProperties"];
        if open.iter().any(|word| schema.get(word).is_some()) {
            return None;
        }
        let properties = schema.get("properties")?;
        Some(
            properties
                .entries()
                .map(|(name, _)| name.to_string())
                .collect(),
        )
    }

    fn other_languages(&mut self, path: &str, name: &str) {
        for language in &self.pack.manifest.languages.clone() {
            let file = format!("{name}.{language}.md");
            if !self.pack.files.contains_key(&file) {
                let message = format!("the template `{name}` does not exist in `{language}`");
                self.push(
                    path,
                    Diagnostic::error(codes::PACK_TEMPLATE, beginning(), message).help(format!(
                        "write `{file}`, or take `{language}` out of `languages` in pack.yaml"
                    )),
                );
            }
        }
    }
}

/// The keys of the data of every call of a function with this template, and the names of all steps.
fn gather(
    task: &Task,
    (function, template): (&str, &str),
    calls: &mut Vec<Option<BTreeSet<String>>>,
    steps: &mut BTreeSet<String>,
) {
    steps.insert(task.name.value.clone());
    if let TaskKind::Call(call) = &task.kind
        && call.function.value == function
        && let Some(with) = &call.with
        && with.get("template").and_then(|named| named.as_str()) == Some(template)
    {
        calls.push(match with.get("data") {
            None => Some(BTreeSet::new()),
            Some(data) if data.entries().is_empty() => None,
            Some(data) => Some(
                data.entries()
                    .iter()
                    .map(|entry| entry.key.to_string())
                    .collect(),
            ),
        });
    }
    for (_, tasks) in task.scopes() {
        for inner in tasks {
            gather(inner, (function, template), calls, steps);
        }
    }
}

/// A variable that nothing gives.
fn unknown(variable: &Named, given: &Given, source: &str) -> Option<Diagnostic> {
    let mut parts = variable.name.split('.');
    let root = parts.next()?;
    let span = Span::of(source, variable.at.clone());
    let kind = given.kind;
    if !kind.roots.contains(&root) {
        let message = format!("{} is given no `{root}`", kind.noun);
        let near = tongban_dsl::did_you_mean(root, kind.roots.iter().copied())
            .filter(|help| help.starts_with("did"));
        return Some(Diagnostic::error(codes::PACK_TEMPLATE, span, message).help(
            near.unwrap_or_else(|| {
                format!(
                    "it is given `{}`; what it is to say stands in `data` of `{}`",
                    kind.roots.join(" "),
                    kind.function
                )
            }),
        ));
    }
    let member = parts.next()?;
    let fixed = |members: &[&str]| members.iter().map(|name| (*name).to_owned()).collect();
    let inner = parts.next();
    let (whole, member, known): (&str, &str, BTreeSet<String>) = match (root, member, inner) {
        ("workflow", "starter", Some(inner)) => ("workflow.starter", inner, fixed(STARTER)),
        ("workflow", ..) => (root, member, fixed(kind.workflow)),
        ("notice", ..) => (root, member, fixed(kind.notice?)),
        ("to", ..) => (root, member, fixed(RECEIVER)),
        ("data", ..) => (root, member, given.data.clone()?),
        ("form", ..) => (root, member, given.form.clone()?),
        ("steps", ..) => (root, member, given.steps.clone()?),
        _ => return None,
    };
    if known.contains(member) {
        return None;
    }
    let function = kind.function;
    let otherwise = match root {
        "data" if known.is_empty() => {
            format!("the calls of `{function}` with this template give no `data`")
        }
        "data" => format!("add it to `data` of the calls of `{function}` with this template"),
        "form" => "the form has no such field".to_owned(),
        "steps" => "no workflow that uses this template has such a step".to_owned(),
        _ => "look at the members in the manual, “Packs”".to_owned(),
    };
    let near = tongban_dsl::did_you_mean(member, known.iter().map(String::as_str))
        .filter(|help| help.starts_with("did") || matches!(root, "workflow" | "to" | "notice"));
    Some(
        Diagnostic::warning(
            codes::PACK_TEMPLATE,
            span,
            format!("`{whole}` has no `{member}` here: the place stays empty"),
        )
        .help(near.unwrap_or(otherwise)),
    )
}
