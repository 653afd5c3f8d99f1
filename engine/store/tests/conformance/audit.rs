//! The audit chains: what was changed afterwards shows.

use tongban_store::{AuditEntry, Change, NodeRow, Outcome, Verdict};

use crate::support::{Db, NOW_MS, go_on, must_commit, on_both, outcome, start};

on_both!(
    audit_is_chained,
    chains_are_sealed_in_good_order,
    chains_of_nodes_that_were_killed_are_closed,
);

fn audited(n: i64) -> Change {
    let mut change = Change::without_instance(NOW_MS);
    change.audit.push(AuditEntry {
        at_ms: NOW_MS + n,
        who: "person:li".into(),
        act: "organisation.change".into(),
        object: "tax".into(),
        body: n.to_string(),
    });
    change
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

async fn chains_of_nodes_that_were_killed_are_closed(db: Db) {
    must_commit(&db.store, vec![audited(1)]).await;
    let mut db = db.reopened().await;
    // What a killed node leaves behind: a chain that nobody sealed, of a node that is seen, or is not any more.
    for (node, seen, open) in [("lives", true, 2), ("killed", false, 1)] {
        db.tamper(&format!(
            "UPDATE audit_chain SET node = '{node}', head = NULL, closed_at_ms = NULL WHERE chain =
             (SELECT chain FROM audit WHERE body = '1')"
        ))
        .await;
        if seen {
            let row = NodeRow {
                id: node.into(),
                seen_at_ms: NOW_MS,
                ..NodeRow::default()
            };
            db.store.node_seen(&row, 0).await.unwrap();
        }
        db = db.reopened().await;
        must_commit(&db.store, vec![audited(2)]).await;
        assert_eq!(
            db.count("audit_chain WHERE closed_at_ms IS NULL").await,
            open,
            "{node}"
        );
    }
    // Its head is in the chain that closed it: a tail that is cut shows.
    db.tamper("DELETE FROM audit WHERE body = '1'").await;
    let Verdict::Broken { why, .. } = db.store.audit_verify().await.unwrap() else {
        panic!("the tail is cut")
    };
    assert!(why.contains("saw as head"), "{why}");
    db.end().await;
}
