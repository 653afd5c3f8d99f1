//! Rules that compare a measure with a dated limit, and their judgement.
//!
//! `rule(id, sources, measure, compare, parameter)` only describes a rule.
//! `judge(input, rules)` measures and compares, and writes the trace. What is
//! not known never counts against a person: a source that is unavailable,
//! stale or silent (where silence does not mean "nothing") makes a rule
//! undetermined without measuring, and so does a measure of null or one that
//! meets a record without the figure.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, NativeCallContext};

use super::host::{self, Host};
use super::node::{Fallible, Node, fail, from_dynamic, to_dynamic};
use super::numbers::{NotKnown, from_number, number};
use crate::{Map, Value};

/// A rule as its file writes it.
#[derive(Clone)]
struct Rule {
    id: ImmutableString,
    sources: Vec<ImmutableString>,
    measure: FnPtr,
    compare: Compare,
    parameter: ImmutableString,
}

#[derive(Clone, Copy)]
enum Compare {
    Less,
    AtMost,
    Equal,
    Unequal,
    AtLeast,
    More,
}

impl Compare {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Less,
            "<=" => Self::AtMost,
            "==" => Self::Equal,
            "!=" => Self::Unequal,
            ">=" => Self::AtLeast,
            ">" => Self::More,
            _ => return None,
        })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::AtLeast => ">=",
            Self::More => ">",
        }
    }

    const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::AtLeast => order.is_ge(),
            Self::More => order.is_gt(),
        }
    }
}

/// What a rule says about a case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fit,
    Unfit,
    Undetermined,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Unfit => "unfit",
            Self::Undetermined => "undetermined",
        }
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Rule>("rule");
    engine.register_fn("rule", described);
    engine.register_fn(
        "judge",
        |context: NativeCallContext<'_>, input: Node, rules: Array| {
            judge(&context, &input.0, rules)
        },
    );
}

fn described(
    id: ImmutableString,
    sources: Array,
    measure: FnPtr,
    compare: &str,
    parameter: ImmutableString,
) -> Fallible<Rule> {
    let mut names = Vec::with_capacity(sources.len());
    for source in sources {
        match source.into_immutable_string() {
            Ok(name) => names.push(name),
            Err(found) => {
                return fail(format!(
                    "rule `{id}`: expected the names of its sources as texts, found {found}"
                ));
            }
        }
    }
    let Some(compare) = Compare::read(compare) else {
        return fail(format!(
            "rule `{id}`: `{compare}` does not compare: expected one of < <= == != >= >"
        ));
    };
    Ok(Rule {
        id,
        sources: names,
        measure,
        compare,
        parameter,
    })
}

/// Applies every rule. One unfit rule makes the case unfit; else one
/// undetermined rule makes it undetermined. It is a proposal: a person
/// decides.
fn judge(context: &NativeCallContext<'_>, input: &Value, rules: Array) -> Fallible<Dynamic> {
    let mut verdict = Verdict::Fit;
    let mut trace = Vec::with_capacity(rules.len());
    for rule in rules {
        let Some(rule) = rule.try_cast::<Rule>() else {
            return fail("judge: expected a list of `rule(…)`");
        };
        let (result, row) = apply(context, input, &rule)?;
        verdict = match (verdict, result) {
            (Verdict::Unfit, _) | (_, Verdict::Unfit) => Verdict::Unfit,
            (Verdict::Undetermined, _) | (_, Verdict::Undetermined) => Verdict::Undetermined,
            (Verdict::Fit, Verdict::Fit) => Verdict::Fit,
        };
        trace.push(row);
    }
    let judged = Value::object([
        ("verdict", Value::from(verdict.as_str())),
        ("asOf", input.get("asOf").cloned().unwrap_or_default()),
        ("trace", Value::list(trace)),
    ]);
    Ok(to_dynamic(judged))
}

fn apply(
    context: &NativeCallContext<'_>,
    input: &Value,
    rule: &Rule,
) -> Fallible<(Verdict, Value)> {
    let held = host::ask(|host| held(host, input, &rule.parameter)).flatten();
    let Some(held) = held else {
        return fail(format!(
            "rule `{}`: the parameter `{}` has no value on {}",
            rule.id,
            rule.parameter,
            input.text("asOf").unwrap_or("this day")
        ));
    };
    let limit = held.get("value").cloned().unwrap_or_default();
    let Some(limit_number) = number(&limit) else {
        return fail(format!(
            "rule `{}`: the parameter `{}` is a {}: expected a number",
            rule.id,
            rule.parameter,
            limit.kind_name()
        ));
    };
    let (sources, missing) = looked_at(input, &rule.sources);
    let (value, missing) = match missing {
        Some(reason) => (Value::Null, Some(reason)),
        None => measured(context, input, rule)?,
    };
    let result = match number(&value) {
        Some(figure) if rule.compare.holds(figure.cmp(&limit_number)) => Verdict::Fit,
        Some(_) => Verdict::Unfit,
        None => Verdict::Undetermined,
    };
    let mut row = Map::default();
    let mut put = |key: &str, value: Value| row.insert(key.into(), value);
    put("rule", Value::from(rule.id.as_str()));
    let (title, english) = titles(&rule.id, &limit);
    put("title", title);
    put("en", english);
    put("result", Value::from(result.as_str()));
    put("value", number(&value).map_or(Value::Null, from_number));
    put("compare", Value::from(rule.compare.as_str()));
    put("limit", limit);
    put("parameter", Value::from(rule.parameter.as_str()));
    for key in ["unit", "from", "basis"] {
        put(key, held.get(key).cloned().unwrap_or_default());
    }
    put("sources", sources);
    put("missing", missing.map_or(Value::Null, Value::from));
    Ok((result, Value::from_entries(row)))
}

/// Gives the parameter as it holds on `input.asOf`; without dated values, as
/// the case has it.
fn held(host: &Host, input: &Value, parameter: &str) -> Option<Value> {
    match (&host.parameters, input.text("asOf")) {
        (Some(parameters), Some(day)) => parameters.one_as_of(parameter, day),
        _ => host.params.get(parameter).cloned(),
    }
}

/// Gives the rule's titles, `{limit}` filled in.
fn titles(id: &str, limit: &Value) -> (Value, Value) {
    let found = host::ask(|host| {
        let parameters = host.parameters.as_ref()?;
        parameters.rule(id).cloned()
    });
    let titles = found.flatten().unwrap_or_default();
    let limit = limit
        .as_str()
        .map_or_else(|| limit.to_json(), str::to_owned);
    let filled = |key: &str| match titles.text(key) {
        Some(text) => Value::from(text.replace("{limit}", &limit)),
        None => Value::Null,
    };
    let title = filled("title");
    let title = if title.is_null() {
        Value::from(id)
    } else {
        title
    };
    (title, filled("en"))
}

/// Looks at the sources of a rule: gives what the trace says of them, and the
/// first reason why they do not answer.
fn looked_at(input: &Value, names: &[ImmutableString]) -> (Value, Option<String>) {
    let mut shown = Vec::with_capacity(names.len());
    let mut missing = None;
    for name in names {
        let source = input.get("sources").and_then(|sources| sources.get(name));
        let status = source
            .and_then(|source| source.text("status"))
            .unwrap_or("missing");
        if missing.is_none() {
            missing = unanswered(input, name, status, source);
        }
        let mut row = Map::default();
        row.insert("source".into(), Value::from(name.as_str()));
        row.insert("status".into(), Value::from(status));
        for key in ["source", "fetchedAt"] {
            if let Some(value) = source.and_then(|source| source.get(key)) {
                let key = if key == "source" { "from" } else { key };
                row.insert(key.into(), value.clone());
            }
        }
        shown.push(Value::from_entries(row));
    }
    (Value::list(shown), missing)
}

/// Why a source does not answer for everybody that it was asked about. Where silence does not mean that there is nothing,
/// silence about one of several people is as little an answer as silence about all.
fn unanswered(input: &Value, name: &str, status: &str, source: Option<&Value>) -> Option<String> {
    let nothing = || none_means_nothing(name, source) && covers(input, source);
    let of_some = source
        .and_then(|source| source.get("missing"))
        .map_or(0, Value::len);
    match status {
        "found" if of_some == 0 || nothing() => None,
        "found" => Some(format!("{name}: none for {of_some} of those asked about")),
        "none" if nothing() => None,
        "none" => Some(format!("{name}: none")),
        other => Some(format!("{name}: {other}")),
    }
}

/// Tells whether the time that a source covers reaches the day of the case; only then does silence mean anything.
fn covers(input: &Value, source: Option<&Value>) -> bool {
    let bound = |name: &str| source?.get("covers")?.text(name);
    let Some(day) = input.text("asOf") else {
        return true;
    };
    bound("since").is_none_or(|since| since <= day)
        && bound("until").is_none_or(|until| day <= until)
}

/// Tells whether "no record" in a source means that there is nothing. The
/// register says so, never the rule; who does not say means "unknown". A
/// person's answer in the place of a register names it in `source`.
fn none_means_nothing(name: &str, source: Option<&Value>) -> bool {
    let text = |key: &str| source.and_then(|source| source.text(key));
    let meaning = text("none").map(ToOwned::to_owned).or_else(|| {
        host::ask(|host| {
            let said = |name: &str| host.sources_none.text(name).map(ToOwned::to_owned);
            said(name).or_else(|| said(text("source")?))
        })
        .flatten()
    });
    meaning.as_deref() == Some("nothing")
}

/// Measures: gives the figure, or null and the reason why it is not known.
fn measured(
    context: &NativeCallContext<'_>,
    input: &Value,
    rule: &Rule,
) -> Fallible<(Value, Option<String>)> {
    let part = |name: &str| to_dynamic(input.get(name).cloned().unwrap_or_default());
    let arguments = (part("sources"), part("form"));
    let called: Fallible<Dynamic> =
        host::measuring(|| rule.measure.call_within_context(context, arguments));
    let measured = match called {
        Ok(measured) => from_dynamic(measured)?,
        Err(error) => match not_known(&error) {
            Some(reason) => return Ok((Value::Null, Some(reason))),
            None => return Err(error),
        },
    };
    match &measured {
        Value::Null => Ok((Value::Null, Some("not measured".to_owned()))),
        value if number(value).is_some() => Ok((measured, None)),
        other => fail(format!(
            "rule `{}`: the measure gave a {}: expected a number or null",
            rule.id,
            other.kind_name()
        )),
    }
}

/// Finds the error of a missing figure inside the calls around it.
fn not_known(error: &EvalAltResult) -> Option<String> {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => not_known(inner),
        EvalAltResult::ErrorRuntime(token, _) => token
            .read_lock::<NotKnown>()
            .map(|missing| missing.0.clone()),
        _ => None,
    }
}
