//! Claiming, handing over, asking, adding and reminding.

mod table;

use table::{Table, decide, mails, outcome};
use tongban_expr::value;
use tongban_work::{AddWhen, MailKind, Out, Refusal, What};

fn adjudicators(mode: &str) -> tongban_expr::Value {
    value!({"to": [{"group": "adjudicators"}], "mode": mode, "comment": "optional"})
}

fn transfer(to: &str) -> What {
    What::Transfer {
        to: to.into(),
        comment: Some("更熟悉".into()),
    }
}

fn delegate(to: &str) -> What {
    What::Delegate {
        to: to.into(),
        comment: None,
    }
}

fn add(who: &str, when: AddWhen) -> What {
    What::AddSigner {
        who: who.into(),
        when,
        comment: None,
    }
}

#[test]
fn the_first_claimer_has_it_until_he_gives_it_back() {
    let mut table = Table::new();
    let n = table.approve("vote", adjudicators("any"));
    table.act("sun-yi", n, What::Claim).expect("it is free");
    assert_eq!(table.act("sun-yi", n, What::Claim), Ok(Vec::new()));
    assert_eq!(
        table.waits_for(n),
        ["sun-yi"],
        "others do not see it in their lists"
    );
    for what in [What::Claim, decide("approved")] {
        let refusal = table.act("he-xin", n, what).expect_err("it is taken");
        assert_eq!(
            refusal,
            Refusal::ClaimedBy {
                by: "sun-yi".into(),
                at_ms: table.now_ms
            }
        );
    }
    assert!(matches!(
        table.act("he-xin", n, What::Unclaim),
        Err(Refusal::ClaimedBy { .. })
    ));
    table
        .act("sun-yi", n, What::Unclaim)
        .expect("he gives it back");
    assert!(matches!(
        table.act("sun-yi", n, What::Unclaim),
        Err(Refusal::NotClaimable)
    ));
    assert_eq!(
        outcome(&table.decide("he-xin", n, "approved").expect("it is free")),
        Some("approved")
    );
}

#[test]
fn whoever_hands_over_is_out_and_the_other_decides() {
    let mut table = Table::new();
    let n = table.approve(
        "office",
        value!({"to": [{"role": "data-office", "unit": "police"}]}),
    );
    let outs = table
        .act("liu-bo", n, transfer("chen-jie"))
        .expect("he may");
    assert_eq!(mails(&outs, MailKind::Handed), ["chen-jie"]);
    assert_eq!(
        table.decide("liu-bo", n, "approved"),
        Err(Refusal::NotFound),
        "none after handing over"
    );
    table
        .decide("chen-jie", n, "approved")
        .expect("it is his now");
    // Out of many: the one who leaves is replaced, the others are not bothered.
    let n = table.approve("vote", adjudicators("any"));
    table
        .act("sun-yi", n, transfer("wang-lei"))
        .expect("he may");
    assert_eq!(table.waits_for(n), ["wang-lei"]);
    assert!(
        matches!(
            table.act("wang-lei", n, transfer("he-xin")),
            Err(Refusal::UnfitPerson { .. })
        ),
        "he is in it already"
    );
}

#[test]
fn an_opinion_comes_back_to_the_first_owner() {
    let mut table = Table::new();
    let n = table.approve(
        "office",
        value!({"to": [{"role": "data-office", "unit": "police"}], "comment": "optional"}),
    );
    table
        .act("liu-bo", n, delegate("chen-jie"))
        .expect("he may ask");
    assert_eq!(table.waits_for(n), ["chen-jie"]);
    let waiting = table
        .decide("liu-bo", n, "approved")
        .expect_err("he waits for the opinion");
    assert_eq!(
        waiting,
        Refusal::Waiting {
            what: "opinion".into(),
            who: Some("chen-jie".into())
        }
    );
    let outs = table
        .decide("chen-jie", n, "rejected")
        .expect("he says what he thinks");
    assert_eq!(outcome(&outs), None, "an opinion decides nothing");
    assert!(outs.iter().any(|out| matches!(out, Out::Decision(row) if row.act == "opinion" && row.person_id == "chen-jie")));
    assert_eq!(mails(&outs, MailKind::Handed), ["liu-bo"]);
    assert_eq!(
        outcome(&table.decide("liu-bo", n, "approved").expect("he decides")),
        Some("approved")
    );
}

#[test]
fn added_signers_decide_before_after_or_beside() {
    let mut table = Table::new();
    // Before: the owner waits.
    let n = table.approve(
        "a",
        value!({"to": [{"head": "police"}], "comment": "optional"}),
    );
    table
        .act("zhou-ping", n, add("liu-bo", AddWhen::Before))
        .expect("he may");
    let waiting = table
        .decide("zhou-ping", n, "approved")
        .expect_err("he waits");
    assert_eq!(
        waiting,
        Refusal::Waiting {
            what: "signer".into(),
            who: Some("liu-bo".into())
        }
    );
    let outs = table
        .decide("liu-bo", n, "approved")
        .expect("he goes first");
    assert_eq!(
        (outcome(&outs), mails(&outs, MailKind::Task)),
        (None, vec!["zhou-ping".to_owned()])
    );
    assert_eq!(
        outcome(&table.decide("zhou-ping", n, "approved").expect("then he")),
        Some("approved")
    );
    // After: the owner's answer does not end it.
    let n = table.approve(
        "b",
        value!({"to": [{"head": "police"}], "comment": "optional"}),
    );
    table
        .act("zhou-ping", n, add("liu-bo", AddWhen::After))
        .expect("he may");
    assert_eq!(table.waits_for(n), ["zhou-ping"]);
    assert_eq!(
        outcome(&table.decide("zhou-ping", n, "approved").expect("first he")),
        None
    );
    assert_eq!(
        outcome(
            &table
                .decide("liu-bo", n, "rejected")
                .expect("then the other")
        ),
        Some("rejected")
    );
    // Beside: one more of all.
    let n = table.approve("c", adjudicators("all"));
    table
        .act("sun-yi", n, add("wang-lei", AddWhen::Beside))
        .expect("he may");
    for who in ["gao-yuan", "sun-yi", "he-xin"] {
        assert_eq!(
            outcome(&table.decide(who, n, "approved").expect("he may")),
            None,
            "{who}"
        );
    }
    assert_eq!(
        outcome(&table.decide("wang-lei", n, "approved").expect("the last")),
        Some("approved")
    );
}

#[test]
fn only_added_signers_leave_and_the_item_does_not_hang() {
    let mut table = Table::new();
    let n = table.approve(
        "b",
        value!({"to": [{"head": "police"}], "comment": "optional"}),
    );
    table
        .act("zhou-ping", n, add("liu-bo", AddWhen::After))
        .expect("he may");
    let both = table
        .act("zhou-ping", n, add("chen-jie", AddWhen::Before))
        .expect_err("one side only");
    assert_eq!(both.word(), "not-supported");
    table.decide("zhou-ping", n, "approved").expect("first he");
    let remove = |who: &str| What::RemoveSigner { who: who.into() };
    assert_eq!(
        table
            .act("zhou-ping", n, remove("zhou-ping"))
            .expect_err("not added")
            .word(),
        "unfit-person"
    );
    let outs = table
        .act("zhou-ping", n, remove("liu-bo"))
        .expect("he has not decided yet");
    assert_eq!(outcome(&outs), Some("approved"), "nothing is owed any more");
}

#[test]
fn the_electorate_of_a_vote_is_fixed() {
    let mut table = Table::new();
    let args = value!({"to": [{"group": "adjudicators"}], "mode": "share", "pass": {"share": 66}});
    let n = table.approve("vote", args);
    let refusal = table
        .act("sun-yi", n, add("wang-lei", AddWhen::Beside))
        .expect_err("nobody joins a vote");
    assert_eq!(refusal.word(), "not-supported");
}

#[test]
fn reminding_has_an_interval() {
    let mut table = Table::new();
    let n = table.approve("vote", adjudicators("any"));
    let urge = || What::Urge {
        comment: Some("急".into()),
    };
    let outs = table.act("li-na", n, urge()).expect("the applicant may");
    assert_eq!(
        mails(&outs, MailKind::Urge),
        ["gao-yuan", "he-xin", "sun-yi"]
    );
    let refusal = table.act("li-na", n, urge()).expect_err("a moment ago");
    let again_at_ms = Some(table.now_ms + tongban_work::URGE_INTERVAL_MS);
    assert_eq!(
        (refusal.clone(), refusal.status()),
        (Refusal::UrgedAlready { again_at_ms }, 429)
    );
    for _ in 1..tongban_work::URGE_MAX {
        table.now_ms += tongban_work::URGE_INTERVAL_MS;
        table
            .act("admin", n, urge())
            .expect("the administrator supervises");
    }
    table.now_ms += tongban_work::URGE_INTERVAL_MS;
    assert_eq!(
        table.act("li-na", n, urge()),
        Err(Refusal::UrgedAlready { again_at_ms: None })
    );
}

#[test]
fn an_opinion_that_is_handed_on_comes_back_to_the_first_owner() {
    let mut table = Table::new();
    let n = table.approve(
        "office",
        value!({"to": [{"role": "data-office", "unit": "police"}], "comment": "optional"}),
    );
    table
        .act("liu-bo", n, delegate("chen-jie"))
        .expect("he asks");
    table
        .act("chen-jie", n, delegate("zhou-ping"))
        .expect("and he asks on");
    assert_eq!(table.waits_for(n), ["zhou-ping"]);
    let outs = table
        .decide("zhou-ping", n, "approved")
        .expect("he says what he thinks");
    assert_eq!(mails(&outs, MailKind::Handed), ["liu-bo"]);
    assert_eq!(table.waits_for(n), ["liu-bo"]);
    let late = table.decide("chen-jie", n, "approved");
    assert_eq!(late, Err(Refusal::NotFound), "he only handed it on");
}

#[test]
fn one_adds_before_or_after_himself_and_beside_whenever_he_likes() {
    let mut table = Table::new();
    let head = value!({"to": [{"head": "police"}], "comment": "optional"});
    for (side, other) in [
        (AddWhen::After, AddWhen::Before),
        (AddWhen::Before, AddWhen::After),
    ] {
        let n = table.approve(&format!("{side:?}"), head.clone());
        let mut added = |who: &str, when| table.act("zhou-ping", n, add(who, when));
        added("liu-bo", AddWhen::Beside).expect("beside");
        added("chen-jie", side).expect("on one side");
        added("he-xin", side).expect("more of them on that side");
        let both = added("sun-yi", other).expect_err("not on the other as well");
        assert_eq!(both.word(), "not-supported", "{side:?}");
        added("sun-yi", AddWhen::Beside).expect("beside still");
        let order = match side {
            AddWhen::Before => ["liu-bo", "he-xin", "chen-jie", "sun-yi", "zhou-ping"],
            _ => ["liu-bo", "zhou-ping", "chen-jie", "sun-yi", "he-xin"],
        };
        for (at, who) in order.into_iter().enumerate() {
            let view = table.desk.view_for("zhou-ping", n, &table.world());
            let may = view.expect("he sees it").may;
            let own = order.iter().position(|one| *one == "zhou-ping");
            let owes = own.is_some_and(|own| at <= own);
            assert_eq!(may.contains(&"addSigner".to_owned()), owes, "{side:?} {at}");
            let outs = table.decide(who, n, "approved").expect("he may");
            let last = at + 1 == order.len();
            assert_eq!(outcome(&outs), last.then_some("approved"), "{side:?} {who}");
        }
    }
}
