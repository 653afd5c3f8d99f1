//! Evaluation in a child process: requests and responses as framed bytes, and
//! the pure part that answers one.
//!
//! Scripts of packs that came through the API run in a process of their own,
//! bounded by the system. The parent writes a [`Request`] and reads a
//! [`Response`]; the child's loop is read, [`handle`], write. Starting the
//! process and bounding it is the business of the server.
//!
//! A frame is the length of its JSON text in four bytes, most significant
//! first, and the text. The organisation's tree cannot cross: the parent
//! sends the answers to the questions that the source can ask in `units`.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Budget, EvalError, Expression, Language, Parameters, Scope, Script, SyntaxError, Units, Value,
};

/// A frame is at most so long: a value of 8 MiB and what stands around it,
/// escaped.
pub const FRAME_LENGTH_MAX: usize = 64 << 20;

/// What shall be evaluated.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    /// An expression.
    Expression {
        /// Its language.
        language: Language,
        /// Its text.
        text: String,
    },
    /// A rule file or script; it is run on the scope's `input`.
    Script {
        /// Its name, for messages.
        name: String,
        /// Its text.
        text: String,
    },
}

/// One evaluation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// What to evaluate.
    pub source: Source,
    /// What it sees.
    pub scope: Sent,
    /// Operations that it may use.
    pub operations: u64,
    /// Bytes that it may allocate.
    pub bytes: u64,
}

/// A scope as it crosses to the child.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sent {
    /// jq's `.`.
    pub argument: Option<Value>,
    /// The variables by name, those of [`Scope::NAMES`] and locals.
    pub variables: BTreeMap<String, Value>,
    /// The file of parameters, of the shape that [`Parameters::from_value`]
    /// reads.
    pub parameters: Option<Value>,
    /// As [`Scope::sources_none`].
    pub sources_none: Value,
    /// Ancestors by unit and level, names by unit under the level `name`.
    pub units: BTreeMap<String, BTreeMap<String, String>>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum Response {
    /// The value.
    Value {
        /// The value.
        value: Value,
    },
    /// The source does not compile.
    Syntax {
        /// Why.
        error: SyntaxError,
    },
    /// The evaluation failed.
    Failed {
        /// Why.
        error: EvalError,
    },
}

impl Response {
    /// Gives the value, or the error in one form.
    ///
    /// # Errors
    /// What the evaluation said; a source that does not compile says so in
    /// the message.
    pub fn into_result(self) -> Result<Value, EvalError> {
        match self {
            Self::Value { value } => Ok(value),
            Self::Failed { error } => Err(error),
            Self::Syntax { error } => Err(EvalError {
                message: error.message,
                at: Some(error.at),
                limit: None,
            }),
        }
    }
}

struct SentUnits(BTreeMap<String, BTreeMap<String, String>>);

impl Units for SentUnits {
    fn ancestor(&self, unit: &str, level: &str) -> Option<String> {
        self.0.get(unit)?.get(level).cloned()
    }

    fn name(&self, unit: &str) -> Option<String> {
        self.ancestor(unit, "name")
    }
}

/// Evaluates a request.
#[must_use]
pub fn handle(request: Request) -> Response {
    let budget = Budget {
        operations: request.operations,
        bytes: request.bytes,
        ..Budget::default()
    };
    let scope = match received(request.scope) {
        Ok(scope) => scope,
        Err(error) => return Response::Failed { error },
    };
    let evaluated = match &request.source {
        Source::Expression { language, text } => {
            let locals: Vec<&str> = scope.locals.iter().map(|(name, _)| name.as_str()).collect();
            match Expression::compile(*language, text, &locals) {
                Ok(expression) => expression.eval(&scope, &budget),
                Err(error) => return Response::Syntax { error },
            }
        }
        Source::Script { name, text } => match Script::compile(text, name) {
            Ok(script) => script.run(scope.input.clone(), &scope, &budget),
            Err(error) => return Response::Syntax { error },
        },
    };
    match evaluated {
        Ok(value) => Response::Value { value },
        Err(error) => Response::Failed { error },
    }
}

fn received(sent: Sent) -> Result<Scope, EvalError> {
    let parameters = match &sent.parameters {
        None => None,
        Some(file) => {
            let read = Parameters::from_value(file);
            Some(Arc::new(
                read.map_err(|error| EvalError::new(error.to_string()))?,
            ))
        }
    };
    let mut scope = Scope {
        argument: sent.argument,
        units: Arc::new(SentUnits(sent.units)),
        parameters,
        sources_none: sent.sources_none,
        ..Scope::default()
    };
    for (name, value) in sent.variables {
        match scope.fixed_mut(&name) {
            Some(place) => *place = value,
            None => scope.locals.push((name, value)),
        }
    }
    Ok(scope)
}

/// Writes a message as one frame.
///
/// # Errors
/// The writer's, or a message that is too long or cannot be written as JSON.
pub fn write_frame(out: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(message).map_err(io::Error::other)?;
    let length = u32::try_from(text.len())
        .ok()
        .filter(|_| text.len() <= FRAME_LENGTH_MAX)
        .ok_or_else(|| io::Error::other("the message is longer than 64 MiB"))?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&text)?;
    out.flush()
}

/// Reads one frame; `None` when the other side closed before it.
///
/// # Errors
/// The reader's, a frame that is too long or cut off, or a message of another
/// shape.
pub fn read_frame<T: for<'de> Deserialize<'de>>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    let mut have = 0;
    while let Some(rest) = length.get_mut(have..).filter(|rest| !rest.is_empty()) {
        match from.read(rest)? {
            0 if have == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => have += more,
        }
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > FRAME_LENGTH_MAX {
        return Err(io::Error::other("the frame is longer than 64 MiB"));
    }
    // The length is not trusted: memory grows with what really comes.
    let mut text = Vec::new();
    from.take(length as u64).read_to_end(&mut text)?;
    if text.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(io::Error::other)
}
