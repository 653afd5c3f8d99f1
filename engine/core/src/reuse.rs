//! The way back after a return: which former answers stand, which items open again, and how.

use crate::complete::CORRECTION;
use crate::effect::{Effect, Reopen};
use crate::event::Signing;
use crate::frame::FrameId;
use crate::instance::{Answer, Returning};
use crate::machine::Machine;
use crate::surroundings::Kind;

impl Machine<'_> {
    /// A former answer that stands in for a call: each once.
    pub(crate) fn former_answer(
        &mut self,
        place: &str,
        kind: Kind,
        args: Option<&str>,
    ) -> Option<Answer> {
        if !matches!(kind, Kind::Work | Kind::Act) {
            return None;
        }
        for returning in self.instance.returning.iter_mut().rev() {
            let Some(at) = returning
                .reuse
                .iter()
                .position(|answer| &*answer.place == place)
            else {
                continue;
            };
            let answer = returning.reuse.remove(at);
            // An act is not repeated only when it would be the same act.
            if kind == Kind::Work || answer.args.as_deref() == args {
                return Some(answer);
            }
        }
        None
    }

    /// How a work task is opened.
    pub(crate) fn reopening(&mut self, place: &str) -> Reopen {
        let back = self
            .instance
            .returning
            .iter()
            .rposition(|returning| &*returning.until == place);
        if let Some(at) = back {
            let returning = self.instance.returning.remove(at);
            return Reopen::Round {
                signing: returning.signing,
                by: returning.by,
            };
        }
        for returning in self.instance.returning.iter_mut().rev() {
            if let Some(at) = returning.reopen.iter().position(|open| &**open == place) {
                returning.reopen.remove(at);
                return Reopen::Keep;
            }
        }
        let returned = self
            .instance
            .frames
            .values()
            .rev()
            .find_map(|frame| frame.correction.clone());
        match returned {
            Some(by) if self.corrects(place) => Reopen::Round {
                signing: Signing::All,
                by,
            },
            _ => Reopen::Fresh,
        }
    }

    /// Whether the live task at a place was entered by a return.
    fn corrects(&self, place: &str) -> bool {
        let corrected = self
            .instance
            .frames
            .iter()
            .filter(|(_, frame)| frame.correction.is_some());
        corrected
            .map(|(id, _)| self.instance.place_of(*id))
            .any(|corrected| corrected == place)
    }

    /// A task was entered: when a return led here, the ground of a correction holds until it ends.
    pub(crate) fn arrive(&mut self, id: FrameId, place: &str) {
        let target = |returning: &&mut Returning| returning.target.as_deref() == Some(place);
        let Some(returning) = self.instance.returning.iter_mut().rev().find(target) else {
            return;
        };
        returning.target = None;
        let by = returning.by.clone();
        if let Some(frame) = self.instance.frames.get_mut(&id) {
            frame.correction = Some(by);
        }
        let (place, ground) = (place.to_owned(), CORRECTION.to_owned());
        self.effects.push(Effect::GroundEnter {
            place,
            ground,
            basis: None,
        });
    }

    /// Whether a clock goes on with what a return left of it.
    pub(crate) fn resumes_clock(&mut self, place: &str) -> bool {
        for returning in self.instance.returning.iter_mut().rev() {
            if let Some(at) = returning.clocks.iter().position(|clock| &**clock == place) {
                returning.clocks.remove(at);
                return true;
            }
        }
        false
    }
}

/// Whether a place is another one or lies below it.
pub(crate) fn lies_below(place: &str, above: &str) -> bool {
    match place.strip_prefix(above) {
        Some(rest) => above.is_empty() || rest.is_empty() || rest.starts_with(['/', '[']),
        None => false,
    }
}

/// A branch that the way from a scope to the returner goes through.
pub(crate) struct Fork {
    /// Place of the fork.
    pub(crate) place: String,
    /// Place of the branch on the way.
    pub(crate) own: String,
}

impl Fork {
    /// Whether a place lies in another branch of this fork.
    pub(crate) fn is_sibling(&self, place: &str) -> bool {
        place != self.place && lies_below(place, &self.place) && !lies_below(place, &self.own)
    }
}
