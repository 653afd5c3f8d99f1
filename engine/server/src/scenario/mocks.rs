//! Played functions. A played function keeps the kind of the real one: the intent of an act is still committed and its
//! answer still taken under its key, so that retries, timeouts and late answers are those of the engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::file::{Mock, MockError};
use super::matching::fits;
use super::step::Span;
use parking_lot::Mutex;
use tongban_expr::Value;
use tongban_plugin::{
    Act, ActCall, Answer, Call, Failure, FailureKind, Plugin, Prepared, Read, Signature, Write,
    async_trait,
};

/// What the mocks of a scenario have seen: every call of a function, played or not, and answers that are on their way.
#[derive(Default)]
pub struct Log {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<Called>,
    used: Vec<u32>,
    on_the_way: Vec<OnTheWay>,
}

/// A call that was made.
#[derive(Clone, Debug)]
pub struct Called {
    /// The function.
    pub function: String,
    /// Its arguments.
    pub args: Value,
}

/// An act whose answer comes later.
#[derive(Clone, Debug)]
pub struct OnTheWay {
    /// The act's key.
    key: String,
    /// The instance.
    pub instance: String,
    /// The entry into the task.
    pub run_id: String,
    /// When the answer comes.
    pub at_ms: i64,
    /// The answer.
    pub result: Result<Value, Failure>,
}

impl Log {
    /// Every call that was made.
    pub fn calls(&self) -> Vec<Called> {
        self.state.lock().calls.clone()
    }

    /// Mocks that answered nothing, by their place in the scenario.
    pub fn unused(&self, mocks: &[Mock]) -> Vec<usize> {
        let state = self.state.lock();
        let calls = mocks.iter().filter(|mock| mock.call.is_some()).count();
        (0..calls)
            .filter(|at| state.used.get(*at).copied().unwrap_or(0) == 0)
            .filter_map(|at| nth_call(mocks, at))
            .collect()
    }

    /// When the next answer comes that is on its way.
    pub fn next_ms(&self) -> Option<i64> {
        let state = self.state.lock();
        state.on_the_way.iter().map(|answer| answer.at_ms).min()
    }

    /// Answers whose time has come and which nobody fetched: their tasks no longer wait.
    pub fn late(&self, now_ms: i64) -> Vec<OnTheWay> {
        let mut state = self.state.lock();
        let (late, rest) = std::mem::take(&mut state.on_the_way)
            .into_iter()
            .partition(|answer| answer.at_ms <= now_ms);
        state.on_the_way = rest;
        late
    }
}

/// The place in the scenario of the n-th mock of a function.
fn nth_call(mocks: &[Mock], at: usize) -> Option<usize> {
    let mut calls = mocks
        .iter()
        .enumerate()
        .filter(|(_, mock)| mock.call.is_some());
    calls.nth(at).map(|(place, _)| place)
}

/// The functions that a scenario may play: those of plugins.
pub fn played_functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for plugin in crate::functions::plugins(crate::functions::nowhere()) {
        names.extend(
            plugin
                .reads
                .iter()
                .map(|read| read.signature().name.clone()),
        );
        names.extend(
            plugin
                .writes
                .iter()
                .map(|write| write.signature().name.clone()),
        );
        names.extend(plugin.acts.iter().map(|act| act.signature().name.clone()));
    }
    names
}

/// The plugins with the scenario's mocks in front of their functions.
pub fn played(plugins: Vec<Plugin>, mocks: &[Mock], log: &Arc<Log>) -> Vec<Plugin> {
    let mocks: Arc<[Mock]> = mocks
        .iter()
        .filter(|mock| mock.call.is_some())
        .cloned()
        .collect();
    log.state.lock().used = vec![0; mocks.len()];
    plugins
        .into_iter()
        .map(|plugin| in_front(plugin, &mocks, log))
        .collect()
}

fn in_front(plugin: Plugin, mocks: &Arc<[Mock]>, log: &Arc<Log>) -> Plugin {
    let mut played = Plugin::new(plugin.name);
    for function in plugin.reads {
        played = played.read(Played::of(function, mocks, log));
    }
    for function in plugin.writes {
        played = played.write(Played::of(function, mocks, log));
    }
    for function in plugin.acts {
        played = played.act(Played::of(function, mocks, log));
    }
    played
}

struct Played<F: ?Sized> {
    function: Arc<F>,
    mocks: Arc<[Mock]>,
    log: Arc<Log>,
}

impl<F: ?Sized> Played<F> {
    fn of(function: Arc<F>, mocks: &Arc<[Mock]>, log: &Arc<Log>) -> Played<F> {
        Played {
            function,
            mocks: mocks.clone(),
            log: log.clone(),
        }
    }

    /// The mock that answers a call, which is noted; `None` when the real function is to be called.
    fn mock(&self, name: &str, args: &Value) -> Option<&Mock> {
        let mut state = self.log.state.lock();
        state.calls.push(Called {
            function: name.to_string(),
            args: args.clone(),
        });
        for (mock, used) in self.mocks.iter().zip(&mut state.used) {
            let any = mock.with.is_null();
            if mock.call.as_deref() == Some(name)
                && mock.times.is_none_or(|times| *used < times)
                && (any || fits(&mock.with, args))
            {
                *used += 1;
                return Some(mock);
            }
        }
        None
    }
}

fn result(mock: &Mock) -> Result<Value, Failure> {
    match &mock.error {
        Some(error) => Err(failure(error)),
        None => Ok(mock.output.clone().unwrap_or(Value::Null)),
    }
}

/// An act that is not answered yet: it waits as one whose callee is left alone.
fn not_yet(wait_ms: i64) -> Failure {
    let mut failure = Failure::new(
        FailureKind::Communication,
        "the scenario answers later".to_string(),
    );
    failure.wait_ms = Some(wait_ms.max(1));
    failure
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
        match self.mock(&self.signature().name, args) {
            Some(mock) => result(mock).map(|value| Answer {
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
        match self.mock(&self.signature().name, args) {
            Some(mock) => result(mock).map(|value| Prepared {
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
        // An act that waits for its answer is looked at again: that is the same call.
        let due = {
            let mut state = self.log.state.lock();
            let at = state.on_the_way.iter().position(|one| one.key == call.key);
            let due = at
                .and_then(|at| state.on_the_way.get(at))
                .map(|one| one.at_ms);
            match (at, due) {
                (Some(at), Some(due)) if due <= call.now_ms => {
                    return state.on_the_way.swap_remove(at).result;
                }
                (_, due) => due,
            }
        };
        if let Some(due) = due {
            return Err(not_yet(due - call.now_ms));
        }
        let Some(mock) = self.mock(&self.signature().name, args) else {
            return self.function.perform(args, call).await;
        };
        let after = mock.after.map_or(0, Span::millis);
        if after <= 0 {
            return result(mock);
        }
        self.log.state.lock().on_the_way.push(OnTheWay {
            key: call.key.to_string(),
            instance: call.instance.to_string(),
            run_id: call.run_id.to_string(),
            at_ms: call.now_ms + after,
            result: result(mock),
        });
        Err(not_yet(after))
    }
}
