//! All unique promises: idempotency, business keys, schedule ticks, commit tokens, import lines.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `key`.
    KeyRow: Ignore "key" key(scope, value) {
        /// What kind of promise, with its owner: `idempotency:<caller>`, `business:<workflow>`, `tick:<schedule>`.
        scope: String,
        /// The value that is unique in the scope.
        value: String,
        /// The digest of the request, to tell a repetition from a misuse.
        digest: String,
        /// The instance that holds it.
        instance_id: Option<String>,
        /// The answer that a repetition gets, JSON.
        answer: Option<String>,
        /// When the promise ends; `None` with its instance.
        expires_at_ms: Option<i64>,
    }
    /// Frees a key.
    KeyGone: Delete "key" key(scope, value) {
        /// The scope.
        scope: String,
        /// The value.
        value: String,
    }
}

statements! {
    KEY_READ = same(
        "SELECT scope, value, digest, instance_id, answer, expires_at_ms FROM key WHERE scope = $1 AND value = $2");
    KEYS_EXPIRED = same(
        "DELETE FROM key WHERE (scope, value) IN (
             SELECT scope, value FROM key WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)");
    SEQUENCE_TAKE = same(
        "INSERT INTO sequence (scope, value) VALUES ($1, $2)
         ON CONFLICT (scope) DO UPDATE SET value = sequence.value + excluded.value RETURNING value");
    SEQUENCE_READ = same("SELECT value FROM sequence WHERE scope = $1");
}

impl Store {
    /// Reads the holder of a key.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn key_holder(&self, scope: &str, value: &str) -> Result<Option<KeyRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| KEY_READ.call().text(scope).text(value))
            .await?
            .pop())
    }

    /// Deletes expired keys, commit tokens among them; returns how many.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn keys_expire(&self, now_ms: i64, limit: i64) -> Result<u64, StoreError> {
        Ok(self
            .inner
            .execute(KEYS_EXPIRED.call().int(now_ms).int(limit))
            .await?)
    }

    /// Takes `count` numbers of a sequence and returns the first. Numbers that are not used are gaps.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn sequence_take(&self, scope: &str, count: i64) -> Result<i64, StoreError> {
        let rows: Vec<(i64,)> = self
            .inner
            .write(SEQUENCE_TAKE.call().text(scope).int(count))
            .await?;
        let (last,) = rows
            .first()
            .ok_or_else(|| StoreError::Database("the sequence gave no number".into()))?;
        Ok(last - count + 1)
    }

    /// The last number taken of a sequence, 0 when none was.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn sequence(&self, scope: &str) -> Result<i64, StoreError> {
        let rows: Vec<(i64,)> = self
            .inner
            .fetch(|| SEQUENCE_READ.call().text(scope))
            .await?;
        Ok(rows.first().map_or(0, |(value,)| *value))
    }
}
