//! Timers: everything due fires, in due order.

use crate::effect::Why;
use crate::error::{Error, ErrorKind};
use crate::frame::{FrameId, Phase, State};
use crate::instance::Status;
use crate::machine::Machine;

enum Timer {
    Workflow,
    Timeout(FrameId),
    Wait(FrameId),
    Pause(FrameId),
    Attempt(FrameId),
}

impl Machine<'_> {
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
        let frames = self
            .instance
            .frames
            .iter()
            .filter_map(|(id, frame)| Some((frame.due_ms()?, *id)));
        let frame = frames.filter(|(due, _)| *due <= self.now_ms).min();
        let workflow = self
            .instance
            .timeout_at_ms
            .filter(|due| *due <= self.now_ms);
        match (frame, workflow) {
            (Some((due, _)), Some(workflow)) if workflow < due => Some(Timer::Workflow),
            (Some((due, id)), _) => Some(self.timer_of(id, due)),
            (None, Some(_)) => Some(Timer::Workflow),
            (None, None) => None,
        }
    }

    fn timer_of(&self, id: FrameId, due: i64) -> Timer {
        match self.instance.frames.get(&id).map(|frame| &frame.state_of) {
            Some(State::Wait { until_ms }) if *until_ms == due => Timer::Wait(id),
            Some(State::Try(trial)) => match trial.phase {
                Phase::Pause { until_ms } if until_ms == due => Timer::Pause(id),
                Phase::Try if trial.attempt_ends_ms == Some(due) => Timer::Attempt(id),
                _ => Timer::Timeout(id),
            },
            _ => Timer::Timeout(id),
        }
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
                let input = self
                    .instance
                    .frames
                    .get(id)
                    .map(|frame| frame.input.value())
                    .unwrap_or_default();
                self.complete(*id, input, None);
            }
            Timer::Pause(id) => self.restart(*id),
            Timer::Attempt(id) => self.attempt_over(*id),
        }
    }
}
