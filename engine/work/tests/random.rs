//! Random acts by random people: whatever they do, the promises of a decision
//! hold (reliability I5), and the state survives its way through JSON.

mod table;

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use table::Table;
use tongban_expr::{Value, value};
use tongban_work::{Act, AddWhen, Channel, Out, Reopen, Resume, ReturnTo, Signing, What};

const PEOPLE: [&str; 8] = [
    "gao-yuan",
    "sun-yi",
    "he-xin",
    "zhou-ping",
    "wang-lei",
    "li-na",
    "admin",
    "qian-li",
];

#[derive(Clone, Debug)]
enum Step {
    Act {
        who: usize,
        for_whom: Option<usize>,
        round: Option<u32>,
        what: What,
    },
    Reenter(Signing),
    Wait(i64),
    Close,
    Away {
        who: usize,
        agent: usize,
    },
    Suspend,
    Resume,
}

fn what() -> impl Strategy<Value = What> {
    let decide =
        prop_oneof![Just("approved"), Just("approved"), Just("rejected")].prop_map(table::decide);
    let person = || proptest::sample::select(&PEOPLE[..]).prop_map(str::to_owned);
    let returns =
        prop_oneof![Just(Resume::Direct), Just(Resume::Rerun)].prop_map(|resume| What::Return {
            to: ReturnTo::parse("accept"),
            resume: Some(resume),
            siblings: None,
            signing: None,
            fields: vec![],
            comment: Some("x".into()),
        });
    let when = prop_oneof![
        Just(AddWhen::Before),
        Just(AddWhen::After),
        Just(AddWhen::Beside)
    ];
    prop_oneof![
        12 => decide,
        1 => Just(What::Claim),
        1 => Just(What::Unclaim),
        1 => returns,
        1 => Just(What::Correct { items: vec![("security".into(), "x".into())], comment: None }),
        2 => Just(table::resubmit(value!({"security": "y"}))),
        1 => Just(What::Withdraw { comment: None }),
        1 => Just(What::Urge { comment: None }),
        1 => person().prop_map(|to| What::Transfer { to, comment: None }),
        1 => person().prop_map(|to| What::Delegate { to, comment: None }),
        1 => (person(), when).prop_map(|(who, when)| What::AddSigner { who, when, comment: None }),
        1 => person().prop_map(|who| What::RemoveSigner { who }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    // The signers act most, and stand in for one another now and then.
    let who = || prop_oneof![5 => 0_usize..4, 1 => 0..PEOPLE.len()];
    let act = (
        who(),
        proptest::option::weighted(0.4, 0_usize..4),
        proptest::option::weighted(0.2, 1_u32..4),
        what(),
    )
        .prop_map(|(who, for_whom, round, what)| Step::Act {
            who,
            for_whom,
            round,
            what,
        });
    let signing = prop_oneof![
        Just(Signing::All),
        Just(Signing::Returner),
        Just(Signing::Open)
    ];
    prop_oneof![
        20 => act,
        3 => signing.prop_map(Step::Reenter),
        2 => (0_i64..5_000_000_000).prop_map(Step::Wait),
        1 => Just(Step::Close),
        3 => (0_usize..4, who()).prop_map(|(who, agent)| Step::Away { who, agent }),
        1 => Just(Step::Suspend),
        3 => Just(Step::Resume),
    ]
}

fn args(mode: &str) -> Value {
    let pass = match mode {
        "share" => value!({"share": 60}),
        "count" => value!({"count": 2}),
        "weight" => value!({"weight": 3}),
        "group" => value!({"each": 1}),
        _ => Value::Null,
    };
    value!({
        "to": [{"group": "adjudicators"}, {"head": "police"}], "mode": mode, "pass": pass, "comment": "optional",
        "due": {"workingDays": 3}, "timeout": "approved",
        "correct": {"due": {"workingDays": 2}, "times": 2}, "return": {"to": ["accept"], "max": 20},
    })
}

/// What has been seen of one item, to check the next wishes against.
#[derive(Default)]
struct Watch {
    outcomes: HashSet<String>,
    /// Live decisions by (round, signer); a withdrawal removes one.
    decided: HashMap<(u32, String), String>,
    persons: HashMap<u32, HashSet<String>>,
}

fn check(table: &Table, watch: &mut Watch, outs: &[Out], was_open: bool, vote: bool) {
    for out in outs {
        match out {
            Out::Completed { run_id, .. } => {
                assert!(
                    watch.outcomes.insert(run_id.clone()),
                    "two outcomes of {run_id}"
                );
            }
            Out::Decision(row)
                if row.n == 1 && (row.act == "approved" || row.act == "rejected") =>
            {
                assert!(
                    was_open || row.kept_from.is_some(),
                    "a decision after the close: {row:?}"
                );
                assert_ne!(row.person_id, "li-na", "the applicant decided his own case");
                let key = (row.round, row.signer_id.clone());
                let former = watch.decided.insert(key, row.act.clone());
                assert_eq!(
                    former, None,
                    "two decisions of {} in round {}",
                    row.signer_id, row.round
                );
                if vote && row.channel != "timer" && row.kept_from.is_none() {
                    let once = watch
                        .persons
                        .entry(row.round)
                        .or_default()
                        .insert(row.person_id.clone());
                    assert!(once, "{} voted twice in round {}", row.person_id, row.round);
                }
            }
            Out::Decision(row) if row.n == 1 && row.act == "withdrawn" => {
                watch.decided.remove(&(row.round, row.signer_id.clone()));
                watch
                    .persons
                    .entry(row.round)
                    .or_default()
                    .remove(&row.person_id);
            }
            _ => {}
        }
    }
    let rows = table.desk.rows();
    let open: HashSet<u32> = rows
        .items
        .iter()
        .filter(|item| item.status == "open")
        .map(|item| item.n)
        .collect();
    assert!(
        rows.candidates.iter().all(|row| open.contains(&row.n)),
        "a closed item still has candidates"
    );
    for item in table
        .desk
        .items()
        .iter()
        .filter(|item| item.status == tongban_work::Status::Open)
    {
        assert!(
            !item.current().is_empty(),
            "item {} is open and nobody can act: {item:?}",
            item.n
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
    #[test]
    fn decisions_keep_their_promises(
        mode in prop_oneof![Just("any"), Just("all"), Just("sequence"), Just("share"), Just("count"), Just("weight"), Just("group")],
        steps in proptest::collection::vec(step(), 1..50),
    ) {
        let mut table = Table::new();
        let vote = matches!(mode, "share" | "count" | "weight");
        let mut watch = Watch::default();
        let mut entry = 1;
        let outs = table.open("vote", "approve", args(mode)).expect("it opens");
        check(&table, &mut watch, &outs, true, vote);
        for step in steps {
            let was_open = table.desk.item(1).is_some_and(|item| item.status == tongban_work::Status::Open);
            let correcting = table.desk.item(1).is_some_and(|item| item.status == tongban_work::Status::Correcting);
            let outs = match step {
                Step::Act { who, for_whom, round, what } => {
                    let child = table.desk.items().last().map_or(1, |item| item.n);
                    let n = if matches!(what, What::Resubmit { .. }) { child } else { 1 };
                    let for_whom = for_whom.map(|index| PEOPLE[index].to_owned());
                    let who = PEOPLE[who].to_owned();
                    let act = Act { n, round, who, for_whom, channel: Channel::Api, seen_digest: None, what };
                    table.send(act).unwrap_or_default()
                }
                Step::Reenter(signing) => {
                    let over = table.desk.item(1).is_some_and(|item| !item.status.is_live());
                    if !over {
                        continue;
                    }
                    entry += 1;
                    let run_id = format!("vote#{entry}");
                    let outs = table.enter(&run_id, "vote", "approve", args(mode), Reopen::Round { signing }).expect("it opens");
                    check(&table, &mut watch, &outs, true, vote);
                    continue;
                }
                Step::Wait(by_ms) => {
                    table.now_ms += by_ms;
                    table.due()
                }
                Step::Close => {
                    let run_id = table.desk.item(1).map(|item| item.run_id.clone()).unwrap_or_default();
                    table.on_desk(|desk, world| Ok::<_, ()>(desk.close(&run_id, "cancelled", world))).expect("it cannot fail")
                }
                Step::Away { who, agent } => {
                    table.absent(PEOPLE[who], PEOPLE[agent]);
                    table.on_desk(|desk, world| Ok::<_, ()>(desk.refresh(world))).expect("it cannot fail")
                }
                Step::Suspend => {
                    table.desk.suspend();
                    Vec::new()
                }
                Step::Resume => {
                    table.desk.resume();
                    Vec::new()
                }
            };
            check(&table, &mut watch, &outs, was_open || correcting, vote);
        }
    }
}
