//! A clock: a budget of time, the ledger of its pauses, and the rungs that
//! fire once each on the way to the deadline.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_org::{Budget, BudgetError, Moment, Pause, Selector};

use crate::arguments::argument;
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

/// Something that happens once at a moment of a clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rung {
    /// `remind.0`, `escalate.1`, `timeout`, `end`.
    pub id: String,
    /// When.
    pub at: Moment,
    /// What.
    pub does: Does,
    /// The card that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// Who is told; nobody named means whoever holds it up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Selector>,
    /// The instant, while the clock runs; none when it lies before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
    /// When it fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_ms: Option<i64>,
}

/// What a rung does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Does {
    /// Reminds.
    Remind,
    /// Shows a card and tells.
    Escalate,
    /// Ends the item with an outcome that the author wrote.
    Timeout(String),
    /// Ends a notice.
    End,
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
        rungs_of(spec, "remind", &mut rungs)?;
        rungs_of(spec, "escalate", &mut rungs)?;
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
    pub fn is_running(&self) -> bool {
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
    pub fn is_over(&self, place: &str) -> bool {
        lies_under(place, &self.place)
    }

    /// The earliest rung that has not fired.
    pub fn next_rung_ms(&self) -> Option<i64> {
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
            rung.due_ms = match rung.at {
                Moment::Percent(100) => Some(at_end),
                moment => calendar.moment(
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

fn rungs_of(spec: &Value, name: &'static str, into: &mut Vec<Rung>) -> Result<(), WorkError> {
    for (index, given) in spec
        .get(name)
        .into_iter()
        .flat_map(Value::items)
        .enumerate()
    {
        let fault = |error: BudgetError| argument(name, error.to_string());
        let known = match name {
            "remind" => ["before", "after", "to"],
            _ => ["after", "card", "to"],
        };
        if let Some((key, _)) = given
            .entries()
            .find(|(key, _)| !known.contains(&key.as_str()))
        {
            let reason = format!("`{key}` is not supported; expected {}", known.join(", "));
            return Err(argument(name, reason));
        }
        let at = match (given.get("before"), given.get("after")) {
            (Some(before), None) => Moment::parse_before(before).map_err(fault)?,
            (None, Some(after)) => Moment::parse_after(after).map_err(fault)?,
            _ => {
                let reason = format!(
                    "expected either `before` or `after`, found {}",
                    given.to_json()
                );
                return Err(argument(name, reason));
            }
        };
        let card = match given.text("card") {
            Some(word) => Some(Card::parse(word).ok_or_else(|| {
                argument(
                    name,
                    format!("expected a card of blue, yellow or red, found `{word}`"),
                )
            })?),
            None => None,
        };
        let to = given.get("to").map_or(Ok(Vec::new()), Selector::parse_list);
        into.push(Rung {
            id: format!("{name}.{index}"),
            at,
            does: if name == "remind" {
                Does::Remind
            } else {
                Does::Escalate
            },
            card,
            to: to.map_err(|error| argument(name, error.to_string()))?,
            due_ms: None,
            fired_ms: None,
        });
    }
    Ok(())
}
