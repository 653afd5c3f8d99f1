//! One record on its way: what was given laid over what is there.

use tongban_expr::{Value, value};
use tongban_plugin::{FieldSource, History, Provenance, RecordWrite};

use crate::frame::{Frame, Written};
use crate::reading::Existing;
use crate::schema::without_nulls;

pub(crate) struct Draft {
    pub(crate) id: String,
    pub(crate) before: Option<Existing>,
    pub(crate) body: Value,
    provenance: Provenance,
}

impl Draft {
    /// Lays the given fields over the record: a field that is not given stays, null empties it, and
    /// the word of a field's authority stands against any other.
    pub(crate) fn merge(
        frame: &Frame<'_>,
        id: String,
        given: &Value,
        before: Option<Existing>,
        written: &mut Written,
    ) -> Self {
        let definition = frame.definition;
        let (body, provenance) = match &before {
            Some(before) => (before.record.body.clone(), before.record.provenance.clone()),
            None => (frame.defaults.clone(), Provenance::default()),
        };
        let mut draft = Self {
            id,
            before,
            body,
            provenance,
        };
        let strict = definition.schema.get("additionalProperties") == Some(&Value::Bool(false));
        for (field, value) in given.entries() {
            if field.as_str() == definition.key && !definition.many {
                continue;
            }
            if !strict && !frame.fields.iter().any(|known| known == field.as_str()) {
                if !written.ignored.iter().any(|known| known == field.as_str()) {
                    written.ignored.push(field.to_string());
                }
                continue;
            }
            draft.take(frame, field, without_nulls(value), written);
        }
        if !definition.many {
            let key = match draft.id.parse::<i64>() {
                Ok(number) if frame.numeric_key => Value::Int(number),
                _ => Value::from(draft.id.as_str()),
            };
            draft.body.set(&definition.key, key);
        }
        draft.condense(&definition.key);
        draft
    }

    fn take(&mut self, frame: &Frame<'_>, field: &str, value: Value, written: &mut Written) {
        if let Some(authority) = self.outranking(frame, field, &value) {
            written.kept.push(value!({
                "id": self.id.as_str(),
                "field": field,
                "authority": authority,
                "source": frame.source.as_str(),
            }));
        } else if value.is_null() {
            self.body.remove(field);
            self.provenance.0.shift_remove(field);
        } else {
            self.body.set(field, value);
            let source = said_by(frame);
            self.provenance.0.insert(field.to_owned(), source);
        }
    }

    /// The authority whose own other word stands there, when somebody else speaks now.
    fn outranking(&self, frame: &Frame<'_>, field: &str, value: &Value) -> Option<String> {
        self.before.as_ref()?;
        let held = self.body.get(field).filter(|held| !held.is_null())?;
        let authority = frame.definition.authority_of(field, &self.body)?;
        let speaker = &self.provenance.of(field)?.source;
        let stands = held != value && speaker == authority && authority != frame.source;
        stands.then(|| authority.to_owned())
    }

    /// One entry `*` where all fields have the same source: most records do, and rows stay small.
    fn condense(&mut self, key: &str) {
        let sources = &mut self.provenance.0;
        let all_named = self
            .body
            .entries()
            .all(|(field, _)| field.as_str() == key || sources.contains_key(field.as_str()));
        if all_named {
            sources.shift_remove("*");
        }
        let Some(first) = sources.values().next().cloned() else {
            return;
        };
        if sources.values().all(|source| *source == first) {
            sources.clear();
            sources.insert("*".to_owned(), first);
        }
    }

    pub(crate) fn row(self, frame: &Frame<'_>) -> RecordWrite {
        let definition = frame.definition;
        let former = self.before.as_ref().map(|before| &before.record);
        let unit = definition
            .authority_of("*", &self.body)
            .unwrap_or(&frame.source)
            .to_owned();
        let lock = frame
            .how
            .lock
            .clone()
            .or_else(|| former.and_then(|record| record.lock.clone()));
        let mark = match &frame.how.mark {
            Some(mark) => Some(mark.clone()).filter(|mark| !mark.is_empty()),
            None => former.and_then(|record| record.mark.clone()),
        };
        RecordWrite {
            register: definition.register.clone(),
            base_version: self.before.as_ref().and_then(|before| before.version),
            mode: frame.how.mode,
            unit: Some(unit),
            keys: definition.lookups_of(&self.body),
            id: self.id,
            body: self.body,
            provenance: self.provenance,
            mark,
            lock,
            history: definition.history == History::Versions,
        }
    }
}

fn said_by(frame: &Frame<'_>) -> FieldSource {
    let call = frame.call;
    FieldSource {
        source: frame.source.clone(),
        fetched_at_ms: call.now_ms,
        instance: Some(call.instance.to_owned()),
        case: Some(call.number.to_owned()).filter(|number| !number.is_empty()),
    }
}
