//! Gated steps in a running case: a level reviews when its children are complete or excused.
//!
//! An item of such a step is always held when it is opened; the case then sends itself a message. The message is handled
//! after the hold was committed, so of two cases that arrive at once the later one sees the other: whoever finds the batch
//! complete opens its own item and tells the others, which look again for themselves.

use tongban_core::Status;
use tongban_expr::{Value, value};
use tongban_store::lists::{Filter, Seen};
use tongban_work::Status as ItemStatus;

use crate::activation::Activation;
use crate::error::RuntimeError;
use crate::inputs::text;

/// The most cases that one batch gathers.
const CASES_MAX: usize = 20_000;

impl Activation<'_> {
    /// After a step was opened: a held item asks for a look as soon as the hold is durable.
    pub(crate) fn look_at_gate(&mut self, run_id: &str) {
        let held = self
            .state
            .desk
            .items()
            .iter()
            .any(|item| item.run_id == run_id && item.status == ItemStatus::Held);
        if held {
            let id = self.id().to_owned();
            self.tell(
                &id,
                format!("gate:{run_id}"),
                "gate",
                &value!({ "runId": (run_id), "arrived": true }),
            );
        }
    }

    /// Somebody says that a batch may be complete: look, and open the item when it is.
    pub(crate) async fn gate(&mut self, body: &Value) -> Result<(), RuntimeError> {
        let path = text(body, "path");
        let run_id = text(body, "runId");
        let waiting = self
            .state
            .desk
            .items()
            .iter()
            .find(|item| {
                item.status == ItemStatus::Held && (item.run_id == run_id || item.path == path)
            })
            .map(|item| (item.n, item.path.clone()));
        let Some((n, path)) = waiting else {
            return Ok(());
        };
        let Some(gate) = self.ready.gates.iter().find(|gate| gate.path == path) else {
            return Ok(());
        };
        let by = gate.by.clone();
        let siblings = self.siblings(&by).await?;
        let arrived = self
            .node
            .store
            .instances_with_item(&siblings, &path)
            .await?;
        if arrived.len() < siblings.len() {
            return Ok(());
        }
        let outs = self.at_desk(|desk, world| desk.release(n, world));
        self.take_outs(outs);
        if body.get("arrived").and_then(Value::as_bool) == Some(true) {
            self.tell_held(&siblings, &path);
        }
        Ok(())
    }

    /// A case that ended is not waited for any more: those that are held look again.
    pub(crate) async fn leave_gates(&mut self, status: Status) -> Result<(), RuntimeError> {
        if !matches!(status, Status::Completed | Status::Cancelled) {
            return Ok(());
        }
        let gates: Vec<(String, Vec<String>)> = self
            .ready
            .gates
            .iter()
            .map(|gate| (gate.path.clone(), gate.by.clone()))
            .collect();
        for (path, by) in gates {
            let siblings = self.siblings(&by).await?;
            let there = self
                .node
                .store
                .instances_with_item(&siblings, &path)
                .await?;
            self.tell_held(&there, &path);
        }
        Ok(())
    }

    fn tell_held(&mut self, instances: &[String], path: &str) {
        let own = self.id().to_owned();
        for instance in instances.iter().filter(|instance| **instance != own) {
            self.tell(
                instance,
                format!("gate:{own}:{path}"),
                "gate",
                &value!({ "path": (path) }),
            );
        }
    }

    /// The other cases of the batch that are not done: excused and completed ones are not waited for.
    async fn siblings(&self, by: &[String]) -> Result<Vec<String>, RuntimeError> {
        let own = &self.state.memory.search;
        let fields: Vec<(String, String)> = own
            .iter()
            .filter(|(name, _)| by.contains(name))
            .cloned()
            .collect();
        if fields.len() < by.len() {
            return Ok(Vec::new());
        }
        let filter = Filter {
            workflow: Some(self.state.head.workflow.clone()),
            fields,
            ..Filter::default()
        };
        let rows = self
            .node
            .store
            .instances(Seen::All, &filter, None, CASES_MAX)
            .await?;
        let open = rows
            .into_iter()
            .filter(|row| !matches!(row.status.as_str(), "completed" | "cancelled"));
        Ok(open
            .map(|row| row.id)
            .filter(|id| id != self.id())
            .collect())
    }
}
