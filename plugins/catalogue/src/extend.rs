//! `grant.extend`: lets a grant in force last longer, or end earlier, than it was issued for.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{Call, Failure, GrantStatus, Kind, Prepared, Signature, Title, Write};
use tongban_register::Arguments;

use crate::grant::{GRANTS, amended, grants, in_force, row, until_day};

pub(crate) struct Extend {
    signature: Signature,
}

impl Extend {
    pub(crate) fn new() -> Self {
        let signature = Signature::new(
            "grant.extend",
            Kind::Write,
            Title::new("授权续期", "Extend a grant"),
        )
        .summary("Gives a grant that is in force another last day; everything else of it stays.")
        .arguments(value!({
            "type": "object",
            "required": ["id", "until"],
            "properties": {
                "id": { "type": "string" },
                "until": { "type": "string", "format": "date" },
                "register": { "type": ["string", "null"] },
            },
            "additionalProperties": false,
        }))
        .result(value!({
            "type": "object",
            "required": ["id", "resource", "holder", "fields", "purpose", "mode", "until", "before"],
            "properties": {
                "id": { "type": "string" },
                "resource": { "type": ["string", "null"] },
                "holder": { "type": ["string", "null"] },
                "fields": { "type": "array", "items": { "type": "string" } },
                "purpose": { "type": ["string", "null"] },
                "mode": { "type": ["string", "null"] },
                "until": { "type": "string" },
                "before": { "type": ["string", "null"] },
            },
        }));
        Self { signature }
    }
}

#[async_trait]
impl Write for Extend {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure> {
        let args = Arguments::new(&self.signature.name, args);
        let definition = grants(call, args.text("register")?.unwrap_or(GRANTS)).await?;
        let id = args.needed_text("id")?.to_owned();
        let until = until_day(args.needed_text("until")?, call)?.to_owned();
        let body = in_force(call, &definition, &id, "extended").await?;
        let before = body.text("until").or_else(|| body.text("validTo"));
        let fields = definition.fields();
        let mut given = Value::object([(definition.key.as_str(), Value::from(id.as_str()))]);
        for name in ["until", "validTo"] {
            if fields.iter().any(|field| field == name) {
                given.set(name, until.as_str());
            }
        }
        let records = amended(call, &definition, given).await?;
        let extended = body.clone().with("until", until.as_str());
        Ok(Prepared {
            value: value!({
                "id": id.as_str(),
                "resource": body.text("resource"),
                "holder": body.text("holder"),
                "fields": body.get("fields").cloned().unwrap_or_else(|| Value::list(Vec::new())),
                "purpose": body.text("purpose"),
                "mode": body.text("mode"),
                "until": until.as_str(),
                "before": before,
            }),
            records,
            grants: vec![row(&extended, &id, GrantStatus::Active, call)],
            ..Prepared::default()
        })
    }
}
