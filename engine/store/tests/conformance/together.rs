//! Many at once: overlapping batches never deadlock, one instance loses no input.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::Connection as _;
use tongban_store::{Change, InboxRow, Outcome, RecordNext, RecordWrite, Store};

use crate::support::{Db, NOW_MS, go_on, ids, key, must_commit, on_both, outcome, start};

on_both!(
    four_committers_over_overlapping_sets,
    one_instance_takes_1000_inputs_on_two_nodes,
    fifty_takers_of_one_key,
    one_record_is_written_by_many,
);

/// A small generator of our own: the same sequence in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % most as u64).unwrap()
    }
}

const INSTANCES: usize = 60;
const BATCHES: usize = 150;

async fn four_committers_over_overlapping_sets(db: Db) {
    let ids = Arc::new(ids(INSTANCES));
    must_commit(&db.store, ids.iter().map(|id| start(id)).collect()).await;
    let won = Arc::new(AtomicI64::new(0));
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            tokio::spawn(overlapping(
                db.store.clone(),
                ids.clone(),
                won.clone(),
                task,
            ))
        })
        .collect();
    for task in tasks {
        task.await.expect("no committer fails");
    }
    let mut versions = 0;
    for id in ids.iter() {
        versions += db.store.instance_state(id).await.unwrap().unwrap().version - 1;
    }
    assert_eq!(
        versions,
        won.load(Ordering::Relaxed),
        "one version for each change that won"
    );
    if db.is_postgres() {
        let mut connection = sqlx::PgConnection::connect(&db.options.url).await.unwrap();
        let (deadlocks,): (i64,) = sqlx::query_as(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert_eq!(deadlocks, 0);
    }
    db.end().await;
}

async fn overlapping(store: Store, ids: Arc<Vec<String>>, won: Arc<AtomicI64>, task: u64) {
    let mut draw = Draw(task + 1);
    for batch in 0..BATCHES {
        let first = draw.below(INSTANCES);
        let chosen: Vec<&str> = (0..20)
            .map(|n| ids[(first + n * (1 + draw.below(3))) % INSTANCES].as_str())
            .collect();
        let states = store.instance_states(&chosen).await.unwrap();
        let changes: Vec<Change> = states
            .iter()
            .map(|state| {
                let mut change = go_on(&state.id, state.version, "x");
                // Keys that the four fight for, in no order.
                change.keys.push(key(
                    "fight",
                    &format!("{}-{}", state.id, batch % 7),
                    &state.id,
                ));
                change.keys.push(key(
                    "fight",
                    &format!("shared-{}-{}", batch, draw.below(40)),
                    &state.id,
                ));
                change
            })
            .collect();
        for answer in store.commit(changes).await {
            match answer.expect("the store answers") {
                Outcome::Committed { .. } => {
                    won.fetch_add(1, Ordering::Relaxed);
                }
                Outcome::Lost(_) | Outcome::Locked | Outcome::KeyTaken { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

const INPUTS: usize = 1_000;

async fn one_instance_takes_1000_inputs_on_two_nodes(db: Db) {
    must_commit(&db.store, vec![start("a")]).await;
    let mut tell = Change::without_instance(NOW_MS);
    for n in 0..INPUTS {
        let (instance_id, id) = ("a".into(), format!("m{n:04}"));
        tell.add(InboxRow {
            instance_id,
            id,
            kind: "event".into(),
            body: "{}".into(),
            ready_at_ms: NOW_MS,
        });
    }
    must_commit(&db.store, vec![tell]).await;
    let second = db.node("second").await;
    let (one, two) = tokio::join!(
        tokio::spawn(consume(db.store.clone())),
        tokio::spawn(consume(second))
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one + two, INPUTS, "each input counted by one node");
    let state = db.store.instance_state("a").await.unwrap().unwrap();
    assert_eq!(state.body, INPUTS.to_string());
    assert_eq!(db.store.inbox_of("a", 1).await.unwrap(), vec![]);
    db.end().await;
}

/// Adds what waits to the number in the state, ten at a time, until nothing waits.
async fn consume(store: Store) -> usize {
    let mut mine = 0;
    loop {
        let rows = store.inbox_of("a", 10).await.unwrap();
        let state = store.instance_state("a").await.unwrap().unwrap();
        if rows.is_empty() {
            return mine;
        }
        let sum = state.body.parse::<usize>().unwrap() + rows.len();
        let mut change = go_on("a", state.version, &sum.to_string());
        change.inbox_taken = rows.into_iter().map(|row| row.id).collect();
        let taken = change.inbox_taken.len();
        match outcome(&store, change).await {
            Outcome::Committed { .. } => mine += taken,
            Outcome::Lost(_) | Outcome::Locked | Outcome::InputGone { .. } => {
                tokio::task::yield_now().await
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn fifty_takers_of_one_key(db: Db) {
    let second = db.node("second").await;
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = if n % 2 == 0 {
                db.store.clone()
            } else {
                second.clone()
            };
            tokio::spawn(async move {
                let mut change = start(&format!("i{n}"));
                change
                    .keys
                    .push(key("business:sharing/apply", "GX-1", &format!("i{n}")));
                outcome(&store, change).await
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| outcome.is_committed())
            .count(),
        1
    );
    let holder = db
        .store
        .key_holder("business:sharing/apply", "GX-1")
        .await
        .unwrap()
        .unwrap();
    for outcome in outcomes.iter().filter(|outcome| !outcome.is_committed()) {
        assert!(
            matches!(outcome, Outcome::KeyTaken { holder: seen } if *seen == holder),
            "{outcome:?}"
        );
    }
    db.end().await;
}

async fn one_record_is_written_by_many(db: Db) {
    let write = |base: i64, n: i64| {
        let mut change = Change::without_instance(NOW_MS);
        change.records.push(RecordWrite {
            register: "persons".into(),
            id: "p1".into(),
            base,
            next: RecordNext::Put {
                unit_id: None,
                body: n.to_string(),
                provenance: "{}".into(),
                mark: None,
                keys: vec![],
            },
            history: true,
            by_instance: None,
        });
        change
    };
    let second = db.node("second").await;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let store = if n % 2 == 0 {
                db.store.clone()
            } else {
                second.clone()
            };
            tokio::spawn(async move {
                for _ in 0..1_000 {
                    let base = store
                        .record("persons", "p1")
                        .await
                        .unwrap()
                        .map_or(0, |record| record.version);
                    match outcome(&store, write(base, n)).await {
                        Outcome::Committed { .. } => return,
                        Outcome::Lost(_) | Outcome::Locked => tokio::task::yield_now().await,
                        other => panic!("{other:?}"),
                    }
                }
                panic!("a thousand rounds were not enough");
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        db.store
            .record("persons", "p1")
            .await
            .unwrap()
            .unwrap()
            .version,
        20
    );
    assert_eq!(
        db.store
            .record_history("persons", "p1")
            .await
            .unwrap()
            .len(),
        20
    );
    db.end().await;
}
