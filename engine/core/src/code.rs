//! Compiled expressions and the values that hold them.

use std::sync::Arc;

use tongban_dsl::Span;
use tongban_dsl::definition::Period;
use tongban_expr::{Expression, Value};

/// One compiled expression.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// `None`: a loosely evaluated text that is no expression and stands for itself.
    pub(crate) expression: Option<Expression>,
    /// Its text.
    pub(crate) text: Arc<str>,
    /// Whether a failure makes it stand for itself.
    pub(crate) loose: bool,
    /// Where it stands inside the task, such as `with.to[0].unit`.
    pub(crate) place: Arc<str>,
    /// Where it stands in the source.
    pub(crate) span: Span,
    /// Which of the fixed variables it reads.
    pub(crate) reads: Reads,
    /// The local variables that it reads.
    pub(crate) locals: Vec<Arc<str>>,
    /// The results that it reads: the name as written, the list that keeps it and its label there.
    pub(crate) steps: Vec<StepRead>,
}

/// A result that an expression reads.
#[derive(Debug, Clone)]
pub(crate) struct StepRead {
    pub(crate) name: Arc<str>,
    pub(crate) scope: u32,
    pub(crate) label: Arc<str>,
}

/// Which variables an expression reads, so that only these are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) task: bool,
    pub(crate) workflow: bool,
    pub(crate) secrets: bool,
    /// It reads nothing but its argument.
    pub(crate) argument_only: bool,
}

/// A value whose leaves may be expressions.
#[derive(Debug, Clone)]
pub(crate) enum Template {
    /// No expression in it.
    Constant(Value),
    /// An expression's value.
    Code(Box<Code>),
    /// A text with expressions in it.
    Text(Vec<Part>),
    /// A list.
    List(Vec<Template>),
    /// An object.
    Object(Vec<(Arc<str>, Template)>),
}

/// A part of an interpolated text.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Literal(Arc<str>),
    Code(Code),
}

impl Template {
    /// The entry of an object.
    pub(crate) fn get(&self, key: &str) -> Option<&Template> {
        match self {
            Template::Object(entries) => entries
                .iter()
                .find(|(name, _)| &**name == key)
                .map(|(_, entry)| entry),
            _ => None,
        }
    }

    /// The text, when it is one without an expression.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self {
            Template::Constant(value) => value.as_str(),
            _ => None,
        }
    }

    /// The literal text at a path of keys.
    pub(crate) fn literal_at(&self, path: &[&str]) -> Option<&str> {
        let mut here = self;
        for (depth, key) in path.iter().enumerate() {
            match here {
                Template::Constant(value) => {
                    let mut inner = value;
                    for key in path.get(depth..)? {
                        inner = inner.get(key)?;
                    }
                    return inner.as_str();
                }
                _ => here = here.get(key)?,
            }
        }
        here.literal()
    }
}

/// A length of time.
#[derive(Debug, Clone)]
pub(crate) enum Duration {
    Fixed(Period),
    Code(Box<Code>),
}
