//! Signatures that belong to the language: the DSL's own calls and the engine's functions.
//!
//! Plugins bring theirs; these are here because their names and arguments are part of how a process
//! is written.

use std::sync::LazyLock;

use tongban_expr::Value;

/// What a function does to the world, and so when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Looks something up; runs inside the activation.
    Read,
    /// Writes rows of ours with the instance's own commit.
    Write,
    /// Leaves the machine.
    Act,
    /// Is answered later, by people or by other cases.
    Work,
}

/// What a function takes and gives.
#[derive(Debug, Clone)]
pub struct Signature {
    /// What `call` names.
    pub name: String,
    /// When it runs.
    pub kind: Kind,
    /// JSON Schema of `with`.
    pub arguments: Value,
    /// JSON Schema of the result; `Null` when nothing is known.
    pub result: Value,
    /// Arguments whose expressions are evaluated by the function, per item.
    pub late: Vec<String>,
}

static SOURCE: &str = include_str!("signatures.yaml");

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let (value, diagnostics) = crate::read_yaml(SOURCE);
    assert!(
        diagnostics.is_empty(),
        "the signatures that come with the engine are valid YAML: {diagnostics:?}"
    );
    value.expect("the signatures that come with the engine are not empty")
});

static HTTP: LazyLock<Value> = LazyLock::new(|| with_definitions("http"));
static OPENAPI: LazyLock<Value> = LazyLock::new(|| with_definitions("openapi"));
static AUTHENTICATION: LazyLock<Value> = LazyLock::new(|| with_definitions("authentication"));
static ENDPOINT: LazyLock<Value> = LazyLock::new(|| with_definitions("endpoint"));
static REMIND: LazyLock<Value> = LazyLock::new(|| with_definitions("remind"));
static ESCALATE: LazyLock<Value> = LazyLock::new(|| with_definitions("escalate"));

static ENGINE: LazyLock<Vec<Signature>> = LazyLock::new(|| {
    let functions = DOCUMENT
        .get("functions")
        .map(Value::entries)
        .into_iter()
        .flatten();
    functions
        .map(|(name, function)| signature(name, function))
        .collect()
});

fn signature(name: &str, function: &Value) -> Signature {
    let kind = match function.text("kind") {
        Some("read") => Kind::Read,
        Some("write") => Kind::Write,
        Some("act") => Kind::Act,
        _ => Kind::Work,
    };
    let late = function.get("late").map(Value::items).into_iter().flatten();
    Signature {
        name: name.to_owned(),
        kind,
        arguments: closed(function.get("arguments").cloned().unwrap_or_default()),
        result: function.get("result").cloned().unwrap_or_default(),
        late: late.filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

/// A schema of the file with all of its definitions.
fn with_definitions(name: &str) -> Value {
    closed(
        DOCUMENT
            .get("schemas")
            .and_then(|schemas| schemas.get(name))
            .cloned()
            .unwrap_or_default(),
    )
}

fn closed(schema: Value) -> Value {
    schema.with("$defs", DOCUMENT.get("$defs").cloned().unwrap_or_default())
}

/// The arguments of a call that the DSL itself defines and this runtime performs.
pub(crate) fn of_the_language(name: &str) -> Option<&'static Value> {
    match name {
        "http" => Some(&HTTP),
        "openapi" => Some(&OPENAPI),
        _ => None,
    }
}

/// An authentication policy.
pub(crate) fn authentication() -> &'static Value {
    &AUTHENTICATION
}

/// An endpoint: a URI, or an object with `uri` and `authentication`.
pub(crate) fn endpoint() -> &'static Value {
    &ENDPOINT
}

/// The schema of a clock's `remind` or `escalate`, as `with` of a step takes it too.
pub(crate) fn rungs(list: &str) -> &'static Value {
    match list {
        "remind" => &REMIND,
        _ => &ESCALATE,
    }
}

/// How a call of the language looks, for help.
pub(crate) fn example(name: &str) -> &'static str {
    if name == "http" {
        "write `with: { method: get, endpoint: https://… }`"
    } else {
        "write `with: { document: { endpoint: https://… }, operationId: … }`"
    }
}

/// The engine's own functions: approve, collect, notice, notify, batch, case.get, case.reopen, unit.find.
#[must_use]
pub fn engine() -> &'static [Signature] {
    &ENGINE
}

/// The signature of `http` or `openapi`.
#[must_use]
pub fn language(name: &str) -> Option<Signature> {
    let arguments = of_the_language(name)?;
    Some(Signature {
        name: name.to_owned(),
        kind: Kind::Act,
        arguments: arguments.clone(),
        result: Value::Null,
        late: Vec::new(),
    })
}
