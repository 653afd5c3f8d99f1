//! Where activations run: threads of their own with deep stacks, never the workers that serve sockets.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One run of a lane.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Expressions and scripts may nest deeply: the stack that they are measured against.
pub const STACK_BYTES: usize = 16 * 1024 * 1024;

/// The threads on which activations run.
pub struct Threads {
    doors: Vec<UnboundedSender<Job>>,
    next: AtomicUsize,
}

impl Threads {
    /// Starts `count` threads; their waiting is driven by the runtime of `handle`.
    pub fn start(count: usize, handle: &Handle) -> io::Result<Threads> {
        let mut doors = Vec::with_capacity(count.max(1));
        for number in 0..count.max(1) {
            let (door, jobs) = unbounded_channel();
            let handle = handle.clone();
            Builder::new()
                .name(format!("activation-{number}"))
                .stack_size(STACK_BYTES)
                .spawn(move || handle.block_on(work(jobs)))?;
            doors.push(door);
        }
        Ok(Threads {
            doors,
            next: AtomicUsize::new(0),
        })
    }

    /// Hands a job to the next thread; false when the threads are gone.
    pub fn run(&self, job: Job) -> bool {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.doors.len().max(1);
        self.doors
            .get(turn)
            .is_some_and(|door| door.send(job).is_ok())
    }
}

/// Runs what comes, many waiting at a time, until every sender is gone and the last job has ended.
async fn work(mut jobs: UnboundedReceiver<Job>) {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(()) = running.next(), if !running.is_empty() => {}
            job = jobs.recv() => match job {
                // A defect in one activation must not take the thread, and with it all the others, away.
                Some(job) => running.push(std::panic::AssertUnwindSafe(job).catch_unwind().map(|_| ())),
                None => break,
            },
        }
    }
    while running.next().await.is_some() {}
}

#[cfg(test)]
mod tests {
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
}
