//! What an instance shows of itself as a case, and arguments that a function asks for later.

use tongban_expr::Value;

use crate::code::{Template, as_text};
use crate::environment::Env;
use crate::error::{Error, ErrorKind};
use crate::evaluate::Moment;
use crate::frame::ROOT;
use crate::instance::Instance;
use crate::machine::Machine;
use crate::program::{Body, Program};

/// What an instance shows of itself as a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFields {
    /// Its title.
    pub title: Option<String>,
    /// Its business key.
    pub key: Option<String>,
    /// The pattern of its number.
    pub number_pattern: Option<String>,
    /// Search fields by name; a field without a value is left out.
    pub search: Vec<(String, String)>,
    /// Numbers of linked cases by the kind of link.
    pub links: Vec<(String, String)>,
}

/// Evaluates `metadata.case` on the current state.
///
/// # Errors
/// When one of its expressions fails.
pub fn case_fields(program: &Program, instance: &Instance, env: &Env) -> Result<CaseFields, Error> {
    let Some(case) = &program.case else {
        return Ok(CaseFields::default());
    };
    let machine = bound(program, instance, env)?;
    let form = instance.form.value();
    let moment = Moment::definition(ROOT, &form);
    let text = |template: Option<&Template>| -> Result<Option<String>, Error> {
        template
            .map(|template| machine.fill_text(template, &moment))
            .transpose()
            .map(Option::flatten)
    };
    let texts =
        |entries: &[(std::sync::Arc<str>, Template)]| -> Result<Vec<(String, String)>, Error> {
            let mut texts = Vec::new();
            for (name, template) in entries {
                let value = machine.fill(template, &moment)?;
                if !value.is_null() {
                    texts.push((name.to_string(), as_text(&value)));
                }
            }
            Ok(texts)
        };
    Ok(CaseFields {
        title: text(case.title.as_ref())?,
        key: text(case.key.as_ref())?,
        number_pattern: case.number.clone(),
        search: texts(&case.search)?,
        links: texts(&case.links)?,
    })
}

/// Evaluates a late argument of a waiting call for one item, which the expressions see as `item`.
///
/// # Errors
/// When the call does not wait, has no such late argument, or an expression fails.
pub fn evaluate_late(
    program: &Program,
    instance: &Instance,
    env: &Env,
    run_id: &str,
    argument: &str,
    item: &Value,
) -> Result<Value, Error> {
    let machine = bound(program, instance, env)?;
    let waiting = machine
        .instance
        .frames
        .iter()
        .find(|(_, frame)| frame.waiting().is_some_and(|waiting| **waiting == *run_id));
    let Some((id, frame)) = waiting else {
        return Err(Error::new(
            ErrorKind::Runtime,
            format!("no call waits under {run_id:?}"),
        ));
    };
    let late = match &program.task(frame.task).body {
        Body::Call(call) => call.late.iter().find(|(name, _)| &**name == argument),
        _ => None,
    };
    let Some((_, template)) = late else {
        return Err(Error::new(
            ErrorKind::Runtime,
            format!("the call {run_id:?} has no late argument {argument:?}"),
        ));
    };
    let extra = [("item".into(), item.clone())];
    let input = frame.input.value();
    machine.fill(
        template,
        &Moment {
            extra: &extra,
            ..Moment::definition(*id, &input)
        },
    )
}

fn bound<'a>(
    program: &'a Program,
    instance: &Instance,
    env: &'a Env,
) -> Result<Machine<'a>, Error> {
    let mut machine = Machine::new(program, instance.clone(), env, instance.started_ms);
    machine
        .bind()
        .map_err(|refusal| Error::new(ErrorKind::Runtime, refusal.to_string()))?;
    Ok(machine)
}
