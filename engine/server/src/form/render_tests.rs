use serde_json::json;

use super::*;
use crate::form::access::Access;
use crate::form::{Entries, Fault, Offers, What, build, decode, render_read};

const CANARY: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>";

struct Nothing;

impl Offers for Nothing {
    fn code(&self, list: &str) -> Option<Vec<Choice>> {
        (list == "purpose").then(|| {
            vec![
                Choice::new("basis", CANARY),
                Choice::new("check", "数据校核"),
            ]
        })
    }
    fn chosen(&self, _path: &str) -> Option<Vec<Choice>> {
        None
    }
    fn units(&self, _level: Option<&str>) -> Vec<Choice> {
        (0..9)
            .map(|at| Choice::new(format!("u{at}"), format!("单位{at}")))
            .collect()
    }
}

fn sample() -> Form {
    let schema = json!({
        "title": "表", "type": "object", "required": ["purpose", "members"],
        "properties": {
            "purpose": { "type": "string", "title": "用途", "x-en": "Purpose", "x-code": "purpose" },
            "basis": { "type": "string", "title": CANARY, "x-help": CANARY, "x-widget": "textarea" },
            "unit": { "type": "string", "x-widget": "unit" },
            "days": { "type": "integer", "title": "天数" },
            "urgent": { "type": "boolean" },
            "until": { "type": "string", "format": "date" },
            "kinds": { "type": "array", "items": { "type": "string", "enum": ["a", "b", "c"] } },
            "notes": { "type": "array", "items": { "type": "string" } },
            "scope": { "type": "object", "properties": { "rows": { "type": "string" } } },
            "members": { "type": "array", "x-widget": "table", "items": { "type": "object", "required": ["id"], "properties": {
                "id": { "type": "string", "x-mask": "id", "x-check": "resident-id" }, "name": { "type": "string" } } } }
        }
    });
    build(&schema, &Nothing)
}

fn data() -> Json {
    json!({
        "purpose": "check", "basis": CANARY, "unit": "u3", "days": 5, "urgent": true, "until": "2026-12-01",
        "kinds": ["a", "c"], "notes": ["一", "二"], "scope": { "rows": "全部" },
        "members": [{ "id": "990000199001010017", "name": "张三" }, { "id": "99000019900101005X" }]
    })
}

#[test]
fn text_of_people_never_becomes_markup() {
    let (form, access) = (sample(), Access::edit_all());
    let faults = [Fault::new(
        "basis",
        What::Said {
            chinese: CANARY.into(),
            english: CANARY.into(),
        },
    )
    .line(&form, Language::Chinese)];
    let page = render_fields(&form, &access, &data(), &faults, Language::Chinese);
    let read = render_read(&form, &Access::read_all(), &data(), Language::English);
    for html in [page, read] {
        assert!(
            !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
        assert!(
            html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"),
            "the text itself is still shown"
        );
    }
}

#[test]
fn hidden_inputs_bring_every_answer_back() {
    let (form, access) = (sample(), Access::edit_all());
    let inputs = hidden_inputs(&form, &access, &data());
    let decoded = decode(&form, &access, &Json::Null, &Entries::new(inputs), true)
        .expect("all names are known");
    assert_eq!(decoded.faults, []);
    assert_eq!(decoded.data, data());
}

#[test]
fn read_fields_have_no_inputs_and_masks_hold() {
    let form = sample();
    let access = Access::read_all().with(&[], &["scope.rows".into()], &["basis".into()], &[]);
    let page = render_fields(&form, &access, &data(), &[], Language::Chinese);
    assert!(page.contains("name=\"scope.rows\""));
    assert!(
        !page.contains("name=\"purpose\"") && !page.contains("name=\"members"),
        "{page}"
    );
    assert!(
        !page.contains("script"),
        "a hidden field is not on the page"
    );
    let read = render_read(&form, &Access::read_all(), &data(), Language::Chinese);
    assert!(read.contains("990***********0017") && !read.contains("990000199001010017"));
    let own = render_read(
        &form,
        &Access::read_all().unmasked(),
        &data(),
        Language::Chinese,
    );
    assert!(own.contains("990000199001010017"));
}

#[test]
fn a_fault_stands_at_its_field_and_in_english_for_english_readers() {
    let form = sample();
    let line = Fault::new("purpose", What::Unchosen).line(&form, Language::English);
    assert_eq!(
        (line.id.as_str(), line.message.as_str()),
        ("f-purpose", "Choose Purpose")
    );
    let page = render_fields(
        &form,
        &Access::edit_all(),
        &json!({}),
        &[line],
        Language::English,
    );
    assert!(page.contains("id=\"f-purpose-fault\"") && page.contains("Choose Purpose"));
    assert!(
        page.contains("id=\"f-purpose\""),
        "the summary's link has a target"
    );
}
