//! What a step is given besides the instance: the case's facts, the site's values, bounds.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tongban_expr::{Budget, NoUnits, Parameters, Units, Value};

/// What a step is given besides the instance. It must be the same for the same activation.
#[derive(Clone)]
pub struct Env {
    /// `{number, title, url, starter: {user, name, unit, identity}}`; the descriptor of the language
    /// (id, definition, input, startedAt, startedOn) is added here.
    pub workflow: Value,
    /// The runtime descriptor: `{name, version, metadata}`.
    pub runtime: Value,
    /// Dated parameters as of the case's start, as `Parameters::as_of` gives them.
    pub params: Value,
    /// The case that this one was started from, or null.
    pub link: Value,
    /// The organisation's tree.
    pub units: Arc<dyn Units>,
    /// All dated parameters, for rule files.
    pub parameters: Option<Arc<Parameters>>,
    /// What "no record" means by source of a rule.
    pub sources_none: Value,
    /// Nonce of the markers of secrets, one for each instance.
    pub secret_nonce: String,
    /// Secrets that the workflow names and the site does not have: to read one is an error.
    pub absent_secrets: Vec<String>,
    /// The site's zone: local dates, calendar months.
    pub zone: TimeZone,
    /// Bounds of one evaluation.
    pub budget: Budget,
}

impl Default for Env {
    fn default() -> Self {
        Self {
            workflow: Value::Null,
            runtime: Value::Null,
            params: Value::Null,
            link: Value::Null,
            units: Arc::new(NoUnits),
            parameters: None,
            sources_none: Value::Null,
            secret_nonce: String::new(),
            absent_secrets: Vec::new(),
            zone: TimeZone::UTC,
            budget: Budget::default(),
        }
    }
}
