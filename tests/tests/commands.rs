//! The commands as authors meet them: what they say of a pack with faults, and how they end.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails loudly"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tongban_tests::{binary, root};

const PACK: &str = "pack: desk
version: 1.0.0
title: { zh-CN: 服务台, en: Desk }
summary: 试
languages: [zh-CN]
roles: { helper: 帮手 }
rights:
  - { role: '*', may: [start], of: [ask], over: own-unit }
";

const WORKFLOW: &str =
    "document: { dsl: '1.0.3', namespace: desk, name: ask, version: '1.0.0', title: 求助 }
evaluate: { language: rhai }
do:
  - answer:
      call: approve
      with: { to: [{ head: '${ workflow.starter.unit }' }], due: { workingDays: 2 } }
  - tell:
      call: notify
      with: { to: [applicant], template: mails/told }
  - done: { set: { outcome: answered } }
";

const MAIL: &str = "---\nsubject: 已答复\n---\n{{ to.name }},已答复。\n";

const TEST: &str = "workflow: desk/ask
now: 2026-04-27T09:00:00+08:00
scenarios:
  - test: 答复
    start: { by: li-na, input: {} }
    steps: [{ decide: { step: answer, by: zhao-min, outcome: approved } }]
    expect: { status: completed, EXPECTED }
";

/// A site with the pack `desk`, whose scenario expects something.
fn site(pack: &str, expected: &str) -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    let config = site.path().join("config");
    fs::create_dir_all(config.join("calendars")).unwrap();
    for file in [
        "organisation.yaml",
        "calendars/china.yaml",
        "calendars/china-2025.yaml",
        "calendars/china-2026.yaml",
        "calendars/china-2027.yaml",
    ] {
        fs::copy(root().join("config").join(file), config.join(file)).unwrap();
    }
    let folder = site.path().join("workflows/desk");
    for (name, text) in [
        ("pack.yaml", pack),
        ("workflows/ask.yaml", WORKFLOW),
        ("mails/told.zh-CN.md", MAIL),
        ("tests/ask.test.yaml", &TEST.replace("EXPECTED", expected)),
    ] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    site
}

fn tongban(site: &Path, arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .current_dir(site)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[track_caller]
fn says(output: &Output, code: i32, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "expected `{word}` in: {said}");
    }
}

#[test]
fn a_fault_of_the_packs_head_stands_at_its_line() {
    let pack = PACK.replace("helper: 帮手", "helper: [帮手]");
    let site = site(&pack, "output: { outcome: answered }");
    says(
        &tongban(site.path(), &["check", "workflows/desk"]),
        2,
        &["TB1001", "`helper` of `roles`", "pack.yaml:6:"],
    );
}

#[test]
fn a_group_of_a_form_says_only_what_is_read() {
    let site = site(PACK, "output: { outcome: answered }");
    let form = "title: 求助
type: object
properties: { what: { type: string, title: 何事 } }
x-layout:
  - { title: 基本, fields: [what, when] }
";
    let folder = site.path().join("workflows/desk/forms");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ask.yaml"), form).unwrap();
    let words = [
        "warning[TB1002]",
        "a group has no `title`",
        "no field `when`",
        "forms/ask.yaml:5:",
    ];
    says(
        &tongban(site.path(), &["check", "workflows/desk"]),
        0,
        &words,
    );
}

#[test]
fn check_reads_the_scenario_files_too() {
    let site = site(PACK, "cards: [{ clock: answer, card: yellow }]");
    let words = ["TB1008", "unknown field `card`", "tests/ask.test.yaml:7:"];
    says(
        &tongban(site.path(), &["check", "workflows/desk"]),
        2,
        &words,
    );
    says(
        &tongban(
            site.path(),
            &["check", "workflows/desk/tests/ask.test.yaml"],
        ),
        2,
        &words,
    );
    says(
        &tongban(site.path(), &["test", "workflows/desk"]),
        2,
        &["ask.test.yaml:7:", "unknown field `card`"],
    );
}

#[test]
fn an_expected_mail_without_a_person_is_looked_for_all_the_same() {
    let right = site(PACK, "mails: [{ template: mails/told, contains: 已答复 }]");
    says(
        &tongban(right.path(), &["test", "workflows/desk"]),
        0,
        &["1 passed, 0 failed"],
    );
    let wrong = site(PACK, "mails: [{ template: mails/told, contains: 未答复 }]");
    says(
        &tongban(wrong.path(), &["test", "workflows/desk"]),
        1,
        &["`mails/told` with the text \"未答复\""],
    );
}

#[test]
fn a_clock_is_asked_only_for_what_it_has() {
    let site = site(PACK, "clocks: { answer: { state: paused } }");
    says(
        &tongban(site.path(), &["test", "workflows/desk"]),
        2,
        &["ask.test.yaml:7:", "`state`", "`running`"],
    );
}

#[test]
fn a_scenario_is_started_by_whoever_may() {
    let pack = PACK.replace("role: '*'", "role: helper");
    let site = site(&pack, "output: { outcome: answered }");
    says(
        &tongban(site.path(), &["test", "workflows/desk"]),
        1,
        &["`li-na` may not start `desk/ask`", "organisation.yaml"],
    );
}

#[test]
fn only_names_a_scenario_that_is_there() {
    let site = site(PACK, "output: { outcome: answered }");
    says(
        &tongban(site.path(), &["test", "workflows", "--only", "答复"]),
        0,
        &["1 passed"],
    );
    says(
        &tongban(site.path(), &["test", "workflows", "--only", "别的"]),
        2,
        &["no scenario has `别的` in its title"],
    );
}

#[test]
fn run_finds_the_rules_of_the_pack() {
    let site = site(PACK, "output: { outcome: answered }");
    let folder = site.path().join("workflows/desk");
    let workflow =
        "document: { dsl: '1.0.3', namespace: desk, name: ask, version: '1.0.0', title: 求助 }
do:
  - sum: { run: { script: { language: rhai, source: { endpoint: 'pack://rules/sum.rhai' } } } }
";
    fs::create_dir_all(folder.join("rules")).unwrap();
    fs::write(folder.join("rules/sum.rhai"), "#{ sum: 1 }").unwrap();
    fs::write(folder.join("workflows/ask.yaml"), workflow).unwrap();
    let run = ["run", "workflows/desk/workflows/ask.yaml"];
    says(
        &tongban(site.path(), &run),
        0,
        &["\"status\":\"completed\"", "\"sum\":1"],
    );
    fs::remove_file(folder.join("rules/sum.rhai")).unwrap();
    says(&tongban(site.path(), &run), 2, &["sum.rhai"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_fault() {
    let mut child = Command::new(binary())
        .arg("explain")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    says(&output, 0, &[]);
    assert!(output.stderr.is_empty(), "{}", said(&output));
}

#[test]
fn a_played_function_without_arguments_answers_every_call() {
    let site = site(PACK, "output: { outcome: answered }");
    let folder = site.path().join("workflows/desk");
    let workflow =
        "document: { dsl: '1.0.3', namespace: desk, name: ask, version: '1.0.0', title: 询价 }
do:
  - quote: { call: http, with: { method: get, endpoint: 'https://prices.example/v1/laptop' } }
";
    fs::write(folder.join("workflows/ask.yaml"), workflow).unwrap();
    let test = "workflow: desk/ask
now: 2026-04-27T09:00:00+08:00
scenarios:
  - test: 询价
    start: { by: li-na, input: {} }
    mocks: [{ call: http, output: { price: 7 } }]
    expect: { status: completed, output: { price: 7 } }
";
    fs::write(folder.join("tests/ask.test.yaml"), test).unwrap();
    says(
        &tongban(site.path(), &["test", "workflows/desk"]),
        0,
        &["1 passed, 0 failed"],
    );
}

/// A process that goes on, and what it says, line by line.
struct Going {
    child: Child,
    lines: Receiver<String>,
}

impl Going {
    fn start(site: &Path, arguments: &[&str]) -> Going {
        let mut child = Command::new(binary())
            .args(arguments)
            .current_dir(site)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (say, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        Going { child, lines }
    }

    /// Everything that it says up to a line with this word.
    #[track_caller]
    fn until(&self, word: &str) -> String {
        let mut said = String::new();
        loop {
            match self.lines.recv_timeout(Duration::from_secs(120)) {
                Ok(line) => {
                    said.push_str(&line);
                    said.push('\n');
                    if line.contains(word) {
                        return said;
                    }
                }
                Err(error) => panic!("expected `{word}` ({error}) after: {said}"),
            }
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn watched_scenarios_are_played_again_when_a_file_changes() {
    let site = site(PACK, "output: { outcome: answered }");
    let file = site.path().join("workflows/desk/tests/ask.test.yaml");
    let report = "html=workflows/desk/report.html";
    let arguments = ["test", "--watch", "workflows/desk", "--report", report];
    let watched = Going::start(site.path(), &arguments);
    assert!(
        watched
            .until("waiting for a change")
            .contains("1 passed, 0 failed")
    );
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, right.replace("answered", "forgotten")).unwrap();
    let said = watched.until("waiting for a change");
    assert!(said.contains("0 passed, 1 failed"), "{said}");
    assert!(said.contains("changed: workflows/desk/tests/ask.test.yaml"));
    // The report that it writes itself is no change: what comes next is what is done next.
    fs::write(&file, "workflow: [").unwrap();
    let said = watched.until("waiting for a change");
    assert!(said.contains("ask.test.yaml:1:"), "{said}");
    fs::remove_file(&file).unwrap();
    let said = watched.until("waiting for a change");
    assert!(said.contains("0 passed, 0 failed"), "{said}");
    fs::write(&file, right).unwrap();
    let said = watched.until("waiting for a change");
    assert!(said.contains("1 passed, 0 failed"), "{said}");
}

#[test]
fn check_tells_what_scenarios_misspell() {
    let site = site(PACK, "output: { outcome: answered }");
    let file = site.path().join("workflows/desk/tests/ask.test.yaml");
    let right = fs::read_to_string(&file).unwrap();
    let wrong = right
        .replace("outcome: approved", "outcome: aproved")
        .replace("by: zhao-min", "by: zhao-mni");
    fs::write(&file, wrong).unwrap();
    let output = tongban(site.path(), &["check", "workflows/desk"]);
    says(
        &output,
        2,
        &[
            "there is no outcome of `answer` `aproved`",
            "did you mean `approved`?",
            "there is no person `zhao-mni`",
            "ask.test.yaml:6:",
        ],
    );
    // Without a site nobody is known; the rest is told all the same.
    fs::remove_dir_all(site.path().join("config")).unwrap();
    let output = tongban(site.path(), &["check", "workflows/desk"]);
    says(&output, 2, &["`aproved`"]);
    assert!(!said(&output).contains("there is no person"));
}

#[test]
fn a_folder_for_pictures_is_made() {
    let site = site(PACK, "output: { outcome: answered }");
    let workflow = "workflows/desk/workflows/ask.yaml";
    says(
        &tongban(site.path(), &["draw", workflow, "-o", "out/pictures/"]),
        0,
        &["desk-ask.svg"],
    );
    let picture = fs::read_to_string(site.path().join("out/pictures/desk-ask.svg")).unwrap();
    assert!(picture.contains("求助"));
}

#[test]
fn lists_are_read_by_programs_too() {
    let site = site(PACK, "mails: []");
    let json = |arguments: &[&str]| -> serde_json::Value {
        let output = tongban(site.path(), &[arguments, &["--format", "json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let key = [
        "key",
        "add",
        "bus",
        "--unit",
        "transport",
        "--scope",
        "start",
        "--days",
        "30",
    ];
    says(&tongban(site.path(), &key), 0, &["tb_"]);
    let keys = json(&["key", "list"]);
    assert_eq!(keys[0]["name"], "bus");
    assert_eq!(keys[0]["unit"], "transport");
    assert_eq!(keys[0]["scopes"], serde_json::json!(["start"]));
    assert!(keys[0]["expiresAt"].is_string());
    let people = json(&["user", "list"]);
    let li_na = people
        .as_array()
        .unwrap()
        .iter()
        .find(|person| person["id"] == "li-na");
    assert_eq!(li_na.unwrap()["state"], "no password");
    assert_eq!(json(&["explain", "tb0405"])["code"], "TB0405");
    assert!(json(&["explain", "--lang", "en"]).as_array().unwrap().len() > 100);
}
