//! Files of other languages and files of a pack that are no workflows: told once, as what they are, instead of key by
//! key.

use super::reader::first_line;
use crate::chinese;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node, NodeKind};

/// The keys that begin a workflow of ours.
const OURS: [&str; 2] = ["document", "do"];
/// How a workflow of ours begins.
const BEGINNING: &str =
    "begin with `document: { dsl: '1.0.3', namespace: …, name: …, version: '1.0.0' }` and `do:`";

/// What a file is, when it is a file of another language or another file of a pack.
pub(super) fn told(root: &Node) -> Option<Diagnostic> {
    if OURS.iter().any(|key| root.get(key).is_some()) {
        return None;
    }
    let fields = root.fields();
    let (field, message, help) = of_a_pack(root)
        .or_else(|| of_a_tool(root))
        .or_else(|| in_chinese(fields))
        .or_else(|| list_of_steps(root))?;
    Some(Diagnostic::error(codes::OTHER_LANGUAGE, field.key_span, message).help(help))
}

type Told<'n> = (&'n Field, String, String);

fn field<'n>(root: &'n Node, key: &str) -> Option<&'n Field> {
    root.fields().iter().find(|field| &*field.key == key)
}

/// Forms, registers, scenarios and heads of packs.
fn of_a_pack(root: &Node) -> Option<Told<'_>> {
    let told = |key: &str, what: &str, place: &str| {
        Some((
            field(root, key)?,
            format!("this is {what} of a pack, no workflow"),
            format!(
                "it belongs to {place} of a pack; check the pack's folder: `tongban check FOLDER`"
            ),
        ))
    };
    let has = |key: &str| root.get(key).is_some();
    if has("scenarios") {
        return told("scenarios", "a file of scenarios", "`tests/NAME.test.yaml`");
    }
    if has("register") && has("key") {
        return told("register", "a register", "`registers/`");
    }
    if has("pack") && (has("roles") || has("title")) {
        return told("pack", "the head", "`pack.yaml`");
    }
    if has("properties") && root.get("type").and_then(|kind| kind.as_str()) == Some("object") {
        return told("properties", "a form", "`forms/`");
    }
    if has("units") && has("people") {
        return Some((
            field(root, "units")?,
            "this is the organisation of a site, no workflow".to_owned(),
            "it belongs to `config/organisation.yaml` of a site; `tongban serve` reads it"
                .to_owned(),
        ));
    }
    let dated = |node: &Node| {
        let mut all = node.fields().iter();
        all.any(|field| field.value.get("values").is_some())
    };
    if root.get("parameters").is_some_and(|node| dated(node)) {
        return told(
            "parameters",
            "the dated parameters",
            "`rules/parameters.yaml`",
        );
    }
    None
}

/// Other workflow languages, by the keys that only they have.
fn of_a_tool(root: &Node) -> Option<Told<'_>> {
    const TOOLS: &[(&[&str], &str, &str)] = &[
        (
            &["specVersion", "states"],
            "a workflow of the Serverless Workflow DSL before 1.0",
            "each state becomes a task: `actions` are `call`, `dataConditions` are a `switch`, `transition` is `then`",
        ),
        (
            &["States", "StartAt"],
            "a state machine of Amazon States Language",
            "each state becomes a task: `Choice` is a `switch`, `Next` is `then`, `Parallel` is a `fork`",
        ),
        (
            &[
                "process",
                "definitions",
                "bpmn",
                "userTask",
                "startEvent",
                "sequenceFlow",
                "flowElements",
            ],
            "a BPMN process",
            "each node becomes a task: `userTask` is `call: approve` or `call: collect`, `exclusiveGateway` is a `switch`, `parallelGateway` a `fork`; the order of the list is the sequence flow",
        ),
        (
            &["jobs"],
            "a workflow of GitHub Actions",
            "each step becomes a task: `- office: { call: approve, with: { … } }`",
        ),
        (
            &["apiVersion", "kind"],
            "a manifest of Kubernetes (Argo, Tekton)",
            "each step becomes a task: `- office: { call: approve, with: { … } }`",
        ),
        (
            &["stages", "pipeline"],
            "a pipeline of a build server",
            "each step becomes a task: `- office: { call: approve, with: { … } }`",
        ),
    ];
    let (mark, name, help) = TOOLS.iter().find_map(|(marks, name, help)| {
        let mark = marks.iter().find_map(|mark| field(root, mark))?;
        Some((mark, *name, *help))
    })?;
    Some((
        mark,
        format!("this is {name}, which is another language"),
        format!("{BEGINNING}; {help}"),
    ))
}

/// `名称: …`, `流程: [ … ]`.
fn in_chinese(fields: &[Field]) -> Option<Told<'_>> {
    let first = fields.first()?;
    if !fields.iter().all(|field| chinese::is_written(&field.key)) {
        return None;
    }
    const KEYS: &[&str] = &[
        "do",
        "title",
        "version",
        "namespace",
        "input",
        "output",
        "summary",
    ];
    let called: Vec<String> = fields
        .iter()
        .filter_map(|field| {
            let ours = chinese::key(&field.key, KEYS)?;
            Some(format!("`{}` is `{ours}`", field.key))
        })
        .collect();
    let called = if called.is_empty() {
        "names for people may be Chinese: `title: 公租房申请`".to_owned()
    } else {
        called.join(", ")
    };
    Some((
        first,
        "the keys of a workflow are English words".to_owned(),
        format!("{BEGINNING}; {called}"),
    ))
}

/// `steps:`, `tasks:` and their like, with a list below, and no `document`.
fn list_of_steps(root: &Node) -> Option<Told<'_>> {
    const LISTS: [&str; 6] = ["steps", "tasks", "nodes", "activities", "stages", "actions"];
    let list = LISTS
        .iter()
        .filter_map(|key| field(root, key))
        .find(|field| matches!(field.value.kind, NodeKind::List(_)))?;
    let typed = match &list.value.kind {
        NodeKind::List(items) => items
            .first()
            .is_some_and(|item| item.get("id").is_some() && item.get("type").is_some()),
        _ => false,
    };
    let whose = if typed {
        "of another tool (Kestra and its like)"
    } else {
        "of another tool"
    };
    Some((
        list,
        format!("`{}` makes this a workflow {whose}", list.key),
        format!(
            "{BEGINNING}; each entry becomes a task under its name: `- office: {{ call: approve, with: {{ … }} }}`"
        ),
    ))
}

/// A list of tasks at the top of a file, without `do:`.
pub(super) fn bare_list(root: &Node) -> Option<Diagnostic> {
    let NodeKind::List(items) = &root.kind else {
        return None;
    };
    items.first().filter(|item| !item.fields().is_empty())?;
    Some(
        Diagnostic::error(
            codes::WRONG_WRAPPER,
            first_line(root.span),
            "a workflow is no list: its tasks stand under `do`",
        )
        .help(format!("{BEGINNING}, and indent this list below `do:`")),
    )
}
