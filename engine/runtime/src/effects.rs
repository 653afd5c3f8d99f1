//! What the machine wants done, carried out within the activation or turned into rows.

use tongban_core::{Call, Effect, Error, ErrorKind, Event, Filter, Kind, Reopen, Why};
use tongban_expr::Value;
use tongban_store::{ActRow, EventRow, SubscriptionRow};
use tongban_work::{AskApplicant, Opening};

use crate::activation::Activation;
use crate::error::RuntimeError;
use crate::forms::Deciders;
use crate::inputs::text;

/// The largest arguments that an intent carries.
const ARGUMENTS_BYTES: usize = 256 * 1024;

impl Activation<'_> {
    pub(crate) async fn effect(&mut self, effect: Effect) -> Result<(), RuntimeError> {
        match effect {
            Effect::Call(call) => self.call(*call).await,
            Effect::Child {
                run_id,
                namespace,
                name,
                version,
                input,
                awaited,
            } => {
                let workflow = format!("{namespace}/{name}");
                self.start_child(&run_id, &workflow, &version, input, awaited)
                    .await
            }
            Effect::Finish {
                status,
                output,
                error,
            } => {
                self.finish(status, &output, error.as_ref());
                self.leave_gates(status).await
            }
            other => {
                self.effect_here(other);
                Ok(())
            }
        }
    }

    /// Effects that look at nothing outside of this instance.
    fn effect_here(&mut self, effect: Effect) {
        match effect {
            Effect::Withdraw { run_id, why } => self.withdraw(&run_id, why),
            Effect::AskApplicant {
                run_id,
                fields,
                comment,
                by,
            } => self.ask_applicant(AskApplicant {
                run_id,
                fields,
                comment,
                by,
            }),
            Effect::Listen { run_id, filters } => self.listen(&run_id, filters),
            Effect::Unlisten { run_id } => {
                let id = self.id().to_owned();
                self.out.unlisten(&id, &run_id);
            }
            Effect::Emit { run_id, event } => self.emit(&run_id, &event),
            Effect::ClockOpen {
                place,
                spec,
                title,
                resume,
            } => self.open_clock(&place, &spec, title.as_deref(), resume),
            Effect::ClockClose { place } => {
                let outs = self.at_desk(|desk, world| desk.clock_close(&place, world));
                self.take_outs(outs);
            }
            Effect::GroundEnter {
                place,
                ground,
                basis,
            } => {
                let outs = self.at_desk(|desk, world| {
                    desk.ground_enter(&place, &ground, basis.as_deref(), world)
                });
                self.take_outs(outs);
            }
            Effect::GroundLeave { place, ground } => {
                let outs = self.at_desk(|desk, world| desk.ground_leave(&place, &ground, world));
                self.take_outs(outs);
            }
            // The machine's own record says that a former answer was reused; the others were carried out before.
            Effect::Reused { .. }
            | Effect::Call(_)
            | Effect::Child { .. }
            | Effect::Finish { .. } => {}
        }
    }

    fn ask_applicant(&mut self, asked: AskApplicant) {
        let waiting = asked.run_id.clone();
        self.state.memory.had_work = true;
        match self.at_desk(|desk, world| desk.ask_applicant(asked, world)) {
            Ok(outs) => self.take_outs(outs),
            Err(error) => self.fail(&waiting, ErrorKind::Runtime, error.to_string()),
        }
    }

    fn open_clock(&mut self, place: &str, spec: &Value, title: Option<&str>, resume: bool) {
        let opened = self.at_desk(|desk, world| desk.clock_open(place, spec, title, resume, world));
        match opened {
            Ok(outs) => self.take_outs(outs),
            // A limit that cannot be counted stops nobody's work; an operator is told.
            Err(error) => self.incident(
                "clock",
                &Error::new(
                    ErrorKind::Configuration,
                    format!("the clock of `{place}`: {error}"),
                ),
            ),
        }
    }

    fn listen(&mut self, run_id: &str, filters: Vec<Filter>) {
        let id = self.id().to_owned();
        let rows = filters.into_iter().map(|filter| SubscriptionRow {
            instance_id: id.clone(),
            run_id: run_id.to_owned(),
            n: i64::from(filter.n),
            shape: filter.shape,
            value: filter.value,
            fresh: 1,
        });
        self.out.subscriptions.extend(rows);
    }

    async fn call(&mut self, call: Call) -> Result<(), RuntimeError> {
        match call.kind {
            // A read sees what is committed: what was written just now must be so first.
            Kind::Read if self.out.writes.is_empty() => self.read(call).await,
            Kind::Read => {
                self.state.memory.postponed.push(call);
                Ok(())
            }
            Kind::Write => self.write(call).await,
            Kind::Act => {
                self.intend(call);
                Ok(())
            }
            Kind::Work if call.function == "batch" => self.open_batch(call).await,
            Kind::Work => self.open_work(call).await,
        }
    }

    fn intend(&mut self, call: Call) {
        let args = call.args.to_json();
        if args.len() > ARGUMENTS_BYTES {
            let detail = format!(
                "expected arguments of at most {ARGUMENTS_BYTES} bytes, found {}",
                args.len()
            );
            self.fail(&call.run_id, ErrorKind::Validation, detail);
            return;
        }
        let connector = ["connector", "endpoint"]
            .iter()
            .find_map(|key| call.args.get(key).and_then(address_of))
            .and_then(|uri| {
                let named = self.node.connector(self.ready.owner_unit.as_deref(), uri);
                named.or_else(|| host_of(uri))
            });
        self.state.memory.acts.insert(call.run_id.clone());
        self.out.acts.push(ActRow {
            instance_id: self.id().to_owned(),
            run_id: call.run_id,
            function: call.function,
            connector,
            key: call.key,
            args,
            // The first attempt is counted by this row.
            attempt: 1,
            token: Some(self.node.ids.uuid(self.now_ms)),
            error: None,
            deadline_ms: call.timeout_at_ms,
            // It is this node's until the lease ends: it performs it without looking into the table.
            ready_at_ms: self.now_ms + self.node.settings.lease_ms,
        });
    }

    async fn open_work(&mut self, call: Call) -> Result<(), RuntimeError> {
        self.deciders = self.deciders_of(&call.args).await?;
        let Call {
            run_id,
            path,
            place,
            function,
            args,
            title,
            resume,
            ..
        } = call;
        let opening = Opening {
            run_id: run_id.clone(),
            path,
            place,
            function,
            args,
            title,
            reopen: reopen(&resume),
        };
        self.state.memory.had_work = true;
        match self.at_desk(|desk, world| desk.open(opening, world)) {
            Ok(outs) => {
                self.take_outs(outs);
                self.look_at_gate(&run_id);
            }
            Err(error) => self.fail(&run_id, ErrorKind::Configuration, error.to_string()),
        }
        Ok(())
    }

    /// Who decided the steps of other cases that `except` names: looked up before the desk is asked.
    async fn deciders_of(&self, args: &Value) -> Result<Deciders, RuntimeError> {
        let mut found = Deciders::new();
        for one in args
            .get("except")
            .and_then(Value::as_list)
            .into_iter()
            .flatten()
        {
            let (step, of) = (text(one, "decided"), text(one, "of"));
            if step.is_empty() || of.is_empty() {
                continue;
            }
            let Some(id) = self.node.instance_by_number(of).await? else {
                continue;
            };
            if let Some(case) = self.node.snapshot(&id).await? {
                found.push((
                    step.to_owned(),
                    of.to_owned(),
                    case.state.desk.deciders(step),
                ));
            }
        }
        Ok(found)
    }

    fn withdraw(&mut self, run_id: &str, why: Why) {
        let memory = &mut self.state.memory;
        memory.postponed.retain(|call| call.run_id != run_id);
        if memory.acts.remove(run_id) {
            self.out.withdraw_act(run_id);
        } else if let Some(child) = memory.children.remove(run_id) {
            self.cancel_child(&child, run_id);
        } else if let Some(batch) = memory.batches.remove(run_id) {
            for child in batch.running.values() {
                self.cancel_child(child, run_id);
            }
        } else {
            let outs = self.at_desk(|desk, world| desk.close(run_id, why_word(why), world));
            self.take_outs(outs);
        }
    }

    fn emit(&mut self, run_id: &str, event: &Value) {
        let ttl_ms = self
            .ready
            .event_ttl_ms
            .unwrap_or(self.node.settings.event_ttl_ms);
        let mut event = event.clone();
        if text(&event, "id").is_empty() {
            // The same course emits the same event, however often it is run.
            event.set("id", format!("{}/{run_id}", self.id()));
        }
        self.out.events.push(EventRow {
            source: text(&event, "source").to_owned(),
            id: text(&event, "id").to_owned(),
            event_type: text(&event, "type").to_owned(),
            body: event.to_json(),
            received_at_ms: self.now_ms,
            expires_at_ms: self.now_ms + ttl_ms,
            routed: 0,
            cursor: None,
        });
    }

    /// The task of this run id gets an error.
    pub(crate) fn fail(&mut self, run_id: &str, kind: ErrorKind, detail: impl Into<String>) {
        self.queue.push_back(Event::Failed {
            run_id: run_id.to_owned(),
            error: Error::new(kind, detail),
        });
    }
}

fn reopen(resume: &Reopen) -> tongban_work::Reopen {
    match resume {
        Reopen::Fresh => tongban_work::Reopen::Fresh,
        Reopen::Round { signing, .. } => tongban_work::Reopen::Round {
            signing: match signing {
                tongban_core::Signing::All => tongban_work::Signing::All,
                tongban_core::Signing::Returner => tongban_work::Signing::Returner,
                tongban_core::Signing::Open => tongban_work::Signing::Open,
            },
        },
        Reopen::Keep => tongban_work::Reopen::Keep,
    }
}

fn why_word(why: Why) -> &'static str {
    match why {
        Why::Faulted => "faulted",
        Why::Lost => "lost",
        Why::Timeout => "timeout",
        Why::Ended => "ended",
        Why::Returned => "returned",
        Why::Jumped => "jumped",
        Why::Cancelled => "cancelled",
    }
}

/// The address of an endpoint.
fn address_of(endpoint: &Value) -> Option<&str> {
    endpoint
        .as_str()
        .or_else(|| endpoint.get("uri").and_then(Value::as_str))
}

/// Acts on one host share one limit where no entry of the allow-list names them.
fn host_of(uri: &str) -> Option<String> {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?;
    (!host.is_empty()).then(|| host.to_owned())
}
