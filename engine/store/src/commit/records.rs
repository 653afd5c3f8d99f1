//! Guarded records: born, changed or removed, with the values they are found by. The gate has seen their versions; what
//! can still lose here is a birth or a unique value that another transaction committed meanwhile.

use std::collections::HashSet;

use super::batch::{Failure, Member, counted, expect};
use crate::change::{RecordNext, RecordWrite};
use crate::db::{Bulk, Call, Kind, Session, Value, statements};
use crate::outcome::{Lost, Outcome};
use crate::tables::record::{RecordHistoryRow, RecordKeyRow, RecordRow};
use crate::write::{Cell, Write};

const RECORD_NAME: &[(&str, Kind)] = &[("register", Kind::Text), ("id", Kind::Text)];

statements! {
    RECORD_INSERT = bulk(<RecordRow as crate::write::Described>::COLUMNS,
        "INSERT INTO record (register, id, version, unit_id, body, provenance, mark, changed_at_ms)
         SELECT r.register, r.id, r.version, r.unit_id, r.body, r.provenance, r.mark, r.changed_at_ms
         FROM {rows} WHERE true ON CONFLICT DO NOTHING RETURNING register, id");
    RECORD_UPDATE = bulk(<RecordRow as crate::write::Described>::COLUMNS,
        "UPDATE record SET version = r.version, unit_id = r.unit_id, body = r.body, provenance = r.provenance,
             mark = r.mark, changed_at_ms = r.changed_at_ms
         FROM {rows} WHERE record.register = r.register AND record.id = r.id AND record.version = r.version - 1");
    RECORD_DELETE = bulk(RECORD_NAME,
        "DELETE FROM record WHERE (register, id) IN (SELECT r.register, r.id FROM {rows})");
    RECORD_HISTORY_DELETE = bulk(RECORD_NAME,
        "DELETE FROM record_history WHERE (register, id) IN (SELECT r.register, r.id FROM {rows})");
    RECORD_KEYS_DELETE = bulk(RECORD_NAME,
        "DELETE FROM record_key WHERE (register, id) IN (SELECT r.register, r.id FROM {rows})");
    RECORD_KEYS_INSERT = bulk(<RecordKeyRow as crate::write::Described>::COLUMNS,
        "INSERT INTO record_key (register, name, value, slot, id)
         SELECT r.register, r.name, r.value, r.slot, r.id FROM {rows} WHERE true
         ON CONFLICT DO NOTHING RETURNING register, name, value, slot");
    RECORD_KEYS_HOLDERS = bulk(<RecordKeyRow as crate::write::Described>::COLUMNS,
        "SELECT k.register, k.name, k.value, k.slot, k.id FROM {rows}
         JOIN record_key k ON k.register = r.register AND k.name = r.name AND k.value = r.value AND k.slot = r.slot");
}

type Guarded<'a> = (usize, i64, &'a RecordWrite);

/// Writes the records of the winners, with their lookup values and histories.
pub(super) async fn write(session: &mut Session, winners: &[Member<'_>]) -> Result<(), Failure> {
    let mut writes: Vec<Guarded<'_>> = winners
        .iter()
        .flat_map(|(place, change)| {
            change
                .records
                .iter()
                .map(|record| (*place, change.at_ms, record))
        })
        .filter(|(_, _, record)| record.next != RecordNext::Keep)
        .collect();
    if writes.is_empty() {
        return Ok(());
    }
    writes.sort_by(|(_, _, left), (_, _, right)| {
        (&left.register, &left.id).cmp(&(&right.register, &right.id))
    });
    let rows = record_cells(&writes, |record| record.base == 0);
    let born = Bulk::sorted(
        RecordRow::operation().columns,
        &[],
        rows.iter().map(Vec::as_slice).collect(),
        false,
    );
    insert_records(session, &writes, &born).await?;
    let rows = record_cells(&writes, |record| record.base > 0);
    let changed = Bulk::sorted(
        RecordRow::operation().columns,
        &[],
        rows.iter().map(Vec::as_slice).collect(),
        false,
    );
    counted(session, "record", &RECORD_UPDATE, &changed).await?;
    let gone = record_names(
        writes
            .iter()
            .filter(|(_, _, record)| record.next == RecordNext::Gone),
    );
    if !gone.is_empty() {
        counted(session, "record", &RECORD_DELETE, &gone).await?;
        session
            .execute(RECORD_HISTORY_DELETE.call().rows(&gone))
            .await?;
    }
    // New records have no keys to delete.
    let former = record_names(writes.iter().filter(|(_, _, record)| record.base > 0));
    if !former.is_empty() {
        session
            .execute(RECORD_KEYS_DELETE.call().rows(&former))
            .await?;
    }
    record_keys(session, &writes).await?;
    record_history(session, &writes).await
}

fn record_cells(writes: &[Guarded<'_>], which: impl Fn(&RecordWrite) -> bool) -> Vec<Vec<Cell>> {
    writes
        .iter()
        .filter(|(_, _, record)| which(record))
        .filter_map(|(_, at_ms, record)| {
            let RecordNext::Put {
                unit_id,
                body,
                provenance,
                mark,
                ..
            } = &record.next
            else {
                return None;
            };
            let mut cells = Vec::new();
            RecordRow {
                register: record.register.clone(),
                id: record.id.clone(),
                version: record.base + 1,
                unit_id: unit_id.clone(),
                body: body.clone(),
                provenance: provenance.clone(),
                mark: mark.clone(),
                changed_at_ms: *at_ms,
            }
            .into_cells(&mut cells);
            Some(cells)
        })
        .collect()
}

fn record_names<'a>(writes: impl Iterator<Item = &'a Guarded<'a>>) -> Bulk<'a> {
    let mut bulk = Bulk::new(RECORD_NAME);
    writes.for_each(|(_, _, record)| {
        bulk.push(&[
            Value::from(record.register.as_str()),
            Value::from(record.id.as_str()),
        ])
    });
    bulk
}

async fn insert_records(
    session: &mut Session,
    writes: &[Guarded<'_>],
    born: &Bulk<'_>,
) -> Result<(), Failure> {
    if born.is_empty() {
        return Ok(());
    }
    let found: HashSet<(String, String)> = session
        .fetch(RECORD_INSERT.call().rows(born))
        .await?
        .into_iter()
        .collect();
    if found.len() == born.len() {
        return Ok(());
    }
    let late: Vec<(usize, Outcome)> = writes
        .iter()
        .filter(|(_, _, record)| record.base == 0 && matches!(record.next, RecordNext::Put { .. }))
        .filter(|(_, _, record)| !found.contains(&(record.register.clone(), record.id.clone())))
        .map(|(place, _, record)| {
            let (register, id) = (record.register.clone(), record.id.clone());
            (
                *place,
                Outcome::Lost(Lost::Record {
                    register,
                    id,
                    current: None,
                }),
            )
        })
        .collect();
    Err(Failure::Late(late))
}

async fn record_keys(session: &mut Session, writes: &[Guarded<'_>]) -> Result<(), Failure> {
    let rows: Vec<(usize, RecordKeyRow)> = writes
        .iter()
        .flat_map(|(place, _, record)| record.key_rows().map(|row| (*place, row)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let cells: Vec<Vec<Cell>> = rows.iter().map(|(_, row)| cells_of(row.clone())).collect();
    let bulk = Bulk::sorted(
        RecordKeyRow::operation().columns,
        &[0, 1, 2, 3],
        cells.iter().map(Vec::as_slice).collect(),
        false,
    );
    let found: HashSet<(String, String, String, String)> = session
        .fetch(RECORD_KEYS_INSERT.call().rows(&bulk))
        .await?
        .into_iter()
        .collect();
    if found.len() == bulk.len() {
        return Ok(());
    }
    let holders: Vec<RecordKeyRow> = session
        .fetch(RECORD_KEYS_HOLDERS.call().rows(&bulk))
        .await?;
    let late: Vec<(usize, Outcome)> = rows
        .iter()
        .filter_map(|(place, row)| taken(*place, row, &holders))
        .collect();
    if late.is_empty() {
        // A record that names one value twice holds it itself.
        return Ok(());
    }
    Err(Failure::Late(late))
}

fn taken(place: usize, row: &RecordKeyRow, holders: &[RecordKeyRow]) -> Option<(usize, Outcome)> {
    let name = |row: &RecordKeyRow| {
        (
            row.register.clone(),
            row.name.clone(),
            row.value.clone(),
            row.slot.clone(),
        )
    };
    let holder = holders
        .iter()
        .find(|holder| name(holder) == name(row) && holder.id != row.id)?;
    let outcome = Outcome::RecordKeyTaken {
        register: row.register.clone(),
        name: row.name.clone(),
        value: row.value.clone(),
        holder: holder.id.clone(),
    };
    Some((place, outcome))
}

fn cells_of<W: Write>(row: W) -> Vec<Cell> {
    let mut cells = Vec::new();
    row.into_cells(&mut cells);
    cells
}

async fn record_history(session: &mut Session, writes: &[Guarded<'_>]) -> Result<(), Failure> {
    let cells: Vec<Vec<Cell>> = writes
        .iter()
        .filter(|(_, _, record)| record.history)
        .filter_map(|(_, at_ms, record)| {
            let RecordNext::Put { body, .. } = &record.next else {
                return None;
            };
            Some(cells_of(RecordHistoryRow {
                register: record.register.clone(),
                id: record.id.clone(),
                version: record.base + 1,
                body: body.clone(),
                by_instance: record.by_instance.clone(),
                at_ms: *at_ms,
            }))
        })
        .collect();
    if cells.is_empty() {
        return Ok(());
    }
    let operation = RecordHistoryRow::operation();
    let bulk = Bulk::sorted(
        operation.columns,
        &[],
        cells.iter().map(Vec::as_slice).collect(),
        false,
    );
    let call: Call<'_> = operation.statement.call().rows(&bulk);
    let done = session.execute(call).await?;
    expect("record_history", bulk.len(), done)
}
