//! Codes, versions, withdrawal.

#[path = "../../register/tests/shelf/mod.rs"]
mod shelf;
mod site;

use shelf::{NOW_MS, refused};
use site::{case, item, publish};
use tongban_expr::{Value, value};

#[tokio::test]
async fn a_new_entry_gets_its_code() {
    let case = case();
    let first = publish(&case, item("公交")).await;
    let expected = value!({ "code": "307001/000001", "version": 1, "publishedOn": "2026-03-02", "replaces": null });
    assert_eq!(first, expected);
    let second = publish(&case, item("地铁")).await;
    assert_eq!(second.text("code"), Some("307001/000002"));
    let other = publish(&case, item("轮渡").with("classification", "307002A")).await;
    assert_eq!(other.text("code"), Some("307002A/000001"));
    let record = case
        .shelf
        .record("catalogue", "307001/000001")
        .expect("a record");
    assert_eq!(
        (record.body.text("status"), record.unit.as_deref()),
        (Some("live"), Some("transport"))
    );
}

#[tokio::test]
async fn imported_codes_are_stepped_over() {
    let case = case();
    for code in ["307001/000001", "307001/000002"] {
        case.shelf.import(
            "catalogue",
            item(code).with("code", code),
            "transport",
            NOW_MS,
        );
    }
    assert_eq!(
        publish(&case, item("公交")).await.text("code"),
        Some("307001/000003")
    );
}

#[tokio::test]
async fn a_change_is_the_next_version_under_the_same_code() {
    let case = case();
    publish(&case, item("公交")).await;
    let named = item("公交线路").with("replaces", "307001/000001");
    let args = value!({ "item": named });
    let prepared = case
        .prepare("catalogue.publish", &args)
        .await
        .expect("prepared");
    assert_eq!(prepared.value.get("version"), Some(&value!(2)));
    let [write] = &prepared.records[..] else {
        panic!("one record")
    };
    assert_eq!(
        (write.base_version, write.history, write.body.text("name")),
        (Some(1), true, Some("公交线路"))
    );
    // The version that is live until now is what the commit replaces, not before.
    let live = case
        .shelf
        .record("catalogue", "307001/000001")
        .expect("a record");
    assert_eq!(
        (live.body.text("name"), live.body.text("status")),
        (Some("公交"), Some("live"))
    );
    case.shelf.commit(&prepared.records, NOW_MS);
    // The same provider and name is the same resource, even when nobody names its code.
    let again = publish(&case, item("公交线路")).await;
    assert_eq!(
        (again.text("code"), again.get("version")),
        (Some("307001/000001"), Some(&value!(3)))
    );
}

#[tokio::test]
async fn another_class_is_another_code_and_the_old_one_goes() {
    let case = case();
    publish(&case, item("公交")).await;
    let moved = item("公交").with("classification", "307009");
    let result = publish(&case, moved.clone()).await;
    assert_eq!(result.text("code"), Some("307009/000001"));
    assert_eq!(
        (result.get("version"), result.text("replaces")),
        (Some(&value!(2)), Some("307001/000001"))
    );
    let old = case
        .shelf
        .record("catalogue", "307001/000001")
        .expect("a record");
    assert_eq!(old.body.text("status"), Some("superseded"));
    // Provider and name lead to the new one from now on.
    let next = publish(&case, moved).await;
    assert_eq!(
        (next.text("code"), next.get("version")),
        (Some("307009/000001"), Some(&value!(3)))
    );
}

#[tokio::test]
async fn entries_that_cannot_be_published() {
    let mut case = case();
    publish(&case, item("公交")).await;
    for (item, words) in [
        (item("x").with("classification", Value::Null), "class code"),
        (item("x").with("classification", "3070"), "`3070`"),
        (item("x").with("classification", "30700a"), "`30700a`"),
        (
            item("x").with("replaces", "307001/000009"),
            "`307001/000009`",
        ),
        (
            item("x")
                .with("replaces", "307001/000001")
                .with("provider", "police"),
            "cannot replace",
        ),
        (
            item("x").with("sharing", value!({ "type": "secret" })),
            "item[0].sharing.type",
        ),
        (value!("text"), "`item`"),
    ] {
        let result = case
            .prepare("catalogue.publish", &value!({ "item": item }))
            .await;
        refused(result, "validation", 400, words);
    }
    case.workflow = "test/other".to_owned();
    let result = case
        .prepare("catalogue.publish", &value!({ "item": item("x") }))
        .await;
    refused(result, "authorization", 403, "test/other");
}

#[tokio::test]
async fn withdrawing() {
    let case = case();
    publish(&case, item("公交")).await;
    let withdraw = |code: &str, on: &str| value!({ "resource": code, "on": on });
    refused(
        case.prepare(
            "catalogue.withdraw",
            &withdraw("307001/000009", "2026-04-01"),
        )
        .await,
        "validation",
        404,
        "307001/000009",
    );
    refused(
        case.prepare("catalogue.withdraw", &withdraw("307001/000001", "soon"))
            .await,
        "validation",
        400,
        "`soon`",
    );
    let result = case
        .write(
            "catalogue.withdraw",
            &withdraw("307001/000001", "2026-04-01"),
        )
        .await;
    let expected =
        value!({ "code": "307001/000001", "status": "withdrawn", "on": "2026-04-01", "ended": [] });
    assert_eq!(result, Ok(expected));
    let record = case
        .shelf
        .record("catalogue", "307001/000001")
        .expect("a record");
    assert_eq!(record.body.text("status"), Some("withdrawn"));
    assert_eq!(record.body.text("withdrawnOn"), Some("2026-04-01"));
    assert_eq!(record.body.text("name"), Some("公交"));
    refused(
        case.prepare(
            "catalogue.withdraw",
            &withdraw("307001/000001", "2026-04-01"),
        )
        .await,
        "conflict",
        409,
        "is withdrawn",
    );
    // Published again, it lives again.
    assert_eq!(
        publish(&case, item("公交")).await.get("version"),
        Some(&value!(2))
    );
}
