//! Pictures: every task is there, nothing lies over anything else, and what is seen is also said.

use tongban_dsl::draw::{Mark, Marks, Tongue, draw, mermaid, outline};
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

/// An attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<f64> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"')?.0.parse().ok()
}

/// The rectangles of tasks: left, top, right, bottom.
fn boxes(svg: &str) -> Vec<[f64; 4]> {
    let tags = svg
        .split('<')
        .filter(|tag| tag.starts_with("rect class=\"tb-shape tb-box\""));
    tags.map(|tag| {
        let at = |name| attribute(tag, name).expect("a rectangle has a place and a size");
        [
            at("x"),
            at("y"),
            at("x") + at("width"),
            at("y") + at("height"),
        ]
    })
    .collect()
}

fn nothing_overlaps(svg: &str) {
    let view = svg
        .split_once("viewBox=\"0 0 ")
        .expect("a picture has a size")
        .1
        .split_once('"')
        .expect("closed")
        .0;
    let (width, height) = view.split_once(' ').expect("two numbers");
    let (width, height): (f64, f64) = (
        width.parse().expect("a number"),
        height.parse().expect("a number"),
    );
    let boxes = boxes(svg);
    for (at, a) in boxes.iter().enumerate() {
        assert!(
            a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= width && a[3] <= height,
            "{a:?} is inside {width} x {height}"
        );
        for b in boxes.iter().skip(at + 1) {
            assert!(
                a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1],
                "{a:?} and {b:?} are apart"
            );
        }
    }
}

/// Tags open and close in order: what an XML parser would want at least.
fn well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("every tag closes");
        assert!(
            !text.contains('&') || text.split('&').skip(1).all(|entity| entity.contains(';')),
            "{text}"
        );
        let name = tag
            .split([' ', '/'])
            .find(|part| !part.is_empty())
            .expect("a name");
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (_, true) => {}
            _ => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn every_task_is_drawn_once_and_apart() {
    let definition = definition(MIXED);
    let svg = draw(&definition, &Marks::default());
    well_formed(&svg);
    nothing_overlaps(&svg);
    for step in outline(&definition, &Marks::default()) {
        let place = format!("data-path=\"{}\"", step.path);
        assert_eq!(svg.matches(&place).count(), 1, "{}", step.path);
    }
    assert!(svg.contains("受理登记") && svg.contains("各种步骤 &lt;&amp;&gt;"));
    assert!(
        svg.contains("5 working days")
            && svg.contains("wait 1 h 30 min")
            && svg.contains("retries ≤ 3")
    );
    assert!(!svg.contains("tb-not-reached\""), "no run is shown");
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
    };
    let svg = draw(&definition, &marks);
    for (class, title, sign) in [
        ("tb-done", "受理登记 (已办)", "✓"),
        ("tb-doing", "heard (办理中)", "●"),
        ("tb-failed", "left (失败)", "✗"),
    ] {
        assert!(
            svg.contains(&format!("{class}\""))
                && svg.contains(&format!("<title>{title}</title>"))
                && svg.contains(sign),
            "{title}"
        );
    }
    assert!(svg.contains("last (未到达)"));
    let steps = outline(&definition, &marks);
    let sentences: Vec<String> = steps
        .iter()
        .map(|step| step.sentence(Tongue::Chinese))
        .collect();
    assert_eq!(
        sentences.first().map(String::as_str),
        Some("受理登记 (审批 · 5 个工作日), 已办。")
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
    let svg = draw(&definition(&source), &Marks::default());
    well_formed(&svg);
    nothing_overlaps(&svg);
    assert_eq!(boxes(&svg).len(), 200 - 40 + 40);
}

#[test]
fn every_example_of_the_specification_is_drawn() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/conformance/serverless-workflow/examples");
    for entry in std::fs::read_dir(root).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        if let Some(definition) = parse(&source).definition {
            let svg = draw(&definition, &Marks::default());
            well_formed(&svg);
            nothing_overlaps(&svg);
        }
    }
}
