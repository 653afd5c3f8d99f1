//! Rows of the tables `work_item`, `work_candidate` and `clock`: a projection
//! of the desk. The runtime writes the difference between two of them.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_org::Principal;

use crate::clock::Clock;
use crate::desk::Desk;
use crate::item::Item;

/// All rows of one desk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Items, open and closed.
    pub items: Vec<ItemRow>,
    /// Who may act on open items.
    pub candidates: Vec<CandidateRow>,
    /// Clocks, running and closed.
    pub clocks: Vec<ClockRow>,
}

/// A row of `work_item`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemRow {
    /// The number within the case.
    pub n: u32,
    /// The run id.
    pub run_id: String,
    /// The round.
    pub round: u32,
    /// `approve`, `collect`, `notice`, `resubmit` or `correct`.
    pub kind: String,
    /// The title.
    pub title: String,
    /// The form: a reference or a schema.
    pub form: Option<Value>,
    /// `open`, `held`, `correcting`, `decided`, `returned`, `closed`.
    pub status: String,
    /// The unit that answers.
    pub unit_id: Option<String>,
    /// The nearest deadline over the item.
    pub due_at_ms: Option<i64>,
    /// Whether that deadline is provisional.
    pub provisional: bool,
    /// The highest card shown.
    pub card: Option<String>,
    /// When it was opened.
    pub opened_at_ms: i64,
    /// When it was closed.
    pub closed_at_ms: Option<i64>,
    /// The outcome.
    pub outcome: Option<String>,
}

/// A row of `work_candidate`: one person who may act now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateRow {
    /// The principal, `person:li-na`.
    pub candidate: String,
    /// The item.
    pub n: u32,
    /// When the item was opened.
    pub opened_at_ms: i64,
    /// The deadline.
    pub due_at_ms: Option<i64>,
    /// Whether this person has claimed it.
    pub claimed: bool,
}

/// A row of `clock`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockRow {
    /// The clock's id: `case`, a place, or `item/n`.
    pub id: String,
    /// The legal basis.
    pub basis: Option<String>,
    /// The number of the budget.
    pub budget: u32,
    /// The unit of the budget.
    pub unit: String,
    /// The calendar's id.
    pub calendar: String,
    /// When it started.
    pub started_at_ms: i64,
    /// The deadline; none when it is closed.
    pub due_at_ms: Option<i64>,
    /// Whether the deadline is provisional.
    pub provisional: bool,
}

impl Desk {
    /// The rows of this desk. The runtime takes the difference to the rows
    /// before; nothing else writes these tables.
    pub fn rows(&self) -> Rows {
        let mut rows = Rows::default();
        for item in &self.items {
            let due = self.nearest_due(item).filter(|_| item.status.is_live());
            rows.items.push(self.item_row(item, due));
            for (person, _) in item.current() {
                let claimed = item
                    .seats
                    .iter()
                    .any(|seat| seat.claimed.as_ref().is_some_and(|(by, _)| by == person));
                rows.candidates.push(CandidateRow {
                    candidate: Principal::Person(person.to_owned()).to_string(),
                    n: item.n,
                    opened_at_ms: item.opened_ms,
                    due_at_ms: due.map(|(at_ms, _)| at_ms),
                    claimed,
                });
            }
        }
        rows.clocks = self.clocks.iter().map(clock_row).collect();
        rows
    }

    fn item_row(&self, item: &Item, due: Option<(i64, bool)>) -> ItemRow {
        let over = self.clocks.iter().filter(|clock| {
            clock
                .item
                .map_or_else(|| clock.is_over(&item.place), |n| n == item.n)
        });
        ItemRow {
            n: item.n,
            run_id: item.run_id.clone(),
            round: item.round,
            kind: item.kind.word().to_owned(),
            title: item.title.clone(),
            form: item.spec.form.clone(),
            status: item.status.word().to_owned(),
            unit_id: item.unit().map(str::to_owned),
            due_at_ms: due.map(|(at_ms, _)| at_ms),
            provisional: due.is_some_and(|(_, provisional)| provisional),
            card: over
                .filter_map(|clock| clock.card)
                .max()
                .map(|card| card.word().to_owned()),
            opened_at_ms: item.opened_ms,
            closed_at_ms: item.closed.as_ref().map(|closed| closed.at_ms),
            outcome: item
                .closed
                .as_ref()
                .and_then(|closed| closed.outcome.clone()),
        }
    }
}

fn clock_row(clock: &Clock) -> ClockRow {
    ClockRow {
        id: clock.id.clone(),
        basis: clock.basis.clone(),
        budget: clock.budget.amount(),
        unit: clock.budget.unit().to_owned(),
        calendar: clock.calendar.clone(),
        started_at_ms: clock.started_ms,
        due_at_ms: clock.closed_ms.is_none().then_some(clock.due_ms),
        provisional: clock.provisional,
    }
}
