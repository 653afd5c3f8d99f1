//! Numbers by pattern: `LH{yyyy}-{seq:6}`. A sequence belongs to one prefix.

use std::fmt::Write as _;

/// A pattern of `{yyyy}`, `{mm}`, `{dd}`, `{unit}`, one `{seq}` or `{seq:n}`, and plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberPattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Year,
    Month,
    Day,
    Unit,
    Sequence { width: usize },
}

/// Why a pattern is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// `{` without `}`.
    #[error("number pattern `{0}` has an unclosed brace")]
    Unclosed(String),
    /// A name that is not known.
    #[error(
        "number pattern has `{{{0}}}`; known are {{yyyy}}, {{mm}}, {{dd}}, {{unit}}, {{seq}} and {{seq:n}}"
    )]
    Unknown(String),
    /// No sequence, or two.
    #[error("number pattern `{0}` needs exactly one {{seq:n}}")]
    Sequence(String),
}

impl NumberPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`NumberFault`] names what is wrong.
    pub fn parse(pattern: &str) -> Result<Self, NumberFault> {
        let read = Self::parse_case(pattern)?;
        if read.has_sequence() {
            Ok(read)
        } else {
            Err(NumberFault::Sequence(pattern.to_owned()))
        }
    }

    /// Parses the pattern of a case number, which may do without a sequence: `NS{yyyy}` is one case a year.
    ///
    /// # Errors
    /// [`NumberFault`] names what is wrong; two sequences are one too many.
    pub fn parse_case(pattern: &str) -> Result<Self, NumberFault> {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some((text, after)) = rest.split_once('{') {
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| NumberFault::Unclosed(pattern.to_owned()))?;
            parts.push(Part::parse(name)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let sequences = parts
            .iter()
            .filter(|part| matches!(part, Part::Sequence { .. }))
            .count();
        if sequences > 1 {
            return Err(NumberFault::Sequence(pattern.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Whether numbers are counted; without a sequence the pattern is the number.
    #[must_use]
    pub fn has_sequence(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Sequence { .. }))
    }

    /// The sequence that the number comes from: the pattern with everything but the number filled
    /// in, so that a new year or another unit begins at 1.
    #[must_use]
    pub fn sequence(&self, today: &str, unit: &str) -> String {
        self.fill(today, unit, None)
    }

    /// The number itself. `today` is a local date, `2026-03-02`.
    #[must_use]
    pub fn number(&self, today: &str, unit: &str, sequence: i64) -> String {
        self.fill(today, unit, Some(sequence))
    }

    fn fill(&self, today: &str, unit: &str, sequence: Option<i64>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Year => text.push_str(today.get(0..4).unwrap_or_default()),
                Part::Month => text.push_str(today.get(5..7).unwrap_or_default()),
                Part::Day => text.push_str(today.get(8..10).unwrap_or_default()),
                Part::Unit => text.push_str(unit),
                Part::Sequence { width } => match sequence {
                    Some(number) => {
                        let width = *width;
                        write!(text, "{number:0width$}").expect("a String takes everything");
                    }
                    None => text.push_str("{seq}"),
                },
            }
        }
        text
    }
}

impl Part {
    fn parse(name: &str) -> Result<Self, NumberFault> {
        let unknown = || NumberFault::Unknown(name.to_owned());
        match name {
            "yyyy" => Ok(Self::Year),
            "mm" => Ok(Self::Month),
            "dd" => Ok(Self::Day),
            "unit" => Ok(Self::Unit),
            "seq" => Ok(Self::Sequence { width: 1 }),
            _ => {
                let width = name.strip_prefix("seq:").ok_or_else(unknown)?;
                let width: usize = width.parse().map_err(|_| unknown())?;
                if (1..=18).contains(&width) {
                    Ok(Self::Sequence { width })
                } else {
                    Err(unknown())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_pattern() {
        let check = |pattern: &str, sequence: i64, expected: &str| {
            let pattern = NumberPattern::parse(pattern).expect("a good pattern");
            assert_eq!(pattern.number("2026-03-02", "police", sequence), expected);
        };
        check("ZB{seq:6}", 7, "ZB000007");
        check("LH{yyyy}-{seq:6}", 12, "LH2026-000012");
        check("{unit}/{yyyy}{mm}{dd}/{seq}", 3, "police/20260302/3");
        check("F{seq:2}", 1234, "F1234");
    }

    #[test]
    fn a_new_year_is_a_new_sequence() {
        let pattern = NumberPattern::parse("LH{yyyy}-{seq:6}").expect("a good pattern");
        assert_ne!(
            pattern.sequence("2026-12-31", ""),
            pattern.sequence("2027-01-01", "")
        );
        assert_eq!(
            pattern.sequence("2026-01-31", ""),
            pattern.sequence("2026-12-01", "")
        );
    }

    #[test]
    fn bad_patterns_are_named() {
        for (pattern, words) in [
            ("F{seq", "unclosed"),
            ("F{year}{seq:2}", "{year}"),
            ("F", "exactly one"),
            ("{seq}{seq:3}", "exactly one"),
            ("F{seq:0}", "{seq:0}"),
            ("F{seq:99}", "{seq:99}"),
        ] {
            let fault = NumberPattern::parse(pattern).expect_err(pattern);
            assert!(fault.to_string().contains(words), "{fault}");
        }
    }
}
