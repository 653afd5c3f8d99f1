//! The tree of an instance's frames: what stands above and below one, and what one is doing.

use std::collections::BTreeSet;

use tongban_expr::Value;

use crate::frame::{Frame, FrameId, Line, ROOT, State};
use crate::instance::Instance;

impl Instance {
    /// What a frame is doing; `None` when it is gone.
    pub(crate) fn doing(&self, id: FrameId) -> Option<&State> {
        self.frames.get(&id).map(|frame| &frame.state_of)
    }

    /// The same, to be changed.
    pub(crate) fn doing_mut(&mut self, id: FrameId) -> Option<&mut State> {
        self.frames.get_mut(&id).map(|frame| &mut frame.state_of)
    }

    /// The list that a frame runs at the moment, to be changed.
    pub(crate) fn line_mut(&mut self, id: FrameId) -> Option<&mut Line> {
        self.frames.get_mut(&id).and_then(Frame::line_mut)
    }

    /// The raw input of a frame's task; null when it is gone.
    pub(crate) fn raw_of(&self, id: FrameId) -> Value {
        let frame = self.frames.get(&id);
        frame.map(|frame| frame.raw.value()).unwrap_or_default()
    }

    /// The transformed input of a frame's task; null when it is gone.
    pub(crate) fn input_of(&self, id: FrameId) -> Value {
        let frame = self.frames.get(&id);
        frame.map(|frame| frame.input.value()).unwrap_or_default()
    }

    /// The frame, then the one around it, up to the root.
    pub(crate) fn ancestors(&self, id: FrameId) -> impl Iterator<Item = (FrameId, &Frame)> {
        let mut next = self.frames.get(&id).map(|frame| (id, frame));
        std::iter::from_fn(move || {
            let (id, frame) = next?;
            next = if id == ROOT {
                None
            } else {
                self.frames
                    .get(&frame.parent)
                    .map(|parent| (frame.parent, parent))
            };
            Some((id, frame))
        })
    }

    /// Everything below a frame.
    pub(crate) fn below(&self, id: FrameId) -> BTreeSet<FrameId> {
        let mut below = BTreeSet::new();
        // A child's number is above its parent's, so one pass in order finds all.
        for (child, frame) in self.frames.range(id + 1..) {
            if frame.parent == id || below.contains(&frame.parent) {
                below.insert(*child);
            }
        }
        below
    }
}
