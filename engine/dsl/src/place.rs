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
        let column = self
            .source
            .get(first..start)
            .map_or(0, |text| text.chars().count())
            + 1;
        Span {
            start: as_u32(start),
            end: as_u32(end),
            line: as_u32(line),
            column: as_u32(column),
        }
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

    /// The text of a line, without its end.
    pub fn line_text(&self, line: u32) -> &'a str {
        self.source
            .lines()
            .nth(line.saturating_sub(1) as usize)
            .unwrap_or("")
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

fn as_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
