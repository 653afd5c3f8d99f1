//! Registers and their records, who read them, and what may be read.

use crate::db::{Bulk, Kind, Value, statements};
use crate::error::StoreError;
use crate::store::Store;
use crate::write::rows;

rows! {
    /// A row of `register`.
    RegisterRow: Upsert "register" key(name) {
        /// The register.
        name: String,
        /// The definition's version.
        version: String,
        /// The JSON Schema and the rest of the definition, JSON.
        schema: String,
        /// The authority of each field, JSON.
        authority: String,
        /// The rights, JSON.
        rights: String,
    }
    /// A row of `record`; written through `Change::records`.
    RecordRow: Upsert "record" key(register, id) {
        /// The register.
        register: String,
        /// The record.
        id: String,
        /// From 1.
        version: i64,
        /// The unit to which it belongs.
        unit_id: Option<String>,
        /// The data, JSON.
        body: String,
        /// Where each field came from, JSON.
        provenance: String,
        /// A mark such as `disputed`.
        mark: Option<String>,
        /// When it changed.
        changed_at_ms: i64,
    }
    /// A row of `record_key`.
    RecordKeyRow: Upsert "record_key" key(register, name, value, slot) {
        /// The register.
        register: String,
        /// The declared key or indexed field.
        name: String,
        /// Its value as text.
        value: String,
        /// Empty for a unique key, the record's id otherwise.
        slot: String,
        /// The record.
        id: String,
    }
    /// A row of `record_history`.
    RecordHistoryRow: Insert "record_history" key(register, id, version) {
        /// The register.
        register: String,
        /// The record.
        id: String,
        /// The version.
        version: i64,
        /// The data of this version, JSON.
        body: String,
        /// The instance that wrote it.
        by_instance: Option<String>,
        /// When.
        at_ms: i64,
    }
    /// A row of `access_log`: a read of a personal record.
    AccessRow: Insert "access_log" key(id) {
        /// UUIDv7 text.
        id: String,
        /// The register.
        register: String,
        /// The record; `None` for an export.
        record_id: Option<String>,
        /// Who read.
        who: String,
        /// Which instance or grant justifies it.
        why: String,
        /// Which fields, JSON.
        fields: String,
        /// How many records.
        count: i64,
        /// When.
        at_ms: i64,
    }
    /// A row of `grant_right`: which unit may read what.
    GrantRow: Upsert "grant_right" key(id) {
        /// UUIDv7 text.
        id: String,
        /// The resource.
        resource: String,
        /// The unit that may.
        unit_id: String,
        /// Which fields, JSON.
        fields: String,
        /// Which rows, JSON.
        row_filter: Option<String>,
        /// How: `api`, `file` and so on.
        mode: String,
        /// What for.
        purpose: String,
        /// How much, JSON.
        quota: Option<String>,
        /// Until when.
        ends_at_ms: Option<i64>,
        /// `active`, `suspended`, `revoked`, `ended`.
        status: String,
        /// The instance that issued it.
        instance_id: Option<String>,
    }
}

statements! {
    RECORDS = bulk(RECORD_ID,
        "SELECT c.register, c.id, c.version, c.unit_id, c.body, c.provenance, c.mark, c.changed_at_ms
         FROM {rows} JOIN record c ON c.register = $1 AND c.id = r.id ORDER BY c.id");
    RECORD_PAGE = same(
        "SELECT c.register, c.id, c.version, c.unit_id, c.body, c.provenance, c.mark, c.changed_at_ms
         FROM record c WHERE c.register = $1 AND c.id > $2 ORDER BY c.id LIMIT $3");
    RECORD_PAGE_OF_UNIT = same(
        "SELECT c.register, c.id, c.version, c.unit_id, c.body, c.provenance, c.mark, c.changed_at_ms
         FROM record c WHERE c.register = $1 AND c.unit_id = $2 AND c.id > $3 ORDER BY c.id LIMIT $4");
    // The first field drives, by its index; the others must hold too.
    RECORD_FIND = bulk(RECORD_FIELD,
        "SELECT c.register, c.id, c.version, c.unit_id, c.body, c.provenance, c.mark, c.changed_at_ms
         FROM record_key k JOIN record c ON c.register = k.register AND c.id = k.id
         WHERE k.register = $1 AND k.name = $2 AND k.value = $3 AND k.id > $4
             AND NOT EXISTS (SELECT 1 FROM {rows} WHERE NOT EXISTS (
                 SELECT 1 FROM record_key f WHERE f.register = k.register AND f.id = k.id AND f.name = r.name
                     AND f.value = r.value))
         ORDER BY k.id LIMIT $5");
    RECORD_FIND_COUNT = bulk(RECORD_FIELD,
        "SELECT COUNT(*) FROM record_key k
         WHERE k.register = $1 AND k.name = $2 AND k.value = $3
             AND NOT EXISTS (SELECT 1 FROM {rows} WHERE NOT EXISTS (
                 SELECT 1 FROM record_key f WHERE f.register = k.register AND f.id = k.id AND f.name = r.name
                     AND f.value = r.value))");
    RECORDS_BETWEEN = same(
        "SELECT c.register, c.id, c.version, c.unit_id, c.body, c.provenance, c.mark, c.changed_at_ms
         FROM record_key k JOIN record c ON c.register = k.register AND c.id = k.id
         WHERE k.register = $1 AND k.name = $2 AND k.value >= $3 AND k.value < $4 AND (k.value, k.slot) > ($5, $6)
         ORDER BY k.value, k.slot LIMIT $7");
    RECORD_COUNT = same("SELECT COUNT(*) FROM record WHERE register = $1");
    RECORD_HISTORY = same(
        "SELECT register, id, version, body, by_instance, at_ms FROM record_history
         WHERE register = $1 AND id = $2 ORDER BY version");
    REGISTER = same("SELECT name, version, schema, authority, rights FROM register WHERE name = $1");
    REGISTERS = same("SELECT name, version, schema, authority, rights FROM register ORDER BY name");
    ACCESSES_OF_RECORD = same(
        "SELECT id, register, record_id, who, why, fields, count, at_ms FROM access_log
         WHERE register = $1 AND record_id = $2 AND at_ms < $3 ORDER BY at_ms DESC LIMIT $4");
    ACCESSES_BY = same(
        "SELECT id, register, record_id, who, why, fields, count, at_ms FROM access_log
         WHERE who = $1 AND at_ms < $2 ORDER BY at_ms DESC LIMIT $3");
    GRANT = same("SELECT id, resource, unit_id, fields, row_filter, mode, purpose, quota, ends_at_ms, status, instance_id FROM grant_right WHERE id = $1");
    GRANTS_OF_UNIT = same(
        "SELECT id, resource, unit_id, fields, row_filter, mode, purpose, quota, ends_at_ms, status, instance_id
         FROM grant_right WHERE unit_id = $1 AND resource >= $2 AND resource <= $3 ORDER BY resource, id");
    GRANTS_OF_RESOURCE = same(
        "SELECT id, resource, unit_id, fields, row_filter, mode, purpose, quota, ends_at_ms, status, instance_id
         FROM grant_right WHERE resource = $1 ORDER BY status, id");
}

const RECORD_ID: &[(&str, Kind)] = &[("id", Kind::Text)];
const RECORD_FIELD: &[(&str, Kind)] = &[("name", Kind::Text), ("value", Kind::Text)];

impl Store {
    /// Loads records by id, in the order of the ids.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn records(
        &self,
        register: &str,
        ids: &[&str],
    ) -> Result<Vec<RecordRow>, StoreError> {
        let ids = Bulk::texts(ids.iter().copied());
        Ok(self
            .inner
            .fetch(|| RECORDS.call().text(register).rows(&ids))
            .await?)
    }

    /// Loads one record.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn record(&self, register: &str, id: &str) -> Result<Option<RecordRow>, StoreError> {
        Ok(self.records(register, &[id]).await?.pop())
    }

    /// Finds records whose declared keys or indexed fields have these values, by id, after an id. With no condition
    /// it is a page of the register.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn record_find(
        &self,
        register: &str,
        conditions: &[(&str, &str)],
        after: &str,
        limit: i64,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let Some(((name, value), rest)) = conditions.split_first() else {
            return Ok(self
                .inner
                .fetch(|| RECORD_PAGE.call().text(register).text(after).int(limit))
                .await?);
        };
        let fields = field_rows(rest);
        let call = || {
            RECORD_FIND
                .call()
                .text(register)
                .text(*name)
                .text(*value)
                .text(after)
                .int(limit)
                .rows(&fields)
        };
        Ok(self.inner.fetch(call).await?)
    }

    /// A page of the records whose indexed field `name` has a value from `range.0` on and before `range.1`, by that
    /// value and their id, after a value and an id.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn records_between(
        &self,
        register: &str,
        name: &str,
        range: (&str, &str),
        after: (&str, &str),
        limit: i64,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let call = || {
            RECORDS_BETWEEN
                .call()
                .text(register)
                .text(name)
                .text(range.0)
                .text(range.1)
                .text(after.0)
                .text(after.1)
                .int(limit)
        };
        Ok(self.inner.fetch(call).await?)
    }

    /// A page of the records of a unit, by id.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn records_of_unit(
        &self,
        register: &str,
        unit_id: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let call = || {
            RECORD_PAGE_OF_UNIT
                .call()
                .text(register)
                .text(unit_id)
                .text(after)
                .int(limit)
        };
        Ok(self.inner.fetch(call).await?)
    }

    /// How many records [`Self::record_find`] would give without a limit; reads the index of the first condition.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn record_find_count(
        &self,
        register: &str,
        conditions: &[(&str, &str)],
    ) -> Result<i64, StoreError> {
        let Some(((name, value), rest)) = conditions.split_first() else {
            return self.record_count(register).await;
        };
        let fields = field_rows(rest);
        let call = || {
            RECORD_FIND_COUNT
                .call()
                .text(register)
                .text(*name)
                .text(*value)
                .rows(&fields)
        };
        let rows: Vec<(i64,)> = self.inner.fetch(call).await?;
        Ok(rows.first().map_or(0, |(count,)| *count))
    }

    /// How many records a register has; reads its whole key.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn record_count(&self, register: &str) -> Result<i64, StoreError> {
        let rows: Vec<(i64,)> = self
            .inner
            .fetch(|| RECORD_COUNT.call().text(register))
            .await?;
        Ok(rows.first().map_or(0, |(count,)| *count))
    }

    /// All versions of a record.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn record_history(
        &self,
        register: &str,
        id: &str,
    ) -> Result<Vec<RecordHistoryRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| RECORD_HISTORY.call().text(register).text(id))
            .await?)
    }

    /// One register.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn register(&self, name: &str) -> Result<Option<RegisterRow>, StoreError> {
        Ok(self.inner.fetch(|| REGISTER.call().text(name)).await?.pop())
    }

    /// All registers, by name.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn registers(&self) -> Result<Vec<RegisterRow>, StoreError> {
        Ok(self.inner.fetch(|| REGISTERS.call()).await?)
    }

    /// Who read a record, newest first, before a time.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn accesses_of_record(
        &self,
        register: &str,
        id: &str,
        before_ms: i64,
        limit: i64,
    ) -> Result<Vec<AccessRow>, StoreError> {
        let call = || {
            ACCESSES_OF_RECORD
                .call()
                .text(register)
                .text(id)
                .int(before_ms)
                .int(limit)
        };
        Ok(self.inner.fetch(call).await?)
    }

    /// What someone read, newest first, before a time.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn accesses_by(
        &self,
        who: &str,
        before_ms: i64,
        limit: i64,
    ) -> Result<Vec<AccessRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| ACCESSES_BY.call().text(who).int(before_ms).int(limit))
            .await?)
    }

    /// One grant.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn grant(&self, id: &str) -> Result<Option<GrantRow>, StoreError> {
        Ok(self.inner.fetch(|| GRANT.call().text(id)).await?.pop())
    }

    /// The grants of a unit, for one resource or for all.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn grants_of_unit(
        &self,
        unit_id: &str,
        resource: Option<&str>,
    ) -> Result<Vec<GrantRow>, StoreError> {
        let (from, until) = resource.map_or(("", LAST), |resource| (resource, resource));
        Ok(self
            .inner
            .fetch(|| GRANTS_OF_UNIT.call().text(unit_id).text(from).text(until))
            .await?)
    }

    /// The grants of a resource.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn grants_of_resource(&self, resource: &str) -> Result<Vec<GrantRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| GRANTS_OF_RESOURCE.call().text(resource))
            .await?)
    }
}

/// Sorts after every text that people write.
const LAST: &str = "\u{10ffff}";

fn field_rows<'a>(conditions: &[(&'a str, &'a str)]) -> Bulk<'a> {
    let mut fields = Bulk::new(RECORD_FIELD);
    conditions
        .iter()
        .for_each(|(name, value)| fields.push(&[Value::from(*name), Value::from(*value)]));
    fields
}
