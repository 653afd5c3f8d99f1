//! Correction (补正): one list, the clocks stand still, and what silence comes to.

mod table;

use table::{Table, entries, mails, output, resubmit};
use tongban_expr::{Value, value};
use tongban_work::{MailKind, Out, Refusal, What};

fn correctable() -> Value {
    value!({
        "to": [{"role": "data-intake", "unit": "police"}],
        "correct": {"due": {"workingDays": 5}, "times": 1, "atTimeout": "withdraw"},
        "due": {"workingDays": 10},
    })
}

fn correct() -> What {
    What::Correct {
        items: vec![("security".into(), "请说明脱敏方式".into())],
        comment: None,
    }
}

#[test]
fn a_correction_is_asked_for_once_and_stops_the_clocks() {
    let mut table = Table::new();
    let spec = value!({"due": {"workingDays": 10}, "stops": ["correction"]});
    table
        .on_desk(|desk, world| desk.clock_open("provider", &spec, None, false, world))
        .expect("it opens");
    let n = table.approve("provider/accept", correctable());
    assert_eq!(
        table.act(
            "chen-jie",
            n,
            What::Correct {
                items: vec![],
                comment: None
            }
        ),
        Err(Refusal::NothingToCorrect)
    );
    table.at("2026-04-29T10:00:00+08:00");
    let outs = table.act("chen-jie", n, correct()).expect("he may");
    assert_eq!(
        entries(&outs),
        ["provider pause correction", "item/1 pause correction"]
    );
    assert_eq!(mails(&outs, MailKind::Correction), ["li-na"]);
    assert_eq!(table.desk.state_word(), Some("补正中"));
    let waiting = table
        .decide("chen-jie", n, "approved")
        .expect_err("he waits");
    assert_eq!(
        waiting,
        Refusal::Waiting {
            what: "correction".into(),
            who: Some("li-na".into())
        }
    );

    table.at("2026-05-07T10:00:00+08:00");
    let outs = table
        .act("li-na", 2, resubmit(value!({"security": "脱敏"})))
        .expect("he may");
    assert!(output(&outs).is_none(), "the step itself is not done");
    assert_eq!(
        entries(&outs),
        [
            "item/2 close",
            "provider resume correction",
            "item/1 resume correction"
        ]
    );
    assert_eq!(mails(&outs, MailKind::Task), ["chen-jie"]);
    let clocks = table.desk.clock_views(&table.world());
    assert!(
        clocks
            .iter()
            .filter(|clock| !clock.closed)
            .all(|clock| clock.running && clock.used == tongban_org::Used::WorkingDays(2))
    );
    assert_eq!(clocks[0].due, "2026-05-18");

    assert_eq!(
        table.act("chen-jie", n, correct()),
        Err(Refusal::CorrectionUsedUp { count: 1 })
    );
    table
        .decide("chen-jie", n, "approved")
        .expect("now he decides");
}

#[test]
fn an_unanswered_correction_does_what_the_author_wrote() {
    let cases = [
        (value!("withdraw"), "withdrawn"),
        (value!("lapsed"), "lapsed"),
        (Value::Null, "given back"),
    ];
    for (at_timeout, expected) in cases {
        let mut table = Table::new();
        let args = correctable().with(
            "correct",
            value!({"due": {"workingDays": 5}, "atTimeout": at_timeout.clone()}),
        );
        let n = table.approve("accept", args);
        table.act("chen-jie", n, correct()).expect("he may");
        let outs = table.advance("2026-05-07T23:59:59+08:00");
        assert!(
            outs.is_empty(),
            "the fifth working day is in time to its end: {outs:?}"
        );
        let outs = table.advance("2026-05-08");
        match expected {
            "withdrawn" => assert!(outs.iter().any(|out| matches!(out, Out::Withdrawn { .. }))),
            "lapsed" => assert_eq!(table::outcome(&outs), Some("lapsed")),
            _ => assert_eq!(table.waits_for(n), ["chen-jie"]),
        }
        let late = table
            .act("li-na", 2, resubmit(value!({})))
            .expect_err("too late");
        assert!(matches!(late, Refusal::Closed { why, .. } if why == "timeout"));
    }
}
