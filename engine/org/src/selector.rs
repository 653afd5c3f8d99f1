//! Selectors: how an author names the people of a step.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tongban_expr::Value;

/// One selector. A list of units in the source gives one selector each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Selector {
    /// Whoever started the case.
    Applicant,
    /// One person.
    User(String),
    /// Holders of a role, in one unit or anywhere.
    Role {
        /// The role.
        role: String,
        /// The unit; none means every unit.
        unit: Option<String>,
    },
    /// Holders of a post in a unit.
    Post {
        /// The post.
        post: String,
        /// The unit.
        unit: String,
    },
    /// The heads of a unit.
    Head(String),
    /// Everybody who belongs to a unit.
    Members(String),
    /// The members of a group.
    Group(String),
    /// The person with an identity number.
    Identity(String),
    /// One selector for each unit on the way upwards, both ends included.
    Chain {
        /// The unit at the lower end.
        from: String,
        /// A unit's id or a level; none means to the top.
        until: Option<String>,
        /// The role; none means the heads.
        role: Option<String>,
    },
    /// Whom a person chose, within what the author allows.
    ChosenBy {
        /// Who chooses: `applicant` or a step.
        who: String,
        /// Who may be chosen.
        among: Vec<Selector>,
    },
    /// Whoever decided a step, for `except`.
    Decided {
        /// The step's path.
        step: String,
        /// The number of another case.
        of: Option<String>,
    },
    /// The people of a level who are late in a batch; the runtime knows them.
    Late(String),
    /// A selector with a weight, for weighted votes.
    Weighted {
        /// The weight of each person.
        weight: u32,
        /// Who has it.
        selector: Box<Selector>,
    },
    /// A selector whose unit came out as null: it selects nobody.
    Nobody(String),
}

/// A selector that cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected a selector ({expected}), found {found}")]
pub struct SelectorError {
    expected: &'static str,
    found: String,
}

const KINDS: &str = "applicant, or an object with one of user, role, post, head, members, group, identity, chain, chosenBy";

impl Selector {
    /// Reads the value of `to`: one selector or a list of them. Units given as
    /// a list are expanded to one selector each.
    ///
    /// # Errors
    /// [`SelectorError`] names what was expected and what was found.
    pub fn parse_list(value: &Value) -> Result<Vec<Self>, SelectorError> {
        let mut found = Vec::new();
        match value.as_list() {
            Some(items) => {
                for item in items {
                    found.extend(Self::parse(item)?);
                }
            }
            None if value.is_null() => {}
            None => found.extend(Self::parse(value)?),
        }
        Ok(found)
    }

    /// Reads one selector, which may expand to several.
    ///
    /// # Errors
    /// [`SelectorError`].
    pub fn parse(value: &Value) -> Result<Vec<Self>, SelectorError> {
        if value.as_str() == Some("applicant") {
            return Ok(vec![Self::Applicant]);
        }
        let plain = Self::parse_kind(value)?;
        let Some(weight) = value.get("weight").and_then(Value::as_i64) else {
            return Ok(plain);
        };
        let weight = u32::try_from(weight).map_err(|_| wrong("a weight of 0 or more", value))?;
        Ok(plain
            .into_iter()
            .map(|selector| Self::Weighted {
                weight,
                selector: Box::new(selector),
            })
            .collect())
    }

    fn parse_kind(value: &Value) -> Result<Vec<Self>, SelectorError> {
        let each = |key: &str, make: fn(String) -> Self| {
            value.get(key).map(|found| names(found, value, make))
        };
        if let Some(role) = value.text("role") {
            return match value.get("unit") {
                None => Ok(vec![Self::Role {
                    role: role.to_owned(),
                    unit: None,
                }]),
                Some(unit) => names(unit, value, |unit| Self::Role {
                    role: role.to_owned(),
                    unit: Some(unit),
                }),
            };
        }
        if let Some(post) = value.text("post") {
            let unit = value
                .get("unit")
                .ok_or_else(|| wrong("a post has a unit", value))?;
            return names(unit, value, |unit| Self::Post {
                post: post.to_owned(),
                unit,
            });
        }
        if let Some(chain) = value.get("chain") {
            return Self::parse_chain(chain, value);
        }
        if let Some(who) = value.text("chosenBy") {
            let among = Self::parse_list(value.get("among").unwrap_or(&Value::Null))?;
            return Ok(vec![Self::ChosenBy {
                who: who.to_owned(),
                among,
            }]);
        }
        if let Some(step) = value.text("decided") {
            let of = value.text("of").map(str::to_owned);
            return Ok(vec![Self::Decided {
                step: step.to_owned(),
                of,
            }]);
        }
        each("user", Self::User)
            .or_else(|| each("head", Self::Head))
            .or_else(|| each("members", Self::Members))
            .or_else(|| each("unit", Self::Members))
            .or_else(|| each("group", Self::Group))
            .or_else(|| each("identity", Self::Identity))
            .or_else(|| each("late", Self::Late))
            .unwrap_or_else(|| Err(wrong(KINDS, value)))
    }

    fn parse_chain(chain: &Value, whole: &Value) -> Result<Vec<Self>, SelectorError> {
        let text = |key: &str| chain.text(key).map(str::to_owned);
        let (until, role) = (text("until"), text("role"));
        match chain.get("from") {
            Some(from) => names(from, whole, |from| Self::Chain {
                from,
                until: until.clone(),
                role: role.clone(),
            }),
            None => Err(wrong("a chain has `from`, `until` and `role`", whole)),
        }
    }

    /// The selector without its weight, and the weight (1 when none is given).
    pub fn weighed(&self) -> (&Self, u32) {
        match self {
            Self::Weighted { weight, selector } => (selector, *weight),
            other => (other, 1),
        }
    }
}

fn names(
    found: &Value,
    whole: &Value,
    make: impl Fn(String) -> Selector,
) -> Result<Vec<Selector>, SelectorError> {
    if let Some(name) = found.as_str() {
        return Ok(vec![make(name.to_owned())]);
    }
    if found.is_null() {
        return Ok(vec![Selector::Nobody(whole.to_json())]);
    }
    let items = found
        .as_list()
        .ok_or_else(|| wrong("a name or a list of names", whole))?;
    let mut selectors = Vec::with_capacity(items.len());
    for item in items {
        let name = item
            .as_str()
            .ok_or_else(|| wrong("a name or a list of names", whole))?;
        let next = make(name.to_owned());
        if !selectors.contains(&next) {
            selectors.push(next);
        }
    }
    Ok(selectors)
}

fn wrong(expected: &'static str, found: &Value) -> SelectorError {
    SelectorError {
        expected,
        found: found.to_json(),
    }
}
