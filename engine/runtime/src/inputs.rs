//! What happens to an instance, turned into events of the machine and acts at the desk.

use tongban_core::{Error, ErrorKind, Event, Refusal, Status};
use tongban_expr::{Value, value};
use tongban_store::{AuditEntry, EventTaken, InboxRow, MailLinkUsed};
use tongban_work::Act;

use crate::activation::Activation;
use crate::error::RuntimeError;
use crate::lane::{Answer, Reply, Told, What};
use crate::request::{Acted, Caller, Operate};

impl Activation<'_> {
    pub(crate) async fn take(&mut self, what: &What) -> Result<Reply, RuntimeError> {
        if let Some(input) = self.state.memory.newborn.take() {
            // Whatever comes first finds an instance that has begun; its wake has done its work.
            self.woken = true;
            self.begin(input).await?;
        }
        match what {
            What::Act { act, caller, link } => self.take_act(act, caller, link.as_deref()).await,
            What::Operate {
                operate,
                reason,
                caller,
            } => self.take_operation(operate, reason, caller).await,
            What::Answer(answer) => self.take_answer(answer).await,
            What::Inbox(told) => self.take_told(told).await,
            What::Wake => self.take_wake().await,
            What::Refresh => {
                let outs = self.at_desk(|desk, world| desk.refresh(world));
                self.take_outs(outs);
                self.run().await?;
                Ok(Reply::Done)
            }
        }
    }

    async fn take_act(
        &mut self,
        act: &Act,
        caller: &Caller,
        link: Option<&str>,
    ) -> Result<Reply, RuntimeError> {
        if self.state.flow.status() == Status::Suspended {
            return Err(RuntimeError::Suspended);
        }
        let outs = self
            .at_desk(|desk, world| desk.act(act.clone(), world))
            .map_err(RuntimeError::Refused)?;
        if let Some(nonce) = link {
            self.out.links_used.push(MailLinkUsed {
                nonce: nonce.to_owned(),
                used_at_ms: Some(self.now_ms),
            });
        }
        self.actor = Some(caller.name());
        self.channel = Some(act.channel.word());
        self.take_outs(outs);
        self.run().await?;
        let rows = self.state.desk.rows();
        let item = rows.items.into_iter().find(|item| item.n == act.n);
        Ok(Reply::Acted(Acted {
            n: act.n,
            item_status: item
                .as_ref()
                .map(|item| item.status.clone())
                .unwrap_or_default(),
            outcome: item.and_then(|item| item.outcome),
            instance_status: status_word(self.state.flow.status()).to_owned(),
        }))
    }

    async fn take_operation(
        &mut self,
        operate: &Operate,
        reason: &str,
        caller: &Caller,
    ) -> Result<Reply, RuntimeError> {
        let before = status_word(self.state.flow.status());
        let flying: Vec<Value> = self
            .state
            .memory
            .acts
            .iter()
            .map(|run_id| Value::from(run_id.as_str()))
            .collect();
        let name = match operate {
            Operate::Cancel => {
                self.queue.push_back(Event::Cancel {
                    reason: reason.to_owned(),
                });
                "instance.cancel"
            }
            Operate::Suspend => {
                self.queue.push_back(Event::Suspend {
                    reason: reason.to_owned(),
                });
                self.state.desk.suspend();
                "instance.suspend"
            }
            Operate::Resume => {
                self.queue.push_back(Event::Resume);
                self.state.desk.resume();
                "instance.resume"
            }
            Operate::Jump(jump) => {
                let mut jump = jump.clone();
                jump.by = caller.name();
                jump.reason = reason.to_owned();
                self.queue.push_back(Event::Jump(jump));
                "instance.jump"
            }
            Operate::ResolveAct { run_id, result } => {
                if !self.state.memory.acts.contains(run_id) {
                    return Err(RuntimeError::not_found("act", run_id.clone()));
                }
                let failed = |detail: &String| Error::new(ErrorKind::Runtime, detail.clone());
                self.outcome(run_id, result.clone().map_err(|detail| failed(&detail)));
                "act.resolve"
            }
        };
        self.run().await?;
        self.actor = Some(caller.name());
        self.out.touched = true;
        let after = status_word(self.state.flow.status());
        let body = value!({
            "reason": (reason), "before": (before), "after": (after), "operation": (describe(operate)),
            // What has left the machine is not called back.
            "actsInFlight": (Value::from(flying))
        });
        self.out.audit.push(AuditEntry {
            at_ms: self.now_ms,
            who: caller.name(),
            act: name.to_owned(),
            object: self.id().to_owned(),
            body: body.to_json(),
        });
        Ok(Reply::Done)
    }

    async fn take_answer(&mut self, answer: &Answer) -> Result<Reply, RuntimeError> {
        self.outcome(&answer.run_id, answer.result.clone());
        match self.run().await {
            // Too much waits for the resumption: the outcome is kept as a message, for it is never fetched again.
            Err(RuntimeError::Busy { .. }) => {
                self.queue.clear();
                self.keep_answer(answer);
                Ok(Reply::Done)
            }
            other => other.map(|()| Reply::Done),
        }
    }

    /// An act's outcome is known: its row goes, and the machine is told (it notes a late one itself).
    fn outcome(&mut self, run_id: &str, result: Result<Value, Error>) {
        if self.state.memory.acts.remove(run_id) {
            self.out.acts_gone.push(run_id.to_owned());
        }
        self.queue.push_back(returned(run_id, result));
    }

    async fn take_wake(&mut self) -> Result<Reply, RuntimeError> {
        self.woken = true;
        for call in std::mem::take(&mut self.state.memory.postponed) {
            self.read(call).await?;
            self.run().await?;
        }
        if std::mem::take(&mut self.state.memory.more) {
            self.queue.push_back(Event::Continue);
            self.run().await?;
        }
        if self
            .state
            .flow
            .next_due_ms()
            .is_some_and(|due| due <= self.now_ms)
        {
            self.queue.push_back(Event::Due);
            self.run().await?;
        }
        if self.state.flow.status() == Status::Running
            && self
                .state
                .desk
                .next_due_ms()
                .is_some_and(|due| due <= self.now_ms)
        {
            let outs = self.at_desk(|desk, world| desk.due(world));
            self.take_outs(outs);
            self.run().await?;
        }
        self.go_on_with_batches().await?;
        Ok(Reply::Done)
    }

    async fn take_told(&mut self, told: &Told) -> Result<Reply, RuntimeError> {
        let handled = self.take_content(told).await;
        match handled {
            // Too much waits for the resumption: the row stays where it is.
            Err(RuntimeError::Busy { retry_after_s }) => Err(RuntimeError::Busy { retry_after_s }),
            // What the machine does not want is taken all the same, or it would come again for ever.
            Err(error) if !matches!(error, RuntimeError::Internal(_)) => {
                self.queue.clear();
                self.note(
                    "ignored",
                    value!({ "kind": (told.kind.as_str()), "why": (error.to_string()) }),
                );
                self.out.taken.push(told.id.clone());
                Ok(Reply::Done)
            }
            Err(error) => Err(error),
            Ok(()) => {
                self.out.taken.push(told.id.clone());
                Ok(Reply::Done)
            }
        }
    }

    async fn take_content(&mut self, told: &Told) -> Result<(), RuntimeError> {
        let body = &told.body;
        match told.kind.as_str() {
            "child" => self.child_ended(body),
            "item" => self.item_ended(body).await?,
            "cancel" => self.queue.push_back(Event::Cancel {
                reason: text(body, "reason").to_owned(),
            }),
            "event" => return self.heard(body).await,
            "answer" => {
                let result = match body.get("error") {
                    Some(error) if !error.is_null() => Err(Error::from_value(error)),
                    _ => Ok(body.get("output").cloned().unwrap_or(Value::Null)),
                };
                self.outcome(text(body, "runId"), result);
            }
            "objection" => self.objection(body),
            "reopen" => self.reopened(body),
            "gate" => self.gate(body).await?,
            other => {
                return Err(RuntimeError::Unfit(format!(
                    "unknown kind of message `{other}`"
                )));
            }
        }
        self.run().await
    }

    async fn heard(&mut self, body: &Value) -> Result<(), RuntimeError> {
        let n = body
            .get("n")
            .and_then(Value::as_i64)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(0);
        let event = body.get("event").cloned().unwrap_or(Value::Null);
        let seq = body.get("seq").and_then(Value::as_i64);
        if let Some(seq) = seq
            && self.has_heard(seq).await?
        {
            return Ok(());
        }
        let taken = self
            .offer(Event::Heard {
                run_id: text(body, "runId").to_owned(),
                n,
                event,
            })
            .await?;
        if let (true, Some(event_seq)) = (taken, seq) {
            self.out.heard.push(EventTaken {
                event_seq,
                instance_id: self.id().to_owned(),
                expires_at_ms: body
                    .get("expires")
                    .and_then(Value::as_i64)
                    .unwrap_or(self.now_ms),
            });
        }
        Ok(())
    }

    /// An event that fits several filters is consumed once by an instance: the message of the second is only taken.
    async fn has_heard(&self, seq: i64) -> Result<bool, RuntimeError> {
        if self.out.heard.iter().any(|heard| heard.event_seq == seq) {
            return Ok(true);
        }
        Ok(self.node.store.event_is_taken(seq, self.id()).await?)
    }

    /// A case that objects to one of this case's notices began, or ended.
    fn objection(&mut self, body: &Value) {
        let number = text(body, "number").to_owned();
        match body.get("outcome").and_then(Value::as_str) {
            Some(outcome) => {
                let outs =
                    self.at_desk(|desk, world| desk.objection_closed(&number, outcome, world));
                self.take_outs(outs);
            }
            None => {
                let n = body
                    .get("n")
                    .and_then(Value::as_i64)
                    .and_then(|n| u32::try_from(n).ok())
                    .unwrap_or(0);
                let outs = self.at_desk(|desk, world| desk.objection_opened(n, &number, world));
                self.take_outs(outs);
            }
        }
    }

    /// Tells the machine what a call gave; behind so many rows it goes on after they are committed.
    pub(crate) fn answered(&mut self, run_id: &str, result: Result<Value, Error>) {
        if self.out.is_large() {
            let (run_id, token) = (run_id.to_owned(), None);
            self.keep_answer(&Answer {
                run_id,
                token,
                result,
            });
        } else {
            self.queue.push_back(returned(run_id, result));
        }
    }

    /// Keeps an act's outcome for later when the machine cannot take it now.
    pub(crate) fn keep_answer(&mut self, answer: &Answer) {
        let body = match &answer.result {
            Ok(output) => value!({ "runId": (answer.run_id.as_str()), "output": (output.clone()) }),
            Err(error) => {
                value!({ "runId": (answer.run_id.as_str()), "error": (error.to_value()) })
            }
        };
        self.out.told.push(InboxRow {
            instance_id: self.id().to_owned(),
            id: format!("answer:{}", answer.run_id),
            kind: "answer".to_owned(),
            body: body.to_json(),
            ready_at_ms: self.now_ms + self.node.settings.lease_ms,
        });
    }
}

/// The event that says what became of a call.
pub(crate) fn returned(run_id: &str, result: Result<Value, Error>) -> Event {
    match result {
        Ok(output) => Event::Returned {
            run_id: run_id.to_owned(),
            output,
        },
        Err(error) => Event::Failed {
            run_id: run_id.to_owned(),
            error,
        },
    }
}

/// The word for a status in tables and answers.
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Pending | Status::Running => "running",
        Status::Suspended => "suspended",
        Status::Completed => "completed",
        Status::Faulted => "faulted",
        Status::Cancelled => "cancelled",
    }
}

pub(crate) fn text<'a>(body: &'a Value, key: &str) -> &'a str {
    body.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn describe(operate: &Operate) -> Value {
    match operate {
        Operate::Cancel | Operate::Suspend | Operate::Resume => Value::Null,
        Operate::Jump(jump) => Value::of(jump).unwrap_or(Value::Null),
        Operate::ResolveAct { run_id, .. } => value!({ "runId": (run_id.as_str()) }),
    }
}

impl From<Refusal> for RuntimeError {
    fn from(refusal: Refusal) -> RuntimeError {
        match refusal {
            Refusal::Suspended => RuntimeError::Suspended,
            Refusal::Status(status) if status.has_ended() => RuntimeError::Ended,
            Refusal::InboxFull => RuntimeError::Busy { retry_after_s: 60 },
            other => RuntimeError::Unfit(other.to_string()),
        }
    }
}
