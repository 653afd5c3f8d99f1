//! The port `Records` over the store.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use tongban_expr::Value;
use tongban_expr::sandbox::Evaluator;
use tongban_plugin::{
    Failure, Found, OUTSIDE, Outside, Query, Record, Records, RegisterDefinition, Source,
    async_trait,
};
use tongban_store::Store;

use crate::clock::Clock;
use crate::finding;
use crate::record_rows::{read_definition, read_record, unavailable};

/// How long a definition is believed before it is read again: another node may have published a new one.
const DEFINITION_MS: i64 = 1_000;

/// A definition, or that there is none, and when that was read.
type Known = (i64, Option<Arc<RegisterDefinition>>);

/// Registers as the store has them.
pub struct StoredRecords {
    store: Store,
    clock: Arc<dyn Clock>,
    /// Who runs scripts of registers that came from outside.
    sandbox: Option<Arc<dyn Evaluator>>,
    definitions: RwLock<HashMap<String, Known>>,
}

impl StoredRecords {
    /// The registers of a store.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        sandbox: Option<Arc<dyn Evaluator>>,
    ) -> StoredRecords {
        StoredRecords {
            store,
            clock,
            sandbox,
            definitions: RwLock::new(HashMap::new()),
        }
    }

    /// A register was published.
    pub fn forget_definitions(&self) {
        self.definitions.write().clear();
    }
}

#[async_trait]
impl Records for StoredRecords {
    async fn definition(&self, register: &str) -> Result<Option<Arc<RegisterDefinition>>, Failure> {
        let now_ms = self.clock.now_ms();
        if let Some((read_ms, known)) = self.definitions.read().get(register)
            && now_ms - read_ms < DEFINITION_MS
        {
            return Ok(known.clone());
        }
        let row = self
            .store
            .register(register)
            .await
            .map_err(|error| unavailable(&error))?;
        let definition = match row {
            Some(row) => {
                let mut definition = read_definition(register, &row.schema)?;
                if definition.other.get(OUTSIDE).is_some_and(Value::truthy) {
                    definition.outside = Outside::by(self.sandbox.clone());
                }
                Some(Arc::new(definition))
            }
            None => None,
        };
        self.definitions
            .write()
            .insert(register.to_owned(), (now_ms, definition.clone()));
        Ok(definition)
    }

    async fn source(&self, register: &str) -> Result<Source, Failure> {
        let definition = self.definition(register).await?;
        let name = definition.map_or_else(
            || register.to_owned(),
            |definition| definition.title.zh.clone(),
        );
        Ok(Source {
            available: true,
            name,
            fetched_at_ms: None,
        })
    }

    async fn get(&self, register: &str, ids: &[String]) -> Result<Vec<Record>, Failure> {
        let wanted: Vec<&str> = ids.iter().map(String::as_str).collect();
        let rows = self
            .store
            .records(register, &wanted)
            .await
            .map_err(|error| unavailable(&error))?;
        let mut records: HashMap<String, Record> = HashMap::with_capacity(rows.len());
        for row in rows {
            records.insert(row.id.clone(), read_record(row)?);
        }
        Ok(ids.iter().filter_map(|id| records.remove(id)).collect())
    }

    async fn by_key(
        &self,
        register: &str,
        name: &str,
        values: &[String],
    ) -> Result<Vec<Record>, Failure> {
        let mut records = Vec::new();
        for value in values {
            let wanted = [(name, value.as_str())];
            let rows = self
                .store
                .record_find(register, &wanted, "", 1_000)
                .await
                .map_err(|error| unavailable(&error))?;
            for row in rows {
                records.push(read_record(row)?);
            }
        }
        Ok(records)
    }

    async fn find(&self, register: &str, query: &Query) -> Result<Found, Failure> {
        let definition = self.definition(register).await?;
        finding::find(&self.store, register, definition.as_deref(), query).await
    }

    async fn draw(&self, sequence: &str, count: u32) -> Result<i64, Failure> {
        self.store
            .sequence_take(sequence, i64::from(count))
            .await
            .map_err(|error| unavailable(&error))
    }
}
