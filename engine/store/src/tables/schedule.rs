//! When workflows start by themselves.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `schedule`.
    ScheduleRow: Upsert "schedule" key(id) {
        /// `<workflow>#<n>`.
        id: String,
        /// The workflow.
        workflow: String,
        /// The schedule's number in the workflow.
        n: i64,
        /// Cron, every or after, JSON.
        spec: String,
        /// The time zone.
        zone: String,
        /// `skip`, `once` or `all`.
        catch_up: String,
        /// The last tick that started an instance.
        last_tick_ms: Option<i64>,
        /// The next tick; a claim pushes it ahead.
        ready_at_ms: i64,
    }
    /// After a tick.
    ScheduleTicked: Amend "schedule" key(id) {
        /// The schedule.
        id: String,
        /// The tick.
        last_tick_ms: Option<i64>,
        /// The next one.
        ready_at_ms: i64,
    }
    /// Superseded.
    ScheduleGone: Delete "schedule" key(id) {
        /// The schedule.
        id: String,
    }
}

statements! {
    SCHEDULES_DUE = same(
        "SELECT id, workflow, n, spec, zone, catch_up, last_tick_ms, ready_at_ms FROM schedule WHERE ready_at_ms <= $1
         ORDER BY ready_at_ms LIMIT $2");
    SCHEDULES_OF = same("SELECT id, workflow, n, spec, zone, catch_up, last_tick_ms, ready_at_ms FROM schedule WHERE workflow = $1 ORDER BY n");
    SCHEDULE_NEXT = same("SELECT ready_at_ms FROM schedule ORDER BY ready_at_ms LIMIT 1");
}

impl Store {
    /// Due schedules: `ready_at_ms` is the tick. Ticking twice is harmless, the key decides.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn schedules_due(
        &self,
        now_ms: i64,
        limit: i64,
    ) -> Result<Vec<ScheduleRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| SCHEDULES_DUE.call().int(now_ms).int(limit))
            .await?)
    }

    /// The schedules of a workflow.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn schedules_of(&self, workflow: &str) -> Result<Vec<ScheduleRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| SCHEDULES_OF.call().text(workflow))
            .await?)
    }

    /// The earliest tick.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn schedule_next(&self) -> Result<Option<i64>, StoreError> {
        let rows: Vec<(i64,)> = self.inner.fetch(|| SCHEDULE_NEXT.call()).await?;
        Ok(rows.first().map(|(at,)| *at))
    }
}
