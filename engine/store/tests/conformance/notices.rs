//! The public notices that stand now: newest first, page by page, and no other work among them.

use tongban_store::{Change, Store, WorkItemRow};

use crate::support::{Db, NOW_MS, finish, must_commit, on_both, start};

on_both!(notices_open, notices_of_ended_cases_are_gone);

fn notice(id: &str, n: i64, age_ms: i64, due_at_ms: i64) -> WorkItemRow {
    WorkItemRow {
        instance_id: id.into(),
        n,
        run_id: "publish".into(),
        round: 1,
        kind: "notice".into(),
        title: format!("公示 {id}.{n}"),
        status: "open".into(),
        due_at_ms: Some(due_at_ms),
        opened_at_ms: NOW_MS - age_ms,
        ..WorkItemRow::default()
    }
}

fn case(id: &str, rows: Vec<WorkItemRow>) -> Change {
    let mut change = start(id);
    rows.into_iter().for_each(|row| change.add(row));
    change
}

async fn listed(store: &Store, text: &str) -> Vec<(String, i64)> {
    let page = store.notices_open(text, NOW_MS, None, 10).await.unwrap();
    page.into_iter()
        .map(|row| (row.instance_id, row.n))
        .collect()
}

async fn notices_open(db: Db) {
    let store = &db.store;
    let over = notice("a", 3, 90, NOW_MS - 1);
    let closed = WorkItemRow {
        status: "closed".into(),
        ..notice("a", 4, 0, NOW_MS + 50)
    };
    let review = WorkItemRow {
        kind: "approve".into(),
        ..notice("a", 5, 0, NOW_MS + 50)
    };
    let rows = vec![notice("a", 1, 50, NOW_MS), notice("a", 2, 20, NOW_MS + 50)];
    let second = case("b", vec![notice("b", 1, 20, NOW_MS + 9)]);
    must_commit(
        store,
        vec![
            case(
                "a",
                rows.into_iter().chain([over, closed, review]).collect(),
            ),
            second,
        ],
    )
    .await;
    let found = listed(store, "").await;
    assert_eq!(found, [("b".into(), 1), ("a".into(), 2), ("a".into(), 1)]);
    assert_eq!(
        listed(store, "公示 B").await,
        [("b".into(), 1)],
        "letters of any size"
    );
    assert!(
        listed(store, "公示%").await.is_empty(),
        "signs stand for themselves"
    );

    let page = store.notices_open("", NOW_MS, None, 2).await.unwrap();
    let last = &page[1];
    let before = (last.opened_at_ms, last.instance_id.as_str(), last.n);
    let rest = store
        .notices_open("", NOW_MS, Some(before), 2)
        .await
        .unwrap();
    let rest: Vec<_> = rest
        .iter()
        .map(|row| (row.instance_id.as_str(), row.n))
        .collect();
    assert_eq!(rest, [("a", 1)]);
    db.end().await;
}

async fn notices_of_ended_cases_are_gone(db: Db) {
    let store = &db.store;
    must_commit(store, vec![case("a", vec![notice("a", 1, 5, NOW_MS + 50)])]).await;
    assert_eq!(listed(store, "").await.len(), 1);
    must_commit(store, vec![finish("a", 1)]).await;
    assert!(listed(store, "").await.is_empty());
    db.end().await;
}
