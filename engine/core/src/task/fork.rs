//! `fork`: branches, each with its own copy of the context.

use std::collections::BTreeMap;

use tongban_expr::Value;

use crate::enter::Outcome;
use crate::frame::{FrameId, State};
use crate::machine::Machine;
use crate::program::ScopeId;

impl Machine<'_> {
    /// Makes all branches due; the first declared is entered first.
    pub(crate) fn fork(&mut self, id: FrameId, scope: ScopeId, input: Value) -> Outcome {
        self.set_state(
            id,
            State::Fork {
                done: BTreeMap::new(),
                entries: BTreeMap::new(),
            },
        );
        let branches = &self.program.scope(scope).tasks;
        if branches.is_empty() {
            return Outcome::Done(Value::list(Vec::new()), None);
        }
        for branch in branches.iter().rev() {
            self.due(id, *branch, input.clone());
        }
        Outcome::Lives
    }
}
