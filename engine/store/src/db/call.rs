//! A statement with its values, and what it takes to run it on either database.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, FromRow};

use super::bulk::{Bulk, Column};
use super::class::DbError;
use super::script::Script;
use super::statement::{Rows, Statement};

/// A row struct that either database can fill.
pub(crate) trait FromRows:
    Send + Unpin + for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow>
{
}

impl<T> FromRows for T where
    T: Send + Unpin + for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow>
{
}

#[derive(Debug, Clone)]
enum Argument<'a> {
    Text(Option<&'a str>),
    Int(Option<i64>),
    Bytes(Option<&'a [u8]>),
}

/// A statement with its values: first the numbered ones, then the rows.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub statement: &'static Statement,
    arguments: Vec<Argument<'a>>,
    rows: Option<&'a Bulk<'a>>,
}

impl Script<'_> {
    pub(super) fn postgres_arguments(&self) -> Result<PgArguments, DbError> {
        let mut arguments = PgArguments::default();
        for part in &self.parts {
            match part.travel() {
                Rows::One => part.rows.columns().iter().try_for_each(|column| {
                    let added = match column {
                        Column::Text(values) => arguments.add(values.first().copied().flatten()),
                        Column::Int(values) => arguments.add(values.first().copied().flatten()),
                    };
                    added.map_err(|error| DbError::other(error.to_string()))
                })?,
                Rows::Many => add_columns(&mut arguments, &part.rows)?,
            }
        }
        Ok(arguments)
    }

    pub(super) fn sqlite_arguments(&self) -> Result<SqliteArguments, DbError> {
        let mut arguments = SqliteArguments::default();
        let failed = |error: sqlx::error::BoxDynError| DbError::other(error.to_string());
        for part in &self.parts {
            match part.travel() {
                Rows::One => part.rows.columns().iter().try_for_each(|column| {
                    match column {
                        Column::Text(values) => {
                            arguments.add(values.first().copied().flatten().map(str::to_owned))
                        }
                        Column::Int(values) => arguments.add(values.first().copied().flatten()),
                    }
                    .map_err(failed)
                })?,
                Rows::Many => arguments.add(part.rows.to_json()).map_err(failed)?,
            }
        }
        Ok(arguments)
    }
}

fn add_columns(arguments: &mut PgArguments, rows: &Bulk<'_>) -> Result<(), DbError> {
    for column in rows.columns() {
        match column {
            Column::Text(values) => arguments.add(values.as_slice()),
            Column::Int(values) => arguments.add(values.as_slice()),
        }
        .map_err(|error| DbError::other(error.to_string()))?;
    }
    Ok(())
}

impl Statement {
    pub(crate) fn call<'a>(&'static self) -> Call<'a> {
        Call {
            statement: self,
            arguments: Vec::new(),
            rows: None,
        }
    }
}

impl<'a> Call<'a> {
    pub fn text(mut self, value: impl Into<Option<&'a str>>) -> Self {
        self.arguments.push(Argument::Text(value.into()));
        self
    }

    pub fn int(mut self, value: impl Into<Option<i64>>) -> Self {
        self.arguments.push(Argument::Int(value.into()));
        self
    }

    pub fn bytes(mut self, value: impl Into<Option<&'a [u8]>>) -> Self {
        self.arguments.push(Argument::Bytes(value.into()));
        self
    }

    pub fn rows(mut self, rows: &'a Bulk<'a>) -> Self {
        debug_assert_eq!(
            rows.columns().len(),
            self.statement.columns().len(),
            "rows have the statement's columns"
        );
        self.rows = Some(rows);
        self
    }

    pub(super) fn postgres(&self) -> Result<(&'static str, PgArguments), DbError> {
        let mut arguments = PgArguments::default();
        for argument in &self.arguments {
            match argument {
                Argument::Text(text) => arguments.add(*text),
                Argument::Int(number) => arguments.add(*number),
                Argument::Bytes(bytes) => arguments.add(*bytes),
            }
            .map_err(|error| DbError::other(error.to_string()))?;
        }
        if let Some(rows) = self.rows {
            add_columns(&mut arguments, rows)?;
        }
        Ok((self.statement.texts().postgres.as_str(), arguments))
    }

    pub(super) fn sqlite(&self) -> Result<(&'static str, SqliteArguments), DbError> {
        let mut arguments = SqliteArguments::default();
        for argument in &self.arguments {
            match argument {
                Argument::Text(text) => arguments.add(text.map(str::to_owned)),
                Argument::Int(number) => arguments.add(*number),
                Argument::Bytes(bytes) => arguments.add(bytes.map(<[u8]>::to_vec)),
            }
            .map_err(|error| DbError::other(error.to_string()))?;
        }
        if let Some(rows) = self.rows {
            arguments
                .add(rows.to_json())
                .map_err(|error| DbError::other(error.to_string()))?;
        }
        Ok((self.statement.texts().sqlite.as_str(), arguments))
    }
}
