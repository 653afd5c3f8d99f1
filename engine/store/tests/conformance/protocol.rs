//! Keys, gates, counts: who wins, who loses, and what is left of a loser.

use tongban_store::{Change, InboxRow, KeyGone, Lost, Outcome, PartyRow, SearchRow, Store};

use crate::support::{
    Db, NOW_MS, finish, go_on, history, ids, key, must_commit, on_both, outcome, start,
};

on_both!(
    batch_of_200_with_losers_and_poison,
    late_change_of_one_instance_loses,
    keys_in_one_batch,
    expired_holder_gives_way,
    released_key_is_free,
    consumed_inbox_rows_are_told,
);

async fn batch_of_200_with_losers_and_poison(db: Db) {
    let store = &db.store;
    let ids = ids(200);
    must_commit(store, ids.iter().map(|id| start(id)).collect()).await;
    let mut holder = Change::without_instance(NOW_MS);
    holder.keys = (20..25)
        .map(|n| key("idempotency", &format!("held-{n}"), "another"))
        .collect();
    must_commit(store, vec![holder]).await;

    let changes = ids
        .iter()
        .enumerate()
        .map(|(n, id)| one_of_200(n, id))
        .collect();
    let answers = store.commit(changes).await;
    for (n, answer) in answers.iter().enumerate() {
        let outcome = answer.as_ref().expect("the store answers");
        match n {
            0..20 => assert_eq!(*outcome, Outcome::Lost(Lost::Instance { current: Some(1) })),
            20..25 => assert!(
                matches!(outcome, Outcome::KeyTaken { holder } if holder.instance_id.as_deref() == Some("another"))
            ),
            100 => assert!(
                matches!(outcome, Outcome::Refused(refusal) if !refusal.code.is_empty()),
                "{outcome:?}"
            ),
            _ => assert_eq!(*outcome, Outcome::Committed { version: 2 }),
        }
        all_or_nothing(store, n, &ids[n], outcome.is_committed()).await;
    }
    db.end().await;
}

/// The first twenty are stale, five miss a key, one is poison.
fn one_of_200(n: usize, id: &str) -> Change {
    let mut change = go_on(id, if n < 20 { 7 } else { 1 }, "1");
    change.add(PartyRow {
        principal: "person:wu".into(),
        instance_id: id.into(),
        why: "signer".into(),
        at_ms: NOW_MS,
    });
    change.add(SearchRow {
        workflow: "sharing/apply".into(),
        name: "no".into(),
        value: n.to_string(),
        instance_id: id.into(),
    });
    change.keys.push(key("own", &n.to_string(), id));
    if (20..25).contains(&n) {
        change
            .keys
            .push(key("idempotency", &format!("held-{n}"), id));
    }
    if n == 100 {
        // Version 1 is in the history already: the database refuses this one.
        change.add(history(id, 1));
    }
    change
}

/// A winner has left everything, a loser nothing.
async fn all_or_nothing(store: &Store, n: usize, id: &str, won: bool) {
    let state = store.instance_state(id).await.unwrap().unwrap();
    assert_eq!(
        (state.version, state.body.as_str()),
        if won { (2, "1") } else { (1, "0") }
    );
    assert_eq!(
        store.history(id, 0, 10).await.unwrap().len(),
        if won { 2 } else { 1 }
    );
    assert_eq!(
        store.search_fields(id).await.unwrap().len(),
        usize::from(won)
    );
    assert_eq!(
        store
            .party_of(id, &["person:wu".into()])
            .await
            .unwrap()
            .len(),
        usize::from(won)
    );
    assert_eq!(
        store
            .key_holder("own", &n.to_string())
            .await
            .unwrap()
            .is_some(),
        won,
        "key of {n}"
    );
}

async fn late_change_of_one_instance_loses(db: Db) {
    must_commit(&db.store, vec![start("a")]).await;
    let answers = db
        .store
        .commit(vec![go_on("a", 1, "first"), go_on("a", 1, "second")])
        .await;
    assert_eq!(answers[0], Ok(Outcome::Committed { version: 2 }));
    assert!(matches!(answers[1], Ok(Outcome::Lost(_))));
    assert_eq!(
        db.store.instance_state("a").await.unwrap().unwrap().body,
        "first"
    );
    assert_eq!(
        outcome(&db.store, go_on("gone", 3, "x")).await,
        Outcome::Lost(Lost::Instance { current: None })
    );
    db.end().await;
}

async fn keys_in_one_batch(db: Db) {
    let with_key = |id: &str| {
        let mut change = start(id);
        change.keys.push(key("idempotency:unit", "k1", id));
        change
    };
    let answers = db
        .store
        .commit(vec![with_key("a"), start("b"), with_key("c")])
        .await;
    assert!(
        answers[0].as_ref().unwrap().is_committed() && answers[1].as_ref().unwrap().is_committed()
    );
    let Ok(Outcome::KeyTaken { holder }) = &answers[2] else {
        panic!("{:?}", answers[2])
    };
    assert_eq!(
        (holder.instance_id.as_deref(), holder.digest.as_str()),
        (Some("a"), "digest of k1")
    );
    assert_eq!(db.store.instance_head("c").await.unwrap(), None);

    // Thirty takers of one key, the first of which loses its instance: one of the others has it, two rounds do.
    let taking = |id: &str, change: Change| {
        let mut change = change;
        change.keys.push(key("business", "GX", id));
        change.keys.push(key("own", id, id));
        change
    };
    let mut changes = vec![taking("a", go_on("a", 7, "stale"))];
    changes.extend(
        (0..30)
            .map(|n| format!("n{n}"))
            .map(|id| taking(&id, start(&id))),
    );
    let before = db.store.statement_count();
    let answers = db.store.commit(changes).await;
    assert!(db.store.statement_count() - before < 40);
    assert!(matches!(answers[0], Ok(Outcome::Lost(_))));
    assert_eq!(answers[1], Ok(Outcome::Committed { version: 1 }));
    for answer in answers.iter().skip(2) {
        assert!(
            matches!(answer, Ok(Outcome::KeyTaken { holder }) if holder.instance_id.as_deref() == Some("n0")),
            "{answer:?}"
        );
    }
    assert!(db.store.key_holder("own", "n0").await.unwrap().is_some());
    assert_eq!(
        db.store.key_holder("own", "n1").await.unwrap(),
        None,
        "a loser leaves no key"
    );
    db.end().await;
}

async fn expired_holder_gives_way(db: Db) {
    let taking = |id: &str, at_ms: i64| {
        let mut change = Change { at_ms, ..start(id) };
        let expires_at_ms = Some(at_ms + 1_000);
        change.keys.push(tongban_store::KeyRow {
            expires_at_ms,
            ..key("idempotency", "k", id)
        });
        change
    };
    must_commit(&db.store, vec![taking("a", NOW_MS)]).await;
    assert!(matches!(
        outcome(&db.store, taking("b", NOW_MS + 999)).await,
        Outcome::KeyTaken { .. }
    ));
    assert!(
        outcome(&db.store, taking("c", NOW_MS + 1_000))
            .await
            .is_committed()
    );
    let holder = db
        .store
        .key_holder("idempotency", "k")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(holder.instance_id.as_deref(), Some("c"));
    assert!(
        db.store
            .keys_expire(NOW_MS + 10_000_000_000, 100)
            .await
            .unwrap()
            > 0
    );
    assert_eq!(db.store.key_holder("idempotency", "k").await.unwrap(), None);
    db.end().await;
}

async fn released_key_is_free(db: Db) {
    let with_key = |id: &str| {
        let mut change = start(id);
        change.keys.push(key("business:sharing/apply", "GX-1", id));
        change
    };
    must_commit(&db.store, vec![with_key("a")]).await;
    let mut end = finish("a", 1);
    end.add(KeyGone {
        scope: "business:sharing/apply".into(),
        value: "GX-1".into(),
    });
    must_commit(&db.store, vec![end]).await;
    must_commit(&db.store, vec![with_key("b")]).await;
    db.end().await;
}

async fn consumed_inbox_rows_are_told(db: Db) {
    let store = &db.store;
    must_commit(store, vec![start("a"), start("b")]).await;
    let mut tell = Change::without_instance(NOW_MS);
    for id in ["m1", "m2"] {
        let row = InboxRow {
            instance_id: "a".into(),
            id: id.into(),
            kind: "event".into(),
            body: "{}".into(),
            ready_at_ms: NOW_MS,
        };
        tell.add(row);
    }
    must_commit(store, vec![tell.clone(), tell]).await;
    assert_eq!(
        store.inbox_of("a", 10).await.unwrap().len(),
        2,
        "telling twice is telling once"
    );

    let mut first = go_on("a", 1, "1");
    first.inbox_taken = vec!["m1".into()];
    must_commit(store, vec![first]).await;
    let mut second = go_on("a", 2, "2");
    second.inbox_taken = vec!["m1".into(), "m2".into()];
    let answers = store.commit(vec![go_on("b", 1, "1"), second]).await;
    assert!(
        answers[0].as_ref().unwrap().is_committed(),
        "a neighbour commits"
    );
    assert_eq!(
        answers[1],
        Ok(Outcome::InputGone {
            inbox: vec!["m1".into()]
        })
    );
    assert_eq!(
        store.inbox_of("a", 10).await.unwrap().len(),
        1,
        "the loser's other row is still there"
    );
    db.end().await;
}
