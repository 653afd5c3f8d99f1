//! Acts: performed after their intent is durable, at least once under one key, one outcome recorded.

use std::sync::Arc;

use futures_util::future::{Either, select};
use tokio::sync::oneshot;
use tongban_core::{Error, ErrorKind};
use tongban_expr::{Value, secret};
use tongban_plugin::{ActCall, Admission, Failure};
use tongban_store::{ActRow, Change, IncidentRow};

use crate::calls::problem;
use crate::error::RuntimeError;
use crate::lane::{Answer, Class, Input, What};
use crate::node::Node;
use crate::out::Handed;

/// The most bytes of an act's answer.
const ANSWER_BYTES: u64 = 8 * 1024 * 1024;

/// When an act waits because its connector is busy, it is looked at again after this.
const BUSY_MS: i64 = 250;
/// A connector that an operator has paused is looked at again after this.
const PAUSED_MS: i64 = 30_000;
/// Acts that can be interrupted are asked so often whether somebody still waits for them.
const INTERRUPT_MS: u64 = 1_000;
/// However long an act has to wait, it is looked at again after this.
const WAIT_MAX_MS: i64 = 300_000;

/// A place among the acts in flight at one connector.
struct Flight<'n> {
    node: &'n Node,
    connector: String,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut flying = self.node.flying.lock();
        if let Some(count) = flying.get_mut(&self.connector) {
            *count = count.saturating_sub(1);
        }
    }
}

impl Node {
    /// Claims acts that are due and gives them back to be performed.
    pub(crate) async fn claim_acts(&self, limit: i64) -> Result<Vec<ActRow>, RuntimeError> {
        let names = self.functions.act_names();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let now_ms = self.clock.now_ms();
        let token = self.ids.uuid(now_ms);
        Ok(self
            .store
            .act_claim(
                &names,
                &token,
                now_ms,
                now_ms + self.settings.lease_ms,
                limit,
            )
            .await?)
    }

    /// Performs one act that this node has the lease of, and sends its outcome to the instance.
    pub(crate) async fn perform(self: &Arc<Self>, row: ActRow) {
        if row.attempt > self.settings.act_attempts {
            self.unknown_outcome(&row).await;
            return;
        }
        let connector = row
            .connector
            .clone()
            .unwrap_or_else(|| row.function.clone());
        if self.paused_connectors.lock().contains(&connector) {
            self.wait(&row, &connector, PAUSED_MS, "an operator has paused it")
                .await;
            return;
        }
        if let Admission::Wait { millis, why } = self.http.admission(&connector) {
            let millis = i64::try_from(millis).unwrap_or(WAIT_MAX_MS);
            self.wait(&row, &connector, millis, &why).await;
            return;
        }
        let Some(_flight) = self.take_off(&connector) else {
            self.wait(&row, &connector, BUSY_MS, "too many acts are in flight")
                .await;
            return;
        };
        let result = match self.perform_call(&row).await {
            // Nothing was sent: its callee, or who gives it tokens, is left alone.
            Err(failure) if failure.wait_ms.is_some() => {
                let millis = failure.wait_ms.unwrap_or(BUSY_MS);
                self.wait(&row, &connector, millis, &failure.detail).await;
                return;
            }
            Ok(value) if value.weight() > ANSWER_BYTES => {
                Err(problem(&Failure::communication(format!(
                    "expected an answer of at most {ANSWER_BYTES} bytes, found {}",
                    value.weight()
                ))))
            }
            Ok(value) => Ok(value),
            Err(failure) => Err(problem(&failure)),
        };
        let answer = Answer {
            run_id: row.run_id,
            token: row.token,
            result,
        };
        self.deliver(row.instance_id, answer).await;
    }

    /// Sends an outcome to its instance; it stays in memory until the instance took it.
    pub(crate) async fn deliver(self: &Arc<Self>, instance: String, answer: Answer) {
        let (reply, told) = oneshot::channel();
        let input = Input {
            what: What::Answer(answer.clone()),
            class: Class::People,
            reply: Some(reply),
        };
        self.send(&instance, input).await;
        if let Ok(Err(RuntimeError::Busy { .. })) = told.await {
            // Never fetched again: the same outcome is offered again in the next round.
            self.handed
                .lock()
                .push_back(Handed::Answer(instance, answer));
        }
    }

    async fn perform_call(self: &Arc<Self>, row: &ActRow) -> Result<Value, Failure> {
        let function = self.functions.act(&row.function).ok_or_else(|| {
            Failure::configuration(format!(
                "there is no function `{}` here; is its plugin installed?",
                row.function
            ))
        })?;
        let args = Value::from_json(&row.args)
            .map_err(|error| Failure::runtime(format!("the stored arguments: {error}")))?;
        let state = self.state_of_act(row).await?;
        let ready = self
            .bundles
            .get(self, &state.head.bundle)
            .await
            .map_err(|error| Failure::runtime(error.to_string()))?;
        let nonce = if secret::names_in(&args).is_empty() {
            ""
        } else {
            state.head.nonce.as_deref().unwrap_or_default()
        };
        let ports = self.ports(&ready);
        let call = ActCall {
            function: &row.function,
            instance: &row.instance_id,
            run_id: &row.run_id,
            workflow: &state.head.workflow,
            unit: ready.owner_unit.as_deref(),
            key: &row.key,
            attempt: u32::try_from(row.attempt.saturating_sub(1)).unwrap_or(0),
            deadline_ms: row.deadline_ms,
            now_ms: self.clock.now_ms(),
            nonce,
            secrets: &*self.secrets,
            ports: &ports,
        };
        let interruptible = function.is_interruptible();
        let mut renewal_ms = u64::try_from(self.settings.lease_ms / 3).unwrap_or(10_000);
        if interruptible {
            renewal_ms = renewal_ms.min(INTERRUPT_MS);
        }
        let mut work = function.perform(&args, &call);
        loop {
            match select(work, self.clock.sleep(renewal_ms)).await {
                Either::Left((result, _)) => return result,
                Either::Right(((), unfinished)) => {
                    let is_wanted = self.renew(row).await;
                    if interruptible && !is_wanted {
                        return Err(Failure::runtime(
                            "it was ended: nobody waits for it any more",
                        ));
                    }
                    work = unfinished;
                }
            }
        }
    }

    async fn state_of_act(&self, row: &ActRow) -> Result<Arc<crate::state::State>, Failure> {
        if let Some(kept) = self.cached(&row.instance_id) {
            return Ok(Arc::clone(&kept.state));
        }
        let loaded = self
            .load(&row.instance_id)
            .await
            .map_err(|error| Failure::runtime(error.to_string()))?;
        let kept = loaded.ok_or_else(|| Failure::runtime("the instance has ended"))?;
        Ok(Arc::clone(&kept.state))
    }

    /// A lease is a hint: when it is lost the act runs to its end, and the row's token decides what its failure counts.
    /// Says whether somebody still waits, as far as that can be known.
    async fn renew(&self, row: &ActRow) -> bool {
        let until_ms = self.clock.now_ms() + self.settings.lease_ms;
        let token = row.token.as_deref().unwrap_or_default();
        let renewed = self
            .store
            .act_renew(&row.instance_id, &row.run_id, token, until_ms)
            .await;
        renewed.unwrap_or_else(|error| {
            tracing::warn!(instance = row.instance_id, run_id = row.run_id, %error, "a lease could not be prolonged");
            true
        })
    }

    async fn release(&self, row: &ActRow, after_ms: i64) {
        let at_ms = self.clock.now_ms() + after_ms;
        let token = row.token.as_deref().unwrap_or_default();
        if let Err(error) = self
            .store
            .act_release(&row.instance_id, &row.run_id, token, at_ms, None)
            .await
        {
            tracing::warn!(instance = row.instance_id, run_id = row.run_id, %error, "an act could not be given back");
        }
    }

    /// An act that was not begun: it stays where it is, its row says what it waits for, and the attempt that its claim
    /// counted was none.
    async fn wait(&self, row: &ActRow, connector: &str, millis: i64, why: &str) {
        let at_ms = self.clock.now_ms() + millis.clamp(1, WAIT_MAX_MS);
        let token = row.token.as_deref().unwrap_or_default();
        let why = format!("waits for `{connector}`: {why}");
        if let Err(error) = self
            .store
            .act_waits(&row.instance_id, &row.run_id, token, at_ms, &why)
            .await
        {
            tracing::warn!(instance = row.instance_id, run_id = row.run_id, %error, "an act could not be given back");
        }
    }

    fn take_off(&self, connector: &str) -> Option<Flight<'_>> {
        let mut flying = self.flying.lock();
        let count = flying.entry(connector.to_owned()).or_insert(0);
        if *count >= self.settings.connector_concurrency {
            return None;
        }
        *count += 1;
        Some(Flight {
            node: self,
            connector: connector.to_owned(),
        })
    }

    /// Nobody knows whether it happened: an operator has to say.
    async fn unknown_outcome(&self, row: &ActRow) {
        let now_ms = self.clock.now_ms();
        let detail = format!(
            "`{}` was begun {} times and its outcome is not known",
            row.function,
            row.attempt - 1
        );
        let mut change = Change::without_instance(now_ms);
        change.add(IncidentRow {
            id: format!("act:{}:{}", row.instance_id, row.run_id),
            instance_id: Some(row.instance_id.clone()),
            kind: "outcome unknown".to_owned(),
            error: Error::new(ErrorKind::Runtime, detail)
                .to_value()
                .with("runId", row.run_id.as_str())
                .to_json(),
            at_ms: now_ms,
            closed_by: None,
            closed_at_ms: None,
        });
        match self.commit(Class::Background, change).await {
            // It waits for the operator, not for a node.
            Ok(_) => self.release(row, 100 * 365 * 86_400_000).await,
            Err(error) => {
                tracing::error!(instance = row.instance_id, %error, "an incident could not be written")
            }
        }
    }
}
