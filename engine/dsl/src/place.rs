//! From bytes to lines and columns, and from an expression's text back into its scalar.

use serde_saphyr::granit_parser::{Marker, Span as ParserSpan};

use crate::span::Span;

/// Lines of one source.
pub(crate) struct Places<'a> {
    source: &'a str,
    /// First byte of each line.
    lines: Vec<u32>,
    /// Byte of each 64th character, for markers that only know characters.
    characters: Vec<u32>,
}

const STRIDE: usize = 64;

impl<'a> Places<'a> {
    pub fn new(source: &'a str) -> Self {
        let mut lines = vec![0];
        lines.extend(
            source
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| as_u32(at + 1)),
        );
        let characters = source
            .char_indices()
            .step_by(STRIDE)
            .map(|(at, _)| as_u32(at))
            .collect();
        Self {
            source,
            lines,
            characters,
        }
    }

    /// A range of bytes as a span.
    pub fn bytes(&self, start: usize, end: usize) -> Span {
        let start = self.floor(start);
        let end = self.floor(end.max(start));
        let line = self
            .lines
            .partition_point(|first| *first as usize <= start)
            .max(1);
        let first = self.lines.get(line - 1).copied().unwrap_or(0) as usize;
        let column = self.characters_before(start) - self.characters_before(first) + 1;
        Span {
            start: as_u32(start),
            end: as_u32(end),
            line: as_u32(line),
            column: as_u32(column),
        }
    }

    /// How many characters stand before a byte.
    fn characters_before(&self, at: usize) -> usize {
        let known = self.characters.partition_point(|byte| *byte as usize <= at);
        let Some(last) = known.checked_sub(1) else {
            return 0;
        };
        let base = self.characters.get(last).copied().unwrap_or(0) as usize;
        let rest = self
            .source
            .get(base..at)
            .map_or(0, |text| text.chars().count());
        last * STRIDE + rest
    }

    /// The parser's span.
    pub fn span(&self, span: &ParserSpan) -> Span {
        self.bytes(self.byte(&span.start), self.byte(&span.end))
    }

    /// The parser's marker, as an empty span.
    pub fn point(&self, marker: &Marker) -> Span {
        let at = self.byte(marker);
        self.bytes(at, at)
    }

    /// A part of a scalar's decoded text, as it stands in the source.
    ///
    /// Walks both side by side: quotes and escapes are read as the scalar's style has them, and white
    /// space that folding or indentation added or took away is passed over.
    pub fn inside(&self, span: Span, decoded: &str, part: std::ops::Range<usize>) -> Span {
        let raw = self.source.get(span.range()).unwrap_or("");
        let first = raw.chars().next().unwrap_or(' ');
        let mut at = match first {
            '\'' | '"' => 1,
            '|' | '>' => raw.find('\n').map_or(raw.len(), |found| found + 1),
            _ => 0,
        };
        let (mut start, mut end) = (None, None);
        for (offset, wanted) in decoded.char_indices() {
            let step = step(raw, at, wanted, first);
            at = step.0;
            if offset >= part.start && start.is_none() {
                start = Some(at);
            }
            if offset >= part.end {
                end = Some(at);
                break;
            }
            at = step.1;
        }
        let base = span.start as usize;
        let start = start.unwrap_or(at).min(raw.len());
        let end = end.unwrap_or(at).clamp(start, raw.len());
        self.bytes(base + start, base + end)
    }

    /// The place of a word that stands shortly before a value, or else the value's.
    pub fn before(&self, span: Span, word: &str) -> Span {
        let end = span.start as usize;
        let start = self.floor(end.saturating_sub(200));
        let found = self
            .source
            .get(start..end)
            .and_then(|text| text.rfind(word));
        found.map_or(span, |at| self.bytes(start + at, start + at + word.len()))
    }

    /// The text of a line, without its end.
    pub fn line_text(&self, line: u32) -> &'a str {
        self.line(line).map_or("", |(_, text)| text)
    }

    /// The first byte of a line, and its text without its end.
    pub fn line(&self, line: u32) -> Option<(usize, &'a str)> {
        let start = *self.lines.get((line as usize).checked_sub(1)?)? as usize;
        let rest = self.source.get(start..)?;
        let text = rest.split('\n').next()?;
        Some((start, text.strip_suffix('\r').unwrap_or(text)))
    }

    pub fn byte_at(&self, at: u32) -> Option<u8> {
        self.source.as_bytes().get(at as usize).copied()
    }

    fn byte(&self, marker: &Marker) -> usize {
        marker.byte_offset().unwrap_or_else(|| {
            let base = self
                .characters
                .get(marker.index() / STRIDE)
                .copied()
                .unwrap_or(as_u32(self.source.len())) as usize;
            let rest = self.source.get(base..).unwrap_or("");
            rest.char_indices()
                .nth(marker.index() % STRIDE)
                .map_or(self.source.len(), |(at, _)| base + at)
        })
    }

    /// The nearest boundary of a character at or before `at`.
    fn floor(&self, at: usize) -> usize {
        self.source.floor_char_boundary(at.min(self.source.len()))
    }
}

impl Span {
    /// A range of bytes of a text, with its line and column.
    #[must_use]
    pub fn of(source: &str, range: std::ops::Range<usize>) -> Span {
        Places::new(source).bytes(range.start, range.end)
    }
}

/// Where the character `wanted` stands at or after `at`, and the place after it.
fn step(raw: &str, at: usize, wanted: char, style: char) -> (usize, usize) {
    let mut at = at;
    loop {
        let rest = raw.get(at..).unwrap_or("");
        let Some(found) = rest.chars().next() else {
            return (at, at);
        };
        if style == '"' && found == '\\' {
            let after = rest
                .get(1..)
                .and_then(|rest| rest.chars().next())
                .unwrap_or(' ');
            if after == '\n' || after == '\r' {
                at += 1 + after.len_utf8();
                continue;
            }
            let digits = match after {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            let long = raw.floor_char_boundary((at + 1 + after.len_utf8() + digits).min(raw.len()));
            return (at, long);
        }
        if style == '\'' && wanted == '\'' && rest.starts_with("''") {
            return (at, at + 2);
        }
        if found.is_whitespace() && !wanted.is_whitespace() {
            at += found.len_utf8();
            continue;
        }
        return (at, at + found.len_utf8());
    }
}

fn as_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(source: &'a str, decoded: &str, part: &str) -> (u32, u32, &'a str) {
        let places = Places::new(source);
        let start = source.find(['\'', '"', '|', '>', '.']).expect("the scalar");
        let span = places.bytes(start, source.len());
        let at = decoded.find(part).expect("the part");
        let place = places.inside(span, decoded, at..at + part.len());
        (place.line, place.column, &source[place.range()])
    }

    #[test]
    fn parts_of_scalars_are_found_in_every_style() {
        assert_eq!(
            found("a: '中''x ${ bad }'", "中'x ${ bad }", "bad"),
            (1, 13, "bad")
        );
        assert_eq!(
            found("a: \"\\u4e2d \\\"q\\\" bad\"", "中 \"q\" bad", "bad"),
            (1, 18, "bad")
        );
        assert_eq!(
            found("a: |\n  one\n  two bad\n", "one\ntwo bad\n", "bad"),
            (3, 7, "bad")
        );
        assert_eq!(
            found("a: >-\n  one\n  two bad", "one two bad", "bad"),
            (3, 7, "bad")
        );
        assert_eq!(
            found("a: .one\n   .two", ".one .two", ".two"),
            (2, 4, ".two")
        );
    }
}
