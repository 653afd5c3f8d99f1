//! Where activations run: threads of their own with deep stacks, never the workers that serve sockets.
//!
//! An activation that computes for long keeps its thread busy; new jobs then go to the others.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread::Builder;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One run of a lane.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Expressions and scripts may nest deeply: the stack that they are measured against.
pub const STACK_BYTES: usize = 16 * 1024 * 1024;

/// The threads on which activations run.
pub struct Threads {
    doors: Vec<Door>,
    next: AtomicUsize,
}

/// The way to one thread.
struct Door {
    jobs: UnboundedSender<Job>,
    busy: Arc<Busy>,
}

/// Whether a thread computes, and since when: the number of the turn that it began with, 0 while it waits.
#[derive(Default)]
struct Busy(AtomicU64);

/// Turns of all threads, counted: of two that are busy, the one with the lower number has been so for longer.
static TURNS: AtomicU64 = AtomicU64::new(1);

impl Threads {
    /// Starts `count` threads; their waiting is driven by the runtime of `handle`.
    pub fn start(count: usize, handle: &Handle) -> io::Result<Threads> {
        let mut doors = Vec::with_capacity(count.max(1));
        for number in 0..count.max(1) {
            let (jobs, receiver) = unbounded_channel();
            let busy = Arc::new(Busy::default());
            let (handle, turns) = (handle.clone(), busy.clone());
            Builder::new()
                .name(format!("activation-{number}"))
                .stack_size(STACK_BYTES)
                .spawn(move || handle.block_on(work(receiver, turns)))?;
            doors.push(Door { jobs, busy });
        }
        Ok(Threads {
            doors,
            next: AtomicUsize::new(0),
        })
    }

    /// Hands a job to a thread that waits, one after the other; when all are busy to the one that became so last, so that
    /// nothing queues behind an activation that goes on and on. False when the threads are gone.
    pub fn run(&self, job: Job) -> bool {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.doors.len().max(1);
        let (before, after) = self.doors.split_at(first);
        let in_turn = after.iter().chain(before);
        let door = in_turn.max_by_key(|door| match door.busy.0.load(Ordering::Relaxed) {
            0 => u64::MAX,
            since => since,
        });
        door.is_some_and(|door| door.jobs.send(job).is_ok())
    }
}

/// A job that says while it computes that its thread is busy.
struct Turn {
    job: Job,
    busy: Arc<Busy>,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let turn = TURNS.fetch_add(1, Ordering::Relaxed);
        self.busy.0.store(turn, Ordering::Relaxed);
        // A defect in one activation must not take the thread, and with it all the others, away.
        let polled = catch_unwind(AssertUnwindSafe(|| self.job.as_mut().poll(context)));
        self.busy.0.store(0, Ordering::Relaxed);
        polled.unwrap_or(Poll::Ready(()))
    }
}

/// Runs what comes, many waiting at a time, until every sender is gone and the last job has ended.
async fn work(mut jobs: UnboundedReceiver<Job>, busy: Arc<Busy>) {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(()) = running.next(), if !running.is_empty() => {}
            job = jobs.recv() => match job {
                Some(job) => running.push(Turn { job, busy: busy.clone() }),
                None => break,
            },
        }
    }
    while running.next().await.is_some() {}
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_job_that_panics_leaves_the_thread_to_the_others() {
        let threads = Threads::start(1, &Handle::current()).expect("threads start");
        let (sender, receiver) = tokio::sync::oneshot::channel();
        assert!(threads.run(Box::pin(async { panic!("a defect") })));
        assert!(threads.run(Box::pin(async move {
            tokio::task::yield_now().await;
            sender.send(7).expect("the test waits");
        })));
        assert_eq!(receiver.await, Ok(7));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_queues_behind_a_job_that_computes_for_long() {
        let threads = Threads::start(2, &Handle::current()).expect("threads start");
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (release, released) = mpsc::channel::<()>();
        assert!(threads.run(Box::pin(async move {
            begun.send(()).expect("the test waits");
            // Nothing else can happen on this thread until the test lets it go.
            let _ = released.recv();
        })));
        has_begun.await.expect("the long job begins");
        for number in 0..20 {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            assert!(threads.run(Box::pin(async move {
                sender.send(number).expect("the test waits");
            })));
            assert_eq!(receiver.await, Ok(number));
        }
        release.send(()).expect("the long job waits");
    }
}
