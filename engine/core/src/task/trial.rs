//! `try`, `catch` and `retry`.

use tongban_dsl::definition::{Backoff, ErrorFilter};
use tongban_expr::Value;

use crate::effect::{RecordStatus, Why};
use crate::enter::Outcome;
use crate::error::{Error, ErrorKind, same_type};
use crate::evaluate::Moment;
use crate::frame::{FrameId, Line, Phase, State, Trial};
use crate::machine::Machine;
use crate::program::{Body, Retry, Try};
use crate::time;

impl Machine<'_> {
    pub(crate) fn start_trial(
        &mut self,
        id: FrameId,
        body: &Try,
        input: Value,
    ) -> Result<Outcome, Error> {
        let trial = Trial {
            phase: Phase::Try,
            retries: 0,
            first_error_ms: None,
            attempt_ends_ms: self.attempt_ends(id, body, &input)?,
            error: None,
            line: Line::of(body.scope),
        };
        self.set_state(id, State::Try(Box::new(trial)));
        Ok(self.begin_list(id, body.scope, input))
    }

    fn attempt_ends(&self, id: FrameId, body: &Try, input: &Value) -> Result<Option<i64>, Error> {
        let limit = body.retry.as_ref().and_then(|retry| retry.attempt.as_ref());
        limit
            .map(|limit| self.ahead(limit, &Moment::definition(id, input)))
            .transpose()
    }

    /// Whether this `try` wants the error, which it holds already.
    pub(crate) fn wants(&self, id: FrameId, error: &Error) -> Result<bool, Error> {
        let Body::Try(body) = &self.task_of(id).body else {
            return Ok(false);
        };
        if body
            .errors
            .as_ref()
            .is_some_and(|filter| !passes(filter, error))
        {
            return Ok(false);
        }
        let input = self.instance.input_of(id);
        let moment = Moment::definition(id, &input);
        if let Some(when) = &body.when
            && !self.holds(when, &moment)?
        {
            return Ok(false);
        }
        match &body.except_when {
            Some(except) => Ok(!self.holds(except, &moment)?),
            None => Ok(true),
        }
    }

    /// The error has been caught: retry first, then `catch.do`, then go on.
    pub(crate) fn caught(&mut self, id: FrameId, error: Error) {
        let Body::Try(body) = &self.task_of(id).body else {
            return;
        };
        let input = self.instance.input_of(id);
        let now_ms = self.now_ms;
        if let Some(trial) = self.trial_mut(id) {
            trial.first_error_ms.get_or_insert(now_ms);
            trial.attempt_ends_ms = None;
        }
        let pause = match &body.retry {
            Some(retry) => self.pause(id, retry, &input),
            None => Ok(None),
        };
        match pause {
            Err(fault) => self.fault(id, fault),
            Ok(Some(until_ms)) => self.retry_at(id, until_ms, error),
            Ok(None) => self.handle(id, body, input, error),
        }
    }

    fn trial_mut(&mut self, id: FrameId) -> Option<&mut Trial> {
        match self.instance.doing_mut(id) {
            Some(State::Try(trial)) => Some(trial),
            _ => None,
        }
    }

    /// When the next attempt begins; `None`: there is none.
    fn pause(&self, id: FrameId, retry: &Retry, input: &Value) -> Result<Option<i64>, Error> {
        let Some(State::Try(trial)) = self.instance.doing(id) else {
            return Ok(None);
        };
        let moment = Moment::definition(id, input);
        if retry.count.is_some_and(|count| trial.retries >= count) {
            return Ok(None);
        }
        if let Some(when) = &retry.when
            && !self.holds(when, &moment)?
        {
            return Ok(None);
        }
        if let Some(except) = &retry.except_when
            && self.holds(except, &moment)?
        {
            return Ok(None);
        }
        let n = trial.retries + 1;
        let delay = match &retry.delay {
            Some(delay) => time::after(0, self.period(delay, &moment)?, &self.env.zone),
            None => 0,
        };
        let grown = match retry.backoff {
            Backoff::Constant => delay,
            Backoff::Linear => delay.saturating_mul(i64::from(n)),
            Backoff::Exponential => delay.saturating_mul(
                1i64.checked_shl(n - 1)
                    .filter(|_| n < 62)
                    .unwrap_or(i64::MAX),
            ),
        };
        let jitter = match &retry.jitter {
            Some((from, to)) => {
                let from = time::after(0, self.period(from, &moment)?, &self.env.zone);
                let to = time::after(0, self.period(to, &moment)?, &self.env.zone);
                self.draw(id, n, from, to)
            }
            None => 0,
        };
        let until_ms = self
            .now_ms
            .saturating_add(grown.max(0))
            .saturating_add(jitter);
        if let (Some(total), Some(first)) = (&retry.total, trial.first_error_ms) {
            let end = time::after(first, self.period(total, &moment)?, &self.env.zone);
            if until_ms > end {
                return Ok(None);
            }
        }
        Ok(Some(until_ms))
    }

    /// A number between two, the same for the same attempt of the same entry of the same instance.
    fn draw(&self, id: FrameId, attempt: u32, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to.saturating_sub(from)).unwrap_or(0);
        let seed = format!(
            "{}\n{}\n{attempt}",
            self.instance.id,
            self.instance.run_id_of(id)
        );
        let hash = blake3::hash(seed.as_bytes());
        let drawn = hash
            .as_bytes()
            .iter()
            .take(8)
            .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let within = if width == u64::MAX {
            drawn
        } else {
            drawn % (width + 1)
        };
        from.saturating_add(i64::try_from(within).unwrap_or(0))
    }

    fn retry_at(&mut self, id: FrameId, until_ms: i64, error: Error) {
        let now_ms = self.now_ms;
        if let Some(trial) = self.trial_mut(id) {
            trial.retries += 1;
            trial.line = Line::default();
            trial.phase = Phase::Pause { until_ms };
        }
        let record = self.record(id, RecordStatus::Retried);
        record.error = Some(error);
        if until_ms > now_ms {
            return;
        }
        match self.count_runaway() {
            Ok(()) => self.restart(id),
            Err(fault) => self.fault_all(fault),
        }
    }

    /// The pause is over: the block begins again with the counters that it had.
    pub(crate) fn restart(&mut self, id: FrameId) {
        let Body::Try(body) = &self.task_of(id).body else {
            return;
        };
        let input = self.instance.input_of(id);
        let attempt_ends = match self.attempt_ends(id, body, &input) {
            Ok(ends) => ends,
            Err(error) => return self.fault(id, error),
        };
        if let Some(trial) = self.trial_mut(id) {
            trial.phase = Phase::Try;
            trial.error = None;
            trial.attempt_ends_ms = attempt_ends;
            trial.line = Line::of(body.scope);
        }
        if let Outcome::Done(output, next) = self.begin_list(id, body.scope, input) {
            self.complete(id, output, next);
        }
    }

    /// No further attempt: `catch.do`, or the task's input goes on.
    fn handle(&mut self, id: FrameId, body: &Try, input: Value, error: Error) {
        let Some(scope) = body.catch else {
            self.complete(id, input, body.then);
            return;
        };
        if let Some(trial) = self.trial_mut(id) {
            trial.phase = Phase::Catch;
            trial.error = Some(error);
            trial.line = Line::of(scope);
        }
        if let Outcome::Done(output, _) = self.begin_list(id, scope, input) {
            self.complete(id, output, body.then);
        }
    }

    /// One attempt took too long.
    pub(crate) fn attempt_over(&mut self, id: FrameId) {
        if let Some(trial) = self.trial_mut(id) {
            trial.attempt_ends_ms = None;
        }
        self.end_children(id, Why::Timeout);
        self.fault_inside(
            id,
            Error::new(ErrorKind::Timeout, "the attempt took longer than its limit"),
        );
    }
}

/// Whether an error has everything that a filter names.
fn passes(filter: &ErrorFilter, error: &Error) -> bool {
    let text = |wanted: Option<&str>, found: Option<&str>| {
        wanted.is_none_or(|wanted| found == Some(wanted))
    };
    filter
        .type_uri
        .as_ref()
        .is_none_or(|wanted| same_type(&wanted.value, &error.type_uri))
        && filter
            .status
            .as_ref()
            .is_none_or(|wanted| wanted.value == error.status)
        && text(
            filter.instance.as_ref().map(|wanted| wanted.value.as_str()),
            error.instance.as_deref(),
        )
        && text(
            filter.title.as_ref().map(|wanted| wanted.value.as_str()),
            Some(&error.title),
        )
        && text(
            filter.detail.as_ref().map(|wanted| wanted.value.as_str()),
            error.detail.as_deref(),
        )
}
