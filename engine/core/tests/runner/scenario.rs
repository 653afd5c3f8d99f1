//! Running one case.

use tongban_core::{
    BLOB_ABOVE, Effect, Env, Event, Instance, Program, Refused, Status, Step, case_fields,
    evaluate_late, step,
};
use tongban_expr::Value;

use super::events::event;
use super::surroundings::{Given, environment, program, usual_functions};

/// Monday, 2 March 2026, 09:00 in Shanghai.
pub const BEGIN_MS: i64 = 1_772_413_200_000;

/// Runs a case: its steps in order, each checked.
pub fn run(case: &Value) -> Result<(), String> {
    let functions = match case.get("functions") {
        Some(given) => usual_functions().merged(given),
        None => usual_functions(),
    };
    let given = Given {
        functions,
        files: case.get("files").cloned().unwrap_or_default(),
    };
    let text = case.text("workflow").ok_or("a case has a workflow")?;
    let program = match (program(text, &given), case.text("refused")) {
        (Err(faults), Some(wanted)) if faults.contains(wanted) => return Ok(()),
        (Err(faults), _) => return Err(format!("the workflow is refused:\n{faults}")),
        (Ok(_), Some(wanted)) => {
            return Err(format!("the workflow should be refused with {wanted:?}"));
        }
        (Ok(program), None) => program,
    };
    let env = environment(&case.get("env").cloned().unwrap_or_default());
    let mut instance = Instance::new("i1");
    let mut now_ms = BEGIN_MS;
    for (at, given) in case
        .get("steps")
        .ok_or("a case has steps")?
        .items()
        .enumerate()
    {
        if let Some(after) = given.text("after") {
            now_ms += tongban_dsl::period(after)
                .ok_or("`after` is a duration")?
                .milliseconds;
        }
        let sent = given.get("send").ok_or("a step sends something")?;
        let failed = |message: String| format!("step {} ({}): {message}", at + 1, sent.to_json());
        instance = take(&program, instance, &event(sent), &env, now_ms, given).map_err(failed)?;
        let failed = |message: String| format!("step {} ({}): {message}", at + 1, sent.to_json());
        check_instance(&program, &instance, &env, given).map_err(failed)?;
    }
    Ok(())
}

fn take(
    program: &Program,
    instance: Instance,
    event: &Event,
    env: &Env,
    now_ms: i64,
    wanted: &Value,
) -> Result<Instance, String> {
    let before = instance.to_state(BLOB_ABOVE);
    let taken = match step(program, stored(&instance)?, event.clone(), env, now_ms) {
        Ok(taken) => taken,
        Err(Refused { instance, refusal }) => {
            let found = refusal.to_string();
            if instance.to_state(BLOB_ABOVE) != before {
                return Err(format!("refused ({found}), but the instance changed"));
            }
            return match wanted.text("refused") {
                Some(wanted) if found.contains(wanted) => Ok(*instance),
                _ => Err(format!("refused: {found}")),
            };
        }
    };
    if let Some(refused) = wanted.text("refused") {
        return Err(format!("should be refused with {refused:?}"));
    }
    same_again(program, instance, event, env, now_ms, &taken)?;
    let mut taken = taken;
    let more = wanted.get("more").and_then(Value::as_bool).unwrap_or(false);
    if more != taken.more {
        return Err(format!("more: expected {more}, found {}", taken.more));
    }
    if wanted.get("runOn").is_some() {
        taken = run_on(program, taken, env, now_ms)?;
    }
    check_step(&taken, wanted)?;
    twice(program, &taken.instance, event, env, now_ms)?;
    Ok(taken.instance)
}

/// Sends `Continue` until the instance waits or has ended.
fn run_on(program: &Program, first: Step, env: &Env, now_ms: i64) -> Result<Step, String> {
    let mut taken = first;
    taken.more = true;
    while taken.more {
        let next = step(
            program,
            stored(&taken.instance)?,
            Event::Continue,
            env,
            now_ms,
        )
        .map_err(|refused| refused.to_string())?;
        taken.effects.extend(next.effects);
        taken.records.extend(next.records);
        (taken.instance, taken.more) = (next.instance, next.more);
    }
    Ok(taken)
}

/// The instance after its stored text was written and read.
fn stored(instance: &Instance) -> Result<Instance, String> {
    let state = instance.to_state(256);
    let read = Instance::from_state(&state.body, &mut |digest| {
        state
            .blobs
            .iter()
            .find(|(known, _)| known == digest)
            .map(|(_, value)| value.clone())
    });
    let read = read.map_err(|error| format!("{error}: {}", state.body))?;
    if read.to_state(256) != state {
        return Err(format!(
            "the stored text is not the same again: {}",
            state.body
        ));
    }
    Ok(read)
}

fn same_again(
    program: &Program,
    instance: Instance,
    event: &Event,
    env: &Env,
    now_ms: i64,
    taken: &Step,
) -> Result<(), String> {
    let again = step(program, instance, event.clone(), env, now_ms)
        .map_err(|refused| refused.to_string())?;
    let same = again.effects == taken.effects
        && again.records == taken.records
        && again.instance.to_state(BLOB_ABOVE) == taken.instance.to_state(BLOB_ABOVE);
    if same {
        Ok(())
    } else {
        Err("the same step, taken without the stored text, comes out differently".into())
    }
}

/// An answer that is sent again changes nothing.
fn twice(
    program: &Program,
    instance: &Instance,
    event: &Event,
    env: &Env,
    now_ms: i64,
) -> Result<(), String> {
    if !matches!(event, Event::Returned { .. } | Event::Failed { .. })
        || instance.status() == Status::Suspended
    {
        return Ok(());
    }
    let again = step(program, instance.clone(), event.clone(), env, now_ms)
        .map_err(|refused| refused.to_string())?;
    if !again.effects.is_empty()
        || again.instance.to_state(BLOB_ABOVE) != instance.to_state(BLOB_ABOVE)
    {
        return Err(format!("sent again it has effects: {:?}", again.effects));
    }
    Ok(())
}

fn check_step(taken: &Step, wanted: &Value) -> Result<(), String> {
    let found: Vec<Value> = taken
        .effects
        .iter()
        .filter(|effect| !matches!(effect, Effect::Finish { .. }))
        .map(effect)
        .collect();
    let none = Value::list(Vec::new());
    let expected = wanted.get("effects").unwrap_or(&none).items();
    if found.len() != expected.len() {
        return Err(format!(
            "expected {} effects, found {}: {found:#?}",
            expected.len(),
            found.len()
        ));
    }
    for (n, (wanted, found)) in expected.zip(&found).enumerate() {
        covers(wanted, found).map_err(|fault| format!("effect {}: {fault} in {found}", n + 1))?;
    }
    if let Some(records) = wanted.get("records") {
        let found: Vec<Value> = taken
            .records
            .iter()
            .map(|record| {
                let status = Value::of(&record.status).expect("a word");
                Value::from(
                    format!("{} {}", status.as_str().unwrap_or_default(), record.run_id)
                        .trim()
                        .to_owned(),
                )
            })
            .collect();
        let found = Value::list(found);
        if *records != found {
            return Err(format!("expected the records {records}, found {found}"));
        }
    }
    if let Some(consumed) = wanted.get("consumed").and_then(Value::as_bool)
        && consumed != taken.consumed
    {
        return Err(format!(
            "consumed: expected {consumed}, found {}",
            taken.consumed
        ));
    }
    Ok(())
}

/// An effect as `{kind: body}` with the kind in lower case.
fn effect(effect: &Effect) -> Value {
    let value = Value::of(effect).expect("an effect is data");
    let (kind, body) = value
        .entries()
        .next()
        .map(|(kind, body)| (kind.clone(), body.clone()))
        .unwrap_or_default();
    let mut word = kind.to_string();
    if let Some(first) = word.get(..1).map(str::to_lowercase) {
        word.replace_range(..1, &first);
    }
    Value::object([(word, body)])
}

/// Whether everything that is wanted is found; what is found may have more members.
fn covers(wanted: &Value, found: &Value) -> Result<(), String> {
    match (wanted, found) {
        (Value::Obj(wanted), Value::Obj(found)) => {
            for (key, wanted) in wanted.iter() {
                let inner = found.get(key).ok_or_else(|| format!("no {key:?}"))?;
                covers(wanted, inner).map_err(|fault| format!("{key}: {fault}"))?;
            }
            Ok(())
        }
        (Value::Arr(wanted), Value::Arr(found)) if wanted.len() == found.len() => wanted
            .iter()
            .zip(found.iter())
            .try_for_each(|(wanted, found)| covers(wanted, found)),
        (wanted, found) if wanted == found => Ok(()),
        (wanted, found) => Err(format!("expected {wanted}, found {found}")),
    }
}

fn check_instance(
    program: &Program,
    instance: &Instance,
    env: &Env,
    wanted: &Value,
) -> Result<(), String> {
    check_status(instance, wanted)?;
    check_error(instance, wanted)?;
    for name in FACTS {
        let Some(expected) = wanted.get(name) else {
            continue;
        };
        let found = fact(name, program, instance, env, expected);
        if *expected != found {
            return Err(format!("{name}: expected {expected}, found {found}"));
        }
    }
    let most = wanted.get("stateBytes").and_then(Value::as_i64);
    let body = instance.to_state(BLOB_ABOVE).body;
    match most {
        Some(most) if body.len() as i64 > most => Err(format!(
            "the state takes {} bytes, more than {most}: {body}",
            body.len()
        )),
        _ => Ok(()),
    }
}

/// The status that is written, or that follows from what else is expected.
fn check_status(instance: &Instance, wanted: &Value) -> Result<(), String> {
    let implied = if wanted.get("error").is_some() {
        "faulted"
    } else if wanted.get("output").is_some() {
        "completed"
    } else {
        "running"
    };
    let implied = Value::from(implied);
    let expected = wanted.get("status").unwrap_or(&implied);
    let status = Value::of(&instance.status()).expect("a word");
    covers(expected, &status).map_err(|fault| format!("{fault} {:?}", instance.error()))
}

fn check_error(instance: &Instance, wanted: &Value) -> Result<(), String> {
    let Some(expected) = wanted.get("error") else {
        return Ok(());
    };
    let found = instance.error().ok_or("no error")?.to_value();
    let Some(part) = expected.text("contains") else {
        return covers(expected, &found);
    };
    match found.text("detail") {
        Some(detail) if detail.contains(part) => Ok(()),
        _ => Err(format!("expected {part:?} in the detail of {found}")),
    }
}

/// What a step may say of the instance after it.
const FACTS: [&str; 11] = [
    "output", "live", "marks", "due", "case", "late", "context", "form", "kept", "returns", "state",
];

/// What is to be said of an instance, by name; `asked` is what the step has there.
fn fact(name: &str, program: &Program, instance: &Instance, env: &Env, asked: &Value) -> Value {
    match name {
        "output" => instance.output().clone(),
        "live" => {
            let live = instance.live().into_iter();
            Value::list(live.map(|task| Value::from(task.run_id)).collect())
        }
        "marks" => {
            let marks = instance.marks(program).into_iter();
            Value::object(
                marks.map(|(path, mark)| (path, Value::from(format!("{mark:?}").to_lowercase()))),
            )
        }
        "due" => Value::from(instance.next_due_ms().map(|due| due - BEGIN_MS)),
        "case" => {
            let fields = case_fields(program, instance, env).expect("case fields");
            tongban_expr::value!({
                "title": fields.title, "key": fields.key, "number": fields.number_pattern,
                "search": Value::object(fields.search), "links": Value::object(fields.links)
            })
        }
        "late" => {
            let item = asked.get("item").cloned().unwrap_or_default();
            let (run, argument) = (
                asked.text("run").unwrap_or_default(),
                asked.text("argument").unwrap_or_default(),
            );
            let given = evaluate_late(program, instance, env, run, argument, &item);
            asked
                .clone()
                .with("gives", given.unwrap_or_else(|error| error.to_value()))
        }
        "context" => instance.context().clone(),
        "form" => instance.form().clone(),
        "kept" => instance.steps(),
        "returns" => Value::from(instance.returns()),
        "state" => Value::from(instance.state_word()),
        other => unreachable!("{other} is none of FACTS"),
    }
}
