//! Which of the two databases a site has: reading its URL, preparing it, opening sessions.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::class::DbError;
use super::connection::{Access, Connection, Prepared};
use super::hint::Hints;
use super::session::Session;
use super::{postgres, sqlite};
use crate::error::StoreError;

/// Which of the two databases, and how to reach it.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    Postgres(Arc<sqlx::postgres::PgConnectOptions>),
    Sqlite(sqlite::Place),
}

impl Database {
    /// Reads a URL.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            postgres::parse(url).map(Self::Postgres)
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            Ok(Self::Sqlite(sqlite::Place::parse(path)))
        } else {
            let found = url.split(':').next().unwrap_or_default();
            Err(StoreError::Settings(format!(
                "expected a database url that begins with `sqlite:` or `postgres:`, found `{found}:`"
            )))
        }
    }

    /// Checks the server or library, migrates, and keeps what must be held while the store is open.
    pub async fn prepare(&self, beside: bool) -> Result<Prepared, StoreError> {
        match self {
            Self::Postgres(options) => postgres::prepare(options).await,
            Self::Sqlite(place) => sqlite::prepare(place, beside).await,
        }
    }

    /// Opens one more session.
    pub async fn open(
        &self,
        access: Access,
        statements: Arc<AtomicU64>,
    ) -> Result<Session, DbError> {
        let connection = match self {
            Self::Postgres(options) => Connection::Postgres(match access {
                Access::Commit => postgres::connect_committing(options).await?,
                Access::Write | Access::Read => postgres::connect(options).await?,
            }),
            Self::Sqlite(place) => Connection::Sqlite(place.connect(access).await?),
        };
        Ok(Session::new(connection, statements))
    }

    /// Whether all work goes through one connection.
    pub fn is_memory(&self) -> bool {
        matches!(self, Self::Sqlite(place) if place.is_memory())
    }

    /// Whether there can be only one writer.
    pub fn has_one_writer(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Where hints come from; a server of its own listens for those of other nodes.
    pub fn hints(&self) -> Hints {
        match self {
            Self::Postgres(options) => Hints::remote(options.clone()),
            Self::Sqlite(_) => Hints::local(),
        }
    }
}
