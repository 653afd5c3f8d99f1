//! Working time over the Chinese calendar of 2025 to 2027.

mod site;

use std::sync::Arc;

use jiff::civil::Date;
use proptest::prelude::*;
use tongban_org::{Budget, Calendar, DayKind, Explanation, Language, Moment, Pause, Used};

fn calendar() -> Arc<Calendar> {
    site::organisation().calendar(None)
}

fn ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>()
        .expect("an instant")
        .as_millisecond()
}

fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

fn pause(from: &str, to: Option<&str>) -> Pause {
    Pause {
        from_ms: ms(from),
        to_ms: to.map(ms),
        ground: "correction".into(),
    }
}

/// Starts at nine in the morning unless a time is given, and names the day.
fn due(start: &str, budget: Budget) -> String {
    let calendar = calendar();
    let start_ms = ms(&format!("{start}T09:00:00+08:00"));
    let deadline = calendar.deadline(start_ms, &budget, &[], start_ms);
    let mark = if deadline.provisional {
        " provisional"
    } else {
        ""
    };
    format!("{}{mark}", calendar.date_of(deadline.at_ms))
}

#[test]
fn days_are_what_the_state_council_said() {
    let calendar = calendar();
    let cases = [
        ("2025-01-26", DayKind::MakeUp("春节")),
        ("2025-02-04", DayKind::Holiday("春节")),
        ("2025-10-08", DayKind::Holiday("国庆节、中秋节")),
        ("2025-10-11", DayKind::MakeUp("国庆节")),
        ("2026-01-04", DayKind::MakeUp("元旦")),
        ("2026-02-23", DayKind::Holiday("春节")),
        ("2026-02-28", DayKind::MakeUp("春节")),
        ("2026-05-09", DayKind::MakeUp("劳动节")),
        ("2026-06-19", DayKind::Holiday("端午节")),
        ("2026-09-20", DayKind::MakeUp("国庆节")),
        ("2026-09-25", DayKind::Holiday("中秋节")),
        ("2026-10-08", DayKind::Work),
        ("2026-10-10", DayKind::MakeUp("国庆节")),
        ("2026-10-11", DayKind::Weekend),
    ];
    for (date, kind) in cases {
        assert_eq!(calendar.kind(day(date)), kind, "{date}");
    }
    // 365 days less 104 weekend days, 28 and 33 days of holidays, with their make-up days.
    for (year, days) in [(2025, 248), (2026, 248)] {
        let first = Date::new(year, 1, 1).expect("a date");
        let worked = first
            .series(jiff::ToSpan::days(1))
            .take_while(|day| day.year() == year);
        assert_eq!(
            worked.filter(|day| calendar.is_working(*day)).count(),
            days,
            "{year}"
        );
    }
    assert!(calendar.is_published(2026) && !calendar.is_published(2027));
}

#[test]
fn deadlines_count_from_the_next_day_over_holidays() {
    let cases = [
        // The example of the sharing pack: over the May holidays, with 05-09 worked.
        ("2026-04-27", Budget::WorkingDays(10), "2026-05-13"),
        ("2026-04-30", Budget::WorkingDays(1), "2026-05-06"),
        ("2026-05-08", Budget::WorkingDays(1), "2026-05-09"),
        // Over the October holidays: 09-20 is a working Sunday, 10-10 a working Saturday.
        ("2026-09-18", Budget::WorkingDays(1), "2026-09-20"),
        ("2026-09-30", Budget::WorkingDays(3), "2026-10-10"),
        ("2026-09-24", Budget::WorkingDays(5), "2026-10-09"),
        // Started on a day off.
        ("2026-10-03", Budget::WorkingDays(1), "2026-10-08"),
        ("2026-03-02", Budget::WorkingDays(3), "2026-03-05"),
        ("2026-03-02", Budget::WorkingDays(0), "2026-03-02"),
        // Calendar days roll forward when the last is off.
        ("2026-04-30", Budget::Days(3), "2026-05-06"),
        ("2026-03-02", Budget::Days(15), "2026-03-17"),
        ("2026-03-02", Budget::Days(5), "2026-03-09"),
        ("2026-05-04", Budget::Days(5), "2026-05-09"),
        ("2026-03-02", Budget::Hours(2), "2026-03-02"),
        ("2026-03-02", Budget::Date(day("2026-03-31")), "2026-03-31"),
        // Across the end of the year: the plan of 2027 is not published.
        ("2026-12-28", Budget::WorkingDays(3), "2026-12-31"),
        (
            "2026-12-28",
            Budget::WorkingDays(5),
            "2027-01-04 provisional",
        ),
        ("2026-12-28", Budget::Days(5), "2027-01-04 provisional"),
    ];
    for (start, budget, expected) in cases {
        assert_eq!(due(start, budget), expected, "{budget:?} from {start}");
    }
}

#[test]
fn the_last_day_is_in_time_to_its_last_millisecond() {
    let calendar = calendar();
    let start_ms = ms("2026-03-02T23:59:00+08:00");
    let deadline = calendar.deadline(start_ms, &Budget::WorkingDays(1), &[], start_ms);
    assert_eq!(deadline.at_ms + 1, ms("2026-03-04T00:00:00+08:00"));
}

#[test]
fn working_hours_skip_lunch_nights_and_holidays() {
    let calendar = calendar();
    let cases = [
        ("2026-03-02T09:00:00+08:00", 3, "2026-03-02T12:00:00+08:00"),
        ("2026-03-02T11:00:00+08:00", 2, "2026-03-02T14:30:00+08:00"),
        ("2026-03-02T20:00:00+08:00", 7, "2026-03-03T17:30:00+08:00"),
        ("2026-04-30T16:30:00+08:00", 2, "2026-05-06T10:00:00+08:00"),
    ];
    for (start, hours, expected) in cases {
        let deadline = calendar.deadline(ms(start), &Budget::WorkingHours(hours), &[], ms(start));
        assert_eq!(
            calendar.iso(deadline.at_ms),
            expected,
            "{hours} hours from {start}"
        );
    }
}

#[test]
fn a_pause_takes_out_the_days_after_it_began_to_the_day_it_ended() {
    let calendar = calendar();
    let start = ms("2026-04-27T09:00:00+08:00");
    let budget = Budget::WorkingDays(10);
    let pauses = [pause(
        "2026-04-29T10:00:00+08:00",
        Some("2026-05-07T10:00:00+08:00"),
    )];
    let now = ms("2026-05-07T10:00:00+08:00");
    assert_eq!(
        calendar.used(start, &budget, &pauses, now),
        Used::WorkingDays(2)
    );
    let deadline = calendar.deadline(start, &budget, &pauses, now);
    assert_eq!(
        calendar.date_of(deadline.at_ms),
        day("2026-05-18"),
        "eight days are left after 05-07"
    );
    // Paused on the first day: nothing is used.
    let start = ms("2026-03-02T09:00:00+08:00");
    let pauses = [pause("2026-03-02T09:00:00+08:00", None)];
    let used = calendar.used(
        start,
        &Budget::WorkingDays(20),
        &pauses,
        ms("2026-03-06T09:00:00+08:00"),
    );
    assert_eq!(used, Used::WorkingDays(0));
}

#[test]
fn hours_by_the_clock_stand_still_exactly_as_long_as_the_pause() {
    let calendar = calendar();
    let start = ms("2026-03-02T09:00:00+08:00");
    let pauses = [pause(
        "2026-03-02T10:00:00+08:00",
        Some("2026-03-02T13:00:00+08:00"),
    )];
    let now = ms("2026-03-02T14:00:00+08:00");
    let deadline = calendar.deadline(start, &Budget::Hours(4), &pauses, now);
    assert_eq!(calendar.iso(deadline.at_ms), "2026-03-02T16:00:00+08:00");
    assert_eq!(
        calendar.used(start, &Budget::Hours(4), &pauses, now),
        Used::Minutes(120)
    );
    let worked = calendar.used(start, &Budget::WorkingHours(4), &pauses, now);
    assert_eq!(
        worked,
        Used::WorkingMinutes(90),
        "nine to ten, and half past one to two"
    );
}

#[test]
fn rungs_lie_in_working_hours() {
    let calendar = calendar();
    let start = ms("2026-04-27T09:00:00+08:00");
    let ten = Budget::WorkingDays(10);
    let cases = [
        (ten, Moment::Percent(80), Some("2026-05-11T17:30:00+08:00")),
        (ten, Moment::Percent(85), Some("2026-05-12T14:00:00+08:00")),
        (ten, Moment::Percent(100), Some("2026-05-13T23:59:59+08:00")),
        (
            ten,
            Moment::Before(Budget::WorkingDays(2)),
            Some("2026-05-11T09:00:00+08:00"),
        ),
        (
            ten,
            Moment::After(Budget::WorkingDays(1)),
            Some("2026-04-28T23:59:59+08:00"),
        ),
        (
            Budget::WorkingDays(1),
            Moment::Before(Budget::WorkingDays(3)),
            None,
        ),
        (
            Budget::Hours(10),
            Moment::Percent(50),
            Some("2026-04-27T14:00:00+08:00"),
        ),
        (
            Budget::Hours(10),
            Moment::Before(Budget::Minutes(30)),
            Some("2026-04-27T18:30:00+08:00"),
        ),
        (
            ten,
            Moment::Before(Budget::WorkingHours(2)),
            Some("2026-05-13T15:30:00+08:00"),
        ),
    ];
    for (budget, moment, expected) in cases {
        let found = calendar
            .moment(start, &budget, &moment, &[], start)
            .map(|at| calendar.iso(at));
        assert_eq!(found.as_deref(), expected, "{moment:?} of {budget:?}");
    }
}

#[test]
fn a_deadline_says_how_it_came_about() {
    let calendar = calendar();
    let start = ms("2026-04-27T09:00:00+08:00");
    let deadline = calendar.deadline(start, &Budget::WorkingDays(10), &[], start);
    let texts: Vec<String> = deadline
        .explained
        .iter()
        .map(|step| step.text(Language::Chinese))
        .collect();
    assert_eq!(
        texts,
        [
            "2026-04-27 起算,当日不计",
            "2026-05-01 至 2026-05-05 劳动节放假,不计",
            "2026-05-09 为劳动节调休上班,计入",
            "计 10 个工作日,至 2026-05-13",
        ]
    );
    let start = ms("2026-12-28T09:00:00+08:00");
    let deadline = calendar.deadline(start, &Budget::WorkingDays(5), &[], start);
    assert!(
        deadline.provisional
            && deadline
                .explained
                .contains(&Explanation::Provisional { year: 2027 })
    );
    let start = ms("2026-04-30T09:00:00+08:00");
    let rolled = calendar.deadline(start, &Budget::Days(3), &[], start);
    let english: Vec<String> = rolled
        .explained
        .iter()
        .map(|step| step.text(Language::English))
        .collect();
    assert!(
        english
            .contains(&"the last day 2026-05-03 is off (劳动节), moved to 2026-05-06".to_owned()),
        "{english:?}"
    );
}

#[test]
fn faults_of_a_calendar_are_all_reported() {
    let file = serde_yaml::from_str(
        "{ calendar: x, zone: Moon/Base, week: [mon, die], hours: ['12-9'], year: 2026, published: true,
           holidays: [{ name: a, from: 2026-02-30 }], workdays: [{ date: soon }] }",
    )
    .expect("the shape is right");
    let faults = Calendar::build("x", &[&file]).expect_err("nothing of it can be read");
    assert_eq!(faults.len(), 5, "{faults:?}");
}

#[test]
fn budgets_are_read_strictly() {
    use tongban_expr::value;
    assert_eq!(
        Budget::parse(&value!({"workingDays": 5})),
        Ok(Budget::WorkingDays(5))
    );
    assert_eq!(
        Budget::parse(&value!({"date": "2026-03-31"})),
        Ok(Budget::Date(day("2026-03-31")))
    );
    for wrong in [
        value!({"workingDays": -1}),
        value!({"days": "3"}),
        value!({"weeks": 1}),
        value!({"date": "soon"}),
        value!(3),
    ] {
        assert!(Budget::parse(&wrong).is_err(), "{wrong:?}");
    }
    assert_eq!(
        Moment::parse_after(&value!({"percent": 90})),
        Ok(Moment::Percent(90))
    );
}

proptest! {
    /// Whatever the start, the budget and the pause: the deadline never lies
    /// before the start, more budget never gives an earlier one, a pause never
    /// brings it forward, and on its last day no more than the budget is used.
    #[test]
    fn deadlines_are_monotonic(offset in 0_i64..600, minute in 0_i64..1_440, days in 0_u32..40, from in 0_i64..20, long in 0_i64..20) {
        let calendar = calendar();
        let start = ms("2025-01-01T00:00:00+08:00") + offset * 86_400_000 + minute * 60_000;
        let pause = Pause { from_ms: start + from * 86_400_000, to_ms: Some(start + (from + long) * 86_400_000), ground: "x".into() };
        for budget in [Budget::WorkingDays(days), Budget::Days(days), Budget::WorkingHours(days), Budget::Hours(days)] {
            let plain = calendar.deadline(start, &budget, &[], start).at_ms;
            let paused = calendar.deadline(start, &budget, std::slice::from_ref(&pause), start).at_ms;
            prop_assert!(plain >= start && paused >= plain);
            let used = calendar.used(start, &budget, std::slice::from_ref(&pause), paused);
            match used {
                Used::WorkingDays(used) => prop_assert!(used <= days),
                Used::WorkingMinutes(used) | Used::Minutes(used) => prop_assert!(used <= days * 60),
                Used::Days(_) => {}
            }
        }
        let more = calendar.deadline(start, &Budget::WorkingDays(days + 1), &[], start).at_ms;
        prop_assert!(more > calendar.deadline(start, &Budget::WorkingDays(days), &[], start).at_ms);
    }
}
