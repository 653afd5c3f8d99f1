//! Errors of tasks: problem details (RFC 9457) with the standard types of the language. They are
//! data: raised, caught, recorded and shown, never thrown through the engine.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

/// The base of the standard error types that are raised here.
pub const BASE: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

/// The other bases that were published for the same types; in `catch` they count as equal.
pub(crate) const OTHER_BASES: [&str; 2] = [
    "https://open-workflow-specification.org/spec/1.0.0/errors/",
    "https://serverlessworkflow.io/dsl/errors/types/",
];

/// The standard types, and `conflict` of our own (a guarded record changed under a write).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A setting is missing or wrong.
    Configuration,
    /// Data does not fit its schema.
    Validation,
    /// An expression failed.
    Expression,
    /// Who calls could not be told.
    Authentication,
    /// Who calls may not.
    Authorization,
    /// It took too long.
    Timeout,
    /// Another service failed.
    Communication,
    /// Anything else while running.
    Runtime,
    /// Somebody else changed the same record again and again.
    Conflict,
}

impl ErrorKind {
    /// The last part of the type, its title and its usual status.
    #[must_use]
    pub fn facts(self) -> (&'static str, &'static str, i64) {
        match self {
            ErrorKind::Configuration => ("configuration", "Configuration Error", 400),
            ErrorKind::Validation => ("validation", "Validation Error", 400),
            ErrorKind::Expression => ("expression", "Expression Error", 400),
            ErrorKind::Authentication => ("authentication", "Authentication Error", 401),
            ErrorKind::Authorization => ("authorization", "Authorization Error", 403),
            ErrorKind::Timeout => ("timeout", "Timeout Error", 408),
            ErrorKind::Communication => ("communication", "Communication Error", 500),
            ErrorKind::Runtime => ("runtime", "Runtime Error", 500),
            ErrorKind::Conflict => ("conflict", "Conflict", 409),
        }
    }

    /// The whole type, a URI.
    #[must_use]
    pub fn uri(self) -> String {
        format!("{BASE}{}", self.facts().0)
    }
}

/// An error of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// Its type, a URI.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// A short summary.
    pub title: String,
    /// The status, as HTTP has it where one fits.
    pub status: i64,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// JSON pointer of the task that raised it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Further members, an object, or null.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub extra: Value,
}

impl Error {
    /// A standard error with a detail. Its place is filled in when it is raised.
    #[must_use]
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        let (_, title, status) = kind.facts();
        Self {
            type_uri: kind.uri(),
            title: title.to_owned(),
            status,
            detail: Some(detail.into()),
            instance: None,
            extra: Value::Null,
        }
    }

    /// With its place, unless it has one.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        if self.instance.is_none() {
            self.instance = Some(pointer.to_owned());
        }
        self
    }

    /// As an error of the task that waited for it: a place in another workflow is none of this one and stands as
    /// `origin`, the innermost one.
    #[must_use]
    pub(crate) fn raised_elsewhere(mut self) -> Self {
        if let Some(origin) = self.instance.take()
            && self.extra.get("origin").is_none()
        {
            self.extra.set("origin", origin);
        }
        self
    }

    /// Whether it is of this standard type, under any of the published bases.
    #[must_use]
    pub fn is(&self, kind: ErrorKind) -> bool {
        same_type(&self.type_uri, &kind.uri())
    }

    /// The object that expressions and clients see.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = Value::object([
            ("type", Value::from(self.type_uri.as_str())),
            ("status", Value::from(self.status)),
            ("title", Value::from(self.title.as_str())),
        ]);
        if let Some(detail) = &self.detail {
            value.set("detail", detail.as_str());
        }
        if let Some(instance) = &self.instance {
            value.set("instance", instance.as_str());
        }
        for (key, member) in self.extra.entries() {
            if value.get(key).is_none() {
                value.set(key, member.clone());
            }
        }
        value
    }

    /// Reads a problem document; what is missing is filled as for a runtime error.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        let (_, title, status) = ErrorKind::Runtime.facts();
        let text = |key: &str| value.text(key).map(str::to_owned);
        let mut extra = Value::Null;
        for (key, member) in value.entries() {
            if !matches!(
                key.as_str(),
                "type" | "title" | "status" | "detail" | "instance"
            ) {
                extra.set(key, member.clone());
            }
        }
        Self {
            type_uri: text("type").unwrap_or_else(|| ErrorKind::Runtime.uri()),
            title: text("title").unwrap_or_else(|| title.to_owned()),
            status: value
                .get("status")
                .and_then(Value::as_i64)
                .unwrap_or(status),
            detail: text("detail"),
            instance: text("instance"),
            extra,
        }
    }
}

/// Whether two error types are the same, the published bases being equal.
pub(crate) fn same_type(left: &str, right: &str) -> bool {
    left == right || standard_name(left).is_some_and(|name| Some(name) == standard_name(right))
}

/// The last part of a standard type, under whichever published base it stands.
fn standard_name(uri: &str) -> Option<&str> {
    std::iter::once(BASE)
        .chain(OTHER_BASES)
        .find_map(|base| uri.strip_prefix(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_bases_are_equal_and_others_are_not() {
        for base in OTHER_BASES {
            assert!(same_type(
                &format!("{base}timeout"),
                &ErrorKind::Timeout.uri()
            ));
            assert!(!same_type(
                &format!("{base}timeout"),
                &ErrorKind::Runtime.uri()
            ));
        }
        assert!(!same_type(
            "https://example.org/errors/timeout",
            &ErrorKind::Timeout.uri()
        ));
        assert!(same_type(
            "https://example.org/mine",
            "https://example.org/mine"
        ));
    }

    #[test]
    fn a_problem_keeps_its_further_members() {
        let error = Error::from_value(&tongban_expr::value!({
            "type": "https://example.org/full", "status": 507, "title": "Full", "free": 12
        }));
        assert_eq!(error.extra.get("free").and_then(Value::as_i64), Some(12));
        assert_eq!(Error::from_value(&error.to_value()), error);
    }
}
