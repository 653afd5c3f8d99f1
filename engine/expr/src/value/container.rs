//! Lists and objects that know their depth, their weight and whether they can
//! be stored.

use std::ops::Deref;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use rhai::ImmutableString;

use super::{DEPTH_MAX, FLOAT_END, Value, length};
use crate::meter::{self, Limit};

/// The entries of an object in their order.
pub type Map = IndexMap<ImmutableString, Value, RandomState>;

/// What a container knows of its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measure {
    /// 1 + the deepest child; never smaller than the truth.
    pub depth: u16,
    /// Bytes of the JSON text, exact unless it saturates. Inside a container
    /// every entry brings a comma with it, also the last.
    pub weight: u64,
    /// No text holds NUL, every number is finite and below `FLOAT_END`.
    pub clean: bool,
}

impl Measure {
    const EMPTY: Self = Self {
        depth: 1,
        weight: 2,
        clean: true,
    };

    fn add(&mut self, key: u64, child: &Value) {
        let inner = child.measure();
        self.depth = self.depth.max(inner.depth.saturating_add(1));
        self.weight = self
            .weight
            .saturating_add(inner.weight)
            .saturating_add(key + 1);
        self.clean &= inner.clean;
    }

    fn remove(&mut self, key: u64, child: &Value) {
        let inner = child.measure();
        self.weight = self
            .weight
            .saturating_sub(inner.weight)
            .saturating_sub(key + 1);
    }

    /// Stops a running evaluation that has built too much.
    fn enforce(self) {
        if self.depth > DEPTH_MAX {
            meter::stop_if_running(Limit::Depth);
        }
        meter::weigh(self.weight.saturating_sub(1));
    }

    /// What the outside sees: the last entry has no comma.
    fn closed(self, is_empty: bool) -> Self {
        Self {
            weight: self.weight.saturating_sub(u64::from(!is_empty)),
            ..self
        }
    }
}

impl Value {
    pub(super) fn measure(&self) -> Measure {
        let (weight, clean) = match self {
            Self::Null => (4, true),
            Self::Bool(b) => (if *b { 4 } else { 5 }, true),
            Self::Int(i) => (length::of_integer(*i), true),
            Self::Float(f) => (length::of_float(*f), f.abs() < FLOAT_END),
            Self::Str(s) => (length::of_text(s), !s.as_bytes().contains(&0)),
            Self::Arr(a) => return a.measure.closed(a.items.is_empty()),
            Self::Obj(o) => return o.measure.closed(o.map.is_empty()),
        };
        Measure {
            depth: 0,
            weight,
            clean,
        }
    }
}

/// A list with its measure.
pub struct Arr {
    measure: Measure,
    items: Vec<Value>,
}

impl Arr {
    pub(super) fn new(items: Vec<Value>) -> Self {
        let mut measure = Measure::EMPTY;
        for item in &items {
            measure.add(0, item);
        }
        measure.enforce();
        Self { measure, items }
    }

    pub(crate) fn into_items(self: Arc<Self>) -> Vec<Value> {
        match Arc::try_unwrap(self) {
            Ok(mut own) => std::mem::take(&mut own.items),
            Err(shared) => {
                meter::draw(16 * shared.items.len());
                shared.items.clone()
            }
        }
    }

    /// Puts `value` at `index`, which must exist, and gives the old one.
    pub(crate) fn replace(&mut self, index: usize, value: Value) -> Option<Value> {
        let place = self.items.get_mut(index)?;
        self.measure.add(0, &value);
        let old = std::mem::replace(place, value);
        self.measure.remove(0, &old);
        self.measure.enforce();
        Some(old)
    }

    pub(crate) fn remove(&mut self, index: usize) -> Option<Value> {
        if index >= self.items.len() {
            return None;
        }
        meter::spend((self.items.len() - index) / 64);
        let old = self.items.remove(index);
        self.measure.remove(0, &old);
        Some(old)
    }

    pub(crate) fn push(&mut self, value: Value) {
        meter::draw(16);
        self.measure.add(0, &value);
        self.measure.enforce();
        self.items.push(value);
    }
}

impl Clone for Arr {
    fn clone(&self) -> Self {
        meter::draw(24 + 16 * self.items.len());
        Self {
            measure: self.measure,
            items: self.items.clone(),
        }
    }
}

impl Deref for Arr {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items
    }
}

/// An object with its measure.
pub struct Obj {
    measure: Measure,
    map: Map,
}

impl Obj {
    pub(super) fn new(map: Map) -> Self {
        let mut measure = Measure::EMPTY;
        for (key, value) in &map {
            measure.add(key_weight(key), value);
            measure.clean &= !key.as_bytes().contains(&0);
        }
        measure.enforce();
        Self { measure, map }
    }

    /// Puts `value` under `key` (at the end when the key is new) and gives
    /// the old one.
    pub(crate) fn insert(&mut self, key: ImmutableString, value: Value) -> Option<Value> {
        meter::draw(32);
        let weight = key_weight(&key);
        self.measure.clean &= !key.as_bytes().contains(&0);
        self.measure.add(weight, &value);
        let old = self.map.insert(key, value);
        if let Some(old) = &old {
            self.measure.remove(weight, old);
        }
        self.measure.enforce();
        old
    }

    /// Takes an entry out; the order of the others stays.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Value> {
        meter::spend(self.map.len() / 64);
        let (key, old) = self.map.shift_remove_entry(key)?;
        self.measure.remove(key_weight(&key), &old);
        Some(old)
    }

    pub(crate) fn into_map(self: Arc<Self>) -> Map {
        match Arc::try_unwrap(self) {
            Ok(mut own) => std::mem::take(&mut own.map),
            Err(shared) => {
                meter::draw(48 * shared.map.len());
                shared.map.clone()
            }
        }
    }
}

/// The key's text and its colon.
fn key_weight(key: &str) -> u64 {
    length::of_text(key) + 1
}

impl Clone for Obj {
    fn clone(&self) -> Self {
        meter::draw(32 + 48 * self.map.len());
        Self {
            measure: self.measure,
            map: self.map.clone(),
        }
    }
}

impl Deref for Obj {
    type Target = Map;

    fn deref(&self) -> &Map {
        &self.map
    }
}
