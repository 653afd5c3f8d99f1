//! Records that were written before one of their fields was indexed get its lookup value when the new definition is
//! published: once before it counts, so that no search misses them, and once more for what was written meanwhile.

use tongban_expr::Value;
use tongban_plugin::{RegisterDefinition, is_index};
use tongban_store::{Change, Outcome, RecordKeyRow, RecordNext, RecordRow, RecordWrite};

use crate::error::RuntimeError;
use crate::lane::Class;
use crate::node::Node;
use crate::record_rows::{read_definition, read_record};

/// How many records are read, and written, at once.
const PAGE: i64 = 500;
/// How often a page is tried again whose records change all the time.
const TRIES_MAX: usize = 20;

impl Node {
    /// The new definitions of registers that index more than what is published now.
    pub(crate) async fn widened(
        &self,
        registers: &[(String, Value)],
    ) -> Result<Vec<RegisterDefinition>, RuntimeError> {
        let mut widened = Vec::new();
        for (name, document) in registers {
            let Some(row) = self.store.register(name).await? else {
                continue;
            };
            let unfit = |failure: tongban_plugin::Failure| RuntimeError::Unfit(failure.detail);
            let former = read_definition(name, &row.schema).map(|former| former.indexed());
            let former = former.unwrap_or_default();
            let new = read_definition(name, &document.to_json()).map_err(unfit)?;
            if new.indexed().iter().any(|path| !former.contains(path)) {
                widened.push(new);
            }
        }
        Ok(widened)
    }

    /// Writes the lookup values of all records of these registers that changed since a moment.
    pub(crate) async fn reindex(
        &self,
        definitions: &[RegisterDefinition],
        since_ms: i64,
    ) -> Result<(), RuntimeError> {
        for definition in definitions {
            let mut after = String::new();
            let mut tries = 0;
            loop {
                let page = self
                    .store
                    .record_find(&definition.register, &[], &after, PAGE)
                    .await?;
                let Some(last) = page.last().map(|row| row.id.clone()) else {
                    break;
                };
                let changed = page.into_iter().filter(|row| row.changed_at_ms >= since_ms);
                if self.reindex_page(definition, changed.collect()).await? {
                    after = last;
                    tries = 0;
                } else if tries == TRIES_MAX {
                    return Err(RuntimeError::Busy { retry_after_s: 5 });
                } else {
                    tries += 1;
                }
            }
        }
        Ok(())
    }

    /// False when a record changed while its page was read: the page is read again.
    async fn reindex_page(
        &self,
        definition: &RegisterDefinition,
        page: Vec<RecordRow>,
    ) -> Result<bool, RuntimeError> {
        if page.is_empty() {
            return Ok(true);
        }
        let mut change = Change::without_instance(self.clock.now_ms());
        for row in page {
            let record =
                read_record(row).map_err(|failure| RuntimeError::Internal(failure.detail))?;
            let fields = definition.lookups_of(&record.body).into_iter();
            for (name, value) in fields.filter(|(name, _)| is_index(name)) {
                change.add(RecordKeyRow {
                    register: record.register.clone(),
                    name,
                    value,
                    slot: record.id.clone(),
                    id: record.id.clone(),
                });
            }
            change.records.push(RecordWrite {
                register: record.register,
                id: record.id,
                base: record.version,
                next: RecordNext::Keep,
                history: false,
                by_instance: None,
            });
        }
        match self.commit(Class::Background, change).await? {
            Outcome::Committed { .. } => Ok(true),
            Outcome::Lost(_) | Outcome::Locked => Ok(false),
            other => Err(RuntimeError::Internal(format!(
                "indexing a register ended with {other:?}"
            ))),
        }
    }
}
