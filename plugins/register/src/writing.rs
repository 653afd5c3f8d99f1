//! The one way in which records are written: identify, merge, derive, validate, guard.

use std::sync::Arc;

use tongban_expr::{Budget, Scope, Value, check_digit, value};
use tongban_plugin::{Call, Failure, May, RegisterDefinition, Signature};

use crate::arguments::Arguments;
use crate::draft::Draft;
use crate::frame::{Frame, Writing, Written};
use crate::guards::{guard_keys, guard_lock};
use crate::identity::identify;
use crate::lens::Lens;
use crate::reading::{definition, existing};
use crate::schema::{Fault, Schema, refused};

/// How many records one call may write.
const RECORDS_MAX: usize = 10_000;

/// A call that writes, read as far as all of them are alike: its register, and whose word it brings.
pub(crate) struct Begun<'a> {
    pub(crate) args: Arguments<'a>,
    pub(crate) definition: Arc<RegisterDefinition>,
    pub(crate) how: Writing,
}

/// Begins a call that writes.
///
/// # Errors
/// The register does not exist, or the call may not write in it.
pub(crate) async fn begin<'a>(
    signature: &'a Signature,
    args: &'a Value,
    call: &Call<'_>,
) -> Result<Begun<'a>, Failure> {
    let args = Arguments::new(&signature.name, args);
    let definition = definition(call, args.needed_text("register")?).await?;
    Lens::of(&definition, call, May::Write)?;
    let how = Writing {
        lock: args.text("lock")?.map(ToOwned::to_owned),
        source: args.text("source")?.map(ToOwned::to_owned),
        mark: args.text("mark")?.map(ToOwned::to_owned),
        ..Writing::default()
    };
    Ok(Begun {
        args,
        definition,
        how,
    })
}

/// The schema of a call that writes: what all of them take, and what this one takes besides.
pub(crate) fn arguments(own: &str, more: &Value) -> Value {
    let common = value!({
        "register": { "type": "string" },
        "source": { "type": ["string", "null"] },
    });
    value!({
        "type": "object",
        "required": ["register", own],
        "properties": (common.merged(more)),
        "additionalProperties": false,
    })
}

/// Prepares the rows of records by the register's own rules.
///
/// # Errors
/// Validation faults name every field; a taken key or a lock is a conflict.
pub async fn write(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    given: &[Value],
    how: &Writing,
) -> Result<Written, Failure> {
    if given.len() > RECORDS_MAX {
        return Err(Failure::validation(format!(
            "one call writes at most {RECORDS_MAX} records, found {}; use `batch`",
            given.len()
        )));
    }
    let frame = Frame::new(call, definition, how);
    let mut written = Written::default();
    let ids = identify(&frame, given).await?;
    let mut before = existing(call, &definition.register, &ids).await?;
    let mut drafts = Vec::with_capacity(given.len());
    for (id, given) in ids.into_iter().zip(given) {
        let before = before.remove(&id);
        guard_lock(&frame, &id, before.as_ref())?;
        drafts.push(Draft::merge(&frame, id, given, before, &mut written));
    }
    derive(&frame, &mut drafts)?;
    validate(&frame, &drafts)?;
    warn(definition, &drafts, &mut written);
    guard_keys(&frame, &drafts).await?;
    written.records = drafts.into_iter().map(|draft| draft.row(&frame)).collect();
    Ok(written)
}

/// Runs the scripts of `x-derived`: they see the record and give the field.
fn derive(frame: &Frame<'_>, drafts: &mut [Draft]) -> Result<(), Failure> {
    let definition = frame.definition;
    for (field, path) in definition.extras().derived {
        let broken = |why: String| {
            Failure::expression(format!(
                "`{path}`, which gives `{field}` of register `{}`: {why}",
                definition.register
            ))
        };
        let source = definition.scripts.get(&path).ok_or_else(|| {
            Failure::configuration(format!(
                "register `{}` derives `{field}` by `{path}`, which is not in the pack",
                definition.register
            ))
        })?;
        let compiled = definition.outside.script(source, &path);
        let script = compiled.map_err(|why| broken(why.to_string()))?;
        let scope = Scope {
            units: frame.call.ports.directory.clone(),
            ..Scope::default()
        };
        for draft in drafts.iter_mut() {
            let input = draft.body.clone();
            let value = script
                .run(input, &scope, &Budget::for_scripts())
                .map_err(|why| broken(why.to_string()))?;
            draft.body.set(&field, value);
        }
    }
    Ok(())
}

fn validate(frame: &Frame<'_>, drafts: &[Draft]) -> Result<(), Failure> {
    let register = frame.definition.register.as_str();
    let compiled = Schema::of(frame.definition)?.compiled(register)?;
    let faults: Vec<Fault> = drafts
        .iter()
        .enumerate()
        .flat_map(|(place, draft)| {
            let at = format!("{}[{place}]", frame.how.argument);
            compiled.faults(&draft.body, &at)
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(refused(register, &faults))
    }
}

fn warn(definition: &RegisterDefinition, drafts: &[Draft], written: &mut Written) {
    for (field, check) in definition.extras().checks {
        for draft in drafts {
            let Some(text) = draft.body.text(&field) else {
                continue;
            };
            let fits = match check.as_str() {
                "resident-id" => check_digit::resident_id_ok(text),
                "uscc" => check_digit::uscc_ok(text),
                "organisation-code" => check_digit::organisation_code_ok(text),
                _ => true,
            };
            if !fits {
                written.warnings.push(value!({
                    "id": draft.id.as_str(),
                    "field": field.as_str(),
                    "text": "the check digit does not fit",
                }));
            }
        }
    }
}
