//! One connection, with what the store knows about it: whether a transaction is open, whether an answer is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::call::{Call, FromRows};
use super::class::{Class, DbError};
use super::connection::Connection;
use super::script::{Script, ScriptText};

/// No single statement takes longer than this; a server that does not answer is as good as gone.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// Says the same thing to either database: the only place where the two connection types meet one text.
macro_rules! either {
    ($session:expr, $call:expr, |$connection:ident, $query:ident| $body:expr) => {
        match &mut $session.connection {
            Connection::Postgres($connection) => {
                let (text, arguments) = $call.postgres()?;
                let $query = sqlx::query_with(text, arguments);
                $body
            }
            Connection::Sqlite($connection) => {
                let (text, arguments) = $call.sqlite()?;
                let $query = sqlx::query_with(text, arguments);
                $body
            }
        }
    };
}

/// What became of a script.
#[derive(Debug)]
pub(crate) enum Ran {
    /// All of it is done.
    Committed,
    /// A condition does not hold or the database refuses a part: nothing of it is done.
    Not,
    /// COMMIT failed in a way that does not say whether it happened.
    Unclear,
}

/// The chain of one connection: where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    pub id: String,
    pub seq: i64,
    pub hash: String,
}

/// One connection and its state.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    statements: Arc<AtomicU64>,
    /// A transaction was begun and neither committed nor rolled back.
    open: bool,
    /// A statement was sent whose answer was not read to its end, or the connection failed.
    broken: bool,
    /// The audit chain that this connection extends.
    pub chain: Option<Chain>,
}

impl Session {
    pub fn new(connection: Connection, statements: Arc<AtomicU64>) -> Self {
        Self {
            connection,
            statements,
            open: false,
            broken: false,
            chain: None,
        }
    }

    /// Whether the session can be used again: SQLite's can always, for its thread ends what it began.
    pub fn is_usable(&self) -> bool {
        matches!(self.connection, Connection::Sqlite(_)) || !(self.broken || self.open)
    }

    /// Whether something was sent whose answer is not known.
    pub fn is_broken(&self) -> bool {
        self.broken || (self.open && matches!(self.connection, Connection::Postgres(_)))
    }

    /// Marks the connection as lost.
    pub fn break_off(&mut self) {
        self.broken = true;
    }

    /// Clears what an abandoned use has left.
    pub async fn reset(&mut self) -> Result<(), DbError> {
        self.broken = false;
        if self.open {
            self.rollback().await
        } else {
            Ok(())
        }
    }

    /// Runs a statement and returns the number of rows it changed.
    pub async fn execute(&mut self, call: Call<'_>) -> Result<u64, DbError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.broken = true;
        let answer = either!(self, call, |connection, query| {
            limited(async {
                query
                    .execute(connection)
                    .await
                    .map(|done| done.rows_affected())
            })
            .await
        });
        self.settle(answer)
    }

    /// Runs a statement and reads all of its rows.
    pub async fn fetch<T: FromRows>(&mut self, call: Call<'_>) -> Result<Vec<T>, DbError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.broken = true;
        let answer = either!(self, call, |connection, query| {
            limited(async {
                let rows = connection.fetch_all(query).await?;
                rows.iter()
                    .map(T::from_row)
                    .collect::<Result<Vec<T>, sqlx::Error>>()
            })
            .await
        });
        self.settle(answer)
    }

    /// Runs a whole transaction from BEGIN to COMMIT.
    ///
    /// An error that is no `Connection` error means that nothing of it remains once it is rolled back; a `Connection`
    /// error leaves the outcome unclear.
    pub async fn run(&mut self, script: &Script<'_>, text: &ScriptText) -> Result<Ran, DbError> {
        self.statements
            .fetch_add(text.statements, Ordering::Relaxed);
        let sql = AssertSqlSafe(Arc::clone(&text.text));
        match &mut self.connection {
            Connection::Postgres(connection) => {
                let arguments = script.postgres_arguments()?;
                self.broken = true;
                let answer = limited(async {
                    // All rows are read: the commit is done only when the server is ready for more.
                    let query = sqlx::query_with(sql, arguments);
                    let rows = connection.fetch_all(query).await?;
                    rows.first()
                        .map_or(Ok(false), |row| row.try_get::<bool, _>(0))
                })
                .await;
                match self.settle(answer) {
                    Ok(true) => Ok(Ran::Committed),
                    Ok(false) => Ok(Ran::Not),
                    Err(error) if error.class == Class::Other => Ok(Ran::Not),
                    Err(error) => Err(error),
                }
            }
            Connection::Sqlite(connection) => {
                let arguments = script.sqlite_arguments()?;
                self.broken = true;
                self.open = true;
                let mut done = 0;
                let answer = limited(async {
                    let query = sqlx::query_with(sql, arguments);
                    let mut steps = connection.fetch_many(query);
                    while let Some(step) = steps.try_next().await? {
                        done += u64::from(step.is_left());
                    }
                    Ok(())
                })
                .await;
                match self.settle(answer) {
                    Ok(()) => {
                        self.open = false;
                        Ok(Ran::Committed)
                    }
                    Err(error) if error.class == Class::Other => {
                        self.rollback().await?;
                        Ok(Ran::Not)
                    }
                    Err(error) if error.class == Class::Resource && done + 1 == text.statements => {
                        Ok(Ran::Unclear)
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Begins a transaction that will write.
    pub async fn begin(&mut self) -> Result<(), DbError> {
        // Differs because SQLite must take its one write lock now: a reader that turns writer fails at once.
        let text = match self.connection {
            Connection::Postgres(_) => "BEGIN",
            Connection::Sqlite(_) => "BEGIN IMMEDIATE",
        };
        self.open = true;
        let answer = self.say(text).await;
        self.open = answer.is_ok() || self.broken;
        answer
    }

    /// Commits. A `Connection` error here leaves the outcome unclear.
    pub async fn commit(&mut self) -> Result<(), DbError> {
        let answer = self.say("COMMIT").await;
        if answer.is_ok() {
            self.open = false;
        }
        answer
    }

    /// Rolls back; a failure makes the session unusable.
    pub async fn rollback(&mut self) -> Result<(), DbError> {
        if !self.open {
            return Ok(());
        }
        let answer = self.say("ROLLBACK").await;
        self.open = false;
        match answer {
            // SQLite rolls back by itself after some errors, and then says that there is no transaction.
            Err(error)
                if error.class == Class::Other
                    && matches!(self.connection, Connection::Sqlite(_)) =>
            {
                Ok(())
            }
            Err(error) => {
                self.broken = true;
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// The database's clock, in milliseconds UTC.
    pub async fn clock_ms(&mut self) -> Result<i64, DbError> {
        let rows: Vec<(i64,)> = self.fetch(CLOCK.call()).await?;
        rows.first()
            .map(|(now,)| *now)
            .ok_or_else(|| DbError::other("the clock query gave no row"))
    }

    /// Prepares a statement without running it.
    pub async fn prepare(&mut self, statement: &'static super::Statement) -> Result<(), DbError> {
        let texts = statement.texts();
        match &mut self.connection {
            Connection::Postgres(connection) => {
                let text: &'static str = &texts.postgres;
                connection
                    .prepare(sqlx::SqlSafeStr::into_sql_str(text))
                    .await
                    .map(drop)?;
            }
            Connection::Sqlite(connection) => {
                let text: &'static str = &texts.sqlite;
                connection
                    .prepare(sqlx::SqlSafeStr::into_sql_str(text))
                    .await
                    .map(drop)?;
            }
        }
        Ok(())
    }

    /// The tables that SQLite would read from end to end for a statement. PostgreSQL's plans depend on what is stored,
    /// so that it has no answer here.
    pub async fn scans(
        &mut self,
        statement: &'static super::Statement,
    ) -> Result<Vec<String>, DbError> {
        let Connection::Sqlite(connection) = &mut self.connection else {
            return Ok(Vec::new());
        };
        let text = format!("EXPLAIN QUERY PLAN {}", statement.texts().sqlite);
        let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(text))
            .fetch_all(connection)
            .await?;
        let steps = rows.into_iter().map(|(_, _, _, step)| step);
        Ok(steps
            .filter(|step| step.starts_with("SCAN ") && !step.contains("VIRTUAL TABLE"))
            .collect())
    }

    /// Ends the connection in good order.
    pub async fn close(self) {
        let done = match self.connection {
            Connection::Postgres(connection) => connection.close().await,
            Connection::Sqlite(connection) => connection.close().await,
        };
        if let Err(error) = done {
            tracing::debug!(%error, "a connection did not close in good order");
        }
    }

    async fn say(&mut self, text: &'static str) -> Result<(), DbError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.broken = true;
        let answer = match &mut self.connection {
            // The simple protocol is understood even where a transaction has failed.
            Connection::Postgres(connection) => {
                limited(async { connection.execute(sqlx::raw_sql(text)).await.map(drop) }).await
            }
            Connection::Sqlite(connection) => {
                limited(async { connection.execute(sqlx::query(text)).await.map(drop) }).await
            }
        };
        self.settle(answer)
    }

    fn settle<T>(&mut self, answer: Result<T, DbError>) -> Result<T, DbError> {
        let lost = matches!(&answer, Err(error) if error.class == Class::Connection);
        self.broken = lost;
        answer
    }
}

super::statements! {
    // Differs because each database reads its own clock its own way.
    CLOCK = differs(
        "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT",
        "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    );
}

async fn limited<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, DbError> {
    match tokio::time::timeout(ANSWER_LIMIT, answer).await {
        Ok(answer) => answer.map_err(DbError::from),
        Err(_) => Err(DbError::connection("no answer within 60 s")),
    }
}
