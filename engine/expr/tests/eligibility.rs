//! `rule` and `judge` on the paper pack of the housing vetting, and the other
//! packs' rule files.

use std::sync::Arc;

use tongban_expr::{Budget, EvalError, Parameters, Scope, Script, Value, value};

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).expect("the file is YAML")
}

fn parameters() -> Parameters {
    Parameters::from_value(&yaml(include_str!("rules/parameters.yaml"))).expect("is well formed")
}

fn scope() -> Scope {
    Scope {
        parameters: Some(Arc::new(parameters())),
        // As the registers of the pack say it.
        sources_none: value!({
            "household": "unknown", "marriage": "unknown", "vehicles": "nothing", "fund": "nothing",
            "social": "nothing", "realty": "nothing", "assets": "unknown"
        }),
        ..Scope::default()
    }
}

fn judge_in(input: Value, scope: &Scope) -> Result<Value, EvalError> {
    Script::compile(include_str!("rules/eligibility.rhai"), "eligibility.rhai")
        .expect("compiles")
        .run(input, scope, &Budget::for_scripts())
}

fn judge(input: Value) -> Value {
    judge_in(input, &scope()).expect("judges")
}

fn row<'v>(judged: &'v Value, rule: &str) -> &'v Value {
    judged
        .get("trace")
        .expect("there is a trace")
        .items()
        .find(|row| row.text("rule") == Some(rule))
        .expect("every rule has a row")
}

fn base() -> Value {
    value!({
        "asOf": "2026-03-02",
        "form": {"members": [{"id": "990000199001010017"}]},
        "sources": {
            "household": {"status": "found", "records": [{"localYears": 9}], "source": "pack", "fetchedAt": "2026-03-02T01:00:00Z"},
            "marriage": {"status": "found", "records": [{"age": 40}]},
            "vehicles": {"status": "none", "records": []},
            "fund": {"status": "none", "records": []},
            "social": {"status": "none", "records": []},
            "realty": {"status": "none", "records": []},
            "assets": {"status": "found", "records": [{"total": 0, "income": 1000}]}
        }
    })
}

fn changed(path: &str, value: impl Into<Value>) -> Value {
    let mut input = base();
    input.set_at(path, value).expect("the path fits");
    input
}

/// Tells whether `found` has everything that `wanted` names.
fn holds(found: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Obj(_) => wanted
            .entries()
            .all(|(key, value)| found.get(key).is_some_and(|found| holds(found, value))),
        Value::Arr(rows) => rows
            .iter()
            .all(|row| found.items().any(|found| holds(found, row))),
        plain => found == plain,
    }
}

#[test]
fn the_scenarios_of_the_paper_pack_hold() {
    let file = yaml(include_str!("rules/eligibility.test.yaml"));
    let scenarios = file.get("scenarios").expect("there are scenarios");
    for scenario in scenarios.items() {
        let mut input = scenario.get("input").expect("there is an input").clone();
        for (path, value) in scenario.get("change").unwrap_or(&Value::Null).entries() {
            input.set_at(path, value.clone()).expect("the path fits");
        }
        let judged = judge(input);
        let expected = scenario.get("expect").expect("something is expected");
        assert!(holds(&judged, expected), "{scenario}\n{judged}");
    }
}

#[test]
fn a_row_says_all_that_a_letter_needs() {
    let judged = judge(base());
    assert_eq!(judged.text("verdict"), Some("fit"));
    let row = row(&judged, "residence");
    assert_eq!(row.text("title"), Some("至少一人具有本市户籍满 5 年"));
    assert_eq!(
        row.text("en"),
        Some("At least one member registered here for 5 years")
    );
    assert!(
        holds(
            row,
            &value!({
                "result": "fit", "value": 9, "compare": ">=", "limit": 5, "from": "2016-01-01", "unit": "年",
                "basis": "青岛市公租房政策(2016,待核)", "missing": null,
                "sources": [{"source": "household", "status": "found", "from": "pack", "fetchedAt": "2026-03-02T01:00:00Z"}]
            })
        ),
        "{row}"
    );
}

#[test]
fn what_is_not_known_is_undetermined_and_never_unfit() {
    for status in ["unavailable", "stale", "none", "whatever"] {
        let judged = judge(changed("sources.household.status", status));
        assert_eq!(judged.text("verdict"), Some("undetermined"), "{status}");
        let row = row(&judged, "residence");
        assert_eq!(row.text("result"), Some("undetermined"), "{status}");
        assert_eq!(row.text("missing"), Some(&*format!("household: {status}")));
        assert_eq!(row.get("value"), Some(&Value::Null));
    }
    let judged = judge(changed("sources.household", Value::Null));
    assert_eq!(
        row(&judged, "residence").text("missing"),
        Some("household: missing")
    );
}

#[test]
fn a_record_without_the_figure_is_not_known() {
    for records in [value!([{}]), value!([{"localYears": null}]), value!([])] {
        let judged = judge(changed("sources.household.records", records));
        assert_eq!(
            row(&judged, "residence").text("result"),
            Some("undetermined")
        );
    }
    let judged = judge(changed("sources.assets.records", value!([{"income": 1}])));
    assert_eq!(row(&judged, "assets").text("result"), Some("undetermined"));
    assert_eq!(
        row(&judged, "assets").text("missing"),
        Some("a record has no `total`")
    );
    assert_eq!(row(&judged, "income").text("result"), Some("fit"));
}

#[test]
fn the_register_says_what_no_record_means() {
    let judged = judge(base());
    assert_eq!(row(&judged, "vehicles").get("value"), Some(&Value::Int(0)));
    assert_eq!(row(&judged, "vehicles").text("result"), Some("fit"));
    // The source's own word goes before the caller's.
    let judged = judge(changed("sources.vehicles.none", "unknown"));
    assert_eq!(
        row(&judged, "vehicles").text("result"),
        Some("undetermined")
    );
    // Who says nothing means that it is not known.
    let silent = Scope {
        sources_none: Value::Null,
        ..scope()
    };
    let judged = judge_in(base(), &silent).expect("judges");
    assert_eq!(
        row(&judged, "vehicles").text("result"),
        Some("undetermined")
    );
}

#[test]
fn one_unfit_rule_makes_the_case_unfit() {
    let mut input = changed("sources.household.status", "unavailable");
    input
        .set_at("sources.assets.records[0].total", 300_000)
        .expect("the path fits");
    let judged = judge(input);
    assert_eq!(judged.text("verdict"), Some("unfit"));
    assert_eq!(row(&judged, "assets").text("result"), Some("unfit"));
    assert_eq!(
        row(&judged, "residence").text("result"),
        Some("undetermined")
    );
}

#[test]
fn limits_are_those_of_the_day() {
    let judged = judge(changed("asOf", "2025-06-30"));
    assert_eq!(row(&judged, "income").get("limit"), Some(&Value::Int(1500)));
    let judged = judge(changed("asOf", "2025-07-01"));
    assert_eq!(row(&judged, "income").get("limit"), Some(&Value::Int(1980)));
    let error = judge_in(changed("asOf", "2015-01-01"), &scope()).expect_err("no value held");
    assert!(error.message.contains("no value on 2015-01-01"), "{error}");
}

/// Without dated values the case's own parameters hold.
#[test]
fn resolved_parameters_serve_too() {
    let resolved = Scope {
        params: parameters().as_of("2025-06-30"),
        parameters: None,
        ..scope()
    };
    let judged = judge_in(base(), &resolved).expect("judges");
    assert_eq!(row(&judged, "income").get("limit"), Some(&Value::Int(1500)));
    assert_eq!(row(&judged, "income").text("title"), Some("income"));
}

#[test]
fn limits_themselves_are_inside_or_outside() {
    for (total, result) in [(199_999, "fit"), (200_000, "fit"), (200_001, "unfit")] {
        let judged = judge(changed("sources.assets.records[0].total", total));
        assert_eq!(
            row(&judged, "assets").text("result"),
            Some(result),
            "{total}"
        );
    }
    // Money as text is compared exactly.
    let judged = judge(changed("sources.assets.records[0].total", "200000.01"));
    assert_eq!(row(&judged, "assets").text("result"), Some("unfit"));
    assert_eq!(
        row(&judged, "assets").get("value"),
        Some(&Value::Float(200_000.01))
    );
}

#[test]
fn wrong_rules_are_errors() {
    let run = |source: &str| {
        Script::compile(source, "x")
            .expect("compiles")
            .run(base(), &scope(), &Budget::for_scripts())
            .expect_err(source)
            .message
    };
    let with = |measure: &str, compare: &str, parameter: &str| {
        run(&format!(
            "judge(input, [rule(\"r\", [\"household\"], |s, f| {measure}, \"{compare}\", \"{parameter}\")])"
        ))
    };
    assert!(with("1", "=<", "assetLine").contains("`=<` does not compare"));
    assert!(with("1", "<", "nope").contains("parameter `nope`"));
    assert!(with("\"many\"", "<", "assetLine").contains("expected a number or null"));
    assert!(with("f.nope.deep", "<", "assetLine").contains("`?.`"));
    assert!(run("judge(input, [1])").contains("expected a list of `rule(…)`"));
    assert!(run("rule(\"r\", [1], |s, f| 1, \"<\", \"x\")").contains("names of its sources"));
}

#[test]
fn parameters_are_checked_and_overridden() {
    let read = |text: &str| Parameters::from_value(&yaml(text));
    let path = |text: &str| read(text).expect_err(text).path;
    assert_eq!(path("parameters: []"), "parameters");
    assert_eq!(path("parameters: { a: { title: x } }"), "parameters.a");
    assert_eq!(
        path("parameters: { a: { values: [{ value: 1 }] } }"),
        "parameters.a.values[0]"
    );
    assert_eq!(
        path("parameters: { a: { values: [{ from: 2026-02-30, value: 1 }] } }"),
        "parameters.a.values[0]"
    );
    assert_eq!(
        path("parameters: { a: { values: [{ from: 2026-01-01 }] } }"),
        "parameters.a.values[0]"
    );
    // An unquoted comma cuts the basis.
    assert_eq!(
        path(
            "parameters: { a: { values: [{ from: 2026-01-01, value: 1, basis: 办法(2016,待核) }] } }"
        ),
        "parameters.a.values[0]"
    );
    assert_eq!(
        path(
            "parameters: { a: { values: [{ from: 2026-01-01, value: 1 }, { from: 2026-01-01, value: 2 }] } }"
        ),
        "parameters.a"
    );
    let mut own = parameters();
    own.override_with(&yaml(
        "parameters: { assetLine: { values: [{ from: 2020-01-01, value: 1, basis: 本市 }] } }",
    ))
    .expect("is well formed");
    let line = own
        .one_as_of("assetLine", "2026-01-01T08:00:00+08:00")
        .expect("it holds");
    assert_eq!(
        line,
        value!({"value": 1, "from": "2020-01-01", "basis": "本市", "title": "家庭资产上限", "unit": "元"})
    );
    assert_eq!(own.one_as_of("assetLine", "2019-12-31"), None);
    assert_eq!(own.as_of("2000-01-01"), value!({}));
}

#[test]
fn silence_about_one_of_several_people_is_no_answer() {
    // The register knows one of two: where silence means nothing known, nobody is judged by the other's record.
    let some = |none: &str, years: i64| {
        changed(
            "sources.household",
            value!({"status": "found", "none": none, "missing": ["990000200002290028"], "records": [{"localYears": years}]}),
        )
    };
    let judged = judge(some("unknown", 2));
    let held = row(&judged, "residence");
    assert!(
        holds(
            held,
            &value!({"result": "undetermined", "value": null, "missing": "household: none for 1 of those asked about"})
        ),
        "{held}"
    );
    assert_eq!(judged.text("verdict"), Some("undetermined"));
    assert_eq!(judge(some("nothing", 2)).text("verdict"), Some("unfit"));
    let all = changed("sources.household.missing", Value::list(Vec::new()));
    assert_eq!(judge(all).text("verdict"), Some("fit"));
}

#[test]
fn silence_means_nothing_only_where_the_register_covers_the_day() {
    let covering = |covers: Value| {
        let source = value!({"status": "none", "none": "nothing", "covers": covers, "records": []});
        row(&judge(changed("sources.vehicles", source)), "vehicles")
            .text("result")
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(covering(value!({"since": "2010-01-01"})), "fit");
    assert_eq!(covering(value!({"since": "2026-03-03"})), "undetermined");
    assert_eq!(covering(value!({"until": "2026-03-01"})), "undetermined");
    assert_eq!(covering(value!({"until": null})), "fit");
}

#[test]
fn a_persons_answer_in_the_place_of_a_register_means_what_the_register_says() {
    let own = Scope {
        sources_none: value!({"real-estate": "nothing", "households": "unknown"}),
        ..scope()
    };
    let answered = |source: &str| value!({"status": "none", "records": [], "source": source});
    let mut input = changed("sources.realty", answered("real-estate"));
    for name in ["vehicles", "fund", "social"] {
        input
            .set_at(&format!("sources.{name}.none"), "nothing")
            .expect("the path fits");
    }
    let judged = judge_in(input.clone(), &own).expect("judges");
    assert_eq!(row(&judged, "area").text("result"), Some("fit"));
    input
        .set_at("sources.realty", answered("households"))
        .expect("the path fits");
    let judged = judge_in(input, &own).expect("judges");
    assert_eq!(row(&judged, "area").text("result"), Some("undetermined"));
}

#[test]
fn the_other_packs_rules_run() {
    let run = |source: &str, input: Value| {
        Script::compile(source, "x")
            .expect("no error")
            .run(input, &scope(), &Budget::for_scripts())
            .expect("no error")
    };
    let findings = run(
        include_str!("rules/faults.rhai"),
        value!({
            "name": "房产 登记系统", "format": "file",
            "sharing": {"mode": "database", "type": "none", "basis": "某文件"},
            "items": [{"name": "面积(㎡)", "type": "C", "length": null}, {"name": "价格(元)", "type": "N", "length": 3}]
        }),
    );
    let fields: Vec<_> = findings
        .items()
        .map(|finding| {
            format!(
                "{} {}",
                finding.text("level").unwrap(),
                finding.text("field").unwrap()
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            "error name",
            "warn name",
            "error sharing.mode",
            "error items[0].length",
            "warn items[1].name",
            "warn sharing.basis"
        ]
    );
    let sheet = run(
        include_str!("rules/sheet.rhai"),
        value!({"rows": [{"id": "990000199001010017", "name": "甲"}, {"id": "1", "name": null}]}),
    );
    assert_eq!(sheet.items().count(), 2);
    let known = value!([{"name": "姓名", "type": "C", "code": "A1", "owner": "民政"}, {"name": "年龄", "type": "N", "code": "A2", "owner": "公安"}, {"name": "年 龄", "type": "N", "code": "B2", "owner": "卫健"}]);
    let mapped = run(
        include_str!("rules/indicators.rhai"),
        value!({"fields": [{"name": "姓 名", "type": "C"}, {"name": "年龄", "type": "N"}, {"name": "电话", "type": "C"}], "known": known, "unit": "街道"}),
    );
    let how: Vec<_> = mapped
        .get("indicators")
        .unwrap()
        .items()
        .map(|row| row.text("how").unwrap())
        .collect();
    assert_eq!(how, ["reuse", "conflict", "new"]);
    assert_eq!(mapped.get("conflicts").unwrap().len(), 2);
    let schema = run(
        include_str!("rules/form.rhai"),
        value!({"fields": [{"code": "A1", "name": "姓名", "type": "text"}, {"code": "A2", "name": "年龄", "type": "number"}]}),
    );
    assert_eq!(
        schema.at("properties.rows.items.properties.A2.type"),
        Some(&Value::from("number"))
    );
}
