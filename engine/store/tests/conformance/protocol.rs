//! Keys, gates, counts: who wins, who loses, and what is left of a loser.

use tongban_store::{
    AuditEntry, Base, CandidateGone, CandidateRow, CandidatesGone, Change, ChangeError,
    CheckpointRow, Child, DecisionRow, HeadUpdate, InboxRow, KeyGone, Lost, NO_DUE_MS, Next,
    Outcome, PartyRow, SearchRow, StoreError, Verdict, WakeGone, WorkItemRow,
};

use crate::support::{
    Db, NOW_MS, finish, go_on, head, history, ids, key, must_commit, on_both, outcome, running,
    start,
};

on_both!(
    batch_of_200_with_losers_and_poison,
    late_change_of_one_instance_loses,
    keys_in_one_batch,
    expired_holder_gives_way,
    released_key_is_free,
    consumed_inbox_rows_are_told,
    first_activation_ends_without_state,
    end_and_revival,
    child_is_born_with_its_parent,
    whatever_text_comes_back,
    bad_changes_are_refused,
    statements_are_counted,
    audit_is_chained,
    chains_are_sealed_in_good_order,
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

    let changes: Vec<Change> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| {
            let stale = n < 20;
            let mut change = go_on(id, if stale { 7 } else { 1 }, "1");
            change.add(PartyRow {
                principal: "person:wu".into(),
                instance_id: id.clone(),
                why: "signer".into(),
                at_ms: NOW_MS,
            });
            change.add(SearchRow {
                workflow: "sharing/apply".into(),
                name: "no".into(),
                value: n.to_string(),
                instance_id: id.clone(),
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
        })
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
        let won = outcome.is_committed();
        let id = &ids[n];
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
    db.end().await;
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

async fn first_activation_ends_without_state(db: Db) {
    let mut change = Change::of_instance("a", Base::New, Next::Ended, NOW_MS);
    change.add(tongban_store::InstanceRow {
        status: "completed".into(),
        ended_at_ms: Some(NOW_MS),
        ..head("a")
    });
    change.add(history("a", 1));
    assert_eq!(
        outcome(&db.store, change).await,
        Outcome::Committed { version: 1 }
    );
    assert_eq!(db.store.instance_state("a").await.unwrap(), None);
    assert_eq!(
        db.store.instance_head("a").await.unwrap().unwrap().status,
        "completed"
    );
    db.end().await;
}

async fn end_and_revival(db: Db) {
    must_commit(&db.store, vec![start("a")]).await;
    must_commit(&db.store, vec![finish("a", 1)]).await;
    assert_eq!(db.store.instance_state("a").await.unwrap(), None);
    let revive = || {
        let mut change = Change::of_instance("a", Base::Ended(2), running("again"), NOW_MS);
        change.add(history("a", 3));
        change.add(HeadUpdate {
            id: "a".into(),
            status: "running".into(),
            changed_at_ms: NOW_MS,
            ..HeadUpdate::default()
        });
        change.add(tongban_store::Wake {
            instance_id: "a".into(),
            ready_at_ms: NOW_MS,
        });
        change
    };
    assert_eq!(
        outcome(&db.store, revive()).await,
        Outcome::Committed { version: 3 }
    );
    assert!(
        !outcome(&db.store, revive()).await.is_committed(),
        "nobody is revived twice"
    );
    assert_eq!(
        db.store.instance_state("a").await.unwrap().unwrap().version,
        3
    );
    db.end().await;
}

async fn child_is_born_with_its_parent(db: Db) {
    must_commit(&db.store, vec![start("p")]).await;
    let with_child = |version: i64| {
        let mut change = go_on("p", version, "waits for c");
        change.children.push(Child {
            id: "c".into(),
            format: 1,
            body: "born".into(),
        });
        change.add(tongban_store::InstanceRow {
            parent_id: Some("p".into()),
            ..head("c")
        });
        change.add(history("c", 1));
        change.add(tongban_store::Wake {
            instance_id: "c".into(),
            ready_at_ms: NOW_MS,
        });
        change
    };
    assert!(matches!(
        outcome(&db.store, with_child(9)).await,
        Outcome::Lost(_)
    ));
    assert_eq!(db.store.instance_head("c").await.unwrap(), None);
    must_commit(&db.store, vec![with_child(1)]).await;
    assert_eq!(
        db.store.instance_state("c").await.unwrap().unwrap().body,
        "born"
    );
    assert_eq!(
        db.store.instance_children("p", "", 10).await.unwrap()[0].id,
        "c"
    );
    db.end().await;
}

async fn whatever_text_comes_back(db: Db) {
    let body = "引号\" 反\\斜 \n\t\r\u{1}\u{1f}\u{7f} {\"a\":[1,null]} 😀 \u{2028} 'x'";
    let mut change = start("a");
    change.add(PartyRow {
        principal: body.into(),
        instance_id: "a".into(),
        why: String::new(),
        at_ms: i64::MAX,
    });
    change.add(PartyRow {
        principal: "low".into(),
        instance_id: "a".into(),
        why: "null".into(),
        at_ms: i64::MIN,
    });
    must_commit(&db.store, vec![change]).await;
    must_commit(&db.store, vec![go_on("a", 1, body)]).await;
    assert_eq!(
        db.store.instance_state("a").await.unwrap().unwrap().body,
        body
    );
    let parties = db.store.parties("a").await.unwrap();
    assert!(
        parties.contains(&(body.into(), String::new())),
        "{parties:?}"
    );
    assert!(parties.contains(&("low".into(), "null".into())));
    db.end().await;
}

async fn bad_changes_are_refused(db: Db) {
    let mut foreign = start("a");
    foreign.add(history("b", 1));
    assert_eq!(foreign.check(), Err(ChangeError::Foreign("history")));
    let nul = start("a\0");
    assert!(matches!(nul.check(), Err(ChangeError::Nul(_))));
    let large = go_on("a", 1, &"x".repeat(5 * 1024 * 1024));
    assert!(matches!(large.check(), Err(ChangeError::TooLarge { .. })));
    let told = large.check().expect_err("too large").to_string();
    assert!(told.contains("`instance_state` takes 5242881"), "{told}");
    let headless = Change::of_instance("a", Base::New, running("0"), NOW_MS);
    assert_eq!(headless.check(), Err(ChangeError::HeadMissing));
    let answers = db.store.commit(vec![foreign, start("good"), nul]).await;
    assert!(matches!(&answers[0], Ok(Outcome::Refused(refusal)) if refusal.code == "change"));
    assert!(answers[1].as_ref().unwrap().is_committed());
    assert!(matches!(&answers[2], Ok(Outcome::Refused(_))));
    let error = tongban_store::Committer::new(db.store.clone())
        .queue(tongban_store::Priority::People, large)
        .err();
    assert!(matches!(
        error,
        Some(StoreError::Change(ChangeError::TooLarge { .. }))
    ));
    db.end().await;
}

fn open_item(change: &mut Change, id: &str) {
    change.add(WorkItemRow {
        instance_id: id.into(),
        n: 1,
        run_id: "review".into(),
        round: 1,
        kind: "approve".into(),
        title: "审核".into(),
        status: "open".into(),
        opened_at_ms: NOW_MS,
        ..WorkItemRow::default()
    });
    change.add(CandidateRow {
        candidate: "person:wu".into(),
        instance_id: id.into(),
        n: 1,
        opened_at_ms: NOW_MS,
        due_at_ms: NO_DUE_MS,
        claimed: None,
    });
}

async fn statements_are_counted(db: Db) {
    let store = &db.store;
    let count = async |change: Change| {
        let before = store.statement_count();
        let outcome = outcome(store, change).await;
        assert!(outcome.is_committed(), "{outcome:?}");
        store.statement_count() - before
    };
    // W1: five automatic steps, one activation.
    let mut five = Change::of_instance("w1", Base::New, Next::Ended, NOW_MS);
    five.add(tongban_store::InstanceRow {
        status: "completed".into(),
        ended_at_ms: Some(NOW_MS),
        ..head("w1")
    });
    five.add(history("w1", 1));
    five.add(PartyRow {
        principal: "person:li".into(),
        instance_id: "w1".into(),
        why: "starter".into(),
        at_ms: NOW_MS,
    });
    five.keys.push(key("idempotency", "w1", "w1"));
    let w1 = count(five).await;
    assert!(w1 <= 7, "a W1 instance took {w1} statements");

    // W2: start with a work item, a checkpoint, a search field and a deadline.
    let mut begin = start("w2");
    open_item(&mut begin, "w2");
    begin.add(CheckpointRow {
        instance_id: "w2".into(),
        path: "review".into(),
        run_id: "review".into(),
        input: "{}".into(),
        context: "{}".into(),
    });
    begin.add(SearchRow {
        workflow: "sharing/apply".into(),
        name: "resource".into(),
        value: "r".into(),
        instance_id: "w2".into(),
    });
    begin.keys.push(key("idempotency", "w2", "w2"));
    let w2 = count(begin).await;
    assert!(w2 <= 13, "the start of a W2 instance took {w2} statements");

    let mut decide = finish("w2", 1);
    decide.add(WorkItemRow {
        instance_id: "w2".into(),
        n: 1,
        run_id: "review".into(),
        round: 1,
        status: "closed".into(),
        outcome: Some("approved".into()),
        ..WorkItemRow::default()
    });
    decide.add(CandidatesGone {
        instance_id: "w2".into(),
        n: 1,
    });
    decide.add(DecisionRow {
        instance_id: "w2".into(),
        n: 1,
        round: 1,
        signer_id: "wu".into(),
        person_id: "wu".into(),
        act: "approve".into(),
        channel: "api".into(),
        at_ms: NOW_MS,
        ..DecisionRow::default()
    });
    decide.add(tongban_store::CheckpointsGone {
        instance_id: "w2".into(),
    });
    decide.keys.push(key("idempotency", "w2-decision", "w2"));
    let decision = count(decide).await;
    assert!(decision <= 13, "a decision took {decision} statements");

    // What a batch costs does not depend on how many are in it.
    let before = store.statement_count();
    must_commit(store, ids(300).iter().map(|id| start(id)).collect()).await;
    let batch = store.statement_count() - before;
    assert!(batch <= 8, "a batch of 300 starts took {batch} statements");
    assert_eq!(store.candidates("w2", 1).await.unwrap(), vec![]);
    db.end().await;
}

async fn audit_is_chained(db: Db) {
    let entry = |n: i64| AuditEntry {
        at_ms: NOW_MS + n,
        who: "person:li".into(),
        act: "instance.suspend".into(),
        object: "a".into(),
        body: format!("{{\"n\":{n}}}"),
    };
    must_commit(&db.store, vec![start("a")]).await;
    for n in 0..5 {
        let mut change = Change::without_instance(NOW_MS);
        change.audit = vec![entry(2 * n), entry(2 * n + 1)];
        must_commit(&db.store, vec![change]).await;
    }
    let mut loser = go_on("a", 9, "x");
    loser.audit.push(entry(99));
    assert!(matches!(outcome(&db.store, loser).await, Outcome::Lost(_)));
    assert!(matches!(
        db.store.audit_verify().await.unwrap(),
        Verdict::Whole { rows: 10, .. }
    ));
    assert_eq!(
        db.store.audit_of("a", i64::MAX, 100).await.unwrap().len(),
        10,
        "a loser leaves no audit row"
    );
    assert_eq!(
        db.store
            .audit_by("person:li", NOW_MS + 3, 100)
            .await
            .unwrap()
            .len(),
        3
    );

    db.tamper("UPDATE audit SET body = '{\"n\":40}' WHERE body = '{\"n\":4}'")
        .await;
    let Verdict::Broken { why, .. } = db.store.audit_verify().await.unwrap() else {
        panic!("a changed row shows")
    };
    assert!(why.contains("hash of the row's columns"), "{why}");
    db.tamper("DELETE FROM audit WHERE body = '{\"n\":40}'")
        .await;
    let Verdict::Broken { .. } = db.store.audit_verify().await.unwrap() else {
        panic!("a missing row shows")
    };
    db.end().await;
}

async fn chains_are_sealed_in_good_order(db: Db) {
    let audited = |n: i64| {
        let mut change = Change::without_instance(NOW_MS);
        change.audit.push(AuditEntry {
            at_ms: NOW_MS + n,
            who: "person:li".into(),
            act: "organisation.change".into(),
            object: "tax".into(),
            body: n.to_string(),
        });
        change
    };
    must_commit(&db.store, vec![audited(1)]).await;
    must_commit(&db.store, vec![audited(2)]).await;
    let db = db.reopened().await;
    assert!(matches!(
        db.store.audit_verify().await.unwrap(),
        Verdict::Whole { chains: 1, rows: 2 }
    ));
    must_commit(&db.store, vec![audited(3)]).await;
    assert!(matches!(
        db.store.audit_verify().await.unwrap(),
        Verdict::Whole { chains: 2, rows: 3 }
    ));
    // Cutting the tail of a sealed chain shows.
    db.tamper("DELETE FROM audit WHERE body = '2'").await;
    let Verdict::Broken { why, .. } = db.store.audit_verify().await.unwrap() else {
        panic!("the tail is cut")
    };
    assert!(why.contains("sealed head"), "{why}");
    db.end().await;
}

#[test]
fn rows_read_back_from_a_change() {
    let mut change = start("a");
    change.add(WakeGone {
        instance_id: "a".into(),
    });
    change.add(CandidateGone {
        candidate: "c".into(),
        instance_id: "a".into(),
        n: 3,
    });
    assert_eq!(change.rows.of::<CandidateGone>()[0].n, 3);
    assert_eq!(
        change.rows.of::<tongban_store::HistoryRow>(),
        vec![history("a", 1)]
    );
    assert_eq!(change.rows.of::<DecisionRow>(), vec![]);
}
