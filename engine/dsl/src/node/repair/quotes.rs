//! Texts whose quotation marks are missing, not closed, or in the way.

use super::proposal::Proposal;

/// `key: ${ … }` without quotes.
pub(super) fn expression(line: &str) -> Option<Proposal> {
    let found = line.find("${")?;
    let before = line.get(..found)?;
    // The whole text is quoted when the expression stands inside of one.
    let opened = [": ", ", ", "[", "{ "].iter();
    let at = opened
        .filter_map(|mark| Some(before.rfind(mark)? + mark.len()))
        .max()
        .unwrap_or(found);
    let text = line.get(at..found)?;
    if before.ends_with(['\'', '"', '`']) || text.contains(['\'', '"', '`']) {
        return None;
    }
    let mut depth = 0_usize;
    let end = line
        .get(found + 1..)?
        .char_indices()
        .find_map(|(here, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => return None,
            }
            (depth == 0).then_some(found + 1 + here + 1)
        })?;
    let inner = line.get(at..end)?.replace('\'', "''");
    Proposal::yaml(
        "an expression that is not quoted: its braces, commas and colons are read as YAML",
        at..end,
        format!("{}'{inner}'{}", line.get(..at)?, line.get(end..)?),
    )
}

/// `title: 审批: 通过`.
pub(super) fn colon(line: &str) -> Option<Proposal> {
    let first = line.find(": ")?;
    let mut from = first + 2;
    loop {
        let rest = line.get(from..)?;
        let start = from + rest.len() - rest.trim_start().len();
        let value = line.get(start..)?;
        if !value.starts_with(['{', '[', '\'', '"', '|', '>', '&', '*', '!', '#']) {
            let end = value.find([',', '}', ']']).unwrap_or(value.len());
            let text = value.get(..end)?.trim_end();
            if let Some(second) = text.find(": ") {
                let quoted = format!("'{}'", text.replace('\'', "''"));
                let at = start + second;
                return Proposal::yaml(
                    "a text that holds `: ` and is not quoted: YAML reads a key and a value",
                    at..at + 1,
                    format!(
                        "{}{quoted}{}",
                        line.get(..start)?,
                        line.get(start + text.len()..)?
                    ),
                );
            }
        }
        from = line.get(from..)?.find(": ")? + from + 2;
    }
}

/// A text that begins with a sign which YAML keeps for itself: `@`, `` ` ``, `%`, `*`, `&`.
pub(super) fn leading(line: &str) -> Option<Proposal> {
    let marks = ["@", "`", "%", "*", "&"];
    let (at, mark) = marks
        .iter()
        .filter_map(|mark| {
            let at = line.find(&format!(": {mark}"))? + 2;
            Some((at, *mark))
        })
        .min()?;
    let value = line.get(at..)?;
    let end = value.find([',', '}', ']']).unwrap_or(value.len());
    let text = value.get(..end)?.trim_end();
    Proposal::yaml(
        format!("a text cannot begin with `{mark}` unless it is quoted"),
        at..at + 1,
        format!(
            "{}'{}'{}",
            line.get(..at)?,
            text.replace('\'', "''"),
            line.get(at + text.len()..)?
        ),
    )
}

/// `'it's me'`.
pub(super) fn apostrophe(line: &str) -> Option<Proposal> {
    let letters: Vec<(usize, char)> = line.char_indices().collect();
    let inside = |window: &[(usize, char)]| match window {
        [(_, before), (at, '\''), (_, after)]
            if before.is_alphanumeric() && after.is_alphanumeric() =>
        {
            Some(*at)
        }
        _ => None,
    };
    let places: Vec<usize> = letters.windows(3).filter_map(inside).collect();
    let first = *places.first()?;
    let mut out = String::new();
    let mut from = 0;
    for at in places {
        out.push_str(line.get(from..at)?);
        out.push_str("''");
        from = at + 1;
    }
    out.push_str(line.get(from..)?);
    Proposal::yaml(
        "the text in single quotes ends at this apostrophe",
        first..first + 1,
        out,
    )
}

/// `"a == "b""` and `'a == 'b''`: the same quotes inside and outside.
pub(super) fn inner_quotes(line: &str) -> Option<Proposal> {
    let open = line.find(": \"").or_else(|| line.find(": '"))? + 2;
    let quote = line.get(open..)?.chars().next()?;
    let close = line.rfind(quote).filter(|close| *close > open + 1)?;
    let inner = line.get(open + 1..close)?;
    // Several quoted texts are no text with quotes inside.
    if [": ", ", ", " }", " ]"]
        .iter()
        .any(|next| inner.contains(&format!("{quote}{next}")))
    {
        return None;
    }
    let at = open + 1 + inner.find(quote)?;
    Proposal::yaml(
        "the text ends at this quotation mark",
        at..at + 1,
        format!(
            "{}'{}'{}",
            line.get(..open)?,
            inner.replace('\'', "\""),
            line.get(close + 1..)?
        ),
    )
}

/// `"C:\dir"`.
pub(super) fn escape(line: &str) -> Option<Proposal> {
    let open = line.find('"')?;
    let close = open + 1 + line.get(open + 1..)?.find('"')?;
    let inner = line.get(open + 1..close)?;
    let at = open + 1 + inner.find('\\')?;
    Proposal::yaml(
        "in double quotes `\\` and the letter behind it are read as one sign",
        at..at + 2,
        format!(
            "{}'{}'{}",
            line.get(..open)?,
            inner.replace('\'', "''"),
            line.get(close + 1..)?
        ),
    )
}

/// `'abc }`: a quote that nobody closes.
pub(super) fn open_quote(line: &str) -> Option<Proposal> {
    ['\'', '"'].into_iter().find_map(|quote| {
        if line.matches(quote).count() % 2 == 0 {
            return None;
        }
        let open = line.rfind(quote)?;
        let rest = line.get(open + 1..)?;
        let end = rest.find([',', '}', ']']).unwrap_or(rest.len());
        let text = rest.get(..end)?.trim_end();
        let close = open + 1 + text.len();
        (!text.is_empty()).then(|| {
            Proposal::yaml(
                "the quotation mark that opens here is never closed",
                open..open + 1,
                format!("{}{quote}{}", line.get(..close)?, line.get(close..)?),
            )
        })?
    })
}
