//! `register.get` and `register.find`: status, rights, the access log.

mod shelf;

use shelf::{Case, DAY_MS, NOW_MS, refused};
use tongban_expr::{Value, value};
use tongban_plugin::Source;

const PEOPLE: &str = "
register: people
key: id
alternatives: [[name, grid]]
none: unknown
stale: { days: 30 }
personal: true
covers: { since: 2010-01-01 }
schema:
  type: object
  required: [id]
  properties:
    id: { type: string, title: 身份证号 }
    name: { type: string, title: 姓名 }
    grid: { type: string }
    income: { type: number }
    home: { type: object, properties: { street: { type: string }, door: { type: string } } }
rights:
  - { workflow: test/flow, may: read }
  - { workflow: test/some, may: read, fields: [id, grid] }
  - { role: grid-worker, may: read, fields: '*', where: { grid: own-unit } }
";

const CARS: &str = "
register: cars
key: id
many: true
none: nothing
schema: { type: object, required: [id], properties: { id: { type: string }, value: { type: number } } }
rights: [{ role: '*', may: read }]
";

fn case() -> Case {
    let case = Case::new(tongban_register::plugin());
    case.shelf.define(PEOPLE);
    case.shelf.define(CARS);
    for (id, name, grid) in [
        ("p1", "张三", "g1"),
        ("p2", "李四", "g2"),
        ("p3", "张三", "g2"),
    ] {
        let body = value!({ "id": id, "name": name, "grid": grid, "income": 3000, "home": { "street": "海滨" } });
        case.shelf.import("people", body, "police", NOW_MS - DAY_MS);
    }
    for value in [1, 2] {
        case.shelf.import(
            "cars",
            value!({ "id": "p1", "value": value }),
            "police",
            NOW_MS,
        );
    }
    case
}

fn get(key: &str) -> Value {
    value!({ "register": "people", "key": key })
}

#[tokio::test]
async fn a_record_comes_whole_with_its_source() {
    let answer = case()
        .read("register.get", &get("p1"))
        .await
        .expect("an answer");
    let expected = value!({
        "status": "found",
        "record": { "id": "p1", "name": "张三", "grid": "g1", "income": 3000, "home": { "street": "海滨", "door": null } },
        "none": "unknown",
        "source": "people",
        "fetchedAt": "2026-03-01T01:00:00Z",
    });
    for (name, value) in expected.entries() {
        assert_eq!(answer.value.get(name), Some(value), "{name}");
    }
    assert_eq!(answer.value.at("about[0].source"), Some(&value!("police")));
    assert_eq!(answer.value.at("about[0].version"), Some(&value!(1)));
    assert_eq!(answer.value.at("covers.since"), Some(&value!("2010-01-01")));
}

#[tokio::test]
async fn every_look_at_a_person_is_logged() {
    let case = case();
    let args = value!({
        "register": "people", "keys": ["p1", "p9"], "fields": ["income"],
        "purpose": "住房保障资格审核", "consent": { "agreed": true },
    });
    let answer = case.read("register.get", &args).await.expect("an answer");
    let seen: Vec<(&str, u32)> = answer
        .access
        .iter()
        .map(|row| (row.record_id.as_str(), row.count))
        .collect();
    assert_eq!(seen, [("p1", 1), ("p9", 0)]);
    let row = &answer.access[0];
    assert_eq!(
        (row.who.as_str(), row.fields.as_slice()),
        ("li-na", &["income".to_owned()][..])
    );
    assert_eq!(row.why, "test/flow (C-1); 住房保障资格审核; with consent");
    assert_eq!(
        answer.value.get("record"),
        Some(&value!({ "income": 3000 }))
    );
    assert_eq!(answer.value.get("missing"), Some(&value!(["p9"])));
    let found = case
        .read(
            "register.find",
            &value!({ "register": "people", "where": { "grid": "g2" } }),
        )
        .await;
    assert_eq!(found.expect("an answer").access.len(), 2);
    let nothing = case
        .read(
            "register.find",
            &value!({ "register": "people", "where": { "grid": "x" } }),
        )
        .await;
    let nothing = nothing.expect("an answer");
    assert_eq!((nothing.access.len(), nothing.access[0].count), (1, 0));
    let open = case
        .read("register.get", &value!({ "register": "cars", "key": "p1" }))
        .await;
    assert!(open.expect("an answer").access.is_empty());
}

#[tokio::test]
async fn what_no_record_means() {
    let case = case();
    for (register, key, status, none, count) in [
        ("people", "p9", "none", "unknown", 0),
        ("cars", "p9", "none", "nothing", 0),
        ("cars", "p1", "found", "nothing", 2),
    ] {
        let args = value!({ "register": register, "key": key });
        let answer = case
            .read("register.get", &args)
            .await
            .expect("an answer")
            .value;
        assert_eq!(answer.text("status"), Some(status));
        assert_eq!(answer.text("none"), Some(none));
        assert_eq!(answer.get("records").map(Value::len), Some(count));
        assert_eq!(answer.get("record").is_some_and(Value::is_null), count == 0);
    }
}

#[tokio::test]
async fn old_data_are_stale() {
    let mut case = case();
    case.now_ms = NOW_MS + 29 * DAY_MS + 1;
    let status =
        |answer: tongban_plugin::Answer| answer.value.text("status").map(ToOwned::to_owned);
    let answer = case
        .read("register.get", &get("p1"))
        .await
        .expect("an answer");
    assert_eq!(status(answer).as_deref(), Some("stale"));
    // An import brings the whole register up to date, unchanged records too.
    let imported = Source {
        available: true,
        name: "police".to_owned(),
        fetched_at_ms: Some(NOW_MS),
    };
    case.shelf.set_source("people", imported);
    let answer = case
        .read("register.get", &get("p1"))
        .await
        .expect("an answer");
    assert_eq!(status(answer).as_deref(), Some("found"));
    case.now_ms = NOW_MS + 31 * DAY_MS;
    // A source that has not been heard of for long says nothing by its silence.
    let answer = case
        .read("register.get", &get("p9"))
        .await
        .expect("an answer");
    assert_eq!(status(answer).as_deref(), Some("stale"));
}

#[tokio::test]
async fn a_source_that_is_down() {
    let case = case();
    let down = Source {
        available: false,
        name: "police".to_owned(),
        fetched_at_ms: None,
    };
    case.shelf.set_source("people", down);
    let failure = refused(
        case.read("register.get", &get("p1")).await,
        "communication",
        503,
        "`police`",
    );
    assert!(failure.retryable);
    let args = get("p1").with("onUnavailable", "answer");
    let answer = case.read("register.get", &args).await.expect("an answer");
    assert_eq!(answer.value.text("status"), Some("unavailable"));
    assert!(answer.access.is_empty());
}

#[tokio::test]
async fn alternative_keys_and_never_a_name_alone() {
    let case = case();
    let by = |key: Value| value!({ "register": "people", "key": key });
    let answer = case
        .read(
            "register.get",
            &by(value!({ "grid": "g2", "name": "张三" })),
        )
        .await;
    assert_eq!(
        answer.expect("an answer").value.at("record.id"),
        Some(&value!("p3"))
    );
    for key in [
        value!({ "name": "张三" }),
        value!({ "name": "张三", "grid": null }),
        value!({ "income": 3000 }),
    ] {
        refused(
            case.read("register.get", &by(key)).await,
            "validation",
            400,
            "a name alone never links",
        );
    }
    let search = value!({ "register": "people", "where": { "name": "张三" } });
    refused(
        case.read("register.find", &search).await,
        "validation",
        400,
        "a name alone never links",
    );
    let definition = case
        .shelf
        .define(&PEOPLE.replace("[[name, grid]]", "[[name]]"));
    let faults = definition.faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].message.contains("must not be a name alone"));
}

#[tokio::test]
async fn rights_decide() {
    let mut case = case();
    case.workflow = "other/flow".to_owned();
    refused(
        case.read("register.get", &get("p1")).await,
        "authorization",
        403,
        "{ workflow: other/flow, may: read }",
    );
    case.workflow = "test/some".to_owned();
    let answer = case
        .read("register.get", &get("p1"))
        .await
        .expect("an answer");
    assert_eq!(
        answer.value.get("record"),
        Some(&value!({ "id": "p1", "grid": "g1" }))
    );
    let args = get("p1").with("fields", value!(["income", "grid"]));
    refused(
        case.read("register.get", &args).await,
        "authorization",
        403,
        "`income`",
    );
    case.workflow = "other/flow".to_owned();
    case.starter.roles = vec!["grid-worker".to_owned()];
    case.starter.unit = Some("g1".to_owned());
    assert!(case.read("register.get", &get("p1")).await.is_ok());
    refused(
        case.read("register.get", &get("p2")).await,
        "authorization",
        403,
        "do not show",
    );
    let all = value!({ "register": "people", "where": {} });
    let found = case
        .read("register.find", &all)
        .await
        .expect("an answer")
        .value;
    assert_eq!(found.get("total"), Some(&value!(1)));
    // The community sees its grids; whoever has no unit sees nothing.
    case.starter.unit = Some("c1".to_owned());
    let found = case
        .read("register.find", &all)
        .await
        .expect("an answer")
        .value;
    assert_eq!(found.get("total"), Some(&value!(3)));
    case.starter.unit = None;
    let found = case
        .read("register.find", &all)
        .await
        .expect("an answer")
        .value;
    assert_eq!(found.get("total"), Some(&value!(0)));
}

#[tokio::test]
async fn no_consent_no_look() {
    let case = case();
    for consent in [value!(false), value!({ "agreed": false, "signature": "x" })] {
        let args = get("p1").with("consent", consent);
        refused(
            case.read("register.get", &args).await,
            "authorization",
            403,
            "did not consent",
        );
    }
}

#[tokio::test]
async fn a_look_up_that_cannot_be_meant() {
    let case = case();
    let people = |name: &str, value: Value| value!({ "register": "people" }).with(name, value);
    for (args, family, words) in [
        (value!({ "key": "p1" }), "validation", "`register`"),
        (
            value!({ "register": "nobody", "key": "p1" }),
            "configuration",
            "`nobody`",
        ),
        (
            value!({ "register": "people" }),
            "validation",
            "`key` or `keys`",
        ),
        (people("key", Value::Null), "validation", "`key` or `keys`"),
        (
            people("key", value!("p1")).with("keys", value!([])),
            "validation",
            "found both",
        ),
        (people("keys", value!("p1")), "validation", "`keys`"),
        (
            people("key", value!("")),
            "validation",
            "a text or a whole number",
        ),
        (
            people("key", value!(1.5)),
            "validation",
            "a text or a whole number",
        ),
        (
            people("keys", value!(["p1", null])),
            "validation",
            "a text or a whole number",
        ),
        (
            get("p1").with("fields", value!(["age"])),
            "validation",
            "`age`",
        ),
        (get("p1").with("fields", "id"), "validation", "`fields`"),
    ] {
        refused(case.read("register.get", &args).await, family, 400, words);
    }
    let many: Vec<Value> = (0..501).map(|n| value!(format!("p{n}"))).collect();
    let answer = case
        .read("register.get", &people("keys", value!(many)))
        .await;
    refused(answer, "validation", 400, "at most 500");
}

#[tokio::test]
async fn a_search_that_cannot_be_meant() {
    let case = case();
    let all = value!({ "register": "people", "where": {} });
    let by = |condition: Value| value!({ "register": "people", "where": condition });
    for (args, words) in [
        (value!({ "register": "people" }), "`where`"),
        (by(value!({ "age": 1 })), "`age`"),
        (by(value!({ "home": {} })), "`home.FIELD`"),
        (by(value!([])), "`where`"),
        (all.clone().with("limit", 0), "`limit`"),
        (all.with("limit", 10_001), "`limit`"),
    ] {
        refused(
            case.read("register.find", &args).await,
            "validation",
            400,
            words,
        );
    }
}

#[tokio::test]
async fn searches_by_lists_and_limits() {
    let case = case();
    let args = value!({ "register": "people", "where": { "grid": ["g1", "g2"], "home.street": "海滨" }, "fields": ["id"], "limit": 2 });
    let found = case
        .read("register.find", &args)
        .await
        .expect("an answer")
        .value;
    assert_eq!(
        found,
        value!({ "records": [{ "id": "p1" }, { "id": "p2" }], "total": 3 })
    );
}
