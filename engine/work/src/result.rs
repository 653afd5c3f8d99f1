//! What the functions give back to the process.

use tongban_expr::{Value, value};

use crate::World;
use crate::item::{Decision, Item, Kind};
use crate::spec::Mode;

/// The result of an item with its outcome; `deciding` is the answer that settled it.
pub(crate) fn output(
    item: &Item,
    outcome: &str,
    deciding: Option<&Decision>,
    world: &World<'_>,
) -> Value {
    let calendar = world.org.calendar(world.case.unit.as_deref());
    let at_ms = deciding.map_or(world.now_ms, |decision| decision.at_ms);
    let result = value!({
        "outcome": outcome,
        "by": deciding.map(|decision| decision.person.clone()),
        "at": calendar.iso(at_ms),
        "comment": deciding.and_then(|decision| decision.comment.clone()),
        "reason": deciding.and_then(|decision| decision.reason.clone()),
        "round": item.round,
    });
    let refuses = deciding.is_some()
        && item
            .spec
            .outcome(outcome)
            .is_some_and(|outcome| outcome.refusal);
    let result = match refuses {
        true => result.with("refusal", true),
        false => result,
    };
    let iso = |at_ms: i64| calendar.iso(at_ms);
    match item.kind {
        Kind::Collect => collected(result, item, outcome, iso),
        _ => result.with(
            "decisions",
            item.decisions
                .iter()
                .map(|one| decided(one, &iso))
                .collect::<Vec<Value>>(),
        ),
    }
}

fn decided(decision: &Decision, iso: &impl Fn(i64) -> String) -> Value {
    value!({
        "by": decision.person.clone(),
        "for": decision.for_id(),
        "unit": decision.unit.clone(),
        "outcome": decision.outcome.clone(),
        "comment": decision.comment.clone(),
        "reason": decision.reason.clone(),
        "at": iso(decision.at_ms),
        "reused": decision.kept_from.is_some(),
    })
}

fn collected(result: Value, item: &Item, outcome: &str, iso: impl Fn(i64) -> String) -> Value {
    let answer = |decision: &Decision| {
        let data = decision.data.clone().unwrap_or_else(|| item.data.clone());
        value!({
            "unit": decision.unit.clone(),
            "by": decision.person.clone(),
            "outcome": decision.outcome.clone(),
            "data": data,
            "at": iso(decision.at_ms),
        })
    };
    let own = item
        .decisions
        .iter()
        .rev()
        .find(|decision| decision.outcome == outcome);
    let data = match own {
        // A deadline answers nothing: what the form was filled with is no answer.
        None => Value::Null,
        Some(decision) => match (&decision.data, item.spec.mode) {
            (Some(data), _) => data.clone(),
            (None, Mode::Group) => Value::Null,
            (None, _) => item.data.clone(),
        },
    };
    let answers = match item.spec.mode {
        Mode::Any => Vec::new(),
        _ => item.decisions.iter().map(answer).collect(),
    };
    result.with("data", data).with("answers", answers)
}
