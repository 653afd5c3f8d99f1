//! Bundles, sessions, incidents, sequences, purge, and the invariants themselves.

use tongban_store::{
    ApiKeyRow, BlobRow, BundleRow, BundleTrusted, Change, ChangeError, CheckpointRow,
    CredentialRow, IncidentClosed, IncidentRow, NodeRow, Outcome, PersonRow, SessionRow,
    SessionsOfPersonGone, WorkflowRow,
};

use crate::support::{Db, NOW_MS, finish, go_on, key, must_commit, on_both, outcome, start};

on_both!(
    bundles_keep_their_promise,
    signing_in,
    operations,
    large_values,
    purge_takes_everything,
    invariants_are_named,
    clock_and_sequence,
);

fn bundle(digest: &str, version: &str) -> BundleRow {
    BundleRow {
        digest: digest.into(),
        workflow: "sharing/apply".into(),
        version: version.into(),
        manifest: "{}".into(),
        published_by: "li".into(),
        published_at_ms: NOW_MS,
        origin: "api".into(),
    }
}

/// Publishes a bundle and makes it the current one.
fn publish(row: &BundleRow) -> Change {
    let mut change = row.publish(&[("workflow.yaml".into(), "f1".into())], NOW_MS);
    let current_bundle = Some(row.digest.clone());
    change.add(WorkflowRow {
        name: row.workflow.clone(),
        current_bundle,
        owner_unit: None,
        version: row.version.clone(),
    });
    change
}

async fn bundles_keep_their_promise(db: Db) {
    let store = &db.store;
    store.file_put("f1", b"do: []").await.unwrap();
    store.file_put("f1", b"do: []").await.unwrap();
    must_commit(store, vec![publish(&bundle("d1", "1.0.0"))]).await;
    let mut change = Change::without_instance(NOW_MS);
    change.add(bundle("d1", "1.0.0").trusted());
    must_commit(store, vec![change]).await;
    let trusted = store.bundle("d1").await.unwrap().unwrap();
    assert_eq!(trusted.origin, "site");
    let mut change = Change::without_instance(NOW_MS);
    change.add(BundleTrusted {
        origin: "api".into(),
        ..trusted.trusted()
    });
    must_commit(store, vec![change]).await;
    let Outcome::KeyTaken { holder } = outcome(store, publish(&bundle("d2", "1.0.0"))).await else {
        panic!("other bytes under a used version");
    };
    assert_eq!(holder.digest, "d1");
    must_commit(store, vec![publish(&bundle("d2", "1.1.0"))]).await;
    assert_eq!(
        store.bundle("d1").await.unwrap(),
        Some(bundle("d1", "1.0.0"))
    );
    assert_eq!(
        store
            .bundle_of("sharing/apply", "1.1.0")
            .await
            .unwrap()
            .unwrap()
            .digest,
        "d2"
    );
    assert_eq!(
        store.bundle_files("d1").await.unwrap(),
        [("workflow.yaml".to_owned(), b"do: []".to_vec())]
    );
    assert_eq!(
        store
            .workflow("sharing/apply")
            .await
            .unwrap()
            .unwrap()
            .current_bundle
            .as_deref(),
        Some("d2")
    );
    assert_eq!(
        (
            store.workflows().await.unwrap().len(),
            store.bundles("sharing/apply").await.unwrap().len()
        ),
        (1, 2)
    );
    db.end().await;
}

async fn signing_in(db: Db) {
    let store = &db.store;
    let session = |hash: &str| SessionRow {
        hash: hash.into(),
        person_id: "li".into(),
        body: "{}".into(),
        created_at_ms: NOW_MS,
        expires_at_ms: NOW_MS + 10,
    };
    let mut change = Change::without_instance(NOW_MS);
    change.add(PersonRow {
        id: "li".into(),
        name: "李".into(),
        login: Some("li".into()),
        body: "{}".into(),
        ..PersonRow::default()
    });
    change.add(CredentialRow {
        person_id: "li".into(),
        hash: "$argon2id$".into(),
        changed_at_ms: NOW_MS,
        failed: 0,
        locked_until_ms: None,
    });
    change.add(session("s1"));
    change.add(session("s2"));
    change.add(ApiKeyRow {
        hash: "k1".into(),
        prefix: "tb_12".into(),
        name: "税务".into(),
        unit_id: Some("tax".into()),
        scopes: "[]".into(),
        created_at_ms: NOW_MS,
        ..ApiKeyRow::default()
    });
    must_commit(store, vec![change]).await;
    assert_eq!(
        store.person_by_login("li").await.unwrap().unwrap().name,
        "李"
    );
    assert_eq!(
        store.credential("li").await.unwrap().unwrap().hash,
        "$argon2id$"
    );
    assert_eq!(store.session("s1").await.unwrap(), Some(session("s1")));
    assert_eq!(
        store
            .api_key("k1")
            .await
            .unwrap()
            .unwrap()
            .unit_id
            .as_deref(),
        Some("tax")
    );
    assert_eq!(store.api_keys().await.unwrap().len(), 1);
    let mut out = Change::without_instance(NOW_MS);
    out.add(SessionsOfPersonGone {
        person_id: "li".into(),
    });
    must_commit(store, vec![out]).await;
    assert_eq!(store.session("s1").await.unwrap(), None);
    assert_eq!(store.sessions_expire(NOW_MS + 10, 10).await.unwrap(), 0);
    db.end().await;
}

async fn operations(db: Db) {
    let store = &db.store;
    let mut change = start("a");
    change.add(IncidentRow {
        id: "n1".into(),
        instance_id: Some("a".into()),
        kind: "fault".into(),
        error: "{}".into(),
        at_ms: NOW_MS,
        ..IncidentRow::default()
    });
    must_commit(store, vec![change]).await;
    assert_eq!(store.incidents_open("", 10).await.unwrap().len(), 1);
    let mut change = Change::without_instance(NOW_MS);
    change.add(IncidentClosed {
        id: "n1".into(),
        closed_by: Some("li".into()),
        closed_at_ms: Some(NOW_MS),
    });
    must_commit(store, vec![change]).await;
    assert_eq!(store.incidents_open("", 10).await.unwrap(), vec![]);
    assert_eq!(
        store.incidents_of("a").await.unwrap()[0]
            .closed_by
            .as_deref(),
        Some("li")
    );
    let node = |id: &str, seen_at_ms: i64| NodeRow {
        id: id.into(),
        version: "0.1.0".into(),
        format_max: 1,
        seen_at_ms,
    };
    store.node_seen(&node("n1", NOW_MS), 0).await.unwrap();
    store
        .node_seen(&node("n2", NOW_MS + 5), NOW_MS)
        .await
        .unwrap();
    assert_eq!(store.nodes(0).await.unwrap().len(), 2);
    store
        .node_seen(&node("n2", NOW_MS + 9), NOW_MS + 1)
        .await
        .unwrap();
    assert_eq!(store.nodes(0).await.unwrap(), [node("n2", NOW_MS + 9)]);
    db.end().await;
}

async fn large_values(db: Db) {
    let store = &db.store;
    // More than a change may otherwise carry: the input of an instance is stored whole.
    let whole = format!("[{}1]", "123456789012345678,".repeat(700_000));
    let mut born = start("whole");
    born.add(BlobRow {
        instance_id: "whole".into(),
        digest: "w".into(),
        body: whole.clone(),
    });
    must_commit(store, vec![born]).await;
    assert!(store.blobs("whole", &["w"]).await.unwrap()[0].body == whole);
    let mut too_large = go_on("whole", 1, "1");
    for digest in ["x", "y"] {
        too_large.add(BlobRow {
            instance_id: "whole".into(),
            digest: digest.into(),
            body: "1".repeat(90 << 20),
        });
    }
    let refused = too_large.check();
    assert!(matches!(refused, Err(ChangeError::BlobsTooLarge(found)) if found > 180 << 20));
    let large = "甲".repeat(300_000);
    let mut change = start("a");
    change.add(BlobRow {
        instance_id: "a".into(),
        digest: "d".into(),
        body: large.clone(),
    });
    change.add(BlobRow {
        instance_id: "a".into(),
        digest: "d".into(),
        body: large.clone(),
    });
    change.add(CheckpointRow {
        instance_id: "a".into(),
        path: "review".into(),
        run_id: "review".into(),
        input: "1".into(),
        context: "{}".into(),
    });
    must_commit(store, vec![change]).await;
    let mut change = go_on("a", 1, "1");
    change.add(CheckpointRow {
        instance_id: "a".into(),
        path: "review".into(),
        run_id: "review#2".into(),
        input: "2".into(),
        context: "{}".into(),
    });
    must_commit(store, vec![change]).await;
    assert_eq!(
        store.blobs("a", &["d", "none"]).await.unwrap()[0].body,
        large
    );
    let checkpoint = store.checkpoint("a", "review").await.unwrap().unwrap();
    assert_eq!(
        (checkpoint.run_id.as_str(), checkpoint.input.as_str()),
        ("review#2", "2")
    );
    assert_eq!(store.checkpoints("a").await.unwrap().len(), 1);
    db.end().await;
}

async fn purge_takes_everything(db: Db) {
    let store = &db.store;
    let mut change = start("a");
    change.keys.push(key("business", "1", "a"));
    must_commit(store, vec![change, start("b")]).await;
    let mut end = finish("a", 1);
    end.add(tongban_store::HeadUpdate {
        id: "a".into(),
        status: "completed".into(),
        changed_at_ms: NOW_MS,
        ended_at_ms: Some(NOW_MS),
        purge_at_ms: Some(NOW_MS + 100),
        ..tongban_store::HeadUpdate::default()
    });
    must_commit(store, vec![end]).await;
    assert_eq!(store.purge(NOW_MS + 99, 10).await.unwrap(), 0);
    assert_eq!(store.purge(NOW_MS + 100, 10).await.unwrap(), 1);
    assert_eq!(store.instance_head("a").await.unwrap(), None);
    assert_eq!(store.history("a", 0, 10).await.unwrap(), vec![]);
    assert_eq!(store.parties("a").await.unwrap(), vec![]);
    assert_eq!(store.key_holder("business", "1").await.unwrap(), None);
    assert!(store.instance_state("b").await.unwrap().is_some());
    db.end().await;
}

async fn invariants_are_named(db: Db) {
    let store = &db.store;
    must_commit(store, vec![start("a"), start("b"), start("c")]).await;
    assert_eq!(
        store.invariants_broken().await.unwrap(),
        Vec::<String>::new()
    );
    db.tamper("DELETE FROM wake WHERE instance_id = 'a'").await;
    assert_eq!(store.instances_stranded("", 10).await.unwrap(), ["a"]);
    let (found, end) = store.instances_stranded_among("", 1).await.unwrap();
    assert_eq!(
        (found.as_slice(), end.as_deref()),
        (&["a".to_owned()][..], Some("a"))
    );
    assert!(
        store
            .instances_stranded_among("z", 1)
            .await
            .unwrap()
            .1
            .is_none()
    );
    db.tamper("UPDATE history SET version = 5 WHERE instance_id = 'b'")
        .await;
    db.tamper("DELETE FROM instance WHERE id = 'c'").await;
    let broken = store.invariants_broken().await.unwrap().join("\n");
    for part in [
        "nothing will wake a running instance (I1): a",
        "history has gaps (I2): b",
        "row of `party` has no instance: c",
    ] {
        assert!(broken.contains(part), "{part} in {broken}");
    }
    db.remove().await;
}

async fn clock_and_sequence(db: Db) {
    let store = &db.store;
    assert!(store.clock_ms().await.unwrap() > NOW_MS);
    assert_eq!(store.sequence("GX2026").await.unwrap(), 0);
    assert_eq!(store.sequence_take("GX2026", 1).await.unwrap(), 1);
    assert_eq!(store.sequence_take("GX2026", 10).await.unwrap(), 2);
    assert_eq!(store.sequence_take("GX2026", 1).await.unwrap(), 12);
    assert_eq!(store.sequence("GX2026").await.unwrap(), 12);
    db.end().await;
}
