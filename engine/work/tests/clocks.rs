//! Clocks of cases, stages and items: deadlines over the holidays, grounds,
//! rungs that fire once, timeouts, notices.

mod table;

use table::{Table, entries, mails, ms, output};
use tongban_expr::{Value, value};
use tongban_work::{Card, MailKind, Out, Refusal};

fn open_clock(table: &mut Table, place: &str, spec: Value) -> Vec<Out> {
    table
        .on_desk(|desk, world| desk.clock_open(place, &spec, Some("时限"), false, world))
        .expect("the clock opens")
}

fn answer_clock() -> Value {
    value!({
        "due": {"workingDays": 10},
        "stops": ["correction"],
        "basis": "政务数据共享条例",
        "remind": [{"before": {"workingDays": 2}}],
        "escalate": [
            {"after": {"percent": 80}, "card": "blue"},
            {"after": {"percent": 90}, "card": "yellow", "to": [{"head": "police"}]},
            {"after": {"percent": 100}, "card": "red", "to": [{"role": "sharing-officer", "unit": "data-bureau"}]},
        ],
    })
}

#[test]
fn rungs_fire_once_each_at_their_time_and_nothing_is_decided() {
    let mut table = Table::new();
    open_clock(&mut table, "provider", answer_clock());
    let n = table.approve(
        "provider/accept",
        value!({"to": [{"role": "data-intake", "unit": "police"}]}),
    );
    assert_eq!(
        table.desk.next_due_ms(),
        Some(ms("2026-05-11T09:00:00+08:00")),
        "two working days before 05-13"
    );
    assert!(table.at("2026-05-11T08:59:59+08:00").due().is_empty());
    let outs = table.advance("2026-05-11T09:00:00+08:00");
    assert_eq!(
        mails(&outs, MailKind::Reminder),
        ["chen-jie"],
        "nobody named: whoever holds it up"
    );
    let outs = table.advance("2026-05-11T18:00:00+08:00");
    assert_eq!(
        (entries(&outs), mails(&outs, MailKind::Card)),
        (
            vec!["provider rung escalate.0".to_owned()],
            vec!["chen-jie".to_owned()]
        )
    );
    let outs = table.advance("2026-05-12T23:00:00+08:00");
    assert_eq!(mails(&outs, MailKind::Card), ["zhou-ping"]);
    assert!(
        table.advance("2026-05-13T23:59:59+08:00").is_empty(),
        "the last day is in time to its end"
    );
    let outs = table.advance("2026-05-14");
    assert_eq!(mails(&outs, MailKind::Card), ["wang-lei"]);
    assert!(
        table.due().is_empty() && table.desk.next_due_ms().is_none(),
        "once each"
    );
    let view = &table.desk.clock_views(&table.world())[0];
    assert_eq!(
        (view.cards.as_slice(), view.overdue),
        (&[Card::Blue, Card::Yellow, Card::Red][..], true)
    );
    assert_eq!(view.basis.as_deref(), Some("政务数据共享条例"));
    assert_eq!(
        table.waits_for(n),
        ["chen-jie"],
        "a machine decides nothing"
    );
    assert_eq!(table.desk.rows().items[0].card.as_deref(), Some("red"));
}

#[test]
fn after_an_outage_everything_overdue_fires_in_due_order() {
    let mut table = Table::new();
    open_clock(&mut table, "provider", answer_clock());
    open_clock(
        &mut table,
        "",
        value!({"due": {"workingDays": 9}, "escalate": [{"after": {"percent": 100}, "card": "red"}]}),
    );
    let outs = table.at("2026-06-01").due();
    let expected = [
        "provider rung remind.0",
        "provider rung escalate.0",
        "provider rung escalate.1",
        "case rung escalate.0",
        "provider rung escalate.2",
    ];
    assert_eq!(entries(&outs), expected);
}

#[test]
fn a_closed_clock_is_silent() {
    let mut table = Table::new();
    open_clock(&mut table, "provider", answer_clock());
    let outs = table
        .on_desk(|desk, world| Ok::<_, ()>(desk.clock_close("provider", world)))
        .expect("it cannot fail");
    assert_eq!(entries(&outs), ["provider close"]);
    assert_eq!(table.desk.next_due_ms(), None);
    assert!(table.at("2026-07-01").due().is_empty());
    assert_eq!(table.desk.rows().clocks[0].due_at_ms, None);
    // The next entry of the same stage is a clock of its own.
    open_clock(&mut table, "provider", answer_clock());
    assert_eq!(table.desk.rows().clocks[1].id, "provider#2");
}

/// Clocks of the case, of stages and of a task, each with the grounds that stop it.
fn stopped_by_grounds() -> Table {
    let mut table = Table::new();
    for (place, grounds) in [
        ("", value!(["correction", "notice"])),
        ("review", value!(["notice"])),
        ("rev", value!(["notice"])),
        ("other", value!(["notice"])),
        ("review/inner", value!(["correction"])),
    ] {
        open_clock(
            &mut table,
            place,
            value!({"due": {"workingDays": 20}, "stops": grounds}),
        );
    }
    table
}

#[test]
fn grounds_stop_the_clocks_over_them_that_list_them() {
    let mut table = stopped_by_grounds();
    let outs = table
        .on_desk(|desk, world| {
            Ok::<_, ()>(desk.ground_enter("review/inner[3]/publish", "notice", Some("公示"), world))
        })
        .expect("it cannot fail");
    assert_eq!(entries(&outs), ["case pause notice", "review pause notice"]);
    // A second ground: the clock goes on when both have gone.
    table
        .on_desk(|desk, world| {
            Ok::<_, ()>(desk.ground_enter("@applicant", "correction", None, world))
        })
        .expect("it cannot fail");
    // What opens meanwhile under a live ground stands still from the start.
    let outs = open_clock(
        &mut table,
        "review/inner[3]",
        value!({"due": {"workingDays": 3}, "stops": ["notice"]}),
    );
    assert_eq!(entries(&outs), ["review/inner[3] pause notice"]);
    table.at("2026-05-07");
    let outs = table.on_desk(|desk, world| {
        Ok::<_, ()>(desk.ground_leave("review/inner[3]/publish", "notice", world))
    });
    assert_eq!(
        entries(&outs.expect("it cannot fail")),
        ["review resume notice", "review/inner[3] resume notice"]
    );
    table.at("2026-05-08");
    let outs = table
        .on_desk(|desk, world| Ok::<_, ()>(desk.ground_leave("@applicant", "correction", world)));
    assert_eq!(
        entries(&outs.expect("it cannot fail")),
        ["case resume notice"]
    );
    let views = table.desk.clock_views(&table.world());
    let case = views
        .iter()
        .find(|view| view.id == "case")
        .expect("the case's clock");
    assert_eq!(
        (case.used, case.ground.clone()),
        (tongban_org::Used::WorkingDays(0), None)
    );
}

#[test]
fn a_return_interrupts_a_stage_and_the_core_lets_it_go_on() {
    let mut table = Table::new();
    open_clock(&mut table, "provider", answer_clock());
    table.at("2026-04-29");
    table
        .on_desk(|desk, world| Ok::<_, ()>(desk.clock_close("provider", world)))
        .expect("it cannot fail");
    table.at("2026-05-07");
    let spec = answer_clock();
    let outs = table
        .on_desk(|desk, world| desk.clock_open("provider", &spec, None, true, world))
        .expect("it goes on");
    assert_eq!(entries(&outs), ["provider resume correction"]);
    let views = table.desk.clock_views(&table.world());
    assert_eq!(
        (views.len(), views[0].used),
        (1, tongban_org::Used::WorkingDays(2))
    );
    assert_eq!(views[0].due, "2026-05-18");
}

#[test]
fn a_deadline_over_an_unpublished_year_is_provisional_until_the_plan_comes() {
    let mut table = Table::new();
    table.at("2026-12-25");
    open_clock(&mut table, "", value!({"due": {"workingDays": 10}}));
    let view = table.desk.clock_views(&table.world()).remove(0);
    assert!(view.provisional && table.desk.rows().clocks[0].provisional);
    assert_eq!(view.due, "2027-01-08");
    assert!(
        view.explained_zh
            .iter()
            .any(|text| text.contains("2027 年放假安排尚未公布")),
        "{:?}",
        view.explained_zh
    );

    let mut file: tongban_org::OrganisationFile =
        serde_yaml::from_str(include_str!("../../../config/organisation.yaml"))
            .expect("well formed");
    file.calendar = Some("plan".into());
    let plan = |text: &str| serde_yaml::from_str(text).expect("well formed");
    let calendars: [tongban_org::CalendarFile; 2] = [
        plan("{ calendar: plan, year: 2026, published: true }"),
        plan(
            "{ calendar: plan, year: 2027, published: true, holidays: [{ name: 元旦, from: 2027-01-01, to: 2027-01-03 }] }",
        ),
    ];
    table.org = tongban_org::Organisation::build(&file, &calendars).expect("no faults");
    let outs = table
        .on_desk(|desk, world| Ok::<_, ()>(desk.refresh(world)))
        .expect("it cannot fail");
    assert_eq!(entries(&outs), ["case recompute"]);
    let view = table.desk.clock_views(&table.world()).remove(0);
    assert_eq!((view.due.as_str(), view.provisional), ("2027-01-11", false));
    assert!(
        table
            .on_desk(|desk, world| Ok::<_, ()>(desk.refresh(world)))
            .expect("it cannot fail")
            .is_empty()
    );
}

#[test]
fn a_timeout_means_only_what_the_author_wrote() {
    let base = value!({"to": [{"head": ["police", "transport"]}], "mode": "group", "due": {"workingDays": 10}, "comment": "optional",
        "outcomes": {"agreed": "同意共享", "upheld": "维持不同意"}});
    let mut table = Table::new();
    table.case.starter = None;
    let n = table.approve("consult", base.clone().with("timeout", "upheld"));
    table.decide("zhao-min", n, "agreed").expect("he may");
    let outs = table.advance("2026-05-14");
    let result = output(&outs).expect("the author wrote an outcome");
    assert_eq!(
        (result.text("outcome"), result.text("by")),
        (Some("upheld"), Some("system"))
    );
    assert!(outs.iter().any(
        |out| matches!(out, Out::Decision(row) if row.channel == "timer" && row.act == "upheld")
    ));
    let late = table
        .decide("zhou-ping", n, "agreed")
        .expect_err("too late");
    assert!(matches!(late, Refusal::AlreadyDecided { by, .. } if by == "system"));

    let mut table = Table::new();
    let n = table.approve("consult", base);
    assert!(
        table.advance("2026-07-01").is_empty(),
        "without `timeout` nothing happens"
    );
    assert_eq!(table.waits_for(n).len(), 2);
}

#[test]
fn a_decision_before_the_timeout_wins_and_the_timeout_is_void() {
    let mut table = Table::new();
    let args = value!({"to": [{"head": "police"}], "due": {"minutes": 30}, "timeout": "approved"});
    let n = table.approve("leader", args);
    table.now_ms += 30 * 60_000;
    table
        .decide("zhou-ping", n, "rejected")
        .expect("the first wins");
    assert!(table.due().is_empty());
}

#[test]
fn a_collector_who_says_nothing_leaves_no_data() {
    let mut table = Table::new();
    let args = value!({"to": ["applicant"], "form": "explanation", "data": {"doubts": [1]}, "due": {"workingDays": 10}, "timeout": "silent"});
    table.open("explain", "collect", args).expect("it opens");
    // Its own ground does not stop its own time.
    table
        .on_desk(|desk, world| {
            Ok::<_, ()>(desk.ground_enter("explain", "explanation", None, world))
        })
        .expect("it cannot fail");
    table
        .on_desk(|desk, world| Ok::<_, ()>(desk.ground_enter("explain", "correction", None, world)))
        .expect("it cannot fail");
    let outs = table.advance("2026-05-14");
    let result = output(&outs).expect("time is up");
    assert_eq!(
        (result.text("outcome"), result.get("data")),
        (Some("silent"), Some(&Value::Null))
    );
}

fn publish() -> Value {
    value!({"title": "公示", "template": "notices/result", "data": {"name": "张三丰", "street": "s1"}, "mask": {"name": "name"},
        "due": {"days": 15}, "objections": {"workflow": "housing/objection", "wait": true}})
}

#[test]
fn a_notice_ends_by_itself_when_nobody_objects() {
    let mut table = Table::new();
    table
        .at("2026-03-02")
        .open("publish", "notice", publish())
        .expect("it opens");
    let notice = table.desk.notices(&table.world()).remove(0);
    assert_eq!(
        (notice.from.as_str(), notice.to.as_str(), notice.open),
        ("2026-03-02", "2026-03-17", true)
    );
    assert_eq!(notice.data.text("name"), Some("张**"));
    let outs = table.advance("2026-03-18");
    let expected = value!({"outcome": "clear", "from": "2026-03-02", "to": "2026-03-17", "url": "/notices/case-1.1", "objections": []});
    assert_eq!(output(&outs), Some(&expected));
    assert!(
        table
            .open("again", "notice", value!({"template": "x"}))
            .is_err(),
        "a notice has an end"
    );
}

#[test]
fn a_notice_waits_for_its_objections() {
    let mut table = Table::new();
    table
        .at("2026-03-02")
        .open("publish", "notice", publish())
        .expect("it opens");
    for number in ["YY1", "YY2", "YY2"] {
        table
            .on_desk(|desk, world| Ok::<_, ()>(desk.objection_opened(1, number, world)))
            .expect("it cannot fail");
    }
    table
        .on_desk(|desk, world| Ok::<_, ()>(desk.objection_closed("YY1", "upheld", world)))
        .expect("it cannot fail");
    assert_eq!(
        output(&table.advance("2026-03-20")),
        None,
        "one is still open"
    );
    let outs =
        table.on_desk(|desk, world| Ok::<_, ()>(desk.objection_closed("YY2", "dismissed", world)));
    let outs = outs.expect("it cannot fail");
    let result = output(&outs).expect("the last has ended");
    assert_eq!(result.text("outcome"), Some("objected"));
    assert_eq!(result.at("objections[0].outcome"), Some(&value!("upheld")));
    assert_eq!(result.get("objections").map(Value::len), Some(2));
}

#[test]
fn people_whom_only_the_runtime_knows_are_passed_on() {
    let mut table = Table::new();
    let spec = value!({"due": {"date": "2026-05-29"}, "remind": [{"before": {"workingDays": 3}, "to": [{"late": "grid"}]}],
        "escalate": [{"after": {"percent": 100}, "card": "yellow", "to": [{"late": "street"}]}]});
    open_clock(&mut table, "issue", spec);
    let outs = table.advance("2026-05-26T10:00:00+08:00");
    assert!(outs.iter().any(
        |out| matches!(out, Out::Late { level, place, .. } if level == "grid" && place == "issue")
    ));
    let outs = table.advance("2026-05-30");
    assert!(outs.iter().any(
        |out| matches!(out, Out::Late { level, card: Some(Card::Yellow), .. } if level == "street")
    ));
}

#[test]
fn a_reminder_with_every_comes_again_in_working_time_and_no_oftener_than_it_may() {
    let mut table = Table::new();
    open_clock(
        &mut table,
        "provider",
        value!({
            "due": {"workingDays": 2}, "stops": ["correction"],
            "remind": [{"after": {"workingDays": 1}, "every": {"workingDays": 1}, "times": 3, "template": "mails/hurry"}],
        }),
    );
    table.approve("provider/accept", value!({"to": [{"user": "chen-jie"}]}));
    // Monday 04-27: due on Wednesday; 05-01 to 05-05 are days off.
    let outs = table.advance("2026-05-06T08:59:59+08:00");
    assert_eq!(
        entries(&outs),
        [
            "provider rung remind.0",
            "provider rung remind.0#2",
            "provider rung remind.0#3"
        ]
    );
    let times: Vec<i64> = table.desk.clocks()[0]
        .rungs
        .iter()
        .filter_map(|rung| rung.fired_ms)
        .collect();
    assert_eq!(
        times[1..],
        [
            ms("2026-04-29T09:00:00+08:00"),
            ms("2026-04-30T09:00:00+08:00")
        ],
        "each next one on a working day, when the office opens"
    );
    assert_eq!(mails(&outs, MailKind::Reminder).len(), 3);
    let letter = outs.iter().find_map(|out| match out {
        Out::Mail(mail) => mail.template.clone(),
        _ => None,
    });
    assert_eq!(letter.as_deref(), Some("mails/hurry"));
    assert!(
        table.advance("2026-07-01").is_empty(),
        "three times and no more"
    );
}

#[test]
fn a_pause_stops_the_repetition_and_an_outage_brings_one_reminder_only() {
    let mut table = Table::new();
    let spec = value!({
        "due": {"workingDays": 30}, "stops": ["notice"],
        "remind": [{"after": {"workingDays": 1}, "every": {"workingDays": 1}, "times": 50}],
    });
    open_clock(&mut table, "", spec);
    table.approve("accept", value!({"to": [{"user": "chen-jie"}]}));
    assert_eq!(
        mails(
            &table.advance("2026-04-29T10:00:00+08:00"),
            MailKind::Reminder
        )
        .len(),
        2
    );
    let enter = |desk: &mut tongban_work::Desk, world: &tongban_work::World<'_>| {
        Ok::<_, ()>(desk.ground_enter("hearing", "notice", None, world))
    };
    table.on_desk(enter).expect("it cannot fail");
    assert!(table.advance("2026-05-20").is_empty(), "it stands still");
    let leave = |desk: &mut tongban_work::Desk, world: &tongban_work::World<'_>| {
        Ok::<_, ()>(desk.ground_leave("hearing", "notice", world))
    };
    table.on_desk(leave).expect("it cannot fail");
    // The server was down for two weeks: one reminder, not ten.
    let outs = table.at("2026-06-03").due();
    assert_eq!(mails(&outs, MailKind::Reminder).len(), 1);
}

#[test]
fn when_nobody_answers_in_time_the_work_goes_to_others() {
    let mut table = Table::new();
    let args = value!({
        "to": [{"user": "chen-jie"}, {"user": "li-na"}], "self": "allow", "mode": "all",
        "due": {"workingDays": 2},
        "escalate": [{"after": {"percent": 100}, "card": "red", "transfer": [{"head": "police"}]}],
    });
    let n = table.approve("accept", args);
    table.decide("li-na", n, "approved").expect("she decides");
    let outs = table.advance("2026-04-30");
    assert_eq!(
        table.waits_for(n),
        ["zhou-ping"],
        "what was answered stands"
    );
    assert_eq!(mails(&outs, MailKind::Handed), ["zhou-ping"]);
    assert_eq!(
        table.decide("chen-jie", n, "approved"),
        Err(Refusal::NotFound),
        "it is not his any more"
    );
    let outs = table
        .decide("zhou-ping", n, "approved")
        .expect("the head decides");
    assert_eq!(table::outcome(&outs), Some("approved"));
}

#[test]
fn a_transfer_never_gives_a_case_to_its_applicant_and_never_changes_a_vote() {
    let mut table = Table::new();
    let args = value!({
        "to": [{"user": "chen-jie"}], "due": {"workingDays": 1},
        "escalate": [{"after": {"percent": 100}, "transfer": [{"user": "li-na"}]}],
    });
    let n = table.approve("accept", args);
    let outs = table.advance("2026-04-29");
    assert_eq!(table.waits_for(n), ["chen-jie"], "nobody else is left");
    assert!(mails(&outs, MailKind::Handed).is_empty());
    let vote = value!({
        "to": [{"user": "chen-jie"}, {"user": "zhou-ping"}], "mode": "count", "pass": {"count": 1}, "due": {"workingDays": 1},
        "escalate": [{"after": {"percent": 100}, "transfer": [{"user": "wang-lei"}]}],
    });
    let error = table
        .open("vote", "approve", vote)
        .expect_err("it is refused");
    assert!(error.to_string().contains("transfer"), "{error}");
}

#[test]
fn an_absence_gives_the_work_to_the_agent_when_it_begins_and_back_when_it_ends() {
    let mut table = Table::new();
    table.org.add_absence(tongban_org::Absence {
        person: "chen-jie".into(),
        agent: Some("zhou-ping".into()),
        from_ms: ms("2026-04-28"),
        to_ms: Some(ms("2026-04-30")),
        of: Vec::new(),
    });
    let n = table.approve("accept", value!({"to": [{"user": "chen-jie"}]}));
    assert_eq!(table.waits_for(n), ["chen-jie"]);
    assert_eq!(table.desk.next_due_ms(), Some(ms("2026-04-28")));
    let outs = table.advance("2026-04-28");
    assert_eq!(mails(&outs, MailKind::Task), ["zhou-ping"], "he is told");
    let listed = |table: &Table| -> Vec<String> {
        table
            .desk
            .rows()
            .candidates
            .into_iter()
            .map(|row| row.candidate)
            .collect()
    };
    assert!(listed(&table).contains(&"person:zhou-ping".to_owned()));
    table.advance("2026-04-30");
    assert!(!listed(&table).contains(&"person:zhou-ping".to_owned()));
    assert_eq!(table.desk.next_due_ms(), None);
}
