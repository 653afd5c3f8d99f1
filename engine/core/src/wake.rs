//! An ended instance runs again.

use crate::effect::Effect;
use crate::evaluate::Moment;
use crate::frame::{FrameId, ROOT};
use crate::machine::Machine;
use crate::program::Body;

impl Machine<'_> {
    /// An ended instance runs again: what was live when it ended is opened again. Timeouts that have
    /// passed since would end it at once; they are dropped.
    pub(crate) fn wake(&mut self) {
        let now_ms = self.now_ms;
        let over = |timeout: &mut Option<i64>| *timeout = timeout.filter(|at_ms| *at_ms > now_ms);
        over(&mut self.instance.timeout_at_ms);
        self.instance
            .frames
            .values_mut()
            .for_each(|frame| over(&mut frame.timeout_at_ms));
        self.reopen_clock(ROOT);
        let frames: Vec<FrameId> = self
            .instance
            .frames
            .keys()
            .copied()
            .filter(|id| *id != ROOT)
            .collect();
        for id in frames {
            self.reopen_clock(id);
            let reopened = match &self.task_of(id).body {
                Body::Call(call) if self.waits(id) => self.call_again(id, call),
                Body::Listen(body) if self.waits(id) => {
                    self.subscribe(id, body);
                    Ok(())
                }
                Body::Child(child) if self.waits(id) => {
                    let input = self.instance.input_of(id);
                    self.child(id, child, &input).map(|_| ())
                }
                _ => Ok(()),
            };
            if let Err(error) = reopened {
                self.fault(id, error);
                return;
            }
        }
    }

    fn waits(&self, id: FrameId) -> bool {
        self.instance
            .frames
            .get(&id)
            .is_some_and(|frame| frame.waiting().is_some())
    }

    fn reopen_clock(&mut self, id: FrameId) {
        if self.is_around(id) {
            return;
        }
        let (clock, pauses) = match id {
            ROOT => (self.program.clock.as_ref(), None),
            _ => (
                self.task_of(id).clock.as_ref(),
                self.task_of(id).pauses.as_ref(),
            ),
        };
        let place = self.instance.place_of(id);
        let input = self.instance.input_of(id);
        let moment = Moment::definition(id, &input);
        if let Some(Ok((spec, title))) = clock.map(|clock| self.clock_spec(clock, &moment)) {
            self.effects.push(Effect::ClockOpen {
                place: place.clone(),
                spec,
                title,
                resume: true,
            });
        }
        if let Some(pauses) = pauses {
            self.effects.push(Effect::GroundEnter {
                place,
                ground: pauses.ground.clone(),
                basis: None,
            });
        }
    }
}
