//! Step one: the commit token and all keys of the batch, in one statement, in one order.

use std::collections::{BTreeMap, HashSet};

use super::{Failure, Member};
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
    KEY_HOLDERS = bulk(NAME,
        "SELECT k.scope, k.value, k.digest, k.instance_id, k.answer, k.expires_at_ms
         FROM {rows} JOIN key k ON k.scope = r.scope AND k.value = r.value");
    KEY_DELETE = bulk(NAME,
        "DELETE FROM key WHERE (scope, value) IN (SELECT r.scope, r.value FROM {rows})");
}

pub(super) type Name = (String, String);

/// What taking the keys gave.
pub(super) struct Taken {
    /// The keys that this transaction inserted.
    pub won: HashSet<Name>,
    pub losers: Vec<(usize, Outcome)>,
    /// Changes whose key was held by a row that has expired and is deleted now.
    pub again: Vec<usize>,
}

/// Takes the token and the keys.
pub(super) async fn take(
    session: &mut Session,
    members: &[Member<'_>],
    token: &str,
) -> Result<Taken, Failure> {
    let now_ms = members
        .iter()
        .map(|(_, change)| change.at_ms)
        .max()
        .unwrap_or_default();
    let mut rows: BTreeMap<(&str, &str), (usize, Option<&KeyRow>)> = BTreeMap::new();
    rows.insert((TOKEN_SCOPE, token), (usize::MAX, None));
    for (place, change) in members {
        for key in &change.keys {
            rows.insert((&key.scope, &key.value), (*place, Some(key)));
        }
    }
    let mut bulk = Bulk::new(ROW);
    for ((scope, value), (_, key)) in &rows {
        let expires = key.map_or(Some(now_ms.saturating_add(TOKEN_TTL_MS)), |key| {
            key.expires_at_ms
        });
        bulk.push(&[
            Value::from(*scope),
            Value::from(*value),
            Value::from(key.map_or("", |key| key.digest.as_str())),
            Value::from(key.and_then(|key| key.instance_id.as_deref())),
            Value::from(key.and_then(|key| key.answer.as_deref())),
            Value::from(expires),
        ]);
    }
    let won: HashSet<Name> = session
        .fetch(KEY_TAKE.call().rows(&bulk))
        .await?
        .into_iter()
        .collect();
    let mut taken = Taken {
        won,
        losers: Vec::new(),
        again: Vec::new(),
    };
    if taken.won.len() == rows.len() {
        return Ok(taken);
    }
    let missed: Vec<(&str, &str)> = rows
        .keys()
        .filter(|(scope, value)| {
            !taken
                .won
                .contains(&((*scope).to_owned(), (*value).to_owned()))
        })
        .copied()
        .collect();
    let holders: Vec<KeyRow> = session
        .fetch(KEY_HOLDERS.call().rows(&names(missed.iter().copied())))
        .await?;
    let mut expired = Vec::new();
    for name in missed {
        let place = rows.get(&name).map_or(usize::MAX, |(place, _)| *place);
        let at_ms = members
            .iter()
            .find(|(member, _)| *member == place)
            .map_or(now_ms, |(_, change)| change.at_ms);
        let holder = holders
            .iter()
            .find(|holder| (holder.scope.as_str(), holder.value.as_str()) == name);
        match holder {
            Some(holder) if holder.expires_at_ms.is_none_or(|expires| expires > at_ms) => {
                taken.losers.push((
                    place,
                    Outcome::KeyTaken {
                        holder: holder.clone(),
                    },
                ));
            }
            Some(_) => {
                expired.push(name);
                taken.again.push(place);
            }
            // It went between the two statements.
            None => taken.again.push(place),
        }
    }
    if !expired.is_empty() {
        session
            .execute(KEY_DELETE.call().rows(&names(expired.into_iter())))
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

/// Gives back what changes that lost had won.
pub(super) async fn release(
    session: &mut Session,
    left: &[Member<'_>],
    won: &HashSet<Name>,
) -> Result<(), Failure> {
    let mut back: Vec<(&str, &str)> = left
        .iter()
        .flat_map(|(_, change)| &change.keys)
        .filter(|key| won.contains(&(key.scope.clone(), key.value.clone())))
        .map(|key| (key.scope.as_str(), key.value.as_str()))
        .collect();
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
