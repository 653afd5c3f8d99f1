//! What an author meant by a line that is no YAML: the line is rewritten, and the whole text is read again. Only what
//! then goes on is proposed.

use std::ops::Range;

use crate::codes::{self, Code};
use crate::diagnostic::Diagnostic;
use crate::place::Places;
use crate::span::Span;
use crate::width;

/// Longer sources are not read again and again.
const SOURCE_MAX: usize = 300_000;
/// How many lines before the place of the fault are looked at.
const LINES_BACK: u32 = 3;

/// One line as it should be.
struct Proposal {
    code: Code,
    message: String,
    /// The place of the mistake, in bytes of the line.
    at: Range<usize>,
    line: String,
    /// What to do, when the line alone does not say it.
    help: Option<String>,
}

impl Proposal {
    fn yaml(message: impl Into<String>, at: Range<usize>, line: String) -> Option<Self> {
        Some(Proposal {
            code: codes::YAML_SYNTAX,
            message: message.into(),
            at,
            line,
            help: None,
        })
    }
}

type Rule = fn(&str) -> Option<Proposal>;

const RULES: &[Rule] = &[
    fence,
    comment,
    full_width,
    tabs,
    expression,
    joined,
    beside_key,
    semicolon,
    colon,
    leading,
    apostrophe,
    inner_quotes,
    escape,
    open_quote,
    brackets,
];

/// The fault with its repair, when a repair is found.
pub(super) fn repaired(source: &str, places: &Places<'_>, span: Span) -> Option<Diagnostic> {
    if source.len() > SOURCE_MAX {
        return None;
    }
    // A mistake may show only later: a quote that opens far above.
    let lines = (span.line.saturating_sub(LINES_BACK).max(1)..=span.line).rev();
    for line in lines {
        let (start, text) = places.line(line)?;
        for rule in RULES {
            let Some(proposal) = rule(text) else { continue };
            let mut whole = String::with_capacity(source.len() + 16);
            whole.push_str(source.get(..start)?);
            whole.push_str(&proposal.line);
            whole.push_str(source.get(start + text.len()..)?);
            if cured(&whole, source, span) {
                let place = places.bytes(start + proposal.at.start, start + proposal.at.end);
                let help = proposal
                    .help
                    .unwrap_or_else(|| format!("write `{}`", shown(&proposal.line)));
                return Some(Diagnostic::error(proposal.code, place, proposal.message).help(help));
            }
        }
    }
    keyless_list(source, places, span).or_else(|| indentation(source, places, span))
}

/// The list of tasks at the top of the document, without `do:` above it.
fn keyless_list(source: &str, places: &Places<'_>, span: Span) -> Option<Diagnostic> {
    let (start, text) = places.line(span.line)?;
    if !text.starts_with("- ") || source.lines().any(|line| line.starts_with("do:")) {
        return None;
    }
    let mut whole = String::with_capacity(source.len() + 4);
    whole.push_str(source.get(..start)?);
    whole.push_str("do:\n");
    whole.push_str(source.get(start..)?);
    super::first_fault(&whole).is_none().then(|| {
        Diagnostic::error(
            codes::YAML_SYNTAX,
            places.bytes(start, start + 1),
            "a list stands at the top of the document without its key",
        )
        .help("write a line `do:` above it: below it stand the tasks")
    })
}

/// Whether what is wrong with the repaired text, if anything, comes later.
fn cured(repaired: &str, source: &str, span: Span) -> bool {
    super::first_fault(repaired).is_none_or(|next| {
        // The end of the text stays where it is, what was changed stands before it.
        let left = repaired.len().saturating_sub(next.start as usize);
        let left_before = source.len().saturating_sub(span.start as usize);
        left < left_before && next.line >= span.line
    })
}

/// A line whose indentation is none of those above it.
fn indentation(source: &str, places: &Places<'_>, span: Span) -> Option<Diagnostic> {
    let (start, text) = places.line(span.line)?;
    let own = indent(text);
    let item = text.trim_start().starts_with("- ");
    let mut proposed: Option<(usize, u32)> = None;
    for (other, line) in indents_above(places, span.line, own, item) {
        let mut whole = String::with_capacity(source.len() + 16);
        whole.push_str(source.get(..start)?);
        whole.push_str(&" ".repeat(other));
        whole.push_str(source.get(start + own..)?);
        if super::first_fault(&whole).is_none() {
            proposed = Some((other, line));
            break;
        }
        if proposed.is_none() && cured(&whole, source, span) {
            proposed = Some((other, line));
        }
    }
    let (other, line) = proposed?;
    Some(
        Diagnostic::error(
            codes::YAML_SYNTAX,
            places.bytes(start + own, start + own + 1),
            format!("this line is indented by {own} spaces, and nothing above it is"),
        )
        .help(format!("indent it by {other}, as line {line}")),
    )
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// The indentations of the lines above that are near, each with its line, the nearest line first; of an item of a list
/// those of other items come first.
fn indents_above(places: &Places<'_>, below: u32, own: usize, item: bool) -> Vec<(usize, u32)> {
    let mut found: Vec<(usize, u32)> = Vec::new();
    let mut of_items: Vec<(usize, u32)> = Vec::new();
    for line in (below.saturating_sub(20).max(1)..below).rev() {
        let Some((_, above)) = places.line(line) else {
            break;
        };
        let trimmed = above.trim_start_matches(' ');
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let hyphen = trimmed.starts_with("- ");
        let take = |width: usize, list: &mut Vec<(usize, u32)>| {
            let near = own.abs_diff(width) <= 3 && own != width;
            if near && list.iter().all(|(other, _)| *other != width) {
                list.push((width, line));
            }
        };
        if hyphen && item {
            take(indent(above), &mut of_items);
        }
        take(indent(above), &mut found);
        // What stands behind `- ` is indented too.
        if hyphen {
            take(indent(above) + 2, &mut found);
        }
    }
    of_items.extend(found);
    of_items
}

/// A line without its indentation, shortened.
fn shown(line: &str) -> String {
    let line = line.trim();
    match line.char_indices().nth(120) {
        Some((at, _)) => format!("{} …", line.get(..at).unwrap_or("")),
        None => line.to_owned(),
    }
}

/// `审批：`, `“…”`, `｛ … ｝`, and a wide space that indents.
fn full_width(line: &str) -> Option<Proposal> {
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

fn tabs(line: &str) -> Option<Proposal> {
    let indent = line.len() - line.trim_start_matches([' ', '\t', '-']).len();
    let at = line.get(..indent)?.find('\t')?;
    let rest = line.get(indent..)?;
    // What the tab stood for is not known; two spaces are the usual step.
    let spaces = line.get(..indent)?.replace('\t', "  ");
    Some(Proposal {
        code: codes::YAML_SYNTAX,
        message: "a tab does not indent in YAML".to_owned(),
        at: at..at + 1,
        line: format!("{spaces}{rest}"),
        help: Some(
            "indent with spaces, two for each step; let the editor write spaces for the tab key"
                .to_owned(),
        ),
    })
}

/// A fence of Markdown around the document.
fn fence(line: &str) -> Option<Proposal> {
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
fn comment(line: &str) -> Option<Proposal> {
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
fn beside_key(line: &str) -> Option<Proposal> {
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
fn semicolon(line: &str) -> Option<Proposal> {
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
fn joined(line: &str) -> Option<Proposal> {
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

/// `key: ${ … }` without quotes.
fn expression(line: &str) -> Option<Proposal> {
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
fn colon(line: &str) -> Option<Proposal> {
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
fn leading(line: &str) -> Option<Proposal> {
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
fn apostrophe(line: &str) -> Option<Proposal> {
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
fn inner_quotes(line: &str) -> Option<Proposal> {
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
fn escape(line: &str) -> Option<Proposal> {
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
fn open_quote(line: &str) -> Option<Proposal> {
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

/// A bracket of this line that is not closed, or closed by another one.
fn brackets(line: &str) -> Option<Proposal> {
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
