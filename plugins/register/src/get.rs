//! `register.get`: records by key, with what their absence means.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{
    Answer, Call, Failure, Kind, May, Read, Record, RegisterDefinition, Signature, Source, Title,
    key_text,
};

use crate::arguments::Arguments;
use crate::lens::{Lens, Reason};
use crate::reading::{about, definition, shown};
use crate::schema::Schema;
use crate::text::moment;

/// How many keys one call may name.
const KEYS_MAX: usize = 500;

pub(crate) struct Get {
    signature: Signature,
}

impl Get {
    pub(crate) fn new() -> Self {
        let signature = Signature::new(
            "register.get",
            Kind::Read,
            Title::new("查询登记记录", "Look up a record"),
        )
        .personal()
        .summary("Gives the records of a register under one key or several, and says what their absence means.")
        .arguments(value!({
            "type": "object",
            "required": ["register"],
            "properties": {
                "register": { "type": "string" },
                "key": { "type": ["string", "integer", "object", "null"] },
                "keys": { "type": ["array", "null"], "maxItems": 500 },
                "fields": { "type": ["array", "null"], "items": { "type": "string" } },
                "purpose": { "type": ["string", "null"] },
                "consent": true,
                "onUnavailable": { "enum": ["fault", "answer"] },
            },
            "additionalProperties": false,
        }))
        .result(value!({
            "type": "object",
            "required": ["status", "record", "records", "source", "fetchedAt"],
            "properties": {
                "status": { "enum": ["found", "none", "unavailable", "stale"] },
                "record": { "type": ["object", "null"] },
                "records": { "type": "array", "items": { "type": "object" } },
                "about": { "type": "array", "items": { "type": "object" } },
                "missing": { "type": "array" },
                "none": { "enum": ["unknown", "nothing"] },
                "covers": { "type": "object" },
                "source": { "type": "string" },
                "fetchedAt": { "type": ["string", "null"] },
            },
        }));
        Self { signature }
    }
}

/// One key as it was asked for, and the records under it.
struct Asked {
    given: Value,
    records: Vec<Record>,
}

#[async_trait]
impl Read for Get {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn read(&self, args: &Value, call: &Call<'_>) -> Result<Answer, Failure> {
        let args = Arguments::new(&self.signature.name, args);
        let definition = definition(call, args.needed_text("register")?).await?;
        let lens = Lens::of(&definition, call, May::Read)?;
        let fields = lens.fields(&definition, args.texts("fields")?)?;
        let reason = Reason::of(&args, call)?;
        let keys = keys(&args)?;
        let source = call.ports.records.source(&definition.register).await?;
        if !source.available {
            return unavailable(&args, &definition, &source);
        }
        let asked = look_up(call, &definition, keys).await?;
        if asked
            .iter()
            .flat_map(|one| &one.records)
            .any(|record| !lens.shows(&record.body))
        {
            return Err(Failure::authorization(format!(
                "the rights of register `{}` do not show one of the records here",
                definition.register
            )));
        }
        let schema = Schema::of(&definition)?;
        let access = if definition.personal {
            access(&definition, &reason, &asked, &fields, call.now_ms)
        } else {
            Vec::new()
        };
        let value = answer(&definition, &schema, &source, asked, &fields, call.now_ms);
        Ok(Answer { value, access })
    }
}

fn keys(args: &Arguments<'_>) -> Result<Vec<Value>, Failure> {
    let keys = match (args.value("key"), args.value("keys")) {
        (Some(key), None) => vec![key.clone()],
        (None, Some(keys)) => keys
            .as_list()
            .map(<[Value]>::to_vec)
            .ok_or_else(|| args.wrong("keys", "a list of keys", keys))?,
        (Some(_), Some(_)) => {
            return Err(Failure::validation(
                "`register.get` takes `key` or `keys`, found both",
            ));
        }
        (None, None) => {
            return Err(Failure::validation(
                "`register.get` needs `key` or `keys`, found none; is the field that it is taken from empty?",
            ));
        }
    };
    if keys.len() > KEYS_MAX {
        return Err(Failure::validation(format!(
            "`register.get` takes at most {KEYS_MAX} keys, found {}; use `register.find` or `batch`",
            keys.len()
        )));
    }
    Ok(keys)
}

async fn look_up(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    keys: Vec<Value>,
) -> Result<Vec<Asked>, Failure> {
    let mut texts = Vec::new();
    for key in keys.iter().filter(|key| key.as_object().is_none()) {
        texts.push(key_text(key).ok_or_else(|| {
            Failure::validation(format!(
                "a key of register `{}` is a text or a whole number, found {}",
                definition.register,
                key.kind_name()
            ))
        })?);
    }
    texts.sort();
    texts.dedup();
    let records = &call.ports.records;
    let register = definition.register.as_str();
    let plain = if texts.is_empty() {
        Vec::new()
    } else if definition.many {
        records.by_key(register, &definition.key, &texts).await?
    } else {
        records.get(register, &texts).await?
    };
    let mut asked = Vec::with_capacity(keys.len());
    for given in keys {
        let found = if given.as_object().is_some() {
            let (name, value) = alternative(definition, &given)?;
            records.by_key(register, &name, &[value]).await?
        } else {
            let text = key_text(&given);
            plain
                .iter()
                .filter(|record| match definition.many {
                    true => record.body.at(&definition.key).and_then(key_text) == text,
                    false => Some(&record.id) == text.as_ref(),
                })
                .cloned()
                .collect()
        };
        asked.push(Asked {
            given,
            records: found,
        });
    }
    Ok(asked)
}

fn alternative(
    definition: &RegisterDefinition,
    given: &Value,
) -> Result<(String, String), Failure> {
    let pairs: Vec<(String, Value)> = given
        .entries()
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect();
    definition.alternative(&pairs).ok_or_else(|| {
        let known: Vec<String> = definition
            .alternatives
            .iter()
            .map(|fields| format!("[{}]", fields.join(", ")))
            .collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        Failure::validation(format!(
            "register `{}` has no alternative key [{}] with these values (known: {known}); a name alone never links",
            definition.register,
            names.join(", ")
        ))
    })
}

fn access(
    definition: &RegisterDefinition,
    reason: &Reason,
    asked: &[Asked],
    fields: &[String],
    at_ms: i64,
) -> Vec<tongban_plugin::AccessEntry> {
    asked
        .iter()
        .flat_map(|one| {
            if one.records.is_empty() {
                let looked_for = key_text(&one.given).unwrap_or_default();
                vec![reason.entry(&definition.register, &looked_for, fields, 0, at_ms)]
            } else {
                reason.entries(&definition.register, &one.records, fields, at_ms)
            }
        })
        .collect()
}

fn answer(
    definition: &RegisterDefinition,
    schema: &Schema,
    source: &Source,
    asked: Vec<Asked>,
    fields: &[String],
    now_ms: i64,
) -> Value {
    let missing: Vec<Value> = asked
        .iter()
        .filter(|one| one.records.is_empty())
        .map(|one| one.given.clone())
        .collect();
    let records: Vec<Record> = asked.into_iter().flat_map(|one| one.records).collect();
    let fetched_ms = fetched_at_ms(source, &records, fields, now_ms);
    let stale = definition
        .stale
        .is_some_and(|stale| now_ms - fetched_ms > stale.after_ms());
    let status = match (stale, records.is_empty()) {
        (true, _) => "stale",
        (false, true) => "none",
        (false, false) => "found",
    };
    let bodies: Vec<Value> = records
        .iter()
        .map(|record| shown(schema, record, fields))
        .collect();
    let abouts: Vec<Value> = records.iter().map(|record| about(record, fields)).collect();
    value!({
        "status": status,
        "record": bodies.first().cloned(),
        "records": bodies,
        "about": abouts,
        "missing": missing,
        "none": definition.none.word(),
        "covers": { "since": definition.covers.since.clone(), "until": definition.covers.until.clone() },
        "source": source.name.as_str(),
        "fetchedAt": moment(fetched_ms),
    })
}

/// A register that is imported is as fresh as its last import, even where a record did not change.
fn fetched_at_ms(source: &Source, records: &[Record], fields: &[String], now_ms: i64) -> i64 {
    let oldest = records
        .iter()
        .map(|record| {
            let of_fields = record.provenance.oldest_of_ms(fields);
            of_fields.unwrap_or(record.changed_at_ms)
        })
        .min();
    match (oldest, source.fetched_at_ms) {
        (Some(record), Some(import)) => record.max(import),
        (Some(moment), None) | (None, Some(moment)) => moment,
        (None, None) => now_ms,
    }
}

fn unavailable(
    args: &Arguments<'_>,
    definition: &RegisterDefinition,
    source: &Source,
) -> Result<Answer, Failure> {
    match args.text("onUnavailable")? {
        Some("answer") => Ok(Answer::from(value!({
            "status": "unavailable",
            "record": null,
            "records": [],
            "about": [],
            "missing": [],
            "none": definition.none.word(),
            "covers": { "since": definition.covers.since.clone(), "until": definition.covers.until.clone() },
            "source": source.name.as_str(),
            "fetchedAt": null,
        }))),
        None | Some("fault") => Err(Failure::communication(format!(
            "the source `{}` of register `{}` cannot be asked now",
            source.name, definition.register
        ))
        .with_status(503)),
        Some(other) => Err(Failure::validation(format!(
            "`onUnavailable` is `fault` or `answer`, found `{other}`"
        ))),
    }
}
