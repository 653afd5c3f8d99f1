//! The store: what can be asked of it that needs no table of its own. The aggregates add their reads in their files.

use std::sync::Arc;

use crate::db::Wakeups;
use crate::error::StoreError;
use crate::inner::Inner;
use crate::options::Options;

/// Durable state. Cheap to clone; all clones share the connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

impl Store {
    /// Opens the database, checks it and brings its schema up to date.
    ///
    /// # Errors
    /// `Settings` for a bad URL, an old SQLite, a file in use or `fsync=off`; `SchemaNewer`; `Corrupt`; `Unavailable`.
    pub async fn open(options: &Options) -> Result<Self, StoreError> {
        let inner = Inner::open(options).await?;
        Ok(Self { inner })
    }

    /// Whether the last write was taken; false from one that found the database full, read only or broken to the next
    /// that is taken.
    pub fn takes_writes(&self) -> bool {
        self.inner.takes_writes()
    }

    /// The database's clock, in milliseconds UTC.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn clock_ms(&self) -> Result<i64, StoreError> {
        Ok(self.inner.reader().lease().await?.clock_ms().await?)
    }

    /// Statements sent so far, BEGIN and COMMIT included.
    pub fn statement_count(&self) -> u64 {
        self.inner.statement_count()
    }

    /// Hints that something may be due. They may be lost: poll as well.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn wakeups(&self) -> Result<Wakeups, StoreError> {
        Ok(self.inner.hints.listen().await?)
    }
}
