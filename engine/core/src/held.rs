//! Values inside the state. In memory they share by reference count; in the stored text a value
//! that stands in several places is written once, and its large parts that do not change are left to
//! blobs.

use std::collections::HashMap;

use serde::de::{self, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tongban_expr::Value;

use crate::parts::{self, Known, Way, identity};

/// Values lighter than this are written where they stand.
const SHARED_FROM: u64 = 48;

/// What a reference to a blob takes in the stored text, about.
const REFERENCE_BYTES: u64 = 96;

/// A value of the state.
#[derive(Debug, Clone)]
pub(crate) enum Held {
    /// The value itself; in memory it is always this.
    Own(Value),
    /// In the stored text: the n-th shared value.
    Shared(u32),
    /// In the stored text: a blob's digest.
    Blob(String),
    /// In the stored text: the value with null in the place of parts that are in blobs.
    Cut(Value, Vec<(Way, String)>),
}

impl Default for Held {
    fn default() -> Self {
        Held::Own(Value::Null)
    }
}

impl From<Value> for Held {
    fn from(value: Value) -> Self {
        Held::Own(value)
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Held {
    /// The value. References exist only while the state is written or read.
    pub(crate) fn get(&self) -> &Value {
        match self {
            Held::Own(value) => value,
            Held::Shared(_) | Held::Blob(_) | Held::Cut(..) => &Value::Null,
        }
    }

    /// A clone of the value.
    pub(crate) fn value(&self) -> Value {
        self.get().clone()
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Held::Own(Value::Null))
    }
}

impl Serialize for Held {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Held::Own(value) => {
                let mut list = serializer.serialize_seq(Some(1))?;
                list.serialize_element(value)?;
                list.end()
            }
            Held::Cut(rest, parts) => {
                let mut list = serializer.serialize_seq(Some(1 + parts.len()))?;
                list.serialize_element(rest)?;
                for part in parts {
                    list.serialize_element(part)?;
                }
                list.end()
            }
            Held::Shared(n) => serializer.serialize_u32(*n),
            Held::Blob(digest) => serializer.serialize_str(digest),
        }
    }
}

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Held;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(
                    "[value, parts in blobs…], the number of a shared value or the digest of a blob",
                )
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Held, A::Error> {
                let value: tongban_expr::Value = list
                    .next_element()?
                    .ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let mut parts = Vec::new();
                while let Some(part) = list.next_element()? {
                    parts.push(part);
                }
                Ok(if parts.is_empty() {
                    Held::Own(value)
                } else {
                    Held::Cut(value, parts)
                })
            }
            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Held, E> {
                u32::try_from(n).map(Held::Shared).map_err(E::custom)
            }
            fn visit_str<E: de::Error>(self, digest: &str) -> Result<Held, E> {
                Ok(Held::Blob(digest.to_owned()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// What a value is to the state. [`Place::words`] says it when the state is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Input,
    Context,
    Form,
    Output,
    TaskInput,
    Collection,
    Branch,
    Consumed,
    Steps,
    Checkpoint,
    Answer,
}

impl Place {
    /// Whether the value is written anew again and again. A large part of it becomes a blob only once
    /// it has stayed what it was.
    fn changes(self) -> bool {
        self == Place::Context
    }

    /// For the message that the state is too large.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Place::Input => "the input",
            Place::Context => "the context (`export`)",
            Place::Form => "the form",
            Place::Output => "the output",
            Place::TaskInput => "inputs of tasks",
            Place::Collection => "the collections of `for`",
            Place::Branch => "outputs of ended branches of `fork`",
            Place::Consumed => "events that `listen` has consumed",
            Place::Steps => "outputs read through `steps`",
            Place::Checkpoint => "checkpoints of tasks that a return may go to",
            Place::Answer => "former answers kept for a return",
        }
    }
}

/// How the values of one state are written: which are shared and which are in blobs.
#[derive(Default)]
pub(crate) struct Sharing {
    seen: HashMap<usize, Seen>,
    /// The shared values, in the order of their numbers.
    pub(crate) shared: Vec<Held>,
    /// The blobs, by digest.
    pub(crate) blobs: Vec<(String, Value)>,
    /// The large parts of the state as it was written or read last.
    pub(crate) before: Known,
    /// The same as it is written now.
    pub(crate) now: Known,
}

#[derive(Clone)]
enum Seen {
    Once,
    Twice,
    As(Held),
}

impl Sharing {
    pub(crate) fn after(before: Known) -> Self {
        Self {
            before,
            ..Self::default()
        }
    }

    /// First pass: counts how often a value stands in the state.
    pub(crate) fn count(&mut self, held: &Held) {
        if let Some(key) = shareable(held.get()) {
            self.seen
                .entry(key)
                .and_modify(|seen| *seen = Seen::Twice)
                .or_insert(Seen::Once);
        }
    }

    /// Second pass: puts references in the place of a value that is shared or large.
    pub(crate) fn replace(&mut self, held: &mut Held, place: Place, blob_above: u64) {
        let value = held.value();
        let Some(key) = shareable(&value) else { return };
        let known = self.seen.get(&key).cloned().unwrap_or(Seen::Once);
        let written = match known {
            Seen::As(written) => written,
            seen => match (self.cut(&value, place, blob_above), seen) {
                (None, Seen::Once) => return,
                (Some(written @ Held::Blob(_)), _) | (Some(written), Seen::Once) => written,
                (written, _) => {
                    let n = u32::try_from(self.shared.len()).unwrap_or(u32::MAX);
                    self.shared.push(written.unwrap_or(Held::Own(value)));
                    Held::Shared(n)
                }
            },
        };
        self.seen.insert(key, Seen::As(written.clone()));
        *held = written;
    }

    /// The value with its large parts in blobs, if it has any that may go there.
    fn cut(&mut self, value: &Value, place: Place, blob_above: u64) -> Option<Held> {
        if value.weight() <= blob_above {
            return None;
        }
        let mut references = Vec::new();
        for (way, part) in parts::parts(value, blob_above, &self.before) {
            if place.changes() && !self.before.has(&part) && !self.now.has(&part) {
                self.now.remember(&part, None);
                continue;
            }
            let digest = self.digest(&part);
            references.push((way, digest));
        }
        match references.as_slice() {
            [] => None,
            [(way, digest)] if way.is_empty() => Some(Held::Blob(digest.clone())),
            _ => {
                let ways: Vec<_> = references.iter().map(|(way, _)| way.as_slice()).collect();
                Some(Held::Cut(parts::emptied(value, &ways), references))
            }
        }
    }

    /// The digest of a part, reckoned once however often the state is written.
    fn digest(&mut self, part: &Value) -> String {
        if let Some(digest) = self.now.digest(part) {
            return digest.clone();
        }
        let known = self.before.digest(part).cloned();
        let digest = known.unwrap_or_else(|| part.text_digest());
        self.now.remember(part, Some(digest.clone()));
        if !self.blobs.iter().any(|(known, _)| *known == digest) {
            self.blobs.push((digest.clone(), part.clone()));
        }
        digest
    }

    /// Bytes that a value takes in the stored text, counted on the first pass.
    pub(crate) fn weigh(&mut self, held: &Held, place: Place, blob_above: u64) -> u64 {
        let value = held.get();
        let weight = value.weight();
        let Some(key) = shareable(value) else {
            return weight;
        };
        if self.seen.insert(key, Seen::Once).is_some() {
            return 8;
        }
        if weight <= blob_above {
            return weight;
        }
        let mut left = weight;
        for (_, part) in parts::parts(value, blob_above, &self.before) {
            if !place.changes() {
                // The same part somewhere that changes will be a reference, too.
                self.now.remember(&part, None);
            } else if !self.before.has(&part) && !self.now.has(&part) {
                continue;
            }
            left = left.saturating_sub(part.weight()) + REFERENCE_BYTES;
        }
        left
    }
}

fn shareable(value: &Value) -> Option<usize> {
    if value.weight() < SHARED_FROM {
        None
    } else {
        identity(value)
    }
}
