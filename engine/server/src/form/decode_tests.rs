use serde_json::json;

use super::*;
use crate::form::access::Access;
use crate::form::{Choice, Offers, build};

struct Lists;

impl Offers for Lists {
    fn code(&self, _list: &str) -> Option<Vec<Choice>> {
        Some(vec![
            Choice::new("basis", "行政依据"),
            Choice::new("check", "数据校核"),
        ])
    }
    fn chosen(&self, _path: &str) -> Option<Vec<Choice>> {
        Some(vec![
            Choice::new("name", "姓名"),
            Choice::new("id", "证件号"),
        ])
    }
    fn units(&self, _level: Option<&str>) -> Vec<Choice> {
        Vec::new()
    }
}

fn form() -> Form {
    let schema = json!({
        "type": "object", "required": ["purpose", "scope", "members", "consent"],
        "properties": {
            "purpose": { "type": "string", "x-code": "purpose" },
            "id": { "type": "string", "pattern": "^[0-9]+$" },
            "days": { "type": "integer" },
            "share": { "type": "number" },
            "until": { "type": "string", "format": "date" },
            "scope": { "type": "object", "required": ["items"], "properties": {
                "items": { "type": "array", "items": { "type": "string" }, "x-choose": {} }, "rows": { "type": "string" } } },
            "extra": { "type": "object", "required": ["why"], "properties": { "why": { "type": "string" }, "note": { "type": "string" } } },
            "members": { "type": "array", "maxItems": 3, "items": { "type": "object", "required": ["name"], "properties": {
                "name": { "type": "string" }, "age": { "type": "integer" } } } },
            "consent": { "const": true },
            "fixed": { "type": "string", "readOnly": true }
        }
    });
    build(&schema, &Lists)
}

fn entries(pairs: &[(&str, &str)]) -> Entries {
    Entries::new(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

fn decoded(pairs: &[(&str, &str)]) -> Decoded {
    decode(
        &form(),
        &Access::edit_all(),
        &Json::Null,
        &entries(pairs),
        true,
    )
    .expect("every name is known")
}

#[test]
fn a_full_post_becomes_typed_data() {
    let full = decoded(&[
        ("purpose", "basis"),
        ("id", " 99 0001"),
        ("days", "12"),
        ("share", "0.5"),
        ("until", "2026年3月1日"),
        ("scope.items", "name"),
        ("scope.items", "id"),
        ("scope.rows", " 全部\r\n"),
        ("members[]", "2"),
        ("members[0].name", "张三"),
        ("members[0].age", "30"),
        ("members[1].name", ""),
        ("members[1].age", ""),
        ("consent", "yes"),
        ("_token", "ignored"),
    ]);
    assert_eq!(full.faults, []);
    assert_eq!(
        full.data,
        json!({ "purpose": "basis", "id": "990001", "days": 12, "share": 0.5, "until": "2026-03-01",
            "scope": { "items": ["name", "id"], "rows": "全部" }, "members": [{ "name": "张三", "age": 30 }], "consent": true })
    );
}

#[test]
fn full_width_digits_count_as_digits() {
    assert_eq!(decoded(&[("days", "12")]).data["days"], json!(12));
    assert_eq!(decoded(&[("id", "99 00")]).data["id"], json!("9900"));
}

#[test]
fn what_cannot_be_read_is_kept_and_named() {
    let bad = decoded(&[
        ("purpose", "other"),
        ("days", "zwölf"),
        ("share", "NaN"),
        ("until", "31.02.2026"),
    ]);
    let names: Vec<&str> = bad.faults.iter().map(|fault| fault.name.as_str()).collect();
    for name in [
        "purpose",
        "days",
        "share",
        "until",
        "scope.items",
        "members",
        "consent",
    ] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    assert_eq!(bad.data["days"], json!("zwölf"));
    assert!(
        !names.contains(&"extra.why"),
        "an optional group that nobody began demands nothing"
    );
    let begun = decoded(&[("extra.note", "x")]);
    assert!(begun.faults.iter().any(|fault| fault.name == "extra.why"));
}

#[test]
fn names_that_were_not_asked_refuse_the_post() {
    let refused = |pairs: &[(&str, &str)], access: &Access| {
        decode(&form(), access, &Json::Null, &entries(pairs), true)
            .expect_err("the name was never asked")
    };
    assert_eq!(
        refused(&[("status", "approved")], &Access::edit_all()),
        "status"
    );
    assert_eq!(refused(&[("fixed", "x")], &Access::edit_all()), "fixed");
    assert_eq!(
        refused(&[("members[7].name", "x")], &Access::edit_all()),
        "members[7].name"
    );
    assert_eq!(
        refused(&[("purpose", "basis")], &Access::read_all()),
        "purpose"
    );
}

#[test]
fn what_may_not_be_edited_stays_as_it_was() {
    let base = json!({ "purpose": "basis", "scope": { "items": ["name", "id"], "rows": "全部" }, "members": [{ "name": "张三", "age": 30 }] });
    let access = Access::read_all().with(
        &[],
        &["scope.items".into(), "members[].age".into()],
        &[],
        &[],
    );
    let post = entries(&[
        ("scope.items", "id"),
        ("members[0].age", "31"),
        ("members[]", "1"),
    ]);
    let decoded = decode(&form(), &access, &base, &post, true).expect("only asked names");
    assert_eq!(
        decoded.data,
        json!({ "purpose": "basis", "scope": { "items": ["id"], "rows": "全部" }, "members": [{ "name": "张三", "age": 31 }] })
    );
}

#[test]
fn rows_come_and_go_by_buttons() {
    let form = form();
    let access = Access::edit_all();
    let mut data = json!({});
    edit_rows(&form, &access, &mut data, &entries(&[("_add", "members")]));
    edit_rows(&form, &access, &mut data, &entries(&[("_add", "members")]));
    assert_eq!(data, json!({ "members": [{}, {}] }));
    data["members"][1]["name"] = json!("李四");
    edit_rows(
        &form,
        &access,
        &mut data,
        &entries(&[("_remove", "members[0]")]),
    );
    assert_eq!(data, json!({ "members": [{ "name": "李四" }] }));
    for _ in 0..9 {
        edit_rows(&form, &access, &mut data, &entries(&[("_add", "members")]));
    }
    assert_eq!(
        data["members"].as_array().map(Vec::len),
        Some(3),
        "no more rows than the schema allows"
    );
    edit_rows(
        &form,
        &access,
        &mut data,
        &entries(&[("_add", "scope.rows"), ("_remove", "members[99]")]),
    );
    assert_eq!(data["members"].as_array().map(Vec::len), Some(3));
    edit_rows(
        &form,
        &Access::read_all(),
        &mut data,
        &entries(&[("_remove", "members[0]")]),
    );
    assert_eq!(
        data["members"].as_array().map(Vec::len),
        Some(3),
        "who only reads removes nothing"
    );
}

#[test]
fn a_row_under_construction_is_kept_until_the_form_is_sent() {
    let post = entries(&[("members[]", "2"), ("members[0].name", "张三")]);
    let kept =
        decode(&form(), &Access::edit_all(), &Json::Null, &post, false).expect("known names");
    assert_eq!(kept.data["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(kept.faults, [], "nothing is demanded while rows are added");
}
