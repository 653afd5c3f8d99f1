//! Applications that people have begun to fill in and not sent.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `draft`.
    DraftRow: Upsert "draft" key(person_id, workflow, follows) {
        /// The person.
        person_id: String,
        /// The workflow.
        workflow: String,
        /// The number of the case that the new one would follow; empty when it follows none.
        follows: String,
        /// What is filled in, JSON.
        body: String,
        /// When it was saved.
        saved_at_ms: i64,
    }
    /// A draft that was sent, or thrown away.
    DraftGone: Delete "draft" key(person_id, workflow, follows) {
        /// The person.
        person_id: String,
        /// The workflow.
        workflow: String,
        /// The number of the case that the new one would follow; empty when it follows none.
        follows: String,
    }
}

statements! {
    DRAFT = same(
        "SELECT person_id, workflow, follows, body, saved_at_ms FROM draft
         WHERE person_id = $1 AND workflow = $2 AND follows = $3");
    DRAFTS = same(
        "SELECT person_id, workflow, follows, body, saved_at_ms FROM draft
         WHERE person_id = $1 ORDER BY saved_at_ms DESC, workflow, follows LIMIT $2");
    DRAFTS_EXPIRED = same(
        "DELETE FROM draft WHERE (person_id, workflow, follows) IN (
             SELECT person_id, workflow, follows FROM draft WHERE saved_at_ms < $1 ORDER BY saved_at_ms LIMIT $2)");
}

impl Store {
    /// What a person has begun to fill in for a workflow.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn draft(
        &self,
        person_id: &str,
        workflow: &str,
        follows: &str,
    ) -> Result<Option<DraftRow>, StoreError> {
        let call = || DRAFT.call().text(person_id).text(workflow).text(follows);
        Ok(self.inner.fetch(call).await?.pop())
    }

    /// Everything that a person has begun to fill in, newest first.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn drafts(&self, person_id: &str, limit: i64) -> Result<Vec<DraftRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| DRAFTS.call().text(person_id).int(limit))
            .await?)
    }

    /// Deletes drafts that nobody has saved since a time.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn drafts_expire(&self, before_ms: i64, limit: i64) -> Result<u64, StoreError> {
        Ok(self
            .inner
            .execute(DRAFTS_EXPIRED.call().int(before_ms).int(limit))
            .await?)
    }
}
