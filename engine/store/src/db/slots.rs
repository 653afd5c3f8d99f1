//! A small pool of sessions: first come, first served, opened when needed, replaced when broken.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::class::DbError;
use super::{Access, Database, Session};

/// Some sessions of one kind.
#[derive(Debug)]
pub(crate) struct Slots {
    database: Database,
    access: Access,
    statements: Arc<AtomicU64>,
    permits: Semaphore,
    free: Mutex<Vec<Session>>,
    /// Audit chains whose connection was lost, to be closed by the next one.
    lost_chains: Mutex<Vec<crate::commit::Chain>>,
}

impl Slots {
    pub fn new(
        database: Database,
        access: Access,
        count: usize,
        statements: Arc<AtomicU64>,
    ) -> Self {
        Self {
            database,
            access,
            statements,
            permits: Semaphore::new(count.max(1)),
            free: Mutex::new(Vec::new()),
            lost_chains: Mutex::new(Vec::new()),
        }
    }

    /// Adds a session that is already open.
    pub fn put(&self, session: Session) {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(session);
    }

    /// Waits for a session.
    pub async fn lease(&self) -> Result<Lease<'_>, DbError> {
        let permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| DbError::connection("the store is closed"))?;
        let free = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut session = match free {
            Some(session) => session,
            None => {
                self.database
                    .open(self.access, self.statements.clone())
                    .await?
            }
        };
        if let Err(error) = session.reset().await {
            if self.database.is_memory() {
                self.put(session);
            }
            return Err(error);
        }
        Ok(Lease {
            slots: self,
            session: Some(session),
            _permit: permit,
        })
    }

    /// Drops the idle sessions: after one turned out to be gone, the others of its age are as well.
    pub fn forget_idle(&self) {
        if self.database.is_memory() {
            return;
        }
        let idle = std::mem::take(&mut *self.free.lock().unwrap_or_else(PoisonError::into_inner));
        let chains = idle
            .into_iter()
            .filter_map(|mut session| session.chain.take());
        self.lost_chains
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(chains);
    }

    /// The chains that lost their connection since the last call.
    pub fn lost_chains(&self) -> Vec<crate::commit::Chain> {
        std::mem::take(
            &mut *self
                .lost_chains
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Ends all idle sessions; new leases fail.
    pub async fn close(&self) {
        self.permits.close();
        let free = std::mem::take(&mut *self.free.lock().unwrap_or_else(PoisonError::into_inner));
        for session in free {
            session.close().await;
        }
    }
}

/// A session in use; it goes back by being dropped.
pub(crate) struct Lease<'s> {
    slots: &'s Slots,
    session: Option<Session>,
    _permit: SemaphorePermit<'s>,
}

impl Deref for Lease<'_> {
    type Target = Session;
    fn deref(&self) -> &Session {
        self.session
            .as_ref()
            .expect("a lease has its session until it is dropped")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.session
            .as_mut()
            .expect("a lease has its session until it is dropped")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else {
            return;
        };
        // Where the chain of a broken connection stands is not known: the next one closes it and opens its own.
        if session.is_broken()
            && let Some(chain) = session.chain.take()
        {
            self.slots
                .lost_chains
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(chain);
        }
        if session.is_usable() {
            self.slots.put(session);
        }
    }
}
