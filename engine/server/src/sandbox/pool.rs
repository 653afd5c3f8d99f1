//! The processes that evaluate, as many as threads evaluate at a time.

use std::path::PathBuf;
use std::time::Duration;

use parking_lot::Mutex;
use tongban_expr::sandbox::{Evaluator, Program, Source};
use tongban_expr::{Budget, EvalError, Language, Scope, Value};

use super::process::Process;

/// How long an evaluation may stay away when its budget says nothing of time.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the way there and back may take on top of the budget's time.
const SLACK: Duration = Duration::from_millis(500);

/// Processes that are free. An evaluation takes one, or starts one, and puts it back; one that died is not put back.
pub struct Pool {
    executable: PathBuf,
    takes_jq: bool,
    free: Mutex<Vec<Process>>,
}

impl Pool {
    /// A pool of children of this program.
    pub fn new(executable: PathBuf) -> Pool {
        Pool {
            executable,
            takes_jq: false,
            free: Mutex::default(),
        }
    }

    /// Expressions of jq go there, too. The meter sees every term of theirs, so that they are usually evaluated at home.
    #[must_use]
    pub fn with_jq(mut self) -> Pool {
        self.takes_jq = true;
        self
    }

    /// The ids of the processes that are free.
    pub fn ids(&self) -> Vec<u32> {
        self.free.lock().iter().map(Process::id).collect()
    }

    fn free(&self) -> Option<Process> {
        let mut free = self.free.lock();
        while let Some(mut process) = free.pop() {
            if process.lives() {
                return Some(process);
            }
        }
        None
    }
}

impl Evaluator for Pool {
    fn takes(&self, source: &Source) -> bool {
        match source {
            Source::Script { .. } => true,
            Source::Expression { language, .. } => *language == Language::Rhai || self.takes_jq,
        }
    }

    fn evaluate(
        &self,
        program: &Program,
        scope: &Scope,
        budget: &Budget,
    ) -> Result<Value, EvalError> {
        let failed = |why: &dyn std::fmt::Display| {
            EvalError::process(format!("the evaluation was stopped: {why}"))
        };
        let free = self.free();
        let started = free.map_or_else(|| Process::start(&self.executable), Ok);
        let mut process = started.map_err(|error| {
            tracing::error!(%error, "the sandbox cannot be started");
            failed(&format!("its process cannot be started: {error}"))
        })?;
        let patience = budget.time.as_ref().map_or(PATIENCE, |time| {
            Duration::from_millis(time.limit_ms) + SLACK
        });
        match process.evaluate(program, scope, budget, patience) {
            Ok(result) => {
                self.free.lock().push(process);
                result
            }
            Err(fault) => {
                tracing::warn!(process = process.id(), %fault, "an evaluation ended its process");
                Err(failed(&fault))
            }
        }
    }
}
