//! Step two: the versions. A row that is missing, locked or of another version loses.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::batch::{Failure, Member};
use crate::change::{Base, RecordNext, RecordWrite};
use crate::db::{Bulk, Kind, Session, Value, statements};
use crate::fault::{Fault, Point};
use crate::inner::Inner;
use crate::outcome::{Lost, Outcome};

const ID: &[(&str, Kind)] = &[("id", Kind::Text)];
const VERSION: &[(&str, Kind)] = &[("id", Kind::Text), ("version", Kind::Int)];
const RECORD: &[(&str, Kind)] = &[("register", Kind::Text), ("id", Kind::Text)];

statements! {
    GATE = bulk(ID,
        "SELECT s.id, s.version FROM {rows} JOIN instance_state s ON s.id = r.id ORDER BY s.id {lock:s}");
    // In a script: the rows that have the version that was read.
    GATE_HOLDS = bulk(VERSION,
        "SELECT s.id FROM {rows} JOIN instance_state s ON s.id = r.id
         WHERE s.version = r.version ORDER BY s.id {lock:s}");
    GATE_MISSED = bulk(ID,
        "SELECT s.id, s.version FROM {rows} JOIN instance_state s ON s.id = r.id");
    GATE_RECORDS = bulk(RECORD,
        "SELECT c.register, c.id, c.version FROM {rows}
         JOIN record c ON c.register = r.register AND c.id = r.id ORDER BY c.register, c.id {lock:c}");
    GATE_RECORDS_MISSED = bulk(RECORD,
        "SELECT c.register, c.id, c.version FROM {rows}
         JOIN record c ON c.register = r.register AND c.id = r.id");
}

/// The faults that tests ask for at the gate, by instance.
pub(super) type Struck<'a> = HashMap<&'a str, Fault>;

/// Asks for them.
pub(super) fn strike<'a>(store: &Inner, members: &[Member<'a>]) -> Struck<'a> {
    let gated = gated(members).into_iter();
    gated
        .filter_map(|(instance, _, _)| Some((instance, store.strike(Point::Gate { instance })?)))
        .collect()
}

/// The instances of the batch with the versions that they must have.
pub(super) fn gate_rows<'a>(members: &[Member<'a>]) -> Bulk<'a> {
    let mut bulk = Bulk::new(VERSION);
    gated(members)
        .into_iter()
        .for_each(|(id, version, _)| bulk.push(&[Value::from(id), Value::from(version)]));
    bulk
}

/// Returns the losers among the members that have not lost yet.
pub(super) async fn pass(
    struck: &Struck<'_>,
    session: &mut Session,
    members: &[Member<'_>],
    lost: &[(usize, Outcome)],
) -> Result<Vec<(usize, Outcome)>, Failure> {
    let out: BTreeSet<usize> = lost.iter().map(|(place, _)| *place).collect();
    let rest: Vec<Member<'_>> = members
        .iter()
        .filter(|(place, _)| !out.contains(place))
        .copied()
        .collect();
    let mut losers = instances(struck, session, &rest).await?;
    let out: BTreeSet<usize> = losers.iter().map(|(place, _)| *place).collect();
    let rest: Vec<Member<'_>> = rest
        .into_iter()
        .filter(|(place, _)| !out.contains(place))
        .collect();
    losers.extend(records(session, &rest).await?);
    Ok(losers)
}

async fn instances(
    struck: &Struck<'_>,
    session: &mut Session,
    members: &[Member<'_>],
) -> Result<Vec<(usize, Outcome)>, Failure> {
    let wanted = gated(members);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let ids = Bulk::texts(wanted.iter().map(|(id, _, _)| *id));
    let found: HashMap<String, i64> = session
        .fetch::<(String, i64)>(GATE.call().rows(&ids))
        .await?
        .into_iter()
        .collect();
    let missed: Vec<&str> = wanted
        .iter()
        .map(|(id, _, _)| *id)
        .filter(|id| !found.contains_key(*id))
        .collect();
    let locked: HashMap<String, i64> = if missed.is_empty() {
        HashMap::new()
    } else {
        let ids = Bulk::texts(missed.iter().copied());
        session
            .fetch::<(String, i64)>(GATE_MISSED.call().rows(&ids))
            .await?
            .into_iter()
            .collect()
    };
    let mut losers = Vec::new();
    for (id, version, place) in wanted {
        let current = found.get(id).copied();
        match struck.get(id) {
            Some(Fault::Lose) => losers.push((place, Outcome::Lost(Lost::Instance { current }))),
            Some(Fault::Lock) => losers.push((place, Outcome::Locked)),
            _ if current == Some(version) => {}
            // Locked by another, though its version is the one that was read.
            _ if current.is_none() && locked.get(id) == Some(&version) => {
                losers.push((place, Outcome::Locked))
            }
            _ => {
                let current = current.or_else(|| locked.get(id).copied());
                losers.push((place, Outcome::Lost(Lost::Instance { current })));
            }
        }
    }
    Ok(losers)
}

async fn records(
    session: &mut Session,
    members: &[Member<'_>],
) -> Result<Vec<(usize, Outcome)>, Failure> {
    let names: BTreeSet<(&str, &str)> = members
        .iter()
        .flat_map(|(_, change)| &change.records)
        .map(|record| (record.register.as_str(), record.id.as_str()))
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let found = versions(session, &GATE_RECORDS, names.iter().copied()).await?;
    let missed: Vec<(&str, &str)> = names
        .iter()
        .filter(|(register, id)| !found.contains_key(&owned(register, id)))
        .copied()
        .collect();
    let locked = if missed.is_empty() || missed.len() == new_only(members) {
        HashMap::new()
    } else {
        versions(session, &GATE_RECORDS_MISSED, missed.into_iter()).await?
    };
    let mut losers = Vec::new();
    let mut holders: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for (place, change) in members {
        let loss = change
            .records
            .iter()
            .find_map(|record| loss(record, &found, &locked, &holders));
        match loss {
            Some(outcome) => losers.push((*place, outcome)),
            None => {
                for record in &change.records {
                    let writes = record.next != RecordNext::Keep;
                    *holders.entry((&record.register, &record.id)).or_default() |= writes;
                }
            }
        }
    }
    Ok(losers)
}

/// How many guards expect that there is no record: those need no second look.
fn new_only(members: &[Member<'_>]) -> usize {
    members
        .iter()
        .flat_map(|(_, change)| &change.records)
        .filter(|record| record.base == 0)
        .count()
}

fn owned(register: &str, id: &str) -> (String, String) {
    (register.to_owned(), id.to_owned())
}

async fn versions<'a>(
    session: &mut Session,
    statement: &'static crate::db::Statement,
    names: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<HashMap<(String, String), i64>, Failure> {
    let mut bulk = Bulk::new(RECORD);
    names.for_each(|(register, id)| bulk.push(&[Value::from(register), Value::from(id)]));
    let rows: Vec<(String, String, i64)> = session.fetch(statement.call().rows(&bulk)).await?;
    Ok(rows
        .into_iter()
        .map(|(register, id, version)| ((register, id), version))
        .collect())
}

fn loss(
    record: &RecordWrite,
    found: &HashMap<(String, String), i64>,
    locked: &HashMap<(String, String), i64>,
    holders: &BTreeMap<(&str, &str), bool>,
) -> Option<Outcome> {
    let name = owned(&record.register, &record.id);
    let lost = |current| {
        Some(Outcome::Lost(Lost::Record {
            register: record.register.clone(),
            id: record.id.clone(),
            current,
        }))
    };
    // Two that only look may share a guard; with one that writes, the first to name it has it.
    let held = holders.get(&(record.register.as_str(), record.id.as_str()));
    if held.is_some_and(|writes| *writes || record.next != RecordNext::Keep) {
        return lost(found.get(&name).copied());
    }
    match found.get(&name) {
        Some(version) if *version == record.base => None,
        Some(version) => lost(Some(*version)),
        None => match locked.get(&name) {
            Some(version) if *version == record.base => Some(Outcome::Locked),
            Some(version) => lost(Some(*version)),
            None if record.base == 0 => None,
            None => lost(None),
        },
    }
}

/// The instances whose versions the batch must gate, sorted.
fn gated<'a>(members: &[Member<'a>]) -> Vec<(&'a str, i64, usize)> {
    let mut list: Vec<(&str, i64, usize)> = members
        .iter()
        .filter_map(|(place, change)| {
            let instance = change.instance.as_ref()?;
            match instance.base {
                Base::Running(version) => Some((instance.id.as_str(), version, *place)),
                Base::New | Base::Ended(_) => None,
            }
        })
        .collect();
    list.sort_unstable();
    list
}
