//! The state as text, and back.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tongban_expr::Value;

use crate::error::{Error, ErrorKind};
use crate::held::{Held, Place, Sharing};
use crate::instance::{FORMAT, Instance};
use crate::machine::STATE_MAX;
use crate::parts::{Known, put_back};

/// Values heavier than this are left to blobs by [`Instance::to_state`] when nothing else is said.
pub const BLOB_ABOVE: u64 = 16 << 10;

/// An instance as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredState {
    /// The format, for the column of that name.
    pub format: u32,
    /// The state, JSON text.
    pub body: String,
    /// Large values that the body refers to, by digest. They never change.
    pub blobs: Vec<(String, Value)>,
}

/// Why a stored state cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It was written by a newer release.
    #[error("the state has format {0}, this release reads up to {FORMAT}")]
    Newer(u32),
    /// It is not a state.
    #[error("the state cannot be read: {0}")]
    Broken(String),
    /// A blob is not there.
    #[error("the state refers to the blob {0}, which is not there")]
    NoBlob(String),
}

impl Instance {
    /// The state as text; unchanging parts of values heavier than `blob_above` bytes become blobs.
    #[must_use]
    pub fn to_state(&self, blob_above: u64) -> StoredState {
        let mut written = self.clone();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sharing = Sharing::after(std::mem::take(&mut known));
        written.each_held(&mut |held, _| sharing.count(held));
        written.each_held(&mut |held, place| sharing.replace(held, place, blob_above));
        written.shared = std::mem::take(&mut sharing.shared);
        *known = sharing.now;
        let body = serde_json::to_string(&written)
            .expect("plain data with text keys always has a JSON text");
        StoredState {
            format: self.format,
            body,
            blobs: sharing.blobs,
        }
    }

    /// Reads a stored state; `blob` gives a blob by its digest.
    ///
    /// # Errors
    /// When the text is no state, is of a newer format, or a blob is missing.
    pub fn from_state(
        body: &str,
        blob: &mut dyn FnMut(&str) -> Option<Value>,
    ) -> Result<Self, StateError> {
        let mut read: Self = serde_json::from_str(body).map_err(|error| match format_of(body) {
            Some(format) if format > FORMAT => StateError::Newer(format),
            _ => StateError::Broken(error.to_string()),
        })?;
        if read.format > FORMAT {
            return Err(StateError::Newer(read.format));
        }
        let mut blobs = Blobs {
            shared: std::mem::take(&mut read.shared),
            fetched: HashMap::new(),
            fetch: blob,
        };
        let mut failure = None;
        read.each_held(&mut |held, _| match blobs.whole(held) {
            Ok(Some(value)) => *held = Held::Own(value),
            Ok(None) => {}
            Err(error) => {
                failure.get_or_insert(error);
            }
        });
        let mut known = Known::default();
        for (digest, value) in blobs.fetched {
            known.remember(&value, Some(digest));
        }
        read.known = Arc::new(Mutex::new(known));
        failure.map_or(Ok(read), Err)
    }

    /// Whether the state has room for an exported context: tasks may catch that it has not.
    pub(crate) fn fits_context(&self, context: &Value) -> Result<(), Error> {
        if context.weight() <= STATE_MAX {
            return Ok(());
        }
        let mut whole = self.clone();
        let mut sharing = whole.weighed(&mut |_, _| {});
        let found = sharing.weigh(&Held::from(context.clone()), Place::Context, BLOB_ABOVE);
        if found <= STATE_MAX {
            return Ok(());
        }
        let detail = format!(
            "the exported context takes {found} bytes of the state, at most {STATE_MAX} (1 MiB) are allowed; export less, or keep the data in an output"
        );
        Err(Error::new(ErrorKind::Runtime, detail))
    }

    /// Weighs every value. Large parts that do not change are known from then on: the next time nobody looks for parts
    /// of theirs.
    fn weighed(&mut self, note: &mut dyn FnMut(Place, u64)) -> Sharing {
        let known = Arc::clone(&self.known);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sharing = Sharing::after(known.clone());
        self.each_held(&mut |held, place| note(place, sharing.weigh(held, place, BLOB_ABOVE)));
        known.learn(sharing.now.clone());
        sharing
    }

    /// About how many bytes the state takes, blobs left out, and what takes them.
    pub(crate) fn weight(&mut self) -> Weight {
        let mut places: BTreeMap<Place, u64> = BTreeMap::new();
        self.weighed(&mut |place, bytes| *places.entry(place).or_default() += bytes);
        let mut parts: Vec<(&'static str, u64)> = places
            .into_iter()
            .map(|(place, bytes)| (place.words(), bytes))
            .collect();
        let inbox = self.inbox.iter().map(crate::event::Event::weight).sum();
        parts.push(("events that wait for the resumption", inbox));
        let frames = 160 * self.frames.len() as u64 + 48 * self.trail.len() as u64;
        parts.push(("its live tasks", frames));
        parts.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        Weight { parts }
    }
}

/// What a state takes, the most first.
pub(crate) struct Weight {
    parts: Vec<(&'static str, u64)>,
}

impl Weight {
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }

    /// The two that take the most, in words.
    pub(crate) fn heaviest(&self) -> String {
        let heavy = self.parts.iter().take(2).filter(|(_, bytes)| *bytes > 0);
        let words: Vec<String> = heavy
            .map(|(what, bytes)| format!("{what} {bytes} bytes"))
            .collect();
        words.join(", ")
    }
}

/// What the references of a stored state stand for.
struct Blobs<'f> {
    shared: Vec<Held>,
    /// A blob that stands in several places is one value again.
    fetched: HashMap<String, Value>,
    fetch: &'f mut dyn FnMut(&str) -> Option<Value>,
}

impl Blobs<'_> {
    /// The value of a reference; nothing for a value that stands where it is.
    fn whole(&mut self, held: &Held) -> Result<Option<Value>, StateError> {
        match held {
            Held::Own(_) => Ok(None),
            Held::Shared(n) => {
                let shared = self.shared.get(*n as usize).cloned();
                let shared = shared.filter(|shared| !matches!(shared, Held::Shared(_)));
                let shared = shared.ok_or_else(|| {
                    let count = self.shared.len();
                    StateError::Broken(format!("shared value {n} of {count} is referred to"))
                })?;
                let value = self.whole(&shared)?.unwrap_or_else(|| shared.value());
                // Whoever refers to it next has the same value, not one like it.
                if let Some(place) = self.shared.get_mut(*n as usize) {
                    *place = Held::Own(value.clone());
                }
                Ok(Some(value))
            }
            Held::Blob(digest) => self.blob(digest).map(Some),
            Held::Cut(rest, parts) => {
                let mut whole = rest.clone();
                for (way, digest) in parts {
                    whole = put_back(&whole, way, self.blob(digest)?).ok_or_else(|| {
                        StateError::Broken(format!("the blob {digest} has no place in its value"))
                    })?;
                }
                Ok(Some(whole))
            }
        }
    }

    fn blob(&mut self, digest: &str) -> Result<Value, StateError> {
        if let Some(known) = self.fetched.get(digest) {
            return Ok(known.clone());
        }
        let value = (self.fetch)(digest).ok_or_else(|| StateError::NoBlob(digest.to_owned()))?;
        self.fetched.insert(digest.to_owned(), value.clone());
        Ok(value)
    }
}

fn format_of(body: &str) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    serde_json::from_str::<Format>(body)
        .ok()
        .map(|read| read.format)
}
