//! How the answers of several people come together.

#![allow(clippy::panic, reason = "a test fails loudly, and its helpers do too")]

mod table;

use table::{Table, decide, outcome, output};
use tongban_expr::{Value, value};
use tongban_work::{Act, Channel, Refusal, What, WorkError};

/// Answers in order; `!` marks one that is refused, `=` the outcome that it gives.
struct Vote {
    what: &'static str,
    mode: Value,
    answers: &'static [(&'static str, &'static str)],
    /// The outcome after the last answer; none while it is open.
    outcome: Option<&'static str>,
}

fn vote(
    what: &'static str,
    mode: Value,
    answers: &'static [(&'static str, &'static str)],
    outcome: Option<&'static str>,
) -> Vote {
    Vote {
        what,
        mode,
        answers,
        outcome,
    }
}

fn adjudicators(mode: Value) -> Value {
    value!({"to": [{"group": "adjudicators"}], "comment": "optional"}).merged(&mode)
}

fn heads(mode: Value) -> Value {
    value!({"to": [{"head": ["police", "housing-bureau", "data-bureau"]}], "comment": "optional"})
        .merged(&mode)
}

/// Until somebody has spoken, all have, or one after the other.
fn one_by_one() -> Vec<Vote> {
    vec![
        vote(
            "any: the first approves",
            adjudicators(value!({})),
            &[("sun-yi", "approved")],
            Some("approved"),
        ),
        vote(
            "any: the first rejects",
            adjudicators(value!({})),
            &[("he-xin", "rejected")],
            Some("rejected"),
        ),
        vote(
            "all: two of three",
            adjudicators(value!({"mode": "all"})),
            &[("sun-yi", "approved"), ("he-xin", "approved")],
            None,
        ),
        vote(
            "all: three of three",
            adjudicators(value!({"mode": "all"})),
            &[
                ("sun-yi", "approved"),
                ("he-xin", "approved"),
                ("gao-yuan", "approved"),
            ],
            Some("approved"),
        ),
        vote(
            "all: one rejection rejects",
            adjudicators(value!({"mode": "all"})),
            &[("sun-yi", "approved"), ("he-xin", "rejected")],
            Some("rejected"),
        ),
        vote(
            "sequence: one after the other",
            heads(value!({"mode": "sequence"})),
            &[
                ("zhou-ping", "approved"),
                ("zheng-hua", "approved"),
                ("gao-yuan", "approved"),
            ],
            Some("approved"),
        ),
        vote(
            "sequence: a rejection ends it",
            heads(value!({"mode": "sequence"})),
            &[("zhou-ping", "approved"), ("zheng-hua", "rejected")],
            Some("rejected"),
        ),
    ]
}

/// By shares, numbers and weights.
fn counted() -> Vec<Vote> {
    vec![
        vote(
            "share: two of three reach 66 percent",
            adjudicators(value!({"mode": "share", "pass": {"share": 66}})),
            &[("sun-yi", "approved"), ("he-xin", "approved")],
            Some("approved"),
        ),
        vote(
            "share: one each is open",
            adjudicators(value!({"mode": "share", "pass": {"share": 66}})),
            &[("sun-yi", "approved"), ("he-xin", "rejected")],
            None,
        ),
        vote(
            "share: 67 percent is impossible after one rejection",
            adjudicators(value!({"mode": "share", "pass": {"share": 67}})),
            &[("sun-yi", "rejected")],
            Some("rejected"),
        ),
        vote(
            "count: two are enough",
            adjudicators(value!({"mode": "count", "pass": {"count": 2}})),
            &[
                ("sun-yi", "rejected"),
                ("he-xin", "approved"),
                ("gao-yuan", "approved"),
            ],
            Some("approved"),
        ),
        vote(
            "count: two rejections make two impossible",
            adjudicators(value!({"mode": "count", "pass": {"count": 2}})),
            &[("sun-yi", "rejected"), ("he-xin", "rejected")],
            Some("rejected"),
        ),
        vote(
            "weight: the heavy one alone",
            value!({"mode": "weight", "pass": {"weight": 3}, "comment": "optional",
                "to": [{"user": "gao-yuan", "weight": 3}, {"user": "sun-yi"}, {"user": "he-xin"}]}),
            &[("gao-yuan", "approved")],
            Some("approved"),
        ),
        vote(
            "weight: without the heavy one impossible",
            value!({"mode": "weight", "pass": {"weight": 3}, "comment": "optional",
                "to": [{"user": "gao-yuan", "weight": 3}, {"user": "sun-yi"}, {"user": "he-xin"}]}),
            &[("gao-yuan", "rejected")],
            Some("rejected"),
        ),
        vote(
            "a failed vote has the outcome that was said most, of equals the one listed first",
            adjudicators(
                value!({"mode": "count", "pass": {"count": 3}, "outcomes": {"yes": "是", "later": "缓", "no": "否"}}),
            ),
            &[("sun-yi", "no")],
            Some("no"),
        ),
    ]
}

/// By units.
fn by_unit() -> Vec<Vote> {
    vec![
        vote(
            "group: each unit once",
            value!({"mode": "group", "comment": "optional",
                "to": [{"role": "informatization-head", "unit": ["transport", "police"]}], "self": "allow"}),
            &[("zhou-ping", "approved"), ("zhao-min", "approved")],
            Some("approved"),
        ),
        vote(
            "group: one unit says no",
            value!({"mode": "group", "comment": "optional", "to": [{"head": ["transport", "police"]}]}),
            &[("zhao-min", "approved"), ("zhou-ping", "rejected")],
            Some("rejected"),
        ),
        vote(
            "group: two of one unit and the other's only one",
            value!({"mode": "group", "pass": {"each": 2}, "comment": "optional",
                "to": [{"role": "adjudicator", "unit": "data-bureau"}, {"head": "police"}]}),
            &[("sun-yi", "approved"), ("zhou-ping", "approved")],
            None,
        ),
        vote(
            "group: complete",
            value!({"mode": "group", "pass": {"each": 2}, "comment": "optional",
                "to": [{"role": "adjudicator", "unit": "data-bureau"}, {"head": "police"}]}),
            &[
                ("sun-yi", "approved"),
                ("zhou-ping", "approved"),
                ("he-xin", "approved"),
            ],
            Some("approved"),
        ),
    ]
}

fn held(votes: Vec<Vote>) {
    for vote in votes {
        let mut table = Table::new();
        let n = table.approve("adjudicate", vote.mode);
        let mut last = Vec::new();
        for (index, (who, answer)) in vote.answers.iter().enumerate() {
            assert_eq!(
                outcome(&last),
                None,
                "{}: it ended before answer {index}",
                vote.what
            );
            last = table
                .decide(who, n, answer)
                .unwrap_or_else(|refusal| panic!("{}: {refusal}", vote.what));
        }
        assert_eq!(outcome(&last), vote.outcome, "{}", vote.what);
    }
}

#[test]
fn a_vote_ends_with_the_first_the_last_or_one_after_the_other() {
    held(one_by_one());
}

#[test]
fn a_counted_vote_ends_when_its_end_is_certain() {
    held(counted());
}

#[test]
fn a_vote_by_units_ends_when_every_unit_has_spoken() {
    held(by_unit());
}

#[test]
fn the_result_lists_everybody() {
    let mut table = Table::new();
    let n = table.approve(
        "adjudicate",
        value!({"to": [{"group": "adjudicators"}], "mode": "all"}),
    );
    for who in ["gao-yuan", "sun-yi"] {
        table.decide(who, n, "approved").expect("they may");
    }
    let outs = table.decide("he-xin", n, "approved").expect("he may");
    let result = output(&outs).expect("it is complete");
    assert_eq!(result.text("by"), Some("he-xin"));
    assert_eq!(result.text("at"), Some("2026-04-27T09:00:00+08:00"));
    assert_eq!(result.at("decisions[1].by"), Some(&value!("sun-yi")));
    assert_eq!(result.at("decisions[2].unit"), Some(&value!("data-bureau")));
    assert_eq!(result.at("decisions[0].reused"), Some(&value!(false)));
    assert_eq!(result.get("round"), Some(&value!(1)));
}

#[test]
fn in_a_sequence_only_whose_turn_it_is_may_decide() {
    let mut table = Table::new();
    let args = value!({"mode": "sequence", "to": [{"role": "adjudicator"}, {"head": "police"}]});
    let n = table.approve("city", args);
    assert_eq!(
        table.waits_for(n),
        ["gao-yuan", "he-xin", "sun-yi"],
        "a role is one place"
    );
    assert!(
        matches!(table.decide("zhou-ping", n, "approved"), Err(Refusal::Waiting { what, .. }) if what == "turn")
    );
    let outs = table.decide("sun-yi", n, "approved").expect("his turn");
    assert_eq!(
        table::mails(&outs, tongban_work::MailKind::Task),
        ["zhou-ping"],
        "the next is told"
    );
    assert_eq!(table.waits_for(n), ["zhou-ping"]);
    let late = table.decide("he-xin", n, "approved");
    assert!(matches!(late, Err(Refusal::AlreadyDecided { by, .. }) if by == "sun-yi"));
}

#[test]
fn whoever_stands_at_two_places_of_a_sequence_signs_once() {
    let mut table = Table::new();
    let args = value!({"mode": "sequence", "to": [{"head": "police"}, {"role": "data-leader", "unit": "police"}]});
    let n = table.approve("city", args);
    let outs = table.decide("zhou-ping", n, "approved").expect("his turn");
    assert_eq!(outcome(&outs), Some("approved"));
}

#[test]
fn a_vote_that_nobody_can_win_is_refused_at_once() {
    let mut table = Table::new();
    let args = value!({"to": [{"group": "adjudicators"}], "mode": "count", "pass": {"count": 4}});
    assert!(matches!(
        table.open("v", "approve", args),
        Err(WorkError::Forbidden(_))
    ));
    for args in [
        value!({"to": ["applicant"], "mode": "count"}),
        value!({"to": ["applicant"], "mode": "share", "pass": {"share": 101}}),
        value!({"to": ["applicant"], "mode": "most"}),
        value!({"to": ["applicant"], "pass": {"count": "two"}}),
    ] {
        let error = table
            .open("v", "approve", args.clone())
            .expect_err("the argument is wrong");
        assert!(
            matches!(error, WorkError::Argument { .. }),
            "{args:?}: {error}"
        );
    }
}

#[test]
fn two_hundred_sign_and_five_hundred_and_one_are_too_many() {
    let mut table = Table::crowd(501);
    let many = value!({"to": [{"group": "many"}], "mode": "all"});
    let error = table
        .open("all", "approve", many.clone())
        .expect_err("too many");
    assert_eq!(
        error,
        WorkError::TooManySigners {
            found: 501,
            max: 500
        }
    );
    let mut table = Table::crowd(200);
    let n = table.approve("all", many);
    for index in 0..200 {
        let world = tongban_work::World {
            now_ms: table.now_ms,
            org: &table.org,
            case: &table.case,
            forms: &table.forms,
        };
        let act = tongban_work::Act {
            n,
            round: Some(1),
            who: format!("p{index}"),
            for_whom: None,
            channel: tongban_work::Channel::Bulk,
            seen_digest: None,
            what: decide("approved"),
        };
        let outs = table.desk.act(act, &world).expect("everybody may");
        assert_eq!(outcome(&outs).is_some(), index == 199);
    }
    let size = serde_json::to_string(&table.desk)
        .expect("it serialises")
        .len();
    assert!(size < 80_000, "two hundred signers take {size} bytes");
}

#[test]
fn who_signed_for_his_own_group_still_signs_for_whom_he_stands_in() {
    let mut table = Table::new();
    table.absent("zhou-ping", "gao-yuan");
    let args = value!({"mode": "group", "pass": {"each": 1}, "comment": "optional",
        "to": [{"group": "adjudicators"}, {"head": "police"}]});
    let n = table.approve("vote", args);
    table.decide("gao-yuan", n, "approved").expect("he may");
    table
        .act("gao-yuan", n, What::Claim)
        .expect("he stands in for the head");
    assert_eq!(table.waits_for(n), ["gao-yuan"]);
    let for_the_head = Act {
        n,
        round: None,
        who: "gao-yuan".into(),
        for_whom: Some("zhou-ping".into()),
        channel: Channel::Console,
        seen_digest: None,
        what: decide("approved"),
    };
    table.send(for_the_head).expect("he may");
    assert!(table.waits_for(n).is_empty());
}
