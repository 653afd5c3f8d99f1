//! Values: reading, writing, paths, order, bounds.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tongban_expr::{DEPTH_MAX, PathError, Segment, Value, secret, segments, value};

fn read(text: &str) -> Result<Value, String> {
    Value::from_json(text).map_err(|error| error.message)
}

#[test]
fn numbers_are_exact_or_refused() {
    for exact in [
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "0",
        "-0.5",
        "0.1",
        "1e-7",
        "1234567.125",
    ] {
        let value = read(exact).unwrap();
        assert_eq!(read(&value.to_json()).unwrap(), value, "{exact}");
    }
    assert_eq!(
        read("9007199254740993").unwrap().to_json(),
        "9007199254740993"
    );
    assert_eq!(read("1.0").unwrap().to_json(), "1.0");
    for refused in [
        "18446744073709551616",
        "9223372036854775808",
        "-9223372036854775809",
        "1e400",
        "1e300",
        "NaN",
        "Infinity",
        "-Infinity",
        "0x1",
        "01",
        "1_000",
        "+1",
        ".5",
        "1.",
    ] {
        assert!(read(refused).is_err(), "{refused}");
    }
    assert!(
        read("18446744073709551615")
            .unwrap_err()
            .contains("64 bits")
    );
}

#[test]
fn malformed_texts_are_refused() {
    for refused in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\":1} x",
        "1 2",
        "'a'",
        "\"\\ud800\"",
        "\"\u{1}\"",
        "\u{feff}1",
        "{\"a\":1,\"a\":2}",
        "{\"\\u0061\":1,\"a\":2}",
        "\"a\\u0000b\"",
        "{\"a\\u0000\":1}",
        "nul",
        "\"abc",
    ] {
        assert!(read(refused).is_err(), "{refused:?}");
    }
    assert!(Value::from_json_bytes(b"\"\xff\"").is_err());
    assert!(read("{\"a\":1,\"a\":2}").unwrap_err().contains("twice"));
    // Nothing but data.
    let odd = read("{\"__proto__\":{\"x\":1},\"constructor\":1,\"\":2,\"no\":\"NO\"}").unwrap();
    assert_eq!(
        odd.to_json(),
        "{\"__proto__\":{\"x\":1},\"constructor\":1,\"\":2,\"no\":\"NO\"}"
    );
}

#[test]
fn depth_and_weight_are_bounded_on_reading() {
    let nested = |depth: usize| [&"[".repeat(depth), "1", &"]".repeat(depth)].concat();
    let deepest = usize::from(DEPTH_MAX);
    let value = read(&nested(deepest)).unwrap();
    assert_eq!(value.depth(), DEPTH_MAX);
    assert_eq!(read(&value.to_json()).unwrap(), value);
    assert!(
        read(&nested(deepest + 1))
            .unwrap_err()
            .contains("nested deeper")
    );
    assert!(read(&nested(100_000)).is_err());
    let objects = ["{\"a\":".repeat(200), "1".to_owned(), "}".repeat(200)].concat();
    assert!(read(&objects).is_err());
    let large = format!("[{}1]", "\"xxxxxxxxxx\",".repeat(800_000));
    assert!(read(&large).unwrap_err().contains("8 MiB"));
}

#[test]
fn the_order_of_keys_is_kept_but_does_not_matter() {
    let one = read("{\"b\":1,\"a\":{\"d\":1,\"c\":2}}").unwrap();
    let other = read("{\"a\":{\"c\":2,\"d\":1},\"b\":1}").unwrap();
    assert_eq!(one.to_json(), "{\"b\":1,\"a\":{\"d\":1,\"c\":2}}");
    assert_eq!(one, other);
    assert_eq!(one.digest(), other.digest());
    assert_ne!(one.digest(), one.clone().with("b", 2).digest());
    assert_eq!(one.digest().len(), 64);
}

#[test]
fn paths_read_and_write() {
    let value = value!({"a": {"b": [{"c": 1}, {"c": 2}]}, "x y": {"z": 3}});
    assert_eq!(value.at("a.b[1].c"), Some(&Value::Int(2)));
    assert_eq!(value.at("[\"x y\"].z"), Some(&Value::Int(3)));
    assert_eq!(value.at(""), Some(&value));
    for missing in [
        "a.c", "a.b[2]", "a.b.c", "a[0]", "a..b", "a.b[-1]", "a.b[x]",
    ] {
        assert_eq!(value.at(missing), None, "{missing}");
    }
    let mut changed = value.clone();
    changed.set_at("a.b[0].c", 9).unwrap();
    changed.set_at("a.b[2]", 5).unwrap();
    changed.set_at("new.deep[0].x", "y").unwrap();
    assert_eq!(
        changed,
        value!({"a": {"b": [{"c": 9}, {"c": 2}, 5]}, "x y": {"z": 3}, "new": {"deep": [{"x": "y"}]}})
    );
    // Who shared it keeps the old one.
    assert_eq!(value.at("a.b[0].c"), Some(&Value::Int(1)));
    let before = changed.clone();
    assert!(matches!(
        changed.set_at("a.b[9]", 1),
        Err(PathError::Beyond {
            index: 9,
            len: 3,
            ..
        })
    ));
    assert!(matches!(
        changed.set_at("a.b.c", 1),
        Err(PathError::Kind { .. })
    ));
    assert!(matches!(
        changed.set_at("a[0]", 1),
        Err(PathError::Kind { .. })
    ));
    assert!(matches!(
        changed.set_at("a.", 1),
        Err(PathError::Malformed(_))
    ));
    assert_eq!(changed, before);
    assert_eq!(
        segments("a[0]").unwrap(),
        [Segment::Key("a".into()), Segment::Index(0)]
    );
}

#[test]
fn building_changes_copies_only() {
    let mut list = value!([1]);
    let shared = list.clone();
    list.push("二");
    assert_eq!(list, value!([1, "二"]));
    assert_eq!(shared, value!([1]));
    let mut object = Value::Null.with("a", 1).with("b", vec!["x"]);
    let shared = object.clone();
    assert_eq!(object.remove("a"), Some(Value::Int(1)));
    assert_eq!(object.remove("a"), None);
    assert_eq!(object.to_json(), "{\"b\":[\"x\"]}");
    assert_eq!(
        shared.merged(&value!({"b": null, "c": 1})),
        value!({"a": 1, "b": null, "c": 1})
    );
    assert_eq!(value!({"k": [], "o": {}, "n": null, "s": ("x")}).len(), 4);
}

#[test]
fn measures_follow_changes() {
    let mut value = value!({});
    value.set("a", value!({"b": {"c": 1}}));
    assert_eq!(value.depth(), 3);
    let heavy = value.clone().with("text", "x".repeat(1000));
    assert_eq!(heavy.weight(), heavy.to_json().len() as u64);
    let mut lighter = heavy;
    lighter.set("text", "");
    assert_eq!(lighter.weight(), lighter.to_json().len() as u64);
    assert!(value.storable().is_ok());
    assert!(
        Value::list(vec![Value::Float(f64::NAN)])
            .storable()
            .is_err()
    );
    assert!(value!({"a\u{0}": 1}).storable().is_err());
    let deep = (0..200).fold(Value::Null, |inner, _| Value::list(vec![inner]));
    assert!(
        deep.storable()
            .unwrap_err()
            .to_string()
            .contains("96 levels")
    );
    assert!(serde_json::to_string(&Value::Float(f64::NAN)).is_err());
}

#[test]
fn kinds_are_ordered_as_in_jq() {
    let sorted = value!([null, false, true, -1, 0, 0.5, 1, "", "a", [], [0], {}, {"a": 1}]);
    let mut items = sorted.as_list().unwrap().to_vec();
    items.reverse();
    items.sort();
    assert_eq!(Value::list(items), sorted);
    assert_eq!(value!(1), value!(1.0));
    assert_ne!(value!(1), value!("1"));
    assert_eq!(value!(0.0), value!(-0.0));
}

#[test]
fn texts_are_escaped() {
    let odd = value!("\"\\\u{7f}\u{1}\n\r\t/公\u{2028}😀");
    assert_eq!(read(&odd.to_json()).unwrap(), odd);
    assert_eq!(
        serde_json::from_str::<String>(&odd.to_json()).unwrap(),
        odd.as_str().unwrap()
    );
    assert_eq!(value!("\u{1}").to_json(), "\"\\u0001\"");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    id: u32,
    name: Option<String>,
    kind: Kind,
    rest: BTreeMap<String, f64>,
    pair: (i8, bool),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    One(i64),
    Named { a: String },
}

#[test]
fn rust_types_convert_both_ways() {
    for kind in [Kind::Plain, Kind::One(-3), Kind::Named { a: "甲".into() }] {
        let record = Record {
            id: 7,
            name: None,
            kind,
            rest: BTreeMap::from([("x".to_owned(), 1.5)]),
            pair: (-1, true),
        };
        let value = Value::of(&record).unwrap();
        assert_eq!(value.to::<Record>().unwrap(), record);
    }
    assert!(value!({"id": -1}).to::<Record>().is_err());
    assert!(Value::of(&u64::MAX).is_err());
    assert!(Value::of("a\u{0}").is_err());
    assert!(value!({"Plain": 1, "One": 2}).to::<Kind>().is_err());
    assert_eq!(value!("Plain").to::<Kind>().unwrap(), Kind::Plain);
}

#[test]
fn yaml_reads_into_values_by_the_core_schema() {
    let read = |text: &str| serde_yaml::from_str::<Value>(text);
    let value =
        read("no: no\non: 012\ny: 1_000\nt: 1:30\nd: 2016-01-01\nn: ~\nb: true\nf: 1.5\n").unwrap();
    for key in ["no", "y", "t", "d"] {
        assert_eq!(value.get(key).map(Value::kind_name), Some("text"), "{key}");
    }
    assert_eq!(value.get("n"), Some(&Value::Null));
    assert!(read("a: .nan").is_err());
    assert!(read("a: .inf").is_err());
    assert!(read("a: 1\na: 2").is_err());
    // Keys are texts.
    assert_eq!(read("1: a").unwrap(), value!({"1": "a"}));
    assert!(read("a: 18446744073709551615").is_err());
}

#[test]
fn secrets_are_markers_until_they_are_revealed() {
    let secrets = secret::markers(["token", "key"], "n1");
    let token = secrets.text("token").unwrap().to_owned();
    let arguments = value!({
        "headers": {"authorization": (format!("Bearer {token}"))},
        "both": [(token.clone()), (secrets.get("key").unwrap().clone())],
        "plain": 1
    });
    let names: Vec<_> = secret::names_in(&arguments).into_iter().collect();
    assert_eq!(names, ["key", "token"]);
    let known = |name: &str| (name != "key").then(|| format!("<{name}>"));
    assert_eq!(
        secret::reveal(&arguments, "n1", &known).unwrap_err().0,
        "key"
    );
    let all = |name: &str| Some(format!("<{name}>"));
    let revealed = secret::reveal(&arguments, "n1", &all).unwrap();
    assert_eq!(
        revealed,
        value!({"headers": {"authorization": "Bearer <token>"}, "both": ["<token>", "<key>"], "plain": 1})
    );
    assert!(secret::names_in(&revealed).is_empty());
    // Somebody else's nonce names nothing.
    assert_eq!(secret::reveal(&arguments, "n2", &all).unwrap(), arguments);
    assert_eq!(
        secret::masked(&arguments).at("both[0]"),
        Some(&Value::from("***"))
    );
    assert!(secret::names_in(&secret::masked(&arguments)).is_empty());
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e15..1e15_f64).prop_map(Value::from),
        "[^\u{0}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::list),
            prop::collection::vec(("[a-z甲乙]{0,4}", inner), 0..6).prop_map(Value::object),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn any_value_survives_text(value in any_value()) {
        let back = Value::from_json(&value.to_json()).unwrap();
        prop_assert_eq!(&back, &value);
        prop_assert_eq!(back.to_json(), value.to_json());
        prop_assert_eq!(value.weight(), value.to_json().len() as u64);
        prop_assert_eq!(Value::from_json(&serde_json::to_string(&value).unwrap()).unwrap(), value.clone());
        prop_assert_eq!(Value::of(&value).unwrap(), value.clone());
        prop_assert_eq!(value.to::<Value>().unwrap(), value);
    }

    #[test]
    fn order_and_equality_agree(x in any_value(), y in any_value()) {
        prop_assert_eq!(x == y, x.cmp(&y).is_eq());
        prop_assert_eq!(x.cmp(&y), y.cmp(&x).reverse());
    }
}
