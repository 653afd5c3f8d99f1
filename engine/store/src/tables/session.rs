//! Who is signed in, with what.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `session`.
    SessionRow: Upsert "session" key(hash) {
        /// The hash of the token.
        hash: String,
        /// The person.
        person_id: String,
        /// What the session carries, JSON.
        body: String,
        /// When it began.
        created_at_ms: i64,
        /// When it ends.
        expires_at_ms: i64,
    }
    /// Signed out.
    SessionGone: Delete "session" key(hash) {
        /// The hash of the token.
        hash: String,
    }
    /// All sessions of a person.
    SessionsOfPersonGone: Delete "session" key(person_id) {
        /// The person.
        person_id: String,
    }
    /// A row of `api_key`.
    ApiKeyRow: Upsert "api_key" key(hash) {
        /// The hash of the secret.
        hash: String,
        /// What people see of it.
        prefix: String,
        /// Its name.
        name: String,
        /// The unit to which it is bound.
        unit_id: Option<String>,
        /// The person in whose name it acts.
        person_id: Option<String>,
        /// What it may do, JSON list.
        scopes: String,
        /// When it was made.
        created_at_ms: i64,
        /// When it ends.
        expires_at_ms: Option<i64>,
    }
    /// A key taken back.
    ApiKeyGone: Delete "api_key" key(hash) {
        /// The hash of the secret.
        hash: String,
    }
    /// A row of `credential`: how a person proves who they are.
    CredentialRow: Upsert "credential" key(person_id) {
        /// The person.
        person_id: String,
        /// The password's hash with its parameters.
        hash: String,
        /// When it was changed.
        changed_at_ms: i64,
        /// Failed attempts since the last success.
        failed: i64,
        /// Until when no attempt is taken.
        locked_until_ms: Option<i64>,
    }
}

statements! {
    SESSION = same(
        "SELECT hash, person_id, body, created_at_ms, expires_at_ms FROM session WHERE hash = $1");
    SESSIONS_EXPIRED = same(
        "DELETE FROM session WHERE hash IN (
             SELECT hash FROM session WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)");
    API_KEY = same("SELECT hash, prefix, name, unit_id, person_id, scopes, created_at_ms, expires_at_ms FROM api_key WHERE hash = $1");
    API_KEYS = same("SELECT hash, prefix, name, unit_id, person_id, scopes, created_at_ms, expires_at_ms FROM api_key ORDER BY created_at_ms, hash");
    CREDENTIAL = same(
        "SELECT person_id, hash, changed_at_ms, failed, locked_until_ms FROM credential WHERE person_id = $1");
}

impl Store {
    /// One session.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn session(&self, hash: &str) -> Result<Option<SessionRow>, StoreError> {
        Ok(self.inner.fetch(|| SESSION.call().text(hash)).await?.pop())
    }

    /// Deletes expired sessions; returns how many.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn sessions_expire(&self, now_ms: i64, limit: i64) -> Result<u64, StoreError> {
        Ok(self
            .inner
            .execute(SESSIONS_EXPIRED.call().int(now_ms).int(limit))
            .await?)
    }

    /// One API key.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn api_key(&self, hash: &str) -> Result<Option<ApiKeyRow>, StoreError> {
        Ok(self.inner.fetch(|| API_KEY.call().text(hash)).await?.pop())
    }

    /// All API keys.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        Ok(self.inner.fetch(|| API_KEYS.call()).await?)
    }

    /// How a person proves who they are.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn credential(&self, person_id: &str) -> Result<Option<CredentialRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| CREDENTIAL.call().text(person_id))
            .await?
            .pop())
    }
}
