//! Full text: the same words in both databases, cut here, found by the index of each.

use crate::db::{Statement, statements};
use crate::error::StoreError;
use crate::store::Store;

statements! {
    // Differs because each database has a full text of its own; both hold the same words.
    TEXT_FIND = differs(
        "SELECT t.id FROM text_index t
         WHERE to_tsvector('simple', t.words) @@ to_tsquery('simple', $2) AND t.kind = $1 AND t.id < $3
         ORDER BY t.id DESC LIMIT $4",
        "SELECT t.id FROM text_index_words w JOIN text_index t ON t.rowid = w.rowid
         WHERE w.words MATCH $2 AND t.kind = $1 AND t.id < $3
         ORDER BY t.id DESC LIMIT $4",
    );
}

/// The words by which a text is found, for `TextRow::words`: runs of letters and digits in lower case, and every two
/// neighbours of a Chinese run.
pub fn words(text: &str) -> String {
    let mut found: Vec<String> = Vec::new();
    for (run, chinese) in runs(text) {
        if chinese {
            found.extend(pairs(&run));
        } else {
            found.push(run);
        }
    }
    found.join(" ")
}

fn pairs(run: &str) -> Vec<String> {
    let letters: Vec<char> = run.chars().collect();
    if letters.len() == 1 {
        vec![run.to_owned()]
    } else {
        letters
            .windows(2)
            .map(|pair| pair.iter().collect())
            .collect()
    }
}

fn runs(text: &str) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    let mut before = None;
    for letter in text.chars().flat_map(char::to_lowercase) {
        let kind = if is_chinese(letter) {
            Some(true)
        } else if letter.is_alphanumeric() {
            Some(false)
        } else {
            None
        };
        match (kind, found.last_mut()) {
            (Some(_), Some((run, _))) if kind == before => run.push(letter),
            (Some(chinese), _) => found.push((letter.to_string(), chinese)),
            (None, _) => {}
        }
        before = kind;
    }
    found
}

fn is_chinese(letter: char) -> bool {
    matches!(u32::from(letter), 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

impl Store {
    /// Objects of a kind that have all words of the text, by id downwards, before an id (`None` for the beginning).
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn text_find(
        &self,
        kind: &str,
        text: &str,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let words = words(text);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let statement: &'static Statement = &TEXT_FIND;
        let query = query(&words, self.inner.is_sqlite());
        let before = before.unwrap_or(crate::tables::mail::AFTER_ALL);
        let rows: Vec<(String,)> = self
            .inner
            .fetch(|| {
                statement
                    .call()
                    .text(kind)
                    .text(query.as_str())
                    .text(before)
                    .int(limit)
            })
            .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

/// The words hold letters and digits only, so quoting them is all that either query language needs.
fn query(words: &str, sqlite: bool) -> String {
    let (quote, and) = if sqlite {
        ('"', " AND ")
    } else {
        ('\'', " & ")
    };
    words
        .split(' ')
        .map(|word| format!("{quote}{word}{quote}"))
        .collect::<Vec<_>>()
        .join(and)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn chinese_is_cut_in_pairs_and_the_rest_in_words() {
        assert_eq!(
            words("共享申请:GX2026-0001 人"),
            "共享 享申 申请 gx2026 0001 人"
        );
        assert_eq!(words("Housing\u{3000}住"), "housing 住");
        assert_eq!(words("--"), "");
    }
}
