//! One compiled expression, of either language.

use std::sync::Arc;

use crate::sandbox::{self, Evaluator, Source};
use crate::{
    Budget, EvalError, Language, Read, Scope, SyntaxError, Unstorable, Value, jq, meter, rules,
};

/// A compiled expression: cheap to clone, shared between threads.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    source: String,
    program: Program,
    /// Who evaluates it, when that is not done here.
    elsewhere: Option<(Arc<dyn Evaluator>, sandbox::Program)>,
}

enum Program {
    Jq(jq::Program),
    Rhai(rules::Program),
}

impl Expression {
    /// Compiles `source`, which may name the variables of [`Scope`] and
    /// `locals`.
    ///
    /// # Errors
    /// Where and why it does not compile.
    pub fn compile(language: Language, source: &str, locals: &[&str]) -> Result<Self, SyntaxError> {
        let program = match language {
            Language::Jq => Program::Jq(jq::Program::compile(source, locals)?),
            Language::Rhai => Program::Rhai(rules::Program::compile(source, locals)?),
        };
        Ok(Self(Arc::new(Compiled {
            source: source.to_owned(),
            program,
            elsewhere: None,
        })))
    }

    /// As [`Expression::compile`], to be evaluated by `evaluator` if it takes
    /// such programs.
    ///
    /// # Errors
    /// As [`Expression::compile`].
    pub fn compile_for(
        evaluator: &Arc<dyn Evaluator>,
        language: Language,
        source: &str,
        locals: &[&str],
    ) -> Result<Self, SyntaxError> {
        let Self(mut compiled) = Self::compile(language, source, locals)?;
        let sent = Source::Expression {
            language,
            text: source.to_owned(),
            locals: locals.iter().map(|&name| name.to_owned()).collect(),
        };
        if evaluator.takes(&sent)
            && let Some(compiled) = Arc::get_mut(&mut compiled)
        {
            let variables = match &compiled.program {
                Program::Jq(program) => program.variables(),
                Program::Rhai(program) => program.variables(),
            };
            let program = sandbox::Program::new(sent, variables.to_vec());
            compiled.elsewhere = Some((Arc::clone(evaluator), program));
        }
        Ok(Self(compiled))
    }

    /// Evaluates within `budget`. An expression of jq that gives nothing
    /// gives null; one that gives several values is an error.
    ///
    /// # Errors
    /// The language's own error, the limit that was hit, or a result that
    /// cannot be stored.
    pub fn eval(&self, scope: &Scope, budget: &Budget) -> Result<Value, EvalError> {
        if let Some((evaluator, program)) = &self.0.elsewhere {
            return storable(evaluator.evaluate(program, scope, budget)?, budget);
        }
        let result = meter::limited(budget, || match &self.0.program {
            Program::Jq(program) => program.run(scope),
            Program::Rhai(program) => program.run(scope),
        })
        .map_err(|limit| EvalError::stopped(limit, budget))??;
        storable(result, budget)
    }

    /// Gives the language.
    #[must_use]
    pub fn language(&self) -> Language {
        match self.0.program {
            Program::Jq(_) => Language::Jq,
            Program::Rhai(_) => Language::Rhai,
        }
    }

    /// Gives the source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Gives every variable that is read, in the order of the source.
    #[must_use]
    pub fn reads(&self) -> &[Read] {
        match &self.0.program {
            Program::Jq(program) => &program.reads,
            Program::Rhai(program) => &program.reads,
        }
    }

    /// Gives the names read through `steps.NAME`, each once.
    #[must_use]
    pub fn steps(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for read in self.reads().iter().filter(|read| read.root == "steps") {
            if let Some(part) = read.path.first()
                && !names.contains(&part.name.as_str())
            {
                names.push(&part.name);
            }
        }
        names
    }

    /// Tells whether secrets are read.
    #[must_use]
    pub fn reads_secrets(&self) -> bool {
        self.reads().iter().any(|read| read.root == "secrets")
    }
}

/// Lets a result pass that can be stored.
pub(crate) fn storable(result: Value, budget: &Budget) -> Result<Value, EvalError> {
    let weight_max = budget.weight;
    match result.storable_within(weight_max) {
        Ok(()) => Ok(result),
        Err(error) => Err(EvalError {
            message: error.to_string(),
            at: None,
            limit: matches!(error, Unstorable::Weight { .. }).then_some(meter::Limit::Weight),
        }),
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}({:?})", self.language(), self.0.source)
    }
}
