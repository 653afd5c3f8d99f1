//! What the winners of a batch write: statement after statement, table by table in one order, deletes before inserts.

use super::batch::Member;
use crate::change::{Base, Next};
use crate::db::{Bulk, Kind, Statement, Value, statements};
use crate::tables::order::{ORDER, order};
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
    STATE_DELETE = bulk(ID, "DELETE FROM instance_state WHERE id IN (SELECT r.id FROM {rows}) AND {held}");
    STATE_UPDATE = bulk(STATE,
        "UPDATE instance_state SET version = r.version, format = r.format, body = r.body
         FROM {rows} WHERE instance_state.id = r.id AND instance_state.version = r.version - 1 AND {held}");
    STATE_INSERT = bulk(STATE,
        "INSERT INTO instance_state (id, version, format, body)
         SELECT r.id, r.version, r.format, r.body FROM {rows} WHERE {held}");
    INBOX_TAKE = bulk(INBOX,
        "DELETE FROM inbox WHERE (instance_id, id) IN (SELECT r.instance_id, r.id FROM {rows}) AND {held}
         RETURNING instance_id, id");
}

/// One thing to write.
pub(super) enum Step<'a> {
    Rows(Planned<'a>),
    /// Consumes rows of the inbox: what is missing makes its taker lose.
    Inbox(Taking<'a>),
    /// Writes guarded records.
    Records,
}

/// Rows of one statement.
pub(super) struct Planned<'a> {
    pub table: &'static str,
    pub statement: &'static Statement,
    pub rows: Bulk<'a>,
    /// The gate promises that all rows are written.
    pub counted: bool,
    /// By which columns the rows are told apart, with their cells; none for the states, which the gate keeps apart.
    pub told_apart: Option<(&'static Operation, Vec<&'a [Cell]>)>,
}

/// Rows of the inbox: instance, row, place of the change that takes it.
pub(super) type Taking<'a> = Vec<(&'a str, &'a str, usize)>;

/// The steps, in their order.
pub(super) fn plan<'a>(winners: &[Member<'a>]) -> Vec<Step<'a>> {
    let mut groups = group(winners).into_iter().peekable();
    let mut steps = Vec::new();
    for (place, table) in ORDER.iter().enumerate() {
        match *table {
            "instance_state" => steps.extend(states(winners).into_iter().map(Step::Rows)),
            "inbox" => steps.extend(inbox(winners).map(Step::Inbox)),
            "record" if winners.iter().any(|(_, change)| !change.records.is_empty()) => {
                steps.push(Step::Records)
            }
            _ => {}
        }
        while let Some(group) = groups.next_if(|group| group.order == place) {
            steps.push(Step::Rows(group.planned()));
        }
    }
    steps
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

impl<'a> Group<'a> {
    fn planned(self) -> Planned<'a> {
        let operation = self.operation;
        let replaces = !matches!(operation.mode, Mode::Insert);
        let key = operation.key_places();
        Planned {
            table: operation.table,
            statement: &operation.statement,
            rows: Bulk::sorted(operation.columns, &key, self.rows.clone(), replaces),
            counted: match operation.mode {
                Mode::Delete | Mode::Amend | Mode::Ignore => false,
                Mode::Update | Mode::Insert | Mode::Upsert => true,
            },
            told_apart: Some((operation, self.rows)),
        }
    }
}

fn states<'a>(winners: &[Member<'a>]) -> Vec<Planned<'a>> {
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
    let all = [
        (&STATE_DELETE, Bulk::texts(gone)),
        (&STATE_UPDATE, state_rows(changed)),
        (&STATE_INSERT, state_rows(born)),
    ];
    let some = all.into_iter().filter(|(_, rows)| !rows.is_empty());
    some.map(|(statement, rows)| Planned {
        table: "instance_state",
        statement,
        rows,
        counted: true,
        told_apart: None,
    })
    .collect()
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

fn inbox<'a>(winners: &[Member<'a>]) -> Option<Taking<'a>> {
    let mut wanted: Taking<'a> = winners
        .iter()
        .filter_map(|(place, change)| Some((*place, *change, change.instance_id()?)))
        .flat_map(|(place, change, id)| {
            change
                .inbox_taken
                .iter()
                .map(move |row| (id, row.as_str(), place))
        })
        .collect();
    wanted.sort_unstable();
    (!wanted.is_empty()).then_some(wanted)
}

/// The rows of `INBOX_TAKE`.
pub(super) fn inbox_rows<'a>(taking: &Taking<'a>) -> Bulk<'a> {
    let mut bulk = Bulk::new(INBOX);
    taking
        .iter()
        .for_each(|(instance, row, _)| bulk.push(&[Value::from(*instance), Value::from(*row)]));
    bulk
}
