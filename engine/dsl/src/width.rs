//! Punctuation as a Chinese keyboard or an office program types it, and the plain characters that YAML and the
//! expressions read.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::suggest;

/// The plain text for a character that only looks like it: `：` is `:`, `“` is `"`, `≥` is `>=`.
pub(crate) fn plain(letter: char) -> Option<&'static str> {
    const FULL_WIDTH: &str = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    let at = match letter {
        '\u{ff01}'..='\u{ff5e}' => (letter as usize) - 0xff01,
        '\u{3002}' => return Some("."),
        '\u{3001}' => return Some(","),
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{301d}' | '\u{301e}' => {
            return Some("\"");
        }
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => return Some("'"),
        '\u{3010}' => return Some("["),
        '\u{3011}' => return Some("]"),
        '\u{3000}' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => return Some(" "),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => return Some("-"),
        '\u{d7}' => return Some("*"),
        '\u{f7}' => return Some("/"),
        '\u{2265}' => return Some(">="),
        '\u{2264}' => return Some("<="),
        '\u{2260}' => return Some("!="),
        _ => return None,
    };
    FULL_WIDTH.get(at..=at)
}

/// The text with every such character made plain; `None` when it has none.
pub(crate) fn made_plain(text: &str) -> Option<String> {
    text.chars().any(|letter| plain(letter).is_some()).then(|| {
        text.chars().fold(String::new(), |mut out, letter| {
            match plain(letter) {
                Some(other) => out.push_str(other),
                None => out.push(letter),
            }
            out
        })
    })
}

/// A key that holds such punctuation, where one of `known` was meant.
pub(crate) fn key(key: &str, span: Span, known: &[&str]) -> Option<Diagnostic> {
    let made = made_plain(key)?;
    let (name, rest) = made
        .split_once(':')
        .map_or((made.as_str(), None), |(name, rest)| {
            (name, Some(rest.trim()))
        });
    let name = name.trim();
    let near = suggest::nearest(name, known.iter().copied())?;
    let letter = key.chars().find(|letter| plain(*letter).is_some())?;
    let repaired = match rest {
        Some(rest) if !rest.is_empty() => format!("{near}: {rest}"),
        _ => format!("{near}: …"),
    };
    Some(
        Diagnostic::error(
            codes::FULL_WIDTH,
            span,
            format!(
                "{} is another character than `{}`, and a letter for YAML",
                named(letter),
                plain(letter).unwrap_or(" ")
            ),
        )
        .help(format!("write `{repaired}`")),
    )
}

/// What such a character is called in a message.
pub(crate) fn named(letter: char) -> String {
    match letter {
        '\u{3000}' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => {
            format!("a wide space (U+{:04X})", letter as u32)
        }
        _ => format!("`{letter}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_chinese_keyboard_types_is_made_plain() {
        assert_eq!(
            made_plain("审批：｛“甲”，１｝").as_deref(),
            Some("审批:{\"甲\",1}")
        );
        assert_eq!(made_plain("ａ ≥ ３　。").as_deref(), Some("a >= 3 ."));
        assert_eq!(made_plain("审批 a: 'b'"), None);
    }
}
