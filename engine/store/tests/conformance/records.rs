//! Guarded records: versions, unique values, lookups.

use tongban_store::{
    AccessRow, Change, GrantRow, Lost, Outcome, RecordKey, RecordNext, RecordWrite, RegisterRow,
};

use crate::support::{Db, NOW_MS, go_on, must_commit, on_both, outcome, start};

on_both!(
    two_guards_of_which_one_loses,
    first_to_name_a_guard_has_it,
    unique_values,
    history_is_kept_when_asked,
    by_value_in_order,
    lookups,
    registers_grants_and_reads
);

fn put(id: &str, base: i64, body: &str, keys: &[(&str, &str, bool)]) -> RecordWrite {
    let keys = keys
        .iter()
        .map(|(name, value, unique)| RecordKey {
            name: (*name).into(),
            value: (*value).into(),
            unique: *unique,
        })
        .collect();
    RecordWrite {
        register: "persons".into(),
        id: id.into(),
        base,
        next: RecordNext::Put {
            unit_id: Some("tax".into()),
            body: body.into(),
            provenance: "{}".into(),
            mark: None,
            keys,
        },
        history: true,
        by_instance: Some("a".into()),
    }
}

fn keep(id: &str, base: i64) -> RecordWrite {
    RecordWrite {
        next: RecordNext::Keep,
        ..put(id, base, "", &[])
    }
}

fn writes(records: Vec<RecordWrite>) -> Change {
    Change {
        records,
        ..Change::without_instance(NOW_MS)
    }
}

async fn two_guards_of_which_one_loses(db: Db) {
    let store = &db.store;
    must_commit(
        store,
        vec![
            start("a"),
            writes(vec![put("p1", 0, "1", &[]), put("p2", 0, "1", &[])]),
        ],
    )
    .await;
    must_commit(store, vec![writes(vec![put("p2", 1, "2", &[])])]).await;
    let mut change = go_on("a", 1, "1");
    change.records = vec![put("p1", 1, "mine", &[]), put("p2", 1, "mine", &[])];
    let lost = Lost::Record {
        register: "persons".into(),
        id: "p2".into(),
        current: Some(2),
    };
    assert_eq!(outcome(store, change).await, Outcome::Lost(lost));
    assert_eq!(
        store.record("persons", "p1").await.unwrap().unwrap().body,
        "1"
    );
    assert_eq!(
        store.record_history("persons", "p1").await.unwrap().len(),
        1
    );
    assert_eq!(store.instance_state("a").await.unwrap().unwrap().version, 1);
    db.end().await;
}

async fn first_to_name_a_guard_has_it(db: Db) {
    let store = &db.store;
    must_commit(store, vec![writes(vec![put("p1", 0, "1", &[])])]).await;
    let answers = store
        .commit(vec![
            writes(vec![keep("p1", 1)]),
            writes(vec![keep("p1", 1)]),
            writes(vec![put("p1", 1, "2", &[])]),
        ])
        .await;
    assert!(
        answers[0].as_ref().unwrap().is_committed() && answers[1].as_ref().unwrap().is_committed()
    );
    assert!(matches!(answers[2], Ok(Outcome::Lost(_))));
    let answers = store
        .commit(vec![
            writes(vec![put("p1", 1, "2", &[])]),
            writes(vec![put("p1", 1, "3", &[])]),
        ])
        .await;
    assert!(answers[0].as_ref().unwrap().is_committed());
    assert!(matches!(answers[1], Ok(Outcome::Lost(_))));
    assert_eq!(
        store.record("persons", "p1").await.unwrap().unwrap().body,
        "2"
    );
    assert!(matches!(
        outcome(store, writes(vec![put("p1", 0, "new", &[])])).await,
        Outcome::Lost(_)
    ));
    assert!(matches!(
        outcome(store, writes(vec![keep("none", 1)])).await,
        Outcome::Lost(_)
    ));
    assert!(
        outcome(store, writes(vec![keep("none", 0)]))
            .await
            .is_committed()
    );
    db.end().await;
}

/// A write of one person with an identity number.
fn numbered(id: &str, base: i64, body: &str, number: &str) -> Change {
    writes(vec![put(id, base, body, &[("idNumber", number, true)])])
}

async fn unique_values(db: Db) {
    const NUMBER: &str = "11010519491231002X";
    let store = &db.store;
    must_commit(store, vec![numbered("p1", 0, "1", NUMBER)]).await;
    let answers = store
        .commit(vec![
            numbered("p2", 0, "1", NUMBER),
            numbered("p3", 0, "1", "440524188001010014"),
        ])
        .await;
    let Ok(Outcome::RecordKeyTaken { holder, name, .. }) = &answers[0] else {
        panic!("{:?}", answers[0])
    };
    assert_eq!((holder.as_str(), name.as_str()), ("p1", "idNumber"));
    assert!(
        answers[1].as_ref().unwrap().is_committed(),
        "a neighbour commits"
    );
    assert_eq!(store.record("persons", "p2").await.unwrap(), None);
    // The same record keeps its own value, and gives it up when it changes.
    must_commit(store, vec![numbered("p1", 1, "2", NUMBER)]).await;
    must_commit(store, vec![numbered("p1", 2, "3", "other")]).await;
    must_commit(store, vec![numbered("p2", 0, "1", NUMBER)]).await;
    let removed = RecordWrite {
        next: RecordNext::Gone,
        ..put("p2", 1, "", &[])
    };
    must_commit(store, vec![writes(vec![removed])]).await;
    assert_eq!(store.record("persons", "p2").await.unwrap(), None);
    assert_eq!(store.record_history("persons", "p2").await.unwrap(), vec![]);
    assert_eq!(
        store
            .record_find("persons", &[("idNumber", NUMBER)], "", 10)
            .await
            .unwrap(),
        vec![]
    );
    db.end().await;
}

async fn history_is_kept_when_asked(db: Db) {
    let store = &db.store;
    let forgetful = RecordWrite {
        history: false,
        ..put("p1", 1, "2", &[])
    };
    must_commit(store, vec![writes(vec![put("p1", 0, "1", &[])])]).await;
    must_commit(store, vec![writes(vec![forgetful])]).await;
    must_commit(store, vec![writes(vec![put("p1", 2, "3", &[])])]).await;
    let kept = store.record_history("persons", "p1").await.unwrap();
    let kept: Vec<(i64, &str)> = kept
        .iter()
        .map(|row| (row.version, row.body.as_str()))
        .collect();
    assert_eq!(kept, [(1, "1"), (3, "3")]);
    let gone = RecordWrite {
        next: RecordNext::Gone,
        ..put("p1", 3, "", &[])
    };
    must_commit(store, vec![writes(vec![gone])]).await;
    assert_eq!(store.record_history("persons", "p1").await.unwrap(), vec![]);
    // Whoever bears the name later begins anew.
    must_commit(store, vec![writes(vec![put("p1", 0, "1", &[])])]).await;
    db.end().await;
}

async fn by_value_in_order(db: Db) {
    let store = &db.store;
    let dated = |id: &str, date: &str| put(id, 0, "{}", &[("=until", date, false)]);
    let records = vec![
        dated("p1", "2031-01-01"),
        dated("p2", "2024-05-01"),
        dated("p3", "2024-05-01"),
        dated("p4", "2023-12-31"),
        dated("p5", "null"),
        dated("p6", "1999-01-01"),
    ];
    must_commit(store, vec![writes(records)]).await;
    let mut seen = Vec::new();
    let mut after = (String::new(), String::new());
    loop {
        let page = store
            .records_between(
                "persons",
                "=until",
                ("2000-01-01", "2031-01-01"),
                (&after.0, &after.1),
                2,
            )
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        let date = if last.id == "p4" {
            "2023-12-31"
        } else {
            "2024-05-01"
        };
        after = (date.to_owned(), last.id.clone());
        seen.extend(page.into_iter().map(|row| row.id));
    }
    assert_eq!(seen, ["p4", "p2", "p3"]);
    db.end().await;
}

async fn lookups(db: Db) {
    let store = &db.store;
    let car = |id: &str, owner: &str, colour: &str| {
        put(
            id,
            0,
            "{}",
            &[("owner", owner, false), ("colour", colour, false)],
        )
    };
    must_commit(
        store,
        vec![writes(vec![
            car("c1", "li", "red"),
            car("c2", "li", "blue"),
            car("c3", "wu", "red"),
        ])],
    )
    .await;
    let found = async |conditions: &[(&str, &str)], after: &str| {
        let rows = store
            .record_find("persons", conditions, after, 10)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(found(&[("owner", "li")], "").await, ["c1", "c2"]);
    assert_eq!(found(&[("owner", "li")], "c1").await, ["c2"]);
    assert_eq!(
        found(&[("owner", "li"), ("colour", "red")], "").await,
        ["c1"]
    );
    assert_eq!(
        found(&[("owner", "nobody")], "").await,
        Vec::<String>::new()
    );
    assert_eq!(found(&[], "c1").await, ["c2", "c3"]);
    for (conditions, count) in [
        (&[("owner", "li")][..], 2),
        (&[("owner", "li"), ("colour", "red")], 1),
        (&[("owner", "nobody")], 0),
        (&[], 3),
    ] {
        let counted = store.record_find_count("persons", conditions).await;
        assert_eq!(counted.unwrap(), count, "{conditions:?}");
    }
    assert_eq!(
        store
            .records_of_unit("persons", "tax", "c2", 10)
            .await
            .unwrap()[0]
            .id,
        "c3"
    );
    assert_eq!(store.record_count("persons").await.unwrap(), 3);
    assert_eq!(
        store
            .records("persons", &["c3", "c1", "none"])
            .await
            .unwrap()
            .len(),
        2
    );
    db.end().await;
}

async fn registers_grants_and_reads(db: Db) {
    let store = &db.store;
    let mut change = Change::without_instance(NOW_MS);
    change.add(RegisterRow {
        name: "persons".into(),
        version: "1.0.0".into(),
        schema: "{}".into(),
        authority: "{}".into(),
        rights: "[]".into(),
    });
    change.add(AccessRow {
        id: "x1".into(),
        register: "persons".into(),
        record_id: Some("p1".into()),
        who: "person:li".into(),
        why: "a".into(),
        fields: "[]".into(),
        count: 1,
        at_ms: NOW_MS,
    });
    change.add(GrantRow {
        id: "g1".into(),
        resource: "population".into(),
        unit_id: "tax".into(),
        fields: "[]".into(),
        mode: "api".into(),
        purpose: "税收".into(),
        status: "active".into(),
        ..GrantRow::default()
    });
    must_commit(store, vec![change]).await;
    assert_eq!(
        store.register("persons").await.unwrap().unwrap().version,
        "1.0.0"
    );
    assert_eq!(store.registers().await.unwrap().len(), 1);
    assert_eq!(
        store
            .accesses_of_record("persons", "p1", i64::MAX, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        store.accesses_by("person:li", NOW_MS, 10).await.unwrap(),
        vec![]
    );
    assert_eq!(store.grants_of_unit("tax", None).await.unwrap().len(), 1);
    assert_eq!(
        store.grants_of_unit("tax", Some("other")).await.unwrap(),
        vec![]
    );
    assert_eq!(
        store.grants_of_resource("population").await.unwrap()[0].purpose,
        "税收"
    );
    assert_eq!(store.grant("g1").await.unwrap().unwrap().unit_id, "tax");
    db.end().await;
}
