//! A task ends with an error, or is ended from outside.

use std::collections::BTreeSet;

use tongban_expr::Value;

use crate::effect::{Effect, RecordStatus, Why};
use crate::error::{Error, ErrorKind};
use crate::frame::{FrameId, Phase, ROOT, State};
use crate::instance::{Mark, Status};
use crate::machine::Machine;

impl Machine<'_> {
    /// Ends a frame with an error: the nearest `try` around it that wants the error has it, else the
    /// instance faults.
    pub(crate) fn fault(&mut self, id: FrameId, error: Error) {
        let error = if id == ROOT {
            error
        } else {
            error.at(&self.task_of(id).pointer)
        };
        let around: Vec<FrameId> = self
            .instance
            .ancestors(id)
            .skip(1)
            .map(|(id, _)| id)
            .collect();
        self.look_for_catch(id, around, error);
    }

    /// An error of the tried block itself (an attempt took too long): its own `catch` may have it.
    pub(crate) fn fault_inside(&mut self, id: FrameId, error: Error) {
        let error = error.at(&self.task_of(id).pointer);
        let around: Vec<FrameId> = self.instance.ancestors(id).map(|(id, _)| id).collect();
        self.look_for_catch(id, around, error);
    }

    fn look_for_catch(&mut self, id: FrameId, around: Vec<FrameId>, mut error: Error) {
        for candidate in around {
            match self.catches(candidate, &error) {
                Ok(false) => {}
                Ok(true) => {
                    self.tear_down(id, candidate, &error);
                    self.caught(candidate, error);
                    return;
                }
                // The filter itself failed: that is the error now.
                Err(fault) => error = fault.at(&self.task_of(candidate).pointer),
            }
        }
        self.fault_instance(id, error, Why::Faulted);
    }

    /// Ends everything from a frame up to, not including, the `try` that caught its error.
    fn tear_down(&mut self, id: FrameId, until: FrameId, error: &Error) {
        let path: Vec<FrameId> = self
            .instance
            .ancestors(id)
            .map(|(id, _)| id)
            .take_while(|id| *id != until)
            .collect();
        for id in path {
            self.end_children(id, Why::Faulted);
            self.withdraw(id, Why::Faulted);
            self.note_fault(id, error);
            self.undress(id);
            self.instance.frames.remove(&id);
        }
        self.end_children(until, Why::Faulted);
    }

    fn note_fault(&mut self, id: FrameId, error: &Error) {
        if self.is_around(id) {
            return;
        }
        self.record(id, RecordStatus::Faulted).error = Some(error.clone());
        self.mark(id, Mark::Failed);
    }

    /// Nobody catches the error: the instance ends. Its frames stay as they are, so that an operator
    /// can go on from there.
    fn fault_instance(&mut self, id: FrameId, error: Error, why: Why) {
        self.stand_still(why, Some((id, &error)));
        self.instance.faulted = Some(id);
        self.end_instance(Status::Faulted, Value::Null, Some(error));
    }

    /// The whole instance fails, whatever it is doing; nobody can catch this.
    pub(crate) fn fault_all(&mut self, error: Error) {
        let why = if error.is(ErrorKind::Timeout) {
            Why::Timeout
        } else {
            Why::Faulted
        };
        self.fault_instance(ROOT, error, why);
    }

    /// The whole instance is cancelled. Its frames stay, for a later wake-up.
    pub(crate) fn cancel(&mut self, reason: &str) {
        self.stand_still(Why::Cancelled, None);
        self.end_instance(Status::Cancelled, Value::Null, None);
        if let Some(record) = self.records.last_mut() {
            record.note = Some(reason.to_owned());
        }
    }

    /// Nothing waits any more, newest frames first; all of them stay. Those on the way from the one that failed
    /// are noted as failed, the others as cancelled.
    fn stand_still(&mut self, why: Why, failed: Option<(FrameId, &Error)>) {
        let way: BTreeSet<FrameId> = failed
            .into_iter()
            .flat_map(|(id, _)| self.instance.ancestors(id))
            .map(|(id, _)| id)
            .collect();
        let frames = self.instance.frames.keys().rev().copied();
        let frames: Vec<FrameId> = frames.filter(|id| *id != ROOT).collect();
        for frame in frames {
            self.withdraw(frame, why);
            match failed {
                Some((_, error)) if way.contains(&frame) => self.note_fault(frame, error),
                _ => self.note_cancelled(frame),
            }
            self.undress(frame);
        }
        self.close_applicant(why);
    }

    pub(crate) fn note_cancelled(&mut self, id: FrameId) {
        if self.quiet || self.is_around(id) {
            return;
        }
        self.record(id, RecordStatus::Cancelled);
        self.mark(id, Mark::Cancelled);
    }

    /// Ends everything below a frame.
    pub(crate) fn end_children(&mut self, id: FrameId, why: Why) {
        let below = self.instance.below(id);
        for child in below.iter().rev() {
            self.withdraw(*child, why);
            self.note_cancelled(*child);
            self.undress(*child);
            self.instance.frames.remove(child);
        }
        self.instance
            .pending
            .retain(|pending| pending.parent != id && !below.contains(&pending.parent));
    }

    /// Tells the world that a frame waits no more.
    pub(crate) fn withdraw(&mut self, id: FrameId, why: Why) {
        if self.quiet {
            return;
        }
        let Some(frame) = self.instance.frames.get(&id) else {
            return;
        };
        let effect = match &frame.state_of {
            State::Call(waiting) | State::Child(waiting) => Effect::Withdraw {
                run_id: waiting.run_id.to_string(),
                why,
            },
            State::Listen(listening) if !listening.closed => Effect::Unlisten {
                run_id: listening.run_id.to_string(),
            },
            _ => return,
        };
        self.effects.push(effect);
    }

    /// Whether a frame is a `try` that wants the error.
    fn catches(&mut self, id: FrameId, error: &Error) -> Result<bool, Error> {
        let Some(frame) = self.instance.frames.get_mut(&id) else {
            return Ok(false);
        };
        let State::Try(trial) = &mut frame.state_of else {
            return Ok(false);
        };
        if trial.phase != Phase::Try {
            return Ok(false);
        }
        trial.error = Some(error.clone());
        let caught = self.wants(id, error);
        if !matches!(caught, Ok(true))
            && let Some(State::Try(trial)) = self.instance.doing_mut(id)
        {
            trial.error = None;
        }
        caught
    }
}
