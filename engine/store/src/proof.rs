//! What must hold after every run, whatever went wrong in it: the invariants of the tables, read back.

use crate::commit;
use crate::db::{self, Statement, statements};
use crate::error::StoreError;
use crate::store::Store;
use crate::{batches, lists, notices, purge, tables, text};

statements! {
    // Running instances that nothing will ever wake: the watchdog's query, and an invariant.
    STRANDED = same(
        "SELECT s.id FROM instance_state s JOIN instance i ON i.id = s.id
         WHERE s.id > $1 AND i.status <> 'suspended'
             AND NOT EXISTS (SELECT 1 FROM wake x WHERE x.instance_id = s.id)
             AND NOT EXISTS (SELECT 1 FROM inbox x WHERE x.instance_id = s.id)
             AND NOT EXISTS (SELECT 1 FROM act x WHERE x.instance_id = s.id)
             AND NOT EXISTS (SELECT 1 FROM work_item x WHERE x.instance_id = s.id AND x.status = 'open')
             AND NOT EXISTS (SELECT 1 FROM subscription x WHERE x.instance_id = s.id)
             AND NOT EXISTS (SELECT 1 FROM instance x WHERE x.parent_id = s.id AND x.ended_at_ms IS NULL)
             AND NOT EXISTS (SELECT 1 FROM incident x WHERE x.instance_id = s.id AND x.closed_at_ms IS NULL)
         ORDER BY s.id LIMIT $2");
    // The same for the next so many instances after an id, so that no look is longer than another.
    STRANDED_AMONG = same(
        "SELECT page.id FROM (SELECT p.id FROM instance_state p WHERE p.id > $1 ORDER BY p.id LIMIT $2) page
         JOIN instance i ON i.id = page.id
         WHERE i.status <> 'suspended'
             AND NOT EXISTS (SELECT 1 FROM wake x WHERE x.instance_id = page.id)
             AND NOT EXISTS (SELECT 1 FROM inbox x WHERE x.instance_id = page.id)
             AND NOT EXISTS (SELECT 1 FROM act x WHERE x.instance_id = page.id)
             AND NOT EXISTS (SELECT 1 FROM work_item x WHERE x.instance_id = page.id AND x.status = 'open')
             AND NOT EXISTS (SELECT 1 FROM subscription x WHERE x.instance_id = page.id)
             AND NOT EXISTS (SELECT 1 FROM instance x WHERE x.parent_id = page.id AND x.ended_at_ms IS NULL)
             AND NOT EXISTS (SELECT 1 FROM incident x WHERE x.instance_id = page.id AND x.closed_at_ms IS NULL)
         ORDER BY page.id");
    LOOKED_TO = same(
        "SELECT MAX(page.id), COUNT(*) FROM (SELECT p.id FROM instance_state p WHERE p.id > $1 ORDER BY p.id LIMIT $2) page");
    GAPS = same(
        "SELECT instance_id FROM history GROUP BY instance_id
         HAVING COUNT(*) <> MAX(version) OR MIN(version) <> 1 ORDER BY instance_id LIMIT 5");
    AHEAD = same(
        "SELECT s.id FROM instance_state s
         WHERE s.version <> (SELECT MAX(h.version) FROM history h WHERE h.instance_id = s.id) ORDER BY s.id LIMIT 5");
    ENDED_WITH_STATE = same(
        "SELECT s.id FROM instance_state s LEFT JOIN instance i ON i.id = s.id
         WHERE i.id IS NULL OR i.ended_at_ms IS NOT NULL ORDER BY s.id LIMIT 5");
    RUNNING_WITHOUT_STATE = same(
        "SELECT i.id FROM instance i
         WHERE i.ended_at_ms IS NULL AND NOT EXISTS (SELECT 1 FROM instance_state s WHERE s.id = i.id)
         ORDER BY i.id LIMIT 5");
    NO_HISTORY = same(
        "SELECT i.id FROM instance i WHERE NOT EXISTS (SELECT 1 FROM history h WHERE h.instance_id = i.id)
         ORDER BY i.id LIMIT 5");
    CANDIDATE_WITHOUT_OPEN_ITEM = same(
        "SELECT DISTINCT c.instance_id FROM work_candidate c
         WHERE NOT EXISTS (SELECT 1 FROM work_item w
             WHERE w.instance_id = c.instance_id AND w.n = c.n AND w.status = 'open')
         ORDER BY c.instance_id LIMIT 5");
    STRAY_HISTORY = same(
        "SELECT DISTINCT t.instance_id FROM history t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_WAKE = same(
        "SELECT DISTINCT t.instance_id FROM wake t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_INBOX = same(
        "SELECT DISTINCT t.instance_id FROM inbox t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_ACT = same(
        "SELECT DISTINCT t.instance_id FROM act t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_BLOB = same(
        "SELECT DISTINCT t.instance_id FROM blob t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_CHECKPOINT = same(
        "SELECT DISTINCT t.instance_id FROM checkpoint t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_SUBSCRIPTION = same(
        "SELECT DISTINCT t.instance_id FROM subscription t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_WORK_ITEM = same(
        "SELECT DISTINCT t.instance_id FROM work_item t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_WORK_CANDIDATE = same(
        "SELECT DISTINCT t.instance_id FROM work_candidate t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_DECISION = same(
        "SELECT DISTINCT t.instance_id FROM decision t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_CLOCK = same(
        "SELECT DISTINCT t.instance_id FROM clock t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_CLOCK_ENTRY = same(
        "SELECT DISTINCT t.instance_id FROM clock_entry t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_PARTY = same(
        "SELECT DISTINCT t.instance_id FROM party t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
    STRAY_SEARCH = same(
        "SELECT DISTINCT t.instance_id FROM search t
         WHERE NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = t.instance_id) ORDER BY t.instance_id LIMIT 5");
}

const RULES: &[(&str, &Statement)] = &[
    ("history has gaps (I2)", &GAPS),
    ("the state is not the one of the last version (I2)", &AHEAD),
    ("an ended instance still has a state", &ENDED_WITH_STATE),
    (
        "a running instance has no state (I1)",
        &RUNNING_WITHOUT_STATE,
    ),
    ("an instance has no history (I2)", &NO_HISTORY),
    (
        "a candidate has no open work item",
        &CANDIDATE_WITHOUT_OPEN_ITEM,
    ),
];

const STRAYS: &[(&str, &Statement)] = &[
    ("history", &STRAY_HISTORY),
    ("wake", &STRAY_WAKE),
    ("inbox", &STRAY_INBOX),
    ("act", &STRAY_ACT),
    ("blob", &STRAY_BLOB),
    ("checkpoint", &STRAY_CHECKPOINT),
    ("subscription", &STRAY_SUBSCRIPTION),
    ("work_item", &STRAY_WORK_ITEM),
    ("work_candidate", &STRAY_WORK_CANDIDATE),
    ("decision", &STRAY_DECISION),
    ("clock", &STRAY_CLOCK),
    ("clock_entry", &STRAY_CLOCK_ENTRY),
    ("party", &STRAY_PARTY),
    ("search", &STRAY_SEARCH),
];

/// Every statement that the store can send, with its name.
fn all_statements() -> Vec<(&'static str, &'static Statement)> {
    let by_hand = [
        STATEMENTS,
        batches::STATEMENTS,
        lists::STATEMENTS,
        notices::STATEMENTS,
        purge::STATEMENTS,
        text::STATEMENTS,
    ];
    let by_hand = by_hand
        .iter()
        .chain(commit::STATEMENTS)
        .chain(db::STATEMENTS)
        .chain(tables::STATEMENTS);
    let mut all: Vec<(&'static str, &'static Statement)> =
        by_hand.flat_map(|list| list.iter().copied()).collect();
    for operation in tables::OPERATIONS.iter().flat_map(|list| list.iter()) {
        all.push((operation().table, &operation().statement));
    }
    all
}

/// What preparing every statement gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// How many statements there are.
    pub statements: usize,
    /// How many of them are written twice because the databases differ by more than a placeholder.
    pub divergent: usize,
    /// Those that the database refuses, with its reason.
    pub refused: Vec<String>,
    /// Those that read a table or an index from end to end, with the step (SQLite only).
    pub scanning: Vec<(String, String)>,
}

impl Store {
    /// Prepares every statement on the open database, without running any.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn statements_prepare(&self) -> Result<Prepared, StoreError> {
        let all = all_statements();
        let divergent = all
            .iter()
            .filter(|(_, statement)| statement.is_divergent())
            .count();
        let (mut refused, mut scanning) = (Vec::new(), Vec::new());
        for (name, statement) in &all {
            let mut lease = self.inner.committers.lease().await?;
            match lease.prepare(statement).await {
                Ok(()) => {
                    let steps = lease.scans(statement).await?;
                    scanning.extend(steps.into_iter().map(|step| ((*name).to_owned(), step)));
                }
                Err(error) => refused.push(format!("{name}: {}", error.text)),
            }
        }
        Ok(Prepared {
            statements: all.len(),
            divergent,
            refused,
            scanning,
        })
    }

    /// Running instances that nothing will wake, after an id: each deserves an incident.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn instances_stranded(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self
            .inner
            .fetch(|| STRANDED.call().text(after).int(limit))
            .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Those among the next `many` running instances after an id, and the id after which to go on; `None` at the end.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn instances_stranded_among(
        &self,
        after: &str,
        many: i64,
    ) -> Result<(Vec<String>, Option<String>), StoreError> {
        let call = |statement: &'static Statement| statement.call().text(after).int(many);
        let end: Vec<(Option<String>, i64)> = self.inner.fetch(|| call(&LOOKED_TO)).await?;
        let rows: Vec<(String,)> = self.inner.fetch(|| call(&STRANDED_AMONG)).await?;
        let end = end.into_iter().find(|(_, looked)| *looked == many);
        let end = end.and_then(|(id, _)| id);
        Ok((rows.into_iter().map(|(id,)| id).collect(), end))
    }

    /// Checks the invariants of the tables and names what breaks them; empty when all hold. It reads whole tables:
    /// for tests, fault runs and `tongban verify`.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn invariants_broken(&self) -> Result<Vec<String>, StoreError> {
        let mut broken = Vec::new();
        let stranded = self.instances_stranded("", 5).await?;
        if !stranded.is_empty() {
            broken.push(format!(
                "nothing will wake a running instance (I1): {}",
                stranded.join(", ")
            ));
        }
        let strays = STRAYS
            .iter()
            .map(|(table, statement)| (format!("a row of `{table}` has no instance"), *statement));
        let rules = RULES
            .iter()
            .map(|(rule, statement)| ((*rule).to_owned(), *statement));
        for (rule, statement) in rules.chain(strays) {
            let rows: Vec<(String,)> = self.inner.fetch(|| statement.call()).await?;
            if !rows.is_empty() {
                let ids: Vec<String> = rows.into_iter().map(|(id,)| id).collect();
                broken.push(format!("{rule}: {}", ids.join(", ")));
            }
        }
        Ok(broken)
    }
}
