//! Plays a rule file alone: input in, result out.

use std::sync::Arc;

use tongban_expr::{Budget, Parameters, Scope, Script, Value};
use tongban_runtime::CaseView;
use tongban_runtime::pack::Library;

use super::Suite;
use super::change::changed;
use super::expect::listed;
use super::file::Scenario;
use super::matching::differences;
use super::measure::Reached;
use super::play::Wrong;
use super::stage::Stage;

/// Runs `PACK/rules/x.rhai` on the scenario's input and holds what it expects against the result; the rows of its trace
/// come back whatever became of the expectations.
pub fn play(
    suite: &Suite,
    rule: &str,
    scenario: &Scenario,
    reached: &mut Reached,
) -> (Vec<Value>, Result<(), Wrong>) {
    match run(suite, rule, scenario, reached) {
        Ok(result) => {
            let mut rows = Vec::new();
            traces(&result, &mut rows);
            (rows, hold(scenario, &result))
        }
        Err(message) => (Vec::new(), Err(Wrong::Failed(message))),
    }
}

fn run(
    suite: &Suite,
    rule: &str,
    scenario: &Scenario,
    reached: &mut Reached,
) -> Result<Value, String> {
    let library = &suite.library;
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
    let budget = Budget::default();
    let rules = &suite.rules;
    rules.reach(source, input.clone(), &scope, &budget, reached);
    script
        .run(input, &scope, &budget)
        .map_err(|error| error.to_string())
}

/// What "no record" means, by register; a rule's source that has the register's name needs nothing else.
fn meanings(library: &Library) -> Value {
    let registers = library.packs().flat_map(|pack| &pack.registers);
    Value::object(
        registers
            .filter_map(|(name, document)| Some((name.clone(), document.get("none")?.clone()))),
    )
}

fn hold(scenario: &Scenario, result: &Value) -> Result<(), Wrong> {
    let expected = &scenario.expect;
    let mut all = Vec::new();
    if let Some(verdict) = &expected.verdict {
        let found = result.get("verdict").cloned().unwrap_or_default();
        all.extend(differences(
            "verdict",
            &Value::from(verdict.as_str()),
            &found,
        ));
    }
    if let Some(trace) = &expected.trace {
        let found: Vec<Value> = result
            .get("trace")
            .map(Value::items)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        listed("trace", trace, &found, &mut all);
    }
    if let Some(wanted) = &expected.result {
        all.extend(differences("result", wanted, result));
    }
    if all.is_empty() {
        Ok(())
    } else {
        Err(Wrong::Differs(all))
    }
}

/// The rows of traces anywhere in a value: objects that tell a rule and its result.
pub fn traces(value: &Value, found: &mut Vec<Value>) {
    if value.text("rule").is_some() && value.text("result").is_some() {
        if !found.contains(value) {
            found.push(value.clone());
        }
        return;
    }
    for (_, inner) in value.entries() {
        traces(inner, found);
    }
    if let Some(items) = value.as_list() {
        for inner in items {
            traces(inner, found);
        }
    }
}

/// The rows of the traces that a case has: in its output, its results, and what its calls gave.
pub async fn traces_of_case(stage: &Stage, case: &CaseView) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    traces(case.instance.output(), &mut found);
    traces(&case.instance.steps(), &mut found);
    for entry in stage.history(case.instance.id()).await? {
        if let Some(output) = &entry.output {
            traces(output, &mut found);
        }
    }
    Ok(found)
}
