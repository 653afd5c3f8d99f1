//! A node's named jobs: `serve` loops them side by side, the simulator, `run` and `test` pick one at a time.

use std::sync::Arc;

use crate::error::RuntimeError;
use crate::lane::{Input, What};
use crate::node::Node;
use crate::out::Handed;

/// Claims leave most of each batch to people.
const CLAIM: i64 = 200;

/// One kind of work that a node looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    /// What this node's own changes left for it.
    Handed,
    /// Timers.
    Wakes,
    /// Messages between instances.
    Inbox,
    /// Acts that nobody performs.
    Acts,
    /// Mails.
    Mails,
    /// Events without listeners, listeners without events.
    Events,
    /// Events for the site's sink.
    Sink,
    /// Schedules.
    Schedules,
    /// What is past its time.
    Sweep,
    /// The database's clock.
    Clock,
}

impl Job {
    /// All jobs, in the order in which an idle node looks.
    pub const ALL: [Job; 10] = [
        Job::Handed,
        Job::Wakes,
        Job::Inbox,
        Job::Acts,
        Job::Mails,
        Job::Events,
        Job::Sink,
        Job::Schedules,
        Job::Sweep,
        Job::Clock,
    ];

    /// The job's name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Job::Handed => "handed",
            Job::Wakes => "wakes",
            Job::Inbox => "inbox",
            Job::Acts => "acts",
            Job::Mails => "mails",
            Job::Events => "events",
            Job::Sink => "sink",
            Job::Schedules => "schedules",
            Job::Sweep => "sweep",
            Job::Clock => "clock",
        }
    }

    /// How long a served node waits before it looks again when nothing called it.
    pub fn pause_ms(self) -> u64 {
        match self {
            Job::Sweep => 30_000,
            Job::Clock => 10_000,
            _ => 1_000,
        }
    }
}

impl Node {
    /// Does one round of a job to its end; true when there was something to do.
    pub async fn run_job(self: &Arc<Self>, job: Job) -> Result<bool, RuntimeError> {
        match job {
            Job::Handed => Ok(self.take_handed().await),
            Job::Wakes => self.take_wakes().await,
            Job::Inbox => self.take_inbox().await,
            Job::Acts => self.take_acts().await,
            Job::Mails => self.send_mails().await,
            Job::Events => self.route_events().await,
            Job::Sink => self.send_to_sink().await,
            Job::Schedules => self.tick_schedules().await,
            Job::Sweep => self.sweep().await,
            Job::Clock => self.measure_clock().await,
        }
    }

    /// Does everything that is due at this moment, one thing after the other.
    pub async fn run_until_idle(self: &Arc<Self>) -> Result<(), RuntimeError> {
        loop {
            let mut some = false;
            for job in Job::ALL {
                if !matches!(job, Job::Sweep | Job::Clock) {
                    some |= self.run_job(job).await?;
                }
            }
            if !some {
                return Ok(());
            }
        }
    }

    /// When something comes due next; `None` when nothing ever does by itself.
    pub async fn next_due_ms(&self) -> Result<Option<i64>, RuntimeError> {
        let mails = if self.transport.is_some() {
            self.store.mail_next().await?
        } else {
            None
        };
        let times = [
            self.store.wake_next().await?,
            self.store.inbox_next().await?,
            self.store.act_next().await?,
            self.store.schedule_next().await?,
            mails,
        ];
        Ok(times.into_iter().flatten().min())
    }

    async fn take_handed(self: &Arc<Self>) -> bool {
        let handed: Vec<Handed> = self.handed.lock().drain(..).collect();
        let some = !handed.is_empty();
        for one in handed {
            self.take_one(one).await;
        }
        some
    }

    pub(crate) async fn take_one(self: &Arc<Self>, handed: Handed) {
        match handed {
            Handed::Act(row) => self.perform(row).await,
            Handed::Answer(instance, answer) => self.deliver(instance, answer).await,
            Handed::Told(instance, told) => {
                self.send(&instance, Input::background(What::Inbox(told)))
                    .await
            }
            Handed::Wake(instance) => self.send(&instance, Input::background(What::Wake)).await,
            Handed::Soon | Handed::Mails | Handed::Events | Handed::Listeners => {}
        }
    }

    async fn take_wakes(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let now_ms = self.clock.now_ms();
        let instances = self
            .store
            .wake_claim(now_ms, now_ms + self.settings.lease_ms, CLAIM)
            .await?;
        let some = !instances.is_empty();
        for instance in instances {
            self.send(&instance, Input::background(What::Wake)).await;
        }
        Ok(some)
    }

    async fn take_inbox(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let now_ms = self.clock.now_ms();
        let rows = self
            .store
            .inbox_claim(now_ms, now_ms + self.settings.lease_ms, CLAIM)
            .await?;
        let some = !rows.is_empty();
        for row in rows {
            if let Some((instance, input)) = Node::told(row) {
                self.send(&instance, input).await;
            }
        }
        Ok(some)
    }

    async fn take_acts(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let rows = self.claim_acts(CLAIM).await?;
        let some = !rows.is_empty();
        for row in rows {
            self.perform(row).await;
        }
        Ok(some)
    }
}
