//! When a callee is left alone: after so many failures in a row, or for as long as it asks.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tongban_plugin::{Failure, FailureKind, HttpResponse};

use crate::connectors::Breaker;

/// The longest pause that a callee may ask for.
const ASKED_MAX: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    until: Option<Instant>,
}

/// One connector's circuit. After its pause one call is let through; its success closes the circuit.
#[derive(Debug)]
pub(crate) struct Circuit {
    breaker: Breaker,
    state: Mutex<State>,
}

impl Circuit {
    pub(crate) fn new(breaker: Breaker) -> Self {
        Self {
            breaker,
            state: Mutex::default(),
        }
    }

    /// How long calls wait, when they do.
    pub(crate) fn pause(&self, now: Instant) -> Option<Duration> {
        let until = self.state.lock().until?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Lets a call through, or says how long it has to wait. The call that comes first after a pause is a trial: until
    /// its outcome is known the others wait on.
    pub(crate) fn enter(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock();
        let Some(until) = state.until else {
            return Ok(());
        };
        let left = until.saturating_duration_since(now);
        if !left.is_zero() {
            return Err(left);
        }
        state.until = Some(now + self.length());
        Ok(())
    }

    /// Notes what became of a call.
    pub(crate) fn note(&self, result: &Result<HttpResponse, Failure>, now: Instant) {
        match result {
            Ok(response) if is_down(response.status) => self.failed(asked(response), now),
            Ok(response) if response.status == 429 => match asked(response) {
                Some(pause) => self.rest(pause, now),
                None => self.succeeded(),
            },
            Ok(_) => self.succeeded(),
            Err(failure) => {
                let down = matches!(
                    failure.kind,
                    FailureKind::Communication | FailureKind::Timeout
                );
                // What this side refuses says nothing about the callee.
                if down && failure.retryable {
                    self.failed(None, now);
                }
            }
        }
    }

    /// A call that was given up counts as one that failed.
    pub(crate) fn timed_out(&self, now: Instant) {
        self.failed(None, now);
    }

    fn succeeded(&self) {
        *self.state.lock() = State::default();
    }

    fn failed(&self, asked: Option<Duration>, now: Instant) {
        if let Some(pause) = asked {
            self.rest(pause, now);
        }
        if self.breaker.failures == 0 {
            return;
        }
        let mut state = self.state.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= self.breaker.failures {
            let until = now + self.length();
            state.until = Some(state.until.map_or(until, |known| known.max(until)));
        }
    }

    fn rest(&self, pause: Duration, now: Instant) {
        if self.breaker.failures == 0 {
            return;
        }
        self.state.lock().until = Some(now + pause.min(ASKED_MAX));
    }

    fn length(&self) -> Duration {
        Duration::from_secs(u64::from(self.breaker.seconds))
    }
}

fn is_down(status: u16) -> bool {
    matches!(status, 502..=504)
}

/// `Retry-After` in seconds; a date is left alone.
fn asked(response: &HttpResponse) -> Option<Duration> {
    let seconds = response.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, after: Option<&str>) -> Result<HttpResponse, Failure> {
        Ok(HttpResponse {
            status,
            headers: after
                .map(|after| ("retry-after".to_owned(), after.to_owned()))
                .into_iter()
                .collect(),
            ..HttpResponse::default()
        })
    }

    fn circuit(failures: u32) -> Circuit {
        Circuit::new(Breaker {
            failures,
            seconds: 30,
        })
    }

    #[test]
    fn opens_after_failures_in_a_row_and_tries_once_after_the_pause() {
        let (circuit, now) = (circuit(2), Instant::now());
        circuit.note(&answer(503, None), now);
        circuit.note(&answer(200, None), now);
        circuit.note(&Err(Failure::communication("nobody there")), now);
        assert_eq!(circuit.enter(now), Ok(()), "a success in between counts");
        circuit.note(&Err(Failure::timeout("no answer")), now);
        assert_eq!(circuit.enter(now), Err(Duration::from_secs(30)));
        let later = now + Duration::from_secs(31);
        assert_eq!(circuit.pause(later), None);
        assert_eq!(circuit.enter(later), Ok(()), "one call is a trial");
        assert!(circuit.enter(later).is_err(), "the others wait for it");
        circuit.note(&answer(404, None), later);
        assert_eq!(circuit.enter(later), Ok(()), "whoever answers is there");
    }

    #[test]
    fn a_callee_may_ask_to_be_left_alone() {
        let (circuit, now) = (circuit(5), Instant::now());
        circuit.note(&answer(429, Some("12")), now);
        assert_eq!(circuit.pause(now), Some(Duration::from_secs(12)));
        circuit.note(&answer(503, Some("100000")), now);
        assert_eq!(circuit.pause(now), Some(ASKED_MAX));
        let off = self::circuit(0);
        off.note(&answer(429, Some("12")), now);
        for _ in 0..20 {
            off.note(&answer(503, None), now);
        }
        assert_eq!(off.enter(now), Ok(()));
    }

    #[test]
    fn what_this_side_refuses_is_not_the_callees_fault() {
        let (circuit, now) = (circuit(1), Instant::now());
        let refused = Failure::configuration("an address that is not listed");
        circuit.note(&Err(refused), now);
        let large = Failure::communication("too large").with_retryable(false);
        circuit.note(&Err(large), now);
        assert_eq!(circuit.enter(now), Ok(()));
    }
}
