//! The parent's side: what a child knows already, and the frames of one
//! evaluation.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::{Evaluation, Given, Program, Said, Source, Told, read_frame, write_frame};
use crate::{Budget, EvalError, Parameters, Scope, Value};

/// Programs that a child keeps at most.
const PROGRAMS_MAX: usize = 500;
/// Large values and files of parameters that it keeps at most.
const KEPT_MAX: usize = 8;
/// Lighter values are sent with each evaluation.
const KEPT_FROM: u64 = 512;

/// What one child has been told.
#[derive(Default)]
pub struct Session {
    next: u64,
    /// The last used at the end.
    programs: VecDeque<(String, u64)>,
    /// The last used at the end. It holds them, so that none is mistaken for
    /// another that has its place in memory now.
    kept: VecDeque<(Kept, u64)>,
}

enum Kept {
    Value(Value),
    Parameters(Arc<Parameters>),
}

/// What follows from what the child said.
pub enum Reply {
    /// It asked: these bytes are its answer.
    More(Vec<u8>),
    /// It is through.
    Done(Result<Value, EvalError>),
}

impl Session {
    /// The frames of one evaluation: what the child has not got yet, and the
    /// evaluation itself.
    ///
    /// # Errors
    /// A value that is too large for a frame.
    pub fn ask(
        &mut self,
        program: &Program,
        scope: &Scope,
        budget: &Budget,
    ) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let is_jq = matches!(
            program.source,
            Source::Expression {
                language: crate::Language::Jq,
                ..
            }
        );
        // Of the rest only the functions of rule files and `params.basis` speak.
        let params = if is_jq { &Value::Null } else { &scope.params };
        let parameters = match (&program.source, &scope.parameters) {
            (Source::Script { .. }, Some(parameters)) => {
                Some(self.parameters(parameters, &mut out)?)
            }
            _ => None,
        };
        let argument = match is_jq {
            true => Some(self.given(scope.argument(), &mut out)?),
            false => None,
        };
        let mut variables = Vec::with_capacity(program.variables.len());
        for name in &program.variables {
            if let Some(value) = scope.variable(name) {
                variables.push((name.clone(), self.given(value, &mut out)?));
            }
        }
        let evaluation = Evaluation {
            program: self.program(program, &mut out)?,
            argument,
            variables,
            params: self.given(params, &mut out)?,
            sources_none: self.given(&scope.sources_none, &mut out)?,
            parameters,
            operations: budget.operations,
            weight: budget.weight,
            bytes: budget.bytes,
            heap_bytes: budget.heap_bytes,
        };
        write_frame(&mut out, &Told::Evaluate(Box::new(evaluation)))?;
        Ok(out)
    }

    /// Takes a frame of the child's.
    ///
    /// # Errors
    /// It is no message.
    pub fn take(&self, mut frame: &[u8], scope: &Scope) -> io::Result<Reply> {
        let said = read_frame::<Said>(&mut frame)?;
        let unit = match said.ok_or(io::ErrorKind::UnexpectedEof)? {
            Said::Value(value) => return Ok(Reply::Done(Ok(value))),
            Said::Failed(error) => return Ok(Reply::Done(Err(error))),
            Said::Ancestor { unit, level } => scope.units.ancestor(&unit, &level),
            Said::Name { unit } => scope.units.name(&unit),
        };
        let mut out = Vec::new();
        write_frame(&mut out, &Told::Unit(unit))?;
        Ok(Reply::More(out))
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn program(&mut self, program: &Program, out: &mut Vec<u8>) -> io::Result<u64> {
        let known = self
            .programs
            .iter()
            .position(|(digest, _)| *digest == program.digest);
        if let Some(entry) = known.and_then(|place| self.programs.remove(place)) {
            let id = entry.1;
            self.programs.push_back(entry);
            return Ok(id);
        }
        if self.programs.len() >= PROGRAMS_MAX
            && let Some((_, id)) = self.programs.pop_front()
        {
            write_frame(out, &Told::Drop { id })?;
        }
        let id = self.number();
        let source = program.source.clone();
        write_frame(out, &Told::Program { id, source })?;
        self.programs.push_back((program.digest.clone(), id));
        Ok(id)
    }

    fn given(&mut self, value: &Value, out: &mut Vec<u8>) -> io::Result<Given> {
        if value.weight() < KEPT_FROM {
            return Ok(Given::Value(value.clone()));
        }
        let same = |kept: &Kept| matches!(kept, Kept::Value(kept) if is_same(kept, value));
        if let Some(id) = self.known(same) {
            return Ok(Given::Kept(id));
        }
        let id = self.keep(Kept::Value(value.clone()), out)?;
        let value = value.clone();
        write_frame(out, &Told::Keep { id, value })?;
        Ok(Given::Kept(id))
    }

    fn parameters(&mut self, parameters: &Arc<Parameters>, out: &mut Vec<u8>) -> io::Result<u64> {
        let same =
            |kept: &Kept| matches!(kept, Kept::Parameters(kept) if Arc::ptr_eq(kept, parameters));
        if let Some(id) = self.known(same) {
            return Ok(id);
        }
        let id = self.keep(Kept::Parameters(Arc::clone(parameters)), out)?;
        let file = parameters.to_value();
        write_frame(out, &Told::Parameters { id, file })?;
        Ok(id)
    }

    fn known(&mut self, same: impl Fn(&Kept) -> bool) -> Option<u64> {
        let place = self.kept.iter().position(|(kept, _)| same(kept))?;
        let entry = self.kept.remove(place)?;
        let id = entry.1;
        self.kept.push_back(entry);
        Some(id)
    }

    fn keep(&mut self, kept: Kept, out: &mut Vec<u8>) -> io::Result<u64> {
        if self.kept.len() >= KEPT_MAX
            && let Some((_, id)) = self.kept.pop_front()
        {
            write_frame(out, &Told::Drop { id })?;
        }
        let id = self.number();
        self.kept.push_back((kept, id));
        Ok(id)
    }
}

/// Whether both are one value, not only equal ones.
fn is_same(x: &Value, y: &Value) -> bool {
    match (x, y) {
        (Value::Arr(x), Value::Arr(y)) => Arc::ptr_eq(x, y),
        (Value::Obj(x), Value::Obj(y)) => Arc::ptr_eq(x, y),
        (Value::Str(x), Value::Str(y)) => std::ptr::eq(x.as_str(), y.as_str()),
        _ => false,
    }
}
