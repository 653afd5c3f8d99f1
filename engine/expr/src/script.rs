//! Rule files: rhai with statements.

use std::sync::Arc;

use crate::rules::Rules;
use crate::sandbox::{self, Evaluator, Source};
use crate::{Budget, EvalError, Scope, SyntaxError, Value, deep, meter};

/// A compiled rule file or script: cheap to clone, shared between threads.
#[derive(Clone)]
pub struct Script(Arc<Compiled>);

struct Compiled {
    name: String,
    source: String,
    rules: Rules,
    /// Who runs it, when that is not done here.
    elsewhere: Option<(Arc<dyn Evaluator>, sandbox::Program)>,
}

impl Script {
    /// Compiles the text of a rule file; `name` stands in messages.
    ///
    /// # Errors
    /// Where and why it does not compile.
    pub fn compile(source: &str, name: &str) -> Result<Self, SyntaxError> {
        Ok(Self(Arc::new(Compiled {
            name: name.to_owned(),
            source: source.to_owned(),
            rules: Rules::compile(source)?,
            elsewhere: None,
        })))
    }

    /// As [`Script::compile`], to be run by `evaluator` if it takes scripts.
    ///
    /// # Errors
    /// As [`Script::compile`].
    pub fn compile_for(
        evaluator: &Arc<dyn Evaluator>,
        source: &str,
        name: &str,
    ) -> Result<Self, SyntaxError> {
        let Self(mut compiled) = Self::compile(source, name)?;
        let sent = Source::Script {
            name: name.to_owned(),
            text: source.to_owned(),
        };
        if evaluator.takes(&sent)
            && let Some(compiled) = Arc::get_mut(&mut compiled)
        {
            let program = sandbox::Program::new(sent, vec!["input".to_owned()]);
            compiled.elsewhere = Some((Arc::clone(evaluator), program));
        }
        Ok(Self(compiled))
    }

    /// Runs the script on `input` and gives the value of its last statement.
    /// Of `scope` it sees units, parameters and `sources_none` through
    /// functions, and no variable but `input`.
    ///
    /// A budget with at least 12 MiB of stack says that this thread has them,
    /// and the script runs here; with less it runs on a thread of its own,
    /// which takes some 50 microseconds.
    ///
    /// # Errors
    /// As [`crate::Expression::eval`].
    pub fn run(&self, input: Value, scope: &Scope, budget: &Budget) -> Result<Value, EvalError> {
        // Data of a script may nest some ten thousand levels before a limit
        // sees it, and is dropped recursively: that takes a large stack.
        const STACK_ENOUGH: usize = 12 << 20;
        let compiled = &self.0;
        if let Some((evaluator, program)) = &compiled.elsewhere {
            let scope = Scope {
                input,
                ..scope.clone()
            };
            let result = evaluator.evaluate(program, &scope, budget)?;
            return crate::expression::storable(result, budget);
        }
        let run = |budget: &Budget| {
            meter::limited(budget, || {
                compiled.rules.run(&compiled.source, input, scope)
            })
        };
        let result = if budget.stack_bytes >= STACK_ENOUGH {
            run(budget)
        } else {
            let budget = Budget {
                stack_bytes: deep::STACK_BYTES / 2,
                ..budget.clone()
            };
            let ran = deep::on_large_stack(|| run(&budget));
            ran.map_err(|error| EvalError::new(format!("the script was not run: {error}")))?
        };
        let result = result.map_err(|limit| EvalError::stopped(limit, budget))??;
        crate::expression::storable(result, budget)
    }

    /// Gives the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Gives the source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Script({:?})", self.0.name)
    }
}
