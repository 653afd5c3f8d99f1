//! Writing values as JSON text, compact, keys in their order or sorted.

use std::fmt::{self, Write};

use rhai::ImmutableString;

use super::Value;
use crate::meter;

impl Value {
    /// Writes compact JSON. Numbers that are not finite become `null`.
    #[must_use]
    pub fn to_json(&self) -> String {
        meter::draw(usize::try_from(self.weight()).unwrap_or(usize::MAX));
        serde_json::to_string(self).unwrap_or_else(|_| self.to_string())
    }

    pub(super) fn to_canonical_json(&self) -> String {
        let mut text = String::new();
        let _ = write_json(self, &mut text, true);
        text
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(self, f, false)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(self, f, false)
    }
}

fn write_json(value: &Value, out: &mut impl Write, sorted: bool) -> fmt::Result {
    meter::tick();
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(b) => out.write_str(if *b { "true" } else { "false" }),
        Value::Int(i) => write!(out, "{i}"),
        Value::Float(f) if f.is_finite() => write!(out, "{f:?}"),
        Value::Float(_) => out.write_str("null"),
        Value::Str(s) => write_text(s, out),
        Value::Arr(items) => {
            out.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.write_char(',')?;
                }
                write_json(item, out, sorted)?;
            }
            out.write_char(']')
        }
        Value::Obj(map) if sorted => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by(|x, y| x.0.as_str().cmp(y.0.as_str()));
            write_entries(entries.into_iter(), out, sorted)
        }
        Value::Obj(map) => write_entries(map.iter(), out, sorted),
    }
}

fn write_entries<'v>(
    entries: impl Iterator<Item = (&'v ImmutableString, &'v Value)>,
    out: &mut impl Write,
    sorted: bool,
) -> fmt::Result {
    out.write_char('{')?;
    for (index, (key, item)) in entries.enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        write_text(key, out)?;
        out.write_char(':')?;
        write_json(item, out, sorted)?;
    }
    out.write_char('}')
}

fn write_text(text: &str, out: &mut impl Write) -> fmt::Result {
    meter::draw(text.len());
    out.write_char('"')?;
    let mut plain = text;
    while let Some(at) = plain
        .bytes()
        .position(|b| b < 0x20 || b == b'"' || b == b'\\' || b == 0x7f)
    {
        // Only ASCII bytes match, so `at` is always between characters.
        let (before, rest) = plain.split_at(at);
        let (special, after) = rest.split_at(1);
        out.write_str(before)?;
        match special {
            "\"" => out.write_str("\\\"")?,
            "\\" => out.write_str("\\\\")?,
            "\n" => out.write_str("\\n")?,
            "\r" => out.write_str("\\r")?,
            "\t" => out.write_str("\\t")?,
            other => {
                for byte in other.bytes() {
                    write!(out, "\\u{byte:04x}")?;
                }
            }
        }
        plain = after;
    }
    out.write_str(plain)?;
    out.write_char('"')
}
