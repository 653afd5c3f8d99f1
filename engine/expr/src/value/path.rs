//! Paths such as `rows[0].name`: names joined by `.`, indexes in brackets,
//! other keys as `["a key"]`.

use std::sync::Arc;

use super::Value;

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A key of an object.
    Key(String),
    /// An index of a list.
    Index(usize),
}

/// Why a path cannot be followed or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The text is not a path.
    #[error("`{0}` is not a path: expected names joined by dots, with indexes as `[0]`")]
    Malformed(String),
    /// A list ends before the index.
    #[error("`{path}`: the list has {len} elements, index {index} is beyond its end")]
    Beyond {
        /// The whole path.
        path: String,
        /// The index asked for.
        index: usize,
        /// The length of the list.
        len: usize,
    },
    /// A key was asked of a list, or an index of an object, or either of a
    /// plain value.
    #[error("`{path}`: expected {expected}, found {found}")]
    Kind {
        /// The whole path.
        path: String,
        /// `an object` or `a list`.
        expected: &'static str,
        /// The kind found.
        found: &'static str,
    },
}

/// Splits a path into its segments; the empty path has none.
///
/// # Errors
/// [`PathError::Malformed`].
pub fn segments(path: &str) -> Result<Vec<Segment>, PathError> {
    let malformed = || PathError::Malformed(path.to_owned());
    let mut found = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (segment, after) = bracket(inner).ok_or_else(malformed)?;
            found.push(segment);
            rest = after;
        } else {
            let name = match rest.strip_prefix('.') {
                Some(name) if !found.is_empty() => name,
                None if found.is_empty() => rest,
                _ => return Err(malformed()),
            };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (key, after) = name.split_at(end);
            if key.is_empty() {
                return Err(malformed());
            }
            found.push(Segment::Key(key.to_owned()));
            rest = after;
        }
    }
    Ok(found)
}

/// Reads what follows `[`, to the closing bracket.
fn bracket(inner: &str) -> Option<(Segment, &str)> {
    if let Some(quoted) = inner.strip_prefix('"') {
        let (key, after) = quoted.split_once("\"]")?;
        return Some((Segment::Key(key.to_owned()), after));
    }
    let (digits, after) = inner.split_once(']')?;
    let index = digits.parse().ok()?;
    Some((Segment::Index(index), after))
}

impl Value {
    /// Gives the value at a path such as `rows[0].name`; the empty path is
    /// the value itself.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Self> {
        if path.is_empty() {
            return Some(self);
        }
        // Most paths are plain names: no need to allocate segments.
        if !path.contains('[') {
            return path.split('.').try_fold(self, |value, key| value.get(key));
        }
        segments(path)
            .ok()?
            .iter()
            .try_fold(self, |value, segment| match segment {
                Segment::Key(key) => value.get(key),
                Segment::Index(index) => value.item(*index),
            })
    }

    /// Puts `value` at a path. Missing objects on the way are made; an index
    /// equal to the length appends. Others who share the value keep the old
    /// one.
    ///
    /// # Errors
    /// [`PathError`]; the value is then unchanged.
    pub fn set_at(&mut self, path: &str, value: impl Into<Self>) -> Result<(), PathError> {
        let segments = segments(path)?;
        let mut changed = self.clone();
        put(&mut changed, &segments, value.into(), path)?;
        *self = changed;
        Ok(())
    }
}

fn put(into: &mut Value, segments: &[Segment], value: Value, path: &str) -> Result<(), PathError> {
    let Some((first, rest)) = segments.split_first() else {
        *into = value;
        return Ok(());
    };
    match first {
        Segment::Key(key) => put_key(into, key, rest, value, path),
        Segment::Index(index) => put_index(into, *index, rest, value, path),
    }
}

fn put_key(
    into: &mut Value,
    key: &str,
    rest: &[Segment],
    value: Value,
    path: &str,
) -> Result<(), PathError> {
    if !matches!(into, Value::Null | Value::Obj(_)) {
        return Err(PathError::Kind {
            path: path.to_owned(),
            expected: "an object",
            found: into.kind_name(),
        });
    }
    let mut child = into.get(key).cloned().unwrap_or_default();
    put(&mut child, rest, value, path)?;
    into.set(key, child);
    Ok(())
}

fn put_index(
    into: &mut Value,
    index: usize,
    rest: &[Segment],
    value: Value,
    path: &str,
) -> Result<(), PathError> {
    let found = into.kind_name();
    let beyond = |len| PathError::Beyond {
        path: path.to_owned(),
        index,
        len,
    };
    match into {
        Value::Null if index == 0 => {
            let mut child = Value::Null;
            put(&mut child, rest, value, path)?;
            *into = Value::list(vec![child]);
            Ok(())
        }
        Value::Null => Err(beyond(0)),
        Value::Arr(list) => {
            let len = list.len();
            let mut child = match list.get(index) {
                Some(child) => child.clone(),
                None if index == len => Value::Null,
                None => return Err(beyond(len)),
            };
            put(&mut child, rest, value, path)?;
            let list = Arc::make_mut(list);
            if index == len {
                list.push(child);
            } else {
                list.replace(index, child);
            }
            Ok(())
        }
        _ => Err(PathError::Kind {
            path: path.to_owned(),
            expected: "a list",
            found,
        }),
    }
}
