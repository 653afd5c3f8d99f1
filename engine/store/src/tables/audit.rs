//! The hash-chained audit; rows enter through `Change::audit`.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
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
    AuditChainClosed: Amend "audit_chain" key(chain) {
        /// The chain.
        chain: String,
        /// The last hash.
        head: Option<String>,
        /// When.
        closed_at_ms: Option<i64>,
    }
}

statements! {
    AUDIT_OF_OBJECT = same(
        "SELECT chain, seq, at_ms, who, act, object, body, prev, hash FROM audit
         WHERE object = $1 AND at_ms < $2 ORDER BY at_ms DESC, chain, seq DESC LIMIT $3");
    AUDIT_BY = same(
        "SELECT chain, seq, at_ms, who, act, object, body, prev, hash FROM audit
         WHERE who = $1 AND at_ms < $2 ORDER BY at_ms DESC, chain, seq DESC LIMIT $3");
    AUDIT_PAGE = same(
        "SELECT chain, seq, at_ms, who, act, object, body, prev, hash FROM audit
         WHERE chain = $1 AND seq > $2 ORDER BY seq LIMIT $3");
    AUDIT_ROW = same("SELECT chain, seq, at_ms, who, act, object, body, prev, hash FROM audit WHERE chain = $1 AND seq = $2");
    AUDIT_CHAINS = same("SELECT chain, node, opened_with, head, closed_at_ms FROM audit_chain ORDER BY chain");
    AUDIT_STRAY = same(
        "SELECT a.chain, a.seq, a.at_ms, a.who, a.act, a.object, a.body, a.prev, a.hash FROM audit a
         WHERE NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.chain = a.chain) ORDER BY a.chain, a.seq LIMIT 1");
}

/// What `Store::audit_verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every row links to the one before it, and every head that a later chain saw is there.
    Whole {
        /// Chains read.
        chains: usize,
        /// Rows read.
        rows: u64,
    },
    /// The first row that does not fit.
    Broken {
        /// The chain.
        chain: String,
        /// The row.
        seq: i64,
        /// What was expected and found.
        why: String,
    },
}

const PAGE: i64 = 1_000;

/// The hash of an audit row: over the hash before and every column, each with its length.
pub(crate) fn hash_of(row: &AuditRow) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(bytes);
    };
    field(row.prev.as_bytes());
    field(row.chain.as_bytes());
    field(&row.seq.to_le_bytes());
    field(&row.at_ms.to_le_bytes());
    [&row.who, &row.act, &row.object, &row.body]
        .into_iter()
        .for_each(|text| field(text.as_bytes()));
    hasher.finalize().to_hex().to_string()
}

/// What the first row of a chain links to.
pub(crate) fn genesis(row: &AuditChainRow) -> String {
    blake3::hash(
        [
            row.chain.as_str(),
            row.node.as_str(),
            row.opened_with.as_str(),
        ]
        .join("\n")
        .as_bytes(),
    )
    .to_hex()
    .to_string()
}

impl Store {
    /// Audit rows about an object, newest first, before a time.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn audit_of(
        &self,
        object: &str,
        before_ms: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| {
                AUDIT_OF_OBJECT
                    .call()
                    .text(object)
                    .int(before_ms)
                    .int(limit)
            })
            .await?)
    }

    /// Audit rows of what someone did, newest first, before a time.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn audit_by(
        &self,
        who: &str,
        before_ms: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| AUDIT_BY.call().text(who).int(before_ms).int(limit))
            .await?)
    }

    /// Reads every chain from its beginning and proves it.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn audit_verify(&self) -> Result<Verdict, StoreError> {
        let chains: Vec<AuditChainRow> = self.inner.fetch(|| AUDIT_CHAINS.call()).await?;
        let mut rows = 0;
        for chain in &chains {
            match self.audit_verify_chain(chain).await? {
                Ok(count) => rows += count,
                Err(broken) => return Ok(broken),
            }
            if let Some(broken) = self.audit_verify_heads(chain).await? {
                return Ok(broken);
            }
        }
        let stray: Vec<AuditRow> = self.inner.fetch(|| AUDIT_STRAY.call()).await?;
        Ok(match stray.into_iter().next() {
            Some(row) => broken(
                &row.chain,
                row.seq,
                "expected the row's chain to be known, found none",
            ),
            None => Verdict::Whole {
                chains: chains.len(),
                rows,
            },
        })
    }

    async fn audit_verify_chain(
        &self,
        chain: &AuditChainRow,
    ) -> Result<Result<u64, Verdict>, StoreError> {
        let (mut seq, mut hash, mut count) = (0, genesis(chain), 0);
        loop {
            let page: Vec<AuditRow> = self
                .inner
                .fetch(|| {
                    AUDIT_PAGE
                        .call()
                        .text(chain.chain.as_str())
                        .int(seq)
                        .int(PAGE)
                })
                .await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                if row.seq != seq + 1 {
                    return Ok(Err(broken(
                        &row.chain,
                        seq + 1,
                        &format!("expected row {}, found row {}", seq + 1, row.seq),
                    )));
                }
                if row.prev != hash {
                    return Ok(Err(broken(
                        &row.chain,
                        row.seq,
                        "expected the hash of the row before, found another",
                    )));
                }
                if hash_of(&row) != row.hash {
                    return Ok(Err(broken(
                        &row.chain,
                        row.seq,
                        "expected the hash of the row's columns, found another",
                    )));
                }
                seq = row.seq;
                hash = row.hash;
                count += 1;
            }
        }
        match &chain.head {
            Some(head) if *head != hash => Ok(Err(broken(
                &chain.chain,
                seq,
                "expected the sealed head as the last hash, found another",
            ))),
            _ => Ok(Ok(count)),
        }
    }

    /// The heads that a chain saw when it was opened must still be there: a tail that was cut shows.
    async fn audit_verify_heads(
        &self,
        chain: &AuditChainRow,
    ) -> Result<Option<Verdict>, StoreError> {
        let heads: Vec<(String, i64, String)> =
            serde_json::from_str(&chain.opened_with).map_err(|error| StoreError::Corrupt {
                table: "audit_chain",
                detail: format!("expected a list of heads in `opened_with`: {error}"),
            })?;
        for (other, seq, hash) in heads {
            let rows: Vec<AuditRow> = self
                .inner
                .fetch(|| AUDIT_ROW.call().text(other.as_str()).int(seq))
                .await?;
            if rows.first().is_none_or(|row| row.hash != hash) {
                let why = format!(
                    "expected the row that chain {} saw as head, found none or another",
                    chain.chain
                );
                return Ok(Some(broken(&other, seq, &why)));
            }
        }
        Ok(None)
    }
}

fn broken(chain: &str, seq: i64, why: &str) -> Verdict {
    Verdict::Broken {
        chain: chain.to_owned(),
        seq,
        why: why.to_owned(),
    }
}
