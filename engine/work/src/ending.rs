//! How items end: with an outcome, because their task ended, and what ends with them.

use std::sync::Arc;

use tongban_expr::{Value, value};

use crate::desk::{Desk, note};
use crate::item::{Closed, Item, Status};
use crate::tally::tally;
use crate::timing::owner_of;
use crate::{Out, World};

/// What a closed item may keep on show; larger values stand with their steps.
const SHOWN_MAX: u64 = 4_096;

impl Desk {
    /// Closes the work of a run id because its task ended otherwise. What is
    /// closed already stays as it is.
    pub fn close(&mut self, run_id: &str, why: &str, world: &World<'_>) -> Vec<Out> {
        let mut outs = Vec::new();
        let concerned: Vec<u32> = self
            .items
            .iter()
            .filter(|item| item.run_id == run_id)
            .map(|item| item.n)
            .collect();
        for n in concerned {
            self.shut(n, why, None, world, &mut outs);
        }
        outs
    }

    /// Completes the item when its answers amount to an outcome.
    pub(crate) fn settle(&mut self, index: usize, world: &World<'_>, outs: &mut Vec<Out>) -> bool {
        let Some(item) = self.items.get(index) else {
            return false;
        };
        let Some(outcome) = tally(item) else {
            return false;
        };
        let deciding = item
            .decisions
            .iter()
            .rev()
            .find(|decision| decision.outcome == outcome);
        let by = deciding.map(|decision| decision.person.clone());
        let output = crate::result::output(item, &outcome, deciding, world);
        self.complete(index, &outcome, by, "decided", output, world, outs);
        true
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one ending")]
    pub(crate) fn complete(
        &mut self,
        index: usize,
        outcome: &str,
        by: Option<String>,
        why: &str,
        output: Value,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        item.status = Status::Decided;
        let (n, run_id) = (item.n, item.run_id.clone());
        item.closed = Some(Closed {
            at_ms: world.now_ms,
            why: why.to_owned(),
            by,
            outcome: Some(outcome.to_owned()),
        });
        slim(item);
        self.end_of_item(n, world, outs);
        outs.push(Out::Completed { run_id, output });
    }

    /// What ends with an item: its clock, its grounds, corrections inside it.
    pub(crate) fn end_of_item(&mut self, n: u32, world: &World<'_>, outs: &mut Vec<Out>) {
        for index in 0..self.clocks.len() {
            if self
                .clocks
                .get(index)
                .is_some_and(|clock| clock.item == Some(n))
            {
                self.clock_end(index, world, outs);
            }
        }
        self.ground_end(&owner_of(n), world, outs);
        let inside: Vec<u32> = self
            .items
            .iter()
            .filter(|item| item.parent == Some(n) && item.status.is_live())
            .map(|item| item.n)
            .collect();
        for child in inside {
            self.shut(child, "closed", None, world, outs);
        }
    }

    /// Closes a live item without an outcome.
    pub(crate) fn shut(
        &mut self,
        n: u32,
        why: &str,
        by: Option<String>,
        world: &World<'_>,
        outs: &mut Vec<Out>,
    ) {
        let Some(item) = self.item_mut(n) else { return };
        if !item.status.is_live() {
            return;
        }
        item.status = Status::Closed;
        item.closed = Some(Closed {
            at_ms: world.now_ms,
            why: why.to_owned(),
            by: by.clone(),
            outcome: None,
        });
        slim(item);
        self.end_of_item(n, world, outs);
        let by = by.unwrap_or_else(|| "system".to_owned());
        outs.push(note(Some(n), "closed", &by, world, value!({"why": why})));
    }
}

/// A closed item keeps what a reader needs, not copies of what other steps hold.
pub(crate) fn slim(item: &mut Item) {
    if item.spec.show.weight() > SHOWN_MAX {
        let mut spec = (*item.spec).clone();
        spec.show = Value::Null;
        item.spec = Arc::new(spec);
    }
}
