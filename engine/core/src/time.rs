//! Instants and durations, without a clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tongban_dsl::definition::Period;
use tongban_expr::Value;

fn timestamp(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms).unwrap_or(if at_ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// The date-time descriptor of the language.
pub(crate) fn descriptor(at_ms: i64) -> Value {
    Value::object([
        ("iso8601", Value::from(iso(at_ms))),
        (
            "epoch",
            Value::object([
                ("seconds", Value::from(at_ms.div_euclid(1000))),
                ("milliseconds", Value::from(at_ms)),
            ]),
        ),
    ])
}

/// An instant as text.
pub(crate) fn iso(at_ms: i64) -> String {
    format!("{:.3}", timestamp(at_ms))
}

/// The local date of an instant.
pub(crate) fn local_date(at_ms: i64, zone: &TimeZone) -> String {
    timestamp(at_ms).to_zoned(zone.clone()).date().to_string()
}

/// The instant `period` after another.
pub(crate) fn after(at_ms: i64, period: Period, zone: &TimeZone) -> i64 {
    let mut at = at_ms;
    if period.months != 0 {
        let months = jiff::Span::new().try_months(period.months);
        let moved =
            months.and_then(|months| timestamp(at_ms).to_zoned(zone.clone()).checked_add(months));
        at = moved.map_or(i64::MAX, |moved| moved.timestamp().as_millisecond());
    }
    at.saturating_add(period.milliseconds)
}

/// The period that a value stands for: an ISO 8601 text or an object of units.
pub(crate) fn period(value: &Value) -> Result<Period, String> {
    match value {
        Value::Str(text) => tongban_dsl::period(text)
            .ok_or_else(|| format!("expected an ISO 8601 duration such as PT15M, found {text:?}")),
        Value::Obj(_) => object_period(value),
        other => Err(format!(
            "expected an ISO 8601 duration or an object of units, found {}",
            other.kind_name()
        )),
    }
}

fn object_period(value: &Value) -> Result<Period, String> {
    let mut milliseconds = 0i64;
    for (unit, amount) in value.entries() {
        let factor: i64 = match unit.as_str() {
            "days" => 86_400_000,
            "hours" => 3_600_000,
            "minutes" => 60_000,
            "seconds" => 1_000,
            "milliseconds" => 1,
            other => {
                return Err(format!(
                    "expected days, hours, minutes, seconds or milliseconds, found {other:?}"
                ));
            }
        };
        let amount = amount
            .as_i64()
            .ok_or_else(|| format!("expected an integer of {unit}, found {amount}"))?;
        milliseconds = milliseconds.saturating_add(amount.saturating_mul(factor));
    }
    Ok(Period {
        months: 0,
        milliseconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongban_expr::value;

    #[test]
    fn iso_texts_and_objects_are_understood() {
        let read = |text: &str| period(&Value::from(text)).expect(text);
        assert_eq!(
            read("PT1H30M"),
            Period {
                months: 0,
                milliseconds: 5_400_000
            }
        );
        assert_eq!(
            read("P1Y2M3D"),
            Period {
                months: 14,
                milliseconds: 3 * 86_400_000
            }
        );
        assert_eq!(
            read("PT0.25S"),
            Period {
                months: 0,
                milliseconds: 250
            }
        );
        assert_eq!(read("P2W").milliseconds, 14 * 86_400_000);
        assert_eq!(
            period(&value!({"minutes": 2, "seconds": 5}))
                .expect("an object")
                .milliseconds,
            125_000
        );
        assert!(period(&Value::from("soon")).is_err());
        assert!(period(&value!({"weeks": 1})).is_err());
    }

    #[test]
    fn months_follow_the_calendar_of_the_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let start = "2026-01-31T10:00:00+08:00"
            .parse::<Timestamp>()
            .expect("an instant")
            .as_millisecond();
        let end = after(
            start,
            Period {
                months: 1,
                milliseconds: 0,
            },
            &zone,
        );
        assert_eq!(iso(end), "2026-02-28T02:00:00.000Z");
        assert_eq!(local_date(start + 14 * 3_600_000, &zone), "2026-02-01");
    }
}
