//! Forms in a step: who may see, change and must fill in what; `collect` in
//! all its ways; what a person sees.

#![allow(clippy::panic, reason = "a test fails loudly, and its helpers do too")]

mod table;

use table::{Table, edit, outcome, output, submit};
use tongban_expr::{Value, value};
use tongban_work::{Act, Channel, Out, Refusal, What};

fn fill(
    outcome: Option<&str>,
    data: Option<Value>,
    change: Value,
    statement: Option<&str>,
) -> What {
    What::Submit {
        outcome: outcome.map(str::to_owned),
        data,
        change,
        comment: None,
        reason: None,
        statement: statement.map(str::to_owned),
    }
}

fn sheet(table: &mut Table) {
    table.forms.schemas.insert(
        "sheet".into(),
        value!({
            "required": ["status"],
            "x-warn": "odd",
            "properties": {"people": {"readOnly": true}, "rows": {"items": {"properties": {"code": {"readOnly": true}}}}}
        }),
    );
}

fn answer() -> Value {
    value!({"to": [{"role": "register-clerk", "unit": "police"}], "form": "sheet",
        "data": {"people": ["a"], "rows": [{"code": "x", "name": "n"}], "hidden": 1, "fixed": 2},
        "fields": {"hide": ["hidden"], "read": ["fixed"], "require": ["rows[].name"]}})
}

/// What a collector sends, and whether it is taken; a refusal by its word.
fn collected(cases: Vec<(What, Result<(), &str>)>) {
    for (what, expected) in cases {
        let mut table = Table::new();
        sheet(&mut table);
        table.open("byHand", "collect", answer()).expect("it opens");
        match (table.act("chen-jie", 1, what.clone()), expected) {
            (Ok(outs), Ok(())) => {
                let data = output(&outs)
                    .and_then(|output| output.get("data"))
                    .expect("the data comes out");
                assert_eq!(data.at("rows[0].name"), Some(&value!("m")));
                assert_eq!(
                    data.get("hidden"),
                    Some(&value!(1)),
                    "what is hidden stays as it was"
                );
            }
            (Err(refusal), Err(word)) => assert_eq!(refusal.word(), word, "{what:?}"),
            (result, expected) => panic!("{what:?}: expected {expected:?}, found {result:?}"),
        }
    }
}

/// A sheet that is filled in well, with more.
fn with(more: Value) -> Value {
    value!({"status": "found", "rows": [{"code": "x", "name": "m"}]}).merged(&more)
}

#[test]
fn a_collector_does_not_fill_what_is_locked_or_hidden() {
    collected(vec![
        (
            submit(with(value!({"people": ["b"]}))),
            Err("field-not-editable"),
        ),
        (
            submit(with(value!({"hidden": 2}))),
            Err("field-not-editable"),
        ),
        (
            submit(with(value!({"fixed": 3}))),
            Err("field-not-editable"),
        ),
        (
            submit(with(value!({"rows": [{"code": "y", "name": "m"}]}))),
            Err("field-not-editable"),
        ),
    ]);
}

#[test]
fn a_collector_fills_all_that_he_must_as_the_form_wants_it() {
    collected(vec![
        (
            submit(with(value!({"rows": [{"code": "x", "name": ""}]}))),
            Err("form-faults"),
        ),
        (submit(value!({"status": ""})), Err("form-faults")),
        (submit(value!([1])), Err("bad-change")),
        (
            fill(None, None, value!({"rows[5].name": "m"}), None),
            Err("bad-change"),
        ),
        (
            submit(with(value!({"odd": true}))),
            Err("statement-required"),
        ),
        (
            fill(Some("done"), None, Value::Null, None),
            Err("unknown-outcome"),
        ),
    ]);
}

#[test]
fn a_collector_fills_what_he_may() {
    collected(vec![
        (
            fill(
                None,
                Some(with(value!({"odd": true}))),
                Value::Null,
                Some("属实"),
            ),
            Ok(()),
        ),
        (
            fill(
                None,
                None,
                value!({"status": "found", "rows[0].name": "m"}),
                None,
            ),
            Ok(()),
        ),
        // Sent back unchanged, what is locked does no harm.
        (submit(with(value!({"people": ["a"], "fixed": 2}))), Ok(())),
    ]);
}

#[test]
fn another_outcome_needs_no_data_but_its_comment() {
    let mut table = Table::new();
    sheet(&mut table);
    let args = value!({"to": [{"head": "transport"}], "form": "sheet", "outcomes": {"done": "已处置", "notOurs": "非本单位职责"},
        "comment": {"notOurs": "required"}});
    table.open("handle", "collect", args).expect("it opens");
    let silent = table
        .act(
            "zhao-min",
            1,
            fill(Some("notOurs"), None, Value::Null, None),
        )
        .expect_err("say why");
    assert_eq!(
        silent,
        Refusal::CommentRequired {
            outcome: "notOurs".into()
        }
    );
    let what = What::Submit {
        outcome: Some("notOurs".into()),
        data: None,
        change: Value::Null,
        comment: Some("属消防职责".into()),
        reason: None,
        statement: None,
    };
    let outs = table
        .act("zhao-min", 1, what)
        .expect("with a comment it is accepted");
    let result = output(&outs).expect("it is complete");
    assert_eq!(
        (result.text("outcome"), result.get("data")),
        (Some("notOurs"), Some(&Value::Null))
    );
}

#[test]
fn each_unit_of_a_group_answers_once() {
    let mut table = Table::new();
    let args = value!({"to": [{"head": ["police", "transport"]}], "mode": "group", "form": "free"});
    table.open("ask", "collect", args).expect("it opens");
    let first = table
        .act("zhou-ping", 1, submit(value!({"n": 1})))
        .expect("he may");
    assert_eq!(outcome(&first), None);
    assert_eq!(table.waits_for(1), ["zhao-min"]);
    let outs = table
        .act("zhao-min", 1, submit(value!({"n": 2})))
        .expect("he may");
    let result = output(&outs).expect("both have answered");
    assert_eq!(result.at("answers[0].unit"), Some(&value!("police")));
    assert_eq!(result.at("answers[0].data.n"), Some(&value!(1)));
    assert_eq!(result.at("answers[1].data.n"), Some(&value!(2)));
}

#[test]
fn a_reviewer_narrows_what_the_author_lets_him() {
    let mut table = Table::new();
    let args = value!({"to": [{"role": "data-office", "unit": "police"}], "fields": {"edit": ["scope.items"]}});
    let n = table.approve("office", args);
    let outs = table
        .act(
            "liu-bo",
            n,
            edit("approved", value!({"scope.items": ["a"]})),
        )
        .expect("he may");
    let Some(Out::Form(change)) = outs.first() else {
        panic!("the form comes first: {outs:?}")
    };
    assert_eq!(
        (change.why.as_str(), change.by.as_str()),
        ("edited", "liu-bo")
    );
    assert_eq!(change.difference.len(), 1);
    assert_eq!(table.case.form.at("scope.items"), Some(&value!(["a"])));
    assert_eq!(table.case.form.at("scope.mode"), Some(&value!("api")));
}

#[test]
fn faults_that_the_form_had_before_do_not_block_a_reviewer() {
    let mut table = Table::new();
    table.case.form.set("security", "");
    let args = value!({"to": [{"role": "data-office", "unit": "police"}], "fields": {"edit": ["class", "resource"]}});
    let n = table.approve("office", args);
    let worse = table
        .act("liu-bo", n, edit("approved", value!({"resource": ""})))
        .expect_err("a fault of his own");
    let Refusal::FormFaults { faults } = worse else {
        panic!("{worse:?}")
    };
    assert_eq!(
        faults
            .iter()
            .map(|fault| fault.field.as_str())
            .collect::<Vec<_>>(),
        ["resource"]
    );
    table
        .act("liu-bo", n, edit("approved", value!({"class": "3"})))
        .expect("the old fault is not his");
}

#[test]
fn a_view_shows_what_the_person_may_see_and_do() {
    let mut table = Table::new();
    let args = value!({
        "to": [{"group": "adjudicators"}], "mode": "any", "comment": "required",
        "show": {"在用授权": [1, 2]}, "reasons": {"rejected": "refusal"},
        "fields": {"hide": ["security"], "edit": ["class"]},
        "return": {"to": ["applicant"], "max": 3}, "correct": {"times": 2}, "due": {"workingDays": 3},
    });
    let n = table.approve("review", args);
    let view = |table: &Table, who: &str| table.desk.view_for(who, n, &table.world());
    assert_eq!(view(&table, "qian-li"), None, "a stranger sees nothing");
    let seen = view(&table, "sun-yi").expect("a signer sees it");
    assert_eq!(seen.due.as_deref(), Some("2026-04-30"));
    assert_eq!(seen.data.get("security"), None);
    assert_eq!(seen.show, value!({"在用授权": [1, 2]}));
    assert!(!seen.fills);
    assert_eq!(seen.form, Some("forms/application.yaml".into()));
    let outcomes: Vec<(&str, bool, usize)> = seen
        .outcomes
        .iter()
        .map(|one| (one.name.as_str(), one.comment, one.reasons.len()))
        .collect();
    assert_eq!(outcomes, [("approved", true, 0), ("rejected", true, 2)]);
    assert_eq!(
        seen.may,
        [
            "comment",
            "decide",
            "claim",
            "transfer",
            "return",
            "delegate",
            "correct",
            "addSigner"
        ]
    );
    assert_eq!(
        (
            seen.returns.map(|returns| returns.left),
            seen.corrections_left
        ),
        (Some(3), 2)
    );
    assert_eq!(
        view(&table, "li-na").expect("the applicant").may,
        ["comment", "urge"]
    );
    assert_eq!(
        view(&table, "admin").expect("the administrator").may,
        ["comment", "urge"]
    );
    table.act("sun-yi", n, What::Claim).expect("he may");
    let claimed = view(&table, "he-xin").expect("he still sees it");
    assert_eq!(
        (claimed.claimed_by.as_deref(), claimed.may),
        (Some("sun-yi"), vec!["comment".to_owned()])
    );
    table
        .act("sun-yi", n, table::said("approved", None))
        .expect("he may");
    let done = view(&table, "he-xin").expect("he may read it");
    assert_eq!(
        (done.status.as_str(), done.decisions[0].name.as_str()),
        ("decided", "孙毅")
    );
    assert_eq!(
        view(&table, "sun-yi").expect("he sees it").may,
        ["comment", "withdraw"]
    );
}

#[test]
fn the_applicant_sees_the_outcome_and_not_what_officers_say_to_one_another() {
    let mut table = Table::new();
    let args =
        value!({"to": [{"group": "adjudicators"}], "mode": "all", "show": {"核查结果": "canary"}});
    let n = table.approve("review", args);
    table
        .act("sun-yi", n, table::said("approved", None))
        .expect("he may");
    let inside = table
        .desk
        .view_for("he-xin", n, &table.world())
        .expect("a signer");
    assert_eq!(inside.decisions[0].comment.as_deref(), Some("因为"));
    let outside = table
        .desk
        .view_for("li-na", n, &table.world())
        .expect("the applicant");
    assert_eq!(
        (outside.show, outside.decisions[0].comment.as_deref()),
        (Value::Null, None)
    );
    assert_eq!(
        (outside.decisions[0].outcome.as_str(), outside.data),
        ("approved", table.case.form.clone())
    );
    table
        .open(
            "visit",
            "collect",
            value!({"to": [{"head": "police"}], "form": "free", "data": {"note": "canary"}}),
        )
        .expect("it opens");
    let outside = table
        .desk
        .view_for("li-na", 2, &table.world())
        .expect("the applicant");
    assert_eq!(outside.data, Value::Null);
}

#[test]
fn rows_are_what_the_tables_need() {
    let mut table = Table::new();
    let to = value!([{"role": "adjudicator", "unit": "data-bureau"}]);
    let args = value!({"to": to, "mode": "all", "due": {"workingDays": 3}, "comment": "optional"});
    let n = table.approve("review", args);
    table.decide("sun-yi", n, "approved").expect("he may");
    let rows = table.desk.rows();
    let due = Some(table::ms("2026-05-01T00:00:00+08:00") - 1);
    let candidates: Vec<(&str, Option<i64>)> = rows
        .candidates
        .iter()
        .map(|row| (row.candidate.as_str(), row.due_at_ms))
        .collect();
    assert_eq!(
        candidates,
        [("person:gao-yuan", due), ("person:he-xin", due)]
    );
    let item = &rows.items[0];
    assert_eq!(
        (
            item.status.as_str(),
            item.unit_id.as_deref(),
            item.due_at_ms
        ),
        ("open", Some("data-bureau"), due)
    );
    assert_eq!(
        (
            rows.clocks[0].id.as_str(),
            rows.clocks[0].budget,
            rows.clocks[0].unit.as_str()
        ),
        ("item/1", 3, "workingDays")
    );
    table.decide("he-xin", n, "rejected").expect("he may");
    let rows = table.desk.rows();
    assert!(rows.candidates.is_empty());
    assert_eq!(
        (
            rows.items[0].status.as_str(),
            rows.items[0].outcome.as_deref()
        ),
        ("decided", Some("rejected"))
    );
    assert_eq!(
        (rows.items[0].due_at_ms, rows.clocks[0].due_at_ms),
        (None, None)
    );
}

#[test]
fn a_large_show_is_not_kept_with_a_closed_item() {
    let mut table = Table::new();
    let rows: Vec<Value> = (0..500)
        .map(|index| value!({"name": format!("row {index}")}))
        .collect();
    let n = table.approve(
        "review",
        value!({"to": [{"head": "police"}], "show": {"rows": rows}}),
    );
    let open = serde_json::to_string(&table.desk)
        .expect("it serialises")
        .len();
    table.decide("zhou-ping", n, "approved").expect("he may");
    assert!(
        serde_json::to_string(&table.desk)
            .expect("it serialises")
            .len()
            < open / 4
    );
}

#[test]
fn acts_are_read_from_the_api() {
    let text = r#"{"n": 3, "who": "liu-bo", "channel": "api", "forWhom": "x",
        "what": {"do": "return", "to": "applicant", "resume": "direct", "fields": [["a", "b"]], "comment": "c"}}"#;
    let act: Act = serde_json::from_str(text).expect("it is read");
    assert_eq!((act.n, act.channel, act.round), (3, Channel::Api, None));
    assert!(matches!(act.what, What::Return { ref fields, .. } if fields.len() == 1));
    let step = r#"{"do": "return", "to": {"step": "office"}}"#;
    assert!(serde_json::from_str::<What>(step).is_ok());
    let decide = r#"{"do": "decide", "outcome": "approved"}"#;
    assert!(serde_json::from_str::<What>(decide).is_ok());
}
