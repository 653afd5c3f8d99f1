//! Days of the calendar: later and earlier days, and the time between two of them. Days are texts such as `2026-01-31`.

use jiff::civil::Date;
use jiff::{Span, Unit};
use rhai::{Dynamic, Engine};

use super::node::{Fallible, fail};

fn day(text: &str) -> Fallible<Date> {
    let read = (text.len() == 10).then(|| text.parse::<Date>().ok());
    match read.flatten() {
        Some(day) => Ok(day),
        None => {
            let shown: String = text.chars().take(40).collect();
            fail(format!(
                "expected a day such as 2026-01-31, found `{shown}`"
            ))
        }
    }
}

/// A day so many days, months or years later; of a month that lacks the day its last one.
fn after(from: &str, count: i64, unit: Unit) -> Fallible<String> {
    let day = day(from)?;
    let span = match unit {
        Unit::Day => Span::new().try_days(count),
        Unit::Month => Span::new().try_months(count),
        _ => Span::new().try_years(count),
    };
    let later = span.and_then(|span| day.checked_add(span));
    match later.ok().filter(|later| later.year() > 0) {
        Some(later) => Ok(later.to_string()),
        None => fail(format!(
            "{count} after {from} is no day of the years 1 to 9999"
        )),
    }
}

/// The whole days, months or years from one day to another; below zero when the second comes first.
fn between(from: &str, until: &str, unit: Unit) -> Fallible<i64> {
    let (from, until) = (day(from)?, day(until)?);
    let Ok(span) = from.until((unit, until)) else {
        return fail(format!("the time from {from} to {until} cannot be told"));
    };
    Ok(match unit {
        Unit::Day => i64::from(span.get_days()),
        Unit::Month => i64::from(span.get_months()),
        _ => i64::from(span.get_years()),
    })
}

pub(super) fn register(engine: &mut Engine) {
    let later = [
        ("days_after", Unit::Day),
        ("months_after", Unit::Month),
        ("years_after", Unit::Year),
    ];
    for (name, unit) in later {
        engine.register_fn(name, move |from: &str, count: i64| after(from, count, unit));
        // A day that was not filled in has none after it.
        engine.register_fn(name, |(): (), _: i64| Dynamic::UNIT);
    }
    let apart = [
        ("days_between", Unit::Day),
        ("months_between", Unit::Month),
        ("years_between", Unit::Year),
    ];
    for (name, unit) in apart {
        engine.register_fn(name, move |from: &str, until: &str| {
            between(from, until, unit)
        });
        engine.register_fn(name, |(): (), _: &str| Dynamic::UNIT);
        engine.register_fn(name, |_: &str, (): ()| Dynamic::UNIT);
        engine.register_fn(name, |(): (), (): ()| Dynamic::UNIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_days_keep_to_the_calendar() {
        let told = |from, count, unit| after(from, count, unit).map_err(|error| error.to_string());
        assert_eq!(told("2026-01-31", 1, Unit::Month), Ok("2026-02-28".into()));
        assert_eq!(told("2028-02-29", 4, Unit::Year), Ok("2032-02-29".into()));
        assert_eq!(told("2028-02-29", 1, Unit::Year), Ok("2029-02-28".into()));
        assert_eq!(told("2026-12-31", 1, Unit::Day), Ok("2027-01-01".into()));
        assert_eq!(told("2026-03-01", -1, Unit::Day), Ok("2026-02-28".into()));
        for (from, count) in [
            ("2026-02-30", 1),
            ("20260101", 1),
            ("2026-1-1", 1),
            ("2026-01-01T00:00", 1),
            ("2026-01-01", i64::MAX),
            ("2026-01-01", -1_000_000),
        ] {
            assert!(told(from, count, Unit::Day).is_err(), "{from} {count}");
        }
    }

    #[test]
    fn the_time_between_two_days_is_whole() {
        let told =
            |from, until, unit| between(from, until, unit).map_err(|error| error.to_string());
        assert_eq!(told("1990-06-15", "2026-06-14", Unit::Year), Ok(35));
        assert_eq!(told("1990-06-15", "2026-06-15", Unit::Year), Ok(36));
        assert_eq!(told("2026-01-31", "2026-02-28", Unit::Month), Ok(0));
        assert_eq!(told("2024-02-28", "2024-03-01", Unit::Day), Ok(2));
        assert_eq!(told("2026-03-01", "2026-02-01", Unit::Day), Ok(-28));
        assert!(told("2026-03-01", "tomorrow", Unit::Day).is_err());
    }
}
