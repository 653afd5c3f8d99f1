//! Instants as people read them, in the site's zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tongban_org::Calendar;

use crate::app::App;
use crate::language::{InWords, Language};
use crate::words::fill;

/// Longer spans are not counted to their end.
const DAYS_MAX: usize = 800;

/// A date and a time such as `2026-11-23 09:30`.
pub fn moment(zone: &TimeZone, at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms)
        .map(|at| {
            let local = at.to_zoned(zone.clone());
            local.strftime("%Y-%m-%d %H:%M").to_string()
        })
        .unwrap_or_default()
}

/// A deadline as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The last day in time, with its day of the week.
    pub day: String,
    /// What is left of it in working days, in words.
    pub left: String,
    /// Whether it has passed.
    pub over: bool,
    /// Whether it may still change with a calendar.
    pub provisional: bool,
}

/// Words a deadline; the far end of time stands for none.
pub fn due(app: &App, at_ms: Option<i64>, provisional: bool, language: Language) -> Option<Due> {
    let at_ms = at_ms.filter(|at| *at < tongban_store::NO_DUE_MS)?;
    let calendar = app.organisation().calendar(None);
    Some(Due {
        day: weekday(calendar.date_of(at_ms), language),
        left: left(&calendar, at_ms, app.now_ms(), language),
        over: at_ms < app.now_ms(),
        provisional,
    })
}

/// A date with its day of the week, such as `2026-11-25（周三）`.
pub fn weekday(day: Date, language: Language) -> String {
    let words = language.words();
    let names = [
        words.monday,
        words.tuesday,
        words.wednesday,
        words.thursday,
        words.friday,
        words.saturday,
        words.sunday,
    ];
    let at = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
    let name = names.get(at).copied().unwrap_or_default();
    fill(
        words.day_of_week,
        &[("date", &day.to_string()), ("day", name)],
    )
}

/// How many working days are left until a deadline, or have passed since.
fn left(calendar: &Calendar, at_ms: i64, now_ms: i64, language: Language) -> String {
    let words = language.words();
    let (today, last) = (calendar.date_of(now_ms), calendar.date_of(at_ms));
    let between = |from: Date, to: Date| -> usize {
        let mut day = from;
        let mut count = 0;
        for _ in 0..DAYS_MAX {
            match day.tomorrow() {
                Ok(next) if next <= to => day = next,
                _ => break,
            }
            count += usize::from(calendar.is_working(day));
        }
        count
    };
    let counted = |text: &str, days: usize| fill(text, &[("n", &days.to_string())]);
    if at_ms < now_ms {
        match between(last, today) {
            0 => words.overdue.to_owned(),
            days => counted(words.days_over, days),
        }
    } else if last == today {
        words.due_today.to_owned()
    } else {
        counted(words.days_left, between(today, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_in_the_zone_of_the_site() {
        let zone = TimeZone::get("Asia/Shanghai").expect("the zone is bundled");
        assert_eq!(moment(&zone, 1_795_312_200_000), "2026-11-22 09:50");
    }

    #[test]
    fn deadlines_are_said_in_working_days() {
        let calendar = Calendar::week_only("week");
        let at = |text: &str| {
            let instant: Timestamp = text.parse().expect("an instant");
            instant.as_millisecond()
        };
        let friday = at("2026-11-27T01:00:00Z");
        let said = |due: &str| left(&calendar, at(due), friday, Language::Chinese);
        assert_eq!(said("2026-11-27T09:00:00Z"), "今天到期");
        assert_eq!(said("2026-12-01T09:00:00Z"), "还剩 2 个工作日");
        assert_eq!(said("2026-11-25T09:00:00Z"), "已超时 2 个工作日");
        assert_eq!(said("2026-11-27T00:30:00Z"), "已超时");
        let day = calendar.date_of(friday);
        assert_eq!(weekday(day, Language::Chinese), "2026-11-27（周五）");
        assert_eq!(weekday(day, Language::English), "Fri 2026-11-27");
    }
}
