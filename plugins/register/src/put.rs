//! `register.put`: new records, and records that take the given fields over.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{Call, Failure, Kind, May, Prepared, Signature, Title, Write};

use crate::arguments::Arguments;
use crate::lens::Lens;
use crate::reading::definition;
use crate::writing::{Writing, write};

pub(crate) struct Put {
    signature: Signature,
}

impl Put {
    pub(crate) fn new() -> Self {
        let signature = Signature::new(
            "register.put",
            Kind::Write,
            Title::new("写入登记记录", "Write records"),
        )
        .summary("Writes records: a field that is given replaces the old one, null empties it, the others stay.")
        .arguments(value!({
            "type": "object",
            "required": ["register", "records"],
            "properties": {
                "register": { "type": "string" },
                "records": { "type": "array", "items": { "type": "object" }, "maxItems": 10000 },
                "lock": { "type": ["string", "null"] },
                "source": { "type": ["string", "null"] },
            },
            "additionalProperties": false,
        }))
        .result(value!({
            "type": "object",
            "required": ["keys", "count"],
            "properties": {
                "keys": { "type": "array", "items": { "type": "string" } },
                "count": { "type": "integer" },
                "kept": { "type": "array" },
                "ignored": { "type": "array", "items": { "type": "string" } },
                "warnings": { "type": "array" },
            },
        }));
        Self { signature }
    }
}

#[async_trait]
impl Write for Put {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure> {
        let args = Arguments::new(&self.signature.name, args);
        let definition = definition(call, args.needed_text("register")?).await?;
        Lens::of(&definition, call, May::Write)?;
        let given = args.needed("records")?;
        let records = given
            .as_list()
            .ok_or_else(|| args.wrong("records", "a list of objects", given))?;
        let how = Writing {
            lock: args.text("lock")?.map(ToOwned::to_owned),
            source: args.text("source")?.map(ToOwned::to_owned),
            ..Writing::default()
        };
        let written = write(call, &definition, records, &how).await?;
        let keys: Vec<&str> = written
            .records
            .iter()
            .map(|record| record.id.as_str())
            .collect();
        let count = keys.len();
        Ok(Prepared {
            value: value!({
                "keys": keys,
                "count": count,
                "kept": written.kept,
                "ignored": written.ignored,
                "warnings": written.warnings,
            }),
            records: written.records,
            ..Prepared::default()
        })
    }
}
