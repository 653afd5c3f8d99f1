//! What all clones of a store share: its sessions, and the ways of single statements through them.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use crate::db::{
    Access, Call, Checkpointer, Class, Database, DbError, FromRows, Hints, Scripts, Session, Slots,
};
use crate::error::StoreError;
use crate::fault::{Fault, Faults, Point};
use crate::options::Options;

/// Other nodes are told at most this often that something is due.
const HINT_GAP: Duration = Duration::from_millis(20);

/// The connections of a store.
pub(crate) struct Inner {
    pub committers: Slots,
    pub committer_count: usize,
    /// Reads, and on PostgreSQL also the single statements that claim; `None` in memory.
    pub readers: Option<Slots>,
    one_writer: bool,
    statements: Arc<AtomicU64>,
    /// Whole transactions, as they are sent together.
    pub scripts: Scripts,
    faults: Option<Arc<dyn Faults>>,
    pub node: String,
    pub hints: Hints,
    /// The last write found the database full or read only.
    stuck: AtomicBool,
    pub checkpoint: Option<Checkpointer>,
    _lock: Option<File>,
}

impl Inner {
    pub async fn open(options: &Options) -> Result<Arc<Self>, StoreError> {
        let database = Database::parse(&options.url)?;
        let prepared = database.prepare(options.beside).await?;
        let statements = Arc::new(AtomicU64::new(0));
        let one_writer = database.has_one_writer();
        let writers = if one_writer { 1 } else { options.committers };
        let committers = Slots::new(
            database.clone(),
            Access::Commit,
            writers,
            statements.clone(),
        );
        committers.put(Session::new(prepared.first, statements.clone()));
        let access = if one_writer {
            Access::Read
        } else {
            Access::Write
        };
        let readers = (!database.is_memory()).then(|| {
            Slots::new(
                database.clone(),
                access,
                options.readers,
                statements.clone(),
            )
        });
        let inner = Self {
            committers,
            committer_count: writers.max(1),
            readers,
            one_writer,
            statements,
            scripts: Scripts::new(one_writer),
            faults: options.faults.clone(),
            node: options.node.clone(),
            hints: database.hints(),
            stuck: AtomicBool::new(false),
            checkpoint: prepared.checkpoint,
            _lock: prepared.lock,
        };
        let inner = Arc::new(inner);
        if let Some(bell) = inner.hints.bell() {
            tokio::spawn(tell_others(Arc::downgrade(&inner), bell));
        }
        Ok(inner)
    }

    pub fn reader(&self) -> &Slots {
        self.readers.as_ref().unwrap_or(&self.committers)
    }

    /// Whether this is SQLite, for the two query languages of full text.
    pub fn is_sqlite(&self) -> bool {
        self.one_writer
    }

    fn writer(&self) -> &Slots {
        if self.one_writer {
            &self.committers
        } else {
            self.reader()
        }
    }

    /// Reads rows; a connection that turns out to be gone is replaced once.
    pub async fn fetch<'a, T: FromRows>(
        &self,
        call: impl Fn() -> Call<'a>,
    ) -> Result<Vec<T>, DbError> {
        let first = self.reader().lease().await?.fetch(call()).await;
        match first {
            Err(error) if error.class == Class::Connection => {
                self.reader().forget_idle();
                self.reader().lease().await?.fetch(call()).await
            }
            answer => answer,
        }
    }

    /// Runs one writing statement by itself and reads what it returns.
    pub async fn write<T: FromRows>(&self, call: Call<'_>) -> Result<Vec<T>, DbError> {
        let answer = self.writer().lease().await?.fetch(call).await;
        self.written(answer, |rows: &Vec<T>| !rows.is_empty())
    }

    /// Runs one writing statement by itself.
    pub async fn execute(&self, call: Call<'_>) -> Result<u64, DbError> {
        let answer = self.writer().lease().await?.execute(call).await;
        self.written(answer, |count| *count > 0)
    }

    /// Whether a lost statement was done is not known, so nothing is sent twice here.
    fn written<T>(
        &self,
        answer: Result<T, DbError>,
        changed: impl Fn(&T) -> bool,
    ) -> Result<T, DbError> {
        self.want_checkpoint();
        match &answer {
            // What changed no row wrote nothing.
            Ok(done) if changed(done) => self.stuck.store(false, Ordering::Relaxed),
            Ok(_) => {}
            Err(error) if error.class == Class::Connection => self.writer().forget_idle(),
            Err(error) if error.class == Class::Resource => {
                self.stuck.store(true, Ordering::Relaxed);
            }
            Err(_) => {}
        }
        answer
    }

    /// Whether the last write was taken.
    pub fn takes_writes(&self) -> bool {
        !self.stuck.load(Ordering::Relaxed)
    }

    /// Notes whether the database takes what is written.
    pub fn note(&self, taken: bool) {
        self.stuck.store(!taken, Ordering::Relaxed);
    }

    pub fn statement_count(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    pub fn strike(&self, point: Point<'_>) -> Option<Fault> {
        self.faults.as_ref().and_then(|faults| faults.strike(point))
    }

    fn want_checkpoint(&self) {
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.want();
        }
    }

    /// After COMMIT: checkpoints, and a hint when rows are due for whoever comes first.
    pub fn committed(&self, leaves_due_rows: bool) {
        self.want_checkpoint();
        if leaves_due_rows {
            self.hints.tell();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Nobody is left to tell anything: the task that does so ends.
        if let Some(bell) = self.hints.bell() {
            bell.notify_one();
        }
    }
}

/// Tells the other nodes that rows are due, many commits at a time.
async fn tell_others(store: Weak<Inner>, bell: Arc<Notify>) {
    loop {
        bell.notified().await;
        let Some(store) = store.upgrade() else {
            return;
        };
        let told = match store.reader().lease().await {
            Ok(mut lease) => lease.execute(Hints::call()).await,
            Err(error) => Err(error),
        };
        drop(store);
        if let Err(error) = told {
            tracing::debug!(
                error = error.text,
                "a hint was not sent; polling finds the rows"
            );
        }
        tokio::time::sleep(HINT_GAP).await;
    }
}
