//! A clock: a budget of time and the ledger of its pauses.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_org::{Budget, BudgetError, Moment, Pause};

use crate::arguments::argument;
use crate::rung::Rung;
use crate::{Card, WorkError, World};

/// The time limit of a case, a stage or a work item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// `case`, the place of a stage or task, or `item/n`.
    pub id: String,
    /// The place that it stands over; empty for the whole case.
    pub place: String,
    /// The item, when it is an item's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The budget.
    pub budget: Budget,
    /// The shorter limit that the office promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<Budget>,
    /// Grounds on which it stands still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stops: Vec<String>,
    /// The legal basis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// The unit whose calendar counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// That calendar's id.
    pub calendar: String,
    /// When it started.
    pub started_ms: i64,
    /// The ledger of pauses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// Live grounds that hold it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<String>,
    /// What happens on the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<Rung>,
    /// The highest card shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_ms: Option<i64>,
    /// The deadline, as last derived.
    pub due_ms: i64,
    /// Whether the deadline is provisional.
    #[serde(default)]
    pub provisional: bool,
    /// How many entries its ledger has.
    #[serde(default)]
    pub entries: u32,
}

/// The id of the clock over the whole case.
pub const CASE_CLOCK: &str = "case";

impl Clock {
    /// Reads a clock; `spec` has `due`, `promise`, `stops`, `basis`, `remind`, `escalate`.
    pub(crate) fn read(
        id: String,
        place: &str,
        item: Option<u32>,
        spec: &Value,
        unit: Option<&str>,
        world: &World<'_>,
    ) -> Result<Self, WorkError> {
        let budget = |name: &'static str| {
            spec.get(name)
                .filter(|given| !given.is_null())
                .map(Budget::parse)
                .transpose()
        };
        let fault =
            |name: &'static str| move |error: BudgetError| argument(name, error.to_string());
        let due = budget("due").map_err(fault("due"))?;
        let promise = budget("promise").map_err(fault("promise"))?;
        let Some(limit) = due.or(promise) else {
            return Err(argument(
                "due",
                "reminders and escalation want a `due`, found none".into(),
            ));
        };
        let mut rungs = Vec::new();
        Rung::read_all(spec, "remind", &mut rungs)?;
        Rung::read_all(spec, "escalate", &mut rungs)?;
        let texts = |name: &str| -> Vec<String> {
            spec.get(name)
                .into_iter()
                .flat_map(Value::items)
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        Ok(Self {
            id,
            place: place.to_owned(),
            item,
            title: spec.text("title").map(str::to_owned),
            budget: limit,
            promise: promise.filter(|_| due.is_some()),
            stops: texts("stops"),
            basis: spec
                .get("basis")
                .filter(|basis| !basis.is_null())
                .map(text_of),
            unit: unit.map(str::to_owned),
            calendar: world.org.calendar(unit).id().to_owned(),
            started_ms: world.now_ms,
            pauses: Vec::new(),
            held_by: Vec::new(),
            rungs,
            card: None,
            closed_ms: None,
            due_ms: 0,
            provisional: false,
            entries: 0,
        })
    }

    /// Whether it is open and not paused.
    pub(crate) fn is_running(&self) -> bool {
        self.closed_ms.is_none() && self.held_by.is_empty()
    }

    /// The ground on which it stands still.
    pub fn ground(&self) -> Option<&str> {
        self.pauses
            .last()
            .filter(|pause| pause.to_ms.is_none())
            .map(|pause| pause.ground.as_str())
    }

    /// Whether the clock stands over a place.
    pub(crate) fn is_over(&self, place: &str) -> bool {
        lies_under(place, &self.place)
    }

    /// The earliest rung that has not fired.
    pub(crate) fn next_rung_ms(&self) -> Option<i64> {
        if !self.is_running() {
            return None;
        }
        self.rungs
            .iter()
            .filter(|rung| rung.fired_ms.is_none())
            .filter_map(|rung| rung.due_ms)
            .min()
    }

    /// Derives the deadline and the instants of the rungs from the ledger.
    pub(crate) fn reckon(&mut self, world: &World<'_>) {
        let calendar = world.org.calendar(self.unit.as_deref());
        let deadline = calendar.deadline(self.started_ms, &self.budget, &self.pauses, world.now_ms);
        (self.due_ms, self.provisional) = (deadline.at_ms, deadline.provisional);
        // A budget of days ends with its last millisecond: what happens at the
        // deadline happens when it is over.
        let whole_days = matches!(
            self.budget,
            Budget::WorkingDays(_) | Budget::Days(_) | Budget::Date(_)
        );
        let at_end = deadline.at_ms + i64::from(whole_days);
        for rung in self.rungs.iter_mut().filter(|rung| rung.fired_ms.is_none()) {
            let again = rung
                .again
                .as_ref()
                .and_then(|again| Some((again.every, again.after_ms?)));
            rung.due_ms = match (again, rung.at) {
                (Some((every, after_ms)), _) => {
                    let at_ms = calendar
                        .deadline(after_ms, &every, &self.pauses, world.now_ms)
                        .at_ms;
                    // What comes on another day comes when the office opens.
                    Some(match every {
                        Budget::WorkingDays(_) | Budget::Days(_) => {
                            calendar.opening_ms(calendar.date_of(at_ms))
                        }
                        _ => at_ms,
                    })
                }
                (None, Moment::Percent(100)) => Some(at_end),
                (None, moment) => calendar.moment(
                    self.started_ms,
                    &self.budget,
                    &moment,
                    &self.pauses,
                    world.now_ms,
                ),
            };
        }
    }

    /// Puts a ground on the clock; true when it stood still from then on.
    pub(crate) fn hold(&mut self, owner: &str, ground: &str, now_ms: i64) -> bool {
        if self.closed_ms.is_some() || self.held_by.iter().any(|held| held == owner) {
            return false;
        }
        self.held_by.push(owner.to_owned());
        if self.held_by.len() > 1 {
            return false;
        }
        self.pauses.push(Pause {
            from_ms: now_ms,
            to_ms: None,
            ground: ground.to_owned(),
        });
        true
    }

    /// Takes a ground off; true when it goes on from then on.
    pub(crate) fn let_go(&mut self, owner: &str, now_ms: i64) -> bool {
        let before = self.held_by.len();
        self.held_by.retain(|held| held != owner);
        if before == 0 || !self.held_by.is_empty() || self.held_by.len() == before {
            return false;
        }
        if let Some(pause) = self.pauses.last_mut() {
            pause.to_ms = Some(now_ms);
        }
        true
    }
}

/// Whether `place` is `above` or lies under it; the empty place is above all.
pub(crate) fn lies_under(place: &str, above: &str) -> bool {
    above.is_empty()
        || place
            .strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']))
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_json(), str::to_owned)
}
