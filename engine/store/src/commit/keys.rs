//! Step one: the commit token and all keys of the batch, in one statement, in one order.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::batch::{Failure, Member};
use crate::db::{Bulk, Kind, Session, Value, statements};
use crate::outcome::Outcome;
use crate::tables::key::KeyRow;

/// How long a commit token is kept: longer than any COMMIT may stay unclear.
const TOKEN_TTL_MS: i64 = 24 * 60 * 60 * 1000;
/// The scope of commit tokens.
pub(super) const TOKEN_SCOPE: &str = "commit";

const NAME: &[(&str, Kind)] = &[("scope", Kind::Text), ("value", Kind::Text)];
const ROW: &[(&str, Kind)] = &[
    ("scope", Kind::Text),
    ("value", Kind::Text),
    ("digest", Kind::Text),
    ("instance_id", Kind::Text),
    ("answer", Kind::Text),
    ("expires_at_ms", Kind::Int),
];

statements! {
    KEY_TAKE = bulk(ROW,
        "INSERT INTO key (scope, value, digest, instance_id, answer, expires_at_ms)
         SELECT r.scope, r.value, r.digest, r.instance_id, r.answer, r.expires_at_ms FROM {rows} WHERE true
         ON CONFLICT DO NOTHING RETURNING scope, value");
    // In a script nobody may hold a key, and who takes it meanwhile makes the whole script fail.
    KEYS_FREE = bulk(ROW,
        "SELECT r.value FROM {rows}
         WHERE NOT EXISTS (SELECT 1 FROM key k WHERE k.scope = r.scope AND k.value = r.value)");
    KEY_PUT = bulk(ROW,
        "INSERT INTO key (scope, value, digest, instance_id, answer, expires_at_ms)
         SELECT r.scope, r.value, r.digest, r.instance_id, r.answer, r.expires_at_ms FROM {rows} WHERE {held}");
    KEY_HOLDERS = bulk(NAME,
        "SELECT k.scope, k.value, k.digest, k.instance_id, k.answer, k.expires_at_ms
         FROM {rows} JOIN key k ON k.scope = r.scope AND k.value = r.value");
    KEY_DELETE = bulk(NAME,
        "DELETE FROM key WHERE (scope, value) IN (SELECT r.scope, r.value FROM {rows})");
}

type Name<'a> = (&'a str, &'a str);

/// A key that the batch wants: its row, and who asks for it, in order.
struct Wanted<'a> {
    row: Option<&'a KeyRow>,
    takers: Vec<usize>,
}

/// What taking the keys gave.
#[derive(Default)]
pub(super) struct Taken<'a> {
    /// The keys that this transaction inserted, each with the change that has it.
    won: HashMap<Name<'a>, usize>,
    pub losers: Vec<(usize, Outcome)>,
    /// Changes that must run again: their key's first taker is in this batch, or its holder has expired and is gone.
    pub again: Vec<usize>,
}

/// The token and the keys of a batch; `None` when two of its changes want the same one.
pub(super) fn key_rows<'a>(members: &[Member<'a>], token: &'a str) -> Option<Bulk<'a>> {
    let wanted = wanted(members, token);
    let alone = wanted.values().all(|key| key.takers.len() < 2);
    alone.then(|| rows(&wanted, latest_ms(members)))
}

/// The time of a batch.
fn latest_ms(members: &[Member<'_>]) -> i64 {
    let times = members.iter().map(|(_, change)| change.at_ms);
    times.max().unwrap_or_default()
}

/// Takes the token and the keys.
pub(super) async fn take<'a>(
    session: &mut Session,
    members: &[Member<'a>],
    token: &'a str,
) -> Result<Taken<'a>, Failure> {
    let wanted = wanted(members, token);
    let bulk = rows(&wanted, latest_ms(members));
    let inserted: Vec<(String, String)> = session.fetch(KEY_TAKE.call().rows(&bulk)).await?;
    let all = inserted.len() == wanted.len();
    let inserted: HashSet<(String, String)> = if all {
        HashSet::new()
    } else {
        inserted.into_iter().collect()
    };
    let mut taken = Taken::default();
    let mut missed = Vec::new();
    for (name, key) in &wanted {
        if all || inserted.contains(&(name.0.to_owned(), name.1.to_owned())) {
            if let Some((first, rest)) = key.takers.split_first() {
                taken.won.insert(*name, *first);
                taken.again.extend(rest);
            }
        } else {
            missed.push(*name);
        }
    }
    if !missed.is_empty() {
        taken
            .meet_holders(session, members, &wanted, &missed)
            .await?;
    }
    taken.losers.sort_by_key(|(place, _)| *place);
    taken.losers.dedup_by_key(|(place, _)| *place);
    let lost: HashSet<usize> = taken.losers.iter().map(|(place, _)| *place).collect();
    taken.again.retain(|place| !lost.contains(place));
    taken.again.sort_unstable();
    taken.again.dedup();
    Ok(taken)
}

/// All keys of the batch in their order, which is the order in which every transaction takes them.
fn wanted<'a>(members: &[Member<'a>], token: &'a str) -> BTreeMap<Name<'a>, Wanted<'a>> {
    let mut wanted = BTreeMap::new();
    wanted.insert(
        (TOKEN_SCOPE, token),
        Wanted {
            row: None,
            takers: Vec::new(),
        },
    );
    for (place, change) in members {
        for key in &change.keys {
            let name = (key.scope.as_str(), key.value.as_str());
            let key = wanted.entry(name).or_insert(Wanted {
                row: Some(key),
                takers: Vec::new(),
            });
            if !key.takers.contains(place) {
                key.takers.push(*place);
            }
        }
    }
    wanted
}

fn rows<'a>(wanted: &BTreeMap<Name<'a>, Wanted<'a>>, now_ms: i64) -> Bulk<'a> {
    let mut bulk = Bulk::new(ROW);
    for ((scope, value), key) in wanted {
        let row = key.row;
        bulk.push(&[
            Value::from(*scope),
            Value::from(*value),
            Value::from(row.map_or("", |row| row.digest.as_str())),
            Value::from(row.and_then(|row| row.instance_id.as_deref())),
            Value::from(row.and_then(|row| row.answer.as_deref())),
            Value::from(
                row.map_or(Some(now_ms.saturating_add(TOKEN_TTL_MS)), |row| {
                    row.expires_at_ms
                }),
            ),
        ]);
    }
    bulk
}

impl Taken<'_> {
    /// Reads who holds the missed keys: their takers lose, unless the holder has expired; then it is deleted.
    async fn meet_holders(
        &mut self,
        session: &mut Session,
        members: &[Member<'_>],
        wanted: &BTreeMap<Name<'_>, Wanted<'_>>,
        missed: &[Name<'_>],
    ) -> Result<(), Failure> {
        let holders: Vec<KeyRow> = session
            .fetch(KEY_HOLDERS.call().rows(&names(missed.iter().copied())))
            .await?;
        let holders: HashMap<Name<'_>, &KeyRow> = holders
            .iter()
            .map(|holder| ((holder.scope.as_str(), holder.value.as_str()), holder))
            .collect();
        let times: HashMap<usize, i64> = members
            .iter()
            .map(|(place, change)| (*place, change.at_ms))
            .collect();
        let mut expired = Vec::new();
        for name in missed {
            for place in wanted.get(name).iter().flat_map(|key| &key.takers) {
                let at_ms = times.get(place).copied().unwrap_or_default();
                match holders.get(name) {
                    Some(holder) if holder.expires_at_ms.is_none_or(|expires| expires > at_ms) => {
                        let holder = (*holder).clone();
                        self.losers.push((*place, Outcome::KeyTaken { holder }));
                    }
                    Some(_) => {
                        expired.push(*name);
                        self.again.push(*place);
                    }
                    // It went between the two statements.
                    None => self.again.push(*place),
                }
            }
        }
        expired.dedup();
        if !expired.is_empty() {
            session
                .execute(KEY_DELETE.call().rows(&names(expired.into_iter())))
                .await?;
        }
        Ok(())
    }
}

/// Gives back what changes that lost had won.
pub(super) async fn release(
    session: &mut Session,
    left: &[Member<'_>],
    taken: &Taken<'_>,
) -> Result<(), Failure> {
    let mut back: Vec<Name<'_>> = Vec::new();
    for (place, change) in left {
        let names = change
            .keys
            .iter()
            .map(|key| (key.scope.as_str(), key.value.as_str()));
        back.extend(names.filter(|name| taken.won.get(name) == Some(place)));
    }
    if back.is_empty() {
        return Ok(());
    }
    back.sort_unstable();
    session
        .execute(KEY_DELETE.call().rows(&names(back.into_iter())))
        .await?;
    Ok(())
}

fn names<'a>(list: impl Iterator<Item = (&'a str, &'a str)>) -> Bulk<'a> {
    let mut bulk = Bulk::new(NAME);
    list.for_each(|(scope, value)| bulk.push(&[Value::from(scope), Value::from(value)]));
    bulk
}
