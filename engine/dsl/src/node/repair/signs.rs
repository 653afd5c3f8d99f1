//! Signs that mean something else in YAML, or stand at another place: punctuation, comments, fences, brackets.

use super::proposal::{Proposal, shown};
use crate::codes;
use crate::width;

/// `审批：`, `“…”`, `｛ … ｝`, and a wide space that indents.
pub(super) fn full_width(line: &str) -> Option<Proposal> {
    let mut out = String::new();
    let mut first: Option<(usize, char)> = None;
    let mut quote: Option<char> = None;
    for (at, letter) in line.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '\'' | '"') => quote = Some(letter),
            _ => {}
        }
        let other = match letter {
            // Points and enumerating commas belong to texts.
            '\u{3002}' | '\u{3001}' => None,
            _ if quote.is_some() => None,
            letter => width::plain(letter),
        };
        let Some(other) = other else {
            out.push(letter);
            continue;
        };
        first.get_or_insert((at, letter));
        out.push_str(other);
        let next = line.get(at + letter.len_utf8()..).unwrap_or("");
        if matches!(other, ":" | ",") && !next.starts_with(char::is_whitespace) && !next.is_empty()
        {
            out.push(' ');
        }
    }
    let (at, letter) = first?;
    let meant = width::plain(letter)?;
    let message = match meant {
        " " => format!("{} is no space for YAML", width::named(letter)),
        _ => format!("`{letter}` is another character than `{meant}`, and a letter for YAML"),
    };
    Some(Proposal {
        code: codes::FULL_WIDTH,
        message,
        at: at..at + letter.len_utf8(),
        line: out,
        help: None,
    })
}

/// A fence of Markdown around the document.
pub(super) fn fence(line: &str) -> Option<Proposal> {
    let trimmed = line.trim();
    (trimmed.starts_with("```") || trimmed.starts_with("~~~")).then(|| Proposal {
        code: codes::YAML_SYNTAX,
        message: "this line belongs to Markdown, not to the document".to_owned(),
        at: 0..line.len(),
        line: String::new(),
        help: Some("take the lines with ``` away, above and below the document".to_owned()),
    })
}

/// `// a note`, alone or behind a value.
pub(super) fn comment(line: &str) -> Option<Proposal> {
    let alone = line.trim_start().starts_with("//");
    let at = if alone {
        line.find("//")?
    } else {
        line.find(" //")? + 1
    };
    let before = line.get(..at)?;
    if before.matches(['\'', '"']).count() % 2 != 0 {
        return None;
    }
    Some(Proposal {
        code: codes::YAML_SYNTAX,
        message: "a comment begins with `#` in YAML".to_owned(),
        at: at..at + 2,
        line: format!("{before}#{}", line.get(at + 2..)?),
        help: None,
    })
}

/// `do: - a: …`: a list that begins in the line of its key.
pub(super) fn beside_key(line: &str) -> Option<Proposal> {
    let at = line.find(": - ")?;
    let key = line.get(..at)?;
    let indent = " ".repeat(key.len() - key.trim_start().len() + 2);
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if key.trim().is_empty() || !key.trim().chars().all(plain) {
        return None;
    }
    Some(Proposal {
        code: codes::YAML_SYNTAX,
        message: "a list does not begin in the line of its key".to_owned(),
        at: at + 2..at + 3,
        line: format!("{key}:\n{indent}{}", line.get(at + 2..)?),
        help: Some(format!(
            "write `{}:` alone in its line, and below it, indented, `{}`",
            key.trim(),
            shown(line.get(at + 2..)?)
        )),
    })
}

/// `{ call: approve; with: … }`.
pub(super) fn semicolon(line: &str) -> Option<Proposal> {
    let at = line.find(';')?;
    let mut out = String::new();
    let mut quote: Option<char> = None;
    for letter in line.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '\'' | '"') => quote = Some(letter),
            _ => {}
        }
        out.push(if quote.is_none() && letter == ';' {
            ','
        } else {
            letter
        });
    }
    let out = match out.trim_end().strip_suffix(',') {
        Some(rest) => rest.to_owned(),
        None => out,
    };
    Proposal::yaml(
        "YAML separates by commas and lines, not by `;`",
        at..at + 1,
        out,
    )
}

/// `call:approve`: the colon of a key without its space.
pub(super) fn joined(line: &str) -> Option<Proposal> {
    let text = line.trim_start_matches([' ', '-']);
    let start = line.len() - text.len();
    let (key, value) = text.split_once(':')?;
    let plain = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if !plain || value.is_empty() || value.starts_with([' ', '/', ':']) || value.contains(": ") {
        return None;
    }
    Some(Proposal {
        code: codes::SPACING,
        message: format!("a space is missing behind the colon of `{key}:`"),
        at: start..start + key.len() + 1,
        line: format!("{}{key}: {value}", line.get(..start)?),
        help: None,
    })
}

/// `{ title: 受理 #1 }`: the rest of the line became a comment, and with it what closes.
pub(super) fn hash(line: &str) -> Option<Proposal> {
    let (mut depth, mut quote, mut start) = (0_usize, None, 0);
    let mut found = None;
    for (at, letter) in line.char_indices() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '[' | '{') => (depth, start) = (depth + 1, at + 1),
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') => start = at + 1,
            (None, ':') if line.get(at..)?.starts_with(": ") => start = at + 1,
            (None, '#') if depth > 0 && line.get(..at)?.ends_with(' ') => {
                found = Some(at);
                break;
            }
            (None, _) => {}
        }
    }
    let at = found?;
    let rest = line.get(start..)?;
    let first = start + rest.len() - rest.trim_start().len();
    let behind = line.get(at..)?;
    let end = at + behind.find([',', ']', '}']).unwrap_or(behind.len());
    let text = line.get(first..end)?.trim_end();
    let plain = !text.starts_with(['#', '\'', '"']);
    plain.then(|| {
        Proposal::yaml(
            "` #` begins a comment: what closes the bracket is not read",
            at..at + 1,
            format!(
                "{}'{}'{}",
                line.get(..first)?,
                text.replace('\'', "''"),
                line.get(first + text.len()..)?
            ),
        )
    })?
}

/// A bracket of this line that is not closed, or closed by another one.
pub(super) fn brackets(line: &str) -> Option<Proposal> {
    let closing = |open: char| if open == '[' { ']' } else { '}' };
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut out = String::new();
    let mut wrong: Option<usize> = None;
    let mut quote: Option<char> = None;
    for (at, letter) in line.char_indices() {
        match quote {
            Some(end) if letter == end => quote = None,
            Some(_) => {}
            None => match letter {
                '\'' | '"' => quote = Some(letter),
                '#' if line.get(..at)?.ends_with(' ') => break,
                '[' | '{' => open.push((at, letter)),
                ']' | '}' => {
                    while let Some((place, top)) = open.last().copied() {
                        if closing(top) == letter {
                            break;
                        }
                        if !open.iter().any(|(_, other)| closing(*other) == letter) {
                            break;
                        }
                        wrong.get_or_insert(place);
                        out = format!("{} {} ", out.trim_end(), closing(top));
                        open.pop();
                    }
                    open.pop();
                }
                _ => {}
            },
        }
        out.push(letter);
    }
    for (place, top) in open.iter().rev() {
        wrong = Some(wrong.map_or(*place, |first| first.min(*place)));
        out = format!("{} {}", out.trim_end(), closing(*top));
    }
    let at = wrong?;
    Proposal::yaml(
        "the bracket that opens here is never closed",
        at..at + 1,
        out,
    )
}
