//! Units, people, selectors, agents and rights over the sample site.

mod site;

use tongban_expr::{Units, Value, value};
use tongban_org::{
    Absence, Function, Object, Organisation, OrganisationError, OrganisationFile, ResolveCase,
    RightEntry, ScopeOver, Selector,
};

fn case<'a>(
    applicant: Option<&'a str>,
    unit: Option<&'a str>,
    chosen: &'a [String],
) -> ResolveCase<'a> {
    ResolveCase {
        applicant,
        applicant_unit: unit,
        chosen,
        now_ms: 1_000,
    }
}

fn people(organisation: &Organisation, selector: Value) -> Vec<String> {
    let selectors = Selector::parse_list(&selector).expect("the selector is well formed");
    organisation
        .resolve(&selectors, &case(Some("li-na"), Some("transport"), &[]))
        .people()
}

#[test]
fn units_know_what_lies_above_them() {
    let site = site::organisation();
    assert_eq!(site.ancestor("g1", "district").as_deref(), Some("d1"));
    assert_eq!(site.ancestor("c1", "community").as_deref(), Some("c1"));
    assert_eq!(site.ancestor("police", "street"), None);
    assert_eq!(Units::name(&site, "s1").as_deref(), Some("海滨街道"));
    let grids: Vec<_> = site
        .units_under("c1", Some("grid"))
        .into_iter()
        .map(|unit| unit.id.as_str())
        .collect();
    assert_eq!(grids, ["g1", "g2"]);
    assert!(site.is_under("g1", "d1") && !site.is_under("d1", "g1") && !site.is_under("g3", "d1"));
}

#[test]
fn selectors_find_the_people_they_name() {
    let site = site::organisation();
    let cases = [
        (value!(["applicant"]), vec!["li-na"]),
        (value!({"user": "wang-lei"}), vec!["wang-lei"]),
        (
            value!([{"role": "data-office", "unit": "police"}]),
            vec!["liu-bo"],
        ),
        (
            value!([{"role": "collection-owner", "unit": ["civil-affairs", "transport"]}]),
            vec!["qian-li", "zhao-min"],
        ),
        (
            value!([{"role": "adjudicator"}]),
            vec!["gao-yuan", "sun-yi", "he-xin"],
        ),
        (
            value!([{"post": "director", "unit": "transport"}]),
            vec!["zhao-min"],
        ),
        (
            value!([{"head": "police"}, {"head": "police"}]),
            vec!["zhou-ping"],
        ),
        (
            value!([{"members": "transport"}]),
            vec!["li-na", "zhao-min"],
        ),
        (
            value!([{"group": "adjudicators"}]),
            vec!["gao-yuan", "sun-yi", "he-xin"],
        ),
        (
            value!([{"identity": "990000199001010017"}]),
            vec!["zhang-san"],
        ),
        (
            value!([{"chain": {"from": "g1", "until": "street", "role": "data-reviewer"}}]),
            vec!["c1-clerk", "s1-clerk"],
        ),
        (
            value!([{"chain": {"from": "g1"}}]),
            vec!["s1-clerk", "d1-clerk", "yang-fan"],
        ),
        (value!([{"role": "data-office", "unit": null}]), vec![]),
        (value!([{"head": "moon"}]), vec![]),
        (value!(null), vec![]),
    ];
    for (selector, expected) in cases {
        assert_eq!(people(&site, selector.clone()), expected, "{selector:?}");
    }
    for wrong in [
        value!("somebody"),
        value!({"team": "x"}),
        value!({"role": "x", "unit": 3}),
        value!({"post": "x"}),
    ] {
        assert!(Selector::parse_list(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn what_does_not_exist_is_named() {
    let site = site::organisation();
    let selectors = Selector::parse_list(
        &value!([{"head": "moon"}, {"user": "nobody"}, {"role": "x", "unit": null}]),
    );
    let resolution = site.resolve(&selectors.expect("well formed"), &case(None, None, &[]));
    assert_eq!(resolution.faults.len(), 3, "{:?}", resolution.faults);
    assert!(resolution.people().is_empty());
}

#[test]
fn only_those_allowed_can_be_chosen() {
    let site = site::organisation();
    let selectors = Selector::parse_list(
        &value!([{"chosenBy": "applicant", "among": [{"group": "adjudicators"}]}]),
    );
    let selectors = selectors.expect("well formed");
    let chosen = ["sun-yi".to_owned(), "li-si".to_owned()];
    let resolution = site.resolve(&selectors, &case(None, None, &chosen));
    assert_eq!(resolution.people(), ["sun-yi"]);
    assert_eq!(resolution.faults, ["`li-si` was chosen but may not be"]);
    assert_eq!(
        site.resolve(&selectors, &case(None, None, &[])).faults,
        ["nobody was chosen"]
    );
}

#[test]
fn whoever_left_is_replaced_by_his_post_or_his_head() {
    let mut file = site::file();
    let leave = |file: &mut OrganisationFile, id: &str| {
        for person in file.people.iter_mut().filter(|person| person.id == id) {
            person.left = Some("1970-01-01".into());
        }
    };
    leave(&mut file, "li-na");
    leave(&mut file, "liu-bo");
    let site = Organisation::build(&file, &site::calendars()).expect("no faults");
    let later = ResolveCase {
        now_ms: 86_400_000,
        ..case(Some("li-na"), Some("transport"), &[])
    };
    assert_eq!(
        site.resolve(&[Selector::Applicant], &later).people(),
        ["zhao-min"],
        "nobody else is clerk there"
    );
    let office = Selector::Role {
        role: "data-office".into(),
        unit: Some("police".into()),
    };
    assert!(site.resolve(&[office], &later).people().is_empty());
    assert!(site.is_here("li-na", 0) && !site.is_here("li-na", 86_400_000));
}

fn away(person: &str, agent: &str, of: &[&str]) -> Absence {
    let of = of.iter().map(|name| (*name).to_owned()).collect();
    Absence {
        person: person.into(),
        agent: Some(agent.into()),
        from_ms: 0,
        to_ms: Some(1_000),
        of,
    }
}

#[test]
fn agents_act_in_their_time_and_processes() {
    let mut site = site::organisation();
    site.add_absence(away("liu-bo", "chen-jie", &["sharing/*"]));
    assert_eq!(
        site.agent_of("liu-bo", "sharing/apply", 999).as_deref(),
        Some("chen-jie")
    );
    assert_eq!(site.agent_of("liu-bo", "sharing/apply", 1_000), None);
    assert_eq!(site.agent_of("liu-bo", "housing/apply", 999), None);
    site.add_absence(away("chen-jie", "zhou-ping", &[]));
    assert_eq!(
        site.agent_of("liu-bo", "sharing/apply", 5).as_deref(),
        Some("zhou-ping"),
        "the agent is away too"
    );
    site.add_absence(away("zhou-ping", "liu-bo", &[]));
    assert_eq!(
        site.agent_of("liu-bo", "sharing/apply", 5),
        None,
        "a circle gives nobody"
    );
    site.revoke_absences("liu-bo", 3);
    assert_eq!(site.agent_of("liu-bo", "sharing/apply", 5), None);
}

#[test]
fn superiors_and_administrators_are_found_upwards() {
    let site = site::organisation();
    assert_eq!(site.superiors("li-na"), ["zhao-min"]);
    assert_eq!(
        site.superiors("zhao-min"),
        ["yang-fan"],
        "the head's superior is the head above"
    );
    assert_eq!(site.superiors("g1-worker"), ["s1-clerk"]);
    assert!(site.superiors("yang-fan").is_empty() && site.superiors("zhang-san").is_empty());
    assert_eq!(site.administrators(Some("g1")), ["admin"]);
    assert_eq!(site.administrators(None), ["admin"]);
}

fn rights(site: &mut Organisation) {
    let entries: Vec<RightEntry> = serde_yaml::from_str(
        "- { role: data-applicant, may: [start], of: [apply], over: own-unit }
- { role: sharing-officer, may: [view, supervise, terminate], of: ['*'], over: all }
- { role: data-leader, may: [view], of: ['*'], over: own-unit }
- { role: citizen, may: [start], of: [plea], over: own }
- { role: street-clerk, may: [start], of: [plea], over: own-subtree }
- { role: data-reviewer, may: [view], of: [sheet], over: own-subtree, from: own-level }",
    )
    .expect("well formed");
    site.add_rights("sharing", &entries)
        .expect("every function is known");
}

#[test]
fn a_right_of_everybody_is_held_in_each_ones_own_unit() {
    let mut site = site::organisation();
    let entries: Vec<RightEntry> = serde_yaml::from_str(
        "- { role: '*', may: [start], of: [apply], over: own-unit }
- { role: '*', may: [start], of: [plea], over: own }",
    )
    .expect("well formed");
    site.add_rights("seal", &entries)
        .expect("every function is known");
    let may = |person, workflow, unit| {
        let object = Object {
            workflow: Some(workflow),
            unit,
            starter: Some(person),
            reached: None,
        };
        site.may(person, Function::Start, &object).allowed
    };
    assert!(may("li-na", "seal/apply", Some("transport")));
    assert!(!may("li-na", "seal/apply", Some("police")));
    assert!(!may("li-na", "seal/other", Some("transport")));
    assert!(
        !may("zhang-san", "seal/apply", None),
        "a citizen has no unit"
    );
    assert!(may("zhang-san", "seal/plea", None));
    assert!(!may("nobody", "seal/plea", None));
}

/// A case as rights see it.
fn object<'a>(workflow: &'a str, unit: Option<&'a str>, starter: Option<&'a str>) -> Object<'a> {
    Object {
        workflow: Some(workflow),
        unit,
        starter,
        reached: None,
    }
}

/// Who may do what with what; every verdict says why.
fn judged(cases: &[(&str, Function, Object<'_>, bool)]) {
    let mut site = site::organisation();
    rights(&mut site);
    for (person, function, object, allowed) in cases {
        let verdict = site.may(person, *function, object);
        assert_eq!(
            verdict.allowed, *allowed,
            "{person} {function:?} {object:?}: {}",
            verdict.because
        );
        assert!(!verdict.because.is_empty());
    }
}

#[test]
fn rights_over_units_hold_where_they_reach() {
    judged(&[
        (
            "li-na",
            Function::Start,
            object("sharing/apply", Some("transport"), None),
            true,
        ),
        (
            "li-na",
            Function::Start,
            object("sharing/apply", Some("police"), None),
            false,
        ),
        (
            "li-na",
            Function::Start,
            object("housing/apply", Some("transport"), None),
            false,
        ),
        (
            "zhou-ping",
            Function::View,
            object("sharing/apply", Some("police"), None),
            true,
        ),
        (
            "zhou-ping",
            Function::View,
            object("sharing/apply", Some("transport"), None),
            false,
        ),
        (
            "s1-clerk",
            Function::Start,
            object("sharing/plea", Some("g1"), None),
            true,
        ),
        (
            "s1-clerk",
            Function::Start,
            object("sharing/plea", Some("g3"), None),
            false,
        ),
    ]);
}

#[test]
fn rights_over_ones_own_and_over_all_hold_where_they_reach() {
    judged(&[
        (
            "zhang-san",
            Function::Start,
            object("sharing/plea", None, Some("zhang-san")),
            true,
        ),
        (
            "zhang-san",
            Function::Start,
            object("sharing/plea", None, Some("li-si")),
            false,
        ),
        (
            "admin",
            Function::Intervene,
            object("housing/apply", Some("g3"), None),
            true,
        ),
        (
            "admin",
            Function::Audit,
            object("housing/apply", None, None),
            false,
        ),
        (
            "nobody",
            Function::View,
            object("sharing/apply", None, None),
            false,
        ),
    ]);
}

#[test]
fn rights_of_a_pack_hold_for_its_own_workflows_and_name_their_role() {
    judged(&[
        (
            "wang-lei",
            Function::View,
            object("sharing/apply", Some("police"), None),
            true,
        ),
        (
            "wang-lei",
            Function::View,
            object("housing/apply", Some("police"), None),
            false,
        ),
        (
            "wang-lei",
            Function::Intervene,
            object("sharing/apply", Some("police"), None),
            false,
        ),
    ]);
    let mut site = site::organisation();
    rights(&mut site);
    let verdict = site.may(
        "wang-lei",
        Function::View,
        &object("sharing/apply", None, None),
    );
    assert!(
        verdict.because.contains("sharing-officer"),
        "{}",
        verdict.because
    );
}

#[test]
fn a_level_sees_a_case_only_when_it_has_reached_it() {
    let mut site = site::organisation();
    rights(&mut site);
    let sheet = |reached| Object {
        workflow: Some("sharing/sheet"),
        unit: Some("g1"),
        starter: None,
        reached,
    };
    assert!(
        !site
            .may("s1-clerk", Function::View, &sheet(Some("community")))
            .allowed
    );
    assert!(
        site.may("s1-clerk", Function::View, &sheet(Some("street")))
            .allowed
    );
    assert!(
        site.may("s1-clerk", Function::View, &sheet(Some("district")))
            .allowed
    );
    assert!(!site.may("s1-clerk", Function::View, &sheet(None)).allowed);
}

#[test]
fn scopes_say_the_same_for_lists() {
    let mut site = site::organisation();
    rights(&mut site);
    let scopes = site.scopes("zhou-ping", Function::View);
    assert_eq!(scopes.len(), 1);
    assert_eq!(
        (scopes[0].of.as_slice(), &scopes[0].over),
        (
            &["sharing/*".to_owned()][..],
            &ScopeOver::Unit("police".into())
        )
    );
    assert!(
        site.scopes("wang-lei", Function::View)
            .iter()
            .any(|scope| scope.over == ScopeOver::All)
    );
    assert!(site.scopes("zhang-san", Function::View).is_empty());
}

#[test]
fn principals_are_the_names_of_candidates_and_parties() {
    let site = site::organisation();
    let names: Vec<String> = site
        .principals("gao-yuan")
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "person:gao-yuan",
        "role:adjudicator@data-bureau",
        "role:adjudicator",
        "post:director@data-bureau",
        "head:data-bureau",
        "unit:data-bureau",
        "group:adjudicators",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_fault_of_a_site_is_reported_at_once() {
    let file: OrganisationFile = serde_yaml::from_str(
        "calendar: mars
levels: [{ id: city, title: 市 }]
units: [{ id: a, name: A, level: city, parent: b }, { id: b, name: B, level: city, parent: a }, { id: c, name: C, level: town, parent: z }]
people: [{ id: p, name: P, unit: nowhere, left: soon }, { id: p, name: Q }]
groups: [{ id: g, title: G, members: [ghost] }]
absences: [{ person: ghost, from: never }]
rights: [{ role: r, may: [fly], of: ['*'], over: all }, { may: [view], of: ['*'], over: all }]",
    )
    .expect("the shape is right");
    let faults = Organisation::build(&file, &site::calendars()).expect_err("it is full of faults");
    let has = |wanted: &str| {
        faults
            .iter()
            .any(|fault| fault.to_string().contains(wanted))
    };
    for wanted in [
        "`mars`",
        "`a` is its own ancestor",
        "`b` is its own ancestor",
        "`z`",
        "`town`",
        "`nowhere`",
        "`soon`",
        "person `p` is given twice",
        "`ghost`",
        "`never`",
        "`fly`",
        "exactly one of role, post, person",
    ] {
        assert!(has(wanted), "{wanted} is missing in {faults:?}");
    }
    assert!(faults.contains(&OrganisationError::Cycle("a".into())));
}
