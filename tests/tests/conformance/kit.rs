//! The conformance kit's features, each scenario a test, the hosts that they ask answered by the stub.

use std::collections::BTreeSet;

use gherkin::{Feature, GherkinEnv, Scenario, Step};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::expectations::within;
use crate::run::{Came, Given, run};

/// The features and scenarios that the kit has.
const FEATURES: usize = 11;
const SCENARIOS: usize = 21;

/// A scenario with the name of its test: FEATURE FILE, feature, scenario.
fn scenarios() -> Vec<(String, Scenario)> {
    let folder = tongban_tests::root().join("tests/conformance/serverless-workflow/ctk");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("the kit")
        .map(|file| file.expect("a feature").path())
        .collect();
    paths.sort();
    assert_eq!(paths.len(), FEATURES, "every feature of the kit is here");
    let mut all = Vec::new();
    for path in paths {
        let file = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let feature =
            Feature::parse_path(&path, GherkinEnv::default()).expect("a feature that can be read");
        for scenario in feature.scenarios {
            all.push((format!("kit: {file}: {}", scenario.name), scenario));
        }
    }
    all
}

/// The names of the scenarios.
pub(crate) fn names() -> Vec<String> {
    scenarios().into_iter().map(|(name, _)| name).collect()
}

/// Every scenario of every feature, and that none is left out.
pub(crate) fn trials(port: u16) -> Vec<Trial> {
    let all = scenarios();
    let names: BTreeSet<String> = all.iter().map(|(name, _)| name.clone()).collect();
    let mut trials: Vec<Trial> = all
        .into_iter()
        .map(|(name, scenario)| Trial::test(name, move || play(&scenario, port)))
        .collect();
    trials.push(Trial::test(
        "kit: every scenario is a test of its own",
        move || {
            if names.len() == SCENARIOS {
                Ok(())
            } else {
                Err(format!(
                    "expected {SCENARIOS} tests, found {}: {names:?}",
                    names.len()
                )
                .into())
            }
        },
    ));
    trials
}

fn play(scenario: &Scenario, port: u16) -> Result<(), Failed> {
    let mut document = String::new();
    let mut input = None;
    let mut came = None;
    for step in &scenario.steps {
        match step.value.as_str() {
            "a workflow with definition:" => document = text_of(step),
            "given the workflow input is:" => input = Some(text_of(step)),
            "the workflow is executed" => {
                let hosts = &["petstore.swagger.io", "httpbin.org"];
                came = Some(run(&Given {
                    document: &document,
                    input: input.clone(),
                    fast_forward: true,
                    hosts,
                    port,
                    ..Given::default()
                })?);
            }
            words => {
                let came = came
                    .as_ref()
                    .ok_or("the scenario expects before it executes")?;
                if !holds(words, step, came)? {
                    return Err(format!("`{words}` does not hold: {}", came.printed).into());
                }
            }
        }
    }
    if came.is_some() {
        Ok(())
    } else {
        Err("the scenario executes nothing".into())
    }
}

/// Whether one expectation holds.
fn holds(words: &str, step: &Step, came: &Came) -> Result<bool, Failed> {
    let object = &came.object;
    let quoted: Vec<&str> = words.split('\'').skip(1).step_by(2).collect();
    let property = || {
        quoted
            .first()
            .and_then(|path| member(&object["output"], path))
    };
    if words.starts_with("the workflow output should have properties") {
        return Ok(quoted
            .iter()
            .all(|path| member(&object["output"], path).is_some()));
    }
    if words.starts_with("the workflow output should have a") {
        if let Some((_, count)) = words.split_once("containing ") {
            let count: usize = count.trim_end_matches(" items").parse()?;
            return Ok(property()
                .and_then(Value::as_array)
                .is_some_and(|items| items.len() == count));
        }
        return Ok(property() == Some(&value_of(step)?));
    }
    match words {
        "the workflow should complete" => {
            return Ok(object["status"] == "completed" && came.code == 0);
        }
        "the workflow should complete with output:" => {
            return Ok(object["status"] == "completed" && object["output"] == value_of(step)?);
        }
        "the workflow should fault" => return Ok(object["status"] == "faulted" && came.code == 1),
        "the workflow should fault with error:" => {
            return Ok(object["status"] == "faulted" && within(&value_of(step)?, &object["error"]));
        }
        _ => {}
    }
    ran(words, object)
}

/// `A should run first`, `A should run last`, `A should run after B`.
fn ran(words: &str, object: &Value) -> Result<bool, Failed> {
    let tasks: Vec<&str> = object["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|task| task["name"].as_str())
        .collect();
    let place = |name: &str| tasks.iter().position(|task| *task == name);
    let (name, when) = words
        .split_once(" should run ")
        .ok_or_else(|| format!("the step `{words}` is not known"))?;
    Ok(match when {
        "first" => tasks.first() == Some(&name),
        "last" => tasks.last() == Some(&name),
        _ => {
            let before = when
                .strip_prefix("after ")
                .ok_or_else(|| format!("the step `{words}` is not known"))?;
            place(before).is_some() && place(before) < place(name)
        }
    })
}

fn member<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
}

fn value_of(step: &Step) -> Result<Value, Failed> {
    Ok(serde_yaml::from_str(&text_of(step))?)
}

/// A doc string without its first line, which names the language, and without its indentation.
fn text_of(step: &Step) -> String {
    let text = step
        .docstring
        .as_deref()
        .unwrap_or_default()
        .trim_start_matches('\n');
    let text = text
        .strip_prefix("yaml")
        .unwrap_or(text)
        .trim_start_matches('\n');
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let indent = first.len() - first.trim_start().len();
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.get(indent..).unwrap_or_default())
        .collect();
    lines.join("\n") + "\n"
}
