//! `batch`: one case for each item of a list, a register or an earlier batch, so many at a time.

use std::collections::BTreeSet;

use tongban_core::{Call, ErrorKind, Event};
use tongban_expr::{Value, value};
use tongban_plugin::{Query, Records};

use crate::activation::Activation;
use crate::error::RuntimeError;
use crate::inputs::text;
use crate::state::{Batch, Parent};

/// The most items of one batch.
const ITEMS_MAX: usize = 100_000;

/// How many run at a time when the author does not say.
const AT_ONCE: i64 = 200;

/// The most cases that one activation starts: the rest follows in the next.
const PAGE: u64 = 100;

impl Activation<'_> {
    pub(crate) async fn open_batch(&mut self, call: Call) -> Result<(), RuntimeError> {
        if call.args.get("pause").is_some_and(|pause| !pause.is_null()) {
            let detail = "`pause` is not supported: nobody can pause a batch by itself";
            self.fail(&call.run_id, ErrorKind::Configuration, detail);
            return Ok(());
        }
        match self.items(&call).await {
            Ok(items) => self.open_items(call, items).await,
            Err((kind, detail)) => {
                self.fail(&call.run_id, kind, detail);
                Ok(())
            }
        }
    }

    async fn open_items(&mut self, call: Call, items: Vec<Value>) -> Result<(), RuntimeError> {
        let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let items = Value::from(items);
        let digest = items.digest();
        self.out.blobs.push((digest.clone(), items));
        let at_once = call
            .args
            .get("atOnce")
            .and_then(Value::as_i64)
            .unwrap_or(AT_ONCE)
            .clamp(1, 10_000);
        let batch = Batch {
            place: call.place,
            workflow: text(&call.args, "workflow").to_owned(),
            items: digest,
            total,
            at_once: u64::try_from(at_once).unwrap_or(1),
            wait: text(&call.args, "wait") != "none",
            ..Batch::default()
        };
        self.state.memory.batches.insert(call.run_id.clone(), batch);
        self.go_on(&call.run_id).await
    }

    /// The items, each once by its key.
    async fn items(&mut self, call: &Call) -> Result<Vec<Value>, (ErrorKind, String)> {
        let each = call.args.get("each").cloned().unwrap_or(Value::Null);
        let items = match each.as_list() {
            Some(items) => items.to_vec(),
            None if each.get("register").is_some() => self.items_of_register(&each).await?,
            None if each.get("batch").is_some() => self.items_of_batch(&each).await?,
            None => {
                let detail = format!(
                    "`each`: expected a list, {{ register, where }} or {{ batch, where }}, found {}",
                    each.kind_name()
                );
                return Err((ErrorKind::Validation, detail));
            }
        };
        if items.len() > ITEMS_MAX {
            return Err((
                ErrorKind::Validation,
                format!("expected at most {ITEMS_MAX} items, found {}", items.len()),
            ));
        }
        let mut keys = BTreeSet::new();
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            let key = tongban_core::evaluate_late(
                &self.ready.program,
                &self.state.flow,
                &self.env,
                &call.run_id,
                "key",
                &item,
            )
            .map_err(|error| (ErrorKind::Expression, error.detail.unwrap_or(error.title)))?;
            if key.is_null() || keys.insert(key.digest()) {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    async fn items_of_register(&self, each: &Value) -> Result<Vec<Value>, (ErrorKind, String)> {
        let query = Query {
            equal: conditions(each.get("where"), ""),
            limit: u32::try_from(ITEMS_MAX).unwrap_or(u32::MAX),
        };
        let found = self
            .node
            .records()
            .find(text(each, "register"), &query)
            .await;
        let found = found.map_err(|failure| (ErrorKind::Configuration, failure.detail))?;
        Ok(found
            .records
            .into_iter()
            .map(|record| record.body)
            .collect())
    }

    /// The cases of an earlier batch: `{ input, output, status, number }` of each.
    async fn items_of_batch(&self, each: &Value) -> Result<Vec<Value>, (ErrorKind, String)> {
        let failed = |error: RuntimeError| (ErrorKind::Runtime, error.to_string());
        let batch = text(each, "batch");
        let run_id = batch
            .strip_prefix(self.id())
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(batch)
            .to_owned();
        let conditions = conditions(each.get("where"), "");
        let mut items = Vec::new();
        for child in self.node.children_of(self.id()).await.map_err(failed)? {
            let Some(case) = self.node.snapshot(&child).await.map_err(failed)? else {
                continue;
            };
            let of_batch = case
                .state
                .head
                .parent
                .as_ref()
                .is_some_and(|parent| parent.run_id == run_id && parent.item.is_some());
            let item = value!({
                "input": (case.state.flow.input().clone()),
                "output": (case.state.flow.output().clone()),
                "status": (case.status.as_str()),
                "number": (case.state.head.number.as_str())
            });
            if of_batch
                && conditions
                    .iter()
                    .all(|(path, expected)| fits(item.at(path), expected))
            {
                items.push(item);
            }
        }
        Ok(items)
    }

    pub(crate) async fn go_on_with_batches(&mut self) -> Result<(), RuntimeError> {
        let open: Vec<String> = self.state.memory.batches.keys().cloned().collect();
        for run_id in open {
            self.go_on(&run_id).await?;
        }
        self.run().await
    }

    pub(crate) async fn item_ended(&mut self, body: &Value) -> Result<(), RuntimeError> {
        let run_id = text(body, "runId").to_owned();
        let Some(batch) = self.state.memory.batches.get_mut(&run_id) else {
            return Ok(());
        };
        let item = body
            .get("item")
            .and_then(Value::as_i64)
            .and_then(|item| u64::try_from(item).ok());
        let known = item.is_some_and(|item| {
            batch
                .running
                .get(&item)
                .is_some_and(|child| child == text(body, "child"))
        });
        if let (Some(item), true) = (item, known) {
            batch.running.remove(&item);
            match text(body, "status") {
                "completed" => batch.completed += 1,
                "cancelled" => batch.cancelled += 1,
                _ => batch.faulted += 1,
            }
            self.go_on(&run_id).await?;
        }
        Ok(())
    }

    /// Starts as many cases as may run, and answers the task when its time has come.
    async fn go_on(&mut self, run_id: &str) -> Result<(), RuntimeError> {
        let Some(mut batch) = self.state.memory.batches.remove(run_id) else {
            return Ok(());
        };
        if batch.next < batch.total {
            let found = self
                .node
                .bundles
                .find(self.node, &batch.workflow, None)
                .await;
            match found {
                Ok(ready) => {
                    if let Err((kind, detail)) =
                        self.start_items(run_id, &mut batch, &ready).await?
                    {
                        self.fail(run_id, kind, detail);
                        return Ok(());
                    }
                }
                Err(RuntimeError::NotFound { .. }) => {
                    self.fail(
                        run_id,
                        ErrorKind::Configuration,
                        format!("there is no workflow `{}`", batch.workflow),
                    );
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        let started = batch.next >= batch.total;
        if started && (!batch.wait || batch.running.is_empty()) {
            let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let output = value!({
                "id": (format!("{}/{run_id}", self.id())), "total": (count(batch.total)), "completed": (count(batch.completed)),
                "faulted": (count(batch.faulted)), "cancelled": (count(batch.cancelled))
            });
            self.queue.push_back(Event::Returned {
                run_id: run_id.to_owned(),
                output,
            });
            return Ok(());
        }
        self.state.memory.batches.insert(run_id.to_owned(), batch);
        Ok(())
    }

    async fn start_items(
        &mut self,
        run_id: &str,
        batch: &mut Batch,
        ready: &std::sync::Arc<crate::bundles::Ready>,
    ) -> Result<Result<(), (ErrorKind, String)>, RuntimeError> {
        let items = self.blob(&batch.items).await?;
        let items = items
            .as_list()
            .ok_or_else(|| RuntimeError::Internal("the batch's items are no list".to_owned()))?;
        let running = u64::try_from(batch.running.len()).unwrap_or(u64::MAX);
        let room = if batch.wait {
            batch.at_once.saturating_sub(running)
        } else {
            batch.at_once
        };
        let until = batch.next.saturating_add(room.min(PAGE)).min(batch.total);
        while batch.next < until {
            let n = batch.next;
            let item = usize::try_from(n)
                .ok()
                .and_then(|at| items.get(at))
                .cloned()
                .unwrap_or(Value::Null);
            let input = match tongban_core::evaluate_late(
                &self.ready.program,
                &self.state.flow,
                &self.env,
                run_id,
                "input",
                &item,
            ) {
                Ok(Value::Null) => item,
                Ok(input) => input,
                Err(error) => {
                    return Ok(Err((
                        ErrorKind::Expression,
                        error.detail.unwrap_or(error.title),
                    )));
                }
            };
            let parent = Parent {
                instance: self.id().to_owned(),
                run_id: run_id.to_owned(),
                item: Some(n),
                awaited: batch.wait,
            };
            match self.bear(ready, parent, input) {
                Ok(child) if batch.wait => {
                    batch.running.insert(n, child);
                }
                Ok(_) => {}
                Err(detail) => return Ok(Err((ErrorKind::Runtime, detail))),
            }
            batch.next += 1;
        }
        Ok(Ok(()))
    }

    async fn blob(&self, digest: &str) -> Result<Value, RuntimeError> {
        if let Some((_, value)) = self.out.blobs.iter().find(|(known, _)| known == digest) {
            return Ok(value.clone());
        }
        self.node.blob(self.id(), digest).await
    }
}

/// `where` as pairs of path and value.
fn conditions(wanted: Option<&Value>, prefix: &str) -> Vec<(String, Value)> {
    let members = wanted.and_then(Value::as_object);
    members
        .into_iter()
        .flatten()
        .map(|(key, value)| (format!("{prefix}{key}"), value.clone()))
        .collect()
}

fn fits(found: Option<&Value>, expected: &Value) -> bool {
    let Some(found) = found else { return false };
    match expected.as_list() {
        Some(any) => any.iter().any(|one| one == found),
        None => found == expected,
    }
}
