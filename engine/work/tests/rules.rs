//! Rules of the author and of the engine: applicants, empty seats, repeats,
//! exceptions, agents, quorum, figures, refusals by machine.

mod table;

use table::{Table, decide, outcome, output};
use tongban_expr::{Value, value};
use tongban_work::{Act, Channel, Out, Refusal, Reopen, Signing, What, WorkError};

fn automatic(outs: &[Out]) -> Vec<String> {
    let rule = |out: &Out| match out {
        Out::Decision(row) if row.channel == "system" => {
            Some(format!("{} {}", row.signer_id, row.act))
        }
        _ => None,
    };
    outs.iter().filter_map(rule).collect()
}

#[test]
fn the_applicant_never_decides_his_own_case_unless_the_author_says_so() {
    // (to, self, mode, who is asked)
    let head = || value!([{"head": "transport"}]);
    let cases: Vec<(Value, &str, &str, &[&str])> = vec![
        (head(), "superior", "any", &["yang-fan"]),
        (head(), "head", "any", &["yang-fan"]),
        (head(), "allow", "any", &["zhao-min"]),
        (
            value!([{"members": "transport"}]),
            "superior",
            "any",
            &["li-na"],
        ),
        (
            value!([{"members": "transport"}]),
            "superior",
            "all",
            &["li-na", "yang-fan"],
        ),
        (
            value!([{"head": "transport"}, {"user": "yang-fan"}]),
            "superior",
            "all",
            &["yang-fan"],
        ),
    ];
    for (to, rule, mode, expected) in cases {
        let mut table = Table::new();
        table.case.starter = Some("zhao-min".into());
        let n = table.approve(
            "step",
            value!({"to": to.clone(), "self": rule, "mode": mode}),
        );
        assert_eq!(table.waits_for(n), expected, "{to:?} {rule} {mode}");
        let own = table.decide("zhao-min", n, "approved");
        match rule {
            "allow" => assert_eq!(
                outcome(&own.expect("the author allows it")),
                Some("approved")
            ),
            _ => assert_eq!(own, Err(Refusal::SelfApproval)),
        }
    }
}

#[test]
fn applicant_as_the_only_selector_is_meant() {
    let mut table = Table::new();
    let n = table.approve(
        "confirm",
        value!({"to": ["applicant"], "outcomes": {"approved": "属实", "rejected": "未解决"}}),
    );
    assert_eq!(
        outcome(&table.decide("li-na", n, "approved").expect("he confirms")),
        Some("approved")
    );
}

#[test]
fn a_skip_is_a_recorded_decision_and_never_happens_after_a_return() {
    let mut table = Table::new();
    table.case.starter = Some("zhao-min".into());
    let args =
        value!({"to": [{"head": "transport"}], "self": "skip", "return": {"to": ["applicant"]}});
    let outs = table
        .open("own", "approve", args.clone())
        .expect("it opens");
    assert_eq!(automatic(&outs), ["zhao-min approved"]);
    assert_eq!(outcome(&outs), Some("approved"));
    let round = Reopen::Round {
        signing: Signing::All,
    };
    let outs = table
        .enter("own#2", "own", "approve", args, round)
        .expect("it opens");
    assert_eq!(outcome(&outs), None);
    assert_eq!(table.waits_for(1), ["zhao-min"], "now he looks himself");
    table.decide("zhao-min", 1, "approved").expect("he may");
}

#[test]
fn empty_seats_follow_the_authors_rule() {
    let nobody = || value!([{"role": "no-such-role", "unit": "police"}]);
    let asked: Vec<(Value, &[&str])> = vec![
        (value!(null), &["admin"]),
        (value!("administrator"), &["admin"]),
        (value!([{"user": "wang-lei"}]), &["wang-lei"]),
        (value!([{"role": "nor-this"}]), &["admin"]),
    ];
    for (empty, expected) in asked {
        let mut table = Table::new();
        let n = table.approve("step", value!({"to": nobody(), "empty": empty.clone()}));
        assert_eq!(table.waits_for(n), expected, "{empty:?}");
    }
    for (empty, expected) in [("pass", "approved"), ("reject", "rejected")] {
        let mut table = Table::new();
        let outs = table
            .open("step", "approve", value!({"to": nobody(), "empty": empty}))
            .expect("it opens");
        assert_eq!(outcome(&outs), Some(expected));
        assert_eq!(automatic(&outs), [format!("system/0 {expected}")]);
    }
}

#[test]
fn an_empty_unit_of_a_group_is_not_silently_left_out() {
    let mut table = Table::new();
    let to = value!([{"role": "collection-owner", "unit": ["transport", "police"]}]);
    let n = table.approve("owners", value!({"to": to, "mode": "group"}));
    assert_eq!(table.waits_for(n), ["admin", "zhao-min"]);
}

#[test]
fn without_an_administrator_the_task_faults() {
    let mut file: tongban_org::OrganisationFile =
        serde_yaml::from_str(include_str!("../../../config/organisation.yaml"))
            .expect("well formed");
    file.people.retain(|person| person.id != "admin");
    let mut table = Table::with(file);
    let error = table
        .open(
            "step",
            "approve",
            value!({"to": [{"role": "no-such-role"}]}),
        )
        .expect_err("nobody is left");
    assert!(matches!(error, WorkError::Nobody(_)));
}

#[test]
fn whoever_approved_before_is_not_asked_again_where_the_author_says_so() {
    let cases = [
        ("ask", None),
        ("first", Some("approved")),
        ("adjacent", None),
    ];
    for (repeat, expected) in cases {
        let mut table = Table::new();
        let first = table.approve("a", value!({"to": [{"head": "police"}]}));
        table
            .decide("zhou-ping", first, "approved")
            .expect("he may");
        let between = table.approve("b", value!({"to": [{"head": "housing-bureau"}]}));
        table
            .decide("zheng-hua", between, "approved")
            .expect("he may");
        let args = value!({"to": [{"head": "police"}], "repeat": repeat});
        let outs = table.open("c", "approve", args).expect("it opens");
        assert_eq!(outcome(&outs), expected, "{repeat}");
        assert_eq!(automatic(&outs).len(), usize::from(expected.is_some()));
    }
    let mut table = Table::new();
    let first = table.approve("a", value!({"to": [{"head": "police"}]}));
    table
        .decide("zhou-ping", first, "approved")
        .expect("he may");
    let outs = table
        .open(
            "b",
            "approve",
            value!({"to": [{"head": "police"}], "repeat": "adjacent"}),
        )
        .expect("it opens");
    assert_eq!(outcome(&outs), Some("approved"));
}

#[test]
fn exceptions_keep_people_out() {
    let mut table = Table::new();
    let first = table.approve("city", value!({"to": [{"group": "adjudicators"}]}));
    table.decide("sun-yi", first, "approved").expect("he may");
    let args =
        value!({"to": [{"group": "adjudicators"}], "mode": "all", "except": [{"decided": "city"}]});
    let n = table.approve("again", args);
    assert_eq!(table.waits_for(n), ["gao-yuan", "he-xin"]);
    table.forms.decided = vec!["he-xin".into()];
    let args = value!({"to": [{"group": "adjudicators"}], "except": [{"decided": "city", "of": "ZF1"}, {"user": "gao-yuan"}]});
    let n = table.approve("recheck", args);
    assert_eq!(table.waits_for(n), ["sun-yi"]);
}

#[test]
fn an_agent_decides_for_the_absent_and_both_are_named() {
    let mut table = Table::new();
    table.absent("liu-bo", "chen-jie");
    let n = table.approve(
        "office",
        value!({"to": [{"role": "data-office", "unit": "police"}]}),
    );
    assert_eq!(table.waits_for(n), ["chen-jie", "liu-bo"], "both see it");
    let view = table
        .desk
        .view_for("chen-jie", n, &table.world())
        .expect("the agent sees it");
    assert_eq!(view.for_whom.as_deref(), Some("liu-bo"));
    let outs = table
        .decide("chen-jie", n, "approved")
        .expect("he acts for liu-bo");
    let row = outs.iter().find_map(|out| match out {
        Out::Decision(row) => Some(row.clone()),
        _ => None,
    });
    let row = row.expect("it is recorded");
    assert_eq!(
        (row.signer_id.as_str(), row.person_id.as_str()),
        ("liu-bo", "chen-jie")
    );
    assert_eq!(row.for_id.as_deref(), Some("liu-bo"));
    assert_eq!(
        output(&outs).and_then(|output| output.at("decisions[0].for")),
        Some(&value!("liu-bo"))
    );
    let late = table.decide("liu-bo", n, "approved");
    assert!(matches!(late, Err(Refusal::AlreadyDecided { by, .. }) if by == "chen-jie"));
}

#[test]
fn absence_is_looked_at_again_when_somebody_decides() {
    let mut table = Table::new();
    table.absent("liu-bo", "chen-jie");
    let n = table.approve(
        "office",
        value!({"to": [{"role": "data-office", "unit": "police"}]}),
    );
    table.org.revoke_absences("liu-bo", table.now_ms);
    assert_eq!(
        table.decide("chen-jie", n, "approved"),
        Err(Refusal::NotFound),
        "the delegation is over"
    );
    // An absence that begins while the item waits counts too, and the agent is told.
    let late = table.approve("second", value!({"to": [{"head": "police"}]}));
    table.absent("zhou-ping", "chen-jie");
    let outs = table
        .on_desk(|desk, world| Ok::<_, ()>(desk.refresh(world)))
        .expect("it cannot fail");
    assert_eq!(
        table::mails(&outs, tongban_work::MailKind::Task),
        ["chen-jie"]
    );
    assert!(table.waits_for(late).contains(&"chen-jie".to_owned()));
    table
        .decide("chen-jie", late, "approved")
        .expect("now he acts");
}

#[test]
fn an_agent_who_is_the_applicant_is_barred_as_he_is_himself() {
    let mut table = Table::new();
    table.absent("liu-bo", "li-na");
    let n = table.approve(
        "office",
        value!({"to": [{"role": "data-office", "unit": "police"}]}),
    );
    assert_eq!(table.waits_for(n), ["liu-bo"]);
    for channel in [Channel::Console, Channel::Api, Channel::Mail, Channel::Bulk] {
        let act = Act {
            n,
            round: Some(1),
            who: "li-na".into(),
            for_whom: Some("liu-bo".into()),
            channel,
            seen_digest: None,
            what: decide("approved"),
        };
        assert_eq!(table.send(act), Err(Refusal::SelfApproval), "{channel:?}");
    }
    assert_eq!(
        table.act("li-na", n, What::Claim),
        Err(Refusal::SelfApproval)
    );
}

#[test]
fn a_quorum_counts_distinct_persons() {
    let mut table = Table::new();
    table.absent("he-xin", "sun-yi");
    let args = value!({"to": [{"group": "adjudicators"}], "mode": "count", "pass": {"count": 2}, "comment": "optional"});
    let n = table.approve("vote", args);
    table.decide("sun-yi", n, "approved").expect("his own vote");
    let twice = Act {
        n,
        round: None,
        who: "sun-yi".into(),
        for_whom: Some("he-xin".into()),
        channel: Channel::Api,
        seen_digest: None,
        what: decide("approved"),
    };
    assert_eq!(table.send(twice.clone()), Err(Refusal::OnePersonOneVote));
    // Where everybody must sign, the agent signs for both, each by name.
    let all = table.approve(
        "all",
        value!({"to": [{"group": "adjudicators"}], "mode": "all", "comment": "optional"}),
    );
    table.decide("sun-yi", all, "approved").expect("his own");
    assert_eq!(
        table.decide("sun-yi", all, "approved"),
        Ok(Vec::new()),
        "a second click is no second signature"
    );
    table.send(Act { n: all, ..twice }).expect("he-xin's");
    assert_eq!(
        outcome(&table.decide("gao-yuan", all, "approved").expect("the last")),
        Some("approved")
    );
    let wrong = Act {
        n,
        round: None,
        who: "gao-yuan".into(),
        for_whom: Some("he-xin".into()),
        channel: Channel::Api,
        seen_digest: None,
        what: decide("approved"),
    };
    assert!(matches!(table.send(wrong), Err(Refusal::NotAgent { .. })));
}

#[test]
fn a_machine_never_refuses_a_person() {
    let refusing = value!({"approved": "符合", "rejected": {"title": "不符合", "x-refusal": true}});
    let base = value!({"to": [{"head": "police"}], "due": {"days": 1}, "outcomes": refusing});
    for more in [
        value!({"timeout": "rejected"}),
        value!({"empty": "reject"}),
        value!({"correct": {"due": {"days": 1}, "atTimeout": "rejected"}}),
    ] {
        let mut table = Table::new();
        let error = table
            .open("verdict", "approve", base.clone().merged(&more))
            .expect_err("a machine would refuse");
        assert!(
            matches!(error, WorkError::Forbidden(_)),
            "{more:?}: {error}"
        );
    }
    for (said, refusal) in [("rejected", Some(true)), ("approved", None)] {
        let mut table = Table::new();
        let n = table.approve("verdict", base.clone());
        let outs = table.decide("zhou-ping", n, said).expect("a person may");
        assert_eq!(outcome(&outs), Some(said));
        // By this the case knows that a person refused.
        let told = output(&outs).and_then(|output| output.get("refusal"));
        assert_eq!(told.map(Value::truthy), refusal);
    }
}

#[test]
fn arguments_are_read_strictly() {
    let wrong = [
        value!({"to": "somebody"}),
        value!({"to": ["applicant"], "self": "maybe"}),
        value!({"to": ["applicant"], "comment": "sometimes"}),
        value!({"to": ["applicant"], "outcomes": {"approved": 3}}),
        value!({"to": ["applicant"], "reasons": {"gone": "refusal"}}),
        value!({"to": ["applicant"], "fields": {"write": ["a"]}}),
        value!({"to": ["applicant"], "return": {"to": []}}),
        value!({"to": ["applicant"], "return": {"to": ["x"], "resume": "sometimes"}}),
        value!({"to": ["applicant"], "due": {"weeks": 1}}),
        value!({"to": ["applicant"], "timeout": "approved"}),
        value!({"to": ["applicant"], "remind": [{"before": {"days": 1}}]}),
        value!({"to": ["applicant"], "due": {"days": 2}, "remind": [{"every": {"days": 1}}]}),
        value!({"to": ["applicant"], "due": {"days": 2}, "escalate": [{"after": {"percent": 90}, "card": "pink"}]}),
    ];
    for args in wrong {
        let mut table = Table::new();
        let error = table
            .open("step", "approve", args.clone())
            .expect_err("it is wrong");
        assert!(
            matches!(error, WorkError::Argument { .. }),
            "{args:?}: {error}"
        );
        assert!(table.desk.items().is_empty());
    }
}

#[test]
fn a_batch_opens_when_all_have_arrived() {
    let mut table = Table::new();
    table.forms.batch_complete = false;
    let args = value!({"to": [{"head": "police"}], "batch": {"by": ["campaign"], "opens": "complete"}, "due": {"workingDays": 2}});
    let n = table.approve("street", args);
    assert_eq!(table.waits_for(n), Vec::<String>::new());
    let waiting = table
        .decide("zhou-ping", n, "approved")
        .expect_err("not yet");
    assert_eq!(
        waiting,
        Refusal::Waiting {
            what: "batch".into(),
            who: None
        }
    );
    assert_eq!(table.desk.next_due_ms(), None, "its clock has not started");
    table
        .at("2026-05-06")
        .on_desk(|desk, world| Ok::<_, ()>(desk.release(n, world)))
        .expect("it cannot fail");
    assert_eq!(table.waits_for(n), ["zhou-ping"]);
    let view = table
        .desk
        .view_for("zhou-ping", n, &table.world())
        .expect("he sees it");
    assert_eq!(view.due.as_deref(), Some("2026-05-08"));
    table
        .decide("zhou-ping", n, "approved")
        .expect("now he may");
}
