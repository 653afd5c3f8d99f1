//! Opening PostgreSQL: READ COMMITTED, no `fsync=off`, plans that follow the keys.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection, Row as _};

use super::class::DbError;
use super::connection::{Connection, Prepared};
use crate::error::StoreError;

/// No connection within this time is a database that is not there.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Every statement reaches its rows through a key or an index. A plan made while a table was still small would scan it
/// for ever after, so scans and joins that read whole tables are the last resort; JIT costs more than it saves.
const SETTINGS: [(&str, &str); 11] = [
    ("default_transaction_isolation", "read committed"),
    ("statement_timeout", "55s"),
    ("lock_timeout", "20s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("tcp_keepalives_idle", "20"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "4"),
    ("jit", "off"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

pub(super) fn parse(url: &str) -> Result<Arc<PgConnectOptions>, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|error| {
        StoreError::Settings(format!(
            "expected a PostgreSQL url, found one that does not read: {error}"
        ))
    })?;
    Ok(Arc::new(
        options
            .statement_cache_capacity(512)
            .application_name("tongban")
            .options(SETTINGS),
    ))
}

/// A connection that commits: its statements carry rows in arrays, whose plans are the same however many there are.
/// Planning a whole transaction anew costs more than running it.
pub(super) async fn connect_committing(
    options: &PgConnectOptions,
) -> Result<PgConnection, DbError> {
    let options = options
        .clone()
        .options([("plan_cache_mode", "force_generic_plan")]);
    connect(&options).await
}

pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, DbError> {
    match tokio::time::timeout(CONNECT_LIMIT, options.connect()).await {
        Ok(connection) => connection.map_err(DbError::from),
        Err(_) => Err(DbError::connection("no connection within 10 s")),
    }
}

/// Connects, checks the server, migrates.
pub(super) async fn prepare(options: &PgConnectOptions) -> Result<Prepared, StoreError> {
    let mut first = connect_committing(options).await?;
    let row = sqlx::query("SELECT current_setting('fsync')")
        .fetch_one(&mut first)
        .await
        .map_err(DbError::from)?;
    let fsync: String = row.try_get(0).map_err(DbError::from)?;
    if fsync != "on" {
        return Err(StoreError::Settings(format!(
            "expected PostgreSQL with `fsync` = on, found {fsync}: a crash would lose what was acknowledged"
        )));
    }
    let migrator = sqlx::migrate!("../../migrations/postgres");
    migrated(
        migrator.run_direct(None, &mut first, false).await,
        &migrator,
    )?;
    Ok(Prepared {
        first: Connection::Postgres(first),
        lock: None,
        checkpoint: None,
    })
}

/// Reads the answer of a migrator.
pub(super) fn migrated(
    answer: Result<(), MigrateError>,
    migrator: &Migrator,
) -> Result<(), StoreError> {
    match answer {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => {
            let known = migrator
                .iter()
                .map(|migration| migration.version)
                .max()
                .unwrap_or_default();
            Err(StoreError::SchemaNewer { known, found })
        }
        Err(MigrateError::VersionMismatch(version)) => Err(StoreError::Settings(format!(
            "migration {version} in the database is not the one of this release; do not edit migrations that ran"
        ))),
        Err(MigrateError::Execute(error)) => Err(DbError::from(error).into()),
        Err(error) => Err(StoreError::Database(error.to_string())),
    }
}
