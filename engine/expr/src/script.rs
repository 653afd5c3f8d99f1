//! Rule files: rhai with statements.

use std::sync::Arc;

use crate::rules::{GIVEN, Rules};
use crate::sandbox::{self, Evaluator, Source};
use crate::{Budget, EvalError, Scope, SyntaxError, Value, deep, meter};

/// A compiled rule file or script: cheap to clone, shared between threads.
#[derive(Clone)]
pub struct Script(Arc<Compiled>);

struct Compiled {
    name: String,
    source: String,
    rules: Rules,
    /// Whether it gives what it printed, too.
    is_process: bool,
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
            is_process: false,
            elsewhere: None,
        })))
    }

    /// A script that is run as a process would be: [`Script::run`] gives
    /// `{value, stdout, stderr}`, with the lines that `print` and `debug` wrote,
    /// and `error` in the place of `value` when it threw.
    ///
    /// # Errors
    /// As [`Script::compile`].
    pub fn compile_process(
        evaluator: Option<&Arc<dyn Evaluator>>,
        source: &str,
        name: &str,
    ) -> Result<Self, SyntaxError> {
        let mut script = Self::compile(source, name)?;
        if let Some(compiled) = Arc::get_mut(&mut script.0) {
            compiled.is_process = true;
        }
        match evaluator {
            Some(evaluator) => Ok(script.handed_to(evaluator)),
            None => Ok(script),
        }
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
        Ok(Self::compile(source, name)?.handed_to(evaluator))
    }

    /// Lets `evaluator` run it, if it takes scripts.
    fn handed_to(self, evaluator: &Arc<dyn Evaluator>) -> Self {
        let Self(mut compiled) = self;
        let sent = Source::Script {
            name: compiled.name.clone(),
            text: compiled.source.clone(),
            is_process: compiled.is_process,
        };
        if evaluator.takes(&sent)
            && let Some(compiled) = Arc::get_mut(&mut compiled)
        {
            let given = GIVEN.iter().map(|&name| name.to_owned());
            let program = sandbox::Program::new(sent, given.collect());
            compiled.elsewhere = Some((Arc::clone(evaluator), program));
        }
        Self(compiled)
    }

    /// Runs the script on `input` and gives the value of its last statement.
    /// Of `scope` it sees units, parameters and `sources_none` through
    /// functions, and of the local variables `arguments`, `stdin` and
    /// `environment`.
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
                let rules = &compiled.rules;
                match compiled.is_process {
                    true => rules.run_as_process(&compiled.source, input, scope),
                    false => rules.run(&compiled.source, input, scope),
                }
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
