//! Serving: every job in a loop of its own, called by bells, hints of the database and a slow poll.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::error::RuntimeError;
use crate::jobs::Job;
use crate::node::{Door, Node};
use crate::out::Handed;

/// How long a stopping node waits for what is being done.
const DRAIN: Duration = Duration::from_secs(10);

/// How long it then waits for changes that the database has not taken yet.
const LAST_CHANGES: Duration = Duration::from_secs(3);

/// How long a job rests that ended in a panic, before it begins again.
const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// How long a node does without hints when it cannot listen for them.
const HINTLESS_MS: u64 = 5_000;

/// Hints closer to each other than this count as one.
const HINT_GAP: Duration = Duration::from_millis(50);

/// The most acts in flight on one node.
const ACTS_MAX: usize = 256;

/// The most cases that this node's own changes left for it and that wait for a lane.
const WAITING_MAX: usize = 100_000;

/// How long they wait before the lanes are looked at again.
const LANES_PAUSE: Duration = Duration::from_millis(5);

/// The most mails in flight on one node.
const MAILS_MAX: usize = 16;

/// Runs a node until `stop` ends, then lets what is being done end.
pub async fn serve(node: Arc<Node>, stop: impl Future<Output = ()>) -> Result<(), RuntimeError> {
    node.measure_clock().await?;
    let (stopping, stopped) = watch::channel(false);
    let mut committers = JoinSet::new();
    if let Door::Queue(committer) = &node.door {
        for _ in 0..committer.loops() {
            let committer = committer.clone();
            committers
                .spawn(async move { kept_up("commit", PANIC_PAUSE, || committer.run()).await });
        }
    }
    node.serving.store(true, Ordering::Release);
    let mut jobs = JoinSet::new();
    let acts = Arc::new(Semaphore::new(ACTS_MAX));
    for job in Job::ALL {
        let (node, stopped, acts) = (Arc::clone(&node), stopped.clone(), Arc::clone(&acts));
        jobs.spawn(async move {
            kept_up(job.name(), PANIC_PAUSE, || {
                run_loop(&node, job, &stopped, &acts)
            })
            .await;
        });
    }
    jobs.spawn(hints_loop(Arc::clone(&node), stopped));
    stop.await;
    tracing::info!("stopping: no new work is taken");
    node.stop();
    // Whoever listens has gone when this fails.
    let _ = stopping.send(true);
    let drained = async {
        while jobs.join_next().await.is_some() {}
        // Lanes that still run end by themselves; their rows come due on another node otherwise.
        while !node.lanes.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("not everything ended in time; what is left comes due again by itself");
    }
    node.serving.store(false, Ordering::Release);
    if let Door::Queue(committer) = &node.door {
        committer.close();
    }
    let ended = async { while committers.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_CHANGES, ended).await.is_err() {
        tracing::warn!(
            "the database did not take the last changes; nobody was told that they are durable"
        );
    }
    Ok(())
}

/// Runs a loop until it ends. One that ends in a panic begins again: a defect must not leave a node without timers or
/// without commits until somebody notices. What it had begun is dropped, and comes due again by its rows.
async fn kept_up<L: Future<Output = ()>>(
    name: &'static str,
    pause: Duration,
    begin: impl Fn() -> L,
) {
    while AssertUnwindSafe(begin()).catch_unwind().await.is_err() {
        tracing::error!(job = name, "a job ended in a panic; it begins again");
        tokio::time::sleep(pause).await;
    }
}

async fn run_loop(
    node: &Arc<Node>,
    job: Job,
    stopped: &watch::Receiver<bool>,
    acts: &Arc<Semaphore>,
) {
    let (node, stopped) = (Arc::clone(node), stopped.clone());
    match job {
        Job::Handed => handed_loop(node, stopped, Arc::clone(acts)).await,
        Job::Acts => acts_loop(node, stopped, Arc::clone(acts)).await,
        Job::Mails => mails_loop(node, stopped).await,
        job => job_loop(node, job, stopped).await,
    }
}

async fn job_loop(node: Arc<Node>, job: Job, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let done = if is_under_pressure(&node, job) {
            Ok(false)
        } else {
            node.run_job(job).await
        };
        let pause_ms = match done {
            Ok(true) => continue,
            Ok(false) => pause_ms(&node, job).await,
            Err(error) => {
                tracing::warn!(job = job.name(), %error, "a job could not go on; it tries again");
                // Whatever calls it would have it fail again at once.
                wait(job.pause_ms(), &mut stopped).await;
                continue;
            }
        };
        let pause = tokio::time::sleep(Duration::from_millis(pause_ms));
        tokio::select! {
            () = pause => {}
            () = node.event_bell.notified(), if job == Job::Events => {}
            () = node.due_bell.notified(), if matches!(job, Job::Wakes | Job::Inbox) => {}
            _ = stopped.changed() => {}
        }
    }
}

async fn wait(pause_ms: u64, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(pause_ms)) => {}
        _ = stopped.changed() => {}
    }
}

/// Until the next look: timers that come due before the next poll are not left to it.
async fn pause_ms(node: &Node, job: Job) -> u64 {
    if job != Job::Wakes {
        return job.pause_ms();
    }
    let Ok(Some(due_ms)) = node.store.wake_next().await else {
        return job.pause_ms();
    };
    let left_ms = due_ms - node.clock.now_ms();
    u64::try_from(left_ms.max(1))
        .unwrap_or(1)
        .min(job.pause_ms())
}

/// What this node's own changes left for it: lanes run on their threads, acts side by side.
async fn handed_loop(node: Arc<Node>, mut stopped: watch::Receiver<bool>, acts: Arc<Semaphore>) {
    let mut flying = JoinSet::new();
    let mut waiting = VecDeque::new();
    loop {
        let handed: Vec<Handed> = node.handed.lock().drain(..).collect();
        for one in handed {
            let is_act = matches!(one, Handed::Act(_));
            if matches!(one, Handed::Wake(_)) {
                // More than these are left to the lease of their rows, which brings them back.
                if waiting.len() < WAITING_MAX {
                    waiting.push_back(one);
                }
                continue;
            }
            if !is_act {
                node.take_one(one).await;
                continue;
            }
            // A permit that cannot be had leaves the act to its lease, which brings it back.
            if let Ok(permit) = Arc::clone(&acts).try_acquire_owned() {
                let node = Arc::clone(&node);
                flying.spawn(async move {
                    node.take_one(one).await;
                    drop(permit);
                });
            }
        }
        if *stopped.borrow() {
            break;
        }
        while !are_lanes_full(&node)
            && let Some(one) = waiting.pop_front()
        {
            node.take_one(one).await;
        }
        let pause = if waiting.is_empty() {
            Duration::from_millis(Job::Handed.pause_ms())
        } else {
            LANES_PAUSE
        };
        tokio::select! {
            () = node.bell.notified() => {}
            () = tokio::time::sleep(pause) => {}
            Some(_) = flying.join_next(), if !flying.is_empty() => {}
            _ = stopped.changed() => {}
        }
    }
    while flying.join_next().await.is_some() {}
}

async fn acts_loop(node: Arc<Node>, mut stopped: watch::Receiver<bool>, acts: Arc<Semaphore>) {
    let mut flying = JoinSet::new();
    while !*stopped.borrow() {
        let free = i64::try_from(acts.available_permits().min(64)).unwrap_or(0);
        let rows = if free > 0 && !is_under_pressure(&node, Job::Acts) {
            node.claim_acts(free).await
        } else {
            Ok(Vec::new())
        };
        let rows = rows.unwrap_or_else(|error| {
            tracing::warn!(%error, "acts could not be claimed");
            Vec::new()
        });
        let some = !rows.is_empty();
        for row in rows {
            let (node, acts) = (Arc::clone(&node), Arc::clone(&acts));
            flying.spawn(async move {
                let _permit = acts.acquire_owned().await;
                node.perform(row).await;
            });
        }
        while flying.try_join_next().is_some() {}
        if !some {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(Job::Acts.pause_ms())) => {}
                _ = stopped.changed() => {}
            }
        }
    }
    while flying.join_next().await.is_some() {}
}

async fn mails_loop(node: Arc<Node>, mut stopped: watch::Receiver<bool>) {
    let mut flying: JoinSet<()> = JoinSet::new();
    while !*stopped.borrow() {
        let room = MAILS_MAX.saturating_sub(flying.len());
        let mails = if room > 0 {
            node.claim_mails(i64::try_from(room).unwrap_or(1)).await
        } else {
            Ok(Vec::new())
        };
        let mails = mails.unwrap_or_else(|error| {
            tracing::warn!(%error, "mails could not be claimed");
            Vec::new()
        });
        let some = !mails.is_empty();
        for mail in mails {
            let node = Arc::clone(&node);
            flying.spawn(async move {
                if let Err(error) = node.send_mail(mail).await {
                    tracing::warn!(%error, "what became of a mail could not be written down");
                }
            });
        }
        if !some {
            tokio::select! {
                () = node.mail_bell.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(Job::Mails.pause_ms())) => {}
                Some(_) = flying.join_next(), if !flying.is_empty() => {}
                _ = stopped.changed() => {}
            }
        }
    }
    while flying.join_next().await.is_some() {}
}

/// Other nodes say when something is due; a hint that is lost costs a second.
async fn hints_loop(node: Arc<Node>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let mut wakeups = match node.store.wakeups().await {
            Ok(wakeups) => wakeups,
            Err(error) => {
                tracing::debug!(%error, "no hints: polling goes on");
                wait(HINTLESS_MS, &mut stopped).await;
                continue;
            }
        };
        loop {
            tokio::select! {
                () = wakeups.next() => {
                    node.due_bell.notify_waiters();
                    node.event_bell.notify_one();
                    node.mail_bell.notify_one();
                    // Many commits, one look.
                    tokio::time::sleep(HINT_GAP).await;
                }
                _ = stopped.changed() => return,
            }
            if *stopped.borrow() {
                return;
            }
        }
    }
}

/// Claims stop before people are refused.
fn is_under_pressure(node: &Node, job: Job) -> bool {
    let claims = matches!(job, Job::Wakes | Job::Inbox | Job::Acts | Job::Schedules);
    let full = match &node.door {
        Door::Queue(committer) => committer.pressure().is_full(),
        Door::Direct => false,
    };
    claims && (full || are_lanes_full(node) || node.clock.is_lost())
}

/// Most of the lanes are left to people: what starts cases by the thousand neither fills the memory nor stands before them.
fn are_lanes_full(node: &Node) -> bool {
    node.lanes.len() > node.settings.lanes_max / 8
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_begins_again() {
        let begun = AtomicUsize::new(0);
        let job = || async {
            let before = begun.fetch_add(1, Ordering::AcqRel);
            assert!(before >= 2, "a defect");
        };
        kept_up("test", Duration::ZERO, job).await;
        assert_eq!(begun.into_inner(), 3);
    }
}
