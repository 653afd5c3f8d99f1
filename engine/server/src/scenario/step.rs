//! The steps of a scenario: what people do, what arrives, how the clock moves.

use indexmap::IndexMap;
use serde::Deserialize;
use tongban_expr::Value;

use super::expected::Expect;

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
    pub by: Who,
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
    pub by: Who,
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
    pub by: Who,
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
    pub by: Who,
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
    pub by: Who,
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
    pub by: Who,
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
    pub by: Who,
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
    /// Working hours of the site.
    pub working_hours: Option<i64>,
    /// Calendar days.
    pub days: Option<i64>,
    /// Hours.
    pub hours: Option<i64>,
    /// Minutes.
    pub minutes: Option<i64>,
    /// Seconds.
    pub seconds: Option<i64>,
}

/// A length of calendar time: its members are added.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Days.
    #[serde(default)]
    pub days: i64,
    /// Hours.
    #[serde(default)]
    pub hours: i64,
    /// Minutes.
    #[serde(default)]
    pub minutes: i64,
    /// Seconds.
    #[serde(default)]
    pub seconds: i64,
}

impl Span {
    /// In milliseconds.
    pub fn millis(self) -> i64 {
        let hours = self.days.saturating_mul(24).saturating_add(self.hours);
        let minutes = hours.saturating_mul(60).saturating_add(self.minutes);
        let seconds = minutes.saturating_mul(60).saturating_add(self.seconds);
        seconds.saturating_mul(1000)
    }
}

/// Who does something: a person, or somebody who holds a role, a post or an office.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// A person's id, or `system`.
    Person(String),
    /// Whoever holds a role, of one unit or of any.
    Role {
        /// The role.
        role: String,
        /// The unit.
        unit: Option<String>,
    },
    /// Whoever has a post of a unit.
    Post {
        /// The post.
        post: String,
        /// The unit.
        unit: String,
    },
    /// Whoever leads a unit.
    Head(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    role: Option<String>,
    post: Option<String>,
    unit: Option<String>,
    head: Option<String>,
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Who, D::Error> {
        use serde::de::Error as _;
        let value = serde_json::Value::deserialize(deserializer)?;
        if let Some(id) = value.as_str() {
            return Ok(Who::Person(id.to_string()));
        }
        let described: Described = serde_json::from_value(value).map_err(D::Error::custom)?;
        match described {
            Described {
                role: Some(role),
                post: None,
                unit,
                head: None,
            } => Ok(Who::Role { role, unit }),
            Described {
                role: None,
                post: Some(post),
                unit: Some(unit),
                head: None,
            } => Ok(Who::Post { post, unit }),
            Described {
                role: None,
                post: None,
                unit: None,
                head: Some(head),
            } => Ok(Who::Head(head)),
            _ => Err(D::Error::custom(
                "expected a person's id, or one of { role, unit? }, { post, unit }, { head }",
            )),
        }
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Who::Person(id) => f.write_str(id),
            Who::Role { role, unit: None } => write!(f, "role {role}"),
            Who::Role {
                role,
                unit: Some(unit),
            } => write!(f, "role {role} of {unit}"),
            Who::Post { post, unit } => write!(f, "post {post} of {unit}"),
            Who::Head(unit) => write!(f, "head of {unit}"),
        }
    }
}
