//! What people are asked to do, and what they answered.

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
    /// A row of `decision`.
    DecisionRow: Insert "decision" key(instance_id, n, round, signer_id) {
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
