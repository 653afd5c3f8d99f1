//! Every refusal, with its word and status; a refusal never changes the desk.

mod table;

use table::{Table, decide, edit, output, resubmit, said, submit};
use tongban_expr::{Value, value};
use tongban_work::{Act, Channel, Refusal, Reopen, ReturnTo, Signing, What};

fn office() -> Value {
    value!({
        "to": [{"role": "data-office", "unit": "police"}],
        "reasons": {"rejected": "refusal"},
        "comment": "onReject",
        "fields": {"edit": ["scope.items", "class"], "require": ["class"]},
        "return": {"to": ["applicant", "accept"], "resume": "choose", "fields": true, "max": 1},
    })
}

fn act(n: u32, who: &str, what: What) -> Act {
    Act {
        n,
        round: None,
        who: who.into(),
        for_whom: None,
        channel: Channel::Api,
        seen_digest: None,
        what,
    }
}

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

fn class() -> Value {
    value!({"class": "307001"})
}

/// Acts on the office's item, each with the word and the status of its refusal; afterwards the office still may decide.
fn refused(cases: Vec<(&str, What, &str, u16)>) {
    let mut table = Table::new();
    let n = table.approve("provider/office", office());
    for (who, what, word, status) in cases {
        let refusal = table.act(who, n, what.clone()).expect_err(word);
        assert_eq!(
            (refusal.word(), refusal.status()),
            (word, status),
            "{who} {what:?}: {refusal}"
        );
    }
    table
        .act("liu-bo", n, edit("approved", class()))
        .expect("after all this he still may");
}

#[test]
fn people_are_refused_for_exact_reasons() {
    refused(vec![
        ("qian-li", decide("approved"), "not-found", 404),
        ("li-na", decide("approved"), "self-approval", 403),
        ("admin", decide("approved"), "not-allowed", 403),
    ]);
}

#[test]
fn outcomes_and_kinds_of_acts_are_refused_for_exact_reasons() {
    refused(vec![
        ("liu-bo", submit(value!({})), "wrong-act", 422),
        ("liu-bo", resubmit(value!({})), "wrong-act", 422),
        ("liu-bo", decide("maybe"), "unknown-outcome", 422),
        ("liu-bo", decide("rejected"), "reason-required", 422),
        (
            "liu-bo",
            said("rejected", Some("whim")),
            "unknown-reason",
            422,
        ),
    ]);
}

#[test]
fn changes_of_the_form_are_refused_for_exact_reasons() {
    refused(vec![
        ("liu-bo", decide("approved"), "form-faults", 422),
        (
            "liu-bo",
            edit("approved", value!({"security": "none"})),
            "field-not-editable",
            422,
        ),
        (
            "liu-bo",
            edit("approved", value!({"scope.mode": "file"})),
            "field-not-editable",
            422,
        ),
        (
            "liu-bo",
            edit("approved", value!({"scope.items[7]": "x"})),
            "bad-change",
            422,
        ),
        ("liu-bo", edit("approved", value!([1])), "bad-change", 422),
    ]);
}

#[test]
fn acts_that_the_step_does_not_take_are_refused_for_exact_reasons() {
    refused(vec![
        ("liu-bo", back("leader"), "not-a-target", 422),
        ("liu-bo", What::Claim, "not-claimable", 409),
        (
            "liu-bo",
            What::Correct {
                items: vec![("a".into(), "b".into())],
                comment: None,
            },
            "not-allowed",
            403,
        ),
        ("liu-bo", What::Withdraw { comment: None }, "too-late", 409),
        ("liu-bo", What::Urge { comment: None }, "not-allowed", 403),
        (
            "liu-bo",
            What::Transfer {
                to: "ghost".into(),
                comment: None,
            },
            "unfit-person",
            422,
        ),
        (
            "liu-bo",
            What::Transfer {
                to: "li-na".into(),
                comment: None,
            },
            "unfit-person",
            422,
        ),
    ]);
}

#[test]
fn an_item_that_is_not_there_is_not_found() {
    let mut table = Table::new();
    table.approve("provider/office", office());
    assert_eq!(
        table.act("liu-bo", 99, decide("approved")),
        Err(Refusal::NotFound)
    );
}

#[test]
fn a_reason_alone_does_not_replace_the_comment() {
    let mut table = Table::new();
    let n = table.approve("office", office());
    let what = What::Decide {
        outcome: "rejected".into(),
        comment: Some("  ".into()),
        reason: Some("scope".into()),
        change: Value::Null,
        statement: None,
    };
    let refusal = table
        .act("liu-bo", n, what)
        .expect_err("blanks are no comment");
    assert_eq!(
        refusal,
        Refusal::CommentRequired {
            outcome: "rejected".into()
        }
    );
    let outs = table
        .act("liu-bo", n, said("rejected", Some("scope")))
        .expect("with both it is accepted");
    assert_eq!(
        output(&outs).and_then(|output| output.text("reason")),
        Some("scope")
    );
}

#[test]
fn the_same_again_is_the_same_answer_and_something_else_a_conflict() {
    let mut table = Table::new();
    let n = table.approve(
        "all",
        value!({"to": [{"group": "adjudicators"}], "mode": "all", "comment": "optional"}),
    );
    assert!(
        !table
            .decide("sun-yi", n, "approved")
            .expect("he may")
            .is_empty()
    );
    assert_eq!(table.decide("sun-yi", n, "approved"), Ok(Vec::new()));
    let at_ms = table.now_ms;
    table.at("2026-04-28");
    let refusal = table
        .decide("sun-yi", n, "rejected")
        .expect_err("he has decided");
    assert_eq!(
        refusal,
        Refusal::AlreadyDecided {
            by: "sun-yi".into(),
            at_ms,
            outcome: "approved".into()
        }
    );
    table.decide("he-xin", n, "rejected").expect("he may");
    // Closed: the same again still gives the same, others learn who decided.
    assert_eq!(table.decide("he-xin", n, "rejected"), Ok(Vec::new()));
    let refusal = table
        .decide("gao-yuan", n, "approved")
        .expect_err("it is closed");
    assert!(matches!(refusal, Refusal::AlreadyDecided { by, .. } if by == "he-xin"));
}

#[test]
fn a_late_click_learns_when_and_by_whom_it_was_returned() {
    let mut table = Table::new();
    let n = table.approve("office", office());
    table
        .act("liu-bo", n, back("applicant"))
        .expect("he may return it");
    let refusal = table
        .decide("liu-bo", n, "approved")
        .expect_err("the round is closed");
    assert!(
        matches!(refusal, Refusal::Closed { ref why, ref by, .. } if why == "returned" && by.as_deref() == Some("liu-bo"))
    );
    let round = Reopen::Round {
        signing: Signing::All,
    };
    table
        .at("2026-04-29")
        .enter("office#2", "office", "approve", office(), round)
        .expect("it opens again");
    let late = Act {
        round: Some(1),
        ..act(n, "liu-bo", decide("approved"))
    };
    let refusal = table.send(late).expect_err("the link is of round 1");
    let expected = Refusal::RoundClosed {
        round: 1,
        current: 2,
        why: "returned".into(),
        by: Some("liu-bo".into()),
        at_ms: table::ms("2026-04-27"),
    };
    assert_eq!(refusal, expected);
    let again = table
        .act("liu-bo", n, back("applicant"))
        .expect_err("once is the limit here");
    assert_eq!(again, Refusal::ReturnLimit { count: 1 });
}

#[test]
fn a_suspended_case_takes_no_decision_and_nothing_comes_due() {
    let mut table = Table::new();
    let args = value!({"to": [{"head": "police"}], "due": {"hours": 1}, "timeout": "approved"});
    let n = table.approve("leader", args);
    table.desk.suspend();
    assert_eq!(
        table.decide("zhou-ping", n, "approved"),
        Err(Refusal::Suspended)
    );
    assert_eq!(
        table.decide("qian-li", n, "approved"),
        Err(Refusal::NotFound),
        "strangers learn nothing"
    );
    assert_eq!(table.desk.next_due_ms(), None);
    assert!(table.at("2026-04-28").due().is_empty());
    table.desk.resume();
    assert_eq!(
        table::outcome(&table.due()),
        Some("approved"),
        "what came due meanwhile happens now"
    );
}

#[test]
fn a_digest_that_is_no_longer_true_is_refused() {
    let mut table = Table::new();
    let n = table.approve("office", office());
    let digest = table
        .desk
        .view_for("liu-bo", n, &table.world())
        .expect("he sees it")
        .digest;
    table
        .case
        .form
        .set("security", "changed in a parallel branch");
    let stale = Act {
        seen_digest: Some(digest.clone()),
        ..act(n, "liu-bo", edit("approved", class()))
    };
    let Err(Refusal::Changed { digest: now }) = table.send(stale.clone()) else {
        panic!("it has changed")
    };
    assert_ne!(now, digest);
    let outs = table
        .send(Act {
            seen_digest: Some(now.clone()),
            ..stale
        })
        .expect("he has looked again");
    let seen = outs.iter().find_map(|out| match out {
        tongban_work::Out::Decision(row) => row.seen_digest.clone(),
        _ => None,
    });
    assert_eq!(seen, Some(now));
}

#[test]
fn a_closed_task_takes_nothing_more() {
    let mut table = Table::new();
    let n = table.approve("office", office());
    let closed = table
        .on_desk(|desk, world| Ok::<_, ()>(desk.close("office", "cancelled", world)))
        .expect("it cannot fail");
    assert!(!closed.is_empty());
    let refusal = table
        .decide("liu-bo", n, "approved")
        .expect_err("it is closed");
    assert!(matches!(refusal, Refusal::Closed { why, .. } if why == "cancelled"));
    let again = table.on_desk(|desk, world| Ok::<_, ()>(desk.close("office", "cancelled", world)));
    assert_eq!(again, Ok(Vec::new()), "closing twice is closing once");
    assert!(table.desk.rows().candidates.is_empty());
}
