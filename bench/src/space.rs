//! What a workload leaves in the database and writes on the way: bytes, rows by table, bytes of the log.
//!
//! Asked over a connection of its own, before and after a workload and never while the clock runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, SqliteConnection};

/// A connection that only looks.
pub enum Probe {
    /// A file of this process.
    Sqlite(SqliteConnection),
    /// A server.
    Postgres(PgConnection),
}

/// How much there is at one moment.
pub struct Space {
    /// Bytes of all tables and indexes; on SQLite after the log was folded into the file.
    pub bytes: i64,
    /// Bytes written so far: to PostgreSQL's log; on SQLite to the log and the file together.
    pub written: i64,
    /// Rows by table.
    rows: BTreeMap<String, i64>,
}

impl Probe {
    /// Connects to the file or the server.
    pub async fn connect(url: &str) -> anyhow::Result<Probe> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            let options = SqliteConnectOptions::new().filename(PathBuf::from(path));
            return Ok(Probe::Sqlite(options.connect().await?));
        }
        let options: PgConnectOptions = url.parse()?;
        Ok(Probe::Postgres(options.connect().await?))
    }

    /// The version of the database.
    pub async fn version(&mut self) -> anyhow::Result<String> {
        self.text(
            "SELECT 'SQLite ' || sqlite_version()",
            "SELECT 'PostgreSQL ' || current_setting('server_version')",
        )
        .await
    }

    /// Counts everything.
    pub async fn space(&mut self) -> anyhow::Result<Space> {
        self.fold_log().await?;
        let bytes = self
            .number(
                "SELECT (page_count - freelist_count) * page_size
                 FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
                "SELECT pg_database_size(current_database())",
            )
            .await?;
        let written = match self {
            Probe::Sqlite(_) => process_written(),
            Probe::Postgres(_) => {
                self.number("", "SELECT (pg_current_wal_lsn() - '0/0')::BIGINT")
                    .await?
            }
        };
        let mut rows = BTreeMap::new();
        for table in self.tables().await? {
            let count = format!("SELECT count(*) FROM \"{table}\"");
            rows.insert(table, self.number(&count, &count).await?);
        }
        Ok(Space {
            bytes,
            written,
            rows,
        })
    }

    async fn fold_log(&mut self) -> anyhow::Result<()> {
        if let Probe::Sqlite(connection) = self {
            // The engine's own checkpoints may be under way; this one waits for them.
            for _ in 0..50 {
                let (busy, _, _): (i64, i64, i64) =
                    sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
                        .fetch_one(&mut *connection)
                        .await?;
                if busy == 0 {
                    return Ok(());
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            anyhow::bail!("the log could not be folded into the file: somebody keeps reading it");
        }
        Ok(())
    }

    async fn tables(&mut self) -> anyhow::Result<Vec<String>> {
        let names = self
            .text(
                "SELECT coalesce(group_concat(name, ','), '') FROM sqlite_schema WHERE type = 'table'
                 AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'text_index%'",
                "SELECT coalesce(string_agg(tablename, ','), '') FROM pg_tables WHERE schemaname = 'public'",
            )
            .await?;
        Ok(names.split(',').map(str::to_string).collect())
    }

    async fn number(&mut self, sqlite: &str, postgres: &str) -> anyhow::Result<i64> {
        let (number,): (i64,) = match self {
            Probe::Sqlite(connection) => {
                let text = AssertSqlSafe(sqlite.to_string());
                sqlx::query_as(text).fetch_one(connection).await?
            }
            Probe::Postgres(connection) => {
                let text = AssertSqlSafe(postgres.to_string());
                sqlx::query_as(text).fetch_one(connection).await?
            }
        };
        Ok(number)
    }

    async fn text(
        &mut self,
        sqlite: &'static str,
        postgres: &'static str,
    ) -> anyhow::Result<String> {
        let (text,): (String,) = match self {
            Probe::Sqlite(connection) => sqlx::query_as(sqlite).fetch_one(connection).await?,
            Probe::Postgres(connection) => sqlx::query_as(postgres).fetch_one(connection).await?,
        };
        Ok(text)
    }
}

impl Space {
    /// Rows that came since `before`, by table, as `history 1, instance 1`, for each of `count` instances; and all of
    /// them.
    pub fn rows_since(&self, before: &Space, count: f64) -> (String, f64) {
        let mut all = 0;
        let mut list = Vec::new();
        for (table, rows) in &self.rows {
            let more = rows - before.rows.get(table).copied().unwrap_or(0);
            all += more;
            let each = float(more) / count;
            if each >= 0.1 {
                list.push(format!("{table} {each:.1}"));
            }
        }
        (list.join(", "), float(all) / count)
    }
}

/// What this process has written to files, its log and checkpoints: SQLite has no counter of its own.
fn process_written() -> i64 {
    field("/proc/self/io", "wchar:")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// Resident memory of this process in megabytes.
pub fn resident_mb() -> f64 {
    let line = field("/proc/self/status", "VmRSS:").unwrap_or_default();
    let kilobytes: f64 = line.trim_end_matches(" kB").parse().unwrap_or(0.0);
    kilobytes / 1024.0
}

/// Processor time of this process in seconds, both cores together; a database server's own time is not in it.
pub fn cpu_seconds() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = text.rsplit_once(") ").context("a process has a name")?;
    // Fields 14 and 15 of the line, in hundredths of a second.
    let ticks: f64 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    Ok(ticks / 100.0)
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().to_string())
}

/// Counts fit a float exactly at these sizes.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^52"
)]
pub fn float(count: i64) -> f64 {
    count as f64
}
