//! The ledger of pauses and what it leaves of a budget.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::next;
use crate::{Budget, Calendar};

/// A stretch in which a clock stood still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// When the clock was stopped.
    pub from_ms: i64,
    /// When it went on; none while it still stands.
    pub to_ms: Option<i64>,
    /// Why: `correction`, `notice`, `explanation` …
    pub ground: String,
}

impl Pause {
    fn end(&self, now_ms: i64) -> i64 {
        self.to_ms.unwrap_or(now_ms).max(self.from_ms)
    }
}

/// How much of a budget is used, in the budget's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Used {
    /// Working days begun, the first day not counted.
    WorkingDays(u32),
    /// Minutes within working hours.
    WorkingMinutes(u32),
    /// Calendar days begun, the first not counted.
    Days(u32),
    /// Minutes by the clock.
    Minutes(u32),
}

/// Whole days taken out of a count: the day on which a clock stops is still
/// counted, the day on which it goes on is not (it counts from the next day).
pub(crate) struct PausedDays(Vec<(Date, Date)>);

impl PausedDays {
    pub(crate) fn new(calendar: &Calendar, pauses: &[Pause], now_ms: i64) -> Self {
        let span = |pause: &Pause| {
            (
                calendar.date_of(pause.from_ms),
                calendar.date_of(pause.end(now_ms)),
            )
        };
        Self(pauses.iter().map(span).collect())
    }

    pub(crate) fn covers(&self, day: Date) -> bool {
        self.0.iter().any(|(from, to)| *from < day && day <= *to)
    }
}

/// Pauses as disjoint intervals in order.
pub(crate) fn intervals(pauses: &[Pause], now_ms: i64) -> Vec<(i64, i64)> {
    let mut all: Vec<(i64, i64)> = pauses
        .iter()
        .map(|pause| (pause.from_ms, pause.end(now_ms)))
        .collect();
    all.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::with_capacity(all.len());
    for (from, to) in all {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// What remains of an interval outside the given disjoint ones.
pub(crate) fn without(interval: (i64, i64), pauses: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let (mut from, to) = interval;
    let mut rest = Vec::new();
    for (pause_from, pause_to) in pauses {
        if *pause_to <= from || to <= *pause_from {
            continue;
        }
        if from < *pause_from {
            rest.push((from, *pause_from));
        }
        from = from.max(*pause_to);
    }
    if from < to {
        rest.push((from, to));
    }
    rest
}

impl Calendar {
    /// How much of a budget is used at `now_ms`. An open pause counts up to now.
    pub fn used(&self, start_ms: i64, budget: &Budget, pauses: &[Pause], now_ms: i64) -> Used {
        match budget {
            Budget::WorkingDays(_) => {
                Used::WorkingDays(
                    self.count_days(start_ms, pauses, now_ms, |day| self.is_working(day)),
                )
            }
            Budget::Days(_) | Budget::Date(_) => {
                Used::Days(self.count_days(start_ms, pauses, now_ms, |_| true))
            }
            Budget::WorkingHours(_) => {
                Used::WorkingMinutes(minutes(self.working_ms(start_ms, now_ms, pauses, now_ms)))
            }
            Budget::Hours(_) | Budget::Minutes(_) => {
                let stopped: i64 = intervals(pauses, now_ms)
                    .iter()
                    .map(|(from, to)| to - from)
                    .sum();
                Used::Minutes(minutes(
                    now_ms.saturating_sub(start_ms).saturating_sub(stopped),
                ))
            }
        }
    }

    fn count_days(
        &self,
        start_ms: i64,
        pauses: &[Pause],
        now_ms: i64,
        counts: impl Fn(Date) -> bool,
    ) -> u32 {
        let paused = PausedDays::new(self, pauses, now_ms);
        let last = self.date_of(now_ms);
        let mut day = self.date_of(start_ms);
        let mut count = 0;
        while day < last {
            day = next(day);
            if counts(day) && !paused.covers(day) {
                count += 1;
            }
        }
        count
    }

    /// Working milliseconds between two instants, pauses taken out.
    pub(crate) fn working_ms(
        &self,
        from_ms: i64,
        to_ms: i64,
        pauses: &[Pause],
        now_ms: i64,
    ) -> i64 {
        let stopped = intervals(pauses, now_ms);
        let last = self.date_of(to_ms);
        let mut day = self.date_of(from_ms);
        let mut total = 0;
        while day <= last {
            for (open, close) in self.intervals(day) {
                let part = (open.max(from_ms), close.min(to_ms));
                if part.0 < part.1 {
                    total += without(part, &stopped)
                        .iter()
                        .map(|(from, to)| to - from)
                        .sum::<i64>();
                }
            }
            if day == next(day) {
                break;
            }
            day = next(day);
        }
        total
    }
}

fn minutes(ms: i64) -> u32 {
    u32::try_from(ms.max(0) / 60_000).unwrap_or(u32::MAX)
}
