//! Values inside the state. In memory they share by reference count; in the stored text a value
//! that stands in several places is written once, and a large one that does not change is left to
//! a blob.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde::de::{self, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tongban_expr::Value;

/// Values lighter than this are written where they stand.
const SHARED_FROM: u64 = 48;

/// Values heavier than this remember their digest.
const DIGEST_FROM: u64 = 4 << 10;

/// A value of the state.
#[derive(Debug, Clone)]
pub(crate) enum Held {
    /// The value itself; in memory it is always this.
    Own(Value, Option<Digest>),
    /// In the stored text: the n-th shared value.
    Shared(u32),
    /// In the stored text: a blob's digest.
    Blob(String),
}

/// The digest of a large value, reckoned once however often the state is written.
pub(crate) type Digest = Arc<OnceLock<String>>;

impl Default for Held {
    fn default() -> Self {
        Held::Own(Value::Null, None)
    }
}

impl From<Value> for Held {
    fn from(value: Value) -> Self {
        let digest = (value.weight() > DIGEST_FROM).then(Digest::default);
        Held::Own(value, digest)
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Held {
    /// A value that came from a blob.
    pub(crate) fn from_blob(value: Value, digest: &str) -> Self {
        Held::Own(value, Some(Arc::new(OnceLock::from(digest.to_owned()))))
    }

    /// The value. References exist only while the state is written or read.
    pub(crate) fn get(&self) -> &Value {
        match self {
            Held::Own(value, _) => value,
            Held::Shared(_) | Held::Blob(_) => &Value::Null,
        }
    }

    /// A clone of the value.
    pub(crate) fn value(&self) -> Value {
        self.get().clone()
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Held::Own(Value::Null, _))
    }

    fn digest(&self) -> String {
        match self {
            Held::Own(value, Some(digest)) => digest.get_or_init(|| value.digest()).clone(),
            other => other.get().digest(),
        }
    }
}

impl Serialize for Held {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Held::Own(value, _) => {
                let mut list = serializer.serialize_seq(Some(1))?;
                list.serialize_element(value)?;
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
                formatter.write_str("[value], the number of a shared value or the digest of a blob")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Held, A::Error> {
                let value: tongban_expr::Value = list
                    .next_element()?
                    .ok_or_else(|| de::Error::invalid_length(0, &self))?;
                Ok(Held::from(value))
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

/// Whether a value may become a blob: only what does not change from step to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Stays as it is while it lives.
    Fixed,
    /// Written anew again and again: always in the state itself.
    Often,
}

/// The identity of a text or container: two clones of one value have the same.
fn identity(value: &Value) -> Option<usize> {
    match value {
        Value::Arr(list) => Some(Arc::as_ptr(list).cast::<u8>() as usize),
        Value::Obj(object) => Some(Arc::as_ptr(object).cast::<u8>() as usize),
        Value::Str(text) => Some(text.as_str().as_ptr() as usize),
        _ => None,
    }
}

/// How the values of one state are written: which are shared and which are blobs.
#[derive(Default)]
pub(crate) struct Sharing {
    seen: HashMap<usize, Seen>,
    /// The shared values, in the order of their numbers.
    pub(crate) shared: Vec<Value>,
    /// The blobs, by digest.
    pub(crate) blobs: Vec<(String, Value)>,
}

#[derive(Clone)]
enum Seen {
    Once,
    Twice,
    As(Held),
}

impl Sharing {
    /// First pass: counts how often a value stands in the state.
    pub(crate) fn count(&mut self, held: &Held) {
        if let Some(key) = shareable(held.get()) {
            self.seen
                .entry(key)
                .and_modify(|seen| *seen = Seen::Twice)
                .or_insert(Seen::Once);
        }
    }

    /// Second pass: puts a reference in the place of a value that is shared or large.
    pub(crate) fn replace(&mut self, held: &mut Held, change: Change, blob_above: u64) {
        let value = held.value();
        let Some(key) = shareable(&value) else { return };
        let known = self.seen.get(&key).cloned().unwrap_or(Seen::Once);
        let blob = change == Change::Fixed && value.weight() > blob_above;
        let written = match known {
            Seen::As(written) => written,
            Seen::Once if !blob => return,
            _ if blob => {
                let digest = held.digest();
                self.blobs.push((digest.clone(), value));
                Held::Blob(digest)
            }
            _ => {
                let n = u32::try_from(self.shared.len()).unwrap_or(u32::MAX);
                self.shared.push(value);
                Held::Shared(n)
            }
        };
        self.seen.insert(key, Seen::As(written.clone()));
        *held = written;
    }

    /// Bytes that the values take in the stored text, counted on the first pass.
    pub(crate) fn weigh(&mut self, held: &Held, change: Change, blob_above: u64) -> u64 {
        let value = held.get();
        let Some(key) = shareable(value) else {
            return value.weight();
        };
        if self.seen.insert(key, Seen::Once).is_some()
            || (change == Change::Fixed && value.weight() > blob_above)
        {
            return 8;
        }
        value.weight()
    }
}

fn shareable(value: &Value) -> Option<usize> {
    if value.weight() < SHARED_FROM {
        None
    } else {
        identity(value)
    }
}
