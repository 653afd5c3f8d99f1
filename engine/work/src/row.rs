//! Rows of the tables `work_item`, `work_candidate` and `clock`: a projection
//! of the desk. The runtime writes the difference between two of them.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

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
