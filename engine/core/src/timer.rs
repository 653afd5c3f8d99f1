//! Timers: when one is due, and what follows. Everything due fires, in due order.

use tongban_dsl::definition::Period;

use crate::code::Duration;
use crate::effect::Why;
use crate::error::{Error, ErrorKind};
use crate::evaluate::Moment;
use crate::frame::{Frame, FrameId, Phase, State};
use crate::instance::Status;
use crate::machine::Machine;
use crate::time;

enum Timer {
    Workflow,
    Timeout(FrameId),
    Wait(FrameId),
    Pause(FrameId),
    Attempt(FrameId),
}

impl Timer {
    /// Which timer of a frame is due at that instant.
    fn of(id: FrameId, frame: &Frame, due_ms: i64) -> Self {
        match &frame.state_of {
            State::Wait { until_ms } if *until_ms == due_ms => Timer::Wait(id),
            State::Try(trial) => match trial.phase {
                Phase::Pause { until_ms } if until_ms == due_ms => Timer::Pause(id),
                Phase::Try if trial.attempt_ends_ms == Some(due_ms) => Timer::Attempt(id),
                _ => Timer::Timeout(id),
            },
            _ => Timer::Timeout(id),
        }
    }

    /// The order of what is due at the same instant: what ends in time is not late, so limits come last.
    fn rank(&self) -> u8 {
        match self {
            Timer::Wait(_) | Timer::Pause(_) => 0,
            Timer::Attempt(_) | Timer::Timeout(_) => 1,
            Timer::Workflow => 2,
        }
    }
}

impl Machine<'_> {
    /// The period of a duration, which may be an expression.
    pub(crate) fn period(&self, duration: &Duration, moment: &Moment<'_>) -> Result<Period, Error> {
        match duration {
            Duration::Fixed(period) => Ok(*period),
            Duration::Code(code) => time::period(&self.eval(code, moment)?).map_err(|message| {
                Error::new(
                    ErrorKind::Expression,
                    format!("`{}` gives no duration: {message}", code.place),
                )
            }),
        }
    }

    /// The instant that lies a duration ahead.
    pub(crate) fn ahead(&self, duration: &Duration, moment: &Moment<'_>) -> Result<i64, Error> {
        Ok(time::after(
            self.now_ms,
            self.period(duration, moment)?,
            &self.env.zone,
        ))
    }

    /// Fires what is due, each followed by what it sets going.
    pub(crate) fn fire_due(&mut self) {
        while self.instance.status == Status::Running && self.instance.pending.is_empty() {
            let Some(timer) = self.earliest_due() else {
                break;
            };
            self.instance.runaway = 0;
            self.fire(&timer);
            self.run();
        }
    }

    fn earliest_due(&self) -> Option<Timer> {
        let frames = self.instance.frames.iter().filter_map(|(id, frame)| {
            let due_ms = frame.due_ms()?;
            Some((due_ms, Timer::of(*id, frame, due_ms)))
        });
        let workflow = self.instance.timeout_at_ms;
        let workflow = workflow.map(|due_ms| (due_ms, Timer::Workflow));
        let due = frames
            .chain(workflow)
            .filter(|(due_ms, _)| *due_ms <= self.now_ms);
        due.min_by_key(|(due_ms, timer)| (*due_ms, timer.rank()))
            .map(|(_, timer)| timer)
    }

    fn fire(&mut self, timer: &Timer) {
        match timer {
            Timer::Workflow => {
                let error = Error::new(
                    ErrorKind::Timeout,
                    "the workflow took longer than its timeout",
                );
                self.fault_all(error.at("/timeout"));
            }
            Timer::Timeout(id) => {
                self.end_children(*id, Why::Timeout);
                self.withdraw(*id, Why::Timeout);
                self.set_state(*id, State::New);
                if let Some(frame) = self.instance.frames.get_mut(id) {
                    frame.timeout_at_ms = None;
                }
                self.fault(
                    *id,
                    Error::new(ErrorKind::Timeout, "the task took longer than its timeout"),
                );
            }
            Timer::Wait(id) => {
                let input = self.instance.input_of(*id);
                self.complete(*id, input, None);
            }
            Timer::Pause(id) => self.restart(*id),
            Timer::Attempt(id) => self.attempt_over(*id),
        }
    }
}
