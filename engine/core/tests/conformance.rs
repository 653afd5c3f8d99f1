//! The conformance kit of the language, as far as it needs no network: the step function is driven
//! by nothing but its own effects.

mod runner;

use std::path::Path;

use gherkin::{Feature, GherkinEnv, Scenario};
use tongban_core::{Event, Instance, Record, RecordStatus, Status, step};
use tongban_expr::Value;

use crate::runner::surroundings::{Given, environment, program};

struct World {
    definition: String,
    input: Value,
    instance: Option<Instance>,
    records: Vec<Record>,
}

#[test]
fn every_feature_that_needs_no_network_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/conformance/serverless-workflow/ctk");
    let mut run = 0;
    for entry in std::fs::read_dir(folder).expect("the conformance kit") {
        let path = entry.expect("a file of the kit").path();
        let feature =
            Feature::parse_path(&path, GherkinEnv::default()).expect("a readable feature");
        for scenario in &feature.scenarios {
            run += usize::from(play(scenario));
        }
    }
    assert!(run >= 12, "only {run} scenarios were run");
}

/// Plays a scenario, unless it needs a network.
fn play(scenario: &Scenario) -> bool {
    let mut world = World {
        definition: String::new(),
        input: Value::object::<&str, Value>([]),
        instance: None,
        records: Vec::new(),
    };
    for given in &scenario.steps {
        let text = given.docstring.as_deref().map(document).unwrap_or_default();
        if text.contains("call: http") || text.contains("call: openapi") {
            return false;
        }
        world.take(&given.value, &text).unwrap_or_else(|fault| {
            unreachable!(
                "{}: {}: {fault}\n{}",
                scenario.name, given.value, world.definition
            )
        });
    }
    true
}

/// A doc string without its first line, which names the language.
fn document(text: &str) -> String {
    let text = text.trim_start_matches('\n');
    let rest = text.strip_prefix("yaml").unwrap_or(text);
    let rest = rest.trim_start_matches('\n');
    let indent = rest
        .lines()
        .find(|line| !line.trim().is_empty())
        .map_or(0, |line| line.len() - line.trim_start().len());
    rest.lines()
        .map(|line| line.get(indent..).unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

impl World {
    fn take(&mut self, words: &str, text: &str) -> Result<(), String> {
        let value = || {
            tongban_dsl::read_yaml(text)
                .0
                .ok_or_else(|| format!("no YAML: {text:?}"))
        };
        if words.contains("workflow with definition") {
            self.definition = text.to_owned();
        } else if words.contains("workflow input is") {
            self.input = value()?;
        } else if words.contains("workflow is executed") {
            self.execute()?;
        } else if words.contains("complete with output") {
            same(&value()?, self.ended(Status::Completed)?.output())?;
        } else if words.contains("should complete") {
            self.ended(Status::Completed)?;
        } else if words.contains("fault with error") {
            let instance = self.ended(Status::Faulted)?;
            same(&value()?, &instance.error().ok_or("no error")?.to_value())?;
        } else if words.contains("should fault") {
            self.ended(Status::Faulted)?;
        } else if words.contains("should run") {
            self.order(words)?;
        } else if words.contains("workflow output should have") {
            let expected = if text.is_empty() {
                None
            } else {
                Some(value()?)
            };
            self.properties(words, expected)?;
        } else {
            return Err("a step that is not understood".into());
        }
        Ok(())
    }

    fn execute(&mut self) -> Result<(), String> {
        let given = Given::usual();
        let program = program(&self.definition, &given)?;
        let env = environment(&Value::Null);
        let start = Event::Start {
            input: self.input.clone(),
        };
        let taken = step(&program, Instance::new("ctk"), start, &env, 0)
            .map_err(|refused| refused.to_string())?;
        self.records = taken.records;
        self.instance = Some(taken.instance);
        Ok(())
    }

    fn ended(&self, status: Status) -> Result<&Instance, String> {
        let instance = self.instance.as_ref().ok_or("it was not executed")?;
        if instance.status() == status {
            return Ok(instance);
        }
        Err(format!(
            "it is {:?}: {:?}",
            instance.status(),
            instance.error()
        ))
    }

    fn order(&self, words: &str) -> Result<(), String> {
        let started = self
            .records
            .iter()
            .filter(|record| record.status == RecordStatus::Started && !record.path.is_empty());
        let names: Vec<&str> = started.map(|record| record.path.as_str()).collect();
        let (name, rest) = words.split_once(" should run ").ok_or("no order")?;
        let at = |name: &str| {
            names
                .iter()
                .position(|known| *known == name)
                .ok_or_else(|| format!("{name} did not run"))
        };
        let right = match rest.strip_prefix("after ") {
            Some(other) => at(name)? == at(other.trim())? + 1,
            None if rest.trim() == "first" => at(name)? == 0,
            None => at(name)? + 1 == names.len(),
        };
        if right {
            Ok(())
        } else {
            Err(format!("they ran in the order {names:?}"))
        }
    }

    fn properties(&self, words: &str, expected: Option<Value>) -> Result<(), String> {
        let output = self.ended(Status::Completed)?.output();
        for path in words.split('\'').skip(1).step_by(2) {
            let found = output
                .at(path)
                .ok_or_else(|| format!("no {path:?} in {output}"))?;
            if let Some(expected) = &expected {
                same(expected, found)?;
            }
            if let Some((_, count)) = words.split_once("containing ") {
                let count: usize = count
                    .split(' ')
                    .next()
                    .and_then(|count| count.parse().ok())
                    .ok_or("no count")?;
                same(&Value::from(count), &Value::from(found.len()))?;
            }
        }
        Ok(())
    }
}

fn same(expected: &Value, found: &Value) -> Result<(), String> {
    if expected == found {
        Ok(())
    } else {
        Err(format!("expected {expected}, found {found}"))
    }
}
