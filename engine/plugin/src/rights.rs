//! Who may read and write a register.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use crate::Starter;

/// What a right allows. Writing includes reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum May {
    /// See records.
    Read,
    /// See and change records.
    Write,
}

/// Whom a right is given to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Principal {
    /// Everybody who holds the role; `*` for everybody.
    Role(String),
    /// Every case of the workflow, `namespace/name`.
    Workflow(String),
    /// Every call of the function, for example `grant.issue`.
    Function(String),
}

/// The fields that a right shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fields {
    /// All fields.
    #[default]
    All,
    /// The named ones.
    Named(Vec<String>),
}

impl Fields {
    /// True when the field may be seen.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| name == field),
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            One(String),
            Many(Vec<String>),
        }
        match Form::deserialize(deserializer)? {
            Form::One(star) if star == "*" => Ok(Self::All),
            Form::One(other) => Err(de::Error::custom(format!(
                "`fields` is '*' or a list of names, found `{other}`"
            ))),
            Form::Many(names) => Ok(Self::Named(names)),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("*"),
            Self::Named(names) => names.serialize(serializer),
        }
    }
}

/// One line of a register's `rights`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisterRight {
    /// Role, workflow or function.
    #[serde(flatten)]
    pub principal: Principal,
    /// Read or write.
    pub may: May,
    /// The fields that it shows.
    #[serde(default)]
    pub fields: Fields,
    /// The rows that it shows: a field path and its value; `own-unit` stands for the reader's unit.
    #[serde(default, rename = "where", skip_serializing_if = "IndexMap::is_empty")]
    pub rows: IndexMap<String, Value>,
}

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// `namespace/name` of the workflow.
    pub workflow: &'a str,
    /// The function that is called.
    pub function: &'a str,
    /// Who started the case.
    pub starter: &'a Starter,
    /// Read or write.
    pub may: May,
}

impl RegisterRight {
    /// True when this line speaks of the asker and allows what is asked.
    #[must_use]
    pub fn covers(&self, demand: &Demand<'_>) -> bool {
        let who = match &self.principal {
            Principal::Workflow(workflow) => workflow == demand.workflow,
            Principal::Function(function) => function == demand.function,
            Principal::Role(role) if role == "*" => true,
            Principal::Role(role) => demand.starter.roles.contains(role),
        };
        who && self.may >= demand.may
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(formatter, "role {role}"),
            Self::Workflow(workflow) => write!(formatter, "workflow {workflow}"),
            Self::Function(function) => write!(formatter, "function {function}"),
        }
    }
}
