//! Batches: the cases of a workflow that share search fields, and which of them have come to a step. Read from the field
//! that is named last, the narrowest of them: how many cases there are besides does not count.

use crate::db::{Bulk, Call, Kind, Statement, Value, statements};
use crate::error::StoreError;
use crate::store::Store;

const FIELD: &[(&str, Kind)] = &[("name", Kind::Text), ("value", Kind::Text)];

statements! {
    // One that is not done and has no item of the step, whatever the step's entry.
    BATCH_LACKS = bulk(FIELD,
        "SELECT i.id FROM search b JOIN instance i ON i.id = b.instance_id
         WHERE b.workflow = $1 AND b.name = $2 AND b.value = $3 AND i.id <> $4
             AND i.status NOT IN ('completed', 'cancelled')
             AND NOT EXISTS (SELECT 1 FROM {rows} WHERE NOT EXISTS (
                 SELECT 1 FROM search f WHERE f.workflow = $1 AND f.name = r.name AND f.value = r.value
                     AND f.instance_id = i.id))
             AND NOT EXISTS (SELECT 1 FROM work_item w WHERE w.instance_id = i.id
                 AND (w.run_id = $5 OR (w.run_id > $6 AND w.run_id < $7)))
         LIMIT 1");
    // An item that is held is open, and nobody may act on it.
    BATCH_HELD = bulk(FIELD,
        "SELECT i.id FROM search b JOIN instance i ON i.id = b.instance_id
         WHERE b.workflow = $1 AND b.name = $2 AND b.value = $3 AND i.id <> $4
             AND i.status NOT IN ('completed', 'cancelled')
             AND NOT EXISTS (SELECT 1 FROM {rows} WHERE NOT EXISTS (
                 SELECT 1 FROM search f WHERE f.workflow = $1 AND f.name = r.name AND f.value = r.value
                     AND f.instance_id = i.id))
             AND EXISTS (SELECT 1 FROM work_item w WHERE w.instance_id = i.id AND w.status = 'open'
                 AND (w.run_id = $5 OR (w.run_id > $6 AND w.run_id < $7))
                 AND NOT EXISTS (SELECT 1 FROM work_candidate c WHERE c.instance_id = w.instance_id AND c.n = w.n))
         ORDER BY i.id");
}

/// A step of the cases that go together.
#[derive(Debug, Clone, Copy)]
pub struct BatchStep<'a> {
    /// `namespace/name`.
    pub workflow: &'a str,
    /// The search fields that they share; without any there is no batch.
    pub fields: &'a [(String, String)],
    /// The step's path, which names its items whatever their entry.
    pub path: &'a str,
    /// The case that asks: it is not looked at.
    pub except: &'a str,
}

impl Store {
    /// Whether a case of the batch that is not done has never come to the step.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn batch_lacks(&self, step: BatchStep<'_>) -> Result<bool, StoreError> {
        Ok(!self.batch(&BATCH_LACKS, step).await?.is_empty())
    }

    /// The cases of the batch that are not done and whose item of the step nobody may act on: it is held.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn batch_held(&self, step: BatchStep<'_>) -> Result<Vec<String>, StoreError> {
        self.batch(&BATCH_HELD, step).await
    }

    async fn batch(
        &self,
        statement: &'static Statement,
        step: BatchStep<'_>,
    ) -> Result<Vec<String>, StoreError> {
        let Some((name, value)) = step.fields.last() else {
            return Ok(Vec::new());
        };
        let mut fields = Bulk::new(FIELD);
        for (name, value) in step.fields {
            fields.push(&[Value::from(name.as_str()), Value::from(value.as_str())]);
        }
        // A later entry is named `PATH#2`, and `$` comes right after `#`.
        let (from, to) = (format!("{}#", step.path), format!("{}$", step.path));
        let call = || -> Call<'_> {
            let call = statement.call().text(step.workflow);
            let call = call.text(name.as_str()).text(value.as_str());
            let call = call.text(step.except).text(step.path);
            call.text(from.as_str()).text(to.as_str()).rows(&fields)
        };
        let rows: Vec<(String,)> = self.inner.fetch(call).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}
