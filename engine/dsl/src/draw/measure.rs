//! How wide a text is, and how it is cut or broken to a width.

/// Width of a text in pixels at a font size: wide for Chinese, narrow for Latin.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| advance(c) * size).sum()
}

/// The width of a character as a part of the font's size: that of the widest font in use, so that a text rather has
/// too much room than too little.
fn advance(c: char) -> f64 {
    match c {
        // Combining marks and what is not seen.
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3ffff}' => 1.0,
        'i' | 'l' | 'j' | '\'' => 0.29,
        ' ' | '.' | ',' | ':' | ';' | '|' | '/' | '\\' => 0.34,
        't' | 'f' | 'r' | '(' | ')' | '[' | ']' | '-' => 0.42,
        '"' | '\u{b7}' => 0.46,
        'm' | 'M' | 'W' | '@' | '%' | '—' | '…' => 1.0,
        'w' | '=' | '<' | '>' | '+' | '≥' | '≤' | '→' | '≠' => 0.84,
        'A'..='Z' => 0.74,
        _ => 0.64,
    }
}

/// At most `most` characters.
pub(super) fn short(text: &str, most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    if text.chars().count() <= most {
        return text;
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// A text cut to so many pixels.
pub(super) fn narrow(text: &str, size: f64, most: f64) -> String {
    wrapped(text, size, most, 1)
        .into_iter()
        .next()
        .unwrap_or_default()
}

/// A text in at most `lines` lines of at most `most` pixels.
pub(super) fn wrapped(text: &str, size: f64, most: f64, lines: usize) -> Vec<String> {
    let mut found: Vec<String> = vec![String::new()];
    let mut used = 0.0;
    for c in text.chars() {
        let step = advance(c) * size;
        if used + step > most && !c.is_whitespace() {
            if found.len() == lines {
                if let Some(last) = found.last_mut() {
                    ellipsis(last, size, most);
                }
                return found;
            }
            let carried = found.last_mut().and_then(|last| {
                let at = break_at(last)?;
                let tail = last.split_off(at);
                last.truncate(last.trim_end().len());
                Some(tail)
            });
            let carried = carried.unwrap_or_default();
            used = width(&carried, size);
            found.push(carried);
        }
        if let Some(last) = found.last_mut() {
            last.push(c);
        }
        used += step;
    }
    found
}

/// Where a full line is best broken: after a space or a mark, or between the words of an identifier.
fn break_at(line: &str) -> Option<usize> {
    let mut before = None;
    let mut best = None;
    for (at, c) in line.char_indices() {
        let is_hump = c.is_uppercase() && before.is_some_and(char::is_lowercase);
        if is_hump || before.is_some_and(|b| matches!(b, ' ' | '/' | '、' | ',' | '.' | '_' | '-'))
        {
            best = Some(at);
        }
        before = Some(c);
    }
    if line.ends_with(' ') {
        return Some(line.len());
    }
    best.filter(|at| *at > line.len() / 3)
}

/// Ends a line that goes on with a sign of it, within the same room.
fn ellipsis(line: &mut String, size: f64, most: f64) {
    while !line.is_empty() && width(line, size) + size > most {
        line.pop();
    }
    line.truncate(line.trim_end().len());
    line.push('…');
}

#[cfg(test)]
mod tests {
    use super::{narrow, width, wrapped};

    #[test]
    fn chinese_is_wider_than_latin_and_lines_keep_to_their_room() {
        assert!(width("受理登记", 13.0) > 1.4 * width("abcd", 13.0));
        for text in [
            "入户核查与拍照取证并当场填写走访记录表",
            "check the household and take photographs",
            "住房 household/registers/very-long-name",
        ] {
            for lines in 1..4 {
                let found = wrapped(text, 13.0, 120.0, lines);
                assert!(found.len() <= lines, "{found:?}");
                assert!(
                    found.iter().all(|line| width(line, 13.0) <= 120.0),
                    "{found:?}"
                );
            }
        }
        assert_eq!(narrow("受理", 11.0, 100.0), "受理");
    }
}
