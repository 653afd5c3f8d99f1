//! Lifecycle events of the language: what became of workflows and tasks, as CloudEvents.
//!
//! They are made of the machine's records and ride in its own change, like events that a task emits. Nothing is
//! made that nobody wants: the site asks for a level, or somebody's listener or schedule names a type.

use std::sync::Arc;

use jiff::Timestamp;
use tongban_core::{Error, Record, RecordStatus};
use tongban_expr::{Value, secret, value};
use tongban_store::EventRow;

use crate::activation::Activation;
use crate::bundles::COLLECTOR;
use crate::error::RuntimeError;
use crate::node::Node;
use crate::wanted::{FAMILY, Wanted, is_lifecycle};

/// What comes right after all of them in the order of texts.
const FAMILY_END: &str = "io.serverlessworkflow/";
/// How long it is believed which types somebody names.
const BELIEVED_MS: i64 = 1_000;

impl Node {
    /// Looks which types somebody names, unless that was done just now.
    pub(crate) async fn refresh_lifecycle(&self, now: bool) -> Result<(), RuntimeError> {
        let now_ms = self.clock.now_ms();
        let known = Arc::clone(&self.lifecycle.read());
        let fresh = known
            .read_at_ms
            .is_some_and(|at| (at..at + BELIEVED_MS).contains(&now_ms));
        if fresh && !now {
            return Ok(());
        }
        let types = self
            .store
            .types_heard(FAMILY, FAMILY_END, COLLECTOR)
            .await?;
        *self.lifecycle.write() = Arc::new(Wanted {
            level: self.settings.lifecycle,
            types: types.into_iter().collect(),
            read_at_ms: Some(now_ms),
        });
        Ok(())
    }

    /// The source of the lifecycle events of a workflow's instances.
    fn lifecycle_source(&self, workflow: &str) -> String {
        format!("{}/workflows/{workflow}", self.settings.base_url)
    }

    /// Whether a listener is not told of a lifecycle event: an instance hears nothing of itself, and a workflow is not
    /// started by its own instances, or both would never end.
    pub(crate) async fn is_about_itself(
        &self,
        event: &Value,
        listener: &str,
    ) -> Result<bool, RuntimeError> {
        if !is_lifecycle(event) {
            return Ok(false);
        }
        if event.text("subject") == Some(listener) {
            return Ok(true);
        }
        let head = self.store.instance_head(listener).await?;
        let started = head
            .as_ref()
            .and_then(|head| head.workflow.strip_suffix(COLLECTOR));
        Ok(started.is_some_and(|workflow| {
            event.text("source") == Some(self.lifecycle_source(workflow).as_str())
        }))
    }
}

impl Activation<'_> {
    /// Adds the lifecycle events of a step to what the activation publishes.
    pub(crate) fn announce(&mut self, records: &[Record], stilled: &[String]) {
        let wanted = Arc::clone(&self.node.lifecycle.read());
        // The hidden instance that starts a workflow on events is no instance of anybody's.
        if wanted.nothing() || self.ready.workflow.ends_with(COLLECTOR) {
            return;
        }
        let mut told = Telling {
            wanted: &wanted,
            activation: self,
            stilled,
            events: Vec::new(),
        };
        for record in records {
            if record.path.is_empty() {
                told.of_workflow(record);
            } else {
                told.of_task(record);
            }
        }
        let events = told.events;
        self.out.events.extend(events);
    }
}

/// Turns the records of one step into events.
struct Telling<'a, 'n> {
    wanted: &'a Wanted,
    activation: &'a Activation<'n>,
    stilled: &'a [String],
    events: Vec<EventRow>,
}

impl Telling<'_, '_> {
    fn of_workflow(&mut self, record: &Record) {
        let at = self.time(record.at_ms);
        let mut data = value!({ "name": (self.name()) });
        let (what, status) = match record.status {
            RecordStatus::Started => {
                let (namespace, name) = self.parts();
                data.set(
                    "definition",
                    value!({
                        "name": (name), "namespace": (namespace),
                        "version": (self.activation.ready.program.version())
                    }),
                );
                data.set("startedAt", at);
                ("started", "running")
            }
            RecordStatus::Suspended => {
                data.set("suspendedAt", at);
                ("suspended", "suspended")
            }
            RecordStatus::Resumed => {
                data.set("resumedAt", at);
                ("resumed", "running")
            }
            RecordStatus::Cancelled => {
                data.set("cancelledAt", at);
                ("cancelled", "cancelled")
            }
            RecordStatus::Faulted => {
                data.set("faultedAt", at);
                data.set("error", problem(record.error.as_ref()));
                ("faulted", "faulted")
            }
            RecordStatus::Completed => {
                data.set("completedAt", at);
                let output = self.activation.state.flow.output();
                if !output.is_null() {
                    data.set("output", secret::masked(output));
                }
                ("completed", "completed")
            }
            _ => return,
        };
        self.tell(&format!("workflow.{what}"), data, record.at_ms);
        let changed = value!({
            "name": (self.name()), "updatedAt": (self.time(record.at_ms)), "status": (status)
        });
        self.tell("workflow.status-changed", changed, record.at_ms);
        if matches!(what, "suspended" | "resumed") {
            for path in self.stilled {
                self.task(path, what, status, record, None);
            }
        }
    }

    fn of_task(&mut self, record: &Record) {
        let path = &record.path;
        self.correlation(record);
        match record.status {
            RecordStatus::Started => {
                self.task(path, "created", "pending", record, None);
                self.task(path, "started", "running", record, None);
            }
            RecordStatus::Skipped => self.task(path, "created", "pending", record, None),
            RecordStatus::Retried => self.task(path, "retried", "running", record, None),
            RecordStatus::Cancelled => self.task(path, "cancelled", "cancelled", record, None),
            RecordStatus::Faulted => {
                let error = Some(("error", problem(record.error.as_ref())));
                self.task(path, "faulted", "faulted", record, error);
            }
            RecordStatus::Completed => {
                let output = record.output.as_ref().map(secret::masked);
                let output = output.map(|output| ("output", output));
                self.task(path, "completed", "completed", record, output);
            }
            _ => {}
        }
    }

    /// A listener that correlates says when it begins, and by what when it ends.
    fn correlation(&mut self, record: &Record) {
        let Some(keys) = &record.correlation else {
            return;
        };
        let at = self.time(record.at_ms);
        let mut data = value!({ "name": (self.name()) });
        match record.status {
            RecordStatus::Started => {
                data.set("startedAt", at);
                self.tell("workflow.correlation-started", data, record.at_ms);
            }
            RecordStatus::Completed => {
                data.set("completedAt", at);
                if !keys.is_null() {
                    data.set("correlationKeys", secret::masked(keys));
                }
                self.tell("workflow.correlation-completed", data, record.at_ms);
            }
            _ => {}
        }
    }

    fn task(
        &mut self,
        path: &str,
        what: &str,
        status: &str,
        record: &Record,
        more: Option<(&str, Value)>,
    ) {
        let program = &self.activation.ready.program;
        let pointer = program.pointer(path).unwrap_or(path).to_owned();
        let at = self.time(record.at_ms);
        let mut data = value!({ "workflow": (self.name()), "task": (pointer.as_str()) });
        data.set(&format!("{what}At"), at.clone());
        if let Some((name, value)) = more {
            data.set(name, value);
        }
        self.tell(&format!("task.{what}"), data, record.at_ms);
        let changed = value!({
            "workflow": (self.name()), "task": (pointer), "updatedAt": (at), "status": (status)
        });
        self.tell("task.status-changed", changed, record.at_ms);
    }

    fn tell(&mut self, what: &str, data: Value, at_ms: i64) {
        let event_type = format!("{FAMILY}{what}.v1");
        if !self.wanted.wants(&event_type) {
            return;
        }
        let activation = self.activation;
        let node = activation.node;
        let source = node.lifecycle_source(&activation.state.head.workflow);
        // Rows of one commit are stored in the order of their keys: what happened first has the smaller id.
        let id = format!(
            "{}:{}.{:05}",
            activation.id(),
            activation.base.next(),
            activation.out.events.len() + self.events.len()
        );
        let event = value!({
            "specversion": "1.0", "id": (id.as_str()), "source": (source.as_str()), "type": (event_type.as_str()),
            "subject": (activation.id()), "time": (self.time(at_ms)), "datacontenttype": "application/json",
            "data": (data)
        });
        let kept_ms = match &node.settings.sink {
            Some(sink) => sink.keep_ms.max(node.settings.event_ttl_ms),
            None => node.settings.event_ttl_ms,
        };
        self.events.push(EventRow {
            source,
            id,
            event_type,
            body: event.to_json(),
            received_at_ms: activation.now_ms,
            expires_at_ms: activation.now_ms + kept_ms,
            routed: 0,
            cursor: None,
        });
    }

    /// The qualified name of the instance: `NAME-ID.NAMESPACE`.
    fn name(&self) -> String {
        let (namespace, name) = self.parts();
        format!("{name}-{}.{namespace}", self.activation.id())
    }

    fn parts(&self) -> (&str, &str) {
        let workflow = self.activation.state.head.workflow.as_str();
        workflow.split_once('/').unwrap_or(("", workflow))
    }

    fn time(&self, at_ms: i64) -> String {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let zoned = at.to_zoned(self.activation.node.settings.zone.clone());
        zoned
            .timestamp()
            .display_with_offset(zoned.offset())
            .to_string()
    }
}

fn problem(error: Option<&Error>) -> Value {
    error.map_or(Value::Null, |error| secret::masked(&error.to_value()))
}
