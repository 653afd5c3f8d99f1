//! How long a container stays after its end.

use std::time::Duration;

use tongban_expr::Value;
use tongban_plugin::Failure;

use crate::arguments::unfit;

/// What becomes of a container that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cleanup {
    /// It goes at once.
    Always,
    /// It stays.
    Never,
    /// It goes after a while.
    After(Duration),
}

/// The units of the language's durations, in milliseconds.
const UNITS: [(&str, f64); 5] = [
    ("days", 86_400_000.0),
    ("hours", 3_600_000.0),
    ("minutes", 60_000.0),
    ("seconds", 1_000.0),
    ("milliseconds", 1.0),
];

impl Cleanup {
    pub(crate) fn of(lifetime: Option<&Value>) -> Result<Self, Failure> {
        let Some(lifetime) = lifetime.filter(|value| !value.is_null()) else {
            return Ok(Self::Never);
        };
        match lifetime.text("cleanup") {
            None | Some("never") => Ok(Self::Never),
            Some("always") => Ok(Self::Always),
            Some("eventually") => {
                let after = lifetime.get("after").ok_or_else(|| {
                    Failure::configuration("`cleanup: eventually` needs `after`, found none")
                })?;
                duration(after).map(Self::After)
            }
            Some(other) => Err(Failure::configuration(format!(
                "`cleanup` is always, never or eventually, found `{other}`"
            ))),
        }
    }
}

/// An object of units, a text of ISO 8601, or milliseconds.
fn duration(value: &Value) -> Result<Duration, Failure> {
    let wrong = || {
        unfit(
            "lifetime.after",
            "a duration such as PT30M or { minutes: 30 }",
            value,
        )
    };
    let millis = match value {
        Value::Int(millis) => *millis as f64,
        Value::Str(text) => {
            let span: jiff::Span = text.parse().map_err(|_| wrong())?;
            span.total((
                jiff::Unit::Millisecond,
                jiff::SpanRelativeTo::days_are_24_hours(),
            ))
            .map_err(|_| wrong())?
        }
        Value::Obj(_) => {
            let mut millis = 0.0;
            for (name, amount) in value.entries() {
                let unit = UNITS.iter().find(|(unit, _)| *unit == name.as_str());
                let (_, unit) = unit.ok_or_else(wrong)?;
                millis += amount.as_f64().ok_or_else(wrong)? * unit;
            }
            millis
        }
        _ => return Err(wrong()),
    };
    Duration::try_from_secs_f64(millis / 1_000.0).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use tongban_expr::value;

    use super::*;

    #[test]
    fn cleanups() {
        for (lifetime, expected) in [
            (value!({ "cleanup": "always" }), Cleanup::Always),
            (value!({ "cleanup": "never" }), Cleanup::Never),
            (
                value!({ "cleanup": "eventually", "after": { "minutes": 30, "seconds": 5 } }),
                Cleanup::After(Duration::from_secs(1_805)),
            ),
            (
                value!({ "cleanup": "eventually", "after": "PT1H" }),
                Cleanup::After(Duration::from_secs(3_600)),
            ),
            (
                value!({ "cleanup": "eventually", "after": "P1D" }),
                Cleanup::After(Duration::from_secs(86_400)),
            ),
        ] {
            assert_eq!(Cleanup::of(Some(&lifetime)), Ok(expected));
        }
        assert_eq!(Cleanup::of(None), Ok(Cleanup::Never));
        for lifetime in [
            value!({ "cleanup": "sometimes" }),
            value!({ "cleanup": "eventually" }),
            value!({ "cleanup": "eventually", "after": "soon" }),
            value!({ "cleanup": "eventually", "after": { "weeks": 1 } }),
            value!({ "cleanup": "eventually", "after": { "minutes": (-1) } }),
        ] {
            Cleanup::of(Some(&lifetime)).expect_err(&lifetime.to_json());
        }
    }
}
