//! When a schedule ticks: Unix cron in a zone, an interval, or a pause after the last run.

use std::fmt;
use std::str::FromStr;

use cron::Cron;
use cron::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When to start; its text is what the database keeps.
#[derive(Debug, Clone, PartialEq)]
pub enum Timetable {
    /// A Unix cron expression of five fields.
    Cron(String),
    /// Every so many milliseconds from the moment of publishing; a second at least.
    Every(i64),
    /// So many milliseconds after the last run ended; a second at least.
    After(i64),
}

/// What happens to ticks that nobody could take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// They are left out.
    Skip,
    /// One start for all of them.
    Once,
    /// A start for each.
    All,
}

/// The shortest pace of a schedule.
pub(crate) const PACE_MS: i64 = 1_000;

/// A tick later than this was missed: the nodes were down, not busy.
const MISSED_AFTER_MS: i64 = 60_000;

/// The most ticks that one round of catching up takes; the rest follows in the next.
const ROUND: usize = 100;

/// Why a schedule cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TimetableError {
    /// The cron text is not one.
    #[error("expected a cron expression of five fields, found `{0}`: {1}")]
    Cron(String, String),
    /// It never comes due.
    #[error("the schedule `{0}` never comes due")]
    Never(String),
    /// The zone is not known.
    #[error("expected a time zone such as Asia/Shanghai, found `{0}`")]
    Zone(String),
}

/// What is due of a schedule, and when to look again.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticks {
    /// The ticks to start an instance for, oldest first.
    pub starts: Vec<i64>,
    /// The tick that the schedule has come to.
    pub last_ms: i64,
    /// The next tick; `None` while it waits for a run to end.
    pub next_ms: Option<i64>,
}

impl Timetable {
    /// The first tick strictly after `after_ms`; `None` for one that waits for the end of a run.
    pub fn next_after(
        &self,
        after_ms: i64,
        zone: &TimeZone,
    ) -> Result<Option<i64>, TimetableError> {
        match self {
            Timetable::Every(interval) => {
                Ok(Some(after_ms.saturating_add((*interval).max(PACE_MS))))
            }
            Timetable::After(_) => Ok(None),
            Timetable::Cron(text) => {
                let cron = parse(text)?;
                let never = || TimetableError::Never(text.clone());
                let from = Timestamp::from_millisecond(after_ms)
                    .map_err(|_| never())?
                    .to_zoned(zone.clone());
                let next = cron
                    .find_next_occurrence(&from, false)
                    .map_err(|_| never())?;
                Ok(Some(next.timestamp().as_millisecond()))
            }
        }
    }

    /// What to start now of the ticks from `due_ms` on.
    pub fn due(
        &self,
        due_ms: i64,
        now_ms: i64,
        zone: &TimeZone,
        catch_up: CatchUp,
    ) -> Result<Ticks, TimetableError> {
        let mut passed = Vec::new();
        let mut last_ms = due_ms;
        let mut next_ms = Some(due_ms);
        while let Some(tick) = next_ms {
            if tick > now_ms || passed.len() >= ROUND {
                break;
            }
            passed.push(tick);
            last_ms = tick;
            next_ms = self.next_after(tick, zone)?;
        }
        if catch_up == CatchUp::Skip && passed.len() >= ROUND {
            // Nothing of a long silence is wanted: go on from now.
            next_ms = self.next_after(now_ms, zone)?;
        }
        let starts = match catch_up {
            CatchUp::All => passed,
            CatchUp::Once => passed.last().copied().into_iter().collect(),
            CatchUp::Skip => passed
                .last()
                .copied()
                .filter(|tick| now_ms - tick <= MISSED_AFTER_MS)
                .into_iter()
                .collect(),
        };
        Ok(Ticks {
            starts,
            last_ms,
            next_ms,
        })
    }
}

impl fmt::Display for Timetable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timetable::Cron(text) => write!(formatter, "cron:{text}"),
            Timetable::Every(millis) => write!(formatter, "every:{millis}"),
            Timetable::After(millis) => write!(formatter, "after:{millis}"),
        }
    }
}

impl FromStr for Timetable {
    type Err = TimetableError;

    fn from_str(text: &str) -> Result<Timetable, TimetableError> {
        let wrong = |text: &str| {
            TimetableError::Cron(text.to_owned(), "unknown kind of schedule".to_owned())
        };
        let (kind, rest) = text.split_once(':').ok_or_else(|| wrong(text))?;
        match kind {
            "cron" => {
                parse(rest)?;
                Ok(Timetable::Cron(rest.to_owned()))
            }
            "every" => rest.parse().map(Timetable::Every).map_err(|_| wrong(text)),
            "after" => rest.parse().map(Timetable::After).map_err(|_| wrong(text)),
            _ => Err(wrong(text)),
        }
    }
}

/// The zone of that name.
pub fn zone(name: &str) -> Result<TimeZone, TimetableError> {
    TimeZone::get(name).map_err(|_| TimetableError::Zone(name.to_owned()))
}

fn parse(text: &str) -> Result<Cron, TimetableError> {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(text)
        .map_err(|error| TimetableError::Cron(text.to_owned(), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>()
            .expect("a timestamp")
            .as_millisecond()
    }

    #[test]
    fn cron_follows_the_zone() {
        let table: Timetable = "cron:0 9 * * 1".parse().expect("a cron text");
        let shanghai = zone("Asia/Shanghai").expect("a zone");
        let next = table
            .next_after(at("2026-11-23T02:00:00Z"), &shanghai)
            .expect("it ticks");
        assert_eq!(
            next,
            Some(at("2026-11-30T01:00:00Z")),
            "Monday nine o'clock in Shanghai"
        );
    }

    #[test]
    fn ticks_missed_while_down_follow_the_policy() {
        let table = Timetable::Every(60_000);
        let utc = TimeZone::UTC;
        let starts = |now, policy| {
            table
                .due(60_000, now, &utc, policy)
                .expect("it ticks")
                .starts
        };
        assert_eq!(starts(600_000 + 10, CatchUp::Skip), vec![600_000]);
        assert_eq!(starts(600_000 + 10, CatchUp::Once), vec![600_000]);
        assert_eq!(starts(600_000 + 10, CatchUp::All).len(), 10);
        let hourly = Timetable::Every(3_600_000);
        let late = hourly
            .due(3_600_000, 3_600_000 * 2 - 1, &utc, CatchUp::Skip)
            .expect("it ticks");
        assert_eq!((late.starts, late.next_ms), (vec![], Some(7_200_000)));
    }

    #[test]
    fn a_date_that_never_comes_and_six_fields_are_refused() {
        let never: Timetable = "cron:0 0 30 2 *".parse().expect("it reads well");
        assert!(never.next_after(0, &TimeZone::UTC).is_err());
        assert!("cron:* * * * * *".parse::<Timetable>().is_err());
        assert!("cron:60 * * * *".parse::<Timetable>().is_err());
    }
}
