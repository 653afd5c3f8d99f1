//! Gated steps in a running case: a level reviews when its children are complete or excused.
//!
//! An item of such a step is always held when it is opened; the case then sends itself a message. The message is handled
//! after the hold was committed, so of two cases that arrive at once the later one sees the other: whoever finds the batch
//! complete opens its own item and tells the others, which look again for themselves.

use std::sync::Arc;

use tongban_core::Status;
use tongban_expr::{Value, value};
use tongban_store::BatchStep;
use tongban_work::Status as ItemStatus;

use crate::activation::Activation;
use crate::error::RuntimeError;
use crate::inputs::text;

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
        let fields = self.shared(&by);
        if self
            .node
            .store
            .batch_lacks(self.batch(&fields, &path))
            .await?
        {
            return Ok(());
        }
        let outs = self.at_desk(|desk, world| desk.release(n, world));
        self.take_outs(outs);
        if body.get("arrived").and_then(Value::as_bool) == Some(true) {
            self.tell_held(&fields, &path).await?;
        }
        Ok(())
    }

    /// A case that ended is not waited for any more: those that are held look again. Whether anybody else is missing is
    /// theirs to see, once this is durable: of two that end at once neither knows of the other.
    pub(crate) async fn leave_gates(&mut self, status: Status) -> Result<(), RuntimeError> {
        if !matches!(status, Status::Completed | Status::Cancelled) {
            return Ok(());
        }
        let ready = Arc::clone(&self.ready);
        for gate in &ready.gates {
            let fields = self.shared(&gate.by);
            self.tell_held(&fields, &gate.path).await?;
        }
        Ok(())
    }

    /// Those whose item is held look for themselves.
    async fn tell_held(
        &mut self,
        fields: &[(String, String)],
        path: &str,
    ) -> Result<(), RuntimeError> {
        let held = self.node.store.batch_held(self.batch(fields, path)).await?;
        let own = self.id().to_owned();
        for instance in held {
            self.tell(
                &instance,
                format!("gate:{own}:{path}"),
                "gate",
                &value!({ "path": (path) }),
            );
        }
        Ok(())
    }

    /// The fields that the cases of the batch share, in the order of the gate; none when this case lacks one of them.
    fn shared(&self, by: &[String]) -> Vec<(String, String)> {
        let own = &self.state.memory.search;
        let fields = by
            .iter()
            .map(|name| own.iter().find(|(field, _)| field == name));
        let fields: Option<Vec<(String, String)>> = fields.map(|field| field.cloned()).collect();
        fields.unwrap_or_default()
    }

    fn batch<'s>(&'s self, fields: &'s [(String, String)], path: &'s str) -> BatchStep<'s> {
        BatchStep {
            workflow: &self.state.head.workflow,
            fields,
            path,
            except: self.id(),
        }
    }
}
