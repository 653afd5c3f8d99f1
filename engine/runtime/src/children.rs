//! Children: born with their parent's change, ended by a message to it.

use std::sync::Arc;

use tongban_core::{Error, ErrorKind, Status};
use tongban_expr::{Value, value};
use tongban_store::{Child, HistoryRow, InstanceRow, Wake};

use crate::activation::Activation;
use crate::bundles::{COLLECTOR, Ready};
use crate::error::RuntimeError;
use crate::inputs::{returned, status_word, text};
use crate::out::Born;
use crate::parties::parties_of;
use crate::state::{CaseHead, CaseLink, Parent, State};

/// How deep children nest.
const DEPTH_MAX: u32 = 32;
/// How many cases one that nobody started from a case may start; each level below may start a tenth of it.
const BORN_MAX: u64 = 1_000_000;

/// How many cases one at this depth may start: cases that start themselves twice end soon, and so does what grows by them.
fn born_max(depth: u32) -> u64 {
    (BORN_MAX / 10_u64.saturating_pow(depth)).max(1)
}

impl Activation<'_> {
    pub(crate) async fn start_child(
        &mut self,
        run_id: &str,
        workflow: &str,
        version: &str,
        input: Value,
        awaited: bool,
    ) -> Result<(), RuntimeError> {
        let version = (version != "latest").then_some(version);
        if let Some(own) = self.ready.digest.strip_suffix(COLLECTOR) {
            // What starts a workflow on events starts the very version that it listens for.
            let ready = self.node.bundles.get(self.node, own).await?;
            let parent = Parent {
                instance: self.id().to_owned(),
                run_id: run_id.to_owned(),
                item: None,
                awaited: false,
            };
            if let Err(detail) = self.bear(&ready, parent, input) {
                self.incident("schedule", &Error::new(ErrorKind::Runtime, detail));
            }
            // It goes on listening, whatever became of this start.
            self.queue.push_back(returned(run_id, Ok(Value::Null)));
            return Ok(());
        }
        let ready = match self.node.bundles.find(self.node, workflow, version).await {
            Ok(ready) => ready,
            Err(RuntimeError::NotFound { .. }) => {
                let detail = format!(
                    "there is no workflow `{workflow}`{}",
                    version
                        .map(|v| format!(" of version {v}"))
                        .unwrap_or_default()
                );
                self.fail(run_id, ErrorKind::Configuration, detail);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let parent = Parent {
            instance: self.id().to_owned(),
            run_id: run_id.to_owned(),
            item: None,
            awaited,
        };
        match self.bear(&ready, parent, input) {
            Ok(child) if awaited => {
                self.state.memory.children.insert(run_id.to_owned(), child);
            }
            // A detached child is answered at once: the task does not wait for its end.
            Ok(_) => self.answered(run_id, Ok(Value::Null)),
            Err(detail) => self.fail(run_id, ErrorKind::Runtime, detail),
        }
        Ok(())
    }

    /// Puts a new instance into this change; it begins by itself as soon as the change is durable.
    pub(crate) fn bear(
        &mut self,
        ready: &Arc<Ready>,
        parent: Parent,
        input: Value,
    ) -> Result<String, String> {
        let above = &self.state.head;
        if above.depth >= DEPTH_MAX {
            return Err(format!("cases may nest {DEPTH_MAX} deep"));
        }
        let most = born_max(above.depth);
        // What listens for events stays for ever and starts a case for each.
        if self.state.memory.born >= most && !self.ready.digest.ends_with(COLLECTOR) {
            let depth = above.depth;
            return Err(format!(
                "a case that lies {depth} below the first one starts at most {most} cases"
            ));
        }
        self.state.memory.born += 1;
        let id = self.node.ids.uuid(self.now_ms);
        let parent_id = parent.instance.clone();
        let head = CaseHead {
            workflow: ready.bundle.workflow.clone(),
            version: ready.bundle.version.clone(),
            bundle: ready.bundle.digest.clone(),
            starter: above.starter.clone(),
            link: Some(Box::new(CaseLink {
                instance: self.id().to_owned(),
                number: above.number.clone(),
                workflow: above.workflow.clone(),
                outcome: Value::Null,
                notice: None,
            })),
            parent: Some(parent),
            depth: above.depth + 1,
            started_ms: self.now_ms,
            nonce: ready
                .uses_secrets
                .then(|| crate::link::nonce_text(self.node.ids.nonce())),
            ..CaseHead::default()
        };
        let row = self.head_of_child(&id, &head, parent_id, ready);
        let parties = parties_of(&head, &self.organisation, &id, self.now_ms);
        let mut state = State::new(&id, head);
        state.memory.newborn = Some(input);
        let encoded = state.encode();
        self.out.born.push(Born {
            child: Child {
                id: id.clone(),
                format: encoded.format,
                body: encoded.body,
            },
            head: row,
            history: HistoryRow {
                instance_id: id.clone(),
                version: 1,
                at_ms: self.now_ms,
                actor: None,
                body: "{\"h\":[]}".to_owned(),
            },
            // Its first activation is this node's until the lease ends.
            wake: Wake {
                instance_id: id.clone(),
                ready_at_ms: self.now_ms + self.node.settings.lease_ms,
            },
            parties,
        });
        Ok(id)
    }

    fn head_of_child(
        &self,
        id: &str,
        head: &CaseHead,
        parent_id: String,
        ready: &Ready,
    ) -> InstanceRow {
        let unit_id = head.starter.unit.clone();
        let starter_id = (!head.starter.user.is_empty()).then(|| head.starter.user.clone());
        InstanceRow {
            id: id.to_owned(),
            workflow: head.workflow.clone(),
            bundle: head.bundle.clone(),
            status: status_word(Status::Running).to_owned(),
            wait: Some("start".to_owned()),
            title: ready.title(),
            unit_id,
            starter_id,
            parent_id: Some(parent_id),
            started_at_ms: self.now_ms,
            changed_at_ms: self.now_ms,
            ..InstanceRow::default()
        }
    }

    /// The report counts for the very child that is awaited: where a block runs again, the run id is that of an older
    /// child too.
    pub(crate) fn child_ended(&mut self, body: &Value) {
        let run_id = text(body, "runId");
        let child = text(body, "child");
        if self
            .state
            .memory
            .children
            .get(run_id)
            .is_some_and(|known| known == child)
        {
            self.state.memory.children.remove(run_id);
            self.queue.push_back(returned(run_id, child_result(body)));
        }
    }

    pub(crate) fn cancel_child(&mut self, child: &str, run_id: &str) {
        let body = value!({ "reason": "the case that waited for this one does so no more", "by": (self.id()) });
        let cause = format!("cancel:{}:{run_id}", self.id());
        self.tell(child, cause, "cancel", &body);
    }

    /// Tells the parent, and the case whose notice this one objects to, how this instance ended.
    pub(crate) fn report(&mut self, status: Status, output: &Value, error: Option<&Error>) {
        let own = self.id().to_owned();
        if let Some(parent) = self
            .state
            .head
            .parent
            .clone()
            .filter(|parent| parent.awaited)
        {
            let item = parent.item.and_then(|item| i64::try_from(item).ok());
            let body = value!({
                "runId": (parent.run_id.as_str()),
                "child": (own.as_str()),
                "item": (item.map_or(Value::Null, Value::from)),
                "status": (status_word(status)),
                "output": (if item.is_some() { Value::Null } else { output.clone() }),
                "error": (error.map_or(Value::Null, Error::to_value))
            });
            let kind = if parent.item.is_some() {
                "item"
            } else {
                "child"
            };
            self.tell(&parent.instance, format!("{kind}:{own}"), kind, &body);
        }
        self.report_objection(Some(
            output
                .get("outcome")
                .and_then(Value::as_str)
                .unwrap_or(status_word(status)),
        ));
    }

    /// Tells the case whose notice this one objects to that it began (no outcome) or ended.
    pub(crate) fn report_objection(&mut self, outcome: Option<&str>) {
        let Some(link) = self.state.head.link.clone() else {
            return;
        };
        let Some(notice) = link.notice else {
            return;
        };
        let own = self.id().to_owned();
        let body = value!({
            "n": (i64::from(notice)), "number": (self.state.head.number.as_str()), "instance": (own.as_str()),
            "outcome": (outcome.map_or(Value::Null, Value::from))
        });
        let stage = if outcome.is_some() { "ended" } else { "began" };
        self.tell(
            &link.instance,
            format!("objection:{own}:{stage}"),
            "objection",
            &body,
        );
    }
}

fn child_result(body: &Value) -> Result<Value, Error> {
    match text(body, "status") {
        "completed" => Ok(body.get("output").cloned().unwrap_or(Value::Null)),
        "cancelled" => Err(Error::new(
            ErrorKind::Runtime,
            "the case that was started here was cancelled",
        )),
        _ => Err(Error::from_value(body.get("error").unwrap_or(&Value::Null))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_itself_twice_ends_soon_and_what_starts_itself_once_goes_as_deep_as_ever() {
        let all = |each: u64| {
            (0..DEPTH_MAX).fold((1_u64, 1_u64), |(cases, level), depth| {
                let level = level.saturating_mul(each.min(born_max(depth)));
                (cases.saturating_add(level), level)
            })
        };
        assert_eq!(all(1).0, 33);
        assert!(all(2).0 < 2_000, "{:?}", all(2));
        assert_eq!(
            (born_max(0), born_max(3), born_max(31)),
            (1_000_000, 1_000, 1)
        );
    }
}
