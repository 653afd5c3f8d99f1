//! `register.amend`: corrects single fields of one record by the word of their authority.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{
    Call, Failure, Kind, Prepared, RecordMode, RegisterDefinition, Signature, Title, Write,
    key_text,
};

use crate::arguments::Arguments;
use crate::frame::Writing;
use crate::reading::existing;
use crate::writing::{Begun, arguments, begin, write};

pub(crate) struct Amend {
    signature: Signature,
}

impl Amend {
    pub(crate) fn new() -> Self {
        let signature = Signature::new(
            "register.amend",
            Kind::Write,
            Title::new("更正登记记录", "Correct a record"),
        )
        .summary("Changes single fields of one record by their paths, and sets or clears the mark on it.")
        .arguments(arguments(
            "key",
            &value!({
                "key": { "type": ["string", "integer"] },
                "change": { "type": ["object", "null"] },
                "mark": { "type": ["string", "null"] },
            }),
        ))
        .result(value!({
            "type": "object",
            "required": ["key", "version", "changed"],
            "properties": {
                "key": { "type": "string" },
                "version": { "type": "integer" },
                "changed": { "type": "array", "items": { "type": "string" } },
                "warnings": { "type": "array" },
            },
        }));
        Self { signature }
    }
}

#[async_trait]
impl Write for Amend {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure> {
        let Begun {
            args,
            definition,
            how,
        } = begin(&self.signature, args, call).await?;
        if definition.many {
            return Err(Failure::validation(format!(
                "register `{}` has several records under a key, so `register.amend` cannot tell which one is meant; put a new one",
                definition.register
            )));
        }
        let key = args.needed("key")?;
        let key =
            key_text(key).ok_or_else(|| args.wrong("key", "a text or a whole number", key))?;
        let found = existing(call, &definition.register, std::slice::from_ref(&key)).await?;
        let before = found.get(&key).ok_or_else(|| {
            Failure::validation(format!(
                "register `{}` has no record `{key}` to amend; use `register.put` for a new one",
                definition.register
            ))
            .with_status(404)
        })?;
        let how = Writing {
            mode: RecordMode::Amend,
            argument: "record",
            ..how
        };
        let (given, changed) = given(&args, &definition, &before.record.body, &key)?;
        if changed.is_empty() && how.mark.is_none() {
            return Err(Failure::validation(
                "`register.amend` needs `change` or `mark`, found neither",
            ));
        }
        let version = before.version.unwrap_or(0) + 1;
        let written = write(call, &definition, &[given], &how).await?;
        if let Some(field) = written.ignored.first() {
            return Err(Failure::validation(format!(
                "register `{}` has no field `{field}` to amend",
                definition.register
            )));
        }
        if let Some(kept) = written.kept.first() {
            return Err(Failure::authorization(format!(
                "the word of `{}` counts for `{}` of register `{}`, and `{}` is not it",
                kept.text("authority").unwrap_or_default(),
                kept.text("field").unwrap_or_default(),
                definition.register,
                kept.text("source").unwrap_or_default()
            )));
        }
        let value = value!({
            "key": key,
            "version": version,
            "changed": changed,
        });
        Ok(written.prepared(value))
    }
}

/// The fields that change, each whole, and the paths that were given.
fn given(
    args: &Arguments<'_>,
    definition: &RegisterDefinition,
    body: &Value,
    key: &str,
) -> Result<(Value, Vec<String>), Failure> {
    let mut changed_body = body.clone();
    let mut paths = Vec::new();
    let mut fields = Vec::new();
    if let Some(change) = args.value("change") {
        if change.as_object().is_none() {
            return Err(args.wrong("change", "an object of paths and values", change));
        }
        for (path, value) in change.entries() {
            let field = path.split(['.', '[']).next().unwrap_or(path).to_owned();
            if field == definition.key {
                return Err(Failure::validation(format!(
                    "`change.{path}` is the key of register `{}`, which never changes",
                    definition.register
                )));
            }
            changed_body
                .set_at(path, value.clone())
                .map_err(|why| Failure::validation(format!("`change.{path}`: {why}")))?;
            paths.push(path.to_string());
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
    }
    let mut given = Value::object([(definition.key.as_str(), Value::from(key))]);
    for field in fields {
        let value = changed_body.get(&field).cloned().unwrap_or_default();
        given.set(&field, value);
    }
    Ok((given, paths))
}
