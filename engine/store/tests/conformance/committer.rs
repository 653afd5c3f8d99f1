//! The queue in front of the store: many callers, few transactions, an answer for each.

use tongban_store::{Committer, Options, Outcome, Priority, Store, StoreError};

use crate::support::{Db, NOW_MS, ids, on_both, start};

on_both!(many_callers_share_transactions, closing_ends_the_loops);

async fn many_callers_share_transactions(db: Db) {
    let committer = Committer::new(db.store.clone());
    let before = db.store.statement_count();
    let waiting: Vec<_> = ids(500)
        .iter()
        .enumerate()
        .map(|(n, id)| {
            let priority = if n % 3 == 0 {
                Priority::Background
            } else {
                Priority::People
            };
            committer.queue(priority, start(id)).unwrap()
        })
        .collect();
    assert_eq!(committer.pressure().changes, 500);
    assert!(!committer.pressure().is_full());
    while committer.step().await {}
    for answer in waiting {
        assert_eq!(answer.await.unwrap(), Ok(Outcome::Committed { version: 1 }));
    }
    let statements = db.store.statement_count() - before;
    assert!(statements < 30, "500 starts took {statements} statements");
    assert_eq!(committer.pressure().changes, 0);
    db.end().await;
}

async fn closing_ends_the_loops(db: Db) {
    let committer = Committer::new(db.store.clone());
    let loops: Vec<_> = (0..committer.loops())
        .map(|_| {
            let committer = committer.clone();
            tokio::spawn(async move { committer.run().await })
        })
        .collect();
    assert_eq!(loops.len(), if db.is_postgres() { 4 } else { 1 });
    let callers: Vec<_> = ids(100)
        .into_iter()
        .map(|id| {
            let committer = committer.clone();
            tokio::spawn(async move { committer.submit(Priority::People, start(&id)).await })
        })
        .collect();
    for caller in callers {
        assert!(caller.await.unwrap().unwrap().is_committed());
    }
    committer.close();
    for each in loops {
        each.await.unwrap();
    }
    let refused = committer.submit(Priority::People, start("late")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    db.end().await;
}

#[tokio::test]
async fn in_memory_one_connection_does_all() {
    let store = Store::open(&Options::new("sqlite::memory:")).await.unwrap();
    for id in ids(3) {
        assert!(store.commit_one(start(&id)).await.unwrap().is_committed());
    }
    assert_eq!(
        store
            .wake_claim(NOW_MS + 60_000, NOW_MS + 90_000, 10)
            .await
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        store.invariants_broken().await.unwrap(),
        Vec::<String>::new()
    );
    let other = Store::open(&Options::new("sqlite::memory:")).await.unwrap();
    assert_eq!(
        other.instance_head("i-00000").await.unwrap(),
        None,
        "each store in memory is its own"
    );
}
