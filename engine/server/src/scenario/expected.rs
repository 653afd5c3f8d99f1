//! What a scenario expects.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tongban_expr::Value;

/// What holds; every member that is there must hold, objects and lists match in part. An empty list says that there is
/// nothing of the kind.
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
    pub clocks: IndexMap<String, IndexMap<ClockMember, Value>>,
    /// Tasks by path: `completed`, `skipped`, `faulted`, `not reached` …, or how often they were entered.
    #[serde(default)]
    pub tasks: IndexMap<String, Value>,
    /// Records that each register has among others; none at all when the list is empty.
    #[serde(default)]
    pub registers: IndexMap<String, Vec<Value>>,
    /// Mails that were written among others.
    pub mails: Option<Vec<ExpectMail>>,
    /// Cards that clocks gave.
    pub cards: Option<Vec<ExpectCards>>,
    /// Decisions that were taken among others.
    pub history: Option<Vec<Value>>,
    /// The start was refused.
    pub refused: Option<Refused>,
    /// How many cases of each workflow were started.
    #[serde(default)]
    pub started: IndexMap<String, usize>,
    /// Search fields of the case.
    #[serde(default)]
    pub search: IndexMap<String, Value>,
    /// Cases that the case started among others: `workflow`, `status`, `number`, `outcome` …
    pub children: Option<Vec<Value>>,
    /// CloudEvents that came or went among others.
    pub events: Option<Vec<Value>>,
    /// Calls of functions: how often, with which arguments.
    pub calls: Option<Vec<ExpectCall>>,
    /// How many changes of the case were committed: the cost of what it did by itself.
    pub commits: Option<usize>,
    /// What the case waits for in others.
    pub waits_for: Option<Vec<WaitsFor>>,
    /// For a rule: the verdict.
    pub verdict: Option<String>,
    /// Rows of the trace among others: of the rule, or of the rules that the case ran.
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

/// What is known of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ClockMember {
    /// The day or the moment by which it is due.
    Due,
    /// Whether time counts now.
    Running,
    /// Whether it has ended.
    Closed,
    /// Why it stands still.
    Ground,
    /// The time that was used.
    Used,
    /// The cards that it gave.
    Cards,
    /// Whether it crosses a year whose calendar is not published.
    Provisional,
    /// Whether it is late.
    Overdue,
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

/// Why a start was refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Refused {
    /// Because of these fields; it was accepted when there are none.
    Fields(Vec<RefusedField>),
    /// A part of what is said about it.
    Says(String),
}

impl Refused {
    /// Whether the start is to be accepted.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Refused::Fields(fields) if fields.is_empty())
    }

    /// The fields.
    pub fn fields(&self) -> &[RefusedField] {
        match self {
            Refused::Fields(fields) => fields,
            Refused::Says(_) => &[],
        }
    }
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

/// Calls of a function.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectCall {
    /// The function.
    pub call: String,
    /// Arguments that the call has among others.
    #[serde(default)]
    pub with: Value,
    /// How often; at least once when absent.
    pub times: Option<usize>,
}
