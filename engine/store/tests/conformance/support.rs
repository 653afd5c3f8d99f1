//! A database for one test, on either engine, and the small changes that the tests are made of.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tongban_store::{
    Base, Change, Faults, HeadUpdate, HistoryRow, InstanceRow, KeyRow, Next, Options, Outcome,
    PartyRow, Store, Wake,
};

/// The time of all changes unless a test says otherwise.
pub const NOW_MS: i64 = 1_700_000_000_000;

/// A database that ends with the test.
pub struct Db {
    pub store: Store,
    pub options: Options,
    dir: Option<tempfile::TempDir>,
    name: Option<String>,
}

impl Db {
    /// Another node on the same database: on SQLite the same store, for there is one process.
    pub async fn node(&self, node: &str) -> Store {
        if self.name.is_none() {
            return self.store.clone();
        }
        let options = Options {
            node: node.into(),
            ..self.options.clone()
        };
        Store::open(&options).await.expect("a second node opens")
    }

    /// Closes and opens the database again, with faults.
    pub async fn with_faults(mut self, faults: Arc<dyn Faults>) -> Self {
        self.options.faults = Some(faults);
        self.reopened().await
    }

    /// Closes the store in good order and opens the database again.
    pub async fn reopened(mut self) -> Self {
        self.store.close().await;
        // The lock beside a file goes with the last clone.
        let other = Store::open(&Options::new("sqlite::memory:"))
            .await
            .expect("memory opens");
        drop(std::mem::replace(&mut self.store, other));
        self.store = Store::open(&self.options)
            .await
            .expect("the database opens again");
        self
    }

    /// Closes the store and keeps the files while the directory is held.
    pub async fn close_keeping_files(self) -> Option<tempfile::TempDir> {
        self.store.close().await;
        self.dir
    }

    pub fn is_postgres(&self) -> bool {
        self.name.is_some()
    }

    /// Runs a statement beside the store, for what only a test would do.
    pub async fn tamper(&self, text: &str) {
        if self.is_postgres() {
            let mut connection = PgConnection::connect(&self.options.url)
                .await
                .expect("connects");
            connection.execute(AssertSqlSafe(text)).await.expect("runs");
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.options.url)
                .await
                .expect("connects");
            connection.execute(AssertSqlSafe(text)).await.expect("runs");
        }
    }

    /// Counts rows beside the store: `from` is a table, with a condition if need be.
    pub async fn count(&self, from: &str) -> i64 {
        let text = AssertSqlSafe(format!("SELECT COUNT(*) FROM {from}"));
        let (count,): (i64,) = if self.is_postgres() {
            let mut connection = PgConnection::connect(&self.options.url)
                .await
                .expect("connects");
            sqlx::query_as(text).fetch_one(&mut connection).await
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.options.url)
                .await
                .expect("connects");
            sqlx::query_as(text).fetch_one(&mut connection).await
        }
        .expect("counts");
        count
    }

    /// Checks the invariants and removes the database.
    pub async fn end(self) {
        assert_eq!(
            self.store.invariants_broken().await.expect("reads"),
            Vec::<String>::new()
        );
        self.remove().await;
    }

    /// Removes the database without looking at it.
    pub async fn remove(self) {
        self.store.close().await;
        if let Some(name) = &self.name {
            let mut admin = admin().await.expect("the server was there");
            admin
                .execute(AssertSqlSafe(format!(
                    "DROP DATABASE \"{name}\" WITH (FORCE)"
                )))
                .await
                .expect("drops");
        }
    }
}

/// SQLite in a file of its own.
pub async fn sqlite() -> Option<Db> {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options::new(format!(
        "sqlite://{}",
        dir.path().join("store.db").display()
    ));
    let store = Store::open(&options).await.expect("SQLite opens");
    Some(Db {
        store,
        options,
        dir: Some(dir),
        name: None,
    })
}

/// A database on the server that TONGBAN_TEST_POSTGRES names, copied from a template that is migrated once.
pub async fn postgres() -> Option<Db> {
    let mut admin = admin().await?;
    let base = server_url().expect("admin() found it");
    let template = template(&mut admin, &base).await;
    let name = format!("tongban_test_{}", uuid::Uuid::now_v7().simple());
    let create = format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"");
    admin
        .execute(AssertSqlSafe(create))
        .await
        .expect("the test's database is created");
    let options = Options {
        committers: 4,
        readers: 4,
        ..Options::new(with_database(&base, &name))
    };
    let store = Store::open(&options).await.expect("PostgreSQL opens");
    Some(Db {
        store,
        options,
        dir: None,
        name: Some(name),
    })
}

fn server_url() -> Option<String> {
    match std::env::var("TONGBAN_TEST_POSTGRES") {
        Ok(skip) if skip == "skip" => None,
        Ok(url) => Some(url),
        Err(_) => panic!(
            "TONGBAN_TEST_POSTGRES is not set: run `export TONGBAN_TEST_POSTGRES=$(tests/postgres.sh start)`, \
             or set it to `skip` to leave PostgreSQL untested"
        ),
    }
}

async fn admin() -> Option<PgConnection> {
    let url = server_url()?;
    Some(
        PgConnection::connect(&url)
            .await
            .expect("TONGBAN_TEST_POSTGRES names a server that answers"),
    )
}

async fn template(admin: &mut PgConnection, base: &str) -> String {
    let mut schema = blake3::Hasher::new();
    for migration in sqlx::migrate!("../../migrations/postgres").iter() {
        schema.update(&migration.checksum);
    }
    let schema = schema.finalize().to_hex();
    let name = format!("tongban_template_{}", schema.get(..16).expect("is long"));
    admin
        .execute("SELECT pg_advisory_lock(7301)")
        .await
        .expect("locks");
    let found: Option<(i32,)> =
        sqlx::query_as("SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate")
            .bind(&name)
            .fetch_optional(&mut *admin)
            .await
            .expect("reads");
    if found.is_none() {
        admin
            .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS \"{name}\"")))
            .await
            .expect("drops");
        admin
            .execute(AssertSqlSafe(format!("CREATE DATABASE \"{name}\"")))
            .await
            .expect("creates");
        let store = Store::open(&Options::new(with_database(base, &name)))
            .await
            .expect("the template is migrated");
        store.close().await;
        drop(store);
        admin
            .execute(AssertSqlSafe(format!(
                "ALTER DATABASE \"{name}\" IS_TEMPLATE true"
            )))
            .await
            .expect("marks");
    }
    admin
        .execute("SELECT pg_advisory_unlock(7301)")
        .await
        .expect("unlocks");
    name
}

fn with_database(url: &str, name: &str) -> String {
    let (server, query) = url
        .split_once('?')
        .map_or((url, ""), |(server, query)| (server, query));
    let (server, _) = server.rsplit_once('/').expect("the url names a database");
    if query.is_empty() {
        format!("{server}/{name}")
    } else {
        format!("{server}/{name}?{query}")
    }
}

/// Runs each case on both databases.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let db = crate::support::sqlite().await.expect("SQLite is always there");
                super::$case(db).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(db) = crate::support::postgres().await {
                    super::$case(db).await;
                }
            })*
        }
    };
}
pub(crate) use on_both;

/// An instance that starts and waits for its timer.
pub fn start(id: &str) -> Change {
    let mut change = Change::of_instance(id, Base::New, running("0"), NOW_MS);
    change.add(head(id));
    change.add(history(id, 1));
    change.add(Wake {
        instance_id: id.into(),
        ready_at_ms: NOW_MS + 60_000,
    });
    change.add(PartyRow {
        principal: "person:li".into(),
        instance_id: id.into(),
        why: "starter".into(),
        at_ms: NOW_MS,
    });
    change
}

/// A further activation of a running instance.
pub fn go_on(id: &str, version: i64, body: &str) -> Change {
    let mut change = Change::of_instance(id, Base::Running(version), running(body), NOW_MS);
    change.add(history(id, version + 1));
    change
}

/// The last activation.
pub fn finish(id: &str, version: i64) -> Change {
    let mut change = Change::of_instance(id, Base::Running(version), Next::Ended, NOW_MS);
    change.add(history(id, version + 1));
    change.add(HeadUpdate {
        id: id.into(),
        status: "completed".into(),
        changed_at_ms: NOW_MS,
        ended_at_ms: Some(NOW_MS),
        ..HeadUpdate::default()
    });
    change.add(tongban_store::WakeGone {
        instance_id: id.into(),
    });
    change
}

pub fn running(body: &str) -> Next {
    Next::Running {
        format: 1,
        body: body.into(),
    }
}

pub fn head(id: &str) -> InstanceRow {
    InstanceRow {
        id: id.into(),
        workflow: "sharing/apply".into(),
        bundle: "b3".into(),
        status: "running".into(),
        starter_id: Some("li".into()),
        started_at_ms: NOW_MS,
        changed_at_ms: NOW_MS,
        ..InstanceRow::default()
    }
}

pub fn history(id: &str, version: i64) -> HistoryRow {
    HistoryRow {
        instance_id: id.into(),
        version,
        at_ms: NOW_MS,
        actor: None,
        body: "[]".into(),
    }
}

pub fn key(scope: &str, value: &str, instance: &str) -> KeyRow {
    KeyRow {
        scope: scope.into(),
        value: value.into(),
        digest: format!("digest of {value}"),
        instance_id: Some(instance.into()),
        ..KeyRow::default()
    }
}

/// Commits changes that must all win.
pub async fn must_commit(store: &Store, changes: Vec<Change>) {
    for (place, answer) in store.commit(changes).await.into_iter().enumerate() {
        let outcome = answer.expect("the store answers");
        assert!(outcome.is_committed(), "change {place}: {outcome:?}");
    }
}

/// Commits one change and says what became of it.
pub async fn outcome(store: &Store, change: Change) -> Outcome {
    store.commit_one(change).await.expect("the store answers")
}

pub fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("i-{n:05}")).collect()
}
