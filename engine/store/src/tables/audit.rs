//! The hash-chained audit; rows enter through `Change::audit`.

use crate::write::rows;

rows! {
    /// A row of `audit`.
    AuditRow: Insert "audit" key(chain, seq) {
        /// The chain.
        chain: String,
        /// From 1, without gaps.
        seq: i64,
        /// When.
        at_ms: i64,
        /// Who.
        who: String,
        /// What was done.
        act: String,
        /// To what.
        object: String,
        /// Details, JSON.
        body: String,
        /// The hash of the row before.
        prev: String,
        /// The hash of this row.
        hash: String,
    }
    /// A row of `audit_chain`.
    AuditChainRow: Insert "audit_chain" key(chain) {
        /// UUIDv7 text.
        chain: String,
        /// The node that opened it.
        node: String,
        /// The heads of all chains known at the opening, JSON.
        opened_with: String,
        /// The last hash, once sealed.
        head: Option<String>,
        /// When it was closed.
        closed_at_ms: Option<i64>,
    }
    /// The chain's connection is gone.
    AuditChainClosed: Update "audit_chain" key(chain) {
        /// The chain.
        chain: String,
        /// The last hash.
        head: Option<String>,
        /// When.
        closed_at_ms: Option<i64>,
    }
}
