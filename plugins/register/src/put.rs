//! `register.put`: new records, and records that take the given fields over.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{Call, Failure, Kind, Prepared, Signature, Title, Write};

use crate::writing::{Begun, arguments, begin, write};

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
        .arguments(arguments(
            "records",
            &value!({
                "records": { "type": "array", "items": { "type": "object" }, "maxItems": 10000 },
                "lock": { "type": ["string", "null"] },
            }),
        ))
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
        let Begun {
            args,
            definition,
            how,
        } = begin(&self.signature, args, call).await?;
        let given = args.needed("records")?;
        let records = given
            .as_list()
            .ok_or_else(|| args.wrong("records", "a list of objects", given))?;
        let written = write(call, &definition, records, &how).await?;
        let keys: Vec<&str> = written
            .records
            .iter()
            .map(|record| record.id.as_str())
            .collect();
        let value = value!({
            "count": (keys.len()),
            "keys": keys,
            "kept": (written.kept.clone()),
            "ignored": (written.ignored.clone()),
        });
        Ok(written.prepared(value))
    }
}
