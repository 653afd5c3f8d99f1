//! Markers that stand for secrets in expressions.
//!
//! An expression never sees a secret: it sees a text in a private form that
//! names it. The performer puts the secret in at the moment of sending, so
//! that it rests in no row and no log. The nonce belongs to the instance: a
//! text in that form which somebody types into a form names nothing.

use std::collections::BTreeSet;

use crate::Value;

// Private-use characters: no keyboard makes them.
const OPEN: char = '\u{F0F01}';
const CLOSE: char = '\u{F0F02}';

/// A secret that was asked for and is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the secret `{0}` is not known here; declare it in use.secrets and set it in the site's configuration"
)]
pub struct UnknownSecret(pub String);

/// Makes the marker of the secret `name`.
#[must_use]
pub fn marker(name: &str, nonce: &str) -> Value {
    Value::from(format!("{OPEN}{nonce}:{name}{CLOSE}"))
}

/// Makes the value of the variable `secrets`: a marker for every name.
#[must_use]
pub fn markers<'a>(names: impl IntoIterator<Item = &'a str>, nonce: &str) -> Value {
    Value::object(names.into_iter().map(|name| (name, marker(name, nonce))))
}

/// Gives the names of the secrets whose markers stand anywhere in `value`,
/// whatever their nonce, also inside longer texts and in keys.
#[must_use]
pub fn names_in(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(value, &mut names);
    names
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Str(text) => collect_text(text, names),
        Value::Arr(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Obj(map) => {
            for (key, item) in map.iter() {
                collect_text(key, names);
                collect(item, names);
            }
        }
        _ => {}
    }
}

fn collect_text(text: &str, names: &mut BTreeSet<String>) {
    let mut rest = text;
    while let Some((_, found, after)) = next_marker(rest) {
        if let Some((_, name)) = found.split_once(':') {
            names.insert(name.to_owned());
        }
        rest = after;
    }
}

/// Splits `text` at its next marker: before, `nonce:name`, after.
fn next_marker(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(OPEN)?;
    let (inner, after) = rest.split_once(CLOSE)?;
    Some((before, inner, after))
}

/// Replaces the markers made with `nonce` by what `secret` gives for their
/// names. Markers of another nonce stay as they are: they are somebody's
/// forgery and name nothing.
///
/// # Errors
/// The first name for which `secret` gives nothing.
pub fn reveal(
    value: &Value,
    nonce: &str,
    secret: &dyn Fn(&str) -> Option<String>,
) -> Result<Value, UnknownSecret> {
    replace(value, &|inner| match inner.split_once(':') {
        Some((own, name)) if own == nonce => secret(name)
            .map(Some)
            .ok_or_else(|| UnknownSecret(name.to_owned())),
        _ => Ok(None),
    })
}

/// Replaces every marker, whatever its nonce, by `***`: for history, logs
/// and letters.
#[must_use]
pub fn masked(value: &Value) -> Value {
    replace(value, &|_| Ok(Some("***".to_owned()))).unwrap_or_default()
}

type Replace<'a> = &'a dyn Fn(&str) -> Result<Option<String>, UnknownSecret>;

fn replace(value: &Value, by: Replace<'_>) -> Result<Value, UnknownSecret> {
    Ok(match value {
        Value::Str(text) => match replace_text(text, by)? {
            Some(changed) => Value::from(changed),
            None => value.clone(),
        },
        Value::Arr(items) => Value::list(
            items
                .iter()
                .map(|item| replace(item, by))
                .collect::<Result<_, _>>()?,
        ),
        Value::Obj(map) => {
            let mut entries = crate::Map::default();
            for (key, item) in map.iter() {
                let key = match replace_text(key, by)? {
                    Some(changed) => changed.into(),
                    None => key.clone(),
                };
                entries.insert(key, replace(item, by)?);
            }
            Value::from_entries(entries)
        }
        _ => value.clone(),
    })
}

fn replace_text(text: &str, by: Replace<'_>) -> Result<Option<String>, UnknownSecret> {
    if !text.contains(OPEN) {
        return Ok(None);
    }
    let mut changed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inner, after)) = next_marker(rest) {
        changed.push_str(before);
        match by(inner)? {
            Some(secret) => changed.push_str(&secret),
            None => {
                changed.push(OPEN);
                changed.push_str(inner);
                changed.push(CLOSE);
            }
        }
        rest = after;
    }
    changed.push_str(rest);
    Ok(Some(changed))
}
