//! Regular expressions for jq by the crate `regex`: linear time, bounded
//! size, compiled once per thread.

use std::cell::RefCell;

use jaq_core::native::{Filter, bome};
use jaq_core::{Bind, Cv, Error, RunPtr, ValR};
use regex::{Regex, RegexBuilder};

use super::J;
use crate::{Map, Value, meter};

/// A compiled pattern takes at most so much memory.
const SIZE_MAX: usize = 1 << 20;
const PATTERN_LENGTH_MAX: usize = 1_000;
const TEXT_LENGTH_MAX: usize = 1 << 20;
const CACHE_LENGTH: usize = 64;

thread_local! {
    /// The patterns used last, newest at the end.
    static CACHE: RefCell<Vec<(String, String, Regex)>> = const { RefCell::new(Vec::new()) };
}

/// What jq's flags say: `g` all matches, `n` no empty ones, the others about
/// the pattern.
#[derive(Clone, Copy, Default)]
struct Flags {
    all: bool,
    no_empty: bool,
}

/// Compiles `pattern`, or takes it from this thread's cache.
pub(crate) fn compiled(pattern: &str, flags: &str) -> Result<Regex, String> {
    let cached = CACHE.with_borrow(|cache| {
        let hit = |(p, f, _): &&(String, String, Regex)| p == pattern && f == flags;
        cache
            .iter()
            .rev()
            .find(hit)
            .map(|(_, _, regex)| regex.clone())
    });
    if let Some(regex) = cached {
        return Ok(regex);
    }
    if pattern.len() > PATTERN_LENGTH_MAX {
        return Err(format!(
            "the pattern has {} bytes, at most {PATTERN_LENGTH_MAX} are allowed",
            pattern.len()
        ));
    }
    meter::spend(1_000);
    let mut builder = RegexBuilder::new(pattern);
    for flag in flags.chars() {
        match flag {
            'g' | 'n' => &mut builder,
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            // `^` and `$` stand at the ends of the text in any case.
            's' => &mut builder,
            'p' => builder.dot_matches_new_line(true),
            'l' => builder.swap_greed(true),
            'x' => builder.ignore_whitespace(true),
            other => {
                return Err(format!(
                    "`{other}` is not a flag: expected some of `ginmsplx`"
                ));
            }
        };
    }
    let regex = builder
        .size_limit(SIZE_MAX)
        .dfa_size_limit(SIZE_MAX)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large when repeated".to_owned(),
            other => format!("the pattern is malformed: {other}"),
        })?;
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= CACHE_LENGTH {
            cache.remove(0);
        }
        cache.push((pattern.to_owned(), flags.to_owned(), regex.clone()));
    });
    Ok(regex)
}

/// Which parts of the text `search` gives.
#[derive(Clone, Copy)]
struct Wanted {
    between: bool,
    matches: bool,
}

pub(super) fn natives() -> Box<[Filter<RunPtr<J>>]> {
    let one = || [Bind::Var(())].into();
    let two = || [Bind::Var(()), Bind::Var(())].into();
    Box::new([
        ("test", one(), |mut cv| {
            let pattern = cv.0.pop_var();
            bome(test(&cv.1, &pattern, &Value::from("")))
        }),
        ("test", two(), |mut cv| {
            let flags = cv.0.pop_var();
            let pattern = cv.0.pop_var();
            bome(test(&cv.1, &pattern, &flags))
        }),
        ("matches", two(), |cv| {
            bome(search(
                cv,
                Wanted {
                    between: false,
                    matches: true,
                },
            ))
        }),
        ("split_matches", two(), |cv| {
            bome(search(
                cv,
                Wanted {
                    between: true,
                    matches: true,
                },
            ))
        }),
        ("split_", two(), |cv| {
            bome(search(
                cv,
                Wanted {
                    between: true,
                    matches: false,
                },
            ))
        }),
    ])
}

fn search(mut cv: Cv<'_, J>, wanted: Wanted) -> ValR<Value> {
    let flags = cv.0.pop_var();
    let pattern = cv.0.pop_var();
    let (text, regex, flags) = prepared(&cv.1, &pattern, &flags)?;
    Ok(parts(text, &regex, flags, wanted).into_iter().collect())
}

/// Tells whether the pattern matches anywhere.
fn test(text: &Value, pattern: &Value, flags: &Value) -> ValR<Value> {
    let (text, regex, flags) = prepared(text, pattern, flags)?;
    let found = if flags.no_empty {
        regex.find_iter(text).any(|found| !found.is_empty())
    } else {
        regex.is_match(text)
    };
    Ok(Value::Bool(found))
}

/// Checks the arguments of a search and compiles its pattern.
fn prepared<'v>(
    text: &'v Value,
    pattern: &Value,
    flags: &Value,
) -> Result<(&'v str, Regex, Flags), Error<Value>> {
    fn as_text(value: &Value) -> Result<&str, Error<Value>> {
        match value {
            Value::Null => Ok(""),
            other => other
                .as_str()
                .ok_or_else(|| Error::typ(other.clone(), "text")),
        }
    }
    // A list holds the pattern and its flags.
    let (pattern, own) = match pattern {
        Value::Arr(both) => (both.first().unwrap_or(pattern), both.get(1)),
        one => (one, None),
    };
    let flags = [as_text(flags)?, own.map_or(Ok(""), as_text)?].concat();
    let flags = flags.as_str();
    let pattern = pattern
        .as_str()
        .ok_or_else(|| Error::typ(pattern.clone(), "text"))?;
    let text = text
        .as_str()
        .ok_or_else(|| Error::typ(text.clone(), "text"))?;
    if text.len() > TEXT_LENGTH_MAX {
        return Err(Error::str(
            "the text is longer than 1 MiB: too long for a pattern",
        ));
    }
    let regex = compiled(pattern, flags).map_err(Error::str)?;
    meter::spend(text.len() / 8);
    let chosen = Flags {
        all: flags.contains('g'),
        no_empty: flags.contains('n'),
    };
    Ok((text, regex, chosen))
}

fn parts(text: &str, regex: &Regex, flags: Flags, wanted: Wanted) -> Vec<Value> {
    let mut found = Vec::new();
    let mut end = 0;
    let mut count = Counter::default();
    for captures in regex.captures_iter(text) {
        meter::step();
        let Some(whole) = captures.get(0) else {
            continue;
        };
        if flags.no_empty && whole.is_empty() {
            continue;
        }
        if wanted.between {
            found.push(Value::from(
                text.get(end..whole.start()).unwrap_or_default(),
            ));
            end = whole.end();
        }
        if wanted.matches {
            let groups = captures.iter().zip(regex.capture_names()).enumerate();
            let groups = groups.map(|(at, (group, name))| {
                let mut described = described(group.as_ref(), text, &mut count);
                if at > 0 {
                    described.insert("name".into(), name.map_or(Value::Null, Value::from));
                }
                Value::from_entries(described)
            });
            found.push(groups.collect());
        }
        if !flags.all {
            break;
        }
    }
    if wanted.between {
        found.push(Value::from(text.get(end..).unwrap_or_default()));
    }
    found
}

/// Describes a group; one that took no part is nowhere.
fn described(group: Option<&regex::Match<'_>>, text: &str, count: &mut Counter) -> Map {
    let offset = group.map_or(Value::Int(-1), |group| {
        Value::from(count.until(text, group.start()))
    });
    let length = group.map_or(0, |group| group.as_str().chars().count());
    let string = group.map_or(Value::Null, |group| Value::from(group.as_str()));
    let mut map = Map::default();
    map.insert("offset".into(), offset);
    map.insert("length".into(), Value::from(length));
    map.insert("string".into(), string);
    map
}

/// Turns byte offsets into numbers of characters. Offsets mostly grow, so it
/// goes on from the last one.
#[derive(Default)]
struct Counter {
    byte: usize,
    characters: usize,
}

impl Counter {
    fn until(&mut self, text: &str, byte: usize) -> usize {
        if byte < self.byte {
            *self = Self::default();
        }
        let between = text.get(self.byte..byte).unwrap_or_default();
        meter::spend(between.len() / 32);
        self.characters += between.chars().count();
        self.byte = byte;
        self.characters
    }
}
