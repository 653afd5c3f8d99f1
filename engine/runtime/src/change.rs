//! From an activation to the one change that it hands over.

use std::sync::Arc;

use tongban_core::Status;
use tongban_expr::{Value, secret};
use tongban_store::{
    ActGone, Base, BlobRow, Change, HeadUpdate, HistoryRow, InstanceRow, KeyGone, Next, Wake,
    WakeGone,
};
use tongban_work::Rows;

use crate::activation::Activation;
use crate::begin::business_scope;
use crate::error::RuntimeError;
use crate::history::{LastState, Page, entries};
use crate::inputs::status_word;
use crate::lane::{Input, Told, What};
use crate::load::BLOB_MARK;
use crate::out::{Handed, Out};
use crate::parties::parties_of;
use crate::record_rows::record_rows;
use crate::state::State;

/// What an activation hands over.
pub struct Handover {
    /// What is to be committed.
    pub change: Change,
    /// What this node does as soon as it is.
    pub handed: Vec<Handed>,
    /// The state after it; `None` when the instance has ended.
    pub next: Option<Arc<State>>,
    /// What the state weighs, with its large values.
    pub bytes: usize,
    /// What its text takes.
    pub text_bytes: usize,
}

/// The machine's side faults above 1 MiB; this is for both sides together.
const STATE_BYTES_MAX: usize = 2 << 20;

impl Handover {
    /// People's acts that would make the state larger than it may be are refused; what comes by itself is taken, and the
    /// change's own bound holds.
    pub fn outgrown(&self, inputs: &[Input]) -> Option<RuntimeError> {
        let found = self.text_bytes;
        let by_people = inputs
            .iter()
            .all(|input| matches!(input.what, What::Act { .. }));
        (found > STATE_BYTES_MAX && by_people).then(|| {
            RuntimeError::Unfit(format!(
                "the state of the case would take {found} bytes, at most {STATE_BYTES_MAX} (2 MiB) are allowed; send less text"
            ))
        })
    }
}

/// What lists show of an instance.
#[derive(Debug, Clone, PartialEq)]
struct Face {
    status: &'static str,
    wait: Option<String>,
    title: Option<String>,
}

/// A larger output does not stand in the row that lists read.
const OUTPUT_BYTES: u64 = 64 << 10;

/// A timer that comes due within this time is not left to the next poll.
const SOON_MS: i64 = 1_000;

/// How the instance stood before the activation.
pub struct Before {
    pub(crate) rows: Rows,
    face: Option<Face>,
    pub(crate) search: Vec<(String, String)>,
    due_ms: Option<i64>,
    /// There is a row of `wake`, for a timer or for going on.
    has_wake: bool,
}

impl Before {
    /// Of a state that was loaded.
    pub fn of(state: &State) -> Before {
        Before {
            rows: state.desk.rows(),
            face: Some(face(state)),
            search: state.memory.search.clone(),
            due_ms: wake_ms(state),
            has_wake: wake_ms(state).is_some() || state.memory.goes_on(),
        }
    }

    /// Of an instance that ended: its rows are those of its last state, and nothing wakes it.
    pub fn ended(state: &State) -> Before {
        Before {
            due_ms: None,
            has_wake: false,
            ..Before::of(state)
        }
    }

    /// Of an instance that does not exist yet.
    pub fn nothing() -> Before {
        Before {
            rows: Rows::default(),
            face: None,
            search: Vec::new(),
            due_ms: None,
            has_wake: false,
        }
    }
}

impl Activation<'_> {
    /// The change, and what follows from it.
    pub fn into_handover(mut self, before: &Before) -> Handover {
        self.refresh_case_fields(before);
        let ended = self.state.flow.status().has_ended();
        let id = self.id().to_owned();
        let goes_on = !ended && self.state.memory.goes_on();
        let mut handed = Vec::new();
        let (records, outputs) = entries(&self.out.records);
        let page = Page {
            entries: records,
            channel: self.channel.map(str::to_owned),
            notes: std::mem::take(&mut self.out.notes),
            last: None,
        };
        for (digest, value) in outputs {
            self.out.blobs.push((digest, value));
        }
        let (next, next_state, bytes, page) = self.next_state(ended, page);
        let text_bytes = match &next {
            Next::Running { body, .. } => body.len(),
            Next::Ended => 0,
        };
        let mut change = Change::of_instance(&id, self.base, next, self.now_ms);
        change.add(HistoryRow {
            instance_id: id.clone(),
            version: self.base.next(),
            at_ms: self.now_ms,
            actor: self.actor.clone(),
            body: serde_json::to_string(&page).expect("a page is plain data with text keys"),
        });
        self.add_head(&mut change, before);
        self.add_wake(&mut change, before, ended, goes_on, &mut handed);
        self.add_desk(&mut change, before);
        self.add_search(&mut change, before);
        self.add_rows(&mut change, &mut handed);
        if ended
            && self.base != Base::New
            && self.state.head.key.is_some()
            && !self.ready.keeps_key()
        {
            let scope = business_scope(&self.state.head.workflow);
            change.add(KeyGone {
                scope,
                value: self.state.head.key.clone().unwrap_or_default(),
            });
        }
        Handover {
            change,
            handed,
            next: next_state,
            bytes,
            text_bytes,
        }
    }

    fn refresh_case_fields(&mut self, before: &Before) {
        if self.ready.has_no_case() {
            return;
        }
        match tongban_core::case_fields(&self.ready.program, &self.state.flow, &self.env) {
            Ok(fields) => {
                // With the applicant nothing has run yet: the title that the steps gave stays.
                let title = fields.title.filter(|_| !self.state.desk.is_sent_back());
                if let Some(title) = title {
                    self.state.head.title = title;
                }
                self.state.memory.search = fields.search;
            }
            // The case goes on without; whoever looks for it sees why in the log and in its history.
            Err(error) => {
                let detail = error.detail.unwrap_or(error.title);
                tracing::warn!(
                    instance = self.id(),
                    detail,
                    "the case's title and search fields could not be evaluated"
                );
                self.state.memory.search.clone_from(&before.search);
            }
        }
    }

    fn next_state(
        &mut self,
        ended: bool,
        mut page: Page,
    ) -> (Next, Option<Arc<State>>, usize, Page) {
        // A case with a number is referred to by others: what it came to stays readable.
        let keeps_last = self.state.memory.had_work
            || !self.state.head.number.is_empty()
            || matches!(
                self.state.flow.status(),
                Status::Faulted | Status::Cancelled
            )
            || self.base != Base::New;
        if ended && !keeps_last {
            return (Next::Ended, None, 0, page);
        }
        let encoded = self.state.encode();
        let mut large = 0;
        for (digest, value) in encoded.blobs {
            large += usize::try_from(value.weight()).unwrap_or(usize::MAX);
            if self.state.blobs.insert(digest.clone()) {
                self.out.blobs.push((digest, value));
            }
        }
        if ended {
            page.last = Some(Box::new(LastState {
                body: encoded.body,
                blobs: self.state.blobs.clone(),
            }));
            return (Next::Ended, None, 0, page);
        }
        let bytes = encoded.body.len() + large;
        let state = Arc::new(self.state.clone());
        (
            Next::Running {
                format: encoded.format,
                body: encoded.body,
            },
            Some(state),
            bytes,
            page,
        )
    }

    fn add_head(&mut self, change: &mut Change, before: &Before) {
        let flow = &self.state.flow;
        let head = &self.state.head;
        let now = face(&self.state);
        let ended = flow.status().has_ended();
        let output = (flow.status() == Status::Completed)
            .then(|| head_output(secret::masked(flow.output()), &mut self.out.blobs));
        let last_error = flow
            .error()
            .map(|error| secret::masked(&error.to_value()).to_json());
        let ended_at_ms = ended.then_some(self.now_ms);
        let purge_at_ms = ended_at_ms
            .zip(self.node.settings.keep_ended_ms)
            .map(|(at, keep)| at + keep);
        let unit_id = head.starter.unit.clone();
        let status = now.status.to_owned();
        if self.base == Base::New {
            change.add(InstanceRow {
                id: flow.id().to_owned(),
                workflow: head.workflow.clone(),
                bundle: head.bundle.clone(),
                number: (!head.number.is_empty()).then(|| head.number.clone()),
                status,
                wait: now.wait,
                last_error,
                business_key: head.key.clone(),
                title: now.title.or_else(|| self.ready.title()),
                unit_id,
                starter_id: (!head.starter.user.is_empty()).then(|| head.starter.user.clone()),
                parent_id: head.parent.as_ref().map(|parent| parent.instance.clone()),
                output,
                started_at_ms: head.started_ms,
                changed_at_ms: self.now_ms,
                ended_at_ms,
                purge_at_ms,
            });
            for party in parties_of(head, &self.organisation, flow.id(), self.now_ms) {
                self.out
                    .party(party.principal, &party.instance_id, &party.why, party.at_ms);
            }
            return;
        }
        if before.face.as_ref() != Some(&now)
            || ended
            || self.out.touched
            || matches!(self.base, Base::Ended(_))
        {
            change.add(HeadUpdate {
                id: flow.id().to_owned(),
                status,
                wait: now.wait,
                last_error,
                title: now.title.or_else(|| self.ready.title()),
                unit_id,
                output,
                changed_at_ms: self.now_ms,
                ended_at_ms,
                purge_at_ms,
                number: (!head.number.is_empty()).then(|| head.number.clone()),
                business_key: head.key.clone(),
            });
        }
    }

    fn add_wake(
        &mut self,
        change: &mut Change,
        before: &Before,
        ended: bool,
        goes_on: bool,
        handed: &mut Vec<Handed>,
    ) {
        let id = self.id().to_owned();
        let now_due = if ended { None } else { wake_ms(&self.state) };
        if goes_on {
            // Owned until the lease ends; this node goes on at once, behind whoever waits.
            let ready_at_ms = self.now_ms + self.node.settings.lease_ms;
            change.add(Wake {
                instance_id: id.clone(),
                ready_at_ms,
            });
            handed.push(Handed::Wake(id));
            return;
        }
        match now_due {
            // Written whenever a timer is left: the row may have been claimed, and then says another time.
            Some(ready_at_ms)
                if before.due_ms != Some(ready_at_ms)
                    || ready_at_ms <= self.now_ms
                    || self.woken =>
            {
                if ready_at_ms - self.now_ms < SOON_MS {
                    handed.push(Handed::Soon);
                }
                change.add(Wake {
                    instance_id: id,
                    ready_at_ms,
                });
            }
            Some(_) => {}
            None if self.base != Base::New && (before.has_wake || self.woken) => {
                change.add(WakeGone { instance_id: id })
            }
            None => {}
        }
    }

    fn add_rows(&mut self, change: &mut Change, handed: &mut Vec<Handed>) {
        let id = self.id().to_owned();
        let out = std::mem::take(&mut self.out);
        ring(&out, handed);
        for run_id in out.acts_gone {
            change.add(ActGone {
                instance_id: id.clone(),
                run_id,
            });
        }
        for act in out.acts {
            handed.push(Handed::Act(act.clone()));
            change.add(act);
        }
        for told in out.told {
            let body = Value::from_json(&told.body).unwrap_or(Value::Null);
            let content = Told {
                id: told.id.clone(),
                kind: told.kind.clone(),
                body,
            };
            handed.push(Handed::Told(told.instance_id.clone(), content));
            change.add(told);
        }
        for born in out.born {
            handed.push(Handed::Wake(born.child.id.clone()));
            change.children.push(born.child);
            change.add(born.head);
            change.add(born.history);
            change.add(born.wake);
            born.parties.into_iter().for_each(|party| change.add(party));
        }
        for (digest, value) in out.blobs {
            change.add(BlobRow {
                instance_id: id.clone(),
                digest,
                body: value.to_json(),
            });
        }
        change.inbox_taken = out.taken;
        change.keys = out.keys;
        change.records = record_rows(out.writes, &id);
        change.audit = out.audit;
        out.subscriptions_gone
            .into_iter()
            .for_each(|row| change.add(row));
        out.subscriptions
            .into_iter()
            .for_each(|row| change.add(row));
        out.events.into_iter().for_each(|row| change.add(row));
        out.heard.into_iter().for_each(|row| change.add(row));
        out.decisions.into_iter().for_each(|row| change.add(row));
        out.clock_entries
            .into_iter()
            .for_each(|row| change.add(row));
        out.parties.into_iter().for_each(|row| change.add(row));
        out.mails.into_iter().for_each(|row| change.add(row));
        out.links.into_iter().for_each(|row| change.add(row));
        out.links_used.into_iter().for_each(|row| change.add(row));
        out.access.into_iter().for_each(|row| change.add(row));
        out.grants.into_iter().for_each(|row| change.add(row));
        out.incidents.into_iter().for_each(|row| change.add(row));
    }
}

/// The output as the head of the instance has it: a large one is in a blob.
fn head_output(output: Value, blobs: &mut Vec<(String, Value)>) -> String {
    if output.weight() <= OUTPUT_BYTES {
        return output.to_json();
    }
    let digest = output.text_digest();
    let reference = format!("{BLOB_MARK}{digest}");
    blobs.push((digest, output));
    reference
}

/// The jobs of this node that have something to look at.
fn ring(out: &Out, handed: &mut Vec<Handed>) {
    if !out.mails.is_empty() {
        handed.push(Handed::Mails);
    }
    if !out.events.is_empty() {
        handed.push(Handed::Events);
    }
    if !out.subscriptions.is_empty() {
        handed.push(Handed::Listeners);
    }
}

/// The earliest time at which either side wants to be woken.
pub fn wake_ms(state: &State) -> Option<i64> {
    if state.flow.status() != Status::Running {
        return None;
    }
    match (state.flow.next_due_ms(), state.desk.next_due_ms()) {
        (Some(flow), Some(desk)) => Some(flow.min(desk)),
        (flow, desk) => flow.or(desk),
    }
}

fn face(state: &State) -> Face {
    let title = &state.head.title;
    Face {
        status: status_word(state.flow.status()),
        wait: wait_word(state),
        title: (!title.is_empty()).then(|| title.clone()),
    }
}

/// What the instance waits for: the public word of its state, or the kind of its first live task.
fn wait_word(state: &State) -> Option<String> {
    let word = state.desk.state_word().or_else(|| state.flow.state_word());
    let kind = || {
        state.flow.live().first().map(|task| {
            if task.kind == "call" {
                "work"
            } else {
                task.kind
            }
        })
    };
    word.or_else(kind).map(str::to_owned)
}
