//! What a function says about itself: name, kind, arguments, result.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;

/// When a function runs and what it promises (engine documentation, "Functions and effects").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// No effect; runs inside the activation, any number of times.
    Read,
    /// Rows in our own database that ride in the instance's own commit, exactly once.
    Write,
    /// Leaves the machine; performed at least once under one idempotency key.
    Act,
}

/// A title in the two languages of the face. A plain text stands for both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TitleForm")]
pub struct Title {
    /// Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// English.
    pub en: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TitleForm {
    Plain(String),
    Both {
        #[serde(rename = "zh-CN", alias = "zh", default)]
        zh: String,
        #[serde(default)]
        en: String,
    },
}

impl From<TitleForm> for Title {
    fn from(form: TitleForm) -> Self {
        match form {
            TitleForm::Plain(text) => Self {
                zh: text.clone(),
                en: text,
            },
            TitleForm::Both { zh, en } => Self { zh, en },
        }
    }
}

impl Title {
    /// Makes a title from both texts.
    #[must_use]
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// A function's public face: `check` reads it, the runtime dispatches on it.
#[derive(Debug, Clone)]
pub struct Signature {
    /// Name after `call:`, for example `register.get`.
    pub name: String,
    /// Read, write or act.
    pub kind: Kind,
    /// Title in Chinese and English.
    pub title: Title,
    /// JSON Schema (2020-12) of `with`.
    pub arguments: Value,
    /// JSON Schema (2020-12) of the result.
    pub result: Value,
    /// Names of arguments whose expressions the function evaluates itself, per item.
    pub late: Vec<String>,
    /// True when a call may read personal records, so that a purpose is asked for.
    pub personal: bool,
    /// One sentence for the manual.
    pub summary: String,
}

impl Signature {
    /// Makes a signature with empty schemas (`true` accepts anything) and no late arguments.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind, title: Title) -> Self {
        Self {
            name: name.into(),
            kind,
            title,
            arguments: Value::Bool(true),
            result: Value::Bool(true),
            late: Vec::new(),
            personal: false,
            summary: String::new(),
        }
    }

    /// Sets the schema of `with`.
    #[must_use]
    pub fn arguments(mut self, schema: Value) -> Self {
        self.arguments = schema;
        self
    }

    /// Sets the schema of the result.
    #[must_use]
    pub fn result(mut self, schema: Value) -> Self {
        self.result = schema;
        self
    }

    /// Marks the function as one that may read personal records.
    #[must_use]
    pub fn personal(mut self) -> Self {
        self.personal = true;
        self
    }

    /// Sets the sentence for the manual.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }
}
