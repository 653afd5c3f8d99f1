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

#[test]
fn grounds_stop_the_clocks_over_them_that_list_them() {
    let mut table = Table::new();
    open_clock(
        &mut table,
        "",
        value!({"due": {"workingDays": 20}, "stops": ["correction", "notice"]}),
    );
    open_clock(
        &mut table,
        "review",
        value!({"due": {"workingDays": 20}, "stops": ["notice"]}),
    );
    open_clock(
        &mut table,
        "rev",
        value!({"due": {"workingDays": 20}, "stops": ["notice"]}),
    );
    open_clock(
        &mut table,
        "other",
        value!({"due": {"workingDays": 20}, "stops": ["notice"]}),
    );
    open_clock(
        &mut table,
        "review/inner",
        value!({"due": {"workingDays": 20}, "stops": ["correction"]}),
    );
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
