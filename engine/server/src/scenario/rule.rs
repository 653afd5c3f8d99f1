//! Plays a rule file alone: input in, result out.

use std::sync::Arc;

use tongban_expr::{Budget, Parameters, Scope, Script, Value};
use tongban_runtime::pack::Library;

use super::change::changed;
use super::file::Scenario;
use super::matching::{difference, missing};

/// Runs `PACK/rules/x.rhai` on the scenario's input and holds what it expects against the result.
pub fn play(library: &Library, rule: &str, scenario: &Scenario) -> Result<(), String> {
    let (name, path) = rule
        .split_once('/')
        .ok_or_else(|| format!("expected PACK/rules/FILE.rhai, found `{rule}`"))?;
    let pack = library
        .pack(name)
        .ok_or_else(|| format!("there is no pack `{name}`"))?;
    let source = pack
        .files
        .get(path)
        .ok_or_else(|| format!("the pack `{name}` has no file `{path}`"))?;
    let script =
        Script::compile(source, path).map_err(|error| format!("{path}: {}", error.message))?;
    let parameters = Parameters::from_value(&pack.parameters).map_err(|error| error.to_string())?;
    let scope = Scope {
        parameters: Some(Arc::new(parameters)),
        sources_none: meanings(library),
        ..Scope::default()
    };
    let input = changed(&scenario.input, &scenario.change)?;
    let result = script
        .run(input, &scope, &Budget::default())
        .map_err(|error| error.to_string())?;
    hold(scenario, &result)
}

/// What "no record" means, by register; a rule's source that has the register's name needs nothing else.
fn meanings(library: &Library) -> Value {
    let registers = library.packs().flat_map(|pack| &pack.registers);
    Value::object(
        registers
            .filter_map(|(name, document)| Some((name.clone(), document.get("none")?.clone()))),
    )
}

fn hold(scenario: &Scenario, result: &Value) -> Result<(), String> {
    let expected = &scenario.expect;
    if let Some(verdict) = &expected.verdict
        && result.text("verdict") != Some(verdict)
    {
        return Err(format!("verdict: expected {verdict}, found {result}"));
    }
    if let Some(trace) = &expected.trace {
        let found: Vec<Value> = result
            .get("trace")
            .map(Value::items)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        if let Some(row) = missing(trace, &found) {
            return Err(format!("trace: expected a row like {row}, found {result}"));
        }
    }
    match expected
        .result
        .as_ref()
        .and_then(|wanted| difference(wanted, result))
    {
        Some(difference) => Err(format!("result: {difference}")),
        None => Ok(()),
    }
}
