//! `schedule.cron`: five fields, each looked at by itself, so that the fault has its place inside of the text.

use std::ops::Range;

use super::reader::Reader;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Spanned;
use crate::suggest;

/// Longer ones are nobody's; reading them is bounded by this.
const LENGTH_MAX: usize = 300;
const FIELDS: &str = "minute (0-59) hour (0-23) day of month (1-31) month (1-12) day of week (0-7, 0 and 7 are Sunday)";
const SHORTCUTS: &[&str] = &[
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@hourly",
];
const MONTHS: &[&str] = &[
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// One of the five fields.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const KNOWN: [Field; 5] = [
    Field {
        name: "the minute",
        least: 0,
        most: 59,
        words: &[],
    },
    Field {
        name: "the hour",
        least: 0,
        most: 23,
        words: &[],
    },
    Field {
        name: "the day of the month",
        least: 1,
        most: 31,
        words: &[],
    },
    Field {
        name: "the month",
        least: 1,
        most: 12,
        words: MONTHS,
    },
    Field {
        name: "the day of the week",
        least: 0,
        most: 7,
        words: DAYS,
    },
];

/// What is wrong, where in the text, and the way out.
struct Fault {
    at: Range<usize>,
    message: String,
    help: String,
}

impl Reader {
    pub fn cron(&mut self, cron: &Spanned<String>, places: &dyn Fn(Range<usize>) -> crate::Span) {
        if let Some(fault) = fault(&cron.value) {
            let span = places(fault.at);
            self.report(Diagnostic::error(codes::BAD_CRON, span, fault.message).help(fault.help));
        }
    }
}

fn fault(text: &str) -> Option<Fault> {
    let whole = 0..text.len();
    if text.len() > LENGTH_MAX {
        return Some(Fault {
            at: 0..1,
            message: format!(
                "a cron expression has at most {LENGTH_MAX} characters, found {}",
                text.len()
            ),
            help: "ranges and steps say it shorter: `1-5`, `*/10`".to_owned(),
        });
    }
    if text.trim_start().starts_with('@') {
        return shortcut(text.trim()).map(|help| Fault {
            at: whole,
            message: format!("there is no shortcut `{}`", text.trim()),
            help,
        });
    }
    let fields = fields(text);
    if fields.len() != 5 {
        return Some(Fault {
            at: whole,
            message: format!("a cron expression has five fields, found {}", fields.len()),
            help: count_help(text, &fields),
        });
    }
    let place = fields.iter().zip(&KNOWN).find_map(|(at, field)| {
        let part = text.get(at.clone())?;
        wrong_part(part, field).map(|(inside, message)| Fault {
            at: at.start + inside.start..at.start + inside.end,
            message,
            help: FIELDS.to_owned(),
        })
    });
    let read = cron::parser::CronParser::builder()
        .seconds(cron::parser::Seconds::Disallowed)
        .build()
        .parse(text);
    match read {
        Err(_) => Some(place.unwrap_or_else(|| Fault {
            at: whole,
            message: format!("`{text}` is not a cron expression"),
            help: FIELDS.to_owned(),
        })),
        Ok(times) if never(&times) => Some(Fault {
            at: whole,
            message: format!("`{text}` names a time that never comes"),
            help: "look at the day of the month: February has at most 29 days, April, June, September and November have 30".to_owned(),
        }),
        Ok(_) => None,
    }
}

/// Whether no time fits; the search ends by itself, and any year tells as much as every other.
fn never(times: &cron::Cron) -> bool {
    let epoch = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    times.find_next_occurrence(&epoch, true).is_err()
}

/// What to write instead of a shortcut; `None` when it exists.
fn shortcut(text: &str) -> Option<String> {
    if SHORTCUTS.contains(&text.to_lowercase().as_str()) {
        return None;
    }
    if text.starts_with("@every") {
        return Some("write `every:` beside `schedule:` instead of `cron:`, for example `schedule: { every: { minutes: 5 } }`".to_owned());
    }
    suggest::did_you_mean(text, SHORTCUTS.iter().copied())
}

/// The places of what stands between spaces.
fn fields(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = None;
    for (at, letter) in text.char_indices() {
        match (letter.is_whitespace(), from) {
            (true, Some(start)) => {
                found.push(start..at);
                from = None;
            }
            (false, None) => from = Some(at),
            _ => {}
        }
    }
    found.extend(from.map(|start| start..text.len()));
    found
}

fn count_help(text: &str, fields: &[Range<usize>]) -> String {
    let part = |at: usize| fields.get(at).and_then(|range| text.get(range.clone()));
    match fields.len() {
        6 if part(0) == Some("0") => {
            let rest: Vec<&str> = (1..6).filter_map(part).collect();
            format!("there are no seconds: write `{}`", rest.join(" "))
        }
        6 | 7 => "leave the seconds (and the year) out: minute hour day-of-month month day-of-week"
            .to_owned(),
        _ => "minute hour day-of-month month day-of-week, for example '0 8 * * MON-FRI'".to_owned(),
    }
}

/// The first part of a field that does not fit, with its place in the field.
fn wrong_part(text: &str, field: &Field) -> Option<(Range<usize>, String)> {
    let mut from = 0;
    for item in text.split(',') {
        let at = from..from + item.len();
        from = at.end + 1;
        let (range, step) = item
            .split_once('/')
            .map_or((item, None), |(range, step)| (range, Some(step)));
        if let Some(step) = step {
            let fits = step.parse::<u32>().is_ok_and(|step| step > 0);
            if !fits {
                let place = at.end - step.len()..at.end;
                return Some((
                    place,
                    format!("a step is a number above zero, found `{step}`"),
                ));
            }
        }
        if matches!(range, "*" | "?" | "L") {
            continue;
        }
        let mut inside = at.start;
        let mut bounds = Vec::new();
        for bound in range.split('-') {
            let place = inside..inside + bound.len();
            inside = place.end + 1;
            match value(bound, field) {
                Ok(number) => bounds.push(number),
                Err(message) => return Some((place, message)),
            }
        }
        if let [low, high] = bounds.as_slice()
            && low > high
        {
            return Some((
                at.start..at.start + range.len(),
                format!(
                    "{} goes from the smaller to the greater, found `{range}`",
                    field.name
                ),
            ));
        }
    }
    None
}

fn value(text: &str, field: &Field) -> Result<u32, String> {
    let upper = text.to_uppercase();
    let plain = upper.trim_end_matches(['L', 'W']);
    let plain = plain.split('#').next().unwrap_or(plain);
    let number = field
        .words
        .iter()
        .position(|word| *word == upper)
        .and_then(|at| u32::try_from(at).ok())
        .map(|at| at + field.least)
        .or_else(|| plain.parse().ok());
    match number {
        Some(number) if (field.least..=field.most).contains(&number) => Ok(number),
        _ => {
            let near = suggest::nearest(&upper, field.words.iter().copied());
            let meant = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            let words = match (field.words.first(), field.words.last()) {
                (Some(first), Some(last)) => format!(" or {first} to {last}"),
                _ => String::new(),
            };
            Err(format!(
                "{} is {} to {}{words}, found `{text}`{meant}",
                field.name, field.least, field.most
            ))
        }
    }
}
