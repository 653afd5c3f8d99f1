//! Step four: the audit rows of the winners, each with the hash of the one before on this connection's chain.

use super::{Failure, Member};
use crate::change::AuditEntry;
use crate::db::{Bulk, DbError, Session, statements};
use crate::store::Inner;
use crate::tables::audit::{AuditChainClosed, AuditChainRow, AuditRow};
use crate::write::{Cell, Write};

statements! {
    // Heads of the chains that are still open: sealed ones prove themselves.
    CHAIN_HEADS = same(
        "SELECT a.chain, a.seq, a.hash FROM audit_chain c
         JOIN audit a ON a.chain = c.chain
             AND a.seq = (SELECT b.seq FROM audit b WHERE b.chain = c.chain ORDER BY b.seq DESC LIMIT 1)
         WHERE c.closed_at_ms IS NULL ORDER BY a.chain");
}

/// The chain of one connection: where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    pub id: String,
    pub seq: i64,
    pub hash: String,
}

/// The hash of an audit row: over the hash before and every column, each with its length.
pub(crate) fn hash(row: &AuditRow) -> String {
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

/// Appends the winners' entries; returns where the chain stands once this is committed.
pub(super) async fn append(
    store: &Inner,
    session: &mut Session,
    winners: &[Member<'_>],
    lost: Vec<Chain>,
) -> Result<Option<Chain>, Failure> {
    let entries: Vec<&AuditEntry> = winners
        .iter()
        .flat_map(|(_, change)| &change.audit)
        .collect();
    if entries.is_empty() {
        return Ok(None);
    }
    let mut chain = match session.chain.clone() {
        Some(chain) => chain,
        None => {
            let at_ms = entries
                .iter()
                .map(|entry| entry.at_ms)
                .max()
                .unwrap_or_default();
            open(store, session, lost, at_ms).await?
        }
    };
    let mut cells: Vec<Vec<Cell>> = Vec::with_capacity(entries.len());
    for entry in entries {
        cells.push(chain.link(entry));
    }
    insert::<AuditRow>(session, &cells).await?;
    Ok(Some(chain))
}

impl Chain {
    fn link(&mut self, entry: &AuditEntry) -> Vec<Cell> {
        let mut row = AuditRow {
            chain: self.id.clone(),
            seq: self.seq + 1,
            at_ms: entry.at_ms,
            who: entry.who.clone(),
            act: entry.act.clone(),
            object: entry.object.clone(),
            body: entry.body.clone(),
            prev: self.hash.clone(),
            hash: String::new(),
        };
        row.hash = hash(&row);
        self.seq = row.seq;
        self.hash.clone_from(&row.hash);
        let mut cells = Vec::new();
        row.into_cells(&mut cells);
        cells
    }
}

/// Opens a chain: its row holds the heads of all chains now known, and its first link hashes that row.
async fn open(
    store: &Inner,
    session: &mut Session,
    lost: Vec<Chain>,
    at_ms: i64,
) -> Result<Chain, Failure> {
    let heads: Vec<(String, i64, String)> = session.fetch(CHAIN_HEADS.call()).await?;
    let opened_with =
        serde_json::to_string(&heads).map_err(|error| DbError::other(error.to_string()))?;
    for chain in lost {
        let mut cells = Vec::new();
        let head = heads
            .iter()
            .find(|(id, _, _)| *id == chain.id)
            .map(|(_, _, hash)| hash.clone());
        AuditChainClosed {
            chain: chain.id,
            head,
            closed_at_ms: Some(at_ms),
        }
        .into_cells(&mut cells);
        insert::<AuditChainClosed>(session, &[cells]).await?;
    }
    let id = uuid::Uuid::now_v7().to_string();
    let mut cells = Vec::new();
    let row = AuditChainRow {
        chain: id.clone(),
        node: store.node.clone(),
        opened_with,
        head: None,
        closed_at_ms: None,
    };
    let genesis = genesis(&row);
    row.into_cells(&mut cells);
    insert::<AuditChainRow>(session, &[cells]).await?;
    Ok(Chain {
        id,
        seq: 0,
        hash: genesis,
    })
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

async fn insert<W: Write>(session: &mut Session, cells: &[Vec<Cell>]) -> Result<(), Failure> {
    let operation = W::operation();
    let rows = Bulk::sorted(
        operation.columns,
        &[],
        cells.iter().map(Vec::as_slice).collect(),
        false,
    );
    let done = session
        .execute(operation.statement.call().rows(&rows))
        .await?;
    if u64::try_from(rows.len()) == Ok(done) {
        return Ok(());
    }
    Err(DbError::other(format!(
        "expected to write {} rows of `{}`, wrote {done}",
        rows.len(),
        operation.table
    ))
    .into())
}
