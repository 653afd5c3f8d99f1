//! Workflows that are published in place of real ones: played workflows, and cases that ended before.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_dsl::definition::{Definition, Language, Task, TaskKind};
use tongban_expr::Value;
use tongban_runtime::pack::{Bundle, Library};

use super::file::{GivenCase, Mock};

/// The task that begins a given case, and the one that ends it.
const BEGIN: &str = "givenBegin";
pub(super) const END: &str = "givenEnd";

/// The bundle that plays a workflow: it waits if the answer takes its time, then gives the output or the error.
pub fn played(reference: &str, version: &str, mock: &Mock) -> Bundle {
    let mut tasks = Vec::new();
    let after = mock.after.map_or(0, super::step::Span::millis);
    if after > 0 {
        let wait = Value::object([("milliseconds", Value::from(after))]);
        tasks.push(task("later", [("wait", wait)]));
    }
    tasks.push(match &mock.error {
        Some(error) => {
            let kind = if error.kind.contains(':') {
                error.kind.clone()
            } else {
                format!("{}{}", tongban_plugin::ERROR_BASE, error.kind)
            };
            let mut members = vec![
                ("type", Value::from(kind)),
                ("status", Value::from(error.status)),
            ];
            for (name, text) in [("title", &error.title), ("detail", &error.detail)] {
                members.extend(text.as_ref().map(|text| (name, Value::from(text.as_str()))));
            }
            let error = Value::object([("error", Value::object(members))]);
            task("played", [("raise", error)])
        }
        None => {
            let output = mock.output.clone().unwrap_or(Value::Null);
            task("played", [("set", output)])
        }
    });
    let document = Value::object([("document", head(reference, version))]);
    bundle(reference, version, &document.with("do", Value::list(tasks)))
}

/// The bundle of a given case: the real workflow, which on its first way gives the results that are given and ends, and
/// on every later one does what it really does. So a case that ended before can be opened again at any of its steps.
pub fn given_case(
    given: &GivenCase,
    version: &str,
    definition: &Definition,
    real: &Bundle,
    with_schema: bool,
) -> Bundle {
    let mut whole = definition.value.clone();
    let mut tasks = Vec::new();
    let listed: Vec<Value> = whole
        .get("do")
        .and_then(Value::as_list)
        .map(<[Value]>::to_vec)
        .unwrap_or_default();
    let names: Vec<&str> = definition
        .tasks
        .iter()
        .map(|task| task.name.value.as_str())
        .collect();
    let given_steps: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| given.steps.get(name).is_some_and(|value| !value.is_null()))
        .collect();
    let first = given_steps.first().copied().unwrap_or(END);
    tasks.push(task(
        BEGIN,
        [
            ("set", Value::object([("given", true)])),
            ("then", Value::from(first)),
        ],
    ));
    for (name, entry) in names.iter().zip(&listed) {
        let Some(at) = given_steps.iter().position(|step| step == name) else {
            tasks.push(entry.clone());
            continue;
        };
        let body = entry.get(name).cloned().unwrap_or_default();
        let result = given.steps.get(name).cloned().unwrap_or_default();
        tasks.push(first_given(name, &body, result, definition));
        let next = given_steps.get(at + 1).copied().unwrap_or(END);
        let onward = body.get("then").cloned();
        let cases = once(definition, "first", next, onward);
        tasks.push(task(&format!("{name}Given"), [("switch", cases)]));
    }
    tasks.push(ending(given, &given_steps, definition));
    whole.set("do", Value::list(tasks));
    let document = head(&given.workflow, version);
    let mut case = whole
        .at("document.metadata.case")
        .cloned()
        .unwrap_or_else(|| Value::object::<&str, Value>([]));
    case.set("number", Value::from(given.number.as_str()));
    // Who decided so is not played: the case is given as it ended.
    case.remove("refusals");
    let mut metadata = whole
        .at("document.metadata")
        .cloned()
        .unwrap_or_else(|| Value::object::<&str, Value>([]));
    metadata.set("case", case);
    whole.set("document", document.with("metadata", metadata));
    if !with_schema {
        whole.set("input", Value::object::<&str, Value>([]));
    }
    let document = real.manifest.document.clone();
    let mut files = real.files.clone();
    files.insert(document.clone(), Arc::from(whole.to_json()));
    Bundle::new(&given.workflow, version, &document, files)
}

/// The steps at which the workflow under test opens given cases again, and those at which the case says it was.
pub fn reopened(library: &Library, under_test: Option<&str>, given: &GivenCase) -> Vec<String> {
    let mut found = given.passed.clone();
    let under_test = under_test.and_then(|reference| library.workflow(reference));
    let real = library.workflow(&given.workflow);
    if let (Some((_, under_test)), Some((_, real))) = (under_test, real) {
        let mut steps = Vec::new();
        reopens(&under_test.definition.tasks, &mut steps);
        let has = |step: &String| {
            let tasks = &real.definition.tasks;
            tasks.iter().any(|task| task.name.value == *step)
        };
        found.extend(steps.into_iter().filter(has));
    }
    found.sort();
    found.dedup();
    found
}

/// Where `case.reopen` leads, as far as it is written as it stands.
fn reopens(tasks: &[Task], found: &mut Vec<String>) {
    for task in tasks {
        if let TaskKind::Call(call) = &task.kind
            && call.function.value == "case.reopen"
        {
            let at = call.with.as_ref().and_then(|with| with.get("at"));
            found.extend(at.and_then(|at| at.as_str()).map(str::to_string));
        }
        for (_, inner) in task.scopes() {
            reopens(inner, found);
        }
    }
}

/// The first fault of a stub's document, if it has one: something of the given case does not fit its workflow.
pub fn fault(stub: &Bundle) -> Option<String> {
    let text = stub.files.get(&stub.manifest.document)?;
    let parsed = tongban_dsl::parse(text);
    let fault = parsed
        .diagnostics
        .into_iter()
        .find(|fault| fault.is_error())?;
    Some(fault.message)
}

/// A step that gives its given result once, and then does what it really does.
fn first_given(name: &str, body: &Value, result: Value, definition: &Definition) -> Value {
    let members = body
        .entries()
        .filter(|(member, _)| !matches!(member.as_str(), "then" | "metadata"))
        .map(|(member, value)| (member.to_string(), value.clone()));
    let exit = Value::object([("then", Value::from("exit"))]);
    let inner = vec![
        task(
            "way",
            [("switch", once(definition, "given", "result", None))],
        ),
        task_of("real", Value::object(members)),
        task("past", [("switch", Value::list(vec![task_of("on", exit)]))]),
        task("result", [("set", result)]),
    ];
    let mut around = vec![("do", Value::list(inner))];
    around.extend(
        body.get("metadata")
            .map(|value| ("metadata", value.clone())),
    );
    task_of(name, Value::object(around))
}

/// The cases of a `switch` that leads to `to` as long as the given case has not ended, and onward otherwise.
fn once(definition: &Definition, name: &str, to: &str, onward: Option<Value>) -> Value {
    let condition = match definition.evaluate.language {
        Language::Rhai => format!("steps.{END} == ()"),
        Language::Jq => format!("${{ $steps.{END} == null }}"),
    };
    let case = Value::object([("when", Value::from(condition)), ("then", Value::from(to))]);
    let mut cases = vec![task_of(name, case)];
    cases.extend(onward.map(|then| task_of("onward", Value::object([("then", then)]))));
    Value::list(cases)
}

/// The end of a given case: its outcome, and a reading of every result, for the engine keeps only what is read.
fn ending(given: &GivenCase, steps: &[&str], definition: &Definition) -> Value {
    let read = steps.iter().map(|name| {
        let text = match definition.evaluate.language {
            Language::Rhai => format!("${{ steps.{name} }}"),
            Language::Jq => format!("${{ $steps.{name} }}"),
        };
        ((*name).to_string(), Value::from(text))
    });
    let ended = Value::object([
        ("outcome", Value::from(given.outcome.as_str())),
        ("steps", Value::object(read)),
    ]);
    task(END, [("set", ended), ("then", Value::from("end"))])
}

fn head(reference: &str, version: &str) -> Value {
    let (namespace, name) = reference.split_once('/').unwrap_or(("", reference));
    Value::object([
        ("dsl", Value::from("1.0.3")),
        ("namespace", Value::from(namespace)),
        ("name", Value::from(name)),
        ("version", Value::from(version)),
    ])
}

fn task<const N: usize>(name: &str, members: [(&str, Value); N]) -> Value {
    task_of(name, Value::object(members))
}

fn task_of(name: &str, body: Value) -> Value {
    Value::object([(name.to_string(), body)])
}

fn bundle(reference: &str, version: &str, whole: &Value) -> Bundle {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    let path = format!("workflows/{name}.yaml");
    let files = BTreeMap::from([(path.clone(), Arc::from(whole.to_json()))]);
    Bundle::new(reference, version, &path, files)
}
