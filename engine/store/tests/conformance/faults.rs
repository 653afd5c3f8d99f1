//! What goes wrong at COMMIT and before it, and what must be true afterwards.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::Connection as _;

use tongban_store::{
    AuditEntry, Committer, Fault, Faults, Lost, Outcome, Point, Priority, Store, StoreError,
    Verdict,
};

use crate::support::{Db, NOW_MS, go_on, ids, key, must_commit, on_both, outcome, start};

on_both!(
    reply_dropped_after_the_commit,
    reply_dropped_without_a_commit,
    transient_errors_run_again,
    endless_transient_errors_are_told,
    resource_errors_stop,
    queue_is_kept_while_nothing_can_be_written,
    injected_losers,
    audit_chain_survives_a_lost_connection,
);

/// Strikes at COMMIT, BEGIN or the gate, as listed, then never again.
#[derive(Default)]
struct Script {
    commit: Mutex<VecDeque<Fault>>,
    begin: Mutex<VecDeque<Fault>>,
    gate: Mutex<Vec<(String, Fault)>>,
}

impl Faults for Script {
    fn strike(&self, point: Point<'_>) -> Option<Fault> {
        match point {
            Point::Begin { .. } => self.begin.lock().unwrap().pop_front(),
            Point::Commit { .. } => self.commit.lock().unwrap().pop_front(),
            Point::Gate { instance } => {
                let mut list = self.gate.lock().unwrap();
                let place = list.iter().position(|(id, _)| id == instance)?;
                Some(list.remove(place).1)
            }
        }
    }
}

async fn struck(db: Db) -> (Db, Arc<Script>) {
    let script = Arc::new(Script::default());
    (db.with_faults(script.clone()).await, script)
}

async fn reply_dropped(db: Db, committed: bool) {
    let (db, script) = struck(db).await;
    let ids = ids(20);
    must_commit(&db.store, ids.iter().map(|id| start(id)).collect()).await;
    script
        .commit
        .lock()
        .unwrap()
        .push_back(Fault::DropReply { committed });
    let changes = ids
        .iter()
        .map(|id| {
            let mut change = go_on(id, 1, "next");
            change.keys.push(key("idempotency", id, id));
            change
        })
        .collect();
    for answer in db.store.commit(changes).await {
        assert_eq!(answer, Ok(Outcome::Committed { version: 2 }));
    }
    for id in &ids {
        assert_eq!(
            db.store.history(id, 0, 10).await.unwrap().len(),
            2,
            "once, not twice"
        );
    }
    assert!(script.commit.lock().unwrap().is_empty(), "the fault struck");
    db.end().await;
}

async fn reply_dropped_after_the_commit(db: Db) {
    reply_dropped(db, true).await;
}

async fn reply_dropped_without_a_commit(db: Db) {
    reply_dropped(db, false).await;
}

async fn transient_errors_run_again(db: Db) {
    let (db, script) = struck(db).await;
    script
        .begin
        .lock()
        .unwrap()
        .extend([Fault::Transient, Fault::Connection]);
    script
        .commit
        .lock()
        .unwrap()
        .extend([Fault::Transient, Fault::Connection]);
    must_commit(&db.store, vec![start("a"), start("b")]).await;
    assert!(script.begin.lock().unwrap().is_empty() && script.commit.lock().unwrap().is_empty());
    db.end().await;
}

async fn endless_transient_errors_are_told(db: Db) {
    let (db, script) = struck(db).await;
    script.commit.lock().unwrap().extend([Fault::Transient; 6]);
    assert!(matches!(
        db.store.commit_one(start("a")).await,
        Err(StoreError::Unavailable(_))
    ));
    assert_eq!(db.store.instance_head("a").await.unwrap(), None);
    must_commit(&db.store, vec![start("a")]).await;
    db.end().await;
}

async fn resource_errors_stop(db: Db) {
    let (db, script) = struck(db).await;
    assert!(db.store.takes_writes());
    script.commit.lock().unwrap().push_back(Fault::Resource);
    for answer in db.store.commit(vec![start("a"), start("b")]).await {
        assert!(matches!(answer, Err(StoreError::Resource(_))), "{answer:?}");
    }
    assert!(
        !db.store.takes_writes(),
        "a server that says so is not ready"
    );
    assert_eq!(db.store.instance_head("a").await.unwrap(), None);
    must_commit(&db.store, vec![start("a"), start("b")]).await;
    assert!(db.store.takes_writes());
    db.end().await;
}

async fn queue_is_kept_while_nothing_can_be_written(db: Db) {
    let (db, script) = struck(db).await;
    let committer = Committer::new(db.store.clone());
    script
        .commit
        .lock()
        .unwrap()
        .extend([Fault::Resource, Fault::Resource]);
    let waiting: Vec<_> = ids(3)
        .iter()
        .map(|id| committer.queue(Priority::People, start(id)).unwrap())
        .collect();
    for _ in 0..2 {
        assert!(!committer.step().await);
        assert!(matches!(committer.stopped(), Some(StoreError::Resource(_))));
        assert_eq!(committer.pressure().changes, 3);
    }
    assert!(committer.step().await);
    assert_eq!(committer.stopped(), None);
    for answer in waiting {
        assert_eq!(answer.await.unwrap(), Ok(Outcome::Committed { version: 1 }));
    }
    db.end().await;
}

async fn injected_losers(db: Db) {
    let (db, script) = struck(db).await;
    must_commit(&db.store, vec![start("a"), start("b"), start("c")]).await;
    *script.gate.lock().unwrap() = vec![("a".into(), Fault::Lose), ("b".into(), Fault::Lock)];
    let answers = db
        .store
        .commit(vec![
            go_on("a", 1, "x"),
            go_on("b", 1, "x"),
            go_on("c", 1, "x"),
        ])
        .await;
    assert_eq!(
        answers[0],
        Ok(Outcome::Lost(Lost::Instance { current: Some(1) }))
    );
    assert_eq!(answers[1], Ok(Outcome::Locked));
    assert_eq!(answers[2], Ok(Outcome::Committed { version: 2 }));
    db.end().await;
}

async fn audit_chain_survives_a_lost_connection(db: Db) {
    let (db, script) = struck(db).await;
    for n in 0..6 {
        if n == 2 || n == 4 {
            script
                .commit
                .lock()
                .unwrap()
                .push_back(Fault::DropReply { committed: n == 2 });
        }
        let mut change = start(&format!("i{n}"));
        change.audit.push(AuditEntry {
            at_ms: NOW_MS,
            who: "w".into(),
            act: "start".into(),
            object: format!("i{n}"),
            body: "{}".into(),
        });
        assert!(outcome(&db.store, change).await.is_committed());
    }
    let Verdict::Whole { rows, .. } = db.store.audit_verify().await.unwrap() else {
        panic!("the chains hold")
    };
    assert_eq!(rows, 6);
    db.end().await;
}

/// The server ends our connections at any moment, in COMMIT too: every change is done once, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_ends_our_connections() {
    let Some(db) = crate::support::postgres().await else {
        return;
    };
    let ids = ids(8);
    must_commit(&db.store, ids.iter().map(|id| start(id)).collect()).await;
    let done = Arc::new(AtomicI64::new(0));
    let killer = tokio::spawn(end_backends(db.options.url.clone(), done.clone()));
    let workers: Vec<_> = ids
        .iter()
        .map(|id| tokio::spawn(forty_versions(db.store.clone(), id.clone(), done.clone())))
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert!(killer.await.unwrap() > 0, "some connection was ended");
    for id in &ids {
        let state = db.store.instance_state(id).await.unwrap().unwrap();
        assert_eq!((state.version, state.body.as_str()), (41, "40"));
        assert_eq!(db.store.history(id, 0, 100).await.unwrap().len(), 41);
    }
    assert!(matches!(
        db.store.audit_verify().await.unwrap(),
        Verdict::Whole { rows: 320, .. }
    ));
    db.end().await;
}

async fn forty_versions(store: Store, id: String, done: Arc<AtomicI64>) {
    loop {
        // A read may fail more than once when the server ends every connection that is tried.
        let Ok(Some(state)) = store.instance_state(&id).await else {
            continue;
        };
        if state.version == 41 {
            return;
        }
        let mut change = go_on(&id, state.version, &state.version.to_string());
        change.audit.push(AuditEntry {
            at_ms: NOW_MS,
            who: "w".into(),
            act: "step".into(),
            object: id.clone(),
            body: "{}".into(),
        });
        match store.commit_one(change).await {
            Ok(Outcome::Committed { .. }) => {
                done.fetch_add(1, Ordering::AcqRel);
            }
            other => panic!("one writer per instance cannot lose: {other:?}"),
        }
    }
}

/// Ends a busy connection after every tenth commit.
async fn end_backends(url: String, done: Arc<AtomicI64>) -> i64 {
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut ended = 0;
    for strike in 1..30 {
        while done.load(Ordering::Acquire) < 10 * strike {
            tokio::task::yield_now().await;
        }
        let (count,): (i64,) = sqlx::query_as(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM (
                 SELECT pid FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
                 ORDER BY random() LIMIT 1) AS one",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        ended += count;
    }
    ended
}
