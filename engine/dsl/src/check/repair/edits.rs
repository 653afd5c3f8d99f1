//! The habits: each rule looks for one of them and says what stands for it here.

use std::ops::Range;

use tongban_expr::{Language, Scope};

use super::{Edit, Proposal};
use crate::codes;
use crate::width;

type Rule = fn(Language, &str) -> Option<Proposal>;

/// In the order in which they are tried; what changes the most comes first.
pub(super) const RULES: &[Rule] = &[
    wrapper,
    inner_mark,
    full_width,
    single_quotes,
    operators,
    negation,
    equals,
    ternary,
    choice,
    nothing,
    dollar,
    dot,
    object,
    hyphen,
    position,
    semicolon,
    unclosed,
];

/// The parts of a text that stand in no quotes.
fn code(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(open) if letter == open => {
                quote = None;
                from = at + letter.len_utf8();
            }
            None if matches!(letter, '"' | '`' | '\'') => {
                parts.push(from..at);
                quote = Some(letter);
            }
            _ => {}
        }
    }
    if quote.is_none() {
        parts.push(from..text.len());
    }
    parts
}

/// Where `word` stands outside of quotes; `fits` sees what stands before and behind.
fn each(text: &str, word: &str, fits: impl Fn(&str, &str) -> bool) -> Vec<Range<usize>> {
    code(text)
        .into_iter()
        .flat_map(|part| {
            let found = text.get(part.clone()).unwrap_or("").match_indices(word);
            found
                .map(|(at, _)| part.start + at..part.start + at + word.len())
                .collect::<Vec<_>>()
        })
        .filter(|at| {
            fits(
                text.get(..at.start).unwrap_or(""),
                text.get(at.end..).unwrap_or(""),
            )
        })
        .collect()
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn alone(before: &str, after: &str) -> bool {
    !before.ends_with(is_word)
        && !before.ends_with(['.', '$'])
        && !after.starts_with(is_word)
        && !after.starts_with('(')
}

/// `{{ … }}`, `<% … %>`, `$( … )` and the like around the whole expression.
pub(in crate::check) fn unwrapped(text: &str) -> Option<(&'static str, &str)> {
    let text = text.trim();
    let marks = [
        ("${{", "}}", "${{ … }}"),
        ("{{", "}}", "{{ … }}"),
        ("<%=", "%>", "<% … %>"),
        ("<%", "%>", "<% … %>"),
        ("$(", ")", "$( … )"),
        ("%{", "}", "%{ … }"),
        ("@{", "}", "@{ … }"),
        ("[[", "]]", "[[ … ]]"),
    ];
    marks.iter().find_map(|(open, close, shown)| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?.trim();
        (!inner.is_empty() && !inner.contains(close)).then_some((*shown, inner))
    })
}

fn wrapper(_: Language, text: &str) -> Option<Proposal> {
    let (shown, inner) = unwrapped(text)?;
    Proposal::new(
        codes::FOREIGN_WRAPPER,
        format!("`{shown}` marks the expressions of another tool"),
        vec![Edit::new(0..text.len(), inner)],
    )
}

/// `${ … }` inside an expression.
fn inner_mark(language: Language, text: &str) -> Option<Proposal> {
    let mut edits = Vec::new();
    for open in each(text, "${", |_, _| true) {
        let close = crate::parse::close(text, open.end, language)?;
        let inner = text.get(open.end..close)?.trim();
        edits.push(Edit::new(open.start..close + 1, inner));
    }
    Proposal::new(
        codes::FOREIGN_WRAPPER,
        "this is an expression already: `${` does not stand inside of one",
        edits,
    )
}

fn full_width(_: Language, text: &str) -> Option<Proposal> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut first = None;
    for part in code(text) {
        let inside = text.get(part.clone()).unwrap_or("");
        for (at, letter) in inside.char_indices() {
            let Some(other) = width::plain(letter) else {
                continue;
            };
            // Texts of both languages stand in double quotes.
            let other = if other == "'" { "\"" } else { other };
            let at = part.start + at;
            first.get_or_insert(letter);
            edits.push(Edit::new(at..at + letter.len_utf8(), other));
        }
    }
    let letter = first?;
    let meant = if matches!(width::plain(letter), Some("'")) {
        "\""
    } else {
        width::plain(letter)?
    };
    let message = match meant {
        " " => format!("{} stands in the expression", width::named(letter)),
        _ => format!("{} is no `{meant}` for an expression", width::named(letter)),
    };
    Proposal::new(codes::FULL_WIDTH, message, edits)
}

/// `'text'` in jq; rhai's are told by their own rule.
fn single_quotes(language: Language, text: &str) -> Option<Proposal> {
    if language != Language::Jq {
        return None;
    }
    let mut edits = Vec::new();
    let mut open = None;
    let mut double = false;
    for (at, letter) in text.char_indices() {
        match (letter, open) {
            ('"', None) => double = !double,
            ('\'', None) if !double => open = Some(at),
            ('\'', Some(from)) => {
                let inner = text.get(from + 1..at)?;
                edits.push(Edit::new(
                    from..at + 1,
                    format!("\"{}\"", inner.replace('"', "\\\"")),
                ));
                open = None;
            }
            _ => {}
        }
    }
    Proposal::new(
        codes::SINGLE_QUOTES,
        "texts stand in double quotes in jq",
        edits,
    )
}

/// Signs that other languages have for the same.
fn operators(language: Language, text: &str) -> Option<Proposal> {
    const JQ: &[(&str, &str)] = &[
        ("===", "=="),
        ("!==", "!="),
        ("<>", "!="),
        ("&&", "and"),
        ("||", "or"),
        ("AND", "and"),
        ("OR", "or"),
    ];
    const RHAI: &[(&str, &str)] = &[
        ("===", "=="),
        ("!==", "!="),
        ("<>", "!="),
        ("and", "&&"),
        ("or", "||"),
        ("AND", "&&"),
        ("OR", "||"),
        ("True", "true"),
        ("False", "false"),
    ];
    let (name, table) = match language {
        Language::Jq => ("jq", JQ),
        Language::Rhai => ("rhai", RHAI),
    };
    let mut edits: Vec<Edit> = Vec::new();
    for (foreign, ours) in table {
        let places = each(text, foreign, |before, after| {
            if foreign.starts_with(is_word) {
                return alone(before, after);
            }
            !before.ends_with(['=', '!', '<', '>']) && !after.starts_with(['=', '&', '|'])
        });
        for at in places {
            let padded = ours.starts_with(is_word) && !text.get(..at.start)?.ends_with(' ');
            let with = if padded {
                format!(" {ours} ")
            } else {
                (*ours).to_owned()
            };
            edits.push(Edit::new(at, with));
        }
    }
    edits.sort_by_key(|edit| edit.at.start);
    edits.dedup_by(|b, a| b.at.start < a.at.end);
    let first = edits.first()?;
    let message = format!(
        "{name} writes `{}` for `{}`",
        first.with.trim(),
        text.get(first.at.clone())?
    );
    Proposal::syntax(message, edits)
}

/// `not x` and, in jq, `!x`.
fn negation(language: Language, text: &str) -> Option<Proposal> {
    if language == Language::Rhai {
        let places = each(text, "not ", |before, _| alone(before, ""));
        let edits = places.into_iter().map(|at| Edit::new(at, "!")).collect();
        return Proposal::syntax("rhai writes `!` for `not`", edits);
    }
    let start = text.len() - text.trim_start().len();
    let word = ["not ", "!"]
        .into_iter()
        .find(|word| text.get(start..).unwrap_or("").starts_with(word))?;
    let inner = text.get(start + word.len()..)?.trim();
    let inner = if inner.contains([' ', '|']) && !inner.starts_with('(') {
        format!("({inner})")
    } else {
        inner.to_owned()
    };
    let whole = format!("{inner} | not");
    Proposal::syntax(
        "jq negates behind the value, with `| not`",
        vec![
            Edit::new(start..start + word.len(), ""),
            Edit::new(start + word.len()..text.len(), whole),
        ],
    )
}

/// Places of a `=` that assigns.
pub(in crate::check) fn assignments(text: &str) -> Vec<Range<usize>> {
    each(text, "=", |before, after| {
        !before.ends_with([
            '=', '!', '<', '>', '|', '+', '-', '*', '/', '%', '?', '&', '^',
        ]) && !after.starts_with('=')
    })
}

/// `a = b` where `a == b` is meant; jq updates with `=`, so only a condition tells.
fn equals(language: Language, text: &str) -> Option<Proposal> {
    if language == Language::Jq {
        return None;
    }
    let edits = assignments(text)
        .into_iter()
        .map(|at| Edit::new(at, "=="))
        .collect();
    Proposal::new(codes::ASSIGNMENT, "`=` does not compare", edits)
}

/// `a ? b : c`.
fn ternary(language: Language, text: &str) -> Option<Proposal> {
    let question = each(text, "?", |before, after| {
        !before.ends_with('?') && !after.starts_with(['.', '?', '[', '/'])
    });
    let question = question.first()?.clone();
    let colon = each(text, ":", |before, _| before.len() > question.end);
    let colon = colon.first()?.clone();
    let part = |range: Range<usize>| text.get(range).map(str::trim);
    let (test, yes, no) = (
        part(0..question.start)?,
        part(question.end..colon.start)?,
        part(colon.end..text.len())?,
    );
    let (name, whole) = match language {
        Language::Jq => ("jq", format!("if {test} then {yes} else {no} end")),
        Language::Rhai => ("rhai", format!("if {test} {{ {yes} }} else {{ {no} }}")),
    };
    let message = match language {
        Language::Jq => format!("{name} chooses with `if … then … else … end`"),
        Language::Rhai => format!("{name} chooses with `if … {{ … }} else {{ … }}`"),
    };
    Proposal::syntax(message, vec![Edit::new(0..text.len(), whole)])
}

/// `if a { b } else { c }` in jq, `if a then b else c end` in rhai.
fn choice(language: Language, text: &str) -> Option<Proposal> {
    let rest = text.trim().strip_prefix("if ")?;
    let (whole, message) = match language {
        Language::Jq => {
            let (test, rest) = rest.split_once('{')?;
            let (yes, rest) = rest.split_once('}')?;
            let no = rest.trim().strip_prefix("else").unwrap_or("{ null }");
            let no = no.trim().strip_prefix('{')?.strip_suffix('}')?;
            let (test, yes, no) = (test.trim(), yes.trim(), no.trim());
            (
                format!("if {test} then {yes} else {no} end"),
                "jq chooses with `if … then … else … end`",
            )
        }
        Language::Rhai => {
            let (test, rest) = rest.split_once(" then ")?;
            let rest = rest.trim();
            let rest = rest.strip_suffix(" end").unwrap_or(rest);
            let (yes, no) = rest.split_once(" else ").unwrap_or((rest, "()"));
            let (test, yes, no) = (test.trim(), yes.trim(), no.trim());
            (
                format!("if {test} {{ {yes} }} else {{ {no} }}"),
                "rhai chooses with `if … { … } else { … }`",
            )
        }
    };
    Proposal::syntax(message, vec![Edit::new(0..text.len(), whole)])
}

/// `null` in rhai.
fn nothing(language: Language, text: &str) -> Option<Proposal> {
    if language == Language::Jq {
        return None;
    }
    let words = ["null", "nil", "None", "undefined"];
    let mut edits: Vec<Edit> = words
        .iter()
        .flat_map(|word| each(text, word, alone))
        .map(|at| Edit::new(at, "()"))
        .collect();
    edits.sort_by_key(|edit| edit.at.start);
    let found = text.get(edits.first()?.at.clone())?;
    Proposal::syntax(format!("rhai writes `()` for `{found}`"), edits)
}

/// `$form.x` in rhai, `form.x` in jq.
fn dollar(language: Language, text: &str) -> Option<Proposal> {
    if language == Language::Rhai {
        let places = each(text, "$", |_, after| {
            after.starts_with(|c: char| c.is_ascii_alphabetic())
        });
        let edits = places.into_iter().map(|at| Edit::new(at, "")).collect();
        return Proposal::syntax("variables have no `$` in rhai", edits);
    }
    let mut edits: Vec<Edit> = Scope::NAMES
        .iter()
        .flat_map(|name| each(text, name, alone))
        .map(|at| Edit::new(at.clone(), format!("${}", text.get(at).unwrap_or(""))))
        .collect();
    edits.sort_by_key(|edit| edit.at.start);
    let found = text.get(edits.first()?.at.clone())?;
    Proposal::new(
        codes::UNKNOWN_VARIABLE,
        format!("a variable of jq begins with `$`, found `{found}`"),
        edits,
    )
}

/// `.amount` in rhai.
fn dot(language: Language, text: &str) -> Option<Proposal> {
    if language == Language::Jq {
        return None;
    }
    let places = each(text, ".", |before, after| {
        (before.is_empty() || before.ends_with([' ', '(', '[', ',', '!', '-']))
            && after.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    let edits = places
        .into_iter()
        .map(|at| Edit::new(at, "input."))
        .collect();
    Proposal::syntax("rhai names what it reads; `.x` is jq", edits)
}

/// `{ a: 1 }` in rhai.
fn object(language: Language, text: &str) -> Option<Proposal> {
    if language == Language::Jq || !text.trim_start().starts_with('{') {
        return None;
    }
    let places = each(text, "{", |before, _| !before.ends_with(['#', '$']));
    let edits = places.into_iter().map(|at| Edit::new(at, "#{")).collect();
    Proposal::syntax("rhai writes an object as `#{ … }`", edits)
}

/// `.unit-name` in jq.
fn hyphen(language: Language, text: &str) -> Option<Proposal> {
    if language == Language::Rhai {
        return None;
    }
    let mut edits = Vec::new();
    for at in each(text, ".", |_, after| {
        after.starts_with(|c: char| c.is_ascii_alphabetic())
    }) {
        let rest = text.get(at.end..)?;
        let end = rest
            .find(|c: char| !is_word(c) && c != '-')
            .unwrap_or(rest.len());
        let name = rest.get(..end)?.trim_end_matches('-');
        if name.contains('-') {
            edits.push(Edit::new(
                at.start..at.end + name.len(),
                format!(".[\"{name}\"]"),
            ));
        }
    }
    Proposal::syntax("a name with a hyphen stands in brackets in jq", edits)
}

/// `.items.0` in jq.
fn position(language: Language, text: &str) -> Option<Proposal> {
    if language == Language::Rhai {
        return None;
    }
    let mut edits = Vec::new();
    for at in each(text, ".", |before, after| {
        before.ends_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ']')
            && after.starts_with(|c: char| c.is_ascii_digit())
    }) {
        let rest = text.get(at.end..)?;
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number = rest.get(..end)?;
        edits.push(Edit::new(at.start..at.end + end, format!("[{number}]")));
    }
    Proposal::syntax("a position in a list stands in brackets", edits)
}

fn semicolon(_: Language, text: &str) -> Option<Proposal> {
    let end = text.trim_end();
    let at = end.strip_suffix(';')?.len();
    Proposal::syntax(
        "an expression has no `;`",
        vec![Edit::new(at..text.len(), "")],
    )
}

/// Brackets that are opened and not closed, and an `if` of jq without `end`.
fn unclosed(language: Language, text: &str) -> Option<Proposal> {
    let mut open = Vec::new();
    for part in code(text) {
        for (at, letter) in text.get(part.clone())?.char_indices() {
            match letter {
                '(' => open.push((part.start + at, ')')),
                '[' => open.push((part.start + at, ']')),
                '{' => open.push((part.start + at, '}')),
                ')' | ']' | '}' => {
                    open.pop();
                }
                _ => {}
            }
        }
    }
    let end = text.len();
    if let Some((at, _)) = open.last() {
        let opened = text.get(*at..*at + 1)?;
        let closing: String = open.iter().rev().map(|(_, close)| *close).collect();
        return Proposal::syntax(
            format!("`{opened}` is not closed"),
            vec![
                Edit::new(*at..*at + 1, opened),
                Edit::new(end..end, closing),
            ],
        );
    }
    let ifs = each(text, "if", alone).len();
    let ends = each(text, "end", alone).len();
    (language == Language::Jq && ifs > ends)
        .then(|| {
            let at = each(text, "if", alone).first().cloned()?;
            let word = text.get(at.clone())?;
            Proposal::syntax(
                "`if` needs its `end` in jq",
                vec![Edit::new(at, word), Edit::new(end..end, " end")],
            )
        })
        .flatten()
}
