//! Group commit: what is waiting goes into one transaction, people first. Nothing lingers: a committer that is free
//! takes what there is, and while nothing waits a caller commits by itself.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, oneshot};

use crate::change::{CHANGE_BYTES_MAX, Change};
use crate::commit;
use crate::error::StoreError;
use crate::outcome::Outcome;
use crate::store::Store;

/// The largest batch.
const BATCH_CHANGES_MAX: usize = 1_000;
/// What background work is sure of: a fifth of a batch.
const BACKGROUND_SHARE: usize = 5;
/// On SQLite a background transaction must not keep people waiting for more than about 20 ms.
const BACKGROUND_ALONE_MAX: usize = 200;
/// Above this the queue is full.
const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Above this age of its oldest change the queue is full.
const QUEUE_AGE_MAX: Duration = Duration::from_secs(2);
/// While nothing can be written, how often it is tried.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

/// Who waits for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// API, console, mail links, results of acts.
    People,
    /// Wakes, schedules, bulk acts, imports.
    Background,
}

/// How full the queue is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Changes that wait.
    pub changes: usize,
    /// Their bytes.
    pub bytes: usize,
    /// The age of the oldest, in milliseconds.
    pub oldest_ms: u64,
}

impl Pressure {
    /// Whether claims should stop and starts be refused.
    pub fn is_full(&self) -> bool {
        self.bytes >= QUEUE_BYTES_MAX || u128::from(self.oldest_ms) >= QUEUE_AGE_MAX.as_millis()
    }
}

/// The queue in front of `Store::commit`. Cheap to clone.
#[derive(Clone)]
pub struct Committer {
    store: Store,
    queue: Arc<Queue>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    /// One for each committing connection: who commits has it.
    turns: Semaphore,
    /// Why nothing can be written at present.
    stopped: Mutex<Option<StoreError>>,
    more: Notify,
    closed: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    people: VecDeque<Item>,
    background: VecDeque<Item>,
    bytes: usize,
}

struct Item {
    change: Change,
    waiter: Waiter,
}

/// Who waits for a change, and since when.
struct Waiter {
    priority: Priority,
    bytes: usize,
    since: Instant,
    answer: oneshot::Sender<Result<Outcome, StoreError>>,
}

impl Item {
    fn split(self) -> (Waiter, Change) {
        (self.waiter, self.change)
    }
}

impl Waiter {
    fn with(self, change: Change) -> Item {
        Item {
            change,
            waiter: self,
        }
    }
}

impl Committer {
    /// Makes an empty queue.
    pub fn new(store: Store) -> Self {
        let queue = Queue {
            waiting: Mutex::default(),
            turns: Semaphore::new(store.inner.committer_count),
            stopped: Mutex::default(),
            more: Notify::new(),
            closed: AtomicBool::new(false),
        };
        Self {
            store,
            queue: Arc::new(queue),
        }
    }

    /// Commits a change at once and here when nothing waits before it, and queues it otherwise.
    ///
    /// Meant for callers that run to their end: when this future is dropped in the middle, the connection may have to
    /// be replaced.
    ///
    /// # Errors
    /// As `submit`.
    pub async fn commit_now(
        &self,
        priority: Priority,
        change: Change,
    ) -> Result<Outcome, StoreError> {
        let closed = self.queue.closed.load(Ordering::Acquire);
        if closed || !self.queue.lock().is_empty() || self.stopped().is_some() {
            return self.submit(priority, change).await;
        }
        let Ok(turn) = self.queue.turns.try_acquire() else {
            return self.submit(priority, change).await;
        };
        let mut answers = commit::commit(&self.store.inner, std::slice::from_ref(&change)).await;
        drop(turn);
        match answers.pop().unwrap_or(Err(StoreError::Unclear)) {
            // The loops know how to wait until something can be written.
            Err(StoreError::Resource(_)) => self.submit(priority, change).await,
            answer => answer,
        }
    }

    /// Queues a change and waits for its answer. When the future is dropped the change may commit all the same.
    ///
    /// # Errors
    /// `Change` when it fails its own check, `Busy` when twice the full queue waits, `Unclear` when the committer
    /// stopped in the middle, and what `Store::commit` says.
    pub async fn submit(&self, priority: Priority, change: Change) -> Result<Outcome, StoreError> {
        let waiting = self.queue(priority, change)?;
        waiting.await.unwrap_or(Err(StoreError::Unclear))
    }

    /// Queues a change; the answer comes through the receiver.
    ///
    /// # Errors
    /// As `submit`.
    pub fn queue(
        &self,
        priority: Priority,
        change: Change,
    ) -> Result<oneshot::Receiver<Result<Outcome, StoreError>>, StoreError> {
        let bytes = change.check()?;
        let (answer, receiver) = oneshot::channel();
        if self.queue.closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the committer is closed".into()));
        }
        let waiter = Waiter {
            priority,
            bytes,
            since: Instant::now(),
            answer,
        };
        let item = Item { change, waiter };
        let mut waiting = self.queue.lock();
        if waiting.bytes >= 2 * QUEUE_BYTES_MAX {
            return Err(StoreError::Busy);
        }
        waiting.bytes += bytes;
        match priority {
            Priority::People => waiting.people.push_back(item),
            Priority::Background => waiting.background.push_back(item),
        }
        drop(waiting);
        self.queue.more.notify_one();
        Ok(receiver)
    }

    /// How full the queue is.
    pub fn pressure(&self) -> Pressure {
        let waiting = self.queue.lock();
        let oldest = [waiting.people.front(), waiting.background.front()]
            .into_iter()
            .flatten()
            .map(|item| item.waiter.since)
            .min();
        Pressure {
            changes: waiting.people.len() + waiting.background.len(),
            bytes: waiting.bytes,
            oldest_ms: oldest.map_or(0, |since| {
                u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
            }),
        }
    }

    /// How many loops of `run` make sense: one on SQLite, as many as there are committing connections on PostgreSQL.
    pub fn loops(&self) -> usize {
        self.store.inner.committer_count
    }

    /// Why nothing can be written at present: the disk is full, the database is read only. The queue is kept and one
    /// batch a second probes whether it is over; until then the node is not ready.
    pub fn stopped(&self) -> Option<StoreError> {
        self.queue
            .stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Commits batch after batch until the committer is closed and the queue is empty.
    pub async fn run(&self) {
        loop {
            if self.step().await {
                continue;
            }
            if self.stopped().is_some() && !self.queue.closed.load(Ordering::Acquire) {
                tokio::time::sleep(PROBE_PAUSE).await;
                continue;
            }
            if self.queue.closed.load(Ordering::Acquire) {
                // Wakes the next loop, so that all of them end.
                self.queue.more.notify_one();
                return;
            }
            self.queue.more.notified().await;
        }
    }

    /// Commits one batch, if anything waits; returns whether it did. While nothing can be written the batch goes back.
    pub async fn step(&self) -> bool {
        // Who waits for a turn takes along whatever has come until it is there.
        let _turn = self.queue.turns.acquire().await;
        let (batch, left) = self.queue.lock().take(self.store.inner.is_sqlite());
        if batch.is_empty() {
            return false;
        }
        if left {
            self.queue.more.notify_one();
        }
        let (items, changes): (Vec<Waiter>, Vec<Change>) =
            batch.into_iter().map(Item::split).unzip();
        let answers = commit::commit(&self.store.inner, &changes).await;
        let mut back = Vec::new();
        let mut stopped = None;
        for ((item, change), answer) in items.into_iter().zip(changes).zip(answers) {
            match answer {
                Err(error @ StoreError::Resource(_))
                    if !self.queue.closed.load(Ordering::Acquire) =>
                {
                    stopped = Some(error);
                    back.push(item.with(change));
                }
                // Whoever asked may have gone; the change stands.
                answer => drop(item.answer.send(answer)),
            }
        }
        if let Some(error) = &stopped {
            tracing::error!(%error, "writing stops until the database can be written");
        }
        let goes_on = stopped.is_none();
        *self
            .queue
            .stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = stopped;
        self.queue.lock().put_back(back);
        goes_on
    }

    /// Takes no more changes; the loops end once the queue is empty.
    pub fn close(&self) {
        self.queue.closed.store(true, Ordering::Release);
        self.queue.more.notify_one();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.people.is_empty() && self.background.is_empty()
    }

    /// Puts changes back where they came from, in their order.
    fn put_back(&mut self, items: Vec<Item>) {
        for item in items.into_iter().rev() {
            self.bytes += item.waiter.bytes;
            match item.waiter.priority {
                Priority::People => self.people.push_front(item),
                Priority::Background => self.background.push_front(item),
            }
        }
    }

    /// The next batch, and whether more is left: people first, a fifth for the background.
    fn take(&mut self, one_writer: bool) -> (Vec<Item>, bool) {
        let share = |of: usize| {
            if self.background.is_empty() {
                0
            } else {
                of / BACKGROUND_SHARE
            }
        };
        let people_max = BATCH_CHANGES_MAX - share(BATCH_CHANGES_MAX).min(self.background.len());
        let people_bytes = CHANGE_BYTES_MAX - share(CHANGE_BYTES_MAX);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        take_some(
            &mut self.people,
            &mut batch,
            &mut bytes,
            people_max,
            people_bytes,
        );
        let most = if one_writer {
            batch.len() + BACKGROUND_ALONE_MAX
        } else {
            BATCH_CHANGES_MAX
        };
        take_some(
            &mut self.background,
            &mut batch,
            &mut bytes,
            most.min(BATCH_CHANGES_MAX),
            CHANGE_BYTES_MAX,
        );
        self.bytes -= bytes;
        (batch, !self.is_empty())
    }
}

fn take_some(
    from: &mut VecDeque<Item>,
    batch: &mut Vec<Item>,
    bytes: &mut usize,
    most: usize,
    bytes_max: usize,
) {
    while batch.len() < most {
        let fits = from
            .front()
            .is_some_and(|item| batch.is_empty() || *bytes + item.waiter.bytes <= bytes_max);
        if !fits {
            return;
        }
        if let Some(item) = from.pop_front() {
            *bytes += item.waiter.bytes;
            batch.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(people: usize, background: usize) -> Waiting {
        let item = || Item {
            change: Change::without_instance(0),
            waiter: Waiter {
                priority: Priority::People,
                bytes: 10,
                since: Instant::now(),
                answer: oneshot::channel().0,
            },
        };
        Waiting {
            people: (0..people).map(|_| item()).collect(),
            background: (0..background).map(|_| item()).collect(),
            bytes: 10 * (people + background),
        }
    }

    #[test]
    fn people_go_first_and_the_background_keeps_a_fifth() {
        let mut both = waiting(2_000, 2_000);
        let (batch, left) = both.take(false);
        assert_eq!(
            (batch.len(), both.people.len(), both.background.len(), left),
            (1_000, 1_200, 1_800, true)
        );
        let mut few = waiting(2_000, 3);
        few.take(false);
        assert_eq!((few.people.len(), few.background.len()), (1_003, 0));
    }

    #[test]
    fn on_one_writer_the_background_alone_makes_small_batches() {
        let mut waiting = waiting(0, 900);
        let (batch, left) = waiting.take(true);
        assert_eq!((batch.len(), waiting.bytes, left), (200, 7_000, true));
    }
}
