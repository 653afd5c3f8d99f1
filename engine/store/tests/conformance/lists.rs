//! What people see: only what they may, newest or most urgent first, page by page, each line once.

use tongban_store::{
    CandidateRow, Change, ClockEntryRow, ClockRow, DecisionRow, DraftGone, DraftRow, Filter,
    HeadUpdate, InboxCursor, InboxFilter, InstanceRow, NO_DUE_MS, NoteRow, OrganisationRows,
    PartyRow, SearchRow, Seen, Store, TextRow, UnitRow, WorkItemRow,
};

use crate::support::{
    Db, NOW_MS, finish, go_on, head, history, must_commit, on_both, running, start,
};

on_both!(
    instances_of_principals,
    instances_by_what_they_are,
    instances_of_a_subtree,
    inbox_pages,
    inbox_narrowed,
    drafts,
    work_of_an_instance,
    full_text,
);

fn case(id: &str, unit: &str, principals: &[&str]) -> Change {
    let mut change = Change::of_instance(id, tongban_store::Base::New, running("0"), NOW_MS);
    change.add(InstanceRow {
        unit_id: Some(unit.into()),
        number: Some(format!("GX-{id}")),
        ..head(id)
    });
    change.add(history(id, 1));
    change.add(tongban_store::Wake {
        instance_id: id.into(),
        ready_at_ms: NOW_MS,
    });
    for principal in principals {
        change.add(PartyRow {
            principal: (*principal).into(),
            instance_id: id.into(),
            why: "party".into(),
            at_ms: NOW_MS,
        });
    }
    change.add(SearchRow {
        workflow: "sharing/apply".into(),
        name: "unit".into(),
        value: unit.into(),
        instance_id: id.into(),
    });
    change
}

async fn listed(
    store: &Store,
    seen: Seen<'_>,
    filter: &Filter,
    before: Option<&str>,
    limit: usize,
) -> Vec<String> {
    store
        .instances(seen, filter, before, limit)
        .await
        .unwrap()
        .into_iter()
        .map(|head| head.id)
        .collect()
}

/// Four cases of two units, the third of them ended; gives the principals of somebody who may see the first three.
async fn four_cases(store: &Store) -> [String; 2] {
    must_commit(
        store,
        vec![
            case("i1", "tax", &["person:li", "unit:tax"]),
            case("i2", "tax", &["unit:tax"]),
            case("i3", "road", &["person:li"]),
            case("i4", "road", &["person:wu"]),
        ],
    )
    .await;
    must_commit(store, vec![finish("i3", 1)]).await;
    ["person:li".to_owned(), "unit:tax".to_owned()]
}

async fn instances_of_principals(db: Db) {
    let store = &db.store;
    let mine = four_cases(store).await;
    let all = Filter::default();
    assert_eq!(
        listed(store, Seen::By(&mine), &all, None, 10).await,
        ["i3", "i2", "i1"]
    );
    assert_eq!(
        listed(store, Seen::By(&mine), &all, None, 2).await,
        ["i3", "i2"]
    );
    assert_eq!(
        listed(store, Seen::By(&mine), &all, Some("i2"), 2).await,
        ["i1"]
    );
    assert_eq!(
        listed(store, Seen::By(&[]), &all, None, 10).await,
        Vec::<String>::new()
    );
    assert_eq!(
        listed(store, Seen::All, &all, None, 10).await,
        ["i4", "i3", "i2", "i1"]
    );
    assert_eq!(
        store.party_of("i4", &mine).await.unwrap(),
        vec![],
        "a person of another unit sees nothing"
    );
    db.end().await;
}

async fn instances_by_what_they_are(db: Db) {
    let store = &db.store;
    let mine = four_cases(store).await;
    let ended = Filter {
        status: Some("completed".into()),
        ..Filter::default()
    };
    assert_eq!(
        listed(store, Seen::By(&mine), &ended, None, 10).await,
        ["i3"]
    );
    let field = Filter {
        fields: vec![("unit".into(), "tax".into())],
        workflow: Some("sharing/apply".into()),
        ..Filter::default()
    };
    assert_eq!(
        listed(store, Seen::By(&mine), &field, None, 10).await,
        ["i2", "i1"]
    );
    let none = Filter {
        fields: vec![
            ("unit".into(), "tax".into()),
            ("unit".into(), "road".into()),
        ],
        ..Filter::default()
    };
    assert_eq!(
        listed(store, Seen::By(&mine), &none, None, 10).await,
        Vec::<String>::new()
    );
    let early = Filter {
        until_ms: Some(NOW_MS),
        ..Filter::default()
    };
    assert_eq!(
        listed(store, Seen::All, &early, None, 10).await,
        Vec::<String>::new()
    );
    assert_eq!(
        store.instance_by_number("GX-i2").await.unwrap().unwrap().id,
        "i2"
    );
    assert_eq!(store.instance_by_number("GX-i9").await.unwrap(), None);
    db.end().await;
}

async fn instances_of_a_subtree(db: Db) {
    let store = &db.store;
    let unit = |id: &str, parent: Option<&str>| UnitRow {
        id: id.into(),
        parent_id: parent.map(str::to_owned),
        name: id.into(),
        level: "unit".into(),
        body: "{}".into(),
        ..UnitRow::default()
    };
    let rows = OrganisationRows {
        units: vec![
            unit("city", None),
            unit("district", Some("city")),
            unit("street", Some("district")),
            unit("tax", Some("city")),
        ],
        ..OrganisationRows::default()
    };
    let mut change = Change::without_instance(NOW_MS);
    rows.clone().add_to(&mut change);
    must_commit(store, vec![change]).await;
    assert_eq!(store.organisation().await.unwrap(), rows);
    must_commit(
        store,
        vec![
            case("i1", "street", &[]),
            case("i2", "tax", &[]),
            case("i3", "district", &[]),
        ],
    )
    .await;
    let all = Filter::default();
    assert_eq!(
        listed(store, Seen::Below("district"), &all, None, 10).await,
        ["i3", "i1"]
    );
    assert_eq!(
        listed(store, Seen::Below("city"), &all, None, 2).await,
        ["i3", "i2"]
    );
    assert_eq!(
        listed(store, Seen::Below("city"), &all, Some("i2"), 2).await,
        ["i1"]
    );
    db.end().await;
}

fn item(change: &mut Change, id: &str, n: i64, due_at_ms: Option<i64>, candidates: &[&str]) {
    change.add(WorkItemRow {
        instance_id: id.into(),
        n,
        run_id: "review".into(),
        round: 1,
        kind: "approve".into(),
        title: format!("审核 {n}"),
        status: "open".into(),
        due_at_ms,
        opened_at_ms: NOW_MS,
        ..WorkItemRow::default()
    });
    for candidate in candidates {
        change.add(CandidateRow {
            candidate: (*candidate).into(),
            instance_id: id.into(),
            n,
            opened_at_ms: NOW_MS,
            due_at_ms: due_at_ms.unwrap_or(NO_DUE_MS),
            claimed: None,
        });
    }
}

async fn inbox_pages(db: Db) {
    let store = &db.store;
    let mut first = start("a");
    item(
        &mut first,
        "a",
        1,
        Some(NOW_MS + 50),
        &["person:wu", "role:leader@tax"],
    );
    item(&mut first, "a", 2, None, &["role:leader@tax"]);
    let mut second = start("b");
    item(&mut second, "b", 1, Some(NOW_MS + 10), &["role:leader@tax"]);
    item(&mut second, "b", 2, None, &["person:zhao"]);
    must_commit(store, vec![first, second]).await;
    let mine = ["person:wu".to_owned(), "role:leader@tax".to_owned()];
    let place = |item: &tongban_store::InboxItem| (item.instance_id.clone(), item.n);
    let all = store
        .inbox_page(&mine, &InboxFilter::default(), &InboxCursor::default(), 10)
        .await
        .unwrap();
    assert_eq!(
        all.iter().map(place).collect::<Vec<_>>(),
        [("b".into(), 1), ("a".into(), 1), ("a".into(), 2)]
    );
    assert_eq!(
        (all[0].title.as_str(), all[0].workflow.as_str()),
        ("审核 1", "sharing/apply")
    );
    let page = store
        .inbox_page(&mine, &InboxFilter::default(), &InboxCursor::default(), 2)
        .await
        .unwrap();
    let rest = store
        .inbox_page(&mine, &InboxFilter::default(), &page[1].cursor(), 2)
        .await
        .unwrap();
    assert_eq!(
        rest.iter().map(place).collect::<Vec<_>>(),
        [("a".into(), 2)]
    );
    assert_eq!(store.inbox_count(&mine).await.unwrap(), 3);
    assert_eq!(store.inbox_count(&["person:zhao".into()]).await.unwrap(), 1);
    db.end().await;
}

async fn inbox_narrowed(db: Db) {
    let store = &db.store;
    let mut first = start("a");
    item(&mut first, "a", 1, None, &["person:wu", "role:leader@tax"]);
    item(&mut first, "a", 2, None, &["person:wu"]);
    let mut second = start("b");
    item(&mut second, "b", 1, None, &["role:leader@tax"]);
    item(&mut second, "b", 2, None, &["person:zhao"]);
    must_commit(store, vec![first, second]).await;
    let mut titled = go_on("b", 1, "1");
    titled.add(HeadUpdate {
        id: "b".into(),
        status: "running".into(),
        title: Some("100% Of_A 车辆".into()),
        changed_at_ms: NOW_MS,
        ..HeadUpdate::default()
    });
    must_commit(store, vec![titled]).await;
    let mine = ["person:wu".to_owned(), "role:leader@tax".to_owned()];
    let count = async |workflow: &str, title: &str, text: &str| {
        let filter = InboxFilter {
            workflow: workflow.into(),
            title: title.into(),
            text: text.into(),
        };
        let from = InboxCursor::default();
        let page = store.inbox_page(&mine, &filter, &from, 10).await;
        page.unwrap().len()
    };
    assert_eq!(count("sharing/apply", "", "").await, 3);
    assert_eq!(count("sharing/other", "", "").await, 0);
    assert_eq!(count("", "审核 1", "").await, 2);
    assert_eq!(count("", "", "OF_a").await, 1, "letters of any size");
    assert_eq!(count("", "", "0% o").await, 1, "signs stand for themselves");
    assert_eq!(
        count("", "", "Of%车").await,
        0,
        "signs stand for themselves"
    );
    let groups = store.inbox_groups(&mine).await.unwrap();
    let groups: Vec<_> = groups
        .iter()
        .map(|group| {
            (
                group.title.as_str(),
                group.instance_id.as_str(),
                group.items,
            )
        })
        .collect();
    assert_eq!(groups, [("审核 1", "a", 2), ("审核 2", "a", 1)]);
    db.end().await;
}

async fn drafts(db: Db) {
    let store = &db.store;
    let draft = |workflow: &str, follows: &str, body: &str, at_ms: i64| DraftRow {
        person_id: "li".into(),
        workflow: workflow.into(),
        follows: follows.into(),
        body: body.into(),
        saved_at_ms: at_ms,
    };
    let mut change = Change::without_instance(NOW_MS);
    change.add(draft("sharing/apply", "", "{\"a\":1}", NOW_MS));
    change.add(draft("sharing/dispute", "GX1", "{}", NOW_MS + 5));
    must_commit(store, vec![change]).await;
    let mut change = Change::without_instance(NOW_MS);
    change.add(draft("sharing/apply", "", "{\"a\":2}", NOW_MS + 9));
    must_commit(store, vec![change]).await;
    let kept = store.draft("li", "sharing/apply", "").await.unwrap();
    assert_eq!(kept.unwrap().body, "{\"a\":2}", "saving again replaces");
    assert_eq!(store.draft("wu", "sharing/apply", "").await.unwrap(), None);
    assert_eq!(
        store.draft("li", "sharing/dispute", "").await.unwrap(),
        None
    );
    let all = store.drafts("li", 10).await.unwrap();
    let all: Vec<&str> = all.iter().map(|row| row.workflow.as_str()).collect();
    assert_eq!(all, ["sharing/apply", "sharing/dispute"]);
    let mut gone = Change::without_instance(NOW_MS);
    gone.add(DraftGone {
        person_id: "li".into(),
        workflow: "sharing/apply".into(),
        follows: String::new(),
    });
    must_commit(store, vec![gone]).await;
    assert_eq!(store.drafts("li", 10).await.unwrap().len(), 1);
    assert_eq!(store.drafts_expire(NOW_MS + 5, 10).await.unwrap(), 0);
    assert_eq!(store.drafts_expire(NOW_MS + 6, 10).await.unwrap(), 1);
    db.end().await;
}

/// An instance with an item, a decision on it, and a clock that stands still.
fn decided() -> Change {
    let mut change = start("a");
    item(&mut change, "a", 1, None, &["person:wu"]);
    change.add(DecisionRow {
        instance_id: "a".into(),
        n: 1,
        round: 1,
        signer_id: "wu".into(),
        person_id: "wu".into(),
        act: "approve".into(),
        comment: Some("同意".into()),
        channel: "mail".into(),
        at_ms: NOW_MS,
        ..DecisionRow::default()
    });
    change.add(ClockRow {
        instance_id: "a".into(),
        id: "case".into(),
        budget: "10".into(),
        unit: "workingDays".into(),
        calendar: Some("site".into()),
        started_at_ms: NOW_MS,
        due_at_ms: Some(NOW_MS + 9),
        ..ClockRow::default()
    });
    change.add(ClockEntryRow {
        instance_id: "a".into(),
        id: "case".into(),
        seq: 1,
        kind: "pause".into(),
        at_ms: NOW_MS,
        ..ClockEntryRow::default()
    });
    change
}

async fn work_of_an_instance(db: Db) {
    let store = &db.store;
    must_commit(store, vec![decided()]).await;
    let mut note = Change::without_instance(NOW_MS);
    note.add(NoteRow {
        person_id: "wu".into(),
        instance_id: "a".into(),
        n: 1,
        read_at_ms: Some(NOW_MS),
        draft: Some("{}".into()),
    });
    must_commit(store, vec![note]).await;
    assert_eq!(store.work_items("a").await.unwrap().len(), 1);
    assert_eq!(
        store.work_item("a", 1).await.unwrap().unwrap().title,
        "审核 1"
    );
    assert_eq!(store.work_item("a", 2).await.unwrap(), None);
    assert_eq!(
        store.decisions("a").await.unwrap()[0].comment.as_deref(),
        Some("同意")
    );
    assert_eq!(
        store
            .decisions_of_person("wu", (i64::MAX, ""), 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        store
            .decisions_of_person("wu", (NOW_MS, ""), 10)
            .await
            .unwrap(),
        vec![]
    );
    assert_eq!(store.clocks("a").await.unwrap()[0].budget, "10");
    assert_eq!(store.clock_entries("a").await.unwrap().len(), 1);
    assert_eq!(
        store
            .clocks_of_calendar("site", NOW_MS, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        store
            .note("wu", "a", 1)
            .await
            .unwrap()
            .unwrap()
            .draft
            .as_deref(),
        Some("{}")
    );
    let gauges = store.gauges(NOW_MS + 60_000).await.unwrap();
    assert_eq!(
        (gauges.running, gauges.open_items, gauges.due_wakes),
        (1, 1, 1)
    );
    db.end().await;
}

async fn full_text(db: Db) {
    let store = &db.store;
    let mut change = Change::without_instance(NOW_MS);
    for (id, title) in [
        ("i1", "共享申请:人口基础信息 GX2026-0001"),
        ("i2", "目录编制:不动产 Housing"),
    ] {
        change.add(TextRow {
            kind: "case".into(),
            id: id.into(),
            words: tongban_store::text::words(title),
        });
    }
    must_commit(store, vec![change]).await;
    let find = async |text: &str| store.text_find("case", text, None, 10).await.unwrap();
    assert_eq!(find("人口").await, ["i1"]);
    assert_eq!(find("基础 gx2026").await, ["i1"]);
    assert_eq!(find("housing").await, ["i2"]);
    assert_eq!(find("人口 housing").await, Vec::<String>::new());
    assert_eq!(find("\"' | & *").await, Vec::<String>::new());
    let mut change = Change::without_instance(NOW_MS);
    change.add(TextRow {
        kind: "case".into(),
        id: "i1".into(),
        words: tongban_store::text::words("改名"),
    });
    must_commit(store, vec![change]).await;
    assert_eq!(
        find("人口").await,
        Vec::<String>::new(),
        "former words are gone"
    );
    assert_eq!(find("改名").await, ["i1"]);
    db.end().await;
}
