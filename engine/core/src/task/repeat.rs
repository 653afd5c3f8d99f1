//! `for`: the state holds the collection by reference and an index.

use tongban_expr::Value;

use crate::enter::Outcome;
use crate::error::{Error, ErrorKind};
use crate::evaluate::Moment;
use crate::frame::{FrameId, Line, State};
use crate::machine::Machine;
use crate::program::{Body, For};

impl Machine<'_> {
    pub(crate) fn start_loop(
        &mut self,
        id: FrameId,
        body: &For,
        input: Value,
    ) -> Result<Outcome, Error> {
        let items = self.eval_collection(&body.in_, &Moment::definition(id, &input))?;
        let items = match items {
            Value::Arr(_) => items,
            Value::Null => Value::list(Vec::new()),
            other => {
                let detail = format!("`for.in` gives {}; a list is needed", other.kind_name());
                return Err(Error::new(ErrorKind::Expression, detail));
            }
        };
        self.set_state(
            id,
            State::For {
                items: items.into(),
                index: 0,
                line: Line::of(body.scope),
            },
        );
        self.iterate(id, body, input)
    }

    /// One iteration is through: its output is the next one's input.
    pub(crate) fn next_iteration(&mut self, id: FrameId, output: Value) {
        let Body::For(body) = &self.task_of(id).body else {
            return;
        };
        if let Some(State::For { index, line, .. }) = self.instance.doing_mut(id) {
            *index += 1;
            *line = Line::of(body.scope);
        }
        match self.iterate(id, body, output) {
            Ok(Outcome::Done(output, next)) => self.complete(id, output, next),
            Ok(Outcome::Lives) => {}
            Err(error) => self.fault(id, error),
        }
    }

    /// Begins the iteration at the index, if there is one and `while` holds.
    fn iterate(&mut self, id: FrameId, body: &For, input: Value) -> Result<Outcome, Error> {
        let Some(State::For { items, index, .. }) = self.instance.doing(id) else {
            return Ok(Outcome::Done(input, None));
        };
        let there = usize::try_from(*index).is_ok_and(|index| index < items.get().len());
        if !there || self.program.scope(body.scope).tasks.is_empty() {
            return Ok(Outcome::Done(input, None));
        }
        if let Some(condition) = &body.while_
            && !self.holds(condition, &Moment::definition(id, &input))?
        {
            return Ok(Outcome::Done(input, None));
        }
        Ok(self.begin_list(id, body.scope, input))
    }
}
