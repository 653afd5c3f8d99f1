//! Return, resubmission and taking back: the cells that belong to
//! people. The jump itself is the core's.

#![allow(clippy::panic, reason = "a test fails loudly, and its helpers do too")]

mod table;

use table::{Table, jump, mails, output, resubmit, submit};
use tongban_expr::{Value, value};
use tongban_work::{
    MailKind, Out, Refusal, Reopen, Resume, ReturnTo, Siblings, Signing, Status, What,
};

fn back(to: &str) -> What {
    What::Return {
        to: ReturnTo::parse(to),
        resume: None,
        siblings: None,
        signing: None,
        fields: Vec::new(),
        comment: Some("请改正".into()),
    }
}

fn choosing(
    to: &str,
    resume: Option<Resume>,
    siblings: Option<Siblings>,
    signing: Option<Signing>,
) -> What {
    What::Return {
        to: ReturnTo::parse(to),
        resume,
        siblings,
        signing,
        fields: Vec::new(),
        comment: Some("x".into()),
    }
}

fn round(signing: Signing) -> Reopen {
    Reopen::Round { signing }
}

fn vote(mode: &str) -> Value {
    value!({"to": [{"group": "adjudicators"}], "mode": mode, "comment": "optional",
        "return": {"to": ["applicant", "previous", "accept"], "resume": "choose", "signing": "choose"}})
}

/// Where a return goes and how it comes back.
type Way = (&'static str, Resume, Siblings, Signing);

fn spec(more: Value) -> Value {
    value!({"to": [{"head": "police"}], "return": value!({"to": ["applicant", "accept"]}).merged(&more)})
}

fn any() -> Value {
    value!({"to": [{"head": "police"}], "return": {"to": ["any"]}})
}

/// Arguments, a return, and what comes of it.
fn returned(cases: Vec<(Value, What, Result<Way, &str>)>) {
    for (args, what, expected) in cases {
        let mut table = Table::new();
        let n = table.approve("leader", args);
        let result = table.act("zhou-ping", n, what.clone());
        match (result, expected) {
            (Ok(outs), Ok((to, resume, siblings, signing))) => {
                let jump = jump(&outs).expect("the core is asked to jump");
                assert_eq!(
                    (jump.to.word(), jump.resume, jump.siblings, jump.signing),
                    (to, resume, siblings, signing)
                );
                assert_eq!(
                    (jump.from.as_deref(), jump.by.as_str()),
                    (Some("leader"), "zhou-ping")
                );
                assert_eq!(
                    table.desk.item(n).map(|item| item.status),
                    Some(Status::Returned)
                );
                assert_eq!(table.desk.return_count(), 1);
                assert!(table.desk.rows().candidates.is_empty());
            }
            (Err(refusal), Err(word)) => assert_eq!(refusal.word(), word, "{what:?}"),
            (result, expected) => panic!("{what:?}: expected {expected:?}, found {result:?}"),
        }
    }
}

#[test]
fn targets_and_ways_are_the_authors_or_the_returners() {
    returned(vec![
        (
            spec(value!({})),
            back("applicant"),
            Ok(("applicant", Resume::Rerun, Siblings::Cancel, Signing::All)),
        ),
        (
            spec(value!({"resume": "direct"})),
            back("accept"),
            Ok(("accept", Resume::Direct, Siblings::Keep, Signing::All)),
        ),
        (
            spec(value!({"resume": "choose", "siblings": "choose", "signing": "choose"})),
            choosing(
                "accept",
                Some(Resume::Direct),
                Some(Siblings::Cancel),
                Some(Signing::Open),
            ),
            Ok(("accept", Resume::Direct, Siblings::Cancel, Signing::Open)),
        ),
        (
            spec(value!({"siblings": "keep"})),
            choosing("provider/accept", Some(Resume::Rerun), None, None),
            Ok((
                "provider/accept",
                Resume::Rerun,
                Siblings::Keep,
                Signing::All,
            )),
        ),
        (
            any(),
            back("elsewhere"),
            Ok(("elsewhere", Resume::Rerun, Siblings::Cancel, Signing::All)),
        ),
    ]);
}

#[test]
fn other_targets_and_ways_are_refused() {
    returned(vec![
        (
            spec(value!({"resume": "rerun"})),
            choosing("accept", Some(Resume::Direct), None, None),
            Err("return-fixed"),
        ),
        (
            spec(value!({})),
            choosing("accept", None, None, Some(Signing::Open)),
            Err("return-fixed"),
        ),
        (spec(value!({})), back("previous"), Err("not-a-target")),
        (any(), back("applicant"), Err("not-a-target")),
        (
            spec(value!({"max": 0})),
            back("applicant"),
            Err("return-limit"),
        ),
        (
            value!({"to": [{"head": "police"}]}),
            back("applicant"),
            Err("not-allowed"),
        ),
        (
            spec(value!({})),
            What::Return {
                to: ReturnTo::Applicant,
                resume: None,
                siblings: None,
                signing: None,
                fields: vec![("security".into(), "说明".into())],
                comment: None,
            },
            Err("return-fixed"),
        ),
        (
            spec(value!({})),
            What::Return {
                to: ReturnTo::Applicant,
                resume: None,
                siblings: None,
                signing: None,
                fields: vec![],
                comment: None,
            },
            Err("comment-required"),
        ),
    ]);
}

#[test]
fn who_signs_the_next_round() {
    // Two have approved, the third returns.
    let cases: [(&str, Signing, &[&str], &[&str]); 6] = [
        ("all", Signing::All, &["gao-yuan", "he-xin", "sun-yi"], &[]),
        (
            "all",
            Signing::Returner,
            &["sun-yi"],
            &["gao-yuan", "he-xin"],
        ),
        ("all", Signing::Open, &["sun-yi"], &["gao-yuan", "he-xin"]),
        ("any", Signing::All, &["gao-yuan", "he-xin", "sun-yi"], &[]),
        ("any", Signing::Returner, &["sun-yi"], &[]),
        ("any", Signing::Open, &["gao-yuan", "he-xin", "sun-yi"], &[]),
    ];
    for (mode, signing, waits, kept) in cases {
        let mut table = Table::new();
        let n = table.approve("vote", vote(mode));
        if mode == "all" {
            table.decide("gao-yuan", n, "approved").expect("he may");
            table.decide("he-xin", n, "approved").expect("he may");
        }
        table
            .act("sun-yi", n, choosing("accept", None, None, Some(signing)))
            .expect("he may");
        table.at("2026-04-29");
        let outs = table
            .enter("vote#2", "vote", "approve", vote(mode), round(signing))
            .expect("it opens again");
        assert_eq!(table.waits_for(n), waits, "{mode} {signing:?}");
        let rows: Vec<String> = outs
            .iter()
            .filter_map(|out| match out {
                Out::Decision(row) => Some(format!(
                    "{} {:?} {}",
                    row.signer_id, row.kept_from, row.round
                )),
                _ => None,
            })
            .collect();
        let expected: Vec<String> = kept.iter().map(|who| format!("{who} Some(1) 2")).collect();
        assert_eq!(
            rows, expected,
            "{mode} {signing:?}: approvals are kept from round 1"
        );
        let item = table.desk.item(n).expect("the same item");
        assert_eq!(
            (item.round, item.run_id.as_str(), table.desk.items().len()),
            (2, "vote#2", 1)
        );
        let mut last = Vec::new();
        for who in waits.iter().rev().take(if mode == "any" { 1 } else { 3 }) {
            last = table.decide(who, n, "approved").expect("he may");
        }
        let result = output(&last).expect("it is complete");
        assert_eq!(result.get("round"), Some(&value!(2)));
        let reused = result.get("decisions").map(|list| {
            list.items()
                .filter(|one| one.get("reused") == Some(&value!(true)))
                .count()
        });
        assert_eq!(reused, Some(kept.len()));
    }
}

#[test]
fn rejections_that_did_not_end_a_vote_are_asked_again_with_open_and_kept_with_returner() {
    for (signing, waits) in [
        (Signing::Open, &["he-xin", "sun-yi"][..]),
        (Signing::Returner, &["sun-yi"][..]),
    ] {
        let mut table = Table::new();
        let args = vote("count").merged(&value!({"pass": {"count": 2}}));
        let n = table.approve("vote", args.clone());
        table.decide("gao-yuan", n, "approved").expect("he may");
        table.decide("he-xin", n, "rejected").expect("he may");
        table
            .act("sun-yi", n, choosing("accept", None, None, Some(signing)))
            .expect("he may");
        table
            .enter("vote#2", "vote", "approve", args, round(signing))
            .expect("it opens again");
        assert_eq!(table.waits_for(n), waits, "{signing:?}");
    }
}

fn returning() -> Value {
    value!({"to": [{"head": "police"}], "return": {"to": ["applicant"], "resume": "direct", "fields": true}})
}

/// A case that came back to its applicant with one field marked: the reviewer's item and the applicant's.
fn returned_to_the_applicant() -> (Table, u32, u32) {
    let mut table = Table::new();
    let n = table.approve("leader", returning());
    let what = What::Return {
        to: ReturnTo::Applicant,
        resume: None,
        siblings: None,
        signing: None,
        fields: vec![("security".into(), "请说明脱敏方式".into())],
        comment: None,
    };
    let outs = table.act("zhou-ping", n, what).expect("he may");
    let wish = jump(&outs).expect("a jump").clone();
    let asked = table.ask_applicant(&wish);
    (table, n, asked)
}

#[test]
fn the_applicant_gets_the_form_back_with_the_fields() {
    let (table, _, asked) = returned_to_the_applicant();
    assert_eq!(table.desk.state_word(), Some("补正中"));
    let view = table
        .desk
        .view_for("li-na", asked, &table.world())
        .expect("the applicant sees it");
    assert_eq!(
        (
            view.kind.as_str(),
            view.may.contains(&"resubmit".to_owned())
        ),
        ("resubmit", true)
    );
    assert_eq!(
        view.asked,
        [("security".to_owned(), "请说明脱敏方式".to_owned())]
    );
    assert_eq!(view.data, table.case.form);
}

#[test]
fn only_the_applicant_sends_it_again_and_only_what_was_asked() {
    let (mut table, _, asked) = returned_to_the_applicant();
    for (who, change, word) in [
        ("zhou-ping", value!({"security": "x"}), "not-found"),
        ("li-na", value!({"resource": "other"}), "field-not-editable"),
        ("li-na", value!({"security": ""}), "form-faults"),
    ] {
        assert_eq!(
            table
                .act(who, asked, resubmit(change))
                .expect_err(word)
                .word(),
            word
        );
    }
}

#[test]
fn the_applicant_sends_a_new_version_once_and_the_reviewer_sees_what_changed() {
    let (mut table, n, asked) = returned_to_the_applicant();
    table.at("2026-04-29");
    let outs = table
        .act("li-na", asked, resubmit(value!({"security": "脱敏"})))
        .expect("he may");
    let changed = outs.iter().position(|out| matches!(out, Out::Form(change) if change.why == "resubmitted" && change.by == "li-na"));
    let completed = outs
        .iter()
        .position(|out| matches!(out, Out::Completed { run_id, .. } if run_id == "@applicant"));
    assert!(
        changed < completed && changed.is_some(),
        "the form comes before the flow goes on"
    );
    assert_eq!(output(&outs), Some(&table.case.form));
    assert_eq!(
        table.act("li-na", asked, resubmit(value!({"security": "脱敏"}))),
        Ok(Vec::new()),
        "sent twice is sent once"
    );
    assert_eq!(table.desk.state_word(), None);

    table
        .enter(
            "leader#2",
            "leader",
            "approve",
            returning(),
            round(Signing::All),
        )
        .expect("it opens again");
    let view = table
        .desk
        .view_for("zhou-ping", n, &table.world())
        .expect("the reviewer sees it");
    let fields: Vec<&str> = view
        .difference
        .iter()
        .map(|one| one.field.as_str())
        .collect();
    assert_eq!(fields, ["security"], "he sees what changed");
}

#[test]
fn a_form_that_is_returned_reopens_with_its_last_submission() {
    let mut table = Table::new();
    let args = value!({"to": [{"role": "grid-worker", "unit": "g1"}], "form": "sheet", "data": {"rows": [{"name": "张三", "job": null}]}});
    table
        .open("collect", "collect", args.clone())
        .expect("it opens");
    let rows = |job: &str| value!({"rows": [{"name": "张三", "job": job}]});
    table
        .act("g1-worker", 1, submit(rows("失业")))
        .expect("he may");
    let review = value!({"to": [{"role": "data-reviewer", "unit": "c1"}], "return": {"to": ["collect"], "resume": "direct", "fields": true}});
    let n = table.approve("community", review.clone());
    let what = What::Return {
        to: ReturnTo::parse("collect"),
        resume: None,
        siblings: None,
        signing: None,
        fields: vec![("rows[0].job".into(), "与社保记录不一致".into())],
        comment: None,
    };
    table.act("c1-clerk", n, what).expect("he may");
    table
        .enter("collect#2", "collect", "collect", args, round(Signing::All))
        .expect("it opens again");
    let view = table
        .desk
        .view_for("g1-worker", 1, &table.world())
        .expect("the collector sees it");
    assert_eq!((view.data, view.round), (rows("失业"), 2));
    assert_eq!(
        table.act("c1-clerk", 1, submit(value!({}))),
        Err(Refusal::NotFound),
        "a reviewer never fills in"
    );
    let change = What::Submit {
        outcome: None,
        data: None,
        change: value!({"rows[0].job": "在业"}),
        comment: None,
        reason: None,
        statement: None,
    };
    let outs = table.act("g1-worker", 1, change).expect("he may");
    assert_eq!(
        output(&outs).and_then(|output| output.get("data")),
        Some(&rows("在业"))
    );
    table
        .enter(
            "community#2",
            "community",
            "approve",
            review,
            round(Signing::All),
        )
        .expect("it opens again");
    let view = table
        .desk
        .view_for("c1-clerk", n, &table.world())
        .expect("the reviewer sees it");
    assert_eq!(view.difference.len(), 1);
    assert_eq!(view.difference[0].field, "rows[0].job");
}

#[test]
fn a_kept_branch_goes_on_with_its_answers_in_the_same_round() {
    let mut table = Table::new();
    let n = table.approve("branch", vote("all"));
    table.decide("sun-yi", n, "approved").expect("he may");
    table
        .on_desk(|desk, world| Ok::<_, ()>(desk.close("branch", "jump", world)))
        .expect("it cannot fail");
    assert!(table.waits_for(n).is_empty());
    table
        .enter("branch#2", "branch", "approve", vote("all"), Reopen::Keep)
        .expect("it goes on");
    assert_eq!(table.waits_for(n), ["gao-yuan", "he-xin"]);
    let item = table.desk.item(n).expect("the same item");
    assert_eq!((item.round, item.run_id.as_str()), (1, "branch#2"));
    table.decide("gao-yuan", n, "approved").expect("he may");
    let outs = table.decide("he-xin", n, "approved").expect("he may");
    assert!(matches!(outs.last(), Some(Out::Completed { run_id, .. }) if run_id == "branch#2"));
}

#[test]
fn the_returners_clock_goes_on_when_direct_and_starts_anew_when_rerun() {
    for (resume, due) in [
        (Resume::Direct, "2026-05-12"),
        (Resume::Rerun, "2026-05-13"),
    ] {
        let mut table = Table::new();
        let args = value!({"to": [{"head": "police"}], "return": {"to": ["accept"]}, "due": {"workingDays": 5}});
        let n = table.approve("leader", args.clone());
        table
            .at("2026-04-28")
            .act("zhou-ping", n, choosing("accept", Some(resume), None, None))
            .expect("he may");
        table
            .at("2026-05-07")
            .enter("leader#2", "leader", "approve", args, round(Signing::All))
            .expect("it opens again");
        let view = table
            .desk
            .view_for("zhou-ping", n, &table.world())
            .expect("he sees it");
        assert_eq!(view.due.as_deref(), Some(due), "{resume:?}");
    }
}

#[test]
fn what_fired_stays_fired_on_a_clock_that_goes_on() {
    for (resume, reminded) in [(Resume::Direct, 0), (Resume::Rerun, 1)] {
        let mut table = Table::new();
        let args = value!({
            "to": [{"head": "police"}], "return": {"to": ["accept"]},
            "due": {"workingDays": 5}, "remind": [{"after": {"workingDays": 1}}]
        });
        let n = table.approve("leader", args.clone());
        let outs = table.advance("2026-04-29");
        assert_eq!(mails(&outs, MailKind::Reminder), ["zhou-ping"]);
        table
            .act("zhou-ping", n, choosing("accept", Some(resume), None, None))
            .expect("he may");
        table
            .at("2026-05-07")
            .enter("leader#2", "leader", "approve", args, round(Signing::All))
            .expect("it opens again");
        let outs = table.advance("2026-05-11");
        let again = mails(&outs, MailKind::Reminder).len();
        assert_eq!(again, reminded, "{resume:?}");
    }
}
