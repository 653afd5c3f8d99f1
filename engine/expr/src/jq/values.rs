//! What jaq asks of a value.

use std::ops::Range;
use std::sync::Arc;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::{Error, Exn, ValR, ValX};
use rhai::ImmutableString;

use crate::Value;
use crate::meter;
use crate::value::{Arr, Map, Obj};

impl From<Range<Option<Self>>> for Value {
    fn from(range: Range<Option<Self>>) -> Self {
        let ends = [("start", range.start), ("end", range.end)];
        Self::object(
            ends.into_iter()
                .filter_map(|(name, end)| Some((name, end?))),
        )
    }
}

/// Gives the elements of a shared list one by one, without copying it.
struct Items {
    list: Arc<Arr>,
    next: usize,
}

impl Iterator for Items {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        meter::tick();
        let item = self.list.get(self.next)?.clone();
        self.next += 1;
        Some(item)
    }
}

/// Gives the entries of a shared object one by one, without copying it.
struct Entries {
    object: Arc<Obj>,
    next: usize,
}

impl Iterator for Entries {
    type Item = (ImmutableString, Value);

    fn next(&mut self) -> Option<(ImmutableString, Value)> {
        meter::tick();
        let (key, value) = self.object.get_index(self.next)?;
        self.next += 1;
        Some((key.clone(), value.clone()))
    }
}

const ITERABLE: &str = "iterable (list or object)";

impl jaq_core::ValT for Value {
    fn from_num(digits: &str) -> ValR<Self> {
        let unfit = || {
            Error::str(format_args!(
                "the number {digits} does not fit into 64 bits"
            ))
        };
        match digits.parse::<i64>() {
            Ok(whole) => Ok(Self::Int(whole)),
            Err(_) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Err(unfit()),
            // `1.0` stays what the author wrote, `1e3` is a thousand.
            Err(_) if digits.contains('.') => digits.parse().map(Self::Float).map_err(|_| unfit()),
            Err(_) => digits.parse::<f64>().map(Self::from).map_err(|_| unfit()),
        }
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(entries: I) -> ValR<Self> {
        let mut map = Map::default();
        for (key, value) in entries {
            meter::tick();
            meter::draw(48);
            match key {
                Self::Str(key) => map.insert(key, value),
                other => return Err(Error::typ(other, "the key of an object (a text)")),
            };
        }
        Ok(Self::from_entries(map))
    }

    fn key_values(self) -> BoxIter<'static, ValR<(Self, Self), Self>> {
        match self {
            Self::Arr(list) => {
                let items = Items { list, next: 0 }.enumerate();
                Box::new(items.map(|(index, item)| Ok((Self::from(index), item))))
            }
            Self::Obj(object) => {
                let entries = Entries { object, next: 0 };
                Box::new(entries.map(|(key, value)| Ok((Self::Str(key), value))))
            }
            other => box_once(Err(Error::typ(other, ITERABLE))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        match self {
            Self::Arr(list) => Box::new(Items { list, next: 0 }.map(Ok)),
            Self::Obj(object) => Box::new(Entries { object, next: 0 }.map(|(_, value)| Ok(value))),
            other => box_once(Err(Error::typ(other, ITERABLE))),
        }
    }

    fn index(self, index: &Self) -> ValR<Self> {
        self.index_or_none(index).map(Option::unwrap_or_default)
    }

    fn range(self, range: jaq_core::val::Range<&Self>) -> ValR<Self> {
        match self {
            Self::Null => Ok(Self::Null),
            Self::Arr(list) => {
                let kept = bounds(&range, list.len())?;
                Ok(list.get(kept).unwrap_or_default().iter().cloned().collect())
            }
            Self::Str(text) => {
                let kept = bounds(&range, text.chars().count())?;
                Ok(Self::from(characters(&text, &kept)))
            }
            other => Err(Error::typ(other, "rangeable (list or text)")),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match self {
            Self::Arr(list) => {
                let items = list.into_items().into_iter();
                items.inspect(|_| meter::tick()).flat_map(f).collect()
            }
            Self::Obj(object) => {
                let mut map = Map::default();
                for (key, value) in object.into_map() {
                    meter::tick();
                    if let Some(value) = f(value).next() {
                        map.insert(key, value?);
                    }
                }
                Ok(Self::from_entries(map))
            }
            other => opt.fail(other, |v| Exn::from(Error::typ(v, ITERABLE))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        meter::tick();
        match (self, index) {
            (whole @ (Self::Arr(_) | Self::Str(_)), Self::Obj(ends)) => {
                whole.map_range(ends.get("start")..ends.get("end"), opt, f)
            }
            // A path that is not there yet is made, as in jq.
            (Self::Null, Self::Str(_)) => {
                Self::from_entries(Map::default()).map_index(index, opt, f)
            }
            (Self::Null, Self::Int(_) | Self::Float(_)) => {
                Self::list(Vec::new()).map_index(index, opt, f)
            }
            (Self::Obj(object), Self::Str(key)) => map_entry(object, key, f),
            (Self::Arr(list), Self::Int(_) | Self::Float(_)) => {
                let at = floor(index).unwrap_or_default();
                match (within(at, list.len()), usize::try_from(at)) {
                    (Some(at), _) => map_item(list, at, f),
                    (None, Ok(at)) => map_beyond(list, at, f),
                    (None, Err(_)) => opt.fail(Self::Arr(list), |_| {
                        Exn::from(Error::str(format_args!(
                            "index {index} is before the list's first element"
                        )))
                    }),
                }
            }
            (whole, _) => opt.fail(whole, |v| Exn::from(Error::index(v, index.clone()))),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: jaq_core::val::Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match self {
            Self::Null => Self::list(Vec::new()).map_range(range, opt, f),
            Self::Arr(list) => {
                let kept = match bounds(&range, list.len()) {
                    Ok(kept) => kept,
                    Err(error) => return opt.fail(Self::Arr(list), |_| Exn::from(error)),
                };
                let part: Self = list
                    .get(kept.clone())
                    .unwrap_or_default()
                    .iter()
                    .cloned()
                    .collect();
                let with = match f(part).next().transpose()? {
                    Some(Self::Arr(with)) => with.into_items(),
                    Some(other) => return Err(Exn::from(Error::typ(other, "list"))),
                    None => Vec::new(),
                };
                let mut items = list.into_items();
                items.splice(kept, with);
                meter::draw(16 * items.len());
                Ok(Self::list(items))
            }
            Self::Str(text) => {
                let kept = match bounds(&range, text.chars().count()) {
                    Ok(kept) => kept,
                    Err(error) => return opt.fail(Self::Str(text), |_| Exn::from(error)),
                };
                let part = characters(&text, &kept);
                let start = part.as_ptr() as usize - text.as_ptr() as usize;
                let (before, rest) = text.split_at(start);
                let after = rest.strip_prefix(part).unwrap_or_default();
                let with = match f(Self::from(part)).next().transpose()? {
                    Some(Self::Str(with)) => with,
                    Some(other) => return Err(Exn::from(Error::typ(other, "text"))),
                    None => ImmutableString::new(),
                };
                Ok(Self::from([before, with.as_str(), after].concat()))
            }
            other => opt.fail(other, |v| Exn::from(Error::typ(v, "list or text"))),
        }
    }

    fn as_bool(&self) -> bool {
        self.truthy()
    }

    fn into_string(self) -> Self {
        match self {
            text @ Self::Str(_) => text,
            other => Self::from(other.to_json()),
        }
    }
}

fn map_entry<'a, I: Iterator<Item = ValX<'a, Value>>>(
    mut object: Arc<Obj>,
    key: &ImmutableString,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    let entries = Arc::make_mut(&mut object);
    // The old value leaves its place, so that `f` can change it without a
    // copy.
    let known = entries.contains_key(key.as_str());
    let old = if known {
        entries.insert(key.clone(), Value::Null).unwrap_or_default()
    } else {
        Value::Null
    };
    match f(old).next().transpose()? {
        Some(new) => {
            entries.insert(key.clone(), new);
        }
        None if known => {
            entries.remove(key);
        }
        None => {}
    }
    Ok(Value::Obj(object))
}

fn map_item<'a, I: Iterator<Item = ValX<'a, Value>>>(
    mut list: Arc<Arr>,
    at: usize,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    let items = Arc::make_mut(&mut list);
    let old = items.replace(at, Value::Null).unwrap_or_default();
    match f(old).next().transpose()? {
        Some(new) => {
            items.replace(at, new);
        }
        None => {
            items.remove(at);
        }
    }
    Ok(Value::Arr(list))
}

/// Puts an element behind the end; nulls fill what lies between.
fn map_beyond<'a, I: Iterator<Item = ValX<'a, Value>>>(
    list: Arc<Arr>,
    at: usize,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    let Some(new) = f(Value::Null).next().transpose()? else {
        return Ok(Value::Arr(list));
    };
    let added = at.saturating_sub(list.len()).saturating_add(1);
    meter::draw(added.saturating_mul(16));
    let mut items = list.into_items();
    items.resize(at, Value::Null);
    items.push(new);
    Ok(Value::list(items))
}

/// Gives an index as a whole number, as jq takes it.
fn floor(index: &Value) -> Option<i64> {
    match index {
        Value::Int(at) => Some(*at),
        Value::Float(at) => Some(at.floor() as i64),
        _ => None,
    }
}

impl Value {
    /// Gives the child at `index`, `None` when there is none.
    pub(super) fn index_or_none(self, index: &Self) -> Result<Option<Self>, Error<Self>> {
        Ok(match (self, index) {
            (Self::Null, _) => None,
            (Self::Obj(object), Self::Str(key)) => object.get(key.as_str()).cloned(),
            (Self::Arr(list), Self::Int(_) | Self::Float(_)) => {
                let at = floor(index).and_then(|at| within(at, list.len()));
                at.and_then(|at| list.get(at).cloned())
            }
            (Self::Arr(list), Self::Arr(part)) => {
                Some(positions(&list, part).map(Self::from).collect())
            }
            (whole @ (Self::Arr(_) | Self::Str(_)), Self::Obj(ends)) => {
                use jaq_core::ValT as _;
                let null = Self::Null;
                let start = ends.get("start").unwrap_or(&null);
                let end = ends.get("end").unwrap_or(&null);
                return whole.range(Some(start)..Some(end)).map(Some);
            }
            (whole, index) => return Err(Error::index(whole, index.clone())),
        })
    }
}

/// Gives where `part` begins in `list`; nowhere when it is empty.
pub(super) fn positions<'a>(
    list: &'a [Value],
    part: &'a [Value],
) -> impl Iterator<Item = usize> + 'a {
    let windows = list.windows(part.len().max(1)).enumerate();
    windows.filter_map(move |(at, window)| (window == part).then_some(at))
}

/// Turns an index that may count from the end into a position in a list of
/// `len`.
pub(crate) fn within(at: i64, len: usize) -> Option<usize> {
    let from_start = if at < 0 {
        len.checked_sub(usize::try_from(at.unsigned_abs()).ok()?)?
    } else {
        usize::try_from(at).ok()?
    };
    (from_start < len).then_some(from_start)
}

/// Clips a range whose ends may be missing, null, or count from the end.
pub(super) fn bounds(
    range: &Range<Option<&Value>>,
    len: usize,
) -> Result<Range<usize>, Error<Value>> {
    let clipped = |at: i64| {
        if at < 0 {
            let back = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
            len.saturating_sub(back)
        } else {
            usize::try_from(at).unwrap_or(usize::MAX).min(len)
        }
    };
    let end_at = |end: Option<&Value>, missing: usize, rounded: fn(f64) -> f64| match end {
        None | Some(Value::Null) => Ok(missing),
        Some(Value::Int(at)) => Ok(clipped(*at)),
        Some(Value::Float(at)) => Ok(clipped(rounded(*at) as i64)),
        Some(other) => Err(Error::typ(other.clone(), "number")),
    };
    let start = end_at(range.start, 0, f64::floor)?;
    let end = end_at(range.end, len, f64::ceil)?;
    Ok(start..end.max(start))
}

/// Gives the characters of `text` in `range`, which lies within its length.
fn characters<'a>(text: &'a str, range: &Range<usize>) -> &'a str {
    meter::spend(text.len() / 16);
    let at = |count: usize| {
        text.char_indices()
            .nth(count)
            .map_or(text.len(), |(at, _)| at)
    };
    text.get(at(range.start)..at(range.end)).unwrap_or_default()
}

impl jaq_std::ValT for Value {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self {
            Self::Arr(list) => Ok(list.into_items().into_iter().collect()),
            other => Err(other),
        }
    }

    fn is_int(&self) -> bool {
        matches!(self, Self::Int(_))
    }

    fn as_isize(&self) -> Option<isize> {
        match self {
            Self::Int(i) => isize::try_from(*i).ok(),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        Self::as_f64(self)
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self, Self::Str(_))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        let bytes = self.as_str()?.as_bytes();
        // Natives look through them.
        meter::spend(bytes.len() / 256);
        Some(bytes)
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        Self::from(String::from_utf8_lossy(part).into_owned())
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::from(String::from_utf8_lossy(bytes.as_ref()).into_owned())
    }
}
