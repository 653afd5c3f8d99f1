//! `set`, `switch`, `raise` and `wait`.

use std::sync::Arc;

use tongban_expr::Value;

use crate::code::{Duration, Template, as_text};
use crate::enter::Outcome;
use crate::error::{Error, ErrorKind};
use crate::evaluate::Moment;
use crate::frame::{FrameId, State};
use crate::machine::Machine;
use crate::program::{Raise, SwitchCase};

impl Machine<'_> {
    pub(crate) fn set(
        &mut self,
        id: FrameId,
        template: &Template,
        input: &Value,
    ) -> Result<Outcome, Error> {
        Ok(Outcome::Done(
            self.fill(template, &Moment::definition(id, input))?,
            None,
        ))
    }

    /// The first case that holds leads on, else the one without a condition, else the task's `then`.
    pub(crate) fn switch(
        &mut self,
        id: FrameId,
        cases: &[SwitchCase],
        input: Value,
    ) -> Result<Outcome, Error> {
        let moment = Moment::definition(id, &input);
        let mut chosen = None;
        for (when, case) in cases
            .iter()
            .filter_map(|case| Some((case.when.as_ref()?, case)))
        {
            if self.holds(when, &moment)? {
                chosen = Some(case);
                break;
            }
        }
        let otherwise = || cases.iter().find(|case| case.when.is_none());
        let chosen = chosen.or_else(otherwise);
        self.chosen = chosen.map(|case| Arc::clone(&case.name));
        Ok(Outcome::Done(input, chosen.map(|case| case.then)))
    }

    pub(crate) fn raise(
        &mut self,
        id: FrameId,
        raise: &Raise,
        input: &Value,
    ) -> Result<Outcome, Error> {
        let moment = Moment::definition(id, input);
        let text = |template: Option<&Template>| -> Result<Option<String>, Error> {
            template
                .map(|template| self.fill_text(template, &moment))
                .transpose()
                .map(Option::flatten)
        };
        let status = self.fill(&raise.status, &moment)?;
        let status = status
            .as_i64()
            .or_else(|| status.as_str().and_then(|status| status.parse().ok()));
        let (_, title, default) = ErrorKind::Runtime.facts();
        let type_uri = as_text(&self.fill(&raise.type_uri, &moment)?);
        Err(Error {
            title: match (&raise.title, text(raise.title.as_ref())?) {
                (Some(_), Some(title)) => title,
                _ if crate::error::same_type(&type_uri, &ErrorKind::Runtime.uri()) => {
                    title.to_owned()
                }
                _ => String::new(),
            },
            type_uri,
            status: status.unwrap_or(default),
            detail: text(raise.detail.as_ref())?,
            // The language has the runtime set it: the place of this task, whatever the author wrote.
            instance: None,
            extra: Value::Null,
        })
    }

    pub(crate) fn wait(
        &mut self,
        id: FrameId,
        duration: &Duration,
        input: Value,
    ) -> Result<Outcome, Error> {
        let until_ms = self.ahead(duration, &Moment::definition(id, &input))?;
        if until_ms <= self.now_ms {
            return Ok(Outcome::Done(input, None));
        }
        self.set_state(id, State::Wait { until_ms });
        Ok(Outcome::Lives)
    }
}
