//! Acts side by side, for a node that does everything where it is asked: what is in flight is held by whoever drives
//! the node, so that letting go of it ends it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::error::RuntimeError;
use crate::jobs::Job;
use crate::node::Node;
use crate::out::Handed;

/// How many acts are claimed at once.
const CLAIM: i64 = 200;

/// Acts that were begun and have not ended. Those in flight go on by themselves: one that holds a connection of the
/// store while nobody waits for it would stop everybody who wants one.
#[derive(Default)]
pub struct Flying {
    begun: Vec<Act>,
    acts: JoinSet<()>,
}

type Act = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Flying {
    /// Whether nothing is in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.acts.is_empty()
    }

    /// Waits until one act has ended; at once when there is none.
    pub async fn landed(&mut self) {
        for act in self.begun.drain(..) {
            self.acts.spawn(act);
        }
        if let Some(Err(error)) = self.acts.join_next().await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Node {
    /// Does everything that is due at this moment; acts are begun and join those in flight.
    pub async fn run_beside(self: &Arc<Self>, flying: &mut Flying) -> Result<(), RuntimeError> {
        loop {
            let mut some = self.begin_acts(flying).await?;
            for job in Job::ALL {
                if !matches!(job, Job::Handed | Job::Acts | Job::Sweep | Job::Clock) {
                    some |= self.run_job(job).await?;
                }
            }
            if !some {
                return Ok(());
            }
        }
    }

    async fn begin_acts(self: &Arc<Self>, flying: &mut Flying) -> Result<bool, RuntimeError> {
        let handed: Vec<Handed> = self.handed.lock().drain(..).collect();
        let claimed = if handed.is_empty() {
            self.claim_acts(CLAIM).await?
        } else {
            Vec::new()
        };
        let some = !handed.is_empty() || !claimed.is_empty();
        for one in handed
            .into_iter()
            .chain(claimed.into_iter().map(Handed::Act))
        {
            if matches!(one, Handed::Act(_)) {
                let node = Arc::clone(self);
                flying
                    .begun
                    .push(Box::pin(async move { node.take_one(one).await }));
            } else {
                self.take_one(one).await;
            }
        }
        Ok(some)
    }
}
