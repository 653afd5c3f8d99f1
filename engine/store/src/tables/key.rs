//! All unique promises: idempotency, business keys, schedule ticks, commit tokens, import lines.

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
