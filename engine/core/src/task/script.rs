//! `run` of a script: what it is given, and which of what it gave becomes the result.

use tongban_expr::{Scope, Value, value};

use crate::enter::Outcome;
use crate::error::{Error, ErrorKind};
use crate::evaluate::Moment;
use crate::frame::FrameId;
use crate::machine::Machine;
use crate::program::{ScriptGives, ScriptRun};

impl Machine<'_> {
    pub(crate) fn script(
        &mut self,
        id: FrameId,
        run: &ScriptRun,
        input: Value,
    ) -> Result<Outcome, Error> {
        if run.gives == ScriptGives::Input {
            // A script only computes: one that nobody awaits has nothing to do.
            return Ok(Outcome::Done(input, None));
        }
        let given = self.fill_entries(&run.with, &Moment::definition(id, &input))?;
        let scope = Scope {
            locals: given
                .entries()
                .map(|(name, value)| (name.to_string(), value.clone()))
                .collect(),
            ..self.rule_scope()
        };
        let budget = self.env.budget.clone().widened_for_scripts();
        let ended = run
            .script
            .run(input, &scope, &budget)
            .map_err(|fault| failed(run, &fault.message))?;
        result(run, &ended).map(|output| Outcome::Done(output, None))
    }
}

/// Chooses from the value, or the error, and what was printed.
fn result(run: &ScriptRun, ended: &Value) -> Result<Value, Error> {
    let part = |name: &str| ended.get(name).cloned().unwrap_or_default();
    let error = ended.text("error");
    let stderr = match (error, ended.text("stderr").unwrap_or_default()) {
        (None, written) => Value::from(written),
        (Some(error), "") => Value::from(error),
        (Some(error), written) => Value::from(format!("{written}\n{error}")),
    };
    let code = Value::Int(error.is_some().into());
    Ok(match (run.gives, error) {
        (ScriptGives::Code, _) => code,
        (ScriptGives::Stderr, _) => stderr,
        (ScriptGives::All, _) => {
            let stdout = match part("value") {
                Value::Null => part("stdout"),
                value => value,
            };
            value!({ "code": (code), "stdout": (stdout), "stderr": (stderr) })
        }
        (_, Some(error)) => return Err(failed(run, error)),
        (ScriptGives::Nothing, None) => Value::Null,
        (_, None) => match (part("value"), ended.text("stdout")) {
            (Value::Null, Some(printed)) if !printed.is_empty() => Value::from(printed),
            (value, _) => value,
        },
    })
}

/// A script is no runtime expression: what it throws, and what stops it, is an error of the runtime, as of every other
/// process.
fn failed(run: &ScriptRun, why: &str) -> Error {
    let detail = format!("{} failed: {why}", run.script.name());
    Error::new(ErrorKind::Runtime, detail)
}
