//! Only the respondent changes his figures, whichever way they come before somebody else.

mod table;

use table::{Table, edit, output, submit};
use tongban_expr::{Value, value};
use tongban_work::{Out, Refusal, What, WorkError};

#[test]
fn a_reviewer_never_edits_a_respondents_figures() {
    let mut table = Table::new();
    let args = value!({"to": [{"head": "police"}], "fields": {"edit": ["figures"]}});
    let error = table
        .open("review", "approve", args)
        .expect_err("the engine refuses it");
    assert!(
        matches!(error, WorkError::Forbidden(ref why) if why.contains("figures")),
        "{error}"
    );
    let n = table.approve(
        "review",
        value!({"to": [{"head": "police"}], "fields": {"edit": ["*"]}}),
    );
    let refusal = table
        .act(
            "zhou-ping",
            n,
            edit("approved", value!({"figures.total": 3})),
        )
        .expect_err("not his");
    assert_eq!(
        refusal,
        Refusal::Figures {
            field: "figures.total".into()
        }
    );
    let outs = table
        .act(
            "zhou-ping",
            n,
            edit("approved", value!({"security": "better"})),
        )
        .expect("the rest he may");
    assert!(
        outs.iter()
            .any(|out| matches!(out, Out::Form(change) if change.by == "zhou-ping"))
    );
}

#[test]
fn figures_are_not_changed_with_the_group_around_them_nor_by_whom_they_are_handed_to() {
    let mut table = Table::new();
    let schema = value!({"properties": {"scope": {"properties": {
        "items": {"items": {}}, "count": {"x-figures": true}, "mode": {}
    }}}});
    table
        .forms
        .schemas
        .insert("forms/application.yaml".into(), schema);
    table.case.form = value!({"scope": {"items": ["a"], "count": 7, "mode": "api"}});
    let args = value!({"to": [{"head": "police"}], "fields": {"edit": ["scope"]}});
    let n = table.approve("review", args);
    for scope in [
        value!({"items": ["a"], "count": 8, "mode": "api"}),
        value!({"items": ["a"], "mode": "api"}),
    ] {
        let refusal = table
            .act("zhou-ping", n, edit("approved", value!({"scope": scope})))
            .expect_err("the figure is inside");
        let field = "scope.count".into();
        assert_eq!(refusal, Refusal::Figures { field });
    }
    let narrower = value!({"scope": {"items": ["a"], "count": 7, "mode": "file"}});
    table
        .act("zhou-ping", n, edit("approved", narrower))
        .expect("the rest of the group he may");

    // The respondent may edit; whom he hands the step to is a reviewer.
    let own = value!({"to": ["applicant"], "fields": {"edit": ["scope"]}});
    let n = table.approve("own", own);
    let to = "zhou-ping".to_owned();
    table
        .act("li-na", n, What::Transfer { to, comment: None })
        .expect("she hands it over");
    let refusal = table
        .act("zhou-ping", n, edit("approved", value!({"scope.count": 9})))
        .expect_err("he is not the respondent");
    assert!(matches!(refusal, Refusal::Figures { .. }), "{refusal}");
}

/// Asks for a sheet in a step.
fn sheet(who: Value, data: Value) -> Value {
    value!({"to": [who], "form": "sheet", "data": data})
}

#[test]
fn figures_that_somebody_answered_with_are_not_changed_in_another_step() {
    for schema in [
        value!({"properties": {"count": {"x-figures": true}, "note": {}}}),
        value!({"x-figures": true, "properties": {"count": {}, "note": {"x-figures": false}}}),
    ] {
        answered_and_looked_at(schema);
    }
}

fn answered_and_looked_at(schema: Value) {
    let whole = schema.get("x-figures").is_some();
    let mut table = Table::new();
    table.forms.schemas.insert("sheet".into(), schema);
    let collector = value!({"role": "register-clerk", "unit": "police"});
    let reviewer = value!({"head": "police"});
    table
        .open("fill", "collect", sheet(collector.clone(), value!({})))
        .expect("it opens");
    let outs = table
        .act("chen-jie", 1, submit(value!({"count": 7, "note": "a"})))
        .expect("they are his");
    let answered = output(&outs).and_then(|output| output.get("data"));
    let answered = answered.cloned().expect("the data comes out");

    table
        .open("look", "collect", sheet(reviewer.clone(), answered.clone()))
        .expect("it opens");
    for data in [
        value!({"count": 8, "note": "a"}),
        value!({"count": null, "note": "a"}),
    ] {
        let refusal = table
            .act("zhou-ping", 2, submit(data))
            .expect_err("they are not his");
        let field = "count".into();
        assert_eq!(refusal, Refusal::Figures { field });
    }
    let note = table.act("zhou-ping", 2, submit(value!({"count": 7, "note": "b"})));
    match whole {
        true => assert!(matches!(note, Err(Refusal::Figures { field }) if field == "note")),
        false => drop(note.expect("the rest he may")),
    }

    // His own figures, and the answerer's own again in a later step, are theirs to give.
    table
        .open("own", "collect", sheet(reviewer, value!({"count": 3})))
        .expect("it opens");
    table
        .act("zhou-ping", 3, submit(value!({"count": 4})))
        .expect("nobody answered with these");
    table
        .open("again", "collect", sheet(collector, answered))
        .expect("it opens");
    table
        .act("chen-jie", 4, submit(value!({"count": 9, "note": "a"})))
        .expect("they are his");
}
