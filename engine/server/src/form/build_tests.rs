use serde_json::json;

use super::*;

struct Lists;

impl Offers for Lists {
    fn code(&self, list: &str) -> Option<Vec<Choice>> {
        (list == "purpose").then(|| {
            vec![
                Choice::new("basis", "行政依据"),
                Choice::new("check", "数据校核"),
            ]
        })
    }
    fn chosen(&self, path: &str) -> Option<Vec<Choice>> {
        (path == "resource").then(|| vec![Choice::new("R1", "人口基础信息")])
    }
    fn units(&self, level: Option<&str>) -> Vec<Choice> {
        vec![Choice::new(level.unwrap_or("all"), "单位")]
    }
}

fn form(schema: Json) -> Form {
    build(&schema, &Lists)
}

#[test]
fn widgets_follow_types_and_keywords() {
    let form = form(json!({
        "title": "表", "type": "object", "required": ["purpose"],
        "properties": {
            "resource": { "type": "string", "x-choose": { "register": "catalogue" } },
            "purpose": { "type": "string", "title": "用途", "x-en": "Purpose", "x-code": "purpose" },
            "basis": { "type": ["string", "null"], "x-widget": "textarea" },
            "until": { "type": "string", "format": "date" },
            "amount": { "type": "integer" },
            "street": { "type": "string", "x-widget": "unit", "x-level": "street" },
            "agreed": { "const": true },
            "files": { "type": "array", "items": { "type": "string" }, "x-widget": "files" },
            "odd": { "anyOf": [{ "type": "string" }, { "type": "object" }] }
        }
    }));
    let kind = |name: &str| form.field(name).expect("the field is there").kind.clone();
    assert!(matches!(kind("resource"), Kind::Choice(choices) if choices.len() == 1));
    assert!(matches!(kind("purpose"), Kind::Choice(choices) if choices.len() == 2));
    assert!(matches!(kind("basis"), Kind::Text { lines: true, .. }));
    assert!(matches!(kind("until"), Kind::Date));
    assert!(matches!(kind("amount"), Kind::Number { whole: true }));
    assert!(matches!(kind("street"), Kind::Choice(choices) if choices[0].key() == "street"));
    assert!(matches!(kind("agreed"), Kind::Agree(Json::Bool(true))));
    assert!(matches!(kind("files"), Kind::Lines { files: true, .. }));
    assert!(matches!(kind("odd"), Kind::Data));
    assert!(form.field("purpose").expect("there").required);
    assert!(!form.field("basis").expect("there").required);
}

#[test]
fn references_add_their_neighbours_properties_and_cycles_end() {
    let form = form(json!({
        "type": "object",
        "$defs": {
            "person": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string", "x-mask": "id" } } },
            "loop": { "type": "object", "properties": { "next": { "$ref": "#/$defs/loop" } } },
            "self": { "$ref": "#/$defs/self" }
        },
        "properties": {
            "members": { "type": "array", "maxItems": 3, "items": {
                "$ref": "#/$defs/person", "required": ["relation"], "properties": { "relation": { "type": "string" } } } },
            "chain": { "$ref": "#/$defs/loop" },
            "void": { "$ref": "#/$defs/self" }
        }
    }));
    let Kind::Table { columns, most } = &form.field("members").expect("there").kind else {
        unreachable!("a table")
    };
    assert_eq!(*most, 3);
    let shape: Vec<_> = columns
        .iter()
        .map(|field| (field.path.as_str(), field.required, field.mask))
        .collect();
    assert_eq!(
        shape,
        [
            ("members.id", true, Some(Mask::Identity)),
            ("members.relation", true, None)
        ]
    );
    assert!(matches!(
        form.field("chain").expect("there").kind,
        Kind::Group(_)
    ));
    assert!(form.field("void").is_some());
}

#[test]
fn a_layout_orders_fields_and_loses_none() {
    let form = form(json!({
        "type": "object",
        "x-layout": [{ "group": "基本", "fields": ["b", "missing"] }, { "group": "空", "fields": [] }],
        "properties": { "a": { "type": "string" }, "b": { "type": "string" } }
    }));
    let shape: Vec<_> = form
        .sections
        .iter()
        .map(|section| {
            (
                section.title.as_ref().map(|title| title.own.as_str()),
                section.fields[0].name.as_str(),
            )
        })
        .collect();
    assert_eq!(shape, [(Some("基本"), "b"), (None, "a")]);
}

#[test]
fn wanted_choices_are_found_below_groups_and_lists() {
    let wanted = wanted_choices(&json!({
        "type": "object",
        "properties": {
            "resource": { "x-choose": { "register": "catalogue" } },
            "scope": { "type": "object", "properties": {
                "items": { "type": "array", "x-choose": { "record": "catalogue", "of": "resource" }, "items": { "type": "string" } } } }
        }
    }));
    let paths: Vec<_> = wanted.iter().map(|choice| choice.path.as_str()).collect();
    assert_eq!(paths, ["resource", "scope.items"]);
}
