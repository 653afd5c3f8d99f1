//! `*.test.yaml`: what a scenario file says. The format is described in the manual, “Testing a process”.

use indexmap::IndexMap;
use serde::Deserialize;
use tongban_expr::Value;

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
    /// Its results by task name.
    #[serde(default)]
    pub steps: Value,
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
    pub by: String,
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

/// What happens in a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Step {
    /// A person decides.
    Decide(Decide),
    /// A person fills in.
    Submit(Submit),
    /// A reviewer returns.
    Return(Return),
    /// A reviewer asks for a correction (补正).
    Correct(Correct),
    /// The applicant sends the form again.
    Resubmit(Resubmit),
    /// Somebody objects to a notice.
    Object(Object),
    /// A case is cancelled.
    Cancel(Cancel),
    /// An event arrives.
    Event(Value),
    /// Time goes by.
    Advance(Advance),
    /// Something holds now.
    Expect(Box<Expect>),
    /// A step that must be refused.
    Refuses(Box<Step>),
}

/// A decision.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// Which case.
    pub of: Option<String>,
    /// The step by path.
    pub step: String,
    /// The person.
    pub by: String,
    /// The outcome.
    pub outcome: String,
    /// The comment.
    pub comment: Option<String>,
    /// The code of the reason.
    pub reason: Option<String>,
    /// Changes of the form by path.
    #[serde(default)]
    pub change: IndexMap<String, Value>,
    /// `mail`, `console` or `api`.
    pub channel: Option<String>,
}

/// A filled-in form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submit {
    /// Which case.
    pub of: Option<String>,
    /// The step by path.
    pub step: String,
    /// The person.
    pub by: String,
    /// The whole data.
    pub data: Option<Value>,
    /// Or changes of what the form held.
    #[serde(default)]
    pub change: IndexMap<String, Value>,
    /// The outcome, when there are several.
    pub outcome: Option<String>,
    /// The comment.
    pub comment: Option<String>,
}

/// A return.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Return {
    /// Which case.
    pub of: Option<String>,
    /// The step that returns.
    pub step: String,
    /// The person.
    pub by: String,
    /// `applicant`, `previous` or a step.
    pub to: String,
    /// `direct` or `rerun`.
    pub resume: Option<String>,
    /// `keep` or `cancel`.
    pub siblings: Option<String>,
    /// Reasons by field.
    #[serde(default)]
    pub fields: IndexMap<String, String>,
    /// The comment.
    pub comment: Option<String>,
}

/// A correction list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correct {
    /// Which case.
    pub of: Option<String>,
    /// The step that asks.
    pub step: String,
    /// The person.
    pub by: String,
    /// What is to be corrected.
    pub items: Vec<CorrectItem>,
}

/// One line of a correction list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectItem {
    /// The field.
    pub field: String,
    /// What is asked.
    pub text: String,
}

/// The applicant sends the form again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resubmit {
    /// Which case.
    pub of: Option<String>,
    /// The person.
    pub by: String,
    /// Changes of the form by path.
    #[serde(default)]
    pub change: IndexMap<String, Value>,
}

/// An objection to a notice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Which case.
    pub of: Option<String>,
    /// The name of the new case.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// The person.
    pub by: String,
    /// The input.
    pub input: Value,
}

/// A cancellation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Which case.
    pub of: Option<String>,
    /// The person.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// How far the clock moves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Advance {
    /// To an instant.
    pub to: Option<String>,
    /// Working days of the site.
    pub working_days: Option<i64>,
    /// Calendar days.
    pub days: Option<i64>,
    /// Hours.
    pub hours: Option<i64>,
    /// Minutes.
    pub minutes: Option<i64>,
}

/// What holds; every member that is there must hold, objects and lists match in part.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expect {
    /// Which case.
    pub of: Option<String>,
    /// `waiting`, `completed`, `faulted`, `cancelled`, `suspended`.
    pub status: Option<String>,
    /// Members of the output.
    pub output: Option<Value>,
    /// Members of the error.
    pub error: Option<Value>,
    /// The public word for where the case stands.
    pub state: Option<String>,
    /// The open work items, all of them.
    pub open: Option<Vec<OpenItem>>,
    /// Clocks by name: `case`, or the path of a step.
    #[serde(default)]
    pub clocks: IndexMap<String, Value>,
    /// Tasks by path: `completed`, `skipped`, `faulted`, `not reached` …, or how often they were entered.
    #[serde(default)]
    pub tasks: IndexMap<String, Value>,
    /// Records that each register has among others.
    #[serde(default)]
    pub registers: IndexMap<String, Vec<Value>>,
    /// Mails that were written among others.
    #[serde(default)]
    pub mails: Vec<ExpectMail>,
    /// Cards that clocks gave.
    #[serde(default)]
    pub cards: Vec<ExpectCards>,
    /// Decisions that were taken among others.
    #[serde(default)]
    pub history: Vec<Value>,
    /// The start was refused, with faults in these fields.
    pub refused: Option<Vec<RefusedField>>,
    /// How many cases of each workflow were started.
    #[serde(default)]
    pub started: IndexMap<String, usize>,
    /// How many changes of the case were committed: the cost of what it did by itself.
    pub commits: Option<usize>,
    /// What the case waits for in others.
    pub waits_for: Option<Vec<WaitsFor>>,
    /// For a rule: the verdict.
    pub verdict: Option<String>,
    /// For a rule: rows of the trace among others.
    pub trace: Option<Vec<Value>>,
    /// For a rule: findings among others, or the whole result.
    pub result: Option<Value>,
}

/// An open work item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenItem {
    /// The step by path.
    pub step: String,
    /// Who may act, all of them.
    pub to: Option<Vec<String>>,
    /// The day on which it is due.
    pub due: Option<String>,
    /// Titles of what is shown.
    pub shows: Option<Vec<String>>,
    /// What the form holds, by path.
    #[serde(default)]
    pub prefilled: IndexMap<String, Value>,
}

/// A mail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectMail {
    /// The template.
    pub template: String,
    /// Who got it: persons, or `{unit: id}` for anybody of a unit.
    #[serde(default)]
    pub to: Vec<Value>,
    /// A part of its text.
    pub contains: Option<String>,
    /// Its language.
    pub language: Option<String>,
}

/// The cards of one clock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectCards {
    /// The clock.
    pub clock: String,
    /// The cards in the order in which they came.
    pub cards: Vec<String>,
}

/// A field of a refused start.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedField {
    /// Its path.
    pub field: String,
}

/// What a case waits for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitsFor {
    /// The other case.
    pub of: String,
    /// Its step.
    pub step: String,
}
