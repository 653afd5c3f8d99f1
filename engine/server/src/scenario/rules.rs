//! What was run of one rule file: its rules with their verdicts, its lines, functions and branches.

use std::collections::BTreeMap;

use tongban_expr::{RulePart, RulePlace};

/// What was run of one rule file.
#[derive(Default)]
pub struct RuleFile {
    /// Its text.
    pub source: String,
    /// Scenarios that ran it alone.
    pub scenarios: usize,
    /// Its rules in the order of the file, each with how often it gave each verdict.
    pub rules: Vec<(String, BTreeMap<String, usize>)>,
    /// Its places with how often each was reached; `None` when it cannot be measured.
    places: Option<Vec<(RulePlace, u64)>>,
}

/// A line of a rule file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Everything on it was reached.
    Covered,
    /// Some of it.
    Partly,
    /// Nothing of it.
    Missed,
}

/// A function or a way that a rule file may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The line.
    pub line: usize,
    /// What it is, in words.
    pub what: String,
    /// How often it was gone.
    pub taken: u64,
}

impl RuleFile {
    /// Makes the text of the file known.
    pub fn know(&mut self, source: &str, places: Option<&[RulePlace]>) {
        if !self.source.is_empty() {
            return;
        }
        source.clone_into(&mut self.source);
        let ids = rule_ids(source).into_iter();
        self.rules = ids.map(|id| (id, BTreeMap::new())).collect();
        self.places = places.map(|places| {
            let places = places.iter();
            places.map(|place| (place.clone(), 0)).collect()
        });
    }

    /// Notes what a scenario reached of it.
    pub fn reached(&mut self, counts: &[u64]) {
        let places = self.places.iter_mut().flatten();
        for ((_, known), count) in places.zip(counts) {
            *known += count;
        }
    }

    /// Whether its lines can be told.
    pub fn is_measured(&self) -> bool {
        self.places.is_some()
    }

    /// The lines on which something is done.
    pub fn lines(&self) -> BTreeMap<usize, Line> {
        let mut lines: BTreeMap<usize, (bool, bool)> = BTreeMap::new();
        let written = |part: &RulePart| *part != RulePart::Otherwise;
        for (place, count) in self.places.iter().flatten() {
            if written(&place.part) {
                let (some, all) = lines.entry(place.line).or_insert((false, true));
                *some |= *count > 0;
                *all &= *count > 0;
            }
        }
        let told = lines.into_iter().map(|(line, (some, all))| {
            let state = match (some, all) {
                (_, true) => Line::Covered,
                (true, false) => Line::Partly,
                (false, false) => Line::Missed,
            };
            (line, state)
        });
        told.collect()
    }

    /// Its functions and branches in the order of the text.
    pub fn ways(&self) -> Vec<Way> {
        let mut ways: Vec<Way> = Vec::new();
        for (place, taken) in self.places.iter().flatten() {
            let what = match &place.part {
                RulePart::Statement => continue,
                RulePart::Function(name) if name.is_empty() => "closure".to_string(),
                RulePart::Function(name) => format!("fn {name}"),
                RulePart::Then => "if: holds".to_string(),
                RulePart::Else => "else".to_string(),
                RulePart::Otherwise => "if: does not hold".to_string(),
                RulePart::Arm(pattern) => format!("case {pattern}"),
                RulePart::Round => "loop: a round".to_string(),
                RulePart::Catch => "catch".to_string(),
            };
            ways.push(Way {
                line: place.line,
                what,
                taken: *taken,
            });
        }
        ways.sort_by_key(|way| way.line);
        ways
    }
}

/// Lines as people write them: `3, 7-9`.
pub fn ranges(lines: impl Iterator<Item = usize>) -> String {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            _ => found.push((line, line)),
        }
    }
    let told: Vec<String> = found
        .into_iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        })
        .collect();
    told.join(", ")
}

/// The ids that a rule file gives to `rule(…)`, as they are written.
pub(super) fn rule_ids(source: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in source.lines() {
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("rule(\"").skip(1) {
            let id = part.split('"').next().unwrap_or_default();
            if !id.is_empty() && !found.iter().any(|known| known == id) {
                found.push(id.to_string());
            }
        }
    }
    found
}
