//! A small pool of sessions: first come, first served, opened when needed, replaced when broken.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::class::DbError;
use super::connection::Access;
use super::database::Database;
use super::session::Session;

/// Some sessions of one kind.
#[derive(Debug)]
pub(crate) struct Slots {
    database: Database,
    access: Access,
    statements: Arc<AtomicU64>,
    permits: Semaphore,
    free: Mutex<Vec<Session>>,
    /// Audit chains that a connection here still extends.
    chains: Mutex<BTreeSet<String>>,
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
            chains: Mutex::new(BTreeSet::new()),
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
        for chain in idle
            .into_iter()
            .filter_map(|mut session| session.chain.take())
        {
            self.chain_ends(&chain.id);
        }
    }

    /// Notes that a connection extends this chain.
    pub fn chain_lives(&self, id: &str) {
        let mut chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        if !chains.contains(id) {
            chains.insert(id.to_owned());
        }
    }

    /// Whether a connection still extends this chain.
    pub fn is_chain_alive(&self, id: &str) -> bool {
        self.chains
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(id)
    }

    fn chain_ends(&self, id: &str) {
        self.chains
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Gives the idle sessions out for their end; new leases fail.
    pub fn close(&self) -> Vec<Session> {
        self.permits.close();
        std::mem::take(&mut *self.free.lock().unwrap_or_else(PoisonError::into_inner))
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
        // Where the chain of a broken connection stands is not known: the next one opens its own and closes this.
        if session.is_broken()
            && let Some(chain) = session.chain.take()
        {
            self.slots.chain_ends(&chain.id);
        }
        if session.is_usable() {
            self.slots.put(session);
        }
    }
}
