//! 撤回: one's own decision is taken back, as long as nobody has acted on it.

mod table;

use table::{Table, jump};
use tongban_expr::{Value, value};
use tongban_work::{Out, Refusal, Reopen, Signing, What};

fn vote(mode: &str) -> Value {
    value!({"to": [{"group": "adjudicators"}], "mode": mode, "comment": "optional"})
}

fn withdraw() -> What {
    What::Withdraw {
        comment: Some("误点".into()),
    }
}

#[test]
fn a_decision_is_taken_back_while_the_item_is_open() {
    let mut table = Table::new();
    let n = table.approve("vote", vote("all"));
    table.decide("sun-yi", n, "approved").expect("he may");
    let outs = table.act("sun-yi", n, withdraw()).expect("it is open");
    assert!(outs.iter().any(|out| matches!(out, Out::Decision(row) if row.act == "withdrawn" && row.signer_id == "sun-yi")));
    assert_eq!(table.waits_for(n).len(), 3);
    assert_eq!(
        table
            .act("sun-yi", n, withdraw())
            .expect_err("nothing left")
            .word(),
        "too-late"
    );
    table
        .decide("sun-yi", n, "rejected")
        .expect("now the other way");
}

#[test]
fn a_settled_decision_is_taken_back_by_a_jump_that_its_signer_alone_signs() {
    let mut table = Table::new();
    let first = table.approve(
        "office",
        value!({"to": [{"role": "data-office", "unit": "police"}]}),
    );
    table.decide("liu-bo", first, "approved").expect("he may");
    assert_eq!(
        table
            .act("liu-bo", first, withdraw())
            .expect_err("gone on")
            .word(),
        "too-late",
        "nothing open to take back"
    );
    let next = table.approve("leader", value!({"to": [{"head": "police"}]}));
    let outs = table
        .act("liu-bo", first, withdraw())
        .expect("the leader has not acted");
    let wish = jump(&outs).expect("a jump");
    assert_eq!(
        (wish.to.word(), wish.signing, wish.withdrawal),
        ("office", Signing::Returner, true)
    );
    assert_eq!(wish.from.as_deref(), Some("leader"));
    table
        .on_desk(|desk, world| Ok::<_, ()>(desk.close("leader", "withdrawn", world)))
        .expect("it cannot fail");
    let args = value!({"to": [{"role": "data-office", "unit": "police"}]});
    table
        .enter(
            "office#2",
            "office",
            "approve",
            args,
            Reopen::Round {
                signing: Signing::Returner,
            },
        )
        .expect("it opens again");
    assert_eq!(table.waits_for(first), ["liu-bo"]);
    assert!(matches!(
        table.decide("zhou-ping", next, "approved"),
        Err(Refusal::Closed { .. })
    ));
}

/// Whoever decided a step that is settled, and what the next step was asked meanwhile.
fn taken_back_after(next: Value, then: impl FnOnce(&mut Table, u32)) -> String {
    let mut table = Table::new();
    let first = table.approve(
        "office",
        value!({"to": [{"role": "data-office", "unit": "police"}]}),
    );
    table.decide("liu-bo", first, "approved").expect("he may");
    let next = table.approve("leader", next);
    then(&mut table, next);
    let refusal = table.act("liu-bo", first, withdraw());
    refusal.expect_err("too late").to_string()
}

#[test]
fn a_decision_stays_once_anybody_has_touched_what_follows() {
    let head = || value!({"to": [{"head": "police"}], "correct": {"due": {"workingDays": 5}}});
    let gone_on = "too late to take it back: the case has gone on";
    let decided = |table: &mut Table, n: u32| {
        table.decide("zhou-ping", n, "approved").expect("he may");
    };
    assert_eq!(taken_back_after(head(), decided), gone_on);
    let claimed = |table: &mut Table, n: u32| {
        table.act("sun-yi", n, What::Claim).expect("he may");
    };
    assert_eq!(taken_back_after(vote("any"), claimed), gone_on);
    let corrected = |table: &mut Table, n: u32| {
        let correct = What::Correct {
            items: vec![("a".into(), "missing".into())],
            comment: None,
        };
        table.act("zhou-ping", n, correct).expect("he may");
    };
    assert_eq!(taken_back_after(head(), corrected), gone_on);
    let closed = |table: &mut Table, _: u32| {
        table
            .on_desk(|desk, world| Ok::<_, ()>(desk.close("leader", "timeout", world)))
            .expect("it cannot fail");
    };
    assert_eq!(taken_back_after(head(), closed), gone_on);
}

#[test]
fn what_others_decided_with_one_is_not_taken_back_by_one() {
    let mut table = Table::new();
    let n = table.approve("vote", vote("all"));
    let signers = table.waits_for(n);
    for signer in &signers {
        table.decide(signer, n, "approved").expect("he may");
    }
    table.approve("leader", value!({"to": [{"head": "police"}]}));
    let refusal = table.act(&signers[0], n, withdraw()).expect_err("too late");
    assert_eq!(
        refusal.to_string(),
        "too late to take it back: others decided with you"
    );
    // In a sequence only whoever decided last may, as long as the next has not.
    let n = table.approve("turns", vote("sequence"));
    let first = table.waits_for(n)[0].clone();
    table.decide(&first, n, "approved").expect("his turn");
    let second = table.waits_for(n)[0].clone();
    table.decide(&second, n, "approved").expect("his turn");
    let refusal = table.act(&first, n, withdraw()).expect_err("too late");
    assert_eq!(
        refusal.to_string(),
        "too late to take it back: the next signer has decided"
    );
    table.act(&second, n, withdraw()).expect("his is the last");
    assert_eq!(table.waits_for(n)[0], second);
}
