//! What stands against a write: another case's lock, another record's key.

use std::collections::HashMap;

use tongban_plugin::Failure;

use crate::draft::Draft;
use crate::frame::Frame;
use crate::reading::Existing;

/// Refuses a record that another case has locked. A case that brings a lock of its own takes it
/// over: a newly accepted sheet replaces the former one.
pub(crate) fn guard_lock(
    frame: &Frame<'_>,
    id: &str,
    before: Option<&Existing>,
) -> Result<(), Failure> {
    let lock = before.and_then(|before| before.record.lock.as_deref());
    match lock {
        Some(holder) if frame.how.lock.is_none() && holder != frame.call.number => {
            Err(Failure::conflict(format!(
                "record `{id}` of register `{}` is locked by case {holder}; it is opened from there",
                frame.definition.register
            ))
            .with_status(423)
            .with_retryable(false))
        }
        _ => Ok(()),
    }
}

/// Refuses an alternative key that another record has.
pub(crate) async fn guard_keys(frame: &Frame<'_>, drafts: &[Draft]) -> Result<(), Failure> {
    let definition = frame.definition;
    let mut wanted: HashMap<String, Vec<(String, &Draft)>> = HashMap::new();
    for draft in drafts {
        for (name, value) in definition.keys_of(&draft.body) {
            if name != definition.key {
                wanted.entry(name).or_default().push((value, draft));
            }
        }
    }
    for (name, list) in wanted {
        let values: Vec<String> = list.iter().map(|(value, _)| value.clone()).collect();
        let mut holders = holders(frame, &name, &values).await?;
        for (value, draft) in list {
            let holder = holders.entry(value).or_insert_with(|| draft.id.clone());
            if *holder != draft.id {
                return Err(Failure::conflict(format!(
                    "register `{}` has record `{holder}` with the same {}; change that record, or give another {}",
                    definition.register,
                    name.replace('+', ", "),
                    name.replace('+', " or ")
                ))
                .with_retryable(false));
            }
        }
    }
    Ok(())
}

/// Who has these values of an alternative key, committed or prepared.
pub(crate) async fn holders(
    frame: &Frame<'_>,
    name: &str,
    values: &[String],
) -> Result<HashMap<String, String>, Failure> {
    let (call, definition) = (frame.call, frame.definition);
    let register = definition.register.as_str();
    let committed = call.ports.records.by_key(register, name, values).await?;
    let value_of = |keys: Vec<(String, String)>| {
        keys.into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    let mut holders = HashMap::new();
    for record in committed {
        // A record that this activation has changed no longer holds its former keys.
        if call.pending(register, &record.id).is_none()
            && let Some(value) = value_of(definition.keys_of(&record.body))
        {
            holders.insert(value, record.id);
        }
    }
    let pending = call.pending.iter();
    for write in pending.filter(|write| write.register == register) {
        if let Some(value) = value_of(write.keys.clone()) {
            holders.insert(value, write.id.clone());
        }
    }
    Ok(holders)
}
