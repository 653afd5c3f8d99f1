//! Opening SQLite: one writer in WAL with full synchronisation, readers beside it, a second connection that
//! checkpoints, a lock file that keeps a second process out.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};

use super::checkpoint::Checkpointer;
use super::class::DbError;
use super::connection::{Access, Connection, Prepared};
use crate::error::StoreError;

/// Earlier releases lose pages when two connections reset the WAL at once.
const VERSION_MIN: (u64, u64, u64) = (3, 51, 3);
/// Above this size a whole check at start takes longer than people wait.
const QUICK_CHECK_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// A log that grew beyond this, because somebody read all the while, gives the room back once it begins anew.
const WAL_BYTES_KEPT: &str = "67108864";

/// A file, or memory.
#[derive(Debug, Clone)]
pub(crate) struct Place(Option<PathBuf>);

impl Place {
    /// Reads what follows `sqlite:` in a URL.
    pub fn parse(path: &str) -> Self {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path == ":memory:" {
            Self(None)
        } else {
            Self(Some(path.into()))
        }
    }

    pub fn is_memory(&self) -> bool {
        self.0.is_none()
    }

    pub async fn connect(&self, access: Access) -> Result<SqliteConnection, DbError> {
        let options = SqliteConnectOptions::new()
            .statement_cache_capacity(512)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(false);
        // Kilobytes of pages for each connection: what is read by key needs few, the writer's indexes need many.
        let cache = if access == Access::Read {
            "-8192"
        } else {
            "-32768"
        };
        let options = match &self.0 {
            None => options.in_memory(true),
            Some(path) => options
                .filename(path)
                .create_if_missing(access != Access::Read)
                .read_only(access == Access::Read)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("wal_autocheckpoint", "0")
                .pragma("journal_size_limit", WAL_BYTES_KEPT)
                .pragma("cache_size", cache)
                .pragma("temp_store", "memory"),
        };
        options.connect().await.map_err(DbError::from)
    }
}

/// Opens the file, checks it, migrates it and starts the checkpoints; beside a server that has it open it only joins.
pub(super) async fn prepare(place: &Place, beside: bool) -> Result<Prepared, StoreError> {
    let lock = match place.0.as_deref().map(lock).transpose() {
        Err(Busy::Elsewhere(_)) if beside => return join(place).await,
        found => found?,
    };
    let mut first = place.connect(Access::Commit).await?;
    check_version(&mut first).await?;
    if let Some(path) = &place.0 {
        quick_check(&mut first, path).await?;
    }
    let migrator = sqlx::migrate!("../../migrations/sqlite");
    super::postgres::migrated(
        migrator.run_direct(None, &mut first, false).await,
        &migrator,
    )?;
    let checkpoint = match place.0 {
        Some(_) => Some(Checkpointer::start(place.connect(Access::Commit).await?)),
        None => None,
    };
    Ok(Prepared {
        first: Connection::Sqlite(first),
        lock,
        checkpoint,
    })
}

/// Joins the process that has the file open: SQLite's own locks keep the two writers apart, and checkpoints are left to
/// the other one.
async fn join(place: &Place) -> Result<Prepared, StoreError> {
    let mut first = place.connect(Access::Commit).await?;
    check_version(&mut first).await?;
    let row = sqlx::query("SELECT MAX(version) FROM _sqlx_migrations WHERE success")
        .fetch_one(&mut first)
        .await
        .map_err(DbError::from)?;
    let found: Option<i64> = row.try_get(0).map_err(DbError::from)?;
    let migrator = sqlx::migrate!("../../migrations/sqlite");
    let known = migrator.iter().map(|migration| migration.version).max();
    if found != known {
        return Err(StoreError::Settings(
            "the server that has this database open is of another release; stop it first".into(),
        ));
    }
    Ok(Prepared {
        first: Connection::Sqlite(first),
        lock: None,
        checkpoint: None,
    })
}

/// Why the file could not be locked.
enum Busy {
    /// Another process has it.
    Elsewhere(String),
    Failed(StoreError),
}

impl From<Busy> for StoreError {
    fn from(busy: Busy) -> Self {
        match busy {
            Busy::Elsewhere(why) => Self::Settings(why),
            Busy::Failed(error) => error,
        }
    }
}

fn lock(path: &Path) -> Result<File, Busy> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|error| {
            let why = format!("expected to create `{}`: {error}", name.display());
            Busy::Failed(StoreError::Settings(why))
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Busy::Elsewhere(format!(
            "`{}` is open in another process; stop it, or give this one another file",
            path.display()
        ))),
        Err(std::fs::TryLockError::Error(error)) => Err(Busy::Failed(StoreError::Settings(
            format!("expected to lock `{}`: {error}", name.display()),
        ))),
    }
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(DbError::from)?;
    let text: String = row.try_get(0).map_err(DbError::from)?;
    let mut parts = text
        .split('.')
        .map(|part| part.parse::<u64>().unwrap_or_default());
    let mut part = || parts.next().unwrap_or_default();
    let found = (part(), part(), part());
    if found >= VERSION_MIN {
        return Ok(());
    }
    Err(StoreError::Settings(format!(
        "expected SQLite 3.51.3 or newer, found {text}: older ones can lose pages"
    )))
}

async fn quick_check(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let bytes = std::fs::metadata(path)
        .map(|data| data.len())
        .unwrap_or_default();
    if bytes > QUICK_CHECK_BYTES_MAX {
        return Ok(());
    }
    let row = sqlx::query("PRAGMA quick_check(1)")
        .fetch_one(connection)
        .await
        .map_err(DbError::from)?;
    let found: String = row.try_get(0).map_err(DbError::from)?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        table: "sqlite file",
        detail: found,
    })
}
