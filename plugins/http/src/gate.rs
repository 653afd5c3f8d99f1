//! How hard a connector may be used: calls at the same time, calls in a time.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use crate::connectors::Rate;

/// When a place may be free again.
const BUSY: Duration = Duration::from_millis(250);
/// Calls may wait here for their turn this long; further ones come again.
const QUEUED: Duration = Duration::from_secs(1);

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    Concurrency,
    Rate,
}

pub(crate) struct Gate {
    permits: Semaphore,
    spacing: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

impl Gate {
    pub(crate) fn new(concurrency: u32, rate: Option<Rate>) -> Self {
        let spacing =
            rate.map(|rate| Duration::from_secs(u64::from(rate.seconds)) / rate.requests.max(1));
        Self {
            permits: Semaphore::new(concurrency.max(1) as usize),
            spacing,
            next: Mutex::new(None),
        }
    }

    /// Waits for its turn. The caller's deadline ends the wait by dropping it.
    pub(crate) async fn enter(&self) -> SemaphorePermit<'_> {
        let permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        if let Some(spacing) = self.spacing {
            let at = self.slot(spacing);
            sleep_until(at).await;
        }
        permit
    }

    /// How long a call would wait, when that is long enough to come again instead.
    pub(crate) fn wait(&self) -> Option<(Duration, Busy)> {
        if self.permits.available_permits() == 0 {
            return Some((BUSY, Busy::Concurrency));
        }
        let next = (*self.next.lock())?;
        let left = next.saturating_duration_since(Instant::now());
        (left > QUEUED).then_some((left, Busy::Rate))
    }

    fn slot(&self, spacing: Duration) -> Instant {
        let mut next = self.next.lock();
        let now = Instant::now();
        let at = next.map_or(now, |next| next.max(now));
        *next = Some(at + spacing);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_spaced_evenly() {
        let gate = Gate::new(
            1,
            Some(Rate {
                requests: 4,
                seconds: 2,
            }),
        );
        let spacing = gate.spacing.expect("a rate");
        assert_eq!(spacing, Duration::from_millis(500));
        let first = gate.slot(spacing);
        let second = gate.slot(spacing);
        let third = gate.slot(spacing);
        assert_eq!(second - first, spacing);
        assert_eq!(third - second, spacing);
    }

    #[tokio::test]
    async fn whoever_would_wait_long_comes_again() {
        let rate = Rate {
            requests: 1,
            seconds: 2,
        };
        let gate = Gate::new(1, Some(rate));
        assert_eq!(gate.wait(), None);
        let turn = gate.enter().await;
        assert_eq!(gate.wait(), Some((BUSY, Busy::Concurrency)));
        drop(turn);
        let (left, why) = gate.wait().expect("the next slot is two seconds away");
        assert_eq!(why, Busy::Rate);
        assert!(left > QUEUED && left <= Duration::from_secs(2));
    }

    #[tokio::test]
    async fn no_more_than_allowed_at_once() {
        let gate = Gate::new(2, None);
        let first = gate.enter().await;
        let _second = gate.enter().await;
        assert_eq!(gate.permits.available_permits(), 0);
        drop(first);
        assert_eq!(gate.permits.available_permits(), 1);
    }
}
