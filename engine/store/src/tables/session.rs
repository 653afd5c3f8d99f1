//! Who is signed in, with what.

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
