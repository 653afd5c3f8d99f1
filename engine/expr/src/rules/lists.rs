//! Functions on lists, the same for lists of documents and for those that a
//! rule file makes.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Engine, FnPtr, NativeCallContext};

use super::node::{Fallible, Node, fail, from_dynamic, list_from, to_dynamic};
use super::numbers::{extreme_by, sum_by};
use crate::{Value, meter};

/// Gives the value under `field` of every element, null where it is missing.
fn pluck(list: &Value, field: &str) -> Value {
    list.items()
        .map(|item| item.at(field).cloned().unwrap_or_default())
        .collect()
}

/// Keeps the elements whose `field` is `wanted`, or one of a list of values.
fn keep(list: &Value, field: &str, wanted: &Value) -> Value {
    let fits = |value: &Value| match wanted {
        Value::Arr(values) => values.contains(value),
        one => value == one,
    };
    list.items()
        .filter(|item| fits(item.at(field).unwrap_or(&Value::Null)))
        .cloned()
        .collect()
}

fn joined(list: &Value, separator: &str) -> String {
    let texts: Vec<String> = list
        .items()
        .map(|item| item.as_str().map_or_else(|| item.to_json(), str::to_owned))
        .collect();
    meter::draw(texts.iter().map(|text| text.len() + separator.len()).sum());
    texts.join(separator)
}

fn as_list(node: &Node) -> Fallible<&Value> {
    match &node.0 {
        list @ Value::Arr(_) => Ok(list),
        other => fail(format!("expected a list, found an {}", other.kind_name())),
    }
}

/// Registers a function for lists of documents and for rhai's own.
macro_rules! on_lists {
    ($engine:ident, $name:literal, |$list:ident $(, $argument:ident : $kind:ty)*| $body:expr) => {
        $engine.register_fn($name, |node: &mut Node $(, $argument: $kind)*| {
            let $list = as_list(node)?;
            $body
        });
        $engine.register_fn($name, |items: &mut Array $(, $argument: $kind)*| {
            let own = list_from(items.clone())?;
            let $list = &own;
            $body
        });
    };
}

pub(super) fn register(engine: &mut Engine) {
    register_on_lists(engine);
    register_on_documents(engine);
    register_calling(engine);
}

/// Functions for lists of documents and for those that a rule file makes.
fn register_on_lists(engine: &mut Engine) {
    on_lists!(engine, "pluck", |list, field: &str| Fallible::Ok(
        to_dynamic(pluck(list, field))
    ));
    on_lists!(engine, "where", |list, field: &str, wanted: Dynamic| {
        let wanted = from_dynamic(wanted)?;
        Fallible::Ok(to_dynamic(keep(list, field, &wanted)))
    });
    on_lists!(engine, "sum_by", |list, field: &str| sum_by(list, field)
        .map(to_dynamic));
    on_lists!(engine, "max_by", |list, field: &str| extreme_by(
        list,
        field,
        Ordering::Greater
    )
    .map(to_dynamic));
    on_lists!(engine, "min_by", |list, field: &str| extreme_by(
        list,
        field,
        Ordering::Less
    )
    .map(to_dynamic));
    on_lists!(engine, "join", |list, separator: &str| Fallible::Ok(
        joined(list, separator)
    ));
    on_lists!(engine, "first", |list| Fallible::Ok(
        list.items()
            .next()
            .cloned()
            .map_or(Dynamic::UNIT, to_dynamic)
    ));
    on_lists!(engine, "last", |list| Fallible::Ok(
        list.items()
            .last()
            .cloned()
            .map_or(Dynamic::UNIT, to_dynamic)
    ));
    on_lists!(engine, "unique", |list| Fallible::Ok(to_dynamic(unique(
        list
    ))));
}

/// Functions for what documents hold; a list that a rule file makes has rhai's own.
fn register_on_documents(engine: &mut Engine) {
    engine.register_fn("len", |node: &mut Node| length(&node.0));
    engine.register_fn("is_empty", |node: &mut Node| node.0.is_empty());
    // A field that is not filled in counts as an empty one.
    engine.register_fn("is_empty", |(): ()| true);
    engine.register_fn("len", |(): ()| 0_i64);
    engine.register_fn(
        "index_of",
        |node: &mut Node, wanted: Dynamic| -> Fallible<i64> {
            let wanted = from_dynamic(wanted)?;
            let at = as_list(node)?.items().position(|item| *item == wanted);
            Ok(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
        },
    );
    engine.register_fn("keys", |node: &mut Node| {
        Dynamic::from(Node(
            node.0
                .entries()
                .map(|(key, _)| Value::Str(key.clone()))
                .collect(),
        ))
    });
    engine.register_fn("values", |node: &mut Node| {
        Dynamic::from(Node(
            node.0.entries().map(|(_, value)| value.clone()).collect(),
        ))
    });
    engine.register_fn("to_array", |node: &mut Node| -> Array {
        meter::draw(16 * node.0.len());
        node.0.items().cloned().map(to_dynamic).collect()
    });
}

fn length(value: &Value) -> i64 {
    i64::try_from(value.len()).unwrap_or(i64::MAX)
}

/// Keeps the first of equal elements.
fn unique(list: &Value) -> Value {
    let mut seen = std::collections::BTreeSet::new();
    list.items()
        .filter(|item| seen.insert(*item))
        .cloned()
        .collect()
}

/// Functions that call a function of the rule file for every element.
fn register_calling(engine: &mut Engine) {
    fn call(context: &NativeCallContext<'_>, f: &FnPtr, item: &Value) -> Fallible<Dynamic> {
        f.call_within_context(context, (to_dynamic(item.clone()),))
    }
    fn holds(context: &NativeCallContext<'_>, f: &FnPtr, item: &Value) -> Fallible<bool> {
        match call(context, f, item)?.as_bool() {
            Ok(holds) => Ok(holds),
            Err(found) => fail(format!("expected true or false, found {found}")),
        }
    }
    engine.register_fn(
        "filter",
        |context: NativeCallContext<'_>, node: &mut Node, f: FnPtr| -> Fallible<Dynamic> {
            let mut kept = Vec::new();
            for item in as_list(node)?.items() {
                if holds(&context, &f, item)? {
                    kept.push(item.clone());
                }
            }
            Ok(to_dynamic(Value::list(kept)))
        },
    );
    engine.register_fn(
        "map",
        |context: NativeCallContext<'_>, node: &mut Node, f: FnPtr| -> Fallible<Dynamic> {
            let mut mapped = Vec::new();
            for item in as_list(node)?.items() {
                mapped.push(from_dynamic(call(&context, &f, item)?)?);
            }
            Ok(to_dynamic(Value::list(mapped)))
        },
    );
    engine.register_fn(
        "some",
        |context: NativeCallContext<'_>, node: &mut Node, f: FnPtr| -> Fallible<bool> {
            for item in as_list(node)?.items() {
                if holds(&context, &f, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        },
    );
    engine.register_fn(
        "all",
        |context: NativeCallContext<'_>, node: &mut Node, f: FnPtr| -> Fallible<bool> {
            for item in as_list(node)?.items() {
                if !holds(&context, &f, item)? {
                    return Ok(false);
                }
            }
            Ok(true)
        },
    );
}
