//! rhai: expressions and rule files on our values, within the meter.
//!
//! Two engines are built once per process: one for expressions, without
//! statements, loops and functions, and one for rule files.

mod dates;
mod eligibility;
mod engine;
mod host;
mod lists;
mod measured;
mod node;
mod numbers;
mod params;
mod places;
mod printed;
mod source;
mod texts;

pub(crate) use engine::GIVEN;
pub use measured::Measured;
pub use places::{Part as RulePart, Place as RulePlace};
use rhai::{AST, EvalAltResult};

use crate::{EvalError, Read, Scope, SyntaxError, Value, deep};

/// A compiled expression of rhai.
pub(crate) struct Program {
    tree: AST,
    source: String,
    /// The variables read, in no order.
    variables: Vec<String>,
    pub(crate) reads: Vec<Read>,
}

/// Longer expressions belong into a rule file.
const EXPRESSION_LENGTH_MAX: usize = 4 << 10;
/// Longer rule files belong into several.
const SCRIPT_LENGTH_MAX: usize = 256 << 10;

impl Program {
    pub(crate) fn compile(source: &str, locals: &[&str]) -> Result<Self, SyntaxError> {
        refuse_length(
            source,
            EXPRESSION_LENGTH_MAX,
            "put the work into a rule file",
        )?;
        source::refuse_unsafe(source, &source::PRINTING)?;
        let names = Scope::NAMES.iter().chain(locals);
        let known: Vec<&str> = names.copied().collect();
        let tree = deep::run(source.len(), || {
            engine::EXPRESSIONS.compile_expression_with_scope(&engine::declared(&known), source)
        })
        .map_err(|error| SyntaxError::no_thread(&error))?
        .map_err(|error| source::unparsed(source, &error, &known))?;
        let reads = source::reads(source);
        let variables = known
            .iter()
            .filter(|name| reads.iter().any(|read| read.root == **name))
            .map(|name| (*name).to_owned())
            .collect();
        Ok(Self {
            tree,
            source: source.to_owned(),
            variables,
            reads,
        })
    }

    /// The variables that it reads.
    pub(crate) fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Runs the expression; must be called within the meter.
    pub(crate) fn run(&self, scope: &Scope) -> Result<Value, EvalError> {
        let mut variables = rhai::Scope::with_capacity(self.variables.len());
        for name in &self.variables {
            let value = match name.as_str() {
                "params" => rhai::Dynamic::from(node::Params(scope.params.clone())),
                name => node::to_dynamic(scope.variable(name).cloned().unwrap_or_default()),
            };
            variables.push_constant_dynamic(name.as_str(), value);
        }
        let _host = host::Host::of(scope).enter();
        engine::EXPRESSIONS
            .eval_ast_with_scope::<rhai::Dynamic>(&mut variables, &self.tree)
            .and_then(node::from_dynamic)
            .map_err(|error| failed(&self.source, &error))
    }
}

/// A compiled rule file.
pub(crate) struct Rules {
    tree: AST,
}

impl Rules {
    pub(crate) fn compile(source: &str) -> Result<Self, SyntaxError> {
        refuse_length(source, SCRIPT_LENGTH_MAX, "divide the file")?;
        source::refuse_unsafe(source, &[])?;
        let known = &engine::GIVEN;
        let tree = deep::run(source.len(), || {
            engine::SCRIPTS.compile_with_scope(&engine::declared(known), source)
        })
        .map_err(|error| SyntaxError::no_thread(&error))?
        .map_err(|error| source::unparsed(source, &error, known))?;
        Ok(Self { tree })
    }

    /// Runs the file on `input`; must be called within the meter.
    pub(crate) fn run(
        &self,
        source: &str,
        input: Value,
        scope: &Scope,
    ) -> Result<Value, EvalError> {
        let mut variables = given(input, scope);
        let _host = host::Host::of(scope).enter();
        engine::SCRIPTS
            .eval_ast_with_scope::<rhai::Dynamic>(&mut variables, &self.tree)
            .and_then(node::from_dynamic)
            .map_err(|error| failed(source, &error))
    }

    /// As [`Rules::run`], with what the file printed: `{value, stdout, stderr}`. A file that throws gives `error` in
    /// the place of `value`.
    pub(crate) fn run_as_process(
        &self,
        source: &str,
        input: Value,
        scope: &Scope,
    ) -> Result<Value, EvalError> {
        let (result, printed) = printed::collected(|| self.run(source, input, scope));
        let end = match result {
            Ok(value) => ("value", value),
            Err(error) if error.limit.is_some() => return Err(error),
            Err(error) => ("error", Value::from(error.message)),
        };
        Ok(Value::object([
            end,
            ("stdout", Value::from(printed.output)),
            ("stderr", Value::from(printed.errors)),
        ]))
    }
}

/// The variables of a script.
fn given(input: Value, scope: &Scope) -> rhai::Scope<'static> {
    let mut variables = rhai::Scope::new();
    let mut input = Some(input);
    for name in engine::GIVEN {
        let value = match name {
            "input" => input.take().unwrap_or_default(),
            name => scope.variable(name).cloned().unwrap_or_else(|| match name {
                "arguments" => Value::list(Vec::new()),
                "environment" => Value::object::<&str, Value>([]),
                _ => Value::Null,
            }),
        };
        variables.push_constant_dynamic(name, node::to_dynamic(value));
    }
    variables
}

fn failed(source: &str, error: &EvalAltResult) -> EvalError {
    let (message, limit) = source::described(error);
    EvalError {
        message: crate::error::shortened(&message),
        at: source::place(source, error.position()),
        limit,
    }
}

fn refuse_length(source: &str, length_max: usize, help: &str) -> Result<(), SyntaxError> {
    if source.len() <= length_max {
        return Ok(());
    }
    Err(SyntaxError {
        message: format!(
            "the text has {} bytes, at most {length_max} are allowed",
            source.len()
        ),
        at: 0..source.len(),
        help: Some(help.to_owned()),
    })
}
