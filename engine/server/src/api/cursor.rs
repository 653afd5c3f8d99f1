//! Cursors of lists: where the next page begins, as a text that only this site reads.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// The most entries of one page.
pub const LIMIT_MAX: i64 = 200;
/// The entries of a page when the caller names no number.
pub const LIMIT_DEFAULT: i64 = 50;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A place in a list that is ordered by time and then by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The time of the last entry.
    pub at_ms: i64,
    /// The id of the last entry.
    pub id: String,
    /// The number within the id, for lists of work items.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n: i64,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

impl Place {
    /// The cursor's text.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a cursor.
    ///
    /// # Errors
    /// The text is no cursor of ours.
    pub fn read(text: Option<&str>) -> Result<Option<Self>, Problem> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let bytes = Some(text)
            .filter(|text| text.len() <= 512)
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        bytes
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            // No id has a NUL, and one of the databases takes no text that has one.
            .filter(|place| !place.id.contains('\0'))
            .map(Some)
            .ok_or_else(|| {
                Problem::malformed("the query: `cursor` is not one that a list of this site gave")
            })
    }
}

/// The number of entries that a caller wants.
///
/// # Errors
/// The number is out of range.
pub fn limit(wanted: Option<i64>) -> Result<i64, Problem> {
    match wanted {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(other) => Err(Problem::malformed(format!(
            "the query: `limit` is 1 to {LIMIT_MAX}, found {other}"
        ))),
    }
}

/// Cuts a list that was read with one entry more than wanted, and names the place of the last one.
pub fn cut<T>(
    mut rows: Vec<T>,
    limit: i64,
    place: impl Fn(&T) -> Place,
) -> (Vec<T>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|last| place(last).text());
    (rows, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_the_same_place() {
        let place = Place {
            at_ms: 7,
            id: "a".into(),
            n: 3,
        };
        assert_eq!(
            Place::read(Some(&place.text())).expect("our own"),
            Some(place)
        );
        assert_eq!(Place::read(None).expect("the first page"), None);
        assert_eq!(Place::read(Some("oops")).expect_err("not ours").status, 400);
        let forged = URL_SAFE_NO_PAD.encode(br#"{"at_ms": 0, "id": "a\u0000"}"#);
        assert_eq!(Place::read(Some(&forged)).expect_err("a NUL").status, 400);
    }

    #[test]
    fn the_last_page_has_no_next() {
        let place = |id: &i32| Place {
            at_ms: i64::from(*id),
            id: id.to_string(),
            n: 0,
        };
        let (rows, next) = cut(vec![1, 2, 3], 2, place);
        assert_eq!((rows, next.is_some()), (vec![1, 2], true));
        let (rows, next) = cut(vec![1, 2], 2, place);
        assert_eq!((rows.len(), next), (2, None));
        assert_eq!(limit(Some(0)).expect_err("too small").status, 400);
        assert_eq!(limit(None).expect("a default"), LIMIT_DEFAULT);
    }
}
