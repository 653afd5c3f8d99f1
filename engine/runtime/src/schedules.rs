//! Schedules: one tick starts at most one instance, on any number of nodes.

use std::sync::Arc;

use tongban_store::{KeyRow, ScheduleRow, ScheduleTicked};

use crate::error::RuntimeError;
use crate::lane::Class;
use crate::node::Node;
use crate::request::Caller;
use crate::start::Beginning;
use crate::timetable::{CatchUp, PACE_MS, Timetable, zone};

/// How often a schedule that waits for the end of a run looks whether it has ended.
const LOOK_MS: i64 = 5_000;

/// What stands for "never again" where a time is expected.
const FAR_MS: i64 = 253_402_300_799_999;

impl Node {
    /// Starts what is due; true when there was something.
    pub(crate) async fn tick_schedules(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let now_ms = self.clock.now_ms();
        // Looked at without a claim: two nodes may look at the same tick, its key lets one of them start.
        let due = self.store.schedules_due(now_ms, 100).await?;
        let some = !due.is_empty();
        for schedule in due {
            if let Err(error) = self.tick(&schedule, now_ms).await {
                tracing::error!(schedule = schedule.id, %error, "a schedule could not tick");
                self.ticked(&schedule, schedule.last_tick_ms, now_ms + LOOK_MS)
                    .await?;
            }
        }
        Ok(some)
    }

    async fn tick(
        self: &Arc<Self>,
        schedule: &ScheduleRow,
        now_ms: i64,
    ) -> Result<(), RuntimeError> {
        let wrong =
            |error: crate::timetable::TimetableError| RuntimeError::Internal(error.to_string());
        let table: Timetable = schedule.spec.parse().map_err(wrong)?;
        if let Timetable::After(pause_ms) = table {
            return self
                .tick_after(schedule, pause_ms.max(PACE_MS), now_ms)
                .await;
        }
        let zone = zone(&schedule.zone).map_err(wrong)?;
        let catch_up = match schedule.catch_up.as_str() {
            "once" => CatchUp::Once,
            "all" => CatchUp::All,
            _ => CatchUp::Skip,
        };
        let ticks = table
            .due(schedule.ready_at_ms, now_ms, &zone, catch_up)
            .map_err(wrong)?;
        for tick in &ticks.starts {
            self.start_tick(schedule, *tick).await?;
        }
        self.ticked(
            schedule,
            Some(ticks.last_ms),
            ticks.next_ms.unwrap_or(FAR_MS),
        )
        .await
    }

    /// The next run begins so long after the last one ended.
    async fn tick_after(
        self: &Arc<Self>,
        schedule: &ScheduleRow,
        pause_ms: i64,
        now_ms: i64,
    ) -> Result<(), RuntimeError> {
        if let Some(last) = schedule.last_tick_ms {
            let holder = self
                .store
                .key_holder(&scope(schedule), &last.to_string())
                .await?;
            let head = match holder.and_then(|holder| holder.instance_id) {
                Some(instance) => self.store.instance_head(&instance).await?,
                None => None,
            };
            let ended_ms = head.as_ref().and_then(|head| head.ended_at_ms);
            if head.is_some() && ended_ms.is_none() {
                return self
                    .ticked(schedule, Some(last), now_ms + LOOK_MS.min(pause_ms))
                    .await;
            }
            if let Some(due_ms) = ended_ms
                .map(|ended| ended + pause_ms)
                .filter(|due| *due > now_ms)
            {
                return self.ticked(schedule, Some(last), due_ms).await;
            }
        }
        // Both nodes name the tick by when it was due, so that one of them starts it.
        let tick = schedule.ready_at_ms;
        self.start_tick(schedule, tick).await?;
        self.ticked(schedule, Some(tick), now_ms + LOOK_MS.min(pause_ms))
            .await
    }

    async fn start_tick(
        self: &Arc<Self>,
        schedule: &ScheduleRow,
        tick: i64,
    ) -> Result<(), RuntimeError> {
        let key = KeyRow {
            scope: scope(schedule),
            value: tick.to_string(),
            digest: String::new(),
            instance_id: None,
            answer: None,
            // Long enough that no node looks at this tick again, and the last run can be found by it.
            expires_at_ms: Some(self.clock.now_ms() + 400 * 86_400_000),
        };
        let ready = self.bundles.find(self, &schedule.workflow, None).await?;
        let beginning = Beginning {
            input: tongban_expr::value!({}),
            caller: Caller::system(),
            keys: vec![key],
            link: None,
            schedule: Some(schedule.id.clone()),
            class: Class::Background,
        };
        match self.begin(ready, beginning).await {
            Ok(_) => Ok(()),
            // Another node had it.
            Err(RuntimeError::Conflict { key, .. }) if key == tick.to_string() => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn ticked(
        &self,
        schedule: &ScheduleRow,
        last_tick_ms: Option<i64>,
        ready_at_ms: i64,
    ) -> Result<(), RuntimeError> {
        let mut change = tongban_store::Change::without_instance(self.clock.now_ms());
        change.add(ScheduleTicked {
            id: schedule.id.clone(),
            last_tick_ms,
            ready_at_ms,
        });
        self.commit(Class::Background, change).await?;
        Ok(())
    }
}

fn scope(schedule: &ScheduleRow) -> String {
    format!("tick:{}", schedule.id)
}
