//! What people are asked to do, and what they answered.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

/// Stands for "no due time" where a column takes part in an order: the end of the year 9999.
pub const NO_DUE_MS: i64 = 253_402_300_799_999;

rows! {
    /// A row of `work_item`, all of it.
    WorkItemRow: Upsert "work_item" key(instance_id, n) {
        /// The instance.
        instance_id: String,
        /// The item's number in the instance; `<instance id>.<n>` is the item's id.
        n: i64,
        /// The entry into the task.
        run_id: String,
        /// The round that is open, from 1.
        round: i64,
        /// `approve`, `collect`, `correct`, `notice` and so on.
        kind: String,
        /// The title.
        title: String,
        /// The form's reference.
        form: Option<String>,
        /// `open` or `closed`.
        status: String,
        /// The unit that is asked.
        unit_id: Option<String>,
        /// Until when.
        due_at_ms: Option<i64>,
        /// 1 while the deadline crosses an unpublished calendar.
        provisional: i64,
        /// `blue`, `yellow`, `red`.
        card: Option<String>,
        /// When it was opened.
        opened_at_ms: i64,
        /// When it was closed.
        closed_at_ms: Option<i64>,
        /// How it ended.
        outcome: Option<String>,
    }
    /// A row of `work_candidate`: who may act on an open item.
    CandidateRow: Upsert "work_candidate" key(candidate, instance_id, n) {
        /// A principal: a person, a role at a unit, a post.
        candidate: String,
        /// The instance.
        instance_id: String,
        /// The item.
        n: i64,
        /// When the item was opened.
        opened_at_ms: i64,
        /// Until when; `NO_DUE_MS` without a deadline.
        due_at_ms: i64,
        /// The person who claimed it.
        claimed: Option<String>,
    }
    /// One candidate less.
    CandidateGone: Delete "work_candidate" key(candidate, instance_id, n) {
        /// The principal.
        candidate: String,
        /// The instance.
        instance_id: String,
        /// The item.
        n: i64,
    }
    /// The item closed: all its candidates go.
    CandidatesGone: Delete "work_candidate" key(instance_id, n) {
        /// The instance.
        instance_id: String,
        /// The item.
        n: i64,
    }
    /// A row of `decision`; the desk replaces the row of a seat (an opinion, then a decision; one taken back).
    DecisionRow: Upsert "decision" key(instance_id, n, round, signer_id) {
        /// The instance.
        instance_id: String,
        /// The item.
        n: i64,
        /// The round.
        round: i64,
        /// The seat that signed.
        signer_id: String,
        /// The person who did it.
        person_id: String,
        /// For whom.
        for_id: Option<String>,
        /// What was said.
        act: String,
        /// The comment.
        comment: Option<String>,
        /// The form as submitted, JSON.
        form: Option<String>,
        /// The digest of what was seen.
        seen_digest: Option<String>,
        /// `console`, `mail`, `api`, `system`.
        channel: String,
        /// When.
        at_ms: i64,
        /// The round from which it was kept.
        kept_from: Option<i64>,
    }
    /// A decision that was withdrawn by the signer.
    DecisionGone: Delete "decision" key(instance_id, n, round, signer_id) {
        /// The instance.
        instance_id: String,
        /// The item.
        n: i64,
        /// The round.
        round: i64,
        /// The seat.
        signer_id: String,
    }
    /// A row of `work_note`: what one person has read or drafted.
    NoteRow: Upsert "work_note" key(person_id, instance_id, n) {
        /// The person.
        person_id: String,
        /// The instance.
        instance_id: String,
        /// The item.
        n: i64,
        /// When it was read.
        read_at_ms: Option<i64>,
        /// The draft, JSON.
        draft: Option<String>,
    }
}

statements! {
    WORK_ITEM = same(
        "SELECT instance_id, n, run_id, round, kind, title, form, status, unit_id, due_at_ms, provisional, card, opened_at_ms,
                closed_at_ms, outcome
         FROM work_item WHERE instance_id = $1 AND n = $2");
    WORK_ITEMS = same(
        "SELECT instance_id, n, run_id, round, kind, title, form, status, unit_id, due_at_ms, provisional, card, opened_at_ms,
                closed_at_ms, outcome
         FROM work_item WHERE instance_id = $1 ORDER BY n");
    CANDIDATES = same(
        "SELECT candidate, instance_id, n, opened_at_ms, due_at_ms, claimed FROM work_candidate
         WHERE instance_id = $1 AND n = $2 ORDER BY candidate");
    DECISIONS = same(
        "SELECT instance_id, n, round, signer_id, person_id, for_id, act, comment, form, seen_digest, channel, at_ms,
                kept_from
         FROM decision WHERE instance_id = $1 ORDER BY at_ms, n, round, signer_id");
    DECISIONS_OF_PERSON = same(
        "SELECT instance_id, n, round, signer_id, person_id, for_id, act, comment, form, seen_digest, channel, at_ms,
                kept_from
         FROM decision WHERE person_id = $1 AND (at_ms, instance_id) < ($2, $3)
         ORDER BY at_ms DESC, instance_id DESC LIMIT $4");
    NOTE = same(
        "SELECT person_id, instance_id, n, read_at_ms, draft FROM work_note
         WHERE person_id = $1 AND instance_id = $2 AND n = $3");
}

impl Store {
    /// One work item.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn work_item(
        &self,
        instance_id: &str,
        n: i64,
    ) -> Result<Option<WorkItemRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| WORK_ITEM.call().text(instance_id).int(n))
            .await?
            .pop())
    }

    /// The work items of an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn work_items(&self, instance_id: &str) -> Result<Vec<WorkItemRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| WORK_ITEMS.call().text(instance_id))
            .await?)
    }

    /// Who may act on an open item.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn candidates(
        &self,
        instance_id: &str,
        n: i64,
    ) -> Result<Vec<CandidateRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| CANDIDATES.call().text(instance_id).int(n))
            .await?)
    }

    /// All decisions on an instance, in order of time.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn decisions(&self, instance_id: &str) -> Result<Vec<DecisionRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| DECISIONS.call().text(instance_id))
            .await?)
    }

    /// What a person decided, newest first, before a time and instance (`i64::MAX` and `""` for the beginning).
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn decisions_of_person(
        &self,
        person_id: &str,
        before: (i64, &str),
        limit: i64,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        let call = || {
            DECISIONS_OF_PERSON
                .call()
                .text(person_id)
                .int(before.0)
                .text(before.1)
                .int(limit)
        };
        Ok(self.inner.fetch(call).await?)
    }

    /// What a person has read or drafted on an item.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn note(
        &self,
        person_id: &str,
        instance_id: &str,
        n: i64,
    ) -> Result<Option<NoteRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| NOTE.call().text(person_id).text(instance_id).int(n))
            .await?
            .pop())
    }
}
