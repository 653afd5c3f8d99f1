//! Every property that any task may carry, on every kind of task: a matrix. `dsl-reference.md#Task` lists the
//! properties; what each must do is the same whatever the task does.

use std::collections::BTreeMap;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::expectations::within;
use crate::run::{Given, run};

/// What goes into every document.
fn input() -> Value {
    json!({ "k": 5, "go": false })
}

/// The tasks, by kind, with what each gives; nothing where it gives what nobody can foresee.
fn kinds() -> Vec<(&'static str, Value, Option<Value>)> {
    let two = json!([{ "i": { "set": { "d": 1 } } }, { "j": { "set": { "d": 2 } } }]);
    let one = json!([{ "i": { "set": { "d": 1 } } }]);
    let error = json!({ "type": "https://x.org/e", "status": 400 });
    let event = json!({ "id": "1", "source": "https://x.org", "type": "t", "time": "2026-01-01T00:00:00Z" });
    vec![
        (
            "call of http",
            json!({ "call": "http", "with": { "method": "get", "endpoint": "http://stub.example/status/200" } }),
            None,
        ),
        (
            "call of a function",
            json!({ "call": "given", "with": { "q": 1 } }),
            Some(json!({ "f": 1 })),
        ),
        ("do", json!({ "do": one }), Some(json!({ "d": 1 }))),
        (
            "emit",
            json!({ "emit": { "event": { "with": event } } }),
            None,
        ),
        (
            "for",
            json!({ "for": { "in": "[1, 2]" }, "do": [{ "i": { "set": { "d": "${ $item }" } } }] }),
            Some(json!({ "d": 2 })),
        ),
        (
            "fork",
            json!({ "fork": { "branches": two } }),
            Some(json!([{ "d": 1 }, { "d": 2 }])),
        ),
        (
            "listen",
            json!({ "listen": { "to": { "one": { "with": { "type": "heard" } } } } }),
            Some(json!([{ "e": 1 }])),
        ),
        (
            "run of a script",
            json!({ "run": { "script": { "language": "rhai", "code": "7" } } }),
            Some(json!(7)),
        ),
        (
            "run of a workflow",
            json!({ "run": { "workflow": { "namespace": "test", "name": "child", "version": "1.0.0", "input": {} } } }),
            Some(json!({ "c": 1 })),
        ),
        ("set", json!({ "set": { "s": 1 } }), Some(json!({ "s": 1 }))),
        (
            "switch",
            json!({ "switch": [{ "c": { "when": "false", "then": "end" } }] }),
            Some(input()),
        ),
        (
            "try",
            json!({ "try": one, "catch": {} }),
            Some(json!({ "d": 1 })),
        ),
        (
            "try that catches",
            json!({ "try": [{ "i": { "raise": { "error": error } } }], "catch": { "do": [{ "h": { "set": { "h": 1 } } }] } }),
            Some(json!({ "h": 1 })),
        ),
        ("wait", json!({ "wait": { "seconds": 1 } }), Some(input())),
    ]
}

/// A property: what is laid over the task, what stands after it, and what must come.
struct Property {
    name: &'static str,
    over: Value,
    wanted: Value,
    after: Value,
}

fn property(name: &'static str, over: Value, wanted: Value) -> Property {
    let after = json!([{ "z": { "set": { "o": "${ . }", "c": "${ $context }" } } }]);
    Property {
        name,
        over,
        wanted,
        after,
    }
}

/// An error of the task itself.
fn error(kind: &str) -> Value {
    let uri = format!("https://serverlessworkflow.io/spec/1.0.0/errors/{kind}");
    json!({ "status": "faulted", "error": { "type": uri, "status": 400, "instance": "/do/0/x" } })
}

fn completed(output: Value) -> Value {
    json!({ "status": "completed", "output": output })
}

/// A schema that asks for a member that nothing has.
fn lacking() -> Value {
    json!({ "document": { "type": "object", "required": ["lacking"] } })
}

/// A property of a task that stands alone.
fn alone(name: &'static str, over: Value, wanted: Value) -> Property {
    Property {
        after: json!([]),
        ..property(name, over, wanted)
    }
}

/// What gives every task an output that says little.
fn plain() -> Value {
    json!({ "as": "{ w: 1 }" })
}

fn properties() -> Vec<Property> {
    let mut properties = of_what_goes_in();
    properties.extend(of_what_comes_out());
    properties.extend(of_the_flow());
    properties
}

fn of_what_goes_in() -> Vec<Property> {
    vec![
        alone(
            "is skipped when `if` is false",
            json!({ "if": ".go" }),
            json!({ "status": "completed", "output": input(), "tasks": [{ "status": "skipped" }] }),
        ),
        alone(
            "validates its raw input",
            json!({ "input": { "schema": lacking(), "from": "{ lacking: 1 }" } }),
            error("validation"),
        ),
        alone(
            "faults when `input.from` fails",
            json!({ "input": { "from": ".k.a.b" } }),
            error("expression"),
        ),
        alone(
            "shows its metadata and its place",
            json!({ "metadata": { "x-note": [1] }, "output": { "as": "[$task.definition.metadata[\"x-note\"][0], $task.name, $task.reference]" } }),
            completed(json!([1, "x", "/do/0/x"])),
        ),
    ]
}

fn of_what_comes_out() -> Vec<Property> {
    vec![
        alone(
            "has its transformed and its raw input in `output.as`",
            json!({ "input": { "from": "{ m: .k }" }, "output": { "as": "{ i: $input.m, r: $task.input.k }" } }),
            completed(json!({ "i": 5, "r": 5 })),
        ),
        alone(
            "faults when `output.as` fails",
            json!({ "output": { "as": "error(\"no\")" } }),
            error("expression"),
        ),
        alone(
            "validates its transformed output",
            json!({ "output": { "as": "{ w: 1 }", "schema": lacking() } }),
            error("validation"),
        ),
        property(
            "exports",
            json!({ "output": plain(), "export": { "as": "$context + { e: $output.w, i: $input.k }" } }),
            completed(json!({ "o": { "w": 1 }, "c": { "k": 5, "go": false, "e": 1, "i": 5 } })),
        ),
        alone(
            "validates what it exports",
            json!({ "export": { "as": "{ e: 1 }", "schema": lacking() } }),
            error("validation"),
        ),
    ]
}

fn of_the_flow() -> Vec<Property> {
    vec![
        property(
            "may end the workflow",
            json!({ "output": plain(), "then": "end" }),
            completed(json!({ "w": 1 })),
        ),
        property(
            "may exit its scope",
            json!({ "output": plain(), "then": "exit" }),
            completed(json!({ "w": 1 })),
        ),
        property(
            "may continue",
            json!({ "output": plain(), "then": "continue" }),
            completed(json!({ "o": { "w": 1 } })),
        ),
        Property {
            after: json!([{ "y": { "set": { "no": 1 } } }, { "z": { "set": { "o": "${ . }" } } }]),
            ..property(
                "may lead to another task",
                json!({ "output": plain(), "then": "z" }),
                completed(json!({ "o": { "w": 1 } })),
            )
        },
        alone(
            "ends in time under a timeout",
            json!({ "timeout": { "after": { "hours": 1 } }, "output": plain() }),
            completed(json!({ "w": 1 })),
        ),
    ]
}

/// Where a task may stand, with what is around it. Each gives what the task gives; those that give lists, a list of it.
fn places(task: &Value) -> Vec<(&'static str, Value, bool)> {
    let list = json!([{ "x": task }]);
    let raise =
        json!([{ "r": { "raise": { "error": { "type": "https://x.org/e", "status": 400 } } } }]);
    let item = json!({ "to": { "one": { "with": { "type": "item" } } } });
    vec![
        ("in a do", json!({ "do": list }), false),
        (
            "in a loop",
            json!({ "for": { "in": "[1]" }, "do": list }),
            false,
        ),
        ("in a branch", json!({ "fork": { "branches": list } }), true),
        (
            "in a race",
            json!({ "fork": { "compete": true, "branches": list } }),
            false,
        ),
        ("in a try", json!({ "try": list, "catch": {} }), false),
        (
            "in a handler",
            json!({ "try": raise, "catch": { "do": list } }),
            false,
        ),
        (
            "in a foreach",
            json!({ "listen": item, "foreach": { "do": list } }),
            true,
        ),
    ]
}

/// A test for each property of each kind, and one for each place in each place.
pub(crate) fn trials(port: u16) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (kind, task, gives) in kinds() {
        if let Some(output) = gives {
            let plain = Property {
                after: json!([]),
                ..property("gives its output", json!({}), completed(output))
            };
            trials.push(trial(kind, &task, plain, port));
        }
        for property in properties() {
            trials.push(trial(kind, &task, property, port));
        }
    }
    trials.extend(placed(port));
    trials
}

/// All kinds of tasks one after the other, each two places deep: what is around a task changes nothing of what it gives.
fn placed(port: u16) -> Vec<Trial> {
    let names = places(&json!({})).into_iter().map(|(name, ..)| name);
    let names: Vec<&'static str> = names.collect();
    let mut trials = Vec::new();
    for (outer_at, outer) in names.iter().enumerate() {
        for (inner_at, inner) in names.iter().enumerate() {
            let (mut tasks, mut gives) = (Vec::new(), serde_json::Map::new());
            for (at, (_, task, given)) in kinds().into_iter().enumerate() {
                let Some(given) = given else { continue };
                let (inside, listed) = placed_at(inner_at, &task);
                let given = if listed { json!([given]) } else { given };
                let (mut around, listed) = placed_at(outer_at, &inside);
                let given = if listed { json!([given]) } else { given };
                let key = format!("t{at}");
                around["input"] = json!({ "from": "$workflow.input" });
                around["export"] = json!({ "as": format!("$context + {{ {key}: . }}") });
                tasks.push(json!({ &key: around }));
                gives.insert(key, given);
            }
            tasks.push(json!({ "all": { "set": "${ $context | del(.k, .go) }" } }));
            let document = document(Value::Array(tasks)).to_string();
            let wanted = completed(Value::Object(gives));
            let name = format!("kinds: every task {inner} {outer}");
            trials.push(Trial::test(name, move || play(&document, &wanted, port)));
        }
    }
    trials
}

fn placed_at(at: usize, task: &Value) -> (Value, bool) {
    let (_, around, listed) = places(task).swap_remove(at);
    (around, listed)
}

fn document(tasks: Value) -> Value {
    json!({
        "document": { "dsl": "1.0.3", "namespace": "test", "name": "kinds", "version": "1.0.0" },
        "use": { "functions": { "given": { "set": { "f": 1 } } } },
        "do": tasks,
    })
}

fn trial(kind: &'static str, task: &Value, property: Property, port: u16) -> Trial {
    let mut task = task.clone();
    if let (Some(task), Some(over)) = (task.as_object_mut(), property.over.as_object()) {
        task.extend(over.clone());
    }
    let mut tasks = vec![json!({ "x": task })];
    tasks.extend(property.after.as_array().into_iter().flatten().cloned());
    let document = document(Value::Array(tasks));
    let name = format!("kinds: {kind} {}", property.name);
    Trial::test(name, move || {
        play(&document.to_string(), &property.wanted, port)
    })
}

/// One that is heard, and enough for every `foreach` to have one.
fn events() -> Value {
    let item = || json!({ "type": "item", "data": input() });
    let items = std::iter::repeat_with(item).take(2 * kinds().len());
    let heard = json!({ "type": "heard", "data": { "e": 1 } });
    let events = std::iter::once(heard).chain(items).enumerate();
    let events = events.map(|(at, mut event)| {
        event["id"] = json!(at.to_string());
        event
    });
    events.collect()
}

fn play(document: &str, wanted: &Value, port: u16) -> Result<(), Failed> {
    let child = "document: { dsl: '1.0.3', namespace: test, name: child, version: '1.0.0' }\ndo: [ { a: { set: { c: 1 } } } ]\n";
    let came = run(&Given {
        document,
        beside: Some(&BTreeMap::from([(
            "child.yaml".to_owned(),
            child.to_owned(),
        )])),
        input: Some(input().to_string()),
        events: Some(&events()),
        fast_forward: true,
        hosts: &["stub.example"],
        port,
    })?;
    let mut wanted = wanted.clone();
    // Tasks are a list: the first is the task in question.
    let tasks = wanted
        .as_object_mut()
        .and_then(|wanted| wanted.remove("tasks"));
    let skipped = tasks.is_none_or(|tasks| within(&tasks[0], &came.object["tasks"][0]));
    let output = wanted.get("output").is_none_or(|output| {
        // What comes out has no more than is wanted, but where the context is shown.
        output.get("o").is_some() || *output == came.object["output"]
    });
    if within(&wanted, &came.object) && skipped && output {
        return Ok(());
    }
    Err(format!("expected {wanted}, found {}", came.printed).into())
}
