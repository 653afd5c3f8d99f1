//! Absences that people keep themselves, beside those of the site's file. An absence without an end ends at `NO_DUE_MS`.

use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::tables::organisation::AbsenceRow;

statements! {
    ABSENCES_AHEAD = same(
        "SELECT id, person_id, from_ms, until_ms, substitute_id, body FROM absence
         WHERE until_ms > $1 ORDER BY until_ms, id");
    ABSENCES_OF_PERSON = same(
        "SELECT id, person_id, from_ms, until_ms, substitute_id, body FROM absence
         WHERE person_id = $1 AND until_ms > $2 ORDER BY until_ms, id");
}

impl Store {
    /// Every absence that is not over at an instant.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn absences_ahead(&self, now_ms: i64) -> Result<Vec<AbsenceRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| ABSENCES_AHEAD.call().int(now_ms))
            .await?)
    }

    /// Those of one person.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn absences_of_person(
        &self,
        person_id: &str,
        now_ms: i64,
    ) -> Result<Vec<AbsenceRow>, StoreError> {
        let call = || ABSENCES_OF_PERSON.call().text(person_id).int(now_ms);
        Ok(self.inner.fetch(call).await?)
    }
}
