//! Grants: issued, extended, revoked, ended with their resource.

#[path = "../../register/tests/shelf/mod.rs"]
mod shelf;
mod site;

use shelf::{DAY_MS, NOW_MS, refused};
use site::{case, item, publish};
use tongban_expr::{Value, value};
use tongban_plugin::GrantStatus;

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
async fn grants_that_say_nothing_sensible_are_not_issued() {
    let case = case();
    publish(&case, item("公交")).await;
    for (name, given, words) in [
        ("holder", value!("nobody"), "`nobody`"),
        ("fields", value!([]), "at least one field"),
        ("fields", value!("线路名称"), "`fields`"),
        ("fields", value!(["号牌"]), "线路名称, 首班时间"),
        ("purpose", value!(""), "`purpose`"),
        ("until", value!("2026-02-01"), "is over"),
        ("until", value!("never"), "`never`"),
        ("until", Value::Null, "grant[0].until"),
    ] {
        let args = grant().with(name, given);
        let answer = case.prepare("grant.issue", &args).await;
        refused(answer, "validation", 400, words);
    }
}

#[tokio::test]
async fn only_a_live_resource_that_is_shared_is_granted() {
    let case = case();
    publish(&case, item("公交")).await;
    let sharing = value!({ "type": "none", "basis": "《示例法》第一条" });
    publish(&case, item("内部").with("sharing", sharing)).await;
    publish(&case, item("旧")).await;
    let withdrawn = value!({ "resource": "307001/000003" });
    case.write("catalogue.withdraw", &withdrawn)
        .await
        .expect("withdrawn");
    for (resource, family, status, words) in [
        ("x", "validation", 404, "`x`"),
        ("307001/000002", "authorization", 403, "《示例法》第一条"),
        ("307001/000003", "conflict", 409, "is withdrawn"),
    ] {
        let args = grant().with("resource", resource);
        let answer = case.prepare("grant.issue", &args).await;
        refused(answer, family, status, words);
    }
}

#[tokio::test]
async fn extending() {
    let case = case();
    publish(&case, item("公交")).await;
    case.write("grant.issue", &grant()).await.expect("issued");
    let extend = value!({ "id": "SQ2026-000001", "until": "2027-12-31" });
    let prepared = case
        .prepare("grant.extend", &extend)
        .await
        .expect("prepared");
    assert_eq!(prepared.value.text("until"), Some("2027-12-31"));
    assert_eq!(prepared.value.text("before"), Some("2026-12-31"));
    assert_eq!(prepared.value.get("fields"), Some(&value!(["线路名称"])));
    let [right] = &prepared.grants[..] else {
        panic!("one right")
    };
    assert_eq!(right.status, GrantStatus::Active);
    assert_eq!(
        (right.unit.as_str(), right.mode.as_str()),
        ("police", "api")
    );
    assert!(
        right
            .ends_at_ms
            .is_some_and(|end| end > NOW_MS + 600 * DAY_MS)
    );
    case.shelf.commit(&prepared.records, NOW_MS);
    let record = case
        .shelf
        .record("grants", "SQ2026-000001")
        .expect("a record")
        .body;
    assert_eq!(
        (
            record.text("until"),
            record.text("status"),
            record.text("purpose")
        ),
        (Some("2027-12-31"), Some("active"), Some("check"))
    );
    for (args, family, status, words) in [
        (
            extend.clone().with("until", "2026-01-01"),
            "validation",
            400,
            "is over",
        ),
        (
            extend.clone().with("until", "soon"),
            "validation",
            400,
            "`soon`",
        ),
        (extend.clone().with("id", "x"), "validation", 404, "`x`"),
    ] {
        refused(
            case.prepare("grant.extend", &args).await,
            family,
            status,
            words,
        );
    }
    case.write("grant.revoke", &value!({ "id": "SQ2026-000001" }))
        .await
        .expect("revoked");
    let answer = case.prepare("grant.extend", &extend).await;
    refused(answer, "conflict", 409, "only one in force can be extended");
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
