//! Lists, objects and parameters as rhai sees them. Plain values become rhai's own.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Position};

use crate::jq::within;
use crate::value::{Arr, Obj};
use crate::{Value, meter};

/// A list or an object.
#[derive(Clone)]
pub(super) struct Node(pub Value);

/// The parameters of the running case, resolved.
#[derive(Clone)]
pub(super) struct Params(pub Value);

pub(super) type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn fail<T>(message: impl Into<String>) -> Fallible<T> {
    let message: String = message.into();
    Err(message.into())
}

/// Gives a value to rhai.
pub(super) fn to_dynamic(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(b) => b.into(),
        Value::Int(i) => i.into(),
        Value::Float(f) => f.into(),
        Value::Str(s) => s.into(),
        container @ (Value::Arr(_) | Value::Obj(_)) => Dynamic::from(Node(container)),
    }
}

/// Takes a value from rhai.
pub(super) fn from_dynamic(value: Dynamic) -> Fallible<Value> {
    meter::step();
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(b) = value.as_bool() {
        return Ok(Value::Bool(b));
    }
    if let Ok(i) = value.as_int() {
        return Ok(Value::Int(i));
    }
    if let Ok(f) = value.as_float() {
        return Ok(Value::Float(f));
    }
    if let Ok(c) = value.as_char() {
        return Ok(Value::from(c.encode_utf8(&mut [0; 4]) as &str));
    }
    if value.is_decimal() {
        let text = value.to_string();
        return Ok(text
            .parse()
            .map_or_else(|_| Value::from(text), Value::Float));
    }
    let value = match value.try_cast_result::<ImmutableString>() {
        Ok(text) => return Ok(Value::Str(text)),
        Err(value) => value,
    };
    let value = match value.try_cast_result::<Node>() {
        Ok(node) => return Ok(node.0),
        Err(value) => value,
    };
    let value = match value.try_cast_result::<Params>() {
        Ok(params) => return Ok(crate::parameters::values(&params.0)),
        Err(value) => value,
    };
    let value = match value.try_cast_result::<Array>() {
        Ok(items) => return list_from(items),
        Err(value) => value,
    };
    match value.try_cast_result::<rhai::Map>() {
        Ok(map) => {
            let mut entries = crate::Map::default();
            for (key, value) in map {
                entries.insert(key.as_str().into(), from_dynamic(value)?);
            }
            Ok(Value::from_entries(entries))
        }
        Err(other) => fail(format!(
            "a {} cannot be a result: expected a text, a number, a list, an object …",
            kind(&other)
        )),
    }
}

pub(super) fn list_from(items: Array) -> Fallible<Value> {
    meter::draw(16 * items.len());
    let items: Result<Vec<Value>, _> = items.into_iter().map(from_dynamic).collect();
    items.map(Value::list)
}

/// Names the kind of a value for people.
pub(super) fn kind(value: &Dynamic) -> &'static str {
    match value.type_name() {
        "()" => "null",
        "bool" => "boolean",
        "i64" => "integer",
        "f64" => "number",
        "string" | "char" => "text",
        "array" => "list",
        "map" => "object",
        "Fn" => "function",
        _ => value
            .read_lock::<Node>()
            .map_or("function's own value", |node| node.0.kind_name()),
    }
}

impl Node {
    /// Gives a property; null when it is not there.
    fn property(&mut self, name: &str) -> Fallible<Dynamic> {
        match &self.0 {
            Value::Obj(object) => Ok(object
                .get(name)
                .map_or(Dynamic::UNIT, |value| to_dynamic(value.clone()))),
            _ => fail(format!(
                "a list has no `{name}`; take `pluck(\"{name}\")`, an element by `[0]`, or `{name}()` if it is a function"
            )),
        }
    }

    fn element(&mut self, index: i64) -> Fallible<Dynamic> {
        match &self.0 {
            Value::Arr(list) => Ok(within(index, list.len())
                .and_then(|at| list.get(at).cloned())
                .map_or(Dynamic::UNIT, to_dynamic)),
            _ => fail(format!(
                "an object has no element [{index}]; name a property"
            )),
        }
    }

    fn has(&mut self, wanted: Dynamic) -> Fallible<bool> {
        let wanted = from_dynamic(wanted)?;
        match &self.0 {
            Value::Obj(object) => match &wanted {
                Value::Str(key) => Ok(object.contains_key(key.as_str())),
                _ => fail("an object contains texts only, its keys"),
            },
            other => Ok(other.items().any(|item| *item == wanted)),
        }
    }

    fn joined(self, other: Dynamic) -> Fallible<Dynamic> {
        let other = from_dynamic(other)?;
        match (&self.0, &other) {
            (Value::Arr(_), Value::Arr(_)) | (Value::Obj(_), Value::Obj(_)) => (self.0 + other)
                .map(to_dynamic)
                .or_else(|error| fail(error.to_string())),
            (left, right) => fail(format!(
                "cannot add a {} and a {}",
                left.kind_name(),
                right.kind_name()
            )),
        }
    }
}

/// Iterates without copying: elements of a list, keys of an object.
impl IntoIterator for Node {
    type Item = Dynamic;
    type IntoIter = Walk;

    fn into_iter(self) -> Walk {
        match self.0 {
            Value::Arr(list) => Walk::List(list, 0),
            Value::Obj(object) => Walk::Keys(object, 0),
            _ => Walk::End,
        }
    }
}

pub(super) enum Walk {
    List(Arc<Arr>, usize),
    Keys(Arc<Obj>, usize),
    End,
}

impl Iterator for Walk {
    type Item = Dynamic;

    fn next(&mut self) -> Option<Dynamic> {
        meter::tick();
        match self {
            Self::List(list, next) => {
                let item = list.get(*next)?.clone();
                *next += 1;
                Some(to_dynamic(item))
            }
            Self::Keys(object, next) => {
                let (key, _) = object.get_index(*next)?;
                *next += 1;
                Some(key.clone().into())
            }
            Self::End => None,
        }
    }
}

/// Names that packs use often: a registered getter is found at once, any
/// other property only after a failed search for one.
const FREQUENT: [&str; 60] = [
    "id",
    "name",
    "title",
    "number",
    "outcome",
    "status",
    "by",
    "at",
    "comment",
    "reason",
    "data",
    "record",
    "records",
    "rows",
    "items",
    "members",
    "applicant",
    "unit",
    "user",
    "level",
    "type",
    "code",
    "value",
    "total",
    "form",
    "steps",
    "input",
    "output",
    "starter",
    "identity",
    "sharing",
    "mode",
    "basis",
    "provider",
    "resource",
    "owner",
    "holder",
    "fields",
    "purpose",
    "area",
    "street",
    "grid",
    "period",
    "sources",
    "source",
    "fetchedAt",
    "trace",
    "verdict",
    "result",
    "decisions",
    "round",
    "answers",
    "url",
    "from",
    "to",
    "startedAt",
    "startedOn",
    "due",
    "keys",
    "each",
];

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Node>("value");
    engine.register_iterator::<Node>();
    for name in FREQUENT {
        engine.register_get(name, move |node: &mut Node| node.property(name));
    }
    engine.register_indexer_get(|node: &mut Node, name: ImmutableString| node.property(&name));
    engine.register_indexer_get(|node: &mut Node, index: i64| node.element(index));
    engine.register_fn("contains", |node: &mut Node, wanted: Dynamic| {
        node.has(wanted)
    });
    engine.register_fn("to_string", |node: &mut Node| node.0.to_json());
    engine.register_fn("to_debug", |node: &mut Node| node.0.to_json());
    engine.register_fn("to_json", |node: &mut Node| node.0.to_json());
    register_equality(engine);
    register_refusals(engine);
    engine.register_fn("+", |left: Node, right: Node| {
        left.joined(Dynamic::from(right))
    });
    engine.register_fn("+", |left: Node, right: Array| left.joined(right.into()));
    engine.register_fn("+", |left: Node, right: rhai::Map| {
        left.joined(right.into())
    });
    engine.register_fn("+", |left: Array, right: Node| {
        Node(list_from(left)?).joined(Dynamic::from(right))
    });
    engine.register_fn("+", |left: rhai::Map, right: Node| {
        Node(from_dynamic(left.into())?).joined(Dynamic::from(right))
    });
}

/// Containers equal containers by their contents, whoever made them, in both
/// orders: rhai silently answers false where no operator is registered.
fn register_equality(engine: &mut Engine) {
    fn equal(left: Dynamic, right: Dynamic) -> Fallible<bool> {
        Ok(from_dynamic(left)? == from_dynamic(right)?)
    }
    macro_rules! both {
        ($other:ty) => {
            engine.register_fn("==", |x: Node, y: $other| {
                equal(Dynamic::from(x), Dynamic::from(y))
            });
            engine.register_fn("==", |x: $other, y: Node| {
                equal(Dynamic::from(x), Dynamic::from(y))
            });
            engine.register_fn("!=", |x: Node, y: $other| {
                equal(Dynamic::from(x), Dynamic::from(y)).map(|same| !same)
            });
            engine.register_fn("!=", |x: $other, y: Node| {
                equal(Dynamic::from(x), Dynamic::from(y)).map(|same| !same)
            });
        };
    }
    engine.register_fn("==", |x: Node, y: Node| x.0 == y.0);
    engine.register_fn("!=", |x: Node, y: Node| x.0 != y.0);
    both!(Array);
    both!(rhai::Map);
    both!(());
}

/// A container compared with a plain value is a mistake: it would be false
/// for ever.
fn register_refusals(engine: &mut Engine) {
    fn refuse(node: &Node, operator: &str, other: &str) -> Fallible<bool> {
        Err(EvalAltResult::ErrorRuntime(
            format!(
                "cannot compare a {} with a {other} by `{operator}`; name a property, or take `contains(…)`",
                node.0.kind_name()
            )
            .into(),
            Position::NONE,
        )
        .into())
    }
    macro_rules! both {
        ($operator:literal, $other:ty, $kind:literal) => {
            engine.register_fn($operator, |x: Node, _: $other| refuse(&x, $operator, $kind));
            engine.register_fn($operator, |_: $other, y: Node| refuse(&y, $operator, $kind));
        };
    }
    macro_rules! with_every_kind {
        ($($operator:literal),*) => {$(
            both!($operator, ImmutableString, "text");
            both!($operator, char, "text");
            both!($operator, i64, "integer");
            both!($operator, f64, "number");
            both!($operator, bool, "boolean");
        )*};
    }
    macro_rules! order {
        ($($operator:literal),*) => {$(
            both!($operator, (), "null");
            both!($operator, Array, "list");
            both!($operator, rhai::Map, "object");
            engine.register_fn($operator, |x: Node, y: Node| {
                refuse(&x, $operator, y.0.kind_name())
            });
        )*};
    }
    with_every_kind!("==", "!=", "<", "<=", ">", ">=");
    order!("<", "<=", ">", ">=");
}
