//! Names of entries into tasks.
//!
//! A *path* is the names from the root joined by `/`; a *place* adds the number of the iteration,
//! `[i]`; a *run id* adds `#n` from the second deliberate entry. A retried block restarts with the
//! counters that it had, so the same course has the same run ids.

use std::fmt::Write;

use crate::frame::{Frame, FrameId, ROOT};
use crate::instance::Instance;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Path,
    Place,
    RunId,
}

impl Instance {
    /// The path of a frame.
    pub(crate) fn path_of(&self, id: FrameId) -> String {
        self.name_of(id, Detail::Path)
    }

    /// The place of a frame.
    pub(crate) fn place_of(&self, id: FrameId) -> String {
        self.name_of(id, Detail::Place)
    }

    /// The run id of a frame.
    pub(crate) fn run_id_of(&self, id: FrameId) -> String {
        self.name_of(id, Detail::RunId)
    }

    fn name_of(&self, id: FrameId, detail: Detail) -> String {
        let mut text = String::new();
        self.write_name(id, detail, true, &mut text);
        text
    }

    fn write_name(&self, id: FrameId, detail: Detail, last: bool, text: &mut String) {
        let Some(frame) = self.frames.get(&id) else {
            return;
        };
        if id == ROOT {
            return;
        }
        self.write_name(frame.parent, detail, false, text);
        if !text.is_empty() {
            text.push('/');
        }
        write_part(frame, detail, last, text);
    }
}

fn write_part(frame: &Frame, detail: Detail, last: bool, text: &mut String) {
    text.push_str(&frame.name);
    if detail == Detail::RunId && frame.entry > 1 {
        // Writing to a string cannot fail.
        let _ = write!(text, "#{}", frame.entry);
    }
    // The iteration belongs to what is inside; the loop itself is entered once.
    if detail != Detail::Path
        && !last
        && let Some(index) = frame.iteration()
    {
        let _ = write!(text, "[{index}]");
    }
}

/// The idempotency key of an entry.
pub(crate) fn idempotency_key(instance: &str, run_id: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(instance.as_bytes());
    hasher.update(b"\n");
    hasher.update(run_id.as_bytes());
    hasher.finalize().to_hex().to_string()
}
