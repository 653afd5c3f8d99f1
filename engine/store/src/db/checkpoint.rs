//! SQLite's checkpoints, on a connection of their own: no commit ever pays for one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::{Connection as _, Row as _, SqliteConnection};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Checkpoints run this long after the first commit that needs one.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(250);
/// Above this many pages the checkpoint waits for readers, so that the log begins anew.
const WAL_PAGES_MAX: i64 = 16_384;

/// The task that checkpoints.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    signal: Arc<Signal>,
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Signal {
    wanted: Notify,
    stopped: AtomicBool,
}

impl Checkpointer {
    pub fn start(connection: SqliteConnection) -> Self {
        let signal = Arc::new(Signal::default());
        let task = tokio::spawn(checkpoints(connection, signal.clone()));
        Self {
            signal,
            task: Mutex::new(Some(task)),
        }
    }

    /// Asks for a checkpoint soon.
    pub fn want(&self) {
        self.signal.wanted.notify_one();
    }

    /// Ends the checkpoints and waits until the log is folded into the file; the other connections are closed by now.
    pub async fn stop(&self) {
        self.signal.stop();
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Err(error)) = async { Some(task?.await) }.await {
            tracing::warn!(%error, "the checkpoints ended in disorder");
        }
    }
}

impl Signal {
    fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wanted.notify_one();
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.signal.stop();
    }
}

async fn checkpoints(mut connection: SqliteConnection, signal: Arc<Signal>) {
    loop {
        signal.wanted.notified().await;
        if signal.stopped.load(Ordering::Acquire) {
            break;
        }
        tokio::time::sleep(CHECKPOINT_PAUSE).await;
        if let Err(error) = checkpoint(&mut connection).await {
            tracing::warn!(%error, "the checkpoint failed and will be tried again");
        }
    }
    // The last connection to close folds the whole log into the file.
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the last checkpoint failed; the log is read at the next start");
    }
}

async fn checkpoint(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
        .fetch_one(&mut *connection)
        .await?;
    let pages: i64 = row.try_get(1)?;
    if pages > WAL_PAGES_MAX {
        sqlx::query("PRAGMA wal_checkpoint(RESTART)")
            .fetch_one(connection)
            .await?;
    }
    Ok(())
}
