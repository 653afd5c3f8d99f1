//! A working calendar: the week, working hours, holidays and make-up working
//! days (调休) year by year. A year without a published plan makes every
//! deadline that touches it provisional.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::OrganisationError;

/// One file under `config/calendars/`; files of one calendar add up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarFile {
    /// The calendar's id.
    pub calendar: String,
    /// The IANA zone; `Asia/Shanghai` when no file gives one.
    #[serde(default)]
    pub zone: Option<String>,
    /// Days of the working week (`mon` … `sun`).
    #[serde(default)]
    pub week: Option<Vec<String>>,
    /// Working hours as `09:00-12:00`.
    #[serde(default)]
    pub hours: Option<Vec<String>>,
    /// The year that the days below belong to.
    #[serde(default)]
    pub year: Option<i16>,
    /// Whether that year's plan is official.
    #[serde(default)]
    pub published: bool,
    /// Where the plan was published.
    #[serde(default)]
    pub source: Option<String>,
    /// Days off.
    #[serde(default)]
    pub holidays: Vec<HolidayEntry>,
    /// Working days at a weekend.
    #[serde(default)]
    pub workdays: Vec<WorkdayEntry>,
}

/// A run of days off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolidayEntry {
    /// The Chinese name.
    pub name: String,
    /// The English name.
    #[serde(default)]
    pub en: Option<String>,
    /// The first day.
    pub from: String,
    /// The last day; the first when absent.
    #[serde(default)]
    pub to: Option<String>,
}

/// A working day that makes up for a holiday.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkdayEntry {
    /// The day.
    pub date: String,
    /// The holiday it makes up for.
    #[serde(default, rename = "for")]
    pub for_holiday: Option<String>,
}

/// What a day is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// A day of the working week.
    Work,
    /// A working day at a weekend, with the holiday it makes up for.
    MakeUp(&'a str),
    /// A day outside the working week.
    Weekend,
    /// A named holiday.
    Holiday(&'a str),
}

impl DayKind<'_> {
    /// Whether people work on this day.
    pub fn is_working(&self) -> bool {
        matches!(self, Self::Work | Self::MakeUp(_))
    }
}

#[derive(Clone, Debug)]
enum Special {
    Holiday(String),
    MakeUp(String),
}

/// A calendar ready for counting.
#[derive(Clone, Debug)]
pub struct Calendar {
    id: String,
    zone: TimeZone,
    zone_name: String,
    week: BTreeSet<i8>,
    hours: Vec<(Time, Time)>,
    special: BTreeMap<Date, Special>,
    published: BTreeSet<i16>,
}

impl Calendar {
    /// Makes a calendar of all files that carry its id, in the order given.
    ///
    /// # Errors
    /// Every value that cannot be read, at once.
    pub fn build(id: &str, files: &[&CalendarFile]) -> Result<Self, Vec<OrganisationError>> {
        let mut faults = Vec::new();
        let mut calendar = Self::week_only(id);
        for file in files {
            calendar.take(file, &mut faults);
        }
        if faults.is_empty() {
            Ok(calendar)
        } else {
            Err(faults)
        }
    }

    /// A calendar that knows only the working week, in `Asia/Shanghai`: every
    /// deadline by it is provisional.
    pub fn week_only(id: &str) -> Self {
        let zone_name = "Asia/Shanghai".to_owned();
        let morning = (Time::constant(9, 0, 0, 0), Time::constant(12, 0, 0, 0));
        let afternoon = (Time::constant(13, 30, 0, 0), Time::constant(17, 30, 0, 0));
        Self {
            id: id.to_owned(),
            zone: TimeZone::get(&zone_name).unwrap_or(TimeZone::UTC),
            zone_name,
            week: (1..=5).collect(),
            hours: vec![morning, afternoon],
            special: BTreeMap::new(),
            published: BTreeSet::new(),
        }
    }

    /// The calendar's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The zone in which its days begin.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The IANA name of the zone.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// Whether the plan of a year is official.
    pub fn is_published(&self, year: i16) -> bool {
        self.published.contains(&year)
    }

    /// What a day is.
    pub fn kind(&self, day: Date) -> DayKind<'_> {
        match self.special.get(&day) {
            Some(Special::Holiday(name)) => DayKind::Holiday(name),
            Some(Special::MakeUp(name)) => DayKind::MakeUp(name),
            None if self.week.contains(&day.weekday().to_monday_one_offset()) => DayKind::Work,
            None => DayKind::Weekend,
        }
    }

    /// Whether people work on a day.
    pub fn is_working(&self, day: Date) -> bool {
        self.kind(day).is_working()
    }

    /// The local date of an instant.
    pub fn date_of(&self, at_ms: i64) -> Date {
        timestamp(at_ms).to_zoned(self.zone.clone()).date()
    }

    /// An instant as ISO 8601 with the zone's offset, to the second.
    pub fn iso(&self, at_ms: i64) -> String {
        timestamp(at_ms)
            .to_zoned(self.zone.clone())
            .strftime("%Y-%m-%dT%H:%M:%S%:z")
            .to_string()
    }

    /// The first instant of a local day.
    pub fn day_start_ms(&self, day: Date) -> i64 {
        self.instant(day, Time::midnight())
    }

    /// The last millisecond of a local day.
    pub fn day_end_ms(&self, day: Date) -> i64 {
        self.day_start_ms(next(day)) - 1
    }

    /// The instant at which work begins on a day.
    pub fn opening_ms(&self, day: Date) -> i64 {
        let time = self
            .hours
            .first()
            .map_or(Time::midnight(), |(from, _)| *from);
        self.instant(day, time)
    }

    /// Working intervals of a day in order; none when it is off.
    pub fn intervals(&self, day: Date) -> Vec<(i64, i64)> {
        if !self.is_working(day) {
            return Vec::new();
        }
        self.intervals_any(day)
    }

    /// The hours of a day as if it were worked, for shares of calendar days.
    pub(crate) fn intervals_any(&self, day: Date) -> Vec<(i64, i64)> {
        self.hours
            .iter()
            .map(|(from, to)| (self.instant(day, *from), self.instant(day, *to)))
            .collect()
    }

    /// Adds working days to a date: the n-th working day after it, or before it
    /// when `days` is negative. Zero gives the date itself.
    pub fn working_day_after(&self, day: Date, days: i32) -> Date {
        let mut left = days.unsigned_abs();
        let mut at = day;
        while left > 0 {
            at = if days < 0 { previous(at) } else { next(at) };
            if self.is_working(at) {
                left -= 1;
            }
        }
        at
    }

    fn instant(&self, day: Date, time: Time) -> i64 {
        // A civil time that a change of clocks skips is moved forward by jiff;
        // the fallible case is a year beyond its range.
        day.to_datetime(time)
            .to_zoned(self.zone.clone())
            .map_or(i64::MAX / 4, |zoned| zoned.timestamp().as_millisecond())
    }

    fn take(&mut self, file: &CalendarFile, faults: &mut Vec<OrganisationError>) {
        let place = |what: &str| {
            format!(
                "calendar `{}`{}, {what}",
                file.calendar,
                year_suffix(file.year)
            )
        };
        let mut fault = |what: &str, expected: &'static str, found: &str| {
            faults.push(OrganisationError::Unreadable {
                place: place(what),
                expected,
                found: found.to_owned(),
            });
        };
        if let Some(name) = &file.zone {
            match TimeZone::get(name) {
                Ok(zone) => (self.zone, self.zone_name) = (zone, name.clone()),
                Err(_) => fault("zone", "an IANA time zone such as Asia/Shanghai", name),
            }
        }
        if let Some(days) = &file.week {
            self.week.clear();
            for name in days {
                match weekday(name) {
                    Some(day) => drop(self.week.insert(day.to_monday_one_offset())),
                    None => fault("week", "mon, tue, wed, thu, fri, sat or sun", name),
                }
            }
        }
        if let Some(hours) = &file.hours {
            self.hours.clear();
            for text in hours {
                match interval(text) {
                    Some(pair) => self.hours.push(pair),
                    None => fault("hours", "an interval such as 09:00-12:00", text),
                }
            }
            self.hours.sort();
        }
        for entry in &file.holidays {
            let to = entry.to.as_ref().unwrap_or(&entry.from);
            match (entry.from.parse::<Date>(), to.parse::<Date>()) {
                (Ok(from), Ok(to)) if from <= to && spans_two_years_at_most(from, to) => {
                    for day in days(from, to) {
                        self.special
                            .insert(day, Special::Holiday(entry.name.clone()));
                    }
                }
                _ => fault(
                    "holidays",
                    "dates `from` to `to`, within a year or over New Year",
                    &format!("{} to {to}", entry.from),
                ),
            }
        }
        for entry in &file.workdays {
            match entry.date.parse::<Date>() {
                Ok(day) => {
                    let name = entry.for_holiday.clone().unwrap_or_default();
                    self.special.insert(day, Special::MakeUp(name));
                }
                Err(_) => fault("workdays", "a date such as 2026-01-04", &entry.date),
            }
        }
        if let (Some(year), true) = (file.year, file.published) {
            self.published.insert(year);
        }
    }
}

/// The day after; the last day that can be represented stays.
pub(crate) fn next(day: Date) -> Date {
    day.tomorrow().unwrap_or(day)
}

/// The day before; the first day that can be represented stays.
pub(crate) fn previous(day: Date) -> Date {
    day.yesterday().unwrap_or(day)
}

fn timestamp(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms).unwrap_or(if at_ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

fn days(from: Date, to: Date) -> impl Iterator<Item = Date> {
    from.series(1.day()).take_while(move |day| *day <= to)
}

/// A holiday over New Year's Eve belongs to two plans; a longer one is a slip.
fn spans_two_years_at_most(from: Date, to: Date) -> bool {
    to.year() - from.year() <= 1
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return None,
    })
}

fn interval(text: &str) -> Option<(Time, Time)> {
    let (from, to) = text.split_once('-')?;
    let pair = (clock_time(from)?, clock_time(to)?);
    (pair.0 < pair.1).then_some(pair)
}

fn clock_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn year_suffix(year: Option<i16>) -> String {
    year.map(|year| format!(" {year}")).unwrap_or_default()
}
