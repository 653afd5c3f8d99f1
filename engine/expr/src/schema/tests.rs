use serde_json::{Map, json};

use super::*;

fn nested(levels: usize) -> Json {
    (0..levels).fold(json!({}), |inner, _| json!({ "a": inner }))
}

fn outcome(schema: &Json, data: &Json) -> Result<usize, ()> {
    let schema = Schema::compile(schema, true).expect("a schema");
    match schema.check(data, 100) {
        Checked::Fits => Ok(0),
        Checked::Faults(faults) => Ok(faults.len()),
        Checked::Stopped => Err(()),
    }
}

#[test]
fn a_schema_that_doubles_with_every_level_is_not_begun() {
    let branch = |name: &str| json!({"type": "object", "required": [name], "properties": {"a": {"$ref": "#/$defs/d"}}});
    let schema = json!({
        "properties": {"a": {"$ref": "#/$defs/d"}},
        "$defs": {"d": {"anyOf": [branch("x"), branch("y"), branch("z")]}}
    });
    assert_eq!(outcome(&schema, &nested(3)), Ok(1), "small data are told");
    assert_eq!(outcome(&schema, &nested(60)), Err(()));
}

#[test]
fn references_that_double_without_any_depth_are_not_begun() {
    let mut parts: Map<String, Json> = (0..40)
        .map(|n| {
            let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
            (format!("d{n}"), json!({"anyOf": [next, next]}))
        })
        .collect();
    parts.insert("d40".to_owned(), json!({"type": "integer"}));
    let schema = json!({"$ref": "#/$defs/d0", "$defs": parts});
    assert_eq!(outcome(&schema, &json!("text")), Err(()));
}

fn chain(length: usize, end: &Json) -> Json {
    let mut parts: Map<String, Json> = (0..length)
        .map(|n| {
            let next = format!("#/$defs/d{}", n + 1);
            (format!("d{n}"), json!({"allOf": [{"$ref": next}]}))
        })
        .collect();
    parts.insert(format!("d{length}"), end.clone());
    json!({"$ref": "#/$defs/d0", "$defs": parts})
}

#[test]
fn a_long_chain_of_references_does_not_use_up_the_stack() {
    let end = json!({"type": "object"});
    assert_eq!(outcome(&chain(3_000, &end), &json!({})), Ok(0));
    assert_eq!(outcome(&chain(3_000, &end), &json!(1)), Ok(1));
    let refused = Schema::compile(&chain(20_000, &end), true).expect_err("too many parts");
    assert!(refused.contains("at most 20000 parts"), "{refused}");
    let again =
        json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/$defs/d0"}}});
    assert_eq!(outcome(&chain(20, &again), &nested(20)), Ok(1));
    assert_eq!(outcome(&chain(400, &again), &nested(70)), Ok(1));
    assert_eq!(outcome(&chain(1_000, &again), &nested(90)), Err(()));
}

#[test]
fn schemas_that_refer_to_themselves_as_trees_do_are_checked() {
    let tree = json!({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"}, "left": {"$ref": "#/$defs/node"}, "right": {"$ref": "#/$defs/node"}}}}});
    let full = |levels: usize| {
        (0..levels).fold(
            json!({"name": "leaf"}),
            |inner, _| json!({"name": "n", "left": inner, "right": inner}),
        )
    };
    assert_eq!(outcome(&tree, &full(10)), Ok(0));
    let linear = (0..60).fold(
        json!({"name": 1}),
        |inner, _| json!({"name": "n", "left": inner}),
    );
    assert_eq!(outcome(&tree, &linear), Ok(1));
    let own = json!({"properties": {"a": {"$ref": "#"}}, "additionalProperties": false});
    assert_eq!(outcome(&own, &nested(80)), Ok(0));
    let endless = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}});
    assert_eq!(outcome(&endless, &json!({})), Ok(0));
}

#[test]
fn large_data_are_checked_to_the_end_and_what_is_wrong_is_bounded() {
    let schema = json!({"properties": {"rows": {"items": {"type": "object", "required": ["n"],
        "properties": {"n": {"type": "integer"}}}}}});
    let mut rows: Vec<Json> = (0..200_000).map(|n| json!({ "n": n })).collect();
    assert_eq!(outcome(&schema, &json!({ "rows": rows })), Ok(0));
    rows.push(json!({"n": "x"}));
    rows.push(json!({"n": "x"}));
    assert_eq!(
        outcome(&schema, &json!({ "rows": rows })),
        Ok(1),
        "the first"
    );
    let few: Vec<Json> = (0..500).map(|_| json!({})).collect();
    assert_eq!(outcome(&schema, &json!({ "rows": few })), Ok(100));
}

#[test]
fn references_are_followed_by_pointer_anchor_and_name() {
    let schema = json!({"$id": "https://x.example/person", "properties": {
            "a": {"$ref": "#/%24defs/text"}, "b": {"$ref": "#number"}, "c": {"$ref": "https://x.example/person#/$defs/text"},
            "items": {"type": "string"}, "again": {"$ref": "#/properties/items"}},
        "$defs": {"text": {"type": "string"}, "n": {"$anchor": "number", "type": "integer"}}});
    assert_eq!(
        outcome(&schema, &json!({"a": "x", "b": 1, "c": "y", "again": "z"})),
        Ok(0)
    );
    assert_eq!(
        outcome(&schema, &json!({"a": 1, "b": "x", "c": 2, "again": 3})),
        Ok(4)
    );
    let refused = Schema::compile(&json!({"$ref": "#/$defs/none"}), true).expect_err("nowhere");
    assert!(refused.contains("leads nowhere"), "{refused}");
}
