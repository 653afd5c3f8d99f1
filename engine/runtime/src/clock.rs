//! The node's time: the database's clock carried on by monotonic time, or a virtual one.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

/// A pause that ends when the clock says so.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a node takes the time from. Everything the runtime writes is stamped by it.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970 UTC; never less than what it said before.
    fn now_ms(&self) -> i64;

    /// Ends after `millis` of this clock's real waiting time; a virtual clock never ends it by itself.
    fn sleep(&self, millis: u64) -> Sleep;

    /// Takes a reading of the database's clock; false when the clock jumped beyond its bound and the node must stop writing.
    fn measured(&self, database_ms: i64) -> bool;

    /// Whether a jump beyond the bound was seen, and no reading within it since.
    fn is_lost(&self) -> bool {
        false
    }
}

/// A jump of more than this between two readings means that one of the two clocks lies.
const JUMP_BOUND_MS: i64 = 60_000;

/// The database's clock, measured now and then, and monotonic time between the readings.
pub struct SystemClock {
    began: Instant,
    base_ms: Mutex<i64>,
    last_ms: AtomicI64,
    measured_once: AtomicBool,
    lost: AtomicBool,
}

impl SystemClock {
    /// Starts from this machine's clock until the first reading of the database's arrives.
    pub fn new() -> SystemClock {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map(|past| past.as_millis())
            .unwrap_or(0);
        SystemClock {
            began: Instant::now(),
            base_ms: Mutex::new(i64::try_from(now).unwrap_or(i64::MAX)),
            last_ms: AtomicI64::new(0),
            measured_once: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        }
    }

    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let now = self.base_ms.lock().saturating_add(self.elapsed_ms());
        self.last_ms.fetch_max(now, Ordering::AcqRel).max(now)
    }

    fn sleep(&self, millis: u64) -> Sleep {
        Box::pin(tokio::time::sleep(Duration::from_millis(millis)))
    }

    fn measured(&self, database_ms: i64) -> bool {
        let base = database_ms.saturating_sub(self.elapsed_ms());
        let mut held = self.base_ms.lock();
        let jump = base.saturating_sub(*held).abs();
        // The first reading may be far from this machine's clock: the database's is the one that counts.
        if self.measured_once.swap(true, Ordering::AcqRel) && jump > JUMP_BOUND_MS {
            self.lost.store(true, Ordering::Release);
            return false;
        }
        *held = base;
        // The database's clock was put right again.
        self.lost.store(false, Ordering::Release);
        true
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}

/// A clock that stands still until it is moved: for tests, `tongban run` and `tongban test`.
#[derive(Debug)]
pub struct VirtualClock {
    now_ms: AtomicI64,
}

impl VirtualClock {
    /// A clock that says `now_ms`.
    pub fn at(now_ms: i64) -> VirtualClock {
        VirtualClock {
            now_ms: AtomicI64::new(now_ms),
        }
    }

    /// Moves to `at_ms`; a clock never goes back.
    pub fn advance_to(&self, at_ms: i64) {
        self.now_ms.fetch_max(at_ms, Ordering::AcqRel);
    }

    /// Moves ahead by `millis`.
    pub fn advance(&self, millis: i64) {
        self.now_ms.fetch_add(millis.max(0), Ordering::AcqRel);
    }
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Acquire)
    }

    fn sleep(&self, _millis: u64) -> Sleep {
        Box::pin(std::future::pending())
    }

    fn measured(&self, _database_ms: i64) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_clock_takes_the_first_reading_and_refuses_a_jump_later() {
        let clock = SystemClock::new();
        let far = clock.now_ms() + 3_600_000;
        assert!(
            clock.measured(far),
            "the first reading counts, however far it is"
        );
        assert!(clock.now_ms() >= far);
        assert!(!clock.measured(far + 120_000));
        assert!(clock.is_lost());
        assert!(clock.measured(far), "the two agree again");
        assert!(!clock.is_lost());
    }

    #[test]
    fn a_clock_never_goes_back() {
        let clock = SystemClock::new();
        let first = clock.now_ms();
        assert!(clock.measured(first));
        assert!(clock.measured(first - 30_000));
        assert!(clock.now_ms() >= first);
        let virtual_clock = VirtualClock::at(500);
        virtual_clock.advance_to(100);
        assert_eq!(virtual_clock.now_ms(), 500);
    }
}
