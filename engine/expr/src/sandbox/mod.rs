//! Evaluation in a child process: what crosses, and the pure part of both
//! sides.
//!
//! Scripts of packs that came through the API run in a process of their own,
//! bounded by the system. A [`Program`] that carries an [`Evaluator`] is not
//! evaluated here: its expression or script hands itself, the scope and the
//! budget over. The parent's [`Session`] knows what the child has already and
//! turns an evaluation into frames; the [`Child`] reads frames, compiles each
//! program once, evaluates and answers. Starting the process, bounding it and
//! moving the bytes within a time is the business of the server.
//!
//! A frame is the length of its JSON text in four bytes, most significant
//! first, and the text: integers keep their 64 bits and keys their order. The
//! organisation's tree does not cross: the child asks for a unit when a script
//! does.

mod child;
mod frame;
mod session;

use serde::{Deserialize, Serialize};

use crate::{Budget, EvalError, Language, Scope, Value};

pub use child::Child;
pub use frame::{FRAME_LENGTH_MAX, read_frame, write_frame};
pub use session::{Reply, Session};

/// Evaluates programs somewhere else.
pub trait Evaluator: Send + Sync {
    /// Whether programs of this kind are handed over; others are evaluated
    /// where they are.
    fn takes(&self, source: &Source) -> bool;

    /// Evaluates a program in a scope, within a budget.
    ///
    /// # Errors
    /// What the evaluation said, or [`crate::Limit::Process`] when the process
    /// ended or stayed silent.
    fn evaluate(
        &self,
        program: &Program,
        scope: &Scope,
        budget: &Budget,
    ) -> Result<Value, EvalError>;
}

/// A program as it crosses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Names it: what has the same digest is sent once.
    pub digest: String,
    /// What it is.
    pub source: Source,
    /// The variables that it reads.
    pub variables: Vec<String>,
}

impl Program {
    pub(crate) fn new(source: Source, variables: Vec<String>) -> Self {
        let text = serde_json::to_vec(&source).unwrap_or_default();
        Self {
            digest: blake3::hash(&text).to_hex().to_string(),
            source,
            variables,
        }
    }
}

/// What shall be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// An expression.
    Expression {
        /// Its language.
        language: Language,
        /// Its text.
        text: String,
        /// The local variables that it may name.
        locals: Vec<String>,
    },
    /// A rule file or script; it is run on the scope's `input`.
    Script {
        /// Its name, for messages.
        name: String,
        /// Its text.
        text: String,
        /// Whether it gives what it printed, too.
        #[serde(default)]
        is_process: bool,
    },
}

/// From the parent to the child.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Told {
    /// A program that evaluations name by its number.
    Program {
        /// The number.
        id: u64,
        /// The program.
        source: Source,
    },
    /// A value that evaluations name by its number.
    Keep {
        /// The number.
        id: u64,
        /// The value.
        value: Value,
    },
    /// Dated parameters that evaluations name by their number: the file, as
    /// [`crate::Parameters::from_value`] reads it.
    Parameters {
        /// The number.
        id: u64,
        /// The file.
        file: Value,
    },
    /// What has this number is not named any more.
    Drop {
        /// The number.
        id: u64,
    },
    /// Evaluate, and answer.
    Evaluate(Box<Evaluation>),
    /// The answer to what the child asked.
    Unit(Option<String>),
}

/// One evaluation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evaluation {
    /// The program's number.
    pub program: u64,
    /// jq's `.`.
    pub argument: Option<Given>,
    /// The variables that the program reads.
    pub variables: Vec<(String, Given)>,
    /// As [`Scope::params`], for the functions of rules.
    pub params: Given,
    /// As [`Scope::sources_none`].
    pub sources_none: Given,
    /// The number of the dated parameters.
    pub parameters: Option<u64>,
    /// As [`Budget::operations`].
    pub operations: u64,
    /// As [`Budget::weight`].
    pub weight: u64,
    /// As [`Budget::bytes`].
    pub bytes: u64,
    /// As [`Budget::heap_bytes`].
    pub heap_bytes: u64,
}

/// A value, or the number under which the child keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Given {
    /// The value.
    Value(Value),
    /// Its number.
    Kept(u64),
}

/// From the child to the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// The evaluation's value.
    Value(Value),
    /// The evaluation failed.
    Failed(EvalError),
    /// Which unit of this level is this unit or lies above it?
    Ancestor {
        /// The unit.
        unit: String,
        /// The level.
        level: String,
    },
    /// What is this unit called?
    Name {
        /// The unit.
        unit: String,
    },
}
