//! Reading an instance's state from the database, running or ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_core::{FORMAT, StateError};
use tongban_expr::{CARRIED_MAX, Value};
use tongban_store::{InstanceRow, StateRow};

use crate::error::RuntimeError;
use crate::history::Page;
use crate::node::{Kept, Node};
use crate::state::{CaseHead, State};

/// Stands before a digest in the head's `output` when that is too large to stand there itself: no JSON begins so.
pub(crate) const BLOB_MARK: &str = "blob:";

/// An instance as others see it at one moment.
pub struct Snapshot {
    /// The version of its state; 0 when only its head is left.
    pub version: i64,
    /// The word for its status.
    pub status: String,
    /// Its state, or what is left of it.
    pub state: Arc<State>,
}

/// A value from a blob, whatever a blob may hold.
fn large(instance: &str, text: &str) -> Result<Value, RuntimeError> {
    Value::from_json_within(text, CARRIED_MAX)
        .map_err(|error| RuntimeError::Internal(format!("a blob of {instance}: {error}")))
}

impl Node {
    /// The state of a running instance, read now; `None` when it has ended or was never there.
    pub(crate) async fn load(&self, instance: &str) -> Result<Option<Arc<Kept>>, RuntimeError> {
        let Some(StateRow {
            version,
            format,
            body,
            ..
        }) = self.store.instance_state(instance).await?
        else {
            return Ok(None);
        };
        if format > i64::from(FORMAT) {
            // A newer node's: it is left alone.
            return Err(RuntimeError::Busy { retry_after_s: 30 });
        }
        let (state, bytes) = self.decode(instance, &body).await?;
        let state = Arc::new(state);
        self.keep(instance, version, Arc::clone(&state), bytes);
        Ok(Some(Arc::new(Kept { version, state })))
    }

    /// The state in which an instance ended, with that version.
    pub(crate) async fn load_ended(
        &self,
        instance: &str,
    ) -> Result<Option<Arc<Kept>>, RuntimeError> {
        let Some(row) = self.store.history_last(instance).await? else {
            return Ok(None);
        };
        let page: Page = serde_json::from_str(&row.body).map_err(|error| {
            RuntimeError::Internal(format!("the history of {instance}: {error}"))
        })?;
        let Some(last) = page.last else {
            return Ok(None);
        };
        let (state, _) = self.decode(instance, &last.body).await?;
        let state = Arc::new(state);
        Ok(Some(Arc::new(Kept {
            version: row.version,
            state,
        })))
    }

    /// An instance at this moment, whatever became of it.
    pub(crate) async fn snapshot(&self, instance: &str) -> Result<Option<Snapshot>, RuntimeError> {
        let Some(head) = self.store.instance_head(instance).await? else {
            return Ok(None);
        };
        let kept = match self.load(instance).await? {
            Some(kept) => Some(kept),
            None => self.load_ended(instance).await?,
        };
        let status = head.status.clone();
        let snapshot = match kept {
            Some(kept) => Snapshot {
                version: kept.version,
                status,
                state: Arc::clone(&kept.state),
            },
            None => Snapshot {
                version: 0,
                status,
                state: Arc::new(self.remains(&head).await?),
            },
        };
        Ok(Some(snapshot))
    }

    /// The state, and what it and its large values weigh.
    async fn decode(&self, instance: &str, body: &str) -> Result<(State, usize), RuntimeError> {
        let mut missing: Vec<String> = Vec::new();
        // The first reading finds out which blobs there are; nearly always there are none.
        let read = State::decode(body, &mut |digest| {
            missing.push(digest.to_owned());
            Some(Value::Null)
        });
        let read = match read {
            Ok(state) if missing.is_empty() => return Ok((state, body.len())),
            other => other.map(|_| ()),
        };
        read.map_err(|error| broken(instance, &error))?;
        let digests: Vec<&str> = missing.iter().map(String::as_str).collect();
        let mut blobs = BTreeMap::new();
        let mut bytes = body.len();
        for row in self.store.blobs(instance, &digests).await? {
            bytes += row.body.len();
            blobs.insert(row.digest, large(instance, &row.body)?);
        }
        let state = State::decode(body, &mut |digest| blobs.get(digest).cloned())
            .map_err(|error| broken(instance, &error))?;
        Ok((state, bytes))
    }

    /// The output of an instance that ended, as its head has it or points to it.
    pub(crate) async fn output_of(&self, head: &InstanceRow) -> Result<Value, RuntimeError> {
        let Some(text) = head.output.as_deref() else {
            return Ok(Value::Null);
        };
        let Some(digest) = text.strip_prefix(BLOB_MARK) else {
            return Ok(Value::from_json(text).unwrap_or(Value::Null));
        };
        self.blob(&head.id, digest).await
    }

    /// What is left of an instance that ended without ever asking a person: its head and its history.
    async fn remains(&self, head: &InstanceRow) -> Result<State, RuntimeError> {
        let ready = self.bundles.get(self, &head.bundle).await?;
        let case = CaseHead {
            workflow: head.workflow.clone(),
            version: ready.bundle.version.clone(),
            bundle: head.bundle.clone(),
            number: head.number.clone().unwrap_or_default(),
            title: head.title.clone().unwrap_or_default(),
            key: head.business_key.clone(),
            starter: tongban_plugin::Starter {
                user: head.starter_id.clone().unwrap_or_default(),
                unit: head.unit_id.clone(),
                ..tongban_plugin::Starter::default()
            },
            started_ms: head.started_at_ms,
            ..CaseHead::default()
        };
        let mut state = State::new(&head.id, case);
        let mut trail = tongban_expr::value!({});
        for row in self.store.history(&head.id, 0, 1_000).await? {
            let page: Page = serde_json::from_str(&row.body).unwrap_or_default();
            for entry in page
                .entries
                .into_iter()
                .filter(|entry| !entry.task.is_empty())
            {
                if let Some(mark) = mark(entry.status) {
                    trail.set(entry.task.as_str(), mark);
                }
            }
        }
        let output = self.output_of(head).await?;
        let error = head
            .last_error
            .as_deref()
            .and_then(|text| Value::from_json(text).ok())
            .unwrap_or(Value::Null);
        let flow = tongban_expr::value!({
            "format": (i64::from(FORMAT)), "id": (head.id.as_str()), "status": (head.status.as_str()),
            "started_ms": (head.started_at_ms), "frames": {}, "output": [ (output) ], "error": (error), "trail": (trail)
        });
        if let Ok(flow) = tongban_core::Instance::from_state(&flow.to_json(), &mut |_| None) {
            state.flow = flow;
        }
        Ok(state)
    }
}

fn mark(status: tongban_core::RecordStatus) -> Option<&'static str> {
    match status {
        tongban_core::RecordStatus::Completed => Some("d"),
        tongban_core::RecordStatus::Skipped => Some("s"),
        tongban_core::RecordStatus::Faulted => Some("f"),
        tongban_core::RecordStatus::Cancelled => Some("c"),
        _ => None,
    }
}

fn broken(instance: &str, error: &StateError) -> RuntimeError {
    RuntimeError::Internal(format!("the state of {instance}: {error}"))
}
