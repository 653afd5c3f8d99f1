//! Step three: the rows of the winners, table by table in one order, deletes before inserts, counts asserted.

use std::collections::HashSet;

use super::{Failure, Member, records};
use crate::change::{Base, Next};
use crate::db::{Bulk, DbError, Kind, Session, Statement, Value, statements};
use crate::outcome::Outcome;
use crate::tables::{ORDER, order};
use crate::write::{Cell, Mode, Operation};

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
}

/// Writes all rows of the winners.
pub(super) async fn apply(session: &mut Session, winners: &[Member<'_>]) -> Result<(), Failure> {
    let mut groups = group(winners).into_iter().peekable();
    for (place, table) in ORDER.iter().enumerate() {
        match *table {
            "instance_state" => states(session, winners).await?,
            "inbox" => inbox(session, winners).await?,
            "record" => records::write(session, winners).await?,
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
pub(super) fn expect(table: &str, expected: usize, found: u64) -> Result<(), Failure> {
    if u64::try_from(expected) == Ok(found) {
        return Ok(());
    }
    Err(DbError::other(format!(
        "expected to write {expected} rows of `{table}`, wrote {found}"
    ))
    .into())
}

pub(super) async fn counted(
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
