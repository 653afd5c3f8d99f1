//! How instances come, go and come again; what their rows may hold.

use tongban_store::{
    Base, CandidateGone, Change, ChangeError, Child, DecisionRow, HeadUpdate, Next, Outcome,
    PartyRow, StoreError, WakeGone,
};

use crate::support::{
    Db, NOW_MS, finish, go_on, head, history, must_commit, on_both, outcome, running, start,
};

on_both!(
    first_activation_ends_without_state,
    end_and_revival,
    child_is_born_with_its_parent,
    whatever_text_comes_back,
    bad_changes_are_refused,
);

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
