//! `register.put` and `register.amend`: schema, keys, numbers, provenance, locks.

mod shelf;

use shelf::{Case, DAY_MS, NOW_MS, refused};
use tongban_expr::{Value, value};

const ITEMS: &str = "
register: items
key: code
alternatives: [[name, owner]]
history: versions
schema:
  type: object
  required: [name, owner]
  additionalProperties: false
  properties:
    code: { type: string, x-number: 'I{yyyy}-{seq:3}' }
    name: { type: string, maxLength: 5 }
    owner: { type: string }
    size: { type: integer, minimum: 1 }
    since: { type: string, format: date }
    parts: { type: array, items: { type: object, required: [id], properties: { id: { type: string } } } }
    status: { enum: [live, retired], default: live }
adds:
  label: { type: string, x-derived: rules/label.rhai }
authority: { size: police, '*': '${ record.owner }' }
rights: [{ workflow: test/flow, may: write }, { role: '*', may: read }]
";

const PEOPLE: &str = "
register: people
key: id
schema:
  type: object
  properties: { id: { type: string, x-check: resident-id }, name: { type: string } }
";

const CARS: &str = "
register: cars
key: id
many: true
schema: { type: object, required: [id], properties: { id: { type: string }, value: { type: number } } }
";

fn case() -> Case {
    let case = Case::new(tongban_register::plugin());
    for register in [ITEMS, PEOPLE, CARS] {
        let definition = case.shelf.define(register);
        assert_eq!(definition.faults(), Vec::new());
    }
    case
}

fn put(records: Value) -> Value {
    value!({ "register": "items", "records": records })
}

fn item(name: &str) -> Value {
    value!({ "name": name, "owner": "transport" })
}

#[tokio::test]
async fn new_records_get_numbers_defaults_and_derived_fields() {
    let case = case();
    let result = case
        .write("register.put", &put(value!([item("路"), item("桥")])))
        .await
        .expect("written");
    assert_eq!(
        result.get("keys"),
        Some(&value!(["I2026-001", "I2026-002"]))
    );
    assert_eq!(result.get("count"), Some(&value!(2)));
    let record = case.shelf.record("items", "I2026-002").expect("a record");
    assert_eq!(record.body.text("code"), Some("I2026-002"));
    assert_eq!(record.body.text("status"), Some("live"));
    assert_eq!(record.body.text("label"), Some("桥!"));
    assert_eq!(record.unit.as_deref(), Some("transport"));
    let source = record.provenance.of("name").expect("a source");
    assert_eq!(
        (source.source.as_str(), source.case.as_deref()),
        ("transport", Some("C-1"))
    );
    assert_eq!(source.fetched_at_ms, NOW_MS);
}

#[tokio::test]
async fn a_number_that_an_import_has_taken_is_stepped_over() {
    let case = case();
    case.shelf.import(
        "items",
        item("旧").with("code", "I2026-001"),
        "transport",
        NOW_MS,
    );
    let result = case
        .write("register.put", &put(value!([item("路"), item("桥")])))
        .await
        .expect("written");
    assert_eq!(
        result.get("keys"),
        Some(&value!(["I2026-002", "I2026-003"]))
    );
}

#[tokio::test]
async fn given_fields_replace_null_empties_the_rest_stays() {
    let case = case();
    let first = item("路").with("size", 3).with("since", "2020-01-01");
    case.write("register.put", &put(value!([first])))
        .await
        .expect("written");
    let change = value!({ "code": "I2026-001", "size": 4, "since": null });
    case.write("register.put", &put(value!([change])))
        .await
        .expect("written");
    let record = case.shelf.record("items", "I2026-001").expect("a record");
    assert_eq!(record.version, 2);
    assert_eq!(record.body.text("name"), Some("路"));
    assert_eq!(record.body.get("size"), Some(&value!(4)));
    assert_eq!(record.body.get("since"), None);
}

#[tokio::test]
async fn an_alternative_key_finds_the_record() {
    let case = case();
    case.write("register.put", &put(value!([item("路")])))
        .await
        .expect("written");
    let again = item("路").with("size", 9).with("code", Value::Null);
    let result = case
        .write("register.put", &put(value!([again])))
        .await
        .expect("written");
    assert_eq!(result.get("keys"), Some(&value!(["I2026-001"])));
    // The same name of another owner is another record.
    let other = value!({ "name": "路", "owner": "police" });
    let result = case
        .write("register.put", &put(value!([other])))
        .await
        .expect("written");
    assert_eq!(result.get("keys"), Some(&value!(["I2026-002"])));
}

#[tokio::test]
async fn a_taken_key_is_a_conflict() {
    let case = case();
    case.write("register.put", &put(value!([item("路"), item("桥")])))
        .await
        .expect("written");
    let renamed = value!({ "code": "I2026-002", "name": "路" });
    let failure = refused(
        case.prepare("register.put", &put(value!([renamed]))).await,
        "conflict",
        409,
        "I2026-001",
    );
    assert!(!failure.retryable);
    let twice = value!([item("新").with("code", "A"), item("新").with("code", "B")]);
    refused(
        case.prepare("register.put", &put(twice)).await,
        "conflict",
        409,
        "`A`",
    );
}

#[tokio::test]
async fn faults_name_every_field() {
    let case = case();
    let bad = value!([
        { "name": "太长的名字了", "owner": "police", "size": 0 },
        { "name": "路", "size": "big", "since": "yesterday", "colour": "red", "status": "new", "parts": [{ "id": "a" }, {}] },
    ]);
    let failure = refused(
        case.prepare("register.put", &put(bad)).await,
        "validation",
        400,
        "register `items` refuses",
    );
    let faults = failure.extra.get("faults").cloned().unwrap_or_default();
    let mut fields: Vec<&str> = faults
        .items()
        .filter_map(|fault| fault.text("field"))
        .collect();
    fields.sort_unstable();
    fields.dedup();
    assert_eq!(
        fields,
        [
            "records[0].name",
            "records[0].size",
            "records[1].colour",
            "records[1].owner",
            "records[1].parts[1].id",
            "records[1].since",
            "records[1].size",
            "records[1].status",
        ]
    );
    let text = |field: &str| {
        let mut all = faults.items();
        all.find(|fault| fault.text("field") == Some(field))
            .and_then(|fault| fault.text("text"))
            .map(ToOwned::to_owned)
    };
    assert_eq!(
        text("records[0].name").as_deref(),
        Some("expects at most 5 characters, found 6")
    );
    assert_eq!(
        text("records[1].size").as_deref(),
        Some("expects the type \"integer\", found a text")
    );
    assert_eq!(
        text("records[1].since").as_deref(),
        Some("expects the format \"date\"")
    );
    assert_eq!(text("records[1].owner").as_deref(), Some("is required"));
}

#[tokio::test]
async fn a_field_that_the_register_does_not_have_is_left_out() {
    let case = case();
    let args = value!({ "register": "people", "records": [{ "id": "x", "how": "new" }, { "id": "y", "how": "old" }] });
    let result = case.write("register.put", &args).await.expect("written");
    assert_eq!(result.get("ignored"), Some(&value!(["how"])));
    let record = case.shelf.record("people", "x").expect("a record");
    assert_eq!(record.body, value!({ "id": "x" }));
    let amend = value!({ "register": "people", "key": "x", "change": { "how": 1 } });
    refused(
        case.prepare("register.amend", &amend).await,
        "validation",
        400,
        "no field `how`",
    );
}

#[tokio::test]
async fn keys_that_are_none() {
    let case = case();
    let people = |record: Value| value!({ "register": "people", "records": [record] });
    for (record, words) in [
        (value!({ "name": "张三" }), "is the key and is required"),
        (value!({ "id": "" }), "a text or a whole number as key"),
        (value!({ "id": ["x"] }), "a text or a whole number as key"),
        (value!({ "id": " x" }), "outer spaces"),
        (value!({ "id": "a\nb" }), "control characters"),
        (value!({ "id": "x".repeat(201) }), "at most 200 bytes"),
        (value!("text"), "expects an object"),
    ] {
        refused(
            case.prepare("register.put", &people(record)).await,
            "validation",
            400,
            words,
        );
    }
    let twice = value!({ "register": "people", "records": [{ "id": "x" }, { "id": "x" }] });
    refused(
        case.prepare("register.put", &twice).await,
        "validation",
        400,
        "records[0]",
    );
}

#[tokio::test]
async fn a_failed_check_digit_is_a_warning() {
    let case = case();
    let args = value!({ "register": "people", "records": [{ "id": "990000199001010017" }, { "id": "990000199001010018" }] });
    let result = case.write("register.put", &args).await.expect("written");
    assert_eq!(result.get("warnings").map(Value::len), Some(1));
    assert_eq!(
        result.at("warnings[0].id"),
        Some(&value!("990000199001010018"))
    );
}

#[tokio::test]
async fn the_word_of_the_authority_stands() {
    let case = case();
    case.write(
        "register.put",
        &put(value!([item("路").with("size", 3)])).with("source", "police"),
    )
    .await
    .expect("written");
    let other = put(value!([{ "code": "I2026-001", "size": 8, "since": "2020-01-01" }]))
        .with("source", "transport");
    let result = case.write("register.put", &other).await.expect("written");
    assert_eq!(result.at("kept[0].field"), Some(&value!("size")));
    let record = case.shelf.record("items", "I2026-001").expect("a record");
    assert_eq!(record.body.get("size"), Some(&value!(3)));
    assert_eq!(record.body.text("since"), Some("2020-01-01"));
    assert_eq!(
        record
            .provenance
            .of("size")
            .map(|from| from.source.as_str()),
        Some("police")
    );
    assert_eq!(
        record
            .provenance
            .of("since")
            .map(|from| from.source.as_str()),
        Some("transport")
    );
    // The authority itself may change its word, and so may it by `amend`; nobody else.
    let amend = |source: &str| value!({ "register": "items", "key": "I2026-001", "change": { "size": 5 }, "source": source });
    refused(
        case.prepare("register.amend", &amend("transport")).await,
        "authorization",
        403,
        "the word of `police`",
    );
    let result = case
        .write("register.amend", &amend("police"))
        .await
        .expect("amended");
    assert_eq!(
        result,
        value!({ "key": "I2026-001", "version": 3, "changed": ["size"], "warnings": [] })
    );
}

#[tokio::test]
async fn locks_hold_against_other_cases() {
    let mut case = case();
    let args = put(value!([item("路")])).with("lock", "C-1");
    case.write("register.put", &args).await.expect("written");
    let change = put(value!([{ "code": "I2026-001", "size": 2 }]));
    case.write("register.put", &change)
        .await
        .expect("the case that locked it");
    case.number = "C-2".to_owned();
    let failure = refused(
        case.prepare("register.put", &change).await,
        "conflict",
        423,
        "locked by case C-1",
    );
    assert!(!failure.retryable);
    let own = change.clone().with("lock", "C-2");
    case.write("register.put", &own)
        .await
        .expect("a new acceptance takes the lock over");
    assert_eq!(
        case.shelf
            .record("items", "I2026-001")
            .and_then(|record| record.lock)
            .as_deref(),
        Some("C-2")
    );
}

#[tokio::test]
async fn the_second_write_of_an_activation_sees_the_first() {
    let mut case = case();
    let first = case
        .prepare("register.put", &put(value!([item("路")])))
        .await
        .expect("prepared");
    case.pending = first.records;
    let second = case
        .prepare(
            "register.put",
            &put(value!([item("路").with("size", 7), item("桥")])),
        )
        .await
        .expect("prepared");
    assert_eq!(
        second.value.get("keys"),
        Some(&value!(["I2026-001", "I2026-002"]))
    );
    let all: Vec<_> = case.pending.drain(..).chain(second.records).collect();
    let merged = tongban_plugin::merge(all);
    assert_eq!(merged.len(), 2);
    case.shelf.commit(&merged, NOW_MS);
    assert_eq!(
        case.shelf
            .record("items", "I2026-001")
            .and_then(|record| record.body.get("size").cloned()),
        Some(value!(7))
    );
}

#[tokio::test]
async fn a_key_with_several_records_gets_one_more() {
    let case = case();
    let cars = |value: i64| value!({ "register": "cars", "records": [{ "id": "p1", "value": value }, { "id": "p2" }] });
    let first = case.write("register.put", &cars(1)).await.expect("written");
    assert_eq!(first.get("keys"), Some(&value!(["p1#1", "p2#1"])));
    let second = case.write("register.put", &cars(2)).await.expect("written");
    assert_eq!(second.get("keys"), Some(&value!(["p1#2", "p2#2"])));
    let found = case
        .read("register.get", &value!({ "register": "cars", "key": "p1" }))
        .await
        .expect("an answer");
    assert_eq!(found.value.get("records").map(Value::len), Some(2));
    let amend = value!({ "register": "cars", "key": "p1", "change": { "value": 3 } });
    refused(
        case.prepare("register.amend", &amend).await,
        "validation",
        400,
        "several records",
    );
}

#[tokio::test]
async fn amend_changes_paths_and_marks() {
    let mut case = case();
    let parts = item("路").with("parts", value!([{ "id": "a" }, { "id": "b" }]));
    case.write("register.put", &put(value!([parts])))
        .await
        .expect("written");
    case.now_ms = NOW_MS + DAY_MS;
    let args = value!({
        "register": "items", "key": "I2026-001", "mark": "异议中",
        "change": { "parts[1].id": "c", "since": "2021-05-05" },
    });
    let prepared = case
        .prepare("register.amend", &args)
        .await
        .expect("prepared");
    assert!(prepared.records[0].history);
    assert_eq!(prepared.records[0].base_version, Some(1));
    case.shelf.commit(&prepared.records, case.now_ms);
    let record = case.shelf.record("items", "I2026-001").expect("a record");
    assert_eq!(
        record.body.get("parts"),
        Some(&value!([{ "id": "a" }, { "id": "c" }]))
    );
    assert_eq!(record.mark.as_deref(), Some("异议中"));
    assert_eq!(
        record.provenance.of("name").map(|from| from.fetched_at_ms),
        Some(NOW_MS)
    );
    assert_eq!(
        record.provenance.of("parts").map(|from| from.fetched_at_ms),
        Some(NOW_MS + DAY_MS)
    );
    let clear = value!({ "register": "items", "key": "I2026-001", "mark": "" });
    case.write("register.amend", &clear).await.expect("amended");
    assert_eq!(
        case.shelf
            .record("items", "I2026-001")
            .and_then(|record| record.mark),
        None
    );
}

#[tokio::test]
async fn amends_that_do_not_fit() {
    let case = case();
    case.write("register.put", &put(value!([item("路")])))
        .await
        .expect("written");
    let amend = |key: &str| value!({ "register": "items", "key": key });
    for (args, status, words) in [
        (
            amend("I2026-009").with("change", value!({ "size": 1 })),
            404,
            "no record `I2026-009`",
        ),
        (amend("I2026-001"), 400, "`change` or `mark`"),
        (
            amend("I2026-001").with("change", value!([1])),
            400,
            "`change`",
        ),
        (
            amend("I2026-001").with("change", value!({ "code": "X" })),
            400,
            "never changes",
        ),
        (
            amend("I2026-001").with("change", value!({ "size": "x" })),
            400,
            "record[0].size",
        ),
        (
            amend("I2026-001").with("change", value!({ "a..b": 1 })),
            400,
            "change.a..b",
        ),
        (
            amend("I2026-001").with("change", value!({ "name": null })),
            400,
            "record[0].name",
        ),
    ] {
        refused(
            case.prepare("register.amend", &args).await,
            "validation",
            status,
            words,
        );
    }
}

#[tokio::test]
async fn rights_to_write() {
    let mut case = case();
    case.workflow = "test/other".to_owned();
    refused(
        case.prepare("register.put", &put(value!([item("路")])))
            .await,
        "authorization",
        403,
        "{ workflow: test/other, may: write }",
    );
    // A register without rights is open to its own pack and closed to others.
    let people = value!({ "register": "people", "records": [{ "id": "x" }] });
    assert!(case.prepare("register.put", &people).await.is_ok());
    case.workflow = "foreign/flow".to_owned();
    refused(
        case.prepare("register.put", &people).await,
        "authorization",
        403,
        "`foreign/flow`",
    );
}
