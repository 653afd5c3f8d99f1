//! Step four: the audit rows of the winners, each with the hash of the one before on this connection's chain.

use super::batch::{Failure, Member};
use crate::change::AuditEntry;
use crate::db::{Bulk, Chain, DbError, Session, statements};
use crate::inner::Inner;
use crate::tables::audit::{AuditChainClosed, AuditChainRow, AuditRow, genesis, hash_of};
use crate::write::{Cell, Write};

statements! {
    // Heads of the chains that are still open: sealed ones prove themselves.
    CHAIN_HEADS = same(
        "SELECT c.chain,
             (SELECT a.seq FROM audit a WHERE a.chain = c.chain ORDER BY a.seq DESC LIMIT 1) AS seq,
             (SELECT a.hash FROM audit a WHERE a.chain = c.chain ORDER BY a.seq DESC LIMIT 1) AS hash,
             c.node,
             (SELECT COUNT(*) FROM node n WHERE n.id = c.node) AS seen
         FROM audit_chain c WHERE c.closed_at_ms IS NULL ORDER BY c.chain");
}

/// A chain that nobody has sealed.
#[derive(sqlx::FromRow)]
struct OpenChain {
    chain: String,
    /// Its last row, if it has one.
    seq: Option<i64>,
    hash: Option<String>,
    node: String,
    /// Whether its node still gives signs of life.
    seen: i64,
}

/// Appends the winners' entries; returns where the chain stands once this is committed.
pub(super) async fn append(
    store: &Inner,
    session: &mut Session,
    winners: &[Member<'_>],
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
            open(store, session, at_ms).await?
        }
    };
    let mut cells: Vec<Vec<Cell>> = Vec::with_capacity(entries.len());
    for entry in entries {
        cells.push(chain.link(entry));
    }
    insert::<AuditRow>(session, &cells).await?;
    Ok(Some(chain))
}

/// Linked entries as rows, in their order.
pub(super) fn rows(cells: &[Vec<Cell>]) -> Bulk<'_> {
    let rows = cells.iter().map(Vec::as_slice).collect();
    Bulk::sorted(AuditRow::operation().columns, &[], rows, false)
}

impl Chain {
    pub(super) fn link(&mut self, entry: &AuditEntry) -> Vec<Cell> {
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
        row.hash = hash_of(&row);
        self.seq = row.seq;
        self.hash.clone_from(&row.hash);
        let mut cells = Vec::new();
        row.into_cells(&mut cells);
        cells
    }
}

/// Opens a chain: its row holds the heads of all chains now known, and its first link hashes that row. Chains are closed
/// whose connection this node has lost, and those of nodes that nobody has seen for an hour: they were killed. Their
/// heads are in the new chain's row.
async fn open(store: &Inner, session: &mut Session, at_ms: i64) -> Result<Chain, Failure> {
    let open: Vec<OpenChain> = session.fetch(CHAIN_HEADS.call()).await?;
    // A chain of which no row was committed yet has nothing to prove.
    let heads: Vec<(&str, i64, &str)> = open
        .iter()
        .filter_map(|open| Some((open.chain.as_str(), open.seq?, open.hash.as_deref()?)))
        .collect();
    let opened_with =
        serde_json::to_string(&heads).map_err(|error| DbError::other(error.to_string()))?;
    for chain in &open {
        let ended = if chain.node == store.node {
            !store.committers.is_chain_alive(&chain.chain)
        } else {
            chain.seen == 0
        };
        if ended {
            close(session, &chain.chain, None, at_ms).await?;
        }
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

async fn close(
    session: &mut Session,
    id: &str,
    head: Option<String>,
    at_ms: i64,
) -> Result<(), DbError> {
    let mut cells = Vec::new();
    AuditChainClosed {
        chain: id.to_owned(),
        head,
        closed_at_ms: Some(at_ms),
    }
    .into_cells(&mut cells);
    let operation = AuditChainClosed::operation();
    let rows = Bulk::sorted(operation.columns, &[], vec![cells.as_slice()], false);
    session
        .execute(operation.statement.call().rows(&rows))
        .await
        .map(drop)
}

/// Seals the chain of a session that ends in good order.
pub(crate) async fn seal(session: &mut Session) -> Result<(), DbError> {
    let Some(chain) = session.chain.take() else {
        return Ok(());
    };
    let at_ms = session.clock_ms().await?;
    close(session, &chain.id, Some(chain.hash), at_ms).await
}
