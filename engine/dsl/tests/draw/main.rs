//! Pictures: every task is there, nothing lies over anything else, and what is seen is also said.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod sound;

use sound::{areas, attribute, boxes, sound, well_formed};
use tongban_dsl::draw::{Mark, Marks, Names, Tongue, draw, mermaid, outline};
use tongban_dsl::{Definition, parse};

const MIXED: &str = "
document: { dsl: '1.0.3', namespace: test, name: mixed, version: '1.0.0', title: '各种步骤 <&>' }
do:
  - intake: { metadata: { title: 受理登记 }, call: approve, with: { to: [applicant], due: { workingDays: 5 } } }
  - rounds:
      for: { in: .households }
      do:
        - visit: { if: .open, metadata: { title: 入户核查与拍照取证并当场填写走访记录表 }, set: { x: 1 } }
        - pause: { wait: PT1H30M }
  - fetch:
      try:
        - both:
            fork:
              branches:
                - left: { set: { x: 1 } }
                - right: { do: [{ one: { set: { x: 1 } } }, { two: { raise: { error: { type: 'https://a.example/x', status: 400 } } } }] }
      catch:
        errors: { with: { status: 503 } }
        retry: { delay: PT1M, limit: { attempt: { count: 3 } } }
        do: [{ byHand: { set: { x: 1 } } }]
  - heard: { listen: { to: { one: { with: { type: org.example.receipt } } } } }
  - choose:
      switch:
        - again: { when: .again, then: fetch }
        - stop: { when: .stop, then: end }
        - skip: { when: .skip, then: last }
  - extra: { set: { x: 1 }, then: exit }
  - last: { emit: { event: { with: { source: https://a.example, type: org.example.done } } } }
";

fn definition(source: &str) -> Definition {
    parse(source).definition.expect("the sample is valid")
}

fn every_task_once(definition: &Definition, svg: &str) {
    for step in outline(definition, &Marks::default()) {
        let place = format!("data-path=\"{}\"", step.path);
        assert_eq!(svg.matches(&place).count(), 1, "{}", step.path);
    }
}

fn drawn(source: &str, name: &str) -> String {
    let definition = definition(source);
    let svg = draw(&definition, &Marks::default());
    well_formed(&svg);
    sound(&svg, name);
    every_task_once(&definition, &svg);
    svg
}

#[test]
fn every_task_is_drawn_once_and_apart() {
    let svg = drawn(MIXED, "mixed");
    assert!(svg.contains("受理登记") && svg.contains("各种步骤 &lt;&amp;&gt;"));
    assert!(
        svg.contains("5 working days")
            && svg.contains("wait 1 h 30 min")
            && svg.contains("retries ≤ 3")
    );
    assert!(!svg.contains("tb-not-reached\""), "no run is shown");
}

const PEOPLE: &str = "
document: { dsl: '1.0.3', namespace: test, name: people, version: '1.0.0', title: 分工 }
evaluate: { language: rhai }
do:
  - ask: { call: collect, with: { to: [applicant], form: forms/a.yaml } }
  - both:
      fork:
        branches:
          - east: { call: approve, with: { to: [{ role: officer, unit: east }] } }
          - west: { call: approve, with: { to: [{ head: west }] } }
  - check:
      call: approve
      with: { to: [{ role: officer, unit: east }], outcomes: { yes: 属实, no: 不实 }, return: { to: [applicant, ask] } }
  - decide:
      switch:
        - yes: { when: 'input.outcome == \"yes\"', then: save }
        - no: { when: 'input.outcome == \"no\"', then: ask }
  - hand: { try: [{ send: { call: notify, with: { to: [applicant], template: mails/a } } }], catch: { do: [{ phone: { call: approve, with: { to: [{ role: officer, unit: west }] } } }] } }
  - save: { set: { x: 1 } }
";

#[test]
fn who_does_it_is_told_by_lanes() {
    let svg = drawn(PEOPLE, "people");
    let lanes = areas(&svg, "tb-lane-head");
    assert_eq!(lanes.len(), 4, "applicant, east, west, system");
    for words in [
        "Applicant",
        "east",
        "west",
        "System",
        "属实",
        "不实",
        "↩ applicant, ask",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    let lane_of = |path: &str| {
        let tag = svg
            .split_once(&format!("data-path=\"{path}\""))
            .expect("drawn")
            .1;
        let x = attribute(tag.split_once("<rect").expect("a box").1, "x").expect("a place");
        lanes.iter().position(|lane| x >= lane[0] && x < lane[2])
    };
    assert_eq!(
        [
            "ask",
            "both/east",
            "both/west",
            "check",
            "hand/send",
            "hand/phone",
            "save"
        ]
        .map(lane_of),
        [0, 1, 2, 1, 3, 2, 3].map(Some)
    );
    let named = Marks {
        names: Names {
            units: [("east".to_owned(), "城东分局".to_owned())].into(),
            roles: [("officer".to_owned(), "经办人".to_owned())].into(),
            ..Names::default()
        },
        ..Marks::default()
    };
    let svg = draw(&definition(PEOPLE), &named);
    assert!(svg.contains("城东分局") && svg.contains("经办人") && !svg.contains(">officer<"));
}

#[test]
fn a_run_is_told_by_signs_and_words_and_not_by_colour_alone() {
    let definition = definition(MIXED);
    let marks = Marks {
        by_path: [
            ("intake", Mark::Done),
            ("rounds/visit", Mark::Skipped),
            ("fetch/both/left", Mark::Failed),
            ("heard", Mark::Doing),
        ]
        .map(|(path, mark)| (path.to_owned(), mark))
        .into(),
        tongue: Tongue::Chinese,
        ..Marks::default()
    };
    let svg = draw(&definition, &marks);
    for (class, title, sign) in [
        (
            "tb-done",
            "受理登记 (已办)",
            "<path class=\"tb-cut\" d=\"M-3.6 ",
        ),
        ("tb-doing", "heard (办理中)", "<circle class=\"tb-ring\""),
        (
            "tb-failed",
            "left (失败)",
            "<path class=\"tb-cut\" d=\"M-3 -3L3 3",
        ),
        (
            "tb-skipped",
            "入户核查与拍照取证并当场填写走访记录表 (跳过)",
            "<path class=\"tb-stroke\"",
        ),
    ] {
        let group = format!("{class}\"");
        let (_, rest) = svg.split_once(&format!("<title>{title}")).expect(title);
        assert!(svg.contains(&group) && rest.contains(sign), "{title}");
    }
    assert!(svg.contains("last (未到达)"));
    let steps = outline(&definition, &marks);
    let sentences: Vec<String> = steps
        .iter()
        .map(|step| step.sentence(Tongue::Chinese, marks.reading))
        .collect();
    assert_eq!(
        sentences.first().map(String::as_str),
        Some("受理登记 (申请人: 审批 · 5 个工作日), 已办。")
    );
    assert!(
        sentences
            .iter()
            .any(|line| line
                .contains("choose (分支), 未到达; again → fetch; stop → 结束; skip → last")),
        "{sentences:?}"
    );
}

#[test]
fn the_same_ways_in_mermaid() {
    let definition = definition(MIXED);
    let chart = mermaid(&definition, &Marks::default());
    for line in [
        "  t_intake --> t_rounds",
        "  t_choose -->|\"again\"| t_fetch",
        "  t_choose -->|\"stop\"| finish",
        "  t_choose -->|\"skip\"| t_last",
        "  t_choose --> t_extra",
        "  t_extra --> finish",
        "  t_fetch__both --> t_fetch__both__left",
        "  t_fetch -->|\"on error\"| t_fetch__byHand",
        "  t_fetch__byHand --> t_heard",
        "  t_rounds__pause -->|\"↻\"| t_rounds",
    ] {
        assert!(chart.lines().any(|found| found == line), "{line}\n{chart}");
    }
    assert_eq!(
        chart.matches("subgraph").count(),
        chart.lines().filter(|line| line.trim() == "end").count()
    );
}

#[test]
fn two_hundred_tasks_with_jumps() {
    let mut source = String::from(
        "document: { dsl: '1.0.3', namespace: test, name: large, version: '1.0.0' }\ndo:\n",
    );
    for at in 0..200 {
        match at % 10 {
            4 => source.push_str(&format!(
                "  - t{at}: {{ switch: [{{ back: {{ when: .a, then: t{} }} }}, {{ on: {{ when: .b, then: t{} }} }}] }}\n",
                at - 3,
                (at + 15).min(199)
            )),
            7 => source.push_str(&format!("  - t{at}: {{ do: [{{ a: {{ set: {{ x: 1 }} }} }}, {{ b: {{ wait: PT1S }} }}] }}\n")),
            _ => source.push_str(&format!("  - t{at}: {{ metadata: {{ title: 第{at}步 }}, set: {{ x: 1 }} }}\n")),
        }
    }
    let svg = drawn(&source, "large");
    assert_eq!(boxes(&svg).len(), 200 - 20 + 40);
    // Several columns on a sheet that one can look at, and not a ribbon.
    let tag = svg.split_once('>').expect("a tag").0;
    let size = |name| attribute(tag, name).expect("a size");
    let (width, height) = (size("width"), size("height"));
    assert!((0.8..2.5).contains(&(width / height)), "{width} x {height}");
    // A letter stands where ways leave a column, and once where they go on.
    let letters: Vec<&str> = svg
        .split("class=\"tb-letter\">")
        .skip(1)
        .filter_map(|rest| rest.split('<').next())
        .collect();
    assert!(letters.len() > 4, "{letters:?}");
    for letter in &letters {
        let times = letters.iter().filter(|other| *other == letter).count();
        assert!(times > 1, "{letter} leads nowhere: {letters:?}");
    }
}

#[test]
fn a_short_list_stays_in_one_column() {
    let tasks: String = (0..20)
        .map(|at| format!("  - t{at}: {{ set: {{ x: 1 }} }}\n"))
        .collect();
    let source = format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: short, version: '1.0.0' }}\ndo:\n{tasks}"
    );
    let svg = drawn(&source, "short");
    let lefts: Vec<f64> = boxes(&svg).iter().map(|area| area[0]).collect();
    assert!(lefts.iter().all(|left| *left == lefts[0]), "{lefts:?}");
}

const TITLED: &str = "
document: { dsl: '1.0.3', namespace: test, name: titled, version: '1.0.0', title: 受理, metadata: { x-en: Intake of cases } }
evaluate: { language: rhai }
use: { extensions: [{ audit: { extend: call, before: [{ log: { set: { x: 1 } } }] } }] }
do:
  - look:
      metadata: { title: 审查, x-en: Review of papers }
      call: approve
      with: { to: [applicant], outcomes: { fine: { title: 齐全, x-en: Complete }, poor: { title: 不齐全, x-en: Lacking } } }
  - way: { switch: [{ good: { when: 'input.outcome == \"fine\"', then: end } }, { bad: { when: 'input.outcome == \"poor\"', then: look } }] }
  - rest: { set: { x: 1 } }
";

#[test]
fn readers_of_english_see_english_titles() {
    let definition = definition(TITLED);
    let chinese = Marks {
        tongue: Tongue::Chinese,
        ..Marks::default()
    };
    let english = Marks::default();
    let words = [
        ("受理", "Intake of cases"),
        ("审查", "Review of papers"),
        (">齐全<", ">Complete<"),
        ("不齐全", "Lacking"),
    ];
    let (zh, en) = (draw(&definition, &chinese), draw(&definition, &english));
    for (left, right) in words {
        assert!(zh.contains(left) && !zh.contains(right), "{left}");
        assert!(en.contains(right) && !en.contains(left), "{right}");
    }
    assert!(mermaid(&definition, &english).contains("Review of papers"));
    let steps = outline(&definition, &english);
    assert_eq!(steps[0].title, "Review of papers");
    assert!(steps[1].ways.iter().any(|way| way == "Complete → end"));
}

#[test]
fn steps_with_extensions_are_marked() {
    let svg = drawn(TITLED, "titled");
    assert_eq!(
        svg.matches("⊕ audit").count(),
        2,
        "the step and its description"
    );
    assert!(svg.contains("extended: steps before or after"));
    assert!(!drawn(PEOPLE, "people").contains('⊕'));
}

#[test]
fn every_example_of_the_specification_and_every_pack_is_drawn() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let examples = std::fs::read_dir(root.join("tests/conformance/serverless-workflow/examples"));
    let mut files: Vec<_> = examples
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for pack in std::fs::read_dir(root.join("workflows")).unwrap() {
        if let Ok(workflows) = std::fs::read_dir(pack.unwrap().path().join("workflows")) {
            files.extend(workflows.map(|entry| entry.unwrap().path()));
        }
    }
    assert!(files.len() > 60, "{}", files.len());
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        if parse(&source).definition.is_some() {
            drawn(&source, &file.display().to_string());
        }
    }
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn list(&mut self, depth: u64, next: &mut u32) -> String {
        let length = 1 + self.roll(4);
        self.list_of(length, depth, next)
    }

    fn list_of(&mut self, length: u64, depth: u64, next: &mut u32) -> String {
        let names: Vec<String> = (0..length)
            .map(|_| {
                *next += 1;
                format!("t{next}")
            })
            .collect();
        let tasks: Vec<String> = names
            .iter()
            .map(|name| {
                format!(
                    "{{ {name}: {{ {}{} }} }}",
                    self.body(depth, &names, next),
                    self.then(&names)
                )
            })
            .collect();
        format!("[{}]", tasks.join(", "))
    }

    fn then(&mut self, names: &[String]) -> String {
        match self.roll(9) {
            0 => ", then: end".to_owned(),
            1 => ", then: exit".to_owned(),
            2 => format!(", then: {}", names[self.roll(names.len() as u64) as usize]),
            3 => ", if: '${ .yes }'".to_owned(),
            _ => String::new(),
        }
    }

    fn body(&mut self, depth: u64, names: &[String], next: &mut u32) -> String {
        let kinds = if depth == 0 { 6 } else { 10 };
        match self.roll(kinds) {
            0 => format!(
                "call: approve, with: {{ to: [{{ role: r{}, unit: u{} }}] }}",
                self.roll(3),
                self.roll(3)
            ),
            1 => "call: collect, with: { to: [applicant] }".to_owned(),
            2 => "set: { x: 1 }".to_owned(),
            3 => "wait: PT1H".to_owned(),
            4 => "raise: { error: { type: 'https://a.example/x', status: 400 } }".to_owned(),
            5 => {
                let cases: Vec<String> = (0..1 + self.roll(4))
                    .map(|at| {
                        let to = &names[self.roll(names.len() as u64) as usize];
                        let to = if self.roll(5) == 0 { "end" } else { to };
                        format!("{{ case{at}: {{ when: .a, then: {to} }} }}")
                    })
                    .collect();
                format!("switch: [{}]", cases.join(", "))
            }
            6 => format!("do: {}", self.list(depth - 1, next)),
            7 => format!("for: {{ in: .a }}, do: {}", self.list(depth - 1, next)),
            8 => {
                let caught = if self.roll(3) == 0 {
                    "retry: { delay: PT1S, limit: { attempt: { count: 2 } } }".to_owned()
                } else {
                    format!("do: {}", self.list(depth - 1, next))
                };
                format!("try: {}, catch: {{ {caught} }}", self.list(depth - 1, next))
            }
            _ => {
                let branches: Vec<String> = (0..2 + self.roll(3))
                    .map(|_| {
                        *next += 1;
                        let name = format!("b{next}");
                        let body = self.body(depth - 1, std::slice::from_ref(&name), next);
                        format!("{{ {name}: {{ {body} }} }}")
                    })
                    .collect();
                format!("fork: {{ branches: [{}] }}", branches.join(", "))
            }
        }
    }
}

#[test]
fn whatever_is_nested_in_whatever_the_picture_is_sound() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let tasks = dice.list(seed % 5, &mut 0);
        let source = format!(
            "document: {{ dsl: '1.0.3', namespace: test, name: seed-{seed}, version: '1.0.0' }}\ndo: {tasks}\n"
        );
        drawn(&source, &format!("seed {seed}: {tasks}"));
    }
}

#[test]
fn long_lists_are_sound_in_columns() {
    for seed in 0..30 {
        let mut dice = Dice(seed);
        let tasks = dice.list_of(40 + seed * 5, seed % 3, &mut 0);
        let source = format!(
            "document: {{ dsl: '1.0.3', namespace: test, name: seed-{seed}, version: '1.0.0' }}\ndo: {tasks}\n"
        );
        drawn(&source, &format!("seed {seed}"));
    }
}
