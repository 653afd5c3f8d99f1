//! Functions on texts, the organisation's units, and findings of checks.

use rhai::{Dynamic, Engine, ImmutableString};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::host;
use super::node::{Fallible, Node, fail};
use super::source::STRING_BYTES_MAX;
use crate::{Value, meter};

const PADDED_LENGTH_MAX: usize = 1 << 20;

/// Gives `text` in the form in which names are compared: NFKC, letters and
/// digits only.
pub(super) fn normal(text: &str) -> String {
    meter::spend(text.len() / 8);
    meter::draw(text.len().saturating_mul(4));
    text.nfkc()
        .filter(|character| character.is_alphanumeric() || is_combining_mark(*character))
        .collect()
}

/// rhai's own `pad` allocates before any limit sees it.
fn pad(text: &mut ImmutableString, length: i64, with: &str) -> Fallible<()> {
    let have = text.chars().count();
    let Ok(length) = usize::try_from(length) else {
        return Ok(());
    };
    if length <= have || with.is_empty() {
        return Ok(());
    }
    if length.saturating_mul(4) > PADDED_LENGTH_MAX {
        return fail(format!("a text padded to {length} characters is too long"));
    }
    meter::draw(length * 4);
    let missing = with.chars().cycle().take(length - have);
    let padded: String = text.chars().chain(missing).collect();
    *text = padded.into();
    Ok(())
}

/// rhai's own `replace` allocates before any limit sees it: a long text in the place of each letter of another one.
fn replace(text: &mut ImmutableString, find: &str, with: &str) -> Fallible<()> {
    meter::spend(text.len() / 64);
    let count = text.matches(find).count();
    let length = text.len().saturating_add(count.saturating_mul(with.len()));
    if length > STRING_BYTES_MAX.max(text.len()) {
        return fail(format!(
            "`replace` would give a text of up to {length} bytes, at most {STRING_BYTES_MAX} are allowed"
        ));
    }
    meter::draw(length);
    *text = text.replace(find, with).into();
    Ok(())
}

/// rhai's own `split` gives the parts of a text of any length.
fn split(text: &mut ImmutableString, separator: &str) -> Fallible<rhai::Array> {
    meter::spend(text.len() / 64);
    if text.len() > STRING_BYTES_MAX {
        return fail(format!(
            "a text of {} bytes is too long to be split, at most {STRING_BYTES_MAX} are allowed",
            text.len()
        ));
    }
    let count = if separator.is_empty() {
        text.len()
    } else {
        text.matches(separator).count()
    };
    meter::draw(count.saturating_mul(48).saturating_add(text.len()));
    // Between two characters there is nothing, as rhai has it.
    let parts = text.split(separator);
    Ok(parts
        .map(|part| Dynamic::from(ImmutableString::from(part)))
        .collect())
}

fn pad_list(list: &mut rhai::Array, length: i64, with: Dynamic) -> Fallible<()> {
    const LENGTH_MAX: usize = 20_000;
    let Ok(length) = usize::try_from(length) else {
        return Ok(());
    };
    if length > LENGTH_MAX {
        return fail(format!("a list padded to {length} elements is too long"));
    }
    // A nested element may be large by itself: each copy is paid for.
    let weight = super::node::from_dynamic(with.clone()).map_or(16, |value| value.weight());
    let weight = usize::try_from(weight).unwrap_or(usize::MAX);
    meter::draw(length.saturating_mul(weight.saturating_mul(4).max(16)));
    if length > list.len() {
        list.resize(length, with);
    }
    Ok(())
}

/// A finding of a check: `error` stops a submission, `warn` wants a
/// statement.
fn finding(level: &str, field: &str, text: &str) -> Dynamic {
    Dynamic::from(Node(Value::object([
        ("level", level),
        ("field", field),
        ("text", text),
    ])))
}

fn unit(id: &str, level: &str) -> Dynamic {
    let found = host::ask(|host| host.units.ancestor(id, level)).flatten();
    found.map_or(Dynamic::UNIT, Into::into)
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("normal", |text: &str| normal(text));
    engine.register_fn("normal", |(): ()| {});
    engine.register_fn(
        "pad",
        |text: &mut ImmutableString, length: i64, with: char| {
            pad(text, length, with.encode_utf8(&mut [0; 4]))
        },
    );
    engine.register_fn(
        "pad",
        |text: &mut ImmutableString, length: i64, with: &str| pad(text, length, with),
    );
    engine.register_fn("pad", pad_list);
    engine.register_fn("replace", replace);
    engine.register_fn(
        "replace",
        |text: &mut ImmutableString, find: char, with: &str| {
            replace(text, find.encode_utf8(&mut [0; 4]), with)
        },
    );
    engine.register_fn("split", split);
    engine.register_fn("split", |text: &mut ImmutableString, separator: char| {
        split(text, separator.encode_utf8(&mut [0; 4]))
    });
    engine.register_fn("unit", unit);
    engine.register_fn("unit", |(): (), _level: &str| {});
    engine.register_fn("unit_name", |id: &str| {
        let found = host::ask(|host| host.units.name(id)).flatten();
        found.map_or(Dynamic::UNIT, Into::into)
    });
    engine.register_fn("unit_name", |(): ()| {});
    engine.register_fn("error", |field: &str, text: &str| {
        finding("error", field, text)
    });
    engine.register_fn("warn", |field: &str, text: &str| {
        finding("warn", field, text)
    });
    engine.register_fn("matches", |text: &str, pattern: &str| -> Fallible<bool> {
        meter::spend(text.len() / 8);
        match crate::jq::regexes::compiled(pattern, "") {
            Ok(regex) => Ok(regex.is_match(text)),
            Err(message) => fail(message),
        }
    });
}
