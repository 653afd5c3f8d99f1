//! The public notices (公示) that stand now, read from an index that holds nothing else.

use crate::db::statements;
use crate::error::StoreError;
use crate::lists::part_pattern;
use crate::store::Store;

statements! {
    NOTICES_OPEN = same(
        "SELECT w.instance_id, w.n, w.title, w.opened_at_ms, w.due_at_ms, i.workflow, i.number, i.unit_id
         FROM work_item w JOIN instance i ON i.id = w.instance_id
         WHERE w.kind = 'notice' AND w.status = 'open' AND (w.opened_at_ms, w.instance_id, w.n) < ($1, $2, $3)
             AND w.due_at_ms >= $4 AND i.ended_at_ms IS NULL
             AND ($5 = '' OR LOWER(w.title) LIKE $5 ESCAPE '!' OR LOWER(i.number) LIKE $5 ESCAPE '!')
         ORDER BY w.opened_at_ms DESC, w.instance_id DESC, w.n DESC LIMIT $6");
}

/// A notice in the list of those that stand.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NoticeRow {
    /// The instance.
    pub instance_id: String,
    /// The item.
    pub n: i64,
    /// The notice's title.
    pub title: String,
    /// When it was published.
    pub opened_at_ms: i64,
    /// Until when it stands.
    pub due_at_ms: i64,
    /// The workflow.
    pub workflow: String,
    /// The case number.
    pub number: Option<String>,
    /// The case's unit.
    pub unit_id: Option<String>,
}

impl Store {
    /// A page of the notices that stand at an instant, newest first, before a line (`None` for the beginning). `text`
    /// is a part of the title or number; empty for all.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn notices_open(
        &self,
        text: &str,
        now_ms: i64,
        before: Option<(i64, &str, i64)>,
        limit: i64,
    ) -> Result<Vec<NoticeRow>, StoreError> {
        let (at_ms, instance_id, n) = before.unwrap_or((i64::MAX, "", 0));
        let pattern = part_pattern(text);
        let call = || {
            let call = NOTICES_OPEN.call().int(at_ms).text(instance_id).int(n);
            call.int(now_ms).text(pattern.as_str()).int(limit)
        };
        Ok(self.inner.fetch(call).await?)
    }
}
