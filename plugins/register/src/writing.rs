//! The one way in which records are written: identify, merge, derive, validate, guard.

use std::sync::Arc;

use tongban_expr::{Budget, Scope, Value, check_digit, value};
use tongban_plugin::{
    Call, Failure, May, Prepared, RecordMode, RecordWrite, RegisterDefinition, Signature,
};

use crate::arguments::Arguments;
use crate::draft::Draft;
use crate::guards::{guard_keys, guard_lock};
use crate::identity::identify;
use crate::lens::Lens;
use crate::reading::{definition, existing};
use crate::schema::{Fault, Schema, refused};

/// How many records one call may write.
const RECORDS_MAX: usize = 10_000;

/// How to write.
#[derive(Debug, Clone)]
pub struct Writing {
    /// Put or amend.
    pub mode: RecordMode,
    /// The case that locks the records from now on.
    pub lock: Option<String>,
    /// The unit whose word the new values are; the starter's unit when absent.
    pub source: Option<String>,
    /// Sets or, by an empty text, clears the mark on the records.
    pub mark: Option<String>,
    /// The argument's name in faults, `records`.
    pub argument: &'static str,
}

impl Default for Writing {
    fn default() -> Self {
        Self {
            mode: RecordMode::Put,
            lock: None,
            source: None,
            mark: None,
            argument: "records",
        }
    }
}

/// What was prepared.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The rows, one for each record, in the order given.
    pub records: Vec<RecordWrite>,
    /// Fields whose authority's value was kept against the given one.
    pub kept: Vec<Value>,
    /// Fields that the register does not have: they were left out.
    pub ignored: Vec<String>,
    /// Fields whose check digit does not fit: they are stored all the same, because real numbers
    /// exist that fail it.
    pub warnings: Vec<Value>,
}

/// What holds for all records of one call.
pub(crate) struct Frame<'a> {
    pub(crate) call: &'a Call<'a>,
    pub(crate) definition: &'a RegisterDefinition,
    pub(crate) how: &'a Writing,
    /// Whose word the given values are.
    pub(crate) source: String,
    pub(crate) fields: Vec<String>,
    pub(crate) defaults: Value,
    /// The key is a number in the schema.
    pub(crate) numeric_key: bool,
}

impl<'a> Frame<'a> {
    fn new(call: &'a Call<'a>, definition: &'a RegisterDefinition, how: &'a Writing) -> Self {
        let source = how
            .source
            .clone()
            .or_else(|| call.starter.unit.clone())
            .or_else(|| call.unit.map(ToOwned::to_owned))
            .unwrap_or_else(|| format!("workflow:{}", call.workflow));
        let document = definition.document();
        let key = document
            .get("properties")
            .and_then(|properties| properties.get(&definition.key));
        let numeric = key.and_then(|key| key.text("type"));
        Self {
            call,
            definition,
            how,
            source,
            fields: definition.fields(),
            defaults: Value::object(definition.extras().defaults),
            numeric_key: matches!(numeric, Some("integer" | "number")),
        }
    }
}

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

impl Written {
    /// The rows, with what the caller is told about them.
    pub(crate) fn prepared(self, value: Value) -> Prepared {
        Prepared {
            value: value.with("warnings", self.warnings),
            records: self.records,
            ..Prepared::default()
        }
    }
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
