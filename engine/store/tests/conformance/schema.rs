//! The two migration folders give the same tables, and both databases take every statement.

use std::collections::BTreeMap;

use sqlx::Connection as _;
use tongban_store::{Options, Store, StoreError};

use crate::support::{Db, on_both, postgres, sqlite};

on_both!(every_statement_is_prepared, a_newer_schema_is_refused);

async fn every_statement_is_prepared(db: Db) {
    let prepared = db.store.statements_prepare().await.unwrap();
    assert_eq!(prepared.refused, Vec::<String>::new());
    assert!(
        prepared.statements > 200,
        "{} statements are known",
        prepared.statements
    );
    // Clock, hint and full text: each says beside it why it differs.
    assert!(
        prepared.divergent <= 3,
        "{} statements are written twice",
        prepared.divergent
    );
    for (name, step) in &prepared.scanning {
        let passing =
            ["SCAN due", "SCAN items", "SCAN page", "SCAN CONSTANT ROW"].contains(&step.as_str());
        let allowed = name.starts_with("STRAY_") || MAY_SCAN.contains(&name.as_str());
        assert!(passing || allowed, "{name} reads all of a table: {step}");
    }
    db.end().await;
}

/// Statements that read a whole table or index: proofs and gauges, the organisation and other small tables, and those
/// that stop at the first row of an index.
const MAY_SCAN: &[&str] = &[
    "GAPS",
    "AHEAD",
    "ENDED_WITH_STATE",
    "RUNNING_WITHOUT_STATE",
    "NO_HISTORY",
    "CANDIDATE_WITHOUT_OPEN_ITEM",
    "ATTACHMENTS_UNUSED",
    "GAUGES",
    "AUDIT_CHAINS",
    "AUDIT_STRAY",
    "CHAIN_HEADS",
    "WORKFLOWS",
    "REGISTERS",
    "API_KEYS",
    "NODES",
    "NODES_GONE",
    "UNITS",
    "PEOPLE",
    "POSTS",
    "MEMBERSHIPS",
    "ROLES",
    "ABSENCES",
    "DAYS",
    "EVENTS_UNSENT",
    "TYPES_HEARD",
    "RIGHT_RULES",
    "WAKE_NEXT",
    "INBOX_NEXT",
    "MAIL_NEXT",
    "SCHEDULE_NEXT",
];

async fn a_newer_schema_is_refused(db: Db) {
    let columns = "version, description, installed_on, success, checksum, execution_time";
    let (now, checksum) = if db.is_postgres() {
        ("now()", "'\\x00'::bytea")
    } else {
        ("CURRENT_TIMESTAMP", "x'00'")
    };
    db.tamper(&format!("INSERT INTO _sqlx_migrations ({columns}) VALUES (9999, 'later', {now}, true, {checksum}, 0)")).await;
    db.store.close().await;
    let options = db.options.clone();
    let error = if db.is_postgres() {
        let error = Store::open(&options).await.err();
        db.remove().await;
        error
    } else {
        let dir = db.close_keeping_files().await;
        let error = Store::open(&options).await.err();
        drop(dir);
        error
    };
    let Some(StoreError::SchemaNewer { known, found }) = error else {
        panic!("{error:?}")
    };
    let newest = sqlx::migrate!("../../migrations/postgres").iter().count();
    assert_eq!((known, found), (newest as i64, 9999));
}

type Columns = BTreeMap<String, String>;

#[tokio::test]
async fn both_folders_give_the_same_tables() {
    let Some(left) = postgres().await else { return };
    let right = sqlite().await.unwrap();
    let of_postgres = postgres_tables(&left.options.url).await;
    let of_sqlite = sqlite_tables(&right.options.url).await;
    let names = |tables: &BTreeMap<String, Columns>| tables.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&of_postgres), names(&of_sqlite));
    for (table, columns) in &of_postgres {
        assert_eq!(columns, &of_sqlite[table], "columns of `{table}`");
    }
    assert!(of_postgres.len() > 50);
    left.end().await;
    right.end().await;
}

fn kind(kind: &str) -> String {
    match kind.to_uppercase().as_str() {
        "TEXT" => "text".into(),
        "BIGINT" | "INTEGER" => "number".into(),
        "BYTEA" | "BLOB" => "bytes".into(),
        other => format!("unexpected type {other}"),
    }
}

async fn postgres_tables(url: &str) -> BTreeMap<String, Columns> {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let rows: Vec<(String, String, String, String, Option<String>)> = sqlx::query_as(
        "SELECT c.table_name::TEXT, c.column_name::TEXT, c.data_type::TEXT, c.is_nullable::TEXT, c.collation_name::TEXT
         FROM information_schema.columns c
         JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
         WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.table_name NOT LIKE '\\_sqlx%'
             AND c.table_name NOT LIKE 'access\\_log\\_%'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut tables: BTreeMap<String, Columns> = BTreeMap::new();
    for (table, column, data, nullable, collation) in rows {
        if data == "text" {
            assert_eq!(
                collation.as_deref(),
                Some("C"),
                "collation of {table}.{column}"
            );
        }
        let null = if nullable == "YES" { " or null" } else { "" };
        tables
            .entry(table)
            .or_default()
            .insert(column, format!("{}{null}", kind(&data)));
    }
    tables
}

async fn sqlite_tables(url: &str) -> BTreeMap<String, Columns> {
    let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
    let rows: Vec<(String, String, String, i64, i64)> = sqlx::query_as(
        "SELECT t.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             AND t.name NOT LIKE 'text\\_index\\_words%' ESCAPE '\\'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut tables: BTreeMap<String, Columns> = BTreeMap::new();
    for (table, column, data, notnull, key) in rows {
        let null = if notnull == 0 && key == 0 {
            " or null"
        } else {
            ""
        };
        tables
            .entry(table)
            .or_default()
            .insert(column, format!("{}{null}", kind(&data)));
    }
    tables
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let db = sqlite().await.unwrap();
    let Err(StoreError::Settings(text)) = Store::open(&db.options).await else {
        panic!("two stores on one file")
    };
    assert!(text.contains("is open in another process"), "{text}");
    db.end().await;
}

#[tokio::test]
async fn damage_is_named_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let options = Options::new(format!("sqlite://{}", path.display()));
    let store = Store::open(&options).await.unwrap();
    crate::support::must_commit(
        &store,
        crate::support::ids(50)
            .iter()
            .map(|id| crate::support::start(id))
            .collect(),
    )
    .await;
    store.close().await;
    drop(store);
    // Whatever the log still holds must not heal the file.
    let mut bytes = std::fs::read(&path).unwrap();
    let _ = std::fs::remove_file(path.with_extension("db-wal"));
    for byte in bytes.iter_mut().skip(4096 * 3).step_by(7) {
        *byte ^= 0x5a;
    }
    std::fs::write(&path, bytes).unwrap();
    let error = Store::open(&options).await.err();
    assert!(
        matches!(
            error,
            Some(StoreError::Corrupt { .. } | StoreError::Resource(_))
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn urls_are_explained() {
    let Err(StoreError::Settings(text)) = Store::open(&Options::new("mysql://x")).await else {
        panic!("no such database")
    };
    assert_eq!(
        text,
        "expected a database url that begins with `sqlite:` or `postgres:`, found `mysql:`"
    );
}
