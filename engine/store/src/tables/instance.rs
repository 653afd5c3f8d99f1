//! The head of an instance (what lists need) and its history.

use crate::db::{Bulk, Kind, statements};
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `instance`: written when it is born.
    InstanceRow: Insert "instance" key(id) {
        /// UUIDv7 text.
        id: String,
        /// `namespace/name`.
        workflow: String,
        /// The digest of the bundle it runs.
        bundle: String,
        /// The case number, when the workflow has one.
        number: Option<String>,
        /// `running`, `suspended`, `faulted`, `completed`, `cancelled`, or the author's word for the end.
        status: String,
        /// What it waits for, in words of the runtime.
        wait: Option<String>,
        /// The last error, problem+json.
        last_error: Option<String>,
        /// The business key.
        business_key: Option<String>,
        /// The title for lists.
        title: Option<String>,
        /// The unit to which it belongs.
        unit_id: Option<String>,
        /// The person who started it.
        starter_id: Option<String>,
        /// The parent instance.
        parent_id: Option<String>,
        /// The output, JSON, once ended.
        output: Option<String>,
        /// When it started.
        started_at_ms: i64,
        /// When its head changed last.
        changed_at_ms: i64,
        /// When it ended.
        ended_at_ms: Option<i64>,
        /// When it may be purged.
        purge_at_ms: Option<i64>,
    }
    /// New values of the head's changing columns; all of them are written.
    HeadUpdate: Update "instance" key(id) {
        /// The instance.
        id: String,
        /// The case number: a child gets it in its first own activation.
        number: Option<String>,
        /// The business key, likewise.
        business_key: Option<String>,
        /// The new status.
        status: String,
        /// What it waits for now.
        wait: Option<String>,
        /// The last error.
        last_error: Option<String>,
        /// The title.
        title: Option<String>,
        /// The unit.
        unit_id: Option<String>,
        /// The output.
        output: Option<String>,
        /// When this change was made.
        changed_at_ms: i64,
        /// When it ended.
        ended_at_ms: Option<i64>,
        /// When it may be purged.
        purge_at_ms: Option<i64>,
    }
    /// A row of `history`: the records of one activation.
    HistoryRow: Insert "history" key(instance_id, version) {
        /// The instance.
        instance_id: String,
        /// The version that the activation made.
        version: i64,
        /// When.
        at_ms: i64,
        /// Who caused it.
        actor: Option<String>,
        /// The records, JSON.
        body: String,
    }
}

statements! {
    STATE_LOAD = bulk(ID,
        "SELECT s.id, s.version, s.format, s.body FROM {rows} JOIN instance_state s ON s.id = r.id");
    HEAD_LOAD = bulk(ID,
        "SELECT i.id, i.workflow, i.bundle, i.number, i.status, i.wait, i.last_error, i.business_key, i.title,
                i.unit_id, i.starter_id, i.parent_id, i.output, i.started_at_ms, i.changed_at_ms, i.ended_at_ms,
                i.purge_at_ms
         FROM {rows} JOIN instance i ON i.id = r.id ORDER BY i.id");
    HEAD_BY_NUMBER = same(
        "SELECT id, workflow, bundle, number, status, wait, last_error, business_key, title, unit_id, starter_id, parent_id,
                output, started_at_ms, changed_at_ms, ended_at_ms, purge_at_ms
         FROM instance WHERE number = $1 ORDER BY id LIMIT 2");
    HEADS_BY_PARENT = same(
        "SELECT id, workflow, bundle, number, status, wait, last_error, business_key, title, unit_id, starter_id, parent_id,
                output, started_at_ms, changed_at_ms, ended_at_ms, purge_at_ms
         FROM instance WHERE parent_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    HISTORY_PAGE = same(
        "SELECT instance_id, version, at_ms, actor, body FROM history
         WHERE instance_id = $1 AND version > $2 ORDER BY version LIMIT $3");
    HISTORY_LAST = same(
        "SELECT instance_id, version, at_ms, actor, body FROM history
         WHERE instance_id = $1 ORDER BY version DESC LIMIT 1");
}

const ID: &[(&str, Kind)] = &[("id", Kind::Text)];

/// A row of `instance_state`: a running instance.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StateRow {
    /// The instance.
    pub id: String,
    /// Its current version.
    pub version: i64,
    /// The format of `body`.
    pub format: i64,
    /// The state.
    pub body: String,
}

impl Store {
    /// Loads the states of running instances; those that ended or never were are left out.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn instance_states(&self, ids: &[&str]) -> Result<Vec<StateRow>, StoreError> {
        let ids = Bulk::texts(ids.iter().copied());
        Ok(self.inner.fetch(|| STATE_LOAD.call().rows(&ids)).await?)
    }

    /// Loads one running instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn instance_state(&self, id: &str) -> Result<Option<StateRow>, StoreError> {
        Ok(self.instance_states(&[id]).await?.pop())
    }

    /// Loads heads by id, in the order of the ids.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn instance_heads(&self, ids: &[&str]) -> Result<Vec<InstanceRow>, StoreError> {
        let ids = Bulk::texts(ids.iter().copied());
        Ok(self.inner.fetch(|| HEAD_LOAD.call().rows(&ids)).await?)
    }

    /// Loads one head.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn instance_head(&self, id: &str) -> Result<Option<InstanceRow>, StoreError> {
        Ok(self.instance_heads(&[id]).await?.pop())
    }

    /// Finds a head by its case number; `None` when there is none or more than one.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn instance_by_number(
        &self,
        number: &str,
    ) -> Result<Option<InstanceRow>, StoreError> {
        let mut rows: Vec<InstanceRow> = self
            .inner
            .fetch(|| HEAD_BY_NUMBER.call().text(number))
            .await?;
        Ok(if rows.len() == 1 { rows.pop() } else { None })
    }

    /// A page of the children of an instance, after the given id.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn instance_children(
        &self,
        id: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| HEADS_BY_PARENT.call().text(id).text(after).int(limit))
            .await?)
    }

    /// A page of the history after a version (0 for the beginning).
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn history(
        &self,
        id: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| HISTORY_PAGE.call().text(id).int(after).int(limit))
            .await?)
    }

    /// The last row of the history.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn history_last(&self, id: &str) -> Result<Option<HistoryRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| HISTORY_LAST.call().text(id))
            .await?
            .pop())
    }
}
