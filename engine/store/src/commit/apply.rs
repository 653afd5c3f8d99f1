//! Step three: the rows of the winners, table by table in one order, deletes before inserts, counts asserted.

use std::collections::HashSet;

use super::{Failure, Member};
use crate::change::{Base, Next, RecordNext, RecordWrite};
use crate::db::{Bulk, Call, DbError, Kind, Session, Statement, Value, statements};
use crate::outcome::{Lost, Outcome};
use crate::tables::record::{RecordHistoryRow, RecordKeyRow, RecordRow};
use crate::tables::{ORDER, order};
use crate::write::{Cell, Mode, Operation, Write};

const ID: &[(&str, Kind)] = &[("id", Kind::Text)];
const STATE: &[(&str, Kind)] = &[
    ("id", Kind::Text),
    ("version", Kind::Int),
    ("format", Kind::Int),
    ("body", Kind::Text),
];
const INBOX: &[(&str, Kind)] = &[("instance_id", Kind::Text), ("id", Kind::Text)];

statements! {
    STATE_DELETE = bulk(ID, "DELETE FROM instance_state WHERE id IN (SELECT r.id FROM {rows})");
    STATE_UPDATE = bulk(STATE,
        "UPDATE instance_state SET version = r.version, format = r.format, body = r.body
         FROM {rows} WHERE instance_state.id = r.id AND instance_state.version = r.version - 1");
    STATE_INSERT = bulk(STATE,
        "INSERT INTO instance_state (id, version, format, body)
         SELECT r.id, r.version, r.format, r.body FROM {rows} WHERE true");
    INBOX_TAKE = bulk(INBOX,
        "DELETE FROM inbox WHERE (instance_id, id) IN (SELECT r.instance_id, r.id FROM {rows})
         RETURNING instance_id, id");
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

const RECORD_NAME: &[(&str, Kind)] = &[("register", Kind::Text), ("id", Kind::Text)];

/// Writes all rows of the winners.
pub(super) async fn apply(session: &mut Session, winners: &[Member<'_>]) -> Result<(), Failure> {
    let mut groups = group(winners).into_iter().peekable();
    for (place, table) in ORDER.iter().enumerate() {
        match *table {
            "instance_state" => states(session, winners).await?,
            "inbox" => inbox(session, winners).await?,
            "record" => records(session, winners).await?,
            _ => {}
        }
        while let Some(group) = groups.next_if(|group| group.order == place) {
            group.write(session).await?;
        }
    }
    Ok(())
}

/// The rows of one operation over all winners.
struct Group<'a> {
    order: usize,
    operation: &'static Operation,
    rows: Vec<&'a [Cell]>,
}

fn group<'a>(winners: &[Member<'a>]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for batch in winners.iter().flat_map(|(_, change)| change.rows.batches()) {
        let found = groups
            .iter()
            .position(|group| std::ptr::eq(group.operation, batch.operation));
        match found.and_then(|place| groups.get_mut(place)) {
            Some(group) => group.rows.extend(batch.rows()),
            None => groups.push(Group {
                order: order(batch.operation.table),
                operation: batch.operation,
                rows: batch.rows().collect(),
            }),
        }
    }
    groups.sort_by_key(|group| (group.order, group.operation.mode));
    groups
}

impl Group<'_> {
    async fn write(self, session: &mut Session) -> Result<(), Failure> {
        let operation = self.operation;
        let key: Vec<usize> = operation
            .key
            .iter()
            .filter_map(|name| {
                operation
                    .columns
                    .iter()
                    .position(|(column, _)| column == name)
            })
            .collect();
        let replaces = !matches!(operation.mode, Mode::Insert);
        let rows = Bulk::sorted(operation.columns, &key, self.rows, replaces);
        let done = session
            .execute(operation.statement.call().rows(&rows))
            .await?;
        match operation.mode {
            Mode::Delete | Mode::Amend | Mode::Ignore => Ok(()),
            Mode::Update | Mode::Insert | Mode::Upsert => expect(operation.table, rows.len(), done),
        }
    }
}

/// A count that is not what the gate promised is a defect: everything is rolled back.
fn expect(table: &str, expected: usize, found: u64) -> Result<(), Failure> {
    if u64::try_from(expected) == Ok(found) {
        return Ok(());
    }
    Err(DbError::other(format!(
        "expected to write {expected} rows of `{table}`, wrote {found}"
    ))
    .into())
}

async fn counted(
    session: &mut Session,
    table: &str,
    statement: &'static Statement,
    rows: &Bulk<'_>,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let done = session.execute(statement.call().rows(rows)).await?;
    expect(table, rows.len(), done)
}

async fn states(session: &mut Session, winners: &[Member<'_>]) -> Result<(), Failure> {
    let (mut gone, mut changed, mut born) = (Vec::new(), Vec::new(), Vec::new());
    for (_, change) in winners {
        born.extend(
            change
                .children
                .iter()
                .map(|child| (child.id.as_str(), 1, child.format, child.body.as_str())),
        );
        let Some(instance) = &change.instance else {
            continue;
        };
        match (&instance.next, instance.base) {
            (Next::Ended, Base::Running(_)) => gone.push(instance.id.as_str()),
            (Next::Ended, _) => {}
            (Next::Running { format, body }, base) => {
                let row = (instance.id.as_str(), base.next(), *format, body.as_str());
                if matches!(base, Base::Running(_)) {
                    changed.push(row)
                } else {
                    born.push(row)
                }
            }
        }
    }
    gone.sort_unstable();
    changed.sort_unstable();
    born.sort_unstable();
    counted(session, "instance_state", &STATE_DELETE, &Bulk::texts(gone)).await?;
    counted(
        session,
        "instance_state",
        &STATE_UPDATE,
        &state_rows(changed),
    )
    .await?;
    counted(session, "instance_state", &STATE_INSERT, &state_rows(born)).await
}

fn state_rows<'a>(rows: Vec<(&'a str, i64, i64, &'a str)>) -> Bulk<'a> {
    let mut bulk = Bulk::new(STATE);
    for (id, version, format, body) in rows {
        bulk.push(&[
            Value::from(id),
            Value::from(version),
            Value::from(format),
            Value::from(body),
        ]);
    }
    bulk
}

/// Consumes inbox rows. A row that is gone was consumed by another change of the instance: its taker has to look again.
async fn inbox(session: &mut Session, winners: &[Member<'_>]) -> Result<(), Failure> {
    let mut wanted: Vec<(&str, &str, usize)> = winners
        .iter()
        .filter_map(|(place, change)| Some((*place, change, change.instance_id()?)))
        .flat_map(|(place, change, id)| {
            change
                .inbox_taken
                .iter()
                .map(move |row| (id, row.as_str(), place))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    wanted.sort_unstable();
    let mut bulk = Bulk::new(INBOX);
    wanted
        .iter()
        .for_each(|(instance, row, _)| bulk.push(&[Value::from(*instance), Value::from(*row)]));
    let found: HashSet<(String, String)> = session
        .fetch(INBOX_TAKE.call().rows(&bulk))
        .await?
        .into_iter()
        .collect();
    let mut late: Vec<(usize, Outcome)> = Vec::new();
    for (instance, row, place) in wanted {
        if found.contains(&(instance.to_owned(), row.to_owned())) {
            continue;
        }
        let known = late.iter_mut().find(|(loser, _)| *loser == place);
        match known {
            Some((_, Outcome::InputGone { inbox })) => inbox.push(row.to_owned()),
            _ => late.push((
                place,
                Outcome::InputGone {
                    inbox: vec![row.to_owned()],
                },
            )),
        }
    }
    if late.is_empty() {
        Ok(())
    } else {
        Err(Failure::Late(late))
    }
}

type Guarded<'a> = (usize, i64, &'a RecordWrite);

async fn records(session: &mut Session, winners: &[Member<'_>]) -> Result<(), Failure> {
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
            .filter(|(_, _, record)| record.next == RecordNext::Remove),
    );
    counted(session, "record", &RECORD_DELETE, &gone).await?;
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
        .map(|(_, at_ms, record)| {
            let body = match &record.next {
                RecordNext::Put { body, .. } => body.clone(),
                RecordNext::Keep | RecordNext::Remove => "null".into(),
            };
            cells_of(RecordHistoryRow {
                register: record.register.clone(),
                id: record.id.clone(),
                version: record.base + 1,
                body,
                by_instance: record.by_instance.clone(),
                at_ms: *at_ms,
            })
        })
        .collect();
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
