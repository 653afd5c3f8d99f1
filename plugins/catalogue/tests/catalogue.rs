//! Codes, versions, withdrawal, grants.

#[path = "../../register/tests/shelf/mod.rs"]
mod shelf;

use shelf::{Case, DAY_MS, NOW_MS, refused};
use tongban_expr::{Value, value};
use tongban_plugin::GrantStatus;

const CATALOGUE: &str = "
register: catalogue
key: code
alternatives: [[provider, name]]
schema:
  type: object
  required: [name, provider, sharing]
  properties:
    name: { type: string }
    provider: { type: string }
    sharing: { type: object, required: [type], properties: { type: { enum: [unconditional, conditional, none] }, basis: { type: string } } }
    items: { type: array, items: { type: object } }
    replaces: { type: string }
    classification: { type: string }
adds:
  code: { type: string }
  version: { type: integer }
  status: { enum: [live, superseded, withdrawn] }
  publishedOn: { type: string, format: date }
  withdrawnOn: { type: string, format: date }
authority: { '*': '${ record.provider }' }
history: versions
rights: [{ role: '*', may: read }, { workflow: test/flow, may: write }]
";

const GRANTS: &str = "
register: grants
key: id
schema:
  type: object
  required: [id, resource, holder, fields, purpose, mode, until, status, case]
  additionalProperties: false
  properties:
    id: { type: string }
    resource: { type: string }
    holder: { type: string }
    fields: { type: array, items: { type: string } }
    purpose: { type: string }
    mode: { type: string }
    until: { type: string, format: date }
    status: { enum: [active, expired, revoked] }
    case: { type: string }
rights: [{ function: grant.issue, may: write }]
";

fn case() -> Case {
    let case = Case::new(tongban_catalogue::plugin());
    for register in [CATALOGUE, GRANTS] {
        let definition = case.shelf.define(register);
        assert_eq!(definition.faults(), Vec::new());
    }
    case
}

fn item(name: &str) -> Value {
    value!({
        "name": name,
        "provider": "transport",
        "sharing": { "type": "conditional", "basis": null },
        "items": [{ "name": "线路名称" }, { "name": "首班时间" }],
        "classification": "307001",
        "replaces": null,
    })
}

async fn publish(case: &Case, item: Value) -> Value {
    let args = value!({ "item": item });
    case.write("catalogue.publish", &args)
        .await
        .expect("published")
}

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

fn grant() -> Value {
    value!({
        "resource": "307001/000001",
        "holder": "police",
        "fields": ["线路名称"],
        "purpose": "check",
        "mode": "api",
        "until": "2026-12-31",
    })
}

#[tokio::test]
async fn a_grant_is_a_record_and_a_right() {
    let mut case = case();
    publish(&case, item("公交")).await;
    // The right is the function's: whatever workflow calls it.
    case.workflow = "sharing/apply".to_owned();
    let prepared = case
        .prepare("grant.issue", &grant())
        .await
        .expect("prepared");
    assert_eq!(prepared.value.text("id"), Some("SQ2026-000001"));
    assert_eq!(prepared.value.text("validTo"), Some("2026-12-31"));
    let [right] = &prepared.grants[..] else {
        panic!("one right")
    };
    assert_eq!(
        (right.id.as_str(), right.unit.as_str(), right.status),
        ("SQ2026-000001", "police", GrantStatus::Active)
    );
    assert_eq!(right.fields, ["线路名称"]);
    assert!(
        right
            .ends_at_ms
            .is_some_and(|end| end > NOW_MS + 200 * DAY_MS)
    );
    case.shelf.commit(&prepared.records, NOW_MS);
    let record = case
        .shelf
        .record("grants", "SQ2026-000001")
        .expect("a record")
        .body;
    assert_eq!(
        (
            record.text("status"),
            record.text("case"),
            record.text("until")
        ),
        (Some("active"), Some("C-1"), Some("2026-12-31"))
    );
    let items = grant().with("fields", value!([{ "name": "首班时间" }]));
    let second = case.write("grant.issue", &items).await.expect("issued");
    assert_eq!(second.text("id"), Some("SQ2026-000002"));
    assert_eq!(second.get("fields"), Some(&value!(["首班时间"])));
}

#[tokio::test]
async fn grants_end_with_their_resource() {
    for (on, status, right) in [
        ("2026-04-01", "active", GrantStatus::Active),
        ("2026-02-01", "expired", GrantStatus::Expired),
    ] {
        let case = case();
        publish(&case, item("公交")).await;
        publish(&case, item("地铁")).await;
        for grant in [
            grant(),
            grant().with("until", "2026-03-05"),
            grant().with("resource", "307001/000002"),
        ] {
            case.write("grant.issue", &grant).await.expect("issued");
        }
        let args = value!({ "resource": "307001/000001", "on": on });
        let prepared = case
            .prepare("catalogue.withdraw", &args)
            .await
            .expect("prepared");
        // One ends on the day, one ended before it anyway unless the day is past; the other resource's stays.
        let ended: &[&str] = match status {
            "active" => &["SQ2026-000001"],
            _ => &["SQ2026-000001", "SQ2026-000002"],
        };
        let ids: Vec<&str> = prepared
            .grants
            .iter()
            .map(|right| right.id.as_str())
            .collect();
        assert_eq!(ids, ended, "{on}");
        assert_eq!(
            prepared.value.get("ended").map(Value::to_json),
            Some(
                Value::from(ended.iter().map(|id| Value::from(*id)).collect::<Vec<_>>()).to_json()
            )
        );
        assert!(prepared.grants.iter().all(|one| one.status == right
            && one.unit == "police"
            && one.ends_at_ms.is_some_and(|end| end < NOW_MS + 40 * DAY_MS)));
        case.shelf.commit(&prepared.records, NOW_MS);
        let record = |id: &str| case.shelf.record("grants", id).expect("a record").body;
        let first = record("SQ2026-000001");
        assert_eq!(
            (first.text("until"), first.text("status")),
            (Some(on), Some(status))
        );
        assert_eq!(record("SQ2026-000003").text("until"), Some("2026-12-31"));
        assert_eq!(
            case.shelf
                .record("catalogue", "307001/000001")
                .expect("a record")
                .body
                .text("status"),
            Some("withdrawn")
        );
    }
}

#[tokio::test]
async fn grants_that_cannot_be_issued() {
    let case = case();
    publish(&case, item("公交")).await;
    publish(
        &case,
        item("内部").with(
            "sharing",
            value!({ "type": "none", "basis": "《示例法》第一条" }),
        ),
    )
    .await;
    publish(&case, item("旧")).await;
    case.write(
        "catalogue.withdraw",
        &value!({ "resource": "307001/000003" }),
    )
    .await
    .expect("withdrawn");
    for (args, family, status, words) in [
        (
            grant().with("holder", "nobody"),
            "validation",
            400,
            "`nobody`",
        ),
        (
            grant().with("fields", value!([])),
            "validation",
            400,
            "at least one field",
        ),
        (
            grant().with("fields", "线路名称"),
            "validation",
            400,
            "`fields`",
        ),
        (
            grant().with("fields", value!(["号牌"])),
            "validation",
            400,
            "线路名称, 首班时间",
        ),
        (grant().with("purpose", ""), "validation", 400, "`purpose`"),
        (
            grant().with("until", "2026-02-01"),
            "validation",
            400,
            "is over",
        ),
        (grant().with("until", "never"), "validation", 400, "`never`"),
        (
            grant().with("until", Value::Null),
            "validation",
            400,
            "grant[0].until",
        ),
        (grant().with("resource", "x"), "validation", 404, "`x`"),
        (
            grant().with("resource", "307001/000002"),
            "authorization",
            403,
            "《示例法》第一条",
        ),
        (
            grant().with("resource", "307001/000003"),
            "conflict",
            409,
            "is withdrawn",
        ),
    ] {
        refused(
            case.prepare("grant.issue", &args).await,
            family,
            status,
            words,
        );
    }
}

#[tokio::test]
async fn revoking() {
    let case = case();
    publish(&case, item("公交")).await;
    case.write("grant.issue", &grant()).await.expect("issued");
    let revoke = value!({ "id": "SQ2026-000001", "reason": "职责划转" });
    let prepared = case
        .prepare("grant.revoke", &revoke)
        .await
        .expect("prepared");
    assert_eq!(prepared.value.text("status"), Some("revoked"));
    assert_eq!(prepared.grants[0].status, GrantStatus::Revoked);
    assert_eq!(prepared.grants[0].unit, "police");
    case.shelf.commit(&prepared.records, NOW_MS);
    let record = case
        .shelf
        .record("grants", "SQ2026-000001")
        .expect("a record")
        .body;
    assert_eq!(
        (record.text("status"), record.text("purpose")),
        (Some("revoked"), Some("check"))
    );
    refused(
        case.prepare("grant.revoke", &revoke).await,
        "conflict",
        409,
        "is revoked",
    );
    refused(
        case.prepare("grant.revoke", &value!({ "id": "x" })).await,
        "validation",
        404,
        "`x`",
    );
}
