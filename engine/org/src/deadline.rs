//! Deadlines, derived from a start, a budget and the ledger of pauses. A
//! deadline can say how it came about, and is provisional while it touches a
//! year whose calendar is not published.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::{next, previous};
use crate::ledger::{PausedDays, intervals, without};
use crate::{Budget, Calendar, DayKind, Explanation, Moment, Pause};

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;
/// Longer counts than this end where they are: the largest budget with as many
/// days off again, and as many paused.
const DAYS_MAX: u32 = 12_000;

/// The instant until which something must be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The last millisecond that is still in time.
    pub at_ms: i64,
    /// Whether it touches a year whose calendar is not published.
    pub provisional: bool,
    /// How it came about, in order.
    pub explained: Vec<Explanation>,
}

/// The n-th counted day, with what was met on the way.
struct Count {
    day: Date,
    provisional: bool,
    explained: Vec<Explanation>,
}

impl Calendar {
    /// The deadline of a budget. While a pause is open, it is the deadline that
    /// would hold if the clock went on now.
    pub fn deadline(
        &self,
        start_ms: i64,
        budget: &Budget,
        pauses: &[Pause],
        now_ms: i64,
    ) -> Deadline {
        let start = self.date_of(start_ms);
        let mut deadline = match *budget {
            Budget::WorkingDays(amount) => {
                let count = self.count(start, amount, pauses, now_ms, |day| self.is_working(day));
                self.end_of(start, count, budget, amount)
            }
            Budget::Days(amount) => {
                let mut count = self.count(start, amount, pauses, now_ms, |_| true);
                self.roll_forward(&mut count);
                self.end_of(start, count, budget, amount)
            }
            Budget::WorkingHours(amount) => {
                let at_ms = self.after_working(
                    start_ms,
                    i64::from(amount) * 60 * MINUTE_MS,
                    pauses,
                    now_ms,
                );
                self.by_hours(start, at_ms, amount, budget)
            }
            Budget::Hours(amount) => {
                self.by_clock(start_ms, i64::from(amount) * 60, pauses, now_ms)
            }
            Budget::Minutes(amount) => self.by_clock(start_ms, i64::from(amount), pauses, now_ms),
            Budget::Date(on) => {
                let explained = vec![Explanation::Fixed { on }];
                Deadline {
                    at_ms: self.day_end_ms(on),
                    provisional: false,
                    explained,
                }
            }
        };
        if !matches!(budget, Budget::Date(_)) {
            self.explain_pauses(pauses, &mut deadline.explained);
        }
        deadline
    }

    /// The instant at which a rung is due, none when it lies before the start
    /// (a reminder two days before a deadline of one day is not sent).
    pub fn moment(
        &self,
        start_ms: i64,
        budget: &Budget,
        moment: &Moment,
        pauses: &[Pause],
        now_ms: i64,
    ) -> Option<i64> {
        let due_ms = || self.deadline(start_ms, budget, pauses, now_ms).at_ms;
        match moment {
            Moment::After(after) => Some(self.deadline(start_ms, after, pauses, now_ms).at_ms),
            Moment::Percent(100) => Some(due_ms()),
            Moment::Percent(percent) => {
                Some(self.share(start_ms, budget, *percent, pauses, now_ms))
            }
            Moment::Before(before) => {
                let at_ms = self.before(due_ms(), before);
                (at_ms > start_ms).then_some(at_ms)
            }
        }
    }

    fn count(
        &self,
        start: Date,
        amount: u32,
        pauses: &[Pause],
        now_ms: i64,
        counts: impl Fn(Date) -> bool,
    ) -> Count {
        let paused = PausedDays::new(self, pauses, now_ms);
        let mut count = Count {
            day: start,
            provisional: false,
            explained: vec![Explanation::Started { on: start }],
        };
        let (mut left, mut seen) = (amount, 0);
        while left > 0 && seen < DAYS_MAX {
            count.day = next(count.day);
            seen += 1;
            self.note_day(count.day, &mut count);
            if counts(count.day) && !paused.covers(count.day) {
                left -= 1;
            }
        }
        count
    }

    fn note_day(&self, day: Date, count: &mut Count) {
        if !self.is_published(day.year()) {
            let note = Explanation::Provisional { year: day.year() };
            if !count.explained.contains(&note) {
                count.explained.push(note);
            }
            count.provisional = true;
        }
        match self.kind(day) {
            DayKind::Holiday(name) => match count.explained.last_mut() {
                Some(Explanation::Holiday { name: last, to, .. })
                    if last == name && next(*to) == day =>
                {
                    *to = day
                }
                _ => count.explained.push(Explanation::Holiday {
                    name: name.to_owned(),
                    from: day,
                    to: day,
                }),
            },
            DayKind::MakeUp(name) => {
                count.explained.push(Explanation::MakeUp {
                    on: day,
                    name: name.to_owned(),
                });
            }
            DayKind::Work | DayKind::Weekend => {}
        }
    }

    fn roll_forward(&self, count: &mut Count) {
        let from = count.day;
        if self.is_working(from) {
            return;
        }
        let name = match self.kind(from) {
            DayKind::Holiday(name) => name.to_owned(),
            _ => "weekend".to_owned(),
        };
        while !self.is_working(count.day) && count.day != next(count.day) {
            count.day = next(count.day);
            if !self.is_published(count.day.year()) {
                count.provisional = true;
            }
        }
        count.explained.push(Explanation::RolledForward {
            from,
            to: count.day,
            name,
        });
    }

    fn end_of(&self, start: Date, count: Count, budget: &Budget, amount: u32) -> Deadline {
        let Count {
            day,
            mut provisional,
            mut explained,
        } = count;
        provisional |= !self.is_published(start.year());
        explained.push(Explanation::Counted {
            amount,
            unit: budget.unit().to_owned(),
            to: day,
        });
        Deadline {
            at_ms: self.day_end_ms(day),
            provisional,
            explained,
        }
    }

    fn by_hours(&self, start: Date, at_ms: i64, amount: u32, budget: &Budget) -> Deadline {
        let last = self.date_of(at_ms);
        let mut count = Count {
            day: start,
            provisional: false,
            explained: Vec::new(),
        };
        let mut day = start;
        loop {
            self.note_day(day, &mut count);
            if day >= last {
                break;
            }
            day = next(day);
        }
        let Count {
            provisional,
            mut explained,
            ..
        } = count;
        explained.push(Explanation::Counted {
            amount,
            unit: budget.unit().to_owned(),
            to: last,
        });
        Deadline {
            at_ms,
            provisional,
            explained,
        }
    }

    fn by_clock(&self, start_ms: i64, minutes: i64, pauses: &[Pause], now_ms: i64) -> Deadline {
        let at_ms = after_clock(start_ms, minutes * MINUTE_MS, pauses, now_ms);
        Deadline {
            at_ms,
            provisional: false,
            explained: Vec::new(),
        }
    }

    /// The instant at which so much working time has passed since the start.
    fn after_working(&self, start_ms: i64, budget_ms: i64, pauses: &[Pause], now_ms: i64) -> i64 {
        let stopped = intervals(pauses, now_ms);
        let mut left = budget_ms;
        let mut day = self.date_of(start_ms);
        if left <= 0 {
            return start_ms;
        }
        for _ in 0..DAYS_MAX {
            for (open, close) in self.intervals(day) {
                let part = (open.max(start_ms), close);
                if part.0 >= part.1 {
                    continue;
                }
                for (from, to) in without(part, &stopped) {
                    if to - from >= left {
                        return from + left;
                    }
                    left -= to - from;
                }
            }
            day = next(day);
        }
        self.day_end_ms(day)
    }

    /// The instant at which a share of the budget is used.
    fn share(
        &self,
        start_ms: i64,
        budget: &Budget,
        percent: u32,
        pauses: &[Pause],
        now_ms: i64,
    ) -> i64 {
        let scaled =
            |amount: u32, unit_ms: i64| i64::from(amount) * unit_ms * i64::from(percent) / 100;
        match *budget {
            Budget::WorkingDays(amount) => {
                self.share_of_days(start_ms, amount, percent, pauses, now_ms, |day| {
                    self.is_working(day)
                })
            }
            Budget::Days(amount) => {
                self.share_of_days(start_ms, amount, percent, pauses, now_ms, |_| true)
            }
            Budget::WorkingHours(amount) => {
                self.after_working(start_ms, scaled(amount, 60 * MINUTE_MS), pauses, now_ms)
            }
            Budget::Hours(amount) => {
                after_clock(start_ms, scaled(amount, 60 * MINUTE_MS), pauses, now_ms)
            }
            Budget::Minutes(amount) => {
                after_clock(start_ms, scaled(amount, MINUTE_MS), pauses, now_ms)
            }
            Budget::Date(on) => {
                let span_ms = (self.day_end_ms(on) - start_ms).max(0);
                start_ms + span_ms / 100 * i64::from(percent)
            }
        }
    }

    /// Shares of whole days end with the working day; a part of a day lies at
    /// that part of its working hours, so that nobody is warned at midnight.
    fn share_of_days(
        &self,
        start_ms: i64,
        amount: u32,
        percent: u32,
        pauses: &[Pause],
        now_ms: i64,
        counts: impl Fn(Date) -> bool,
    ) -> i64 {
        let hundredths = amount.saturating_mul(percent);
        let (whole, part) = (hundredths / 100, hundredths % 100);
        if whole == 0 && part == 0 {
            return start_ms;
        }
        let ordinal = if part == 0 { whole } else { whole + 1 };
        let day = self
            .count(self.date_of(start_ms), ordinal, pauses, now_ms, counts)
            .day;
        let hours = self.intervals_any(day);
        let total: i64 = hours.iter().map(|(from, to)| to - from).sum();
        let mut left = if part == 0 {
            total
        } else {
            total * i64::from(part) / 100
        };
        for (from, to) in hours {
            if to - from >= left {
                return from + left;
            }
            left -= to - from;
        }
        self.day_end_ms(day)
    }

    fn before(&self, due_ms: i64, before: &Budget) -> i64 {
        let due = self.date_of(due_ms);
        match *before {
            Budget::WorkingDays(amount) => {
                let back = i32::try_from(amount).unwrap_or(i32::MAX);
                self.opening_ms(self.working_day_after(due, back.saturating_neg()))
            }
            Budget::Days(amount) => {
                let mut day = due;
                for _ in 0..amount {
                    day = previous(day);
                }
                self.opening_ms(day)
            }
            Budget::WorkingHours(amount) => {
                self.before_working(due_ms, i64::from(amount) * 60 * MINUTE_MS)
            }
            Budget::Hours(amount) => due_ms - i64::from(amount) * 60 * MINUTE_MS,
            Budget::Minutes(amount) => due_ms - i64::from(amount) * MINUTE_MS,
            Budget::Date(on) => self.opening_ms(on),
        }
    }

    fn before_working(&self, due_ms: i64, back_ms: i64) -> i64 {
        let mut left = back_ms;
        let mut day = self.date_of(due_ms);
        for _ in 0..DAYS_MAX {
            for (open, close) in self.intervals(day).into_iter().rev() {
                let close = close.min(due_ms);
                if close <= open {
                    continue;
                }
                if close - open >= left {
                    return close - left;
                }
                left -= close - open;
            }
            day = previous(day);
        }
        due_ms - back_ms.max(DAY_MS)
    }

    fn explain_pauses(&self, pauses: &[Pause], explained: &mut Vec<Explanation>) {
        for pause in pauses {
            explained.push(Explanation::Paused {
                ground: pause.ground.clone(),
                from: self.date_of(pause.from_ms),
                to: pause.to_ms.map(|to| self.date_of(to)),
            });
        }
    }
}

fn after_clock(start_ms: i64, budget_ms: i64, pauses: &[Pause], now_ms: i64) -> i64 {
    let mut left = budget_ms;
    let mut from = start_ms;
    for (pause_from, pause_to) in intervals(pauses, now_ms) {
        if pause_from - from >= left {
            break;
        }
        left -= (pause_from - from).max(0);
        from = from.max(pause_to);
    }
    from + left
}
