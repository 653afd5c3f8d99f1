//! SQL texts. Each is written once; what the two databases say differently is a placeholder from a closed list:
//!
//! - `{rows}`: the rows of a bulk form under the alias `r`, travelling as one JSON array (SQLite) or as column arrays
//!   (PostgreSQL). Its parameters follow the numbered ones.
//! - `{lock:t}`: `FOR UPDATE OF t SKIP LOCKED`, nothing on SQLite, which has one writer.
//! - `{held}`: `true`, or in a script of PostgreSQL whether its conditions hold (`script.rs`).
//!
//! and, for the few statements where even that is not enough, `Source::Differs` with the reason beside it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// The type of a bulk column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// TEXT.
    Text,
    /// BIGINT.
    Int,
}

/// What one row of a bulk statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Remove the rows whose leading key columns equal these; how many there are is not known.
    Delete,
    /// Set the other columns of an existing row; a missing row is a defect.
    Update,
    /// Set the other columns of a row that may be gone by now.
    Amend,
    /// Add a row that cannot exist yet; an existing one is a defect.
    Insert,
    /// Add a row or replace its columns.
    Upsert,
    /// Add a row unless its key is taken.
    Ignore,
}

pub(crate) type Columns = &'static [(&'static str, Kind)];

/// How the rows of a part of a script travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Rows {
    /// One row: a parameter for each column.
    One,
    /// Any number: as in a statement by itself.
    Many,
}

#[derive(Debug)]
enum Source {
    Same(Columns, &'static str),
    Differs {
        postgres: &'static str,
        sqlite: &'static str,
    },
    Table {
        table: &'static str,
        mode: Mode,
        key: &'static [&'static str],
        columns: Columns,
    },
}

/// The text of one statement for both databases.
#[derive(Debug)]
pub(crate) struct Texts {
    pub postgres: String,
    pub sqlite: String,
}

/// One statement.
#[derive(Debug)]
pub struct Statement {
    source: Source,
    texts: OnceLock<Texts>,
}

impl Statement {
    pub(crate) const fn same(text: &'static str) -> Self {
        Self {
            source: Source::Same(&[], text),
            texts: OnceLock::new(),
        }
    }

    pub(crate) const fn bulk(columns: Columns, text: &'static str) -> Self {
        Self {
            source: Source::Same(columns, text),
            texts: OnceLock::new(),
        }
    }

    pub(crate) const fn differs(postgres: &'static str, sqlite: &'static str) -> Self {
        Self {
            source: Source::Differs { postgres, sqlite },
            texts: OnceLock::new(),
        }
    }

    pub(crate) const fn table(
        table: &'static str,
        mode: Mode,
        key: &'static [&'static str],
        columns: Columns,
    ) -> Self {
        Self {
            source: Source::Table {
                table,
                mode,
                key,
                columns,
            },
            texts: OnceLock::new(),
        }
    }

    pub(crate) fn columns(&self) -> Columns {
        match self.source {
            Source::Same(columns, _) | Source::Table { columns, .. } => columns,
            Source::Differs { .. } => &[],
        }
    }

    pub(crate) fn texts(&'static self) -> &'static Texts {
        self.texts.get_or_init(|| match self.source {
            Source::Differs { postgres, sqlite } => Texts {
                postgres: postgres.into(),
                sqlite: sqlite.into(),
            },
            Source::Same(..) | Source::Table { .. } => {
                let text = self.template();
                let first = highest_parameter(&text) + 1;
                expand(&text, self.columns(), first, "true", Rows::Many)
            }
        })
    }

    /// The text as part of a larger one: its rows travel in the parameters from `first` on.
    pub(super) fn part(&self, first: usize, held: &str, rows: Rows) -> Texts {
        debug_assert!(
            !self.is_divergent(),
            "a part of a script is written once for both databases"
        );
        expand(&self.template(), self.columns(), first, held, rows)
    }

    /// The text with its placeholders.
    fn template(&self) -> Cow<'static, str> {
        match self.source {
            Source::Same(_, text) => text.into(),
            Source::Differs { .. } => "".into(),
            Source::Table {
                table,
                mode,
                key,
                columns,
            } => table_text(table, mode, key, columns).into(),
        }
    }

    /// Differs from the other database by more than a placeholder.
    pub(crate) fn is_divergent(&self) -> bool {
        matches!(self.source, Source::Differs { .. })
    }
}

fn expand(text: &str, columns: Columns, first: usize, held: &str, many: Rows) -> Texts {
    let (mut postgres, mut sqlite) = (String::new(), String::new());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('{') {
        let (name, after) = tail
            .split_once('}')
            .expect("a placeholder of a statement is closed");
        postgres.push_str(before);
        sqlite.push_str(before);
        match name.split_once(':') {
            None if name == "rows" => {
                let (one, other) = match many {
                    Rows::One => (row_postgres(columns, first), row_sqlite(columns, first)),
                    Rows::Many => (rows_postgres(columns, first), rows_sqlite(columns, first)),
                };
                postgres.push_str(&one);
                sqlite.push_str(&other);
            }
            None if name == "held" => {
                postgres.push_str(held);
                sqlite.push_str("true");
            }
            Some(("lock", table)) => {
                write!(postgres, "FOR UPDATE OF {table} SKIP LOCKED")
                    .expect("a string takes all that is written");
            }
            _ => unreachable!("the placeholders of a statement are a closed list"),
        }
        rest = after;
    }
    postgres.push_str(rest);
    sqlite.push_str(rest);
    Texts { postgres, sqlite }
}

fn highest_parameter(text: &str) -> usize {
    text.split('$')
        .skip(1)
        .filter_map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .max()
        .unwrap_or(0)
}

/// A single row needs neither arrays nor JSON: each column is a parameter.
fn row_postgres(columns: Columns, first: usize) -> String {
    let cells: Vec<String> = columns
        .iter()
        .zip(first..)
        .map(|((_, kind), number)| match kind {
            Kind::Text => format!("${number}::TEXT"),
            Kind::Int => format!("${number}::BIGINT"),
        })
        .collect();
    format!("(VALUES ({})) AS r({})", cells.join(", "), names(columns))
}

fn row_sqlite(columns: Columns, first: usize) -> String {
    let cells: Vec<String> = columns
        .iter()
        .zip(first..)
        .map(|((name, _), number)| format!("${number} AS {name}"))
        .collect();
    format!("(SELECT {}) AS r", cells.join(", "))
}

fn rows_postgres(columns: Columns, first: usize) -> String {
    let arrays: Vec<String> = columns
        .iter()
        .zip(first..)
        .map(|((_, kind), number)| match kind {
            Kind::Text => format!("${number}::TEXT[]"),
            Kind::Int => format!("${number}::BIGINT[]"),
        })
        .collect();
    format!("UNNEST({}) AS r({})", arrays.join(", "), names(columns))
}

fn rows_sqlite(columns: Columns, first: usize) -> String {
    let cells: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(place, (name, _))| format!("value->>{place} AS {name}"))
        .collect();
    format!(
        "(SELECT {} FROM jsonb_each(${first})) AS r",
        cells.join(", ")
    )
}

fn names(columns: Columns) -> String {
    columns
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn table_text(table: &str, mode: Mode, key: &[&str], columns: Columns) -> String {
    let of_rows = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("r.{name}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let all: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let rest = || all.iter().filter(|name| !key.contains(name));
    match mode {
        Mode::Delete => {
            format!(
                "DELETE FROM {table} WHERE ({}) IN (SELECT {} FROM {{rows}}) AND {{held}}",
                all.join(", "),
                of_rows(&all)
            )
        }
        Mode::Update | Mode::Amend => {
            let set: Vec<String> = rest().map(|name| format!("{name} = r.{name}")).collect();
            let same: Vec<String> = key
                .iter()
                .map(|name| format!("{table}.{name} = r.{name}"))
                .collect();
            format!(
                "UPDATE {table} SET {} FROM {{rows}} WHERE {} AND {{held}}",
                set.join(", "),
                same.join(" AND ")
            )
        }
        Mode::Insert | Mode::Upsert | Mode::Ignore => {
            let conflict = match mode {
                Mode::Insert => String::new(),
                Mode::Upsert if rest().next().is_some() => {
                    let set: Vec<String> = rest()
                        .map(|name| format!("{name} = excluded.{name}"))
                        .collect();
                    format!(
                        " ON CONFLICT ({}) DO UPDATE SET {}",
                        key.join(", "),
                        set.join(", ")
                    )
                }
                _ => " ON CONFLICT DO NOTHING".into(),
            };
            format!(
                "INSERT INTO {table} ({}) SELECT {} FROM {{rows}} WHERE {{held}}{conflict}",
                all.join(", "),
                of_rows(&all)
            )
        }
    }
}

/// Declares the statements of a file and lists them for the test that prepares every statement on both databases.
macro_rules! statements {
    ($($(#[$about:meta])* $name:ident = $form:ident($($argument:expr),* $(,)?);)*) => {
        $($(#[$about])* pub(crate) static $name: $crate::db::statement::Statement = $crate::db::statement::Statement::$form($($argument),*);)*
        pub(crate) const STATEMENTS: &[(&str, &$crate::db::statement::Statement)] = &[$((stringify!($name), &$name)),*];
    };
}
pub(crate) use statements;
