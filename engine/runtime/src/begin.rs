//! How an instance begins and how it ends.

use tongban_core::{Error, Event, Status};
use tongban_expr::Value;
use tongban_plugin::{NumberPattern, Records};
use tongban_store::{IncidentRow, KeyRow};

use crate::activation::{Activation, Barred};
use crate::error::RuntimeError;

/// The scope of business keys of one workflow.
pub fn business_scope(workflow: &str) -> String {
    format!("business:{workflow}")
}

impl Activation<'_> {
    /// The first activation's first input: the case gets its number, and the flow starts.
    pub(crate) async fn begin(&mut self, input: Value) -> Result<(), RuntimeError> {
        self.draw_number().await?;
        self.queue.push_back(Event::Start { input });
        self.run().await?;
        self.take_key();
        self.run().await?;
        self.report_objection(None);
        Ok(())
    }

    async fn draw_number(&mut self) -> Result<(), RuntimeError> {
        let Some(pattern) = self.ready.number_pattern() else {
            return Ok(());
        };
        if !self.state.head.number.is_empty() {
            return Ok(());
        }
        let pattern = NumberPattern::parse_case(pattern)
            .map_err(|fault| RuntimeError::Internal(fault.to_string()))?;
        let today = self.node.local_date(self.now_ms);
        let unit = self.state.head.starter.unit.clone().unwrap_or_default();
        let drawn = if pattern.has_sequence() {
            let sequence = format!(
                "{}:{}",
                self.state.head.workflow,
                pattern.sequence(&today, &unit)
            );
            let drawn = self.node.records().draw(&sequence, 1).await;
            drawn.map_err(|failure| RuntimeError::Internal(failure.detail))?
        } else {
            0
        };
        self.state.head.number = pattern.number(&today, &unit, drawn);
        self.refresh_environment();
        Ok(())
    }

    /// The business key: unique among the running instances of the workflow, or for ever.
    fn take_key(&mut self) {
        if self.ready.has_no_case() || self.state.head.key.is_some() {
            return;
        }
        let fields = tongban_core::case_fields(&self.ready.program, &self.state.flow, &self.env);
        let Some(key) = fields.ok().and_then(|fields| fields.key) else {
            return;
        };
        let ended = self.state.flow.status().has_ended();
        if ended && !self.ready.keeps_key() {
            return;
        }
        let holder = self.barred.iter().find_map(|barred| match barred {
            Barred::Business {
                key: held,
                instance,
            } if *held == key => Some(instance),
            _ => None,
        });
        if let Some(instance) = holder {
            // A case that was started by another one (or by a schedule) cannot be refused to anybody: it ends.
            self.queue.push_back(Event::Cancel {
                reason: format!("the key `{key}` is held by the case {instance}"),
            });
            return;
        }
        self.out.keys.push(KeyRow {
            scope: business_scope(&self.state.head.workflow),
            value: key.clone(),
            digest: String::new(),
            instance_id: Some(self.id().to_owned()),
            answer: None,
            expires_at_ms: None,
        });
        self.state.head.key = Some(key);
    }

    pub(crate) fn finish(&mut self, status: Status, output: &Value, error: Option<&Error>) {
        self.report(status, output, error);
        if let (Status::Faulted, Some(error)) = (status, error) {
            self.incident("fault", error);
        }
    }

    /// Something that an operator has to look at.
    pub(crate) fn incident(&mut self, kind: &str, error: &Error) {
        let error = error.to_value();
        self.out.incidents.push(IncidentRow {
            id: self.node.ids.uuid(self.now_ms),
            instance_id: Some(self.id().to_owned()),
            kind: kind.to_owned(),
            error: tongban_expr::secret::masked(&error).to_json(),
            at_ms: self.now_ms,
            closed_by: None,
            closed_at_ms: None,
        });
    }

    /// A finished case is opened again at one of its tasks.
    pub(crate) fn reopened(&mut self, body: &Value) {
        let (at, by) = (
            crate::inputs::text(body, "at"),
            crate::inputs::text(body, "by"),
        );
        let mut jump = tongban_core::Jump::operator(
            tongban_core::Target::Task(at.to_owned()),
            by,
            crate::inputs::text(body, "reason"),
        );
        if self.state.flow.status().has_ended() {
            jump.right = tongban_core::Right::Revive;
        }
        self.queue.push_back(Event::jump(jump));
    }
}
