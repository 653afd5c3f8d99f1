//! Calls that leave the machine: the intent is a row until its outcome is known.

use crate::db::{Bulk, Kind, statements};
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `act`.
    ActRow: Insert "act" key(instance_id, run_id) {
        /// The instance.
        instance_id: String,
        /// The entry into the task.
        run_id: String,
        /// The function.
        function: String,
        /// The connector whose limits apply.
        connector: Option<String>,
        /// The idempotency key.
        key: String,
        /// The arguments, JSON.
        args: String,
        /// How often it was begun; the first is counted by the insert.
        attempt: i64,
        /// The claim that may report a failure.
        token: Option<String>,
        /// The last error, problem+json.
        error: Option<String>,
        /// The task's timeout.
        deadline_ms: Option<i64>,
        /// Due when at or before now; a claim or lease pushes it ahead.
        ready_at_ms: i64,
    }
    /// The outcome is known, or the intent is withdrawn.
    ActGone: Delete "act" key(instance_id, run_id) {
        /// The instance.
        instance_id: String,
        /// The entry into the task.
        run_id: String,
    }
}

statements! {
    // Numbered parameters first, then the functions that this worker performs.
    ACT_CLAIM = bulk(FUNCTION,
        "WITH due AS MATERIALIZED (
             SELECT a.instance_id, a.run_id FROM act a
             WHERE a.ready_at_ms <= $1 AND a.function IN (SELECT r.function FROM {rows})
             ORDER BY a.ready_at_ms LIMIT $4 {lock:a})
         UPDATE act SET ready_at_ms = $2, token = $3, attempt = act.attempt + 1 FROM due
         WHERE act.instance_id = due.instance_id AND act.run_id = due.run_id
         RETURNING act.instance_id, act.run_id, act.function, act.connector, act.key, act.args, act.attempt, act.token, act.error, act.deadline_ms, act.ready_at_ms");
    ACT_RENEW = same(
        "UPDATE act SET ready_at_ms = $4 WHERE instance_id = $1 AND run_id = $2 AND token = $3");
    ACT_FAILED = same(
        "UPDATE act SET ready_at_ms = $4, error = $5, token = NULL
         WHERE instance_id = $1 AND run_id = $2 AND token = $3");
    // The claim counted an attempt that was none.
    ACT_WAITS = same(
        "UPDATE act SET ready_at_ms = $4, error = $5, token = NULL, attempt = attempt - 1
         WHERE instance_id = $1 AND run_id = $2 AND token = $3");
    ACT_READ = same("SELECT instance_id, run_id, function, connector, key, args, attempt, token, error, deadline_ms, ready_at_ms FROM act WHERE instance_id = $1 AND run_id = $2");
    ACTS_OF = same("SELECT instance_id, run_id, function, connector, key, args, attempt, token, error, deadline_ms, ready_at_ms FROM act WHERE instance_id = $1 ORDER BY run_id");
    ACT_NEXT = same("SELECT MIN(ready_at_ms) FROM act");
}

const FUNCTION: &[(&str, Kind)] = &[("function", Kind::Text)];

impl Store {
    /// Claims due acts of some functions until `until_ms`, each under `token` and with its attempt counted.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn act_claim(
        &self,
        functions: &[&str],
        token: &str,
        now_ms: i64,
        until_ms: i64,
        limit: i64,
    ) -> Result<Vec<ActRow>, StoreError> {
        let functions = Bulk::texts(functions.iter().copied());
        let call = ACT_CLAIM
            .call()
            .int(now_ms)
            .int(until_ms)
            .text(token)
            .int(limit)
            .rows(&functions);
        let mut rows: Vec<ActRow> = self.inner.write(call).await?;
        rows.sort_by(|left, right| {
            (&left.instance_id, &left.run_id).cmp(&(&right.instance_id, &right.run_id))
        });
        Ok(rows)
    }

    /// Prolongs a lease; `false` when the row is gone or another claim has it.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn act_renew(
        &self,
        instance_id: &str,
        run_id: &str,
        token: &str,
        until_ms: i64,
    ) -> Result<bool, StoreError> {
        let call = ACT_RENEW
            .call()
            .text(instance_id)
            .text(run_id)
            .text(token)
            .int(until_ms);
        Ok(self.inner.execute(call).await? > 0)
    }

    /// Gives a claim back: the act is due again at `at_ms`, with what went wrong.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn act_release(
        &self,
        instance_id: &str,
        run_id: &str,
        token: &str,
        at_ms: i64,
        error: Option<&str>,
    ) -> Result<bool, StoreError> {
        let call = ACT_FAILED
            .call()
            .text(instance_id)
            .text(run_id)
            .text(token)
            .int(at_ms)
            .text(error);
        Ok(self.inner.execute(call).await? > 0)
    }

    /// Gives back an act that was claimed and not begun: its connector has no place for it. `why` is what lists show.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn act_waits(
        &self,
        instance_id: &str,
        run_id: &str,
        token: &str,
        at_ms: i64,
        why: &str,
    ) -> Result<bool, StoreError> {
        let call = ACT_WAITS
            .call()
            .text(instance_id)
            .text(run_id)
            .text(token)
            .int(at_ms)
            .text(why);
        Ok(self.inner.execute(call).await? > 0)
    }

    /// One act.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn act(&self, instance_id: &str, run_id: &str) -> Result<Option<ActRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| ACT_READ.call().text(instance_id).text(run_id))
            .await?
            .pop())
    }

    /// The acts of an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn acts_of(&self, instance_id: &str) -> Result<Vec<ActRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| ACTS_OF.call().text(instance_id))
            .await?)
    }

    /// The earliest time at which any act may be claimed.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn act_next(&self) -> Result<Option<i64>, StoreError> {
        let rows: Vec<(Option<i64>,)> = self.inner.fetch(|| ACT_NEXT.call()).await?;
        Ok(rows.first().and_then(|(at,)| *at))
    }
}
