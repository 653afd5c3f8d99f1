//! Lists that people see. Every one starts from an index that holds only what the reader may see or must do, and reads
//! a page of it: its cost does not grow with what others have waiting.

use std::collections::BTreeMap;

use crate::db::{Bulk, Call, Kind, Statement, Value, statements};
use crate::error::StoreError;
use crate::store::Store;
use crate::tables::instance::InstanceRow;
use crate::tables::mail::AFTER_ALL;

statements! {
    // Instances of one principal, newest first. UUIDv7 ids sort by time, so the id is the cursor.
    LIST_SEEN = bulk(FIELD,
        "SELECT i.id, i.workflow, i.bundle, i.number, i.status, i.wait, i.last_error, i.business_key, i.title,
                i.unit_id, i.starter_id, i.parent_id, i.output, i.started_at_ms, i.changed_at_ms, i.ended_at_ms,
                i.purge_at_ms
         FROM party p JOIN instance i ON i.id = p.instance_id
         WHERE p.principal = $1 AND p.instance_id < $2
             AND ($3 = '' OR i.workflow = $3) AND ($4 = '' OR i.status = $4) AND ($5 = '' OR i.starter_id = $5)
             AND i.started_at_ms >= $6 AND i.started_at_ms < $7
             AND ($9 = '' OR LOWER(i.title) LIKE $9 ESCAPE '!' OR LOWER(i.number) LIKE $9 ESCAPE '!')
             AND NOT EXISTS (SELECT 1 FROM {rows} WHERE NOT EXISTS (
                 SELECT 1 FROM search f WHERE f.workflow = i.workflow AND f.name = r.name AND f.value = r.value
                     AND f.instance_id = i.id))
         ORDER BY p.instance_id DESC LIMIT $8");
    LIST_UNIT = bulk(FIELD,
        "SELECT i.id, i.workflow, i.bundle, i.number, i.status, i.wait, i.last_error, i.business_key, i.title,
                i.unit_id, i.starter_id, i.parent_id, i.output, i.started_at_ms, i.changed_at_ms, i.ended_at_ms,
                i.purge_at_ms
         FROM instance i WHERE i.unit_id = $1 AND i.id < $2
             AND ($3 = '' OR i.workflow = $3) AND ($4 = '' OR i.status = $4) AND ($5 = '' OR i.starter_id = $5)
             AND i.started_at_ms >= $6 AND i.started_at_ms < $7
             AND ($9 = '' OR LOWER(i.title) LIKE $9 ESCAPE '!' OR LOWER(i.number) LIKE $9 ESCAPE '!')
             AND NOT EXISTS (SELECT 1 FROM {rows} WHERE NOT EXISTS (
                 SELECT 1 FROM search f WHERE f.workflow = i.workflow AND f.name = r.name AND f.value = r.value
                     AND f.instance_id = i.id))
         ORDER BY i.id DESC LIMIT $8");
    LIST_ALL = bulk(FIELD,
        "SELECT i.id, i.workflow, i.bundle, i.number, i.status, i.wait, i.last_error, i.business_key, i.title,
                i.unit_id, i.starter_id, i.parent_id, i.output, i.started_at_ms, i.changed_at_ms, i.ended_at_ms,
                i.purge_at_ms
         FROM instance i WHERE $1 = '' AND i.id < $2
             AND ($3 = '' OR i.workflow = $3) AND ($4 = '' OR i.status = $4) AND ($5 = '' OR i.starter_id = $5)
             AND i.started_at_ms >= $6 AND i.started_at_ms < $7
             AND ($9 = '' OR LOWER(i.title) LIKE $9 ESCAPE '!' OR LOWER(i.number) LIKE $9 ESCAPE '!')
             AND NOT EXISTS (SELECT 1 FROM {rows} WHERE NOT EXISTS (
                 SELECT 1 FROM search f WHERE f.workflow = i.workflow AND f.name = r.name AND f.value = r.value
                     AND f.instance_id = i.id))
         ORDER BY i.id DESC LIMIT $8");
    UNITS_BELOW = same(
        "SELECT unit_id FROM unit_ancestor WHERE ancestor_id = $1 ORDER BY unit_id");
    IS_PARTY = bulk(PRINCIPAL,
        "SELECT p.principal, p.why FROM {rows}
         JOIN party p ON p.principal = r.principal AND p.instance_id = $1 ORDER BY p.principal");
    PARTIES = same("SELECT principal, why FROM party WHERE instance_id = $1 ORDER BY principal");
    SEARCHED = same("SELECT name, value FROM search WHERE instance_id = $1 ORDER BY name, value");
    INBOX_PAGE = same(
        "SELECT c.instance_id, c.n, c.opened_at_ms, c.due_at_ms, c.claimed, w.kind, w.title, w.round, w.form, w.card,
                i.workflow, i.number, i.title AS case_title, i.status, i.starter_id, i.unit_id
         FROM work_candidate c
         JOIN work_item w ON w.instance_id = c.instance_id AND w.n = c.n
         JOIN instance i ON i.id = c.instance_id
         WHERE c.candidate = $1 AND (c.due_at_ms, c.instance_id, c.n) > ($2, $3, $4)
             AND ($6 = '' OR i.workflow = $6) AND ($7 = '' OR w.title = $7)
             AND ($8 = '' OR LOWER(i.title) LIKE $8 ESCAPE '!' OR LOWER(i.number) LIKE $8 ESCAPE '!')
         ORDER BY c.due_at_ms, c.instance_id, c.n LIMIT $5");
    INBOX_GROUPS = bulk(PRINCIPAL,
        "SELECT workflow, title, kind, MIN(instance_id) AS instance_id, COUNT(*) AS items FROM (
             SELECT DISTINCT i.workflow, w.title, w.kind, c.instance_id, c.n
             FROM {rows} JOIN work_candidate c ON c.candidate = r.principal
             JOIN work_item w ON w.instance_id = c.instance_id AND w.n = c.n
             JOIN instance i ON i.id = c.instance_id) AS items
         GROUP BY workflow, title, kind ORDER BY workflow, title, kind");
    INBOX_COUNT = bulk(PRINCIPAL,
        "SELECT COUNT(*) FROM (
             SELECT DISTINCT c.instance_id, c.n FROM {rows} JOIN work_candidate c ON c.candidate = r.principal) AS items");
}

const FIELD: &[(&str, Kind)] = &[("name", Kind::Text), ("value", Kind::Text)];
const PRINCIPAL: &[(&str, Kind)] = &[("principal", Kind::Text)];

/// Which instances of a list are wanted; what is `None` or empty does not limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The workflow.
    pub workflow: Option<String>,
    /// The status.
    pub status: Option<String>,
    /// The starter.
    pub starter: Option<String>,
    /// Started at or after.
    pub from_ms: Option<i64>,
    /// Started before.
    pub until_ms: Option<i64>,
    /// A part of the title or number; small and capital letters are the same. Empty for all.
    pub text: String,
    /// Search fields with their values; all must match.
    pub fields: Vec<(String, String)>,
}

/// Whose instances are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// Those to which any of these principals is a party.
    By(&'a [String]),
    /// Those that belong to a unit at or below this one.
    Below(&'a str),
    /// All: for operators.
    All,
}

/// A line of an inbox.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct InboxItem {
    /// The instance.
    pub instance_id: String,
    /// The item.
    pub n: i64,
    /// When it was opened.
    pub opened_at_ms: i64,
    /// Until when; `NO_DUE_MS` without a deadline.
    pub due_at_ms: i64,
    /// The person who claimed it.
    pub claimed: Option<String>,
    /// `approve`, `collect` and so on.
    pub kind: String,
    /// The item's title.
    pub title: String,
    /// The open round.
    pub round: i64,
    /// The form's reference.
    pub form: Option<String>,
    /// The card.
    pub card: Option<String>,
    /// The workflow.
    pub workflow: String,
    /// The case number.
    pub number: Option<String>,
    /// The case's title.
    pub case_title: Option<String>,
    /// The case's status.
    pub status: String,
    /// Who started the case.
    pub starter_id: Option<String>,
    /// The case's unit.
    pub unit_id: Option<String>,
}

impl InboxItem {
    /// The cursor after this line.
    pub fn cursor(&self) -> InboxCursor {
        InboxCursor {
            due_at_ms: self.due_at_ms,
            instance_id: self.instance_id.clone(),
            n: self.n,
        }
    }
}

/// Which items of an inbox are wanted; what is empty does not limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxFilter {
    /// The workflow.
    pub workflow: String,
    /// The title of the item.
    pub title: String,
    /// A part of the case's title or number; small and capital letters are the same.
    pub text: String,
}

/// What `LIKE … ESCAPE '!'` takes for a part of a text in small letters; empty when there is none to look for.
pub(crate) fn part_pattern(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut pattern = String::from("%");
    for letter in text.to_ascii_lowercase().chars() {
        if matches!(letter, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Items of an inbox that are of one step.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct InboxGroup {
    /// The workflow.
    pub workflow: String,
    /// The title of the items.
    pub title: String,
    /// `approve`, `collect` and so on.
    pub kind: String,
    /// The instance of one of them.
    pub instance_id: String,
    /// How many there are.
    pub items: i64,
}

/// Where a page of an inbox ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxCursor {
    /// The last line's deadline.
    pub due_at_ms: i64,
    /// Its instance.
    pub instance_id: String,
    /// Its number.
    pub n: i64,
}

impl Default for InboxCursor {
    fn default() -> Self {
        Self {
            due_at_ms: i64::MIN,
            instance_id: String::new(),
            n: 0,
        }
    }
}

impl Store {
    /// A page of instances, newest first, before an id (`None` for the beginning).
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn instances(
        &self,
        seen: Seen<'_>,
        filter: &Filter,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let before = before.unwrap_or(AFTER_ALL);
        match seen {
            Seen::All => self.page(&LIST_ALL, "", filter, before, limit).await,
            Seen::By(principals) => {
                self.merged(&LIST_SEEN, principals, filter, before, limit)
                    .await
            }
            Seen::Below(unit) => {
                let units: Vec<(String,)> =
                    self.inner.fetch(|| UNITS_BELOW.call().text(unit)).await?;
                let units: Vec<String> = units.into_iter().map(|(id,)| id).collect();
                self.merged(&LIST_UNIT, &units, filter, before, limit).await
            }
        }
    }

    async fn merged(
        &self,
        statement: &'static Statement,
        owners: &[String],
        filter: &Filter,
        before: &str,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let mut heads: BTreeMap<String, InstanceRow> = BTreeMap::new();
        for owner in owners {
            let page = self.page(statement, owner, filter, before, limit).await?;
            heads.extend(page.into_iter().map(|head| (head.id.clone(), head)));
            while heads.len() > limit {
                heads.pop_first();
            }
        }
        Ok(heads.into_values().rev().collect())
    }

    async fn page(
        &self,
        statement: &'static Statement,
        owner: &str,
        filter: &Filter,
        before: &str,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let mut fields = Bulk::new(FIELD);
        filter.fields.iter().for_each(|(name, value)| {
            fields.push(&[Value::from(name.as_str()), Value::from(value.as_str())])
        });
        let pattern = part_pattern(&filter.text);
        let call = || {
            let call: Call<'_> = statement.call();
            call.text(owner)
                .text(before)
                .text(filter.workflow.as_deref().unwrap_or_default())
                .text(filter.status.as_deref().unwrap_or_default())
                .text(filter.starter.as_deref().unwrap_or_default())
                .int(filter.from_ms.unwrap_or(i64::MIN))
                .int(filter.until_ms.unwrap_or(i64::MAX))
                .int(i64::try_from(limit).unwrap_or(i64::MAX))
                .text(pattern.as_str())
                .rows(&fields)
        };
        Ok(self.inner.fetch(call).await?)
    }

    /// Which of the principals is a party to the instance, and why; empty when none may see it.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn party_of(
        &self,
        instance_id: &str,
        principals: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let principals = Bulk::texts(principals.iter().map(String::as_str));
        Ok(self
            .inner
            .fetch(|| IS_PARTY.call().text(instance_id).rows(&principals))
            .await?)
    }

    /// All parties to an instance, with the reason.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn parties(&self, instance_id: &str) -> Result<Vec<(String, String)>, StoreError> {
        Ok(self
            .inner
            .fetch(|| PARTIES.call().text(instance_id))
            .await?)
    }

    /// The search fields of an instance.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn search_fields(
        &self,
        instance_id: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        Ok(self
            .inner
            .fetch(|| SEARCHED.call().text(instance_id))
            .await?)
    }

    /// A page of what waits for any of the candidates, by deadline, each item once.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn inbox_page(
        &self,
        candidates: &[String],
        filter: &InboxFilter,
        after: &InboxCursor,
        limit: usize,
    ) -> Result<Vec<InboxItem>, StoreError> {
        let mut items: BTreeMap<(i64, String, i64), InboxItem> = BTreeMap::new();
        let count = i64::try_from(limit).unwrap_or(i64::MAX);
        let pattern = part_pattern(&filter.text);
        for candidate in candidates {
            let call = || {
                let call = INBOX_PAGE
                    .call()
                    .text(candidate.as_str())
                    .int(after.due_at_ms);
                call.text(after.instance_id.as_str())
                    .int(after.n)
                    .int(count)
                    .text(filter.workflow.as_str())
                    .text(filter.title.as_str())
                    .text(pattern.as_str())
            };
            let page: Vec<InboxItem> = self.inner.fetch(call).await?;
            items.extend(
                page.into_iter()
                    .map(|item| ((item.due_at_ms, item.instance_id.clone(), item.n), item)),
            );
            while items.len() > limit {
                items.pop_last();
            }
        }
        Ok(items.into_values().collect())
    }

    /// What waits for any of the candidates, counted by step.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn inbox_groups(&self, candidates: &[String]) -> Result<Vec<InboxGroup>, StoreError> {
        let candidates = Bulk::texts(candidates.iter().map(String::as_str));
        Ok(self
            .inner
            .fetch(|| INBOX_GROUPS.call().rows(&candidates))
            .await?)
    }

    /// How many items wait for any of the candidates.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn inbox_count(&self, candidates: &[String]) -> Result<i64, StoreError> {
        let candidates = Bulk::texts(candidates.iter().map(String::as_str));
        let rows: Vec<(i64,)> = self
            .inner
            .fetch(|| INBOX_COUNT.call().rows(&candidates))
            .await?;
        Ok(rows.first().map_or(0, |(count,)| *count))
    }
}
