//! Durations: objects of units, ISO 8601 texts, expressions.

use super::reader::Reader;
use crate::codes;
use crate::definition::{Duration, DurationKind, Period, Timeout};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, NodeKind};
use crate::span::Span;

const UNITS: &[(&str, i64)] = &[
    ("days", 86_400_000),
    ("hours", 3_600_000),
    ("minutes", 60_000),
    ("seconds", 1_000),
    ("milliseconds", 1),
];
const UNIT_NAMES: &[&str] = &["days", "hours", "minutes", "seconds", "milliseconds"];
/// A hundred years: longer durations are slips.
const LONGEST_MS: i64 = 100 * 366 * 86_400_000;
/// A second: what a schedule starts more often than this would leave no time for anything else.
const PACE_MS: i64 = 1_000;

impl Reader {
    pub fn duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let span = node.span;
        let period = match &node.kind {
            NodeKind::Text(text) if text.contains("${") => {
                let source = self.condition(node, what)?;
                return Some(Duration {
                    span,
                    kind: DurationKind::Expression(source),
                });
            }
            NodeKind::Text(text) => match period(text) {
                Some(period) => period,
                None => {
                    self.bad_duration(text, span, what);
                    return None;
                }
            },
            NodeKind::Map(_) => self.units(node, what)?,
            NodeKind::Int(count) => {
                self.report(
                    Diagnostic::error(codes::BAD_DURATION, span, format!("{what} needs a unit"))
                        .help(format!(
                            "say which: `{{ seconds: {count} }}`, `{{ minutes: {count} }}`, `{{ days: {count} }}`"
                        )),
                );
                return None;
            }
            NodeKind::Float(_) => {
                self.report(
                    Diagnostic::error(codes::BAD_DURATION, span, format!("{what} needs a unit"))
                        .help("write `{ seconds: 30 }`, or the ISO 8601 text `PT30S`"),
                );
                return None;
            }
            _ => {
                self.report(
                    Diagnostic::error(
                        codes::WRONG_TYPE,
                        span,
                        format!("{what} must be a duration, found {}", node.kind_name()),
                    )
                    .help("write `{ minutes: 5 }`, or an ISO 8601 text such as `PT5M` or `P1D`"),
                );
                return None;
            }
        };
        if period.approximate_ms() > LONGEST_MS {
            let message = format!("{what} is longer than a hundred years");
            self.report(
                Diagnostic::error(codes::BAD_DURATION, span, message)
                    .help("nothing here waits that long: write a shorter one"),
            );
            return None;
        }
        Some(Duration {
            span,
            kind: DurationKind::Fixed(period),
        })
    }

    /// A duration that must be longer than nothing.
    pub fn positive_duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let duration = self.duration(node, what)?;
        if matches!(duration.kind, DurationKind::Fixed(period) if period.approximate_ms() <= 0) {
            self.report(
                Diagnostic::error(
                    codes::ZERO_DURATION,
                    duration.span,
                    format!("{what} must be longer than nothing"),
                )
                .help("give it at least a second"),
            );
        }
        Some(duration)
    }

    /// The pace of a schedule: a second or longer.
    pub fn pace(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let duration = self.duration(node, what)?;
        if matches!(duration.kind, DurationKind::Fixed(period) if period.approximate_ms() < PACE_MS)
        {
            let message = format!("{what} must be a second or longer");
            self.report(
                Diagnostic::error(codes::ZERO_DURATION, duration.span, message)
                    .help("a schedule starts a workflow once a second at most: write `PT1S`"),
            );
        }
        Some(duration)
    }

    fn units(&mut self, node: &Node, what: &str) -> Option<Period> {
        if node.fields().is_empty() {
            self.report(
                Diagnostic::error(codes::BAD_DURATION, node.span, format!("{what} is empty"))
                    .help("write for example `{ minutes: 5 }`"),
            );
            return None;
        }
        let mut period = Period::default();
        let mut sound = true;
        for field in node.fields() {
            let Some((name, factor)) = UNITS.iter().find(|(name, _)| *name == &*field.key) else {
                self.unknown_unit(field, what);
                sound = false;
                continue;
            };
            match &field.value.kind {
                NodeKind::Int(count) if *count >= 0 => {
                    period.milliseconds = period
                        .milliseconds
                        .saturating_add(count.saturating_mul(*factor));
                }
                NodeKind::Text(text) => {
                    sound = false;
                    self.text_in_object(text, name, field.value.span);
                }
                _ => {
                    sound = false;
                    self.wrong_type(
                        &field.value,
                        &format!("`{name}`"),
                        "a whole number, not negative",
                    );
                }
            }
        }
        sound.then_some(period)
    }

    fn unknown_unit(&mut self, field: &crate::node::Field, what: &str) {
        let help = match &*field.key {
            "weeks" | "months" | "years" => {
                Some("use `days`, or an ISO 8601 text such as `P2W`".to_owned())
            }
            "until" | "date" | "at" => Some(
                "a duration has a length and no date; people's steps have `due: { date: … }` in `with`"
                    .to_owned(),
            ),
            "workingDays" | "workingHours" => Some(
                "working time exists for people's steps only: `due` in `with`, or `metadata.clock`"
                    .to_owned(),
            ),
            _ => None,
        };
        if help.is_some() {
            let message = format!("{what} has no property `{}`", field.key);
            self.report(
                Diagnostic::error(codes::UNKNOWN_PROPERTY, field.key_span, message).help_if(help),
            );
        } else {
            self.unknown_property(field, what, UNIT_NAMES);
        }
    }

    fn text_in_object(&mut self, text: &str, unit: &str, span: Span) {
        let fault = if period(text).is_some() {
            Diagnostic::error(
                codes::ISO_IN_OBJECT,
                span,
                format!("`{unit}` takes a whole number, found the duration `{text}`"),
            )
            .help(format!(
                "the text stands for the whole duration, without an object: `{text}`"
            ))
        } else if text.contains("${") {
            Diagnostic::error(codes::BAD_DURATION, span, format!("`{unit}` takes a whole number, found an expression"))
                .help("make the whole duration an expression that gives an ISO 8601 text: '${ \"PT5M\" }'")
        } else {
            Diagnostic::error(
                codes::WRONG_TYPE,
                span,
                format!("`{unit}` must be a whole number, found a text"),
            )
            .help("take the quotes away")
        };
        self.report(fault);
    }

    fn bad_duration(&mut self, text: &str, span: Span, what: &str) {
        let help = human(text).map_or_else(
            || "write `{ minutes: 5 }`, or an ISO 8601 text such as `PT5M` or `P1D`".to_owned(),
            |repaired| format!("write `{repaired}`"),
        );
        self.report(
            Diagnostic::error(
                codes::BAD_DURATION,
                span,
                format!("{what} is not a duration: `{text}`"),
            )
            .help(help),
        );
    }

    /// `timeout` of a workflow or a task.
    pub fn timeout(&mut self, node: &Node, what: &str) -> Option<Timeout> {
        if let NodeKind::Text(text) = &node.kind {
            let meant = period(text).map(|_| text.to_string());
            if let Some(after) = meant.or_else(|| human(text)) {
                self.report(
                    Diagnostic::error(
                        codes::WRONG_WRAPPER,
                        node.span,
                        format!("{what} takes the name of a timeout or `{{ after: … }}`"),
                    )
                    .help(format!("write `timeout: {{ after: {after} }}`")),
                );
                return None;
            }
            return self.text(node, what).map(Timeout::Named);
        }
        if let NodeKind::Int(count) = node.kind {
            self.report(
                Diagnostic::error(
                    codes::BAD_DURATION,
                    node.span,
                    format!("{what} needs a unit"),
                )
                .help(format!(
                    "write `timeout: {{ after: {{ seconds: {count} }} }}`"
                )),
            );
            return None;
        }
        let is_duration = node
            .fields()
            .iter()
            .any(|field| UNIT_NAMES.contains(&&*field.key));
        if is_duration {
            self.report(
                Diagnostic::error(
                    codes::WRONG_WRAPPER,
                    node.span,
                    format!("the duration of {what} stands under `after`"),
                )
                .help("write `timeout: { after: { … } }`"),
            );
            return None;
        }
        self.after(node, what).map(Timeout::After)
    }

    /// `{ after: duration }`.
    pub fn after(&mut self, node: &Node, what: &str) -> Option<Duration> {
        self.closed(node, what, &["after"])?;
        let after = self.required(node, what, "after")?;
        self.positive_duration(after, "`after`")
    }
}

/// An ISO 8601 duration: `P1DT2H`, `PT0.5S`, `P2W`, `P1Y6M`.
#[must_use]
pub fn period(text: &str) -> Option<Period> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut period = Period::default();
    part(
        date,
        &[
            ('Y', 0, 12),
            ('M', 0, 1),
            ('W', 7 * 86_400_000, 0),
            ('D', 86_400_000, 0),
        ],
        &mut period,
    )?;
    part(
        time,
        &[('H', 3_600_000, 0), ('M', 60_000, 0), ('S', 1_000, 0)],
        &mut period,
    )?;
    Some(period)
}

/// Reads `12Y6M`: each unit at most once and in this order.
fn part(mut text: &str, units: &[(char, i64, i64)], period: &mut Period) -> Option<()> {
    let mut units = units.iter();
    while !text.is_empty() {
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, rest) = text.split_at(end);
        let letter = rest.chars().next()?;
        let (_, milliseconds, months) = units.find(|(unit, ..)| *unit == letter)?;
        let plain =
            number.split('.').all(|digits| !digits.is_empty()) && number.split('.').count() <= 2;
        let count: f64 = number.parse().ok().filter(|_| plain)?;
        period.months = period
            .months
            .saturating_add((count * *months as f64) as i64);
        let fraction_of_month = if *months > 0 {
            (count * *months as f64).fract() * 30.0 * 86_400_000.0
        } else {
            0.0
        };
        let length = (count * *milliseconds as f64 + fraction_of_month).round();
        period.milliseconds = period.milliseconds.saturating_add(length as i64);
        text = rest.get(letter.len_utf8()..)?;
    }
    Some(())
}

/// `15 minutes`, `2h`, `PT15` and the like, repaired.
pub(crate) fn human(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim() {
        "秒" => "seconds",
        "分" | "分钟" => "minutes",
        "小时" | "时" => "hours",
        "天" | "日" => "days",
        "s" | "sec" | "secs" | "second" | "seconds" => "seconds",
        "m" | "min" | "mins" | "minute" | "minutes" => "minutes",
        "h" | "hour" | "hours" => "hours",
        "d" | "day" | "days" => "days",
        "ms" | "millis" | "milliseconds" => "milliseconds",
        _ => return None,
    };
    (!number.is_empty()).then(|| format!("{{ {unit}: {number} }}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_durations() {
        let fixed = |milliseconds| {
            Some(Period {
                months: 0,
                milliseconds,
            })
        };
        assert_eq!(period("PT15M"), fixed(900_000));
        assert_eq!(period("P1DT2H"), fixed(93_600_000));
        assert_eq!(period("PT0.5S"), fixed(500));
        assert_eq!(period("P2W"), fixed(1_209_600_000));
        assert_eq!(
            period("P1Y6M"),
            Some(Period {
                months: 18,
                milliseconds: 0
            })
        );
        for wrong in [
            "", "P", "PT", "P1", "PT5", "5M", "PT1M1H", "P1H", "PT1.M", "PT-1S", "P1DT",
        ] {
            assert_eq!(period(wrong), None, "{wrong}");
        }
    }
}
