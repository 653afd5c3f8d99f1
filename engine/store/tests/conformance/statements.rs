//! How many statements a change takes, and that going at one go comes to the same as going step by step.

use tongban_store::{
    Base, CandidateGone, CandidateRow, CandidatesGone, Change, CheckpointRow, Child, DecisionRow,
    HeadUpdate, Lost, NO_DUE_MS, Next, Outcome, PartyRow, SearchRow, WorkItemRow,
};

use crate::support::{
    Db, NOW_MS, finish, go_on, head, history, ids, key, must_commit, on_both, outcome, start,
};

on_both!(
    statements_are_counted,
    at_one_go_and_step_by_step,
    rows_meet_in_one_change,
    a_wrong_count_is_refused,
);

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

/// W1: five automatic steps, one activation.
fn five_steps() -> Change {
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
    five
}

/// W2: start with a work item, a checkpoint, a search field and a deadline.
fn begin() -> Change {
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
    begin
}

/// Its decision, which ends it.
fn decide() -> Change {
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
    decide
}

async fn statements_are_counted(db: Db) {
    let store = &db.store;
    let count = async |change: Change| {
        let before = store.statement_count();
        let outcome = outcome(store, change).await;
        assert!(outcome.is_committed(), "{outcome:?}");
        store.statement_count() - before
    };
    let w1 = count(five_steps()).await;
    assert!(w1 <= 7, "a W1 instance took {w1} statements");

    let w2 = count(begin()).await;
    assert!(w2 <= 13, "the start of a W2 instance took {w2} statements");

    let decision = count(decide()).await;
    assert!(decision <= 13, "a decision took {decision} statements");

    // What a batch costs does not depend on how many are in it.
    let before = store.statement_count();
    must_commit(store, ids(300).iter().map(|id| start(id)).collect()).await;
    let batch = store.statement_count() - before;
    assert!(batch <= 8, "a batch of 300 starts took {batch} statements");
    assert_eq!(store.candidates("w2", 1).await.unwrap(), vec![]);
    db.end().await;
}

async fn at_one_go_and_step_by_step(db: Db) {
    let store = &db.store;
    must_commit(store, vec![start("a")]).await;
    let before = store.statement_count();
    must_commit(store, vec![start("b")]).await;
    let sent = store.statement_count() - before;
    // PostgreSQL has one statement from BEGIN to COMMIT; SQLite as many as ever, all in one call.
    let expected = if db.is_postgres() { 1..=1 } else { 8..=9 };
    assert!(expected.contains(&sent), "a start took {sent} statements");

    // The guess that all win is wrong, and nothing of it remains.
    let mut taken = go_on("a", 1, "1");
    taken.keys.push(key("idempotency", "k", "a"));
    must_commit(store, vec![taken]).await;
    let mut late = go_on("b", 1, "1");
    late.keys.push(key("idempotency", "k", "b"));
    late.keys.push(key("idempotency", "free", "b"));
    assert!(
        matches!(outcome(store, late).await, Outcome::KeyTaken { holder } if holder.instance_id.as_deref() == Some("a"))
    );
    assert_eq!(store.key_holder("idempotency", "free").await.unwrap(), None);
    assert_eq!(
        outcome(store, go_on("a", 1, "2")).await,
        Outcome::Lost(Lost::Instance { current: Some(2) })
    );
    let answers = store
        .commit(vec![go_on("a", 1, "2"), go_on("b", 1, "2")])
        .await;
    assert!(!answers[0].as_ref().unwrap().is_committed());
    assert!(answers[1].as_ref().unwrap().is_committed());
    let mut gone = go_on("b", 2, "3");
    gone.inbox_taken = vec!["never".into()];
    assert!(matches!(
        outcome(store, gone).await,
        Outcome::InputGone { .. }
    ));
    db.end().await;
}

/// A step hands the item to somebody else: rows of one table go and come in one change, the same one too.
async fn rows_meet_in_one_change(db: Db) {
    let store = &db.store;
    let candidate = |name: &str, claimed: Option<&str>| CandidateRow {
        candidate: name.into(),
        instance_id: "w2".into(),
        n: 1,
        opened_at_ms: NOW_MS,
        due_at_ms: NO_DUE_MS,
        claimed: claimed.map(str::to_owned),
    };
    let gone = |name: &str| CandidateGone {
        candidate: name.into(),
        instance_id: "w2".into(),
        n: 1,
    };
    must_commit(store, vec![begin()]).await;
    let mut other = go_on("w2", 1, "1");
    other.add(gone("person:wu"));
    other.add(candidate("person:li", None));
    must_commit(store, vec![other]).await;
    let mut same = go_on("w2", 2, "2");
    same.add(gone("person:li"));
    same.add(candidate("person:li", Some("li")));
    must_commit(store, vec![same]).await;
    assert_eq!(
        store.candidates("w2", 1).await.unwrap(),
        vec![candidate("person:li", Some("li"))]
    );
    db.end().await;
}

/// A head that is not there is a defect: the change is refused and leaves nothing.
async fn a_wrong_count_is_refused(db: Db) {
    must_commit(&db.store, vec![start("a")]).await;
    let mut change = go_on("a", 1, "1");
    change.add(HeadUpdate {
        id: "a".into(),
        status: "running".into(),
        ..HeadUpdate::default()
    });
    let mut twin = change.clone();
    // The head of a child that this change does not bear.
    twin.children.push(Child {
        id: "nobody".into(),
        format: 1,
        body: "0".into(),
    });
    twin.add(head("somebody"));
    twin.add(HeadUpdate {
        id: "nobody".into(),
        ..HeadUpdate::default()
    });
    let refused = outcome(&db.store, twin).await;
    assert!(matches!(refused, Outcome::Refused(_)), "{refused:?}");
    assert_eq!(db.store.instance_head("somebody").await.unwrap(), None);
    must_commit(&db.store, vec![change]).await;
    db.end().await;
}
