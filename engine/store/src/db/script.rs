//! A whole transaction that goes to the database together: one crossing to SQLite's thread, one round trip to
//! PostgreSQL. It is done whole or not at all: conditions are looked at first, counts are asserted, and where anything
//! is not as expected nothing remains of it; whoever sent it then goes step by step and learns why.
//!
//! The texts differ because the databases do. SQLite is given the statements in their order from BEGIN to COMMIT, and a
//! guard that fails ends them with an error. PostgreSQL is given one statement whose parts write under a common
//! condition, and which divides by zero when a count is wrong; it commits by itself.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::bulk::Bulk;
use super::statement::{Kind, Rows, Statement};

/// The most scripts of a store: each is kept prepared by its connections.
const SHAPES_MAX: usize = 128;

/// One part of a script: the same rows looked at, written, or both.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub rows: Bulk<'a>,
    /// A query that must give as many rows as there are in `rows` before anything is written.
    pub condition: Option<&'static Statement>,
    /// What is written.
    pub write: Option<&'static Statement>,
    /// As many rows must be written as there are in `rows`.
    pub counted: bool,
}

/// The parts in the order in which they are written.
#[derive(Debug, Default)]
pub(crate) struct Script<'a> {
    pub parts: Vec<Part<'a>>,
}

/// What makes two scripts the same text: their statements and guards, and whether there is one row or many.
type Shape = Vec<(usize, usize, bool, Rows)>;

/// The text of a script for the database at hand.
#[derive(Debug)]
pub(crate) struct ScriptText {
    pub text: Arc<str>,
    /// The statements in it.
    pub statements: u64,
}

/// The scripts that a store has sent.
#[derive(Debug)]
pub(crate) struct Scripts {
    sqlite: bool,
    known: Mutex<HashMap<Shape, Arc<ScriptText>>>,
}

impl Scripts {
    pub fn new(sqlite: bool) -> Self {
        Self {
            sqlite,
            known: Mutex::default(),
        }
    }

    /// The text of a script. Preparing a new one costs more than it saves, unless it comes again: only `fresh` ones are
    /// made, and no more than the connections can keep.
    pub fn text(&self, script: &Script<'_>, fresh: bool) -> Option<Arc<ScriptText>> {
        let shape = script.shape();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(&shape) {
            return Some(Arc::clone(text));
        }
        if !fresh || known.len() >= SHAPES_MAX {
            return None;
        }
        let text = Arc::new(if self.sqlite {
            script.sqlite()
        } else {
            script.postgres()
        });
        known.insert(shape, Arc::clone(&text));
        Some(text)
    }
}

impl Part<'_> {
    /// How its rows travel.
    pub(super) fn travel(&self) -> Rows {
        if self.rows.len() == 1 {
            Rows::One
        } else {
            Rows::Many
        }
    }

    /// How many rows there are, as PostgreSQL knows it.
    fn count_postgres(&self, first: usize) -> String {
        if self.travel() == Rows::One {
            return "1".to_owned();
        }
        let columns = self.write.or(self.condition).map(Statement::columns);
        let kind = match columns.and_then(|columns| columns.first()) {
            Some((_, Kind::Int)) => "BIGINT",
            _ => "TEXT",
        };
        format!("cardinality(${first}::{kind}[])")
    }
}

impl Script<'_> {
    fn shape(&self) -> Shape {
        let place = |statement: Option<&'static Statement>| {
            statement.map_or(0, |statement| std::ptr::from_ref(statement).addr())
        };
        self.parts
            .iter()
            .map(|part| {
                let (condition, write) = (place(part.condition), place(part.write));
                (condition, write, part.counted, part.travel())
            })
            .collect()
    }

    /// The parts with the number of their first parameter; `width` says how many one of them takes.
    fn numbered(
        &self,
        width: impl Fn(&Part<'_>) -> usize,
    ) -> impl Iterator<Item = (usize, &Part<'_>)> {
        self.parts.iter().scan(1, move |next, part| {
            let first = *next;
            *next += width(part);
            Some((first, part))
        })
    }

    fn sqlite(&self) -> ScriptText {
        let mut steps = vec!["BEGIN IMMEDIATE".to_owned()];
        // Many rows travel in one parameter.
        let parts = || {
            self.numbered(|part| match part.travel() {
                Rows::One => part.rows.columns().len(),
                Rows::Many => 1,
            })
        };
        let rows = |first: usize, part: &Part<'_>| match part.travel() {
            Rows::One => "1".to_owned(),
            Rows::Many => format!("json_array_length(${first})"),
        };
        let lacking: Vec<String> = parts()
            .filter_map(|(first, part)| {
                let found = part.condition?.part(first, "", part.travel()).sqlite;
                let rows = rows(first, part);
                Some(format!("(SELECT COUNT(*) FROM ({found})) <> {rows}"))
            })
            .collect();
        if !lacking.is_empty() {
            steps.push(guard(&lacking.join(" OR ")));
        }
        for (first, part) in parts() {
            if let Some(write) = part.write {
                steps.push(write.part(first, "", part.travel()).sqlite);
                if part.counted {
                    steps.push(guard(&format!("changes() <> {}", rows(first, part))));
                }
            }
        }
        steps.push("COMMIT".to_owned());
        ScriptText {
            statements: u64::try_from(steps.len()).unwrap_or(u64::MAX),
            text: steps.join(";\n").into(),
        }
    }

    fn postgres(&self) -> ScriptText {
        let (mut found, mut written) = (String::new(), String::new());
        let (mut holds, mut counts) = (Vec::new(), Vec::new());
        for (first, part) in self.numbered(|part| part.rows.columns().len()) {
            let rows = part.count_postgres(first);
            if let Some(condition) = part.condition {
                let text = condition.part(first, "", part.travel()).postgres;
                put(
                    &mut found,
                    format_args!("f{first} AS MATERIALIZED ({text}), "),
                );
                holds.push(format!("(SELECT count(*) FROM f{first}) = {rows}"));
            }
            if let Some(write) = part.write {
                let held = "(SELECT held FROM whole)";
                let mut text = write.part(first, held, part.travel()).postgres;
                if !text.contains(" RETURNING ") {
                    text.push_str(" RETURNING 1");
                }
                put(&mut written, format_args!(", w{first} AS ({text})"));
                // Every part is named here, so that they are done in this order.
                let count = format!("(SELECT count(*) FROM w{first})");
                counts.push(if part.counted {
                    format!("{count} = {rows}")
                } else {
                    format!("{count} >= 0")
                });
            }
        }
        let or_true = |list: Vec<String>| {
            if list.is_empty() {
                "true".to_owned()
            } else {
                list.join(" AND ")
            }
        };
        let (holds, counts) = (or_true(holds), or_true(counts));
        let text = format!(
            "WITH {found}whole AS MATERIALIZED (SELECT {holds} AS held){written}
             SELECT held, 1 / (NOT held OR ({counts}))::INT FROM whole"
        );
        ScriptText {
            text: text.into(),
            statements: 1,
        }
    }
}

/// A statement of SQLite that gives no row, and fails where `wrong` is true: the smallest integer has no absolute value.
fn guard(wrong: &str) -> String {
    format!("SELECT 1 WHERE abs(-9223372036854775807 - ({wrong})) IS NULL")
}

fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more)
        .expect("a string takes all that is written");
}
