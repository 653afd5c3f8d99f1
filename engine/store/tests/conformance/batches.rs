//! The cases of a batch: who has not come to a step, and whose item of it is held.

use tongban_store::{
    BatchStep, CandidateRow, Change, HeadUpdate, NO_DUE_MS, SearchRow, WorkItemRow,
};

use crate::support::{Db, NOW_MS, finish, go_on, must_commit, on_both, start};

on_both!(a_batch_is_complete_when_nobody_is_missing,);

const CAMPAIGN: &str = "sharing/apply";

/// Opens an item of a step: somebody may act on it unless it is held.
fn arrive(change: &mut Change, id: &str, run_id: &str, held: bool) {
    change.add(WorkItemRow {
        instance_id: id.into(),
        n: 1,
        run_id: run_id.into(),
        round: 1,
        kind: "approve".into(),
        status: "open".into(),
        opened_at_ms: NOW_MS,
        ..WorkItemRow::default()
    });
    if !held {
        change.add(CandidateRow {
            candidate: "person:wu".into(),
            instance_id: id.into(),
            n: 1,
            opened_at_ms: NOW_MS,
            due_at_ms: NO_DUE_MS,
            claimed: None,
        });
    }
}

/// A case of a street, with its item of the step, or without.
fn grid(id: &str, street: &str, item: Option<(&str, bool)>) -> Change {
    let mut change = start(id);
    for (name, value) in [("campaign", "2026"), ("street", street)] {
        change.add(SearchRow {
            workflow: CAMPAIGN.into(),
            name: name.into(),
            value: value.into(),
            instance_id: id.into(),
        });
    }
    if let Some((run_id, held)) = item {
        arrive(&mut change, id, run_id, held);
    }
    change
}

async fn a_batch_is_complete_when_nobody_is_missing(db: Db) {
    let store = &db.store;
    let fields = |street: &str| {
        vec![
            ("campaign".to_owned(), "2026".to_owned()),
            ("street".to_owned(), street.to_owned()),
        ]
    };
    let (north, south) = (fields("north"), fields("south"));
    let step = |fields, except| BatchStep {
        workflow: CAMPAIGN,
        fields,
        path: "review",
        except,
    };
    must_commit(
        store,
        vec![
            grid("a", "north", Some(("review", true))),
            grid("b", "north", Some(("review#2", false))),
            grid("c", "north", None),
            grid("d", "north", Some(("reviewer", true))),
            grid("e", "south", None),
        ],
    )
    .await;
    assert!(store.batch_lacks(step(&north, "a")).await.unwrap());
    assert_eq!(store.batch_held(step(&north, "x")).await.unwrap(), ["a"]);
    assert!(
        store
            .batch_held(step(&north, "a"))
            .await
            .unwrap()
            .is_empty()
    );
    // Who is excused or done is not waited for, and who asks does not look at itself.
    let mut excused = finish("c", 1);
    excused.add(HeadUpdate {
        id: "c".into(),
        status: "cancelled".into(),
        changed_at_ms: NOW_MS,
        ended_at_ms: Some(NOW_MS),
        ..HeadUpdate::default()
    });
    must_commit(store, vec![excused]).await;
    assert!(store.batch_lacks(step(&north, "a")).await.unwrap());
    assert!(!store.batch_lacks(step(&north, "d")).await.unwrap());
    let mut arrives = go_on("d", 1, "1");
    arrive(&mut arrives, "d", "review", true);
    must_commit(store, vec![arrives]).await;
    assert!(!store.batch_lacks(step(&north, "a")).await.unwrap());
    assert_eq!(
        store.batch_held(step(&north, "x")).await.unwrap(),
        ["a", "d"]
    );
    assert!(store.batch_lacks(step(&south, "a")).await.unwrap());
    assert!(
        !store.batch_lacks(step(&[], "a")).await.unwrap(),
        "no batch"
    );
    db.end().await;
}
