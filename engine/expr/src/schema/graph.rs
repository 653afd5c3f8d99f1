//! A schema as a graph: which parts ask which others about the same value or about the values inside it, and what a check
//! costs by it when nothing is left out.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

/// Schemas of the standard, which come with the validator: so many parts ask about each value.
const STANDARD: &str = "https://json-schema.org/";
const STANDARD_COST: u64 = 64;
/// Pairs of a part and a value that are looked at before the look itself is too long.
const PAIRS_MAX: usize = 1_000_000;

/// The longest way through a schema that needs no look at the data, and the deepest that any check goes.
pub(super) const DEPTH_MAX: usize = 60_000;

/// Members that hold one schema, a list of them, or schemas by name, for the same value.
const SAME: [&str; 9] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
];
/// Members that hold a schema for each value inside.
const INSIDE: [&str; 6] = [
    "additionalProperties",
    "unevaluatedProperties",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "propertyNames",
];
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// One schema object.
#[derive(Debug, Default)]
struct Part {
    same: Vec<usize>,
    named: HashMap<String, usize>,
    in_order: Vec<usize>,
    inside: Vec<usize>,
    standard: bool,
}

/// The parts of a schema; the first is the schema itself.
#[derive(Debug)]
pub(super) struct Graph {
    parts: Vec<Part>,
}

/// What a check comes to: how often a part is asked about a value, and how deep one asks the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    pub cost: u64,
    pub depth: usize,
}

impl Extent {
    fn one(standard: bool) -> Self {
        let cost = if standard { STANDARD_COST } else { 1 };
        Self { cost, depth: 1 }
    }

    fn add(&mut self, below: Self) {
        self.cost = self.cost.saturating_add(below.cost);
        self.depth = self.depth.max(below.depth.saturating_add(1));
    }
}

impl Graph {
    /// Reads a schema; one with too many parts, or that leads where nobody can follow, is refused.
    pub fn of(document: &Json, most: usize) -> Result<Self, String> {
        let mut reading = Reading {
            document,
            known: HashMap::new(),
            waiting: Vec::new(),
            parts: Vec::new(),
        };
        reading.part(document, document);
        while let Some((at, schema, resource)) = reading.waiting.pop() {
            if reading.parts.len() > most {
                return Err(format!("a schema has at most {most} parts"));
            }
            reading.read(at, schema, resource)?;
        }
        Ok(Self {
            parts: reading.parts,
        })
    }

    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The whole schema with every reference followed; nothing when one leads back.
    pub fn extent(&self) -> Option<Extent> {
        let mut known: Vec<Option<Extent>> = vec![None; self.parts.len()];
        let mut open = vec![false; self.parts.len()];
        // By hand, since a chain may be longer than a stack is deep.
        let mut path = vec![(0, false)];
        while let Some((at, left)) = path.pop() {
            let part = self.parts.get(at)?;
            if left {
                let mut extent = Extent::one(part.standard);
                for below in part.below() {
                    extent.add((*known.get(below)?)?);
                }
                *known.get_mut(at)? = Some(extent);
                *open.get_mut(at)? = false;
                continue;
            }
            if known.get(at)?.is_some() {
                continue;
            }
            if std::mem::replace(open.get_mut(at)?, true) {
                return None;
            }
            path.push((at, true));
            for below in part.below().filter(|below| *below != at) {
                if *open.get(below)? {
                    return None;
                }
                path.push((below, false));
            }
            if part.below().any(|below| below == at) {
                return None;
            }
        }
        known.first().copied().flatten()
    }

    /// A check of these data; nothing when it costs more than `limit`.
    pub fn extent_over(&self, data: &Json, limit: u64) -> Option<Extent> {
        let mut look = Look {
            graph: self,
            limit,
            known: HashMap::new(),
        };
        let found = crate::deep::on_large_stack(|| look.at(0, data, 0)).ok()??;
        (found.cost <= limit).then_some(found)
    }
}

impl Part {
    fn below(&self) -> impl Iterator<Item = usize> + '_ {
        let same = self.same.iter().chain(&self.in_order).chain(&self.inside);
        same.copied().chain(self.named.values().copied())
    }
}

/// A look at data before they are checked.
struct Look<'g> {
    graph: &'g Graph,
    limit: u64,
    /// By part and place of the value; without an extent while it is being found out.
    known: HashMap<(usize, usize), Option<Extent>>,
}

impl Look<'_> {
    fn at(&mut self, at: usize, data: &Json, depth: usize) -> Option<Extent> {
        let key = (at, std::ptr::from_ref(data).addr());
        match self.known.get(&key) {
            Some(Some(extent)) => return Some(*extent),
            // The validator does not ask the same twice on one way down, either.
            Some(None) => return Some(Extent::one(false)),
            None => {}
        }
        if self.known.len() >= PAIRS_MAX || depth > DEPTH_MAX {
            return None;
        }
        self.known.insert(key, None);
        let part = self.graph.parts.get(at)?;
        let mut extent = Extent::one(part.standard);
        for below in &part.same {
            extent.add(self.at(*below, data, depth + 1)?);
        }
        match data {
            Json::Object(members) => {
                for (name, member) in members {
                    let own = part.named.get(name);
                    for below in own.into_iter().chain(&part.inside) {
                        extent.add(self.at(*below, member, depth + 1)?);
                    }
                }
            }
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let own = part.in_order.get(index).or(part.in_order.last());
                    for below in own.into_iter().chain(&part.inside) {
                        extent.add(self.at(*below, item, depth + 1)?);
                    }
                }
            }
            _ => {}
        }
        if extent.cost > self.limit {
            return None;
        }
        self.known.insert(key, Some(extent));
        Some(extent)
    }
}

/// A schema that is being read.
struct Reading<'d> {
    document: &'d Json,
    /// By place in the document.
    known: HashMap<usize, usize>,
    waiting: Vec<(usize, &'d Json, &'d Json)>,
    parts: Vec<Part>,
}

impl<'d> Reading<'d> {
    /// The number of a schema; `resource` is what its references count from.
    fn part(&mut self, schema: &'d Json, resource: &'d Json) -> usize {
        let place = std::ptr::from_ref(schema).addr();
        if let Some(known) = self.known.get(&place) {
            return *known;
        }
        let at = self.parts.len();
        self.parts.push(Part::default());
        self.known.insert(place, at);
        self.waiting.push((at, schema, resource));
        at
    }

    fn read(&mut self, at: usize, schema: &'d Json, resource: &'d Json) -> Result<(), String> {
        let Json::Object(members) = schema else {
            return Ok(());
        };
        let resource = if members.contains_key("$id") {
            schema
        } else {
            resource
        };
        let mut part = Part::default();
        for (name, member) in members {
            match (name.as_str(), member) {
                ("properties", Json::Object(named)) => {
                    for (name, schema) in named {
                        let at = self.part(schema, resource);
                        part.named.insert(name.clone(), at);
                    }
                }
                ("patternProperties", Json::Object(named)) => part
                    .inside
                    .extend(named.values().map(|schema| self.part(schema, resource))),
                ("prefixItems" | "items", Json::Array(items)) => {
                    let items = items.iter().map(|schema| self.part(schema, resource));
                    part.in_order.splice(0..0, items.collect::<Vec<_>>());
                }
                ("items", other) => part.in_order.push(self.part(other, resource)),
                (name, member) if REFERENCES.contains(&name) => {
                    let target = member.as_str().unwrap_or_default();
                    if target.starts_with(STANDARD) {
                        part.standard = true;
                    } else {
                        let (schema, resource) = self.target(target, resource)?;
                        part.same.push(self.part(schema, resource));
                    }
                }
                (name, member) if SAME.contains(&name) => {
                    self.several(member, resource, &mut part.same);
                }
                (name, member) if INSIDE.contains(&name) => {
                    part.inside.push(self.part(member, resource));
                }
                _ => {}
            }
        }
        if members.keys().any(|name| name.starts_with("unevaluated")) {
            // What was evaluated is found out by asking once more.
            part.same.extend_from_within(..);
        }
        if let Some(place) = self.parts.get_mut(at) {
            *place = part;
        }
        Ok(())
    }

    fn several(&mut self, member: &'d Json, resource: &'d Json, into: &mut Vec<usize>) {
        match member {
            Json::Array(schemas) => {
                into.extend(schemas.iter().map(|schema| self.part(schema, resource)));
            }
            Json::Object(named)
                if named
                    .values()
                    .all(|inner| inner.is_object() || inner.is_array()) =>
            {
                // `not` and its like hold a schema, `dependentSchemas` schemas by name: both readings lead on.
                into.push(self.part(member, resource));
                into.extend(named.values().map(|schema| self.part(schema, resource)));
            }
            other => into.push(self.part(other, resource)),
        }
    }

    /// What a reference leads to, and what references there count from.
    fn target(&self, target: &str, resource: &'d Json) -> Result<(&'d Json, &'d Json), String> {
        let (base, pointer) = target.split_once('#').unwrap_or((target, ""));
        let from = match base {
            "" => Some(resource),
            base => identified(self.document, base),
        };
        let pointer = decoded(pointer);
        let found = from.and_then(|from| match pointer.strip_prefix('/') {
            None if pointer.is_empty() => Some((from, from)),
            None => anchored(from, &pointer).map(|found| (found, from)),
            Some(_) => from.pointer(&pointer).map(|found| (found, from)),
        });
        found.ok_or_else(|| format!("`$ref: {target}` leads nowhere in this schema"))
    }
}

/// The schema that calls itself so, by its whole name or the end of it.
fn identified<'d>(schema: &'d Json, name: &str) -> Option<&'d Json> {
    let named = |members: &Map<String, Json>| {
        let id = members.get("$id").and_then(Json::as_str);
        id.is_some_and(|id| {
            let (id, name) = (id.trim_end_matches('#'), name.trim_start_matches("./"));
            id == name || id.ends_with(&format!("/{name}")) || name.ends_with(&format!("/{id}"))
        })
    };
    sought(schema, &named)
}

fn anchored<'d>(schema: &'d Json, name: &str) -> Option<&'d Json> {
    let named = |members: &Map<String, Json>| {
        ["$anchor", "$dynamicAnchor"]
            .iter()
            .any(|keyword| members.get(*keyword).and_then(Json::as_str) == Some(name))
    };
    sought(schema, &named)
}

fn sought<'d>(from: &'d Json, found: &impl Fn(&Map<String, Json>) -> bool) -> Option<&'d Json> {
    match from {
        Json::Object(members) if found(members) => Some(from),
        Json::Object(members) => members.values().find_map(|inner| sought(inner, found)),
        Json::Array(items) => items.iter().find_map(|inner| sought(inner, found)),
        _ => None,
    }
}

/// A pointer without the escapes of an address.
fn decoded(pointer: &str) -> String {
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut parts = pointer.split('%');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let value = part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (value, part.get(2..)) {
            (Some(value), Some(rest)) => {
                bytes.push(value);
                bytes.extend(rest.bytes());
            }
            _ => {
                bytes.push(b'%');
                bytes.extend(part.bytes());
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| pointer.to_owned())
}
