//! Which record is meant: by its key, by an alternative key, or a new one by its number.

use std::collections::{HashMap, HashSet};

use tongban_expr::Value;
use tongban_plugin::{Failure, key_text};

use crate::frame::Frame;
use crate::guards::holders;
use crate::reading::existing;
use crate::schema::{Fault, refused};

/// How long an id may be, in bytes: it is part of database keys.
const ID_MAX: usize = 200;

/// Gives every record its id.
pub(crate) async fn identify(frame: &Frame<'_>, given: &[Value]) -> Result<Vec<String>, Failure> {
    let definition = frame.definition;
    let mut ids: Vec<Option<String>> = Vec::with_capacity(given.len());
    let mut faults = Vec::new();
    for (place, record) in given.iter().enumerate() {
        if record.as_object().is_none() {
            let message = format!("expects an object, found {}", record.kind_name());
            faults.push(Fault {
                field: format!("{}[{place}]", frame.how.argument),
                message,
            });
            continue;
        }
        let key = record.at(&definition.key).filter(|key| !key.is_null());
        match key.map(good_key).transpose() {
            Ok(id) => ids.push(id),
            Err(message) => faults.push(key_fault(frame, place, message)),
        }
    }
    if !faults.is_empty() {
        return Err(refused(&definition.register, &faults));
    }
    if definition.many {
        return number_shared(frame, whole(frame, ids)?).await;
    }
    by_alternative(frame, given, &mut ids).await?;
    by_number(frame, &mut ids).await?;
    each_once(frame, whole(frame, ids)?)
}

fn good_key(key: &Value) -> Result<String, String> {
    let text = key_text(key).ok_or_else(|| {
        format!(
            "expects a text or a whole number as key, found {}",
            key.kind_name()
        )
    })?;
    if text.len() > ID_MAX {
        return Err(format!(
            "expects a key of at most {ID_MAX} bytes, found {}",
            text.len()
        ));
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err("expects a key without control characters and outer spaces".to_owned());
    }
    Ok(text)
}

fn key_fault(frame: &Frame<'_>, place: usize, message: String) -> Fault {
    Fault {
        field: format!("{}[{place}].{}", frame.how.argument, frame.definition.key),
        message,
    }
}

async fn by_alternative(
    frame: &Frame<'_>,
    given: &[Value],
    ids: &mut [Option<String>],
) -> Result<(), Failure> {
    let mut wanted: HashMap<String, Vec<(usize, String)>> = HashMap::new();
    for (place, record) in given.iter().enumerate() {
        if ids.get(place).is_some_and(Option::is_none) {
            for (name, value) in frame.definition.keys_of(record) {
                wanted.entry(name).or_default().push((place, value));
            }
        }
    }
    for (name, list) in wanted {
        let values: Vec<String> = list.iter().map(|(_, value)| value.clone()).collect();
        let holders = holders(frame, &name, &values).await?;
        for (place, value) in list {
            if let (Some(id @ None), Some(holder)) = (ids.get_mut(place), holders.get(&value)) {
                *id = Some(holder.clone());
            }
        }
    }
    Ok(())
}

async fn by_number(frame: &Frame<'_>, ids: &mut [Option<String>]) -> Result<(), Failure> {
    let (call, definition) = (frame.call, frame.definition);
    let numbers = definition.extras().numbers;
    let Some((_, pattern)) = numbers.iter().find(|(field, _)| *field == definition.key) else {
        return Ok(());
    };
    let unit = call.starter.unit.as_deref().unwrap_or_default();
    let sequence = format!(
        "register/{}/{}",
        definition.register,
        pattern.sequence(call.today, unit)
    );
    let mut taken: HashSet<String> = ids.iter().flatten().cloned().collect();
    loop {
        let missing = ids.iter().filter(|id| id.is_none()).count();
        let Ok(count @ 1..) = u32::try_from(missing) else {
            return Ok(());
        };
        let first = call.ports.records.draw(&sequence, count).await?;
        let drawn: Vec<String> = (first..first + i64::from(count))
            .map(|number| pattern.number(call.today, unit, number))
            .collect();
        // Records that were imported carry numbers that no sequence gave.
        let there = existing(call, &definition.register, &drawn).await?;
        let mut free = drawn
            .into_iter()
            .filter(|number| !there.contains_key(number) && taken.insert(number.clone()));
        for id in ids.iter_mut().filter(|id| id.is_none()) {
            *id = free.next();
        }
    }
}

/// Where a key has several records, each one put is a further one: `key#n`.
async fn number_shared(frame: &Frame<'_>, keys: Vec<String>) -> Result<Vec<String>, Failure> {
    let (call, definition) = (frame.call, frame.definition);
    let register = definition.register.as_str();
    let records = call
        .ports
        .records
        .by_key(register, &definition.key, &keys)
        .await?;
    let committed = records.iter().map(|record| record.id.as_str());
    let pending = call
        .pending
        .iter()
        .filter(|write| write.register == register)
        .map(|write| write.id.as_str());
    let mut last: HashMap<String, usize> = HashMap::new();
    for id in committed.chain(pending) {
        if let Some((key, nth)) = id.rsplit_once('#') {
            let nth = nth.parse().unwrap_or(0);
            let last = last.entry(key.to_owned()).or_default();
            *last = (*last).max(nth);
        }
    }
    Ok(keys
        .into_iter()
        .map(|key| {
            let nth = last.entry(key.clone()).or_default();
            *nth += 1;
            definition.row_id(&key, *nth)
        })
        .collect())
}

fn whole(frame: &Frame<'_>, ids: Vec<Option<String>>) -> Result<Vec<String>, Failure> {
    let mut faults = Vec::new();
    let mut whole = Vec::with_capacity(ids.len());
    for (place, id) in ids.into_iter().enumerate() {
        match id {
            Some(id) => whole.push(id),
            None => {
                let message = "is the key and is required".to_owned();
                faults.push(key_fault(frame, place, message));
            }
        }
    }
    if faults.is_empty() {
        Ok(whole)
    } else {
        Err(refused(&frame.definition.register, &faults))
    }
}

fn each_once(frame: &Frame<'_>, ids: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut faults = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        if let Some(earlier) = first.insert(id, place) {
            let message = format!("is the same record as {}[{earlier}]", frame.how.argument);
            faults.push(key_fault(frame, place, message));
        }
    }
    if faults.is_empty() {
        Ok(ids)
    } else {
        Err(refused(&frame.definition.register, &faults))
    }
}
