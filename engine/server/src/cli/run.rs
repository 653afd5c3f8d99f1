//! `tongban run FILE`: one instance in memory; prints one object, exits 0 completed, 1 faulted or cancelled, 2 invalid,
//! 3 still waiting.

use std::collections::{BTreeMap, VecDeque};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value as Json, json};
use tongban_core::{ErrorKind, RecordStatus};
use tongban_expr::{COLLECTION_MAX, Value};
use tongban_http::{Mapping, Transport};
use tongban_runtime::form::FieldFault;
use tongban_runtime::history::Entry;
use tongban_runtime::pack::Publication;
use tongban_runtime::{
    Caller, CaseView, Flying, Parts, Runtime, RuntimeError, SeededIds, Start, VirtualClock,
};
use tongban_store::{Options, Store};

use super::beside::Folder;
use super::check::{Checked, check_beside, print};
use super::{DONE, FAILED, Format, INVALID, WAITING, files, say};
use crate::drawing;

/// Arguments of `run`.
#[derive(clap::Args)]
pub(crate) struct RunArguments {
    /// The workflow's file
    file: PathBuf,
    /// The input, JSON or YAML: a file, or - for standard input; `{}` when absent
    #[arg(long)]
    input: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// A file with a CloudEvent (or a list of them), delivered in order whenever the instance waits
    #[arg(long = "event")]
    events: Vec<PathBuf>,
    /// Move a virtual clock to the next timer whenever the instance waits
    #[arg(long)]
    fast_forward: bool,
    /// Allow calls to a host and send them to this address
    #[arg(long = "resolve", value_name = "HOST=ADDR:PORT")]
    resolve: Vec<Mapping>,
    /// Draw what became of each step: an SVG file
    #[arg(long, value_name = "FILE")]
    draw: Option<PathBuf>,
    /// Language of the words of the picture
    #[arg(long, value_enum, default_value = "zh")]
    language: super::draw::Words,
}

/// Longer texts are JSON: what is wrong with them is told as such.
const YAML_MAX: usize = 1 << 20;

/// The most timers that `--fast-forward` fires: a retry or a circle without an end is then told as waiting, with the
/// reason as its error.
const TIMERS_MAX: u32 = 10_000;

/// Checks, runs, prints.
pub(crate) fn run(arguments: RunArguments) -> anyhow::Result<u8> {
    let folder = Folder::of(&arguments.file)?;
    let checked = check_beside(&arguments.file, &folder)?;
    if checked
        .diagnostics
        .iter()
        .any(tongban_dsl::Diagnostic::is_error)
    {
        return invalid(checked, arguments.format);
    }
    let input = read_input(arguments.input.as_deref())?;
    let mut events = VecDeque::new();
    for path in &arguments.events {
        events.extend(read_events(path)?);
    }
    let executor = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = executor.block_on(run_in_memory(
        folder.publication(&checked.source)?,
        input,
        events,
        &arguments,
    ))?;
    match arguments.format {
        Format::Text => say(&in_words(&outcome.object))?,
        Format::Json | Format::Sarif => say(&format!("{}\n", outcome.object))?,
    }
    if let (Some(path), Some(picture)) = (&arguments.draw, outcome.picture) {
        std::fs::write(path, picture)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(outcome.code)
}

/// The diagnostics of a document that cannot run: on standard error for people, as one object for programs.
fn invalid(checked: Checked, format: Format) -> anyhow::Result<u8> {
    let format = if format == Format::Text {
        Format::Text
    } else {
        Format::Json
    };
    print(&[checked], format)?;
    Ok(INVALID)
}

struct Ran {
    object: Json,
    code: u8,
    /// The picture of the run, if it is wanted.
    picture: Option<String>,
}

async fn run_in_memory(
    publication: Publication,
    input: Value,
    events: VecDeque<Value>,
    arguments: &RunArguments,
) -> anyhow::Result<Ran> {
    let began_ms = now_ms();
    let clock = Arc::new(VirtualClock::at(began_ms));
    let runtime = node(&clock, arguments).await?;
    let published = runtime
        .publish(&publication, "run")
        .await
        .context("`run` plays one file without its pack; `tongban test` plays the pack")?;
    let published = published
        .into_iter()
        .next()
        .context("the document was published")?;
    let start = Start {
        workflow: published.workflow,
        version: Some(published.version),
        input,
        caller: Caller::system(),
        idempotency_key: None,
        link: None,
    };
    let started = match runtime.start(start).await {
        Ok(started) => started,
        Err(RuntimeError::Invalid(faults)) => return Ok(unfit(&faults)),
        Err(error) => bail!(crate::scenario::described(&error)),
    };
    let flight = Flight {
        runtime: &runtime,
        clock: &clock,
        instance: &started.id,
        fast_forward: arguments.fast_forward,
        acts: Flying::default(),
    };
    let used_up = flight.play(events).await?;
    let case = runtime.case(&started.id).await?;
    let entries = history(&runtime, &started.id).await?;
    let virtual_ms = tongban_runtime::Clock::now_ms(clock.as_ref()) - began_ms;
    let error = match used_up {
        true => Some(endless(&case)),
        false => case.instance.error().cloned(),
    };
    let mut ran = told(&case, &entries, error, virtual_ms);
    ran.picture = arguments.draw.as_ref().map(|_| {
        let language = arguments.language.language();
        drawing::svg(
            &case,
            drawing::names(&runtime.organisation(), language),
            language,
        )
    });
    Ok(ran)
}

/// A node in memory that calls the hosts that are mapped.
async fn node(clock: &Arc<VirtualClock>, arguments: &RunArguments) -> anyhow::Result<Runtime> {
    let store = Store::open(&Options::new("sqlite::memory:")).await?;
    let transport = Arc::new(Transport::mapped(&arguments.resolve));
    let seed = tongban_runtime::Clock::now_ms(clock.as_ref()).unsigned_abs();
    let mut parts = Parts::plain(store, clock.clone(), Arc::new(SeededIds::new(seed)));
    parts.plugins = crate::functions::plugins(transport.clone());
    parts.http = transport;
    Ok(Runtime::inline(parts).await?)
}

/// The calls in flight, side by side as a server makes them.
struct Flight<'a> {
    runtime: &'a Runtime,
    clock: &'a VirtualClock,
    instance: &'a str,
    fast_forward: bool,
    acts: Flying,
}

impl Flight<'_> {
    /// Goes on until the instance has ended, or waits for what does not come. Says whether it waits for one more timer
    /// than may be fired.
    async fn play(mut self, mut events: VecDeque<Value>) -> anyhow::Result<bool> {
        self.settle().await?;
        let mut timers = 0;
        loop {
            let case = self.runtime.case(self.instance).await?;
            if case.instance.status().has_ended() {
                return Ok(false);
            }
            let due = self.runtime.next_due_ms().await?;
            let due = due.filter(|_| self.fast_forward);
            // An event that comes before anything listens would be lost: a timer that may fire goes first.
            let live = case.instance.live();
            let event = if live.iter().any(|task| task.kind == "listen") || due.is_none() {
                events.pop_front()
            } else {
                None
            };
            match (event, due) {
                (Some(event), _) => {
                    self.runtime.receive(event, Caller::system()).await?;
                }
                (None, Some(_)) if timers == TIMERS_MAX => return Ok(true),
                (None, Some(due)) => {
                    self.clock.advance_to(due);
                    timers += 1;
                }
                (None, None) => return Ok(false),
            }
            self.settle().await?;
        }
    }

    /// Does all that is due, and waits for the calls in flight; not for those that outlive the instance. Meanwhile the
    /// virtual clock goes no slower than the real one, so that a timer may fire before a slow call has answered.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let began_ms = tongban_runtime::Clock::now_ms(self.clock);
        loop {
            self.runtime.run_beside(&mut self.acts).await?;
            if self.acts.is_empty() {
                return Ok(());
            }
            let case = self.runtime.case(self.instance).await?;
            if case.instance.status().has_ended() {
                return Ok(());
            }
            let due = if self.fast_forward {
                self.runtime.store().wake_next().await?
            } else {
                None
            };
            let Some(due) = due else {
                self.acts.landed().await;
                continue;
            };
            let until = Duration::from_millis(u64::try_from(due - began_ms).unwrap_or(0));
            let fires = tokio::time::sleep(until.saturating_sub(began.elapsed()));
            tokio::select! {
                biased;
                () = self.acts.landed() => {}
                () = fires => self.clock.advance_to(due),
            }
        }
    }
}

/// A workflow whose input does not fit its schema: the language has it fault before its first task.
fn unfit(faults: &[FieldFault]) -> Ran {
    let words: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.field, fault.en))
        .collect();
    let detail = format!(
        "the workflow's input does not fit its schema: {}",
        words.join("; ")
    );
    let error = tongban_core::Error::new(ErrorKind::Validation, detail).at("/input");
    let object = json!({
        "status": "faulted",
        "output": null,
        "error": error.to_value(),
        "tasks": [],
        "virtual_seconds": 0,
    });
    Ran {
        object,
        code: FAILED,
        picture: None,
    }
}

/// Why a run was given up whose timers do not end.
fn endless(case: &CaseView) -> tongban_core::Error {
    let waiting = case.instance.live().into_iter().next();
    let pointer = waiting.and_then(|task| case.program.pointer(&task.path).map(str::to_owned));
    let detail = format!(
        "the instance still waits after {TIMERS_MAX} timers, which is where `--fast-forward` stops: give a retry a `limit`, and a circle of tasks a way out"
    );
    tongban_core::Error::new(ErrorKind::Runtime, detail).at(&pointer.unwrap_or_default())
}

async fn history(runtime: &Runtime, instance: &str) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut after = 0;
    loop {
        let pages = runtime.history(instance, after, 200).await?;
        let Some((version, _, _)) = pages.last() else {
            return Ok(entries);
        };
        after = *version;
        entries.extend(pages.into_iter().flat_map(|(_, _, page)| page.entries));
    }
}

/// The one object.
fn told(
    case: &CaseView,
    entries: &[Entry],
    error: Option<tongban_core::Error>,
    virtual_ms: i64,
) -> Ran {
    use tongban_core::Status;
    let (status, code) = match case.instance.status() {
        Status::Completed => ("completed", DONE),
        Status::Faulted => ("faulted", FAILED),
        Status::Cancelled => ("cancelled", FAILED),
        Status::Pending | Status::Running | Status::Suspended => ("waiting", WAITING),
    };
    let error = error.map(|error| error.to_value());
    let output = match case.instance.status() {
        Status::Completed => case.instance.output().clone(),
        _ => Value::Null,
    };
    let object = json!({
        "status": status,
        "output": output,
        "error": error,
        "tasks": tasks(case, entries),
        "virtual_seconds": virtual_ms / 1000,
    });
    Ran {
        object,
        code,
        picture: None,
    }
}

/// Whether a task is through when this is told of it.
const fn has_ended(status: RecordStatus) -> bool {
    use RecordStatus::{Cancelled, Completed, Faulted, Jumped, Retried, Skipped};
    matches!(
        status,
        Completed | Jumped | Faulted | Retried | Skipped | Cancelled
    )
}

/// Every run of a task once, in the order in which they started, with what became of it last.
fn tasks(case: &CaseView, entries: &[Entry]) -> Vec<Json> {
    let mut order: Vec<(String, RecordStatus)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        if entry.task.is_empty() {
            continue;
        }
        let run_id = entry.run_id.clone().unwrap_or_else(|| entry.task.clone());
        let attempt = format!("{run_id}@{}", entry.attempt);
        match places.get(&attempt).and_then(|place| order.get_mut(*place)) {
            // What comes after the end (an answer that is late) changes nothing.
            Some(known) if has_ended(known.1) && !has_ended(entry.status) => {}
            Some(known) => known.1 = entry.status,
            None => {
                places.insert(attempt, order.len());
                order.push((entry.task.clone(), entry.status));
            }
        }
    }
    let shown = order.into_iter().map(|(path, status)| {
        let name = path.rsplit('/').next().unwrap_or(&path).to_string();
        let pointer = case.program.pointer(&path).unwrap_or_default();
        let status = match status {
            RecordStatus::Completed | RecordStatus::Jumped => "completed",
            RecordStatus::Faulted | RecordStatus::Retried => "faulted",
            RecordStatus::Skipped => "skipped",
            RecordStatus::Cancelled => "cancelled",
            _ => "running",
        };
        json!({ "task": pointer, "name": name, "status": status })
    });
    shown.collect()
}

fn read_input(path: Option<&std::path::Path>) -> anyhow::Result<Value> {
    let Some(path) = path else {
        return Ok(Value::object::<&str, Value>([]));
    };
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read the input from standard input")?;
        text
    } else {
        files::read_text(path)?
    };
    read_value(&text, &path.display().to_string())
}

fn read_value(text: &str, name: &str) -> anyhow::Result<Value> {
    if text.trim().is_empty() {
        return Ok(Value::object::<&str, Value>([]));
    }
    // JSON is read as such: it may be as large as the input of an instance may be, a YAML document may not.
    match Value::from_json_within(text, COLLECTION_MAX) {
        Ok(value) => return Ok(value),
        Err(error) if text.len() > YAML_MAX => bail!("{name}: {error}"),
        Err(_) => {}
    }
    let (value, diagnostics) = tongban_dsl::read_yaml(text);
    if let Some(fault) = diagnostics.iter().find(|fault| fault.is_error()) {
        bail!(
            "{name}:{}:{}: {}",
            fault.span.line,
            fault.span.column,
            fault.message
        );
    }
    Ok(value.unwrap_or_default())
}

fn read_events(path: &std::path::Path) -> anyhow::Result<Vec<Value>> {
    let name = path.display().to_string();
    let value = read_value(&files::read_text(path)?, &name)?;
    let events = value
        .as_list()
        .map_or_else(|| vec![value.clone()], <[Value]>::to_vec);
    let mut whole = Vec::new();
    for (index, event) in events.into_iter().enumerate() {
        if event.text("type").is_none() {
            bail!(
                "{name}: event {}: expected a CloudEvent with `type`, found {event}",
                index + 1
            );
        }
        whole.push(completed(event, &name, index));
    }
    Ok(whole)
}

/// An event with the attributes that CloudEvents require and a file may leave out.
fn completed(event: Value, file: &str, index: usize) -> Value {
    let mut event = event;
    for (name, value) in [
        ("specversion", "1.0".to_string()),
        ("source", format!("file:{file}")),
        ("id", format!("{}", index + 1)),
    ] {
        if event.get(name).is_none_or(Value::is_null) {
            event.set(name, value);
        }
    }
    event
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since
        .ok()
        .and_then(|past| i64::try_from(past.as_millis()).ok())
        .unwrap_or(0)
}

fn in_words(object: &Json) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "status: {}\n",
        object["status"].as_str().unwrap_or_default()
    );
    if !object["error"].is_null() {
        let _ = writeln!(text, "error: {}", object["error"]);
    }
    let _ = writeln!(text, "output: {}", object["output"]);
    for task in object["tasks"].as_array().into_iter().flatten() {
        let _ = writeln!(
            text,
            "  {:<10} {}",
            task["status"].as_str().unwrap_or_default(),
            task["task"].as_str().unwrap_or_default()
        );
    }
    text
}
