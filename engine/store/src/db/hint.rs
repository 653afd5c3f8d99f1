//! Hints that something is due: in the process, and by NOTIFY between nodes. A hint may be lost; everyone polls too.

use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;

use super::call::Call;
use super::class::DbError;
use super::statement::Statement;
use super::statement::statements;

const CHANNEL: &str = "tongban_due";

statements! {
    NOTIFY = differs(
        // Differs because SQLite has one process, which needs no telling.
        "SELECT pg_notify('tongban_due', '')",
        "SELECT 1",
    );
}

/// Where hints come from and go to.
#[derive(Debug)]
pub(crate) struct Hints {
    local: Arc<Notify>,
    remote: Option<Remote>,
}

/// The other nodes.
#[derive(Debug)]
struct Remote {
    options: Arc<PgConnectOptions>,
    /// Rung when they are to be told.
    bell: Arc<Notify>,
}

impl Hints {
    pub fn local() -> Self {
        Self {
            local: Arc::new(Notify::new()),
            remote: None,
        }
    }

    pub fn remote(options: Arc<PgConnectOptions>) -> Self {
        let bell = Arc::new(Notify::new());
        Self {
            local: Arc::new(Notify::new()),
            remote: Some(Remote { options, bell }),
        }
    }

    /// Tells this process, and has the others told: nobody waits for that.
    pub fn tell(&self) {
        self.local.notify_waiters();
        if let Some(remote) = &self.remote {
            remote.bell.notify_one();
        }
    }

    /// What rings when the others are to be told; `None` when there can be no others.
    pub fn bell(&self) -> Option<Arc<Notify>> {
        self.remote.as_ref().map(|remote| Arc::clone(&remote.bell))
    }

    /// The statement that tells the others.
    pub fn call() -> Call<'static> {
        Statement::call(&NOTIFY)
    }

    /// Begins to listen.
    pub async fn listen(&self) -> Result<Wakeups, DbError> {
        let remote = match &self.remote {
            None => None,
            Some(remote) => {
                let pool = PgPoolOptions::new()
                    .max_connections(1)
                    .connect_lazy_with(remote.options.as_ref().clone());
                let mut listener = PgListener::connect_with(&pool).await?;
                listener.listen(CHANNEL).await?;
                Some(listener)
            }
        };
        Ok(Wakeups {
            local: self.local.clone(),
            remote,
        })
    }
}

/// The hints that reach this process.
#[derive(Debug)]
pub struct Wakeups {
    local: Arc<Notify>,
    remote: Option<PgListener>,
}

impl Wakeups {
    /// Waits until something may be due. Dropping the future loses at most a hint.
    pub async fn next(&mut self) {
        let local = self.local.notified();
        match &mut self.remote {
            None => local.await,
            Some(listener) => {
                tokio::select! {
                    () = local => {}
                    heard = listener.recv() => {
                        if let Err(error) = heard {
                            tracing::debug!(%error, "the listening connection broke; it will be opened again");
                            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                        }
                    }
                }
            }
        }
    }
}
