//! `*.test.yaml`: what a scenario file says. The format is described in the manual, “Testing a process”.

use indexmap::IndexMap;
use serde::Deserialize;
use tongban_expr::Value;

use super::expected::Expect;
use super::step::{Span, Step, Who};

/// One scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// `namespace/name` of the workflow under test.
    pub workflow: Option<String>,
    /// Or one rule file: `housing/rules/eligibility.rhai`.
    pub rule: Option<String>,
    /// The instant at which every scenario begins, ISO 8601 with an offset.
    pub now: Option<String>,
    /// What is there before the first step.
    #[serde(default)]
    pub given: Given,
    /// The start that scenarios without their own use.
    pub start: Option<OneOrMany<Start>>,
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
}

/// Registers and cases that exist before.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The organisation instead of the site's: a file of the pack, or what `config/organisation.yaml` would say.
    pub organisation: Option<Value>,
    /// Packs whose sample records are loaded.
    #[serde(default)]
    pub samples: Vec<String>,
    /// Records by register.
    #[serde(default)]
    pub registers: IndexMap<String, Vec<Value>>,
    /// Ended cases that others refer to.
    #[serde(default)]
    pub cases: Vec<GivenCase>,
}

impl Given {
    /// The samples of the pack of the workflow under test.
    pub fn samples_of(file: &ScenarioFile) -> Given {
        let pack = file
            .workflow
            .as_deref()
            .and_then(|workflow| workflow.split_once('/'));
        Given {
            samples: pack.map(|(pack, _)| pack.to_string()).into_iter().collect(),
            ..Given::default()
        }
    }
}

/// A case that exists before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenCase {
    /// Its number.
    pub number: String,
    /// Its workflow.
    pub workflow: String,
    /// Who started it.
    #[serde(default)]
    pub starter: GivenStarter,
    /// Its outcome.
    pub outcome: String,
    /// Its form.
    #[serde(default)]
    pub form: Value,
    /// Its results by task name; a case that is opened again goes on with them.
    #[serde(default)]
    pub steps: Value,
    /// Steps at which it was, besides those at which the workflow under test opens it again.
    #[serde(default)]
    pub passed: Vec<String>,
}

/// The starter of a given case.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenStarter {
    /// The person.
    #[serde(default)]
    pub user: String,
    /// The unit.
    #[serde(default)]
    pub unit: String,
}

/// One thing or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// Many.
    Many(Vec<T>),
}

impl<T: Clone> OneOrMany<T> {
    /// As a list.
    pub fn list(&self) -> Vec<T> {
        match self {
            OneOrMany::One(one) => vec![one.clone()],
            OneOrMany::Many(many) => many.clone(),
        }
    }
}

/// How a case is started.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The name by which steps refer to it, when there are several.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// The person, or `system`.
    pub by: Who,
    /// The input.
    #[serde(default)]
    pub input: Value,
    /// Changes of the input by path.
    #[serde(default)]
    pub change: IndexMap<String, Value>,
    /// The number of the case that it is started from.
    pub link: Option<String>,
}

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its title.
    pub test: String,
    /// Its own start.
    pub start: Option<OneOrMany<Start>>,
    /// For a rule: the input.
    #[serde(default)]
    pub input: Value,
    /// For a rule: changes of the input by path.
    #[serde(default)]
    pub change: IndexMap<String, Value>,
    /// Records that only this scenario has.
    #[serde(default)]
    pub registers: IndexMap<String, Vec<Value>>,
    /// More that only this scenario has.
    #[serde(default)]
    pub given: Given,
    /// Functions and workflows that are played.
    #[serde(default)]
    pub mocks: Vec<Mock>,
    /// What people do and the clock does.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What holds at the end.
    #[serde(default)]
    pub expect: Expect,
}

/// A played function or workflow.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mock {
    /// The function.
    pub call: Option<String>,
    /// Arguments that a call must have to be played; the others are not.
    #[serde(default)]
    pub with: Value,
    /// The workflow.
    pub workflow: Option<String>,
    /// How many calls it answers; the next mock that fits answers the others. All of them when absent.
    pub times: Option<u32>,
    /// How long the answer takes; an act whose task does not wait so long gets it late.
    pub after: Option<Span>,
    /// Its result.
    pub output: Option<Value>,
    /// Or its error: `type` (a standard name or a URI), `status`, `title`, `detail`.
    pub error: Option<MockError>,
}

/// The error that a mock gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MockError {
    /// `communication`, `timeout` … or a URI.
    #[serde(rename = "type")]
    pub kind: String,
    /// HTTP-like status.
    pub status: i64,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub detail: Option<String>,
}
