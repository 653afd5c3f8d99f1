//! The state as text, and back.

use std::collections::HashMap;

use tongban_expr::Value;

use crate::held::{Held, Sharing};
use crate::instance::{FORMAT, Instance};

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
    /// The state as text; unchanging values heavier than `blob_above` bytes become blobs.
    #[must_use]
    pub fn to_state(&self, blob_above: u64) -> StoredState {
        let mut written = self.clone();
        let mut sharing = Sharing::default();
        written.each_held(&mut |held, _| sharing.count(held));
        written.each_held(&mut |held, change| sharing.replace(held, change, blob_above));
        written.shared = std::mem::take(&mut sharing.shared);
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
        let shared: Vec<Held> = std::mem::take(&mut read.shared)
            .into_iter()
            .map(Held::from)
            .collect();
        // A blob that stands in several places is one value again.
        let mut blobs: HashMap<String, Held> = HashMap::new();
        let mut failure = None;
        read.each_held(&mut |held, _| {
            let found = match &*held {
                Held::Own(..) => return,
                Held::Shared(n) => shared.get(*n as usize).cloned().ok_or_else(|| {
                    StateError::Broken(format!(
                        "shared value {n} of {} is referred to",
                        shared.len()
                    ))
                }),
                Held::Blob(digest) => match blobs.get(digest) {
                    Some(known) => Ok(known.clone()),
                    None => blob(digest)
                        .map(|value| Held::from_blob(value, digest))
                        .ok_or_else(|| StateError::NoBlob(digest.clone())),
                },
            };
            match (found, &*held) {
                (Ok(value), Held::Blob(digest)) => {
                    blobs.entry(digest.clone()).or_insert_with(|| value.clone());
                    *held = value;
                }
                (Ok(value), _) => *held = value,
                (Err(error), _) => {
                    failure.get_or_insert(error);
                }
            }
        });
        failure.map_or(Ok(read), Err)
    }

    /// About how many bytes the state takes, blobs left out.
    pub(crate) fn weight(&mut self) -> u64 {
        let mut sharing = Sharing::default();
        let mut weight = 0u64;
        self.each_held(&mut |held, change| {
            weight = weight.saturating_add(sharing.weigh(held, change, BLOB_ABOVE));
        });
        let inbox: u64 = self.inbox.iter().map(crate::event::Event::weight).sum();
        weight + inbox + 160 * self.frames.len() as u64 + 48 * self.trail.len() as u64
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
