//! Played functions and workflows. A played function keeps the kind of the real one, so that what it would commit is
//! still committed; a played workflow is published in place of the real one.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_expr::Value;
use tongban_plugin::{
    Act, ActCall, Answer, Call, Failure, FailureKind, Plugin, Prepared, Read, Signature, Write,
    async_trait,
};
use tongban_runtime::pack::Bundle;

use super::file::{Mock, MockError};
use super::matching::difference;

/// The plugins with the scenario's mocks in front of their functions.
pub fn played(plugins: Vec<Plugin>, mocks: &[Mock]) -> Vec<Plugin> {
    let mocks: Arc<[Mock]> = mocks
        .iter()
        .filter(|mock| mock.call.is_some())
        .cloned()
        .collect();
    if mocks.is_empty() {
        return plugins;
    }
    plugins
        .into_iter()
        .map(|plugin| in_front(plugin, &mocks))
        .collect()
}

fn in_front(plugin: Plugin, mocks: &Arc<[Mock]>) -> Plugin {
    let mut played = Plugin::new(plugin.name);
    for function in plugin.reads {
        played = played.read(Played {
            function,
            mocks: mocks.clone(),
        });
    }
    for function in plugin.writes {
        played = played.write(Played {
            function,
            mocks: mocks.clone(),
        });
    }
    for function in plugin.acts {
        played = played.act(Played {
            function,
            mocks: mocks.clone(),
        });
    }
    played
}

struct Played<F: ?Sized> {
    function: Arc<F>,
    mocks: Arc<[Mock]>,
}

/// The answer of the first mock that fits; `None` when the real function is to be called.
fn answer(mocks: &[Mock], name: &str, args: &Value) -> Option<Result<Value, Failure>> {
    let any = |mock: &Mock| mock.with.is_null();
    let fits = |mock: &&Mock| {
        mock.call.as_deref() == Some(name) && (any(mock) || difference(&mock.with, args).is_none())
    };
    let mock = mocks.iter().find(fits)?;
    Some(match &mock.error {
        Some(error) => Err(failure(error)),
        None => Ok(mock.output.clone().unwrap_or(Value::Null)),
    })
}

fn failure(error: &MockError) -> Failure {
    let kind = match error.kind.rsplit('/').next().unwrap_or(&error.kind) {
        "configuration" => FailureKind::Configuration,
        "validation" => FailureKind::Validation,
        "authentication" => FailureKind::Authentication,
        "authorization" => FailureKind::Authorization,
        "timeout" => FailureKind::Timeout,
        "communication" => FailureKind::Communication,
        _ => FailureKind::Runtime,
    };
    let status = u16::try_from(error.status).unwrap_or(500);
    let told = error.detail.as_ref().or(error.title.as_ref());
    Failure::new(
        kind,
        told.cloned()
            .unwrap_or_else(|| "played by the scenario".to_string()),
    )
    .with_status(status)
}

#[async_trait]
impl Read for Played<dyn Read> {
    fn signature(&self) -> &Signature {
        self.function.signature()
    }
    async fn read(&self, args: &Value, call: &Call<'_>) -> Result<Answer, Failure> {
        match answer(&self.mocks, &self.signature().name, args) {
            Some(played) => played.map(|value| Answer {
                value,
                access: Vec::new(),
            }),
            None => self.function.read(args, call).await,
        }
    }
}

#[async_trait]
impl Write for Played<dyn Write> {
    fn signature(&self) -> &Signature {
        self.function.signature()
    }
    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure> {
        match answer(&self.mocks, &self.signature().name, args) {
            Some(played) => played.map(|value| Prepared {
                value,
                ..Prepared::default()
            }),
            None => self.function.prepare(args, call).await,
        }
    }
}

#[async_trait]
impl Act for Played<dyn Act> {
    fn signature(&self) -> &Signature {
        self.function.signature()
    }
    async fn perform(&self, args: &Value, call: &ActCall<'_>) -> Result<Value, Failure> {
        match answer(&self.mocks, &self.signature().name, args) {
            Some(played) => played,
            None => self.function.perform(args, call).await,
        }
    }
}

/// The bundle that plays a workflow: one task that gives the output.
pub fn played_workflow(reference: &str, version: &str, output: &Value) -> Bundle {
    stub(
        reference,
        version,
        None,
        &Value::list(vec![Value::object([(
            "played",
            Value::object([("set", output.clone())]),
        )])]),
    )
}

/// The bundle of a given case: one task for each of its results, then its outcome, under the given number.
pub fn given_case(reference: &str, number: &str, steps: &Value, outcome: &str) -> Bundle {
    let set = |name: &str, value: Value| {
        Value::object([(name.to_string(), Value::object([("set", value)]))])
    };
    let mut tasks: Vec<Value> = steps
        .entries()
        .map(|(name, value)| set(name, value.clone()))
        .collect();
    // The engine keeps only results that some expression reads: this one reads them all.
    let read = steps.entries().map(|(name, _)| {
        (
            name.to_string(),
            Value::from(format!("${{ $steps.{name} }}")),
        )
    });
    let ended = Value::object([
        ("outcome", Value::from(outcome)),
        ("steps", Value::object(read)),
    ]);
    tasks.push(set("outcome", ended));
    stub(reference, "0.0.1", Some(number), &Value::list(tasks))
}

fn stub(reference: &str, version: &str, number: Option<&str>, tasks: &Value) -> Bundle {
    let (namespace, name) = reference.split_once('/').unwrap_or(("", reference));
    let metadata = match number {
        Some(number) => Value::object([("case", Value::object([("number", number)]))]),
        None => Value::object::<&str, Value>([]),
    };
    let document = Value::object([
        ("dsl", Value::from("1.0.3")),
        ("namespace", Value::from(namespace)),
        ("name", Value::from(name)),
        ("version", Value::from(version)),
        ("metadata", metadata),
    ]);
    let whole = Value::object([("document", document), ("do", tasks.clone())]);
    let path = format!("workflows/{name}.yaml");
    let files = BTreeMap::from([(path.clone(), Arc::from(whole.to_json()))]);
    Bundle::new(reference, version, &path, files)
}
