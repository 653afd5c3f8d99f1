//! The figures of one run: names, values, units, and the aims that they are held against.

use std::fmt::Write as _;

/// What a figure is held against.
#[derive(Clone, Copy)]
enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    aim: Option<Aim>,
}

/// All figures of one run.
pub struct Figures {
    database: String,
    list: Vec<Figure>,
}

impl Figures {
    /// Nothing measured yet.
    pub fn new() -> Figures {
        Figures {
            database: String::new(),
            list: Vec::new(),
        }
    }

    /// Says of which database they are.
    pub fn of(&mut self, database: &str) {
        self.database = database.to_string();
    }

    /// A figure without an aim.
    pub fn put(&mut self, name: &str, value: f64, unit: &'static str) {
        self.list.push(Figure {
            name: name.to_string(),
            value,
            unit,
            aim: None,
        });
    }

    /// A figure that should be at least the aim.
    pub fn at_least(&mut self, name: &str, value: f64, unit: &'static str, aim: f64) {
        self.list.push(Figure {
            name: name.to_string(),
            value,
            unit,
            aim: Some(Aim::AtLeast(aim)),
        });
    }

    /// A figure that should be at most the aim.
    pub fn at_most(&mut self, name: &str, value: f64, unit: &'static str, aim: f64) {
        self.list.push(Figure {
            name: name.to_string(),
            value,
            unit,
            aim: Some(Aim::AtMost(aim)),
        });
    }

    /// A figure measured before.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.list
            .iter()
            .find(|figure| figure.name == name)
            .map(|figure| figure.value)
    }

    /// The aims that were missed.
    pub fn missed(&self) -> Vec<String> {
        let missed = self.list.iter().filter(|figure| !figure.holds());
        missed
            .map(|figure| format!("{}: {:.3} {}", figure.name, figure.value, figure.unit))
            .collect()
    }

    /// A table for people.
    pub fn text(&self) -> String {
        let mut text = format!("database: {}\n", self.database);
        for figure in &self.list {
            let aim = match figure.aim {
                None => String::new(),
                Some(Aim::AtLeast(aim)) => format!("aim at least {aim}"),
                Some(Aim::AtMost(aim)) => format!("aim at most {aim}"),
            };
            let verdict = if figure.holds() { "" } else { "  MISSED" };
            let _ = writeln!(
                text,
                "{:<52} {:>12.3} {:<12} {aim}{verdict}",
                figure.name, figure.value, figure.unit
            );
        }
        text
    }

    /// `{database, figures: [{name, value, unit, holds}]}`.
    pub fn json(&self) -> serde_json::Value {
        let figures: Vec<_> = self
            .list
            .iter()
            .map(|figure| {
                serde_json::json!({ "name": figure.name, "value": figure.value, "unit": figure.unit, "holds": figure.holds() })
            })
            .collect();
        serde_json::json!({ "database": self.database, "figures": figures })
    }
}

impl Figure {
    fn holds(&self) -> bool {
        match self.aim {
            None => true,
            Some(Aim::AtLeast(aim)) => self.value >= aim,
            Some(Aim::AtMost(aim)) => self.value <= aim,
        }
    }
}

/// The `share` (0 to 1) of sorted milliseconds.
pub fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index within the list"
    )]
    let at = (last as f64 * share).round() as usize;
    samples.get(at).copied().unwrap_or(0.0)
}
