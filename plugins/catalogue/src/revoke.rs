//! `grant.revoke`: ends a grant before its time.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{Call, Failure, GrantStatus, Kind, Prepared, Signature, Title, Write};
use tongban_register::Arguments;

use crate::grant::{GRANTS, amended, grants, in_force, row};

pub(crate) struct Revoke {
    signature: Signature,
}

impl Revoke {
    pub(crate) fn new() -> Self {
        let signature = Signature::new(
            "grant.revoke",
            Kind::Write,
            Title::new("撤销授权", "Revoke a grant"),
        )
        .summary("Ends a grant that is in force, now.")
        .arguments(value!({
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": { "type": "string" },
                "reason": { "type": ["string", "null"] },
                "register": { "type": ["string", "null"] },
            },
            "additionalProperties": false,
        }))
        .result(value!({
            "type": "object",
            "required": ["id", "resource", "holder", "status"],
            "properties": {
                "id": { "type": "string" },
                "resource": { "type": ["string", "null"] },
                "holder": { "type": ["string", "null"] },
                "status": { "const": "revoked" },
                "reason": { "type": ["string", "null"] },
            },
        }));
        Self { signature }
    }
}

#[async_trait]
impl Write for Revoke {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure> {
        let args = Arguments::new(&self.signature.name, args);
        let definition = grants(call, args.text("register")?.unwrap_or(GRANTS)).await?;
        let id = args.needed_text("id")?.to_owned();
        let reason = args.text("reason")?;
        let body = in_force(call, &definition, &id, "revoked").await?;
        let mut given = Value::object([
            (definition.key.as_str(), Value::from(id.as_str())),
            ("status", Value::from("revoked")),
        ]);
        if definition.fields().iter().any(|field| field == "reason") {
            given.set("reason", reason);
        }
        let records = amended(call, &definition, given).await?;
        Ok(Prepared {
            value: value!({
                "id": id.as_str(),
                "resource": body.text("resource"),
                "holder": body.text("holder"),
                "status": "revoked",
                "reason": reason,
            }),
            records,
            grants: vec![row(&body, &id, GrantStatus::Revoked, call)],
            ..Prepared::default()
        })
    }
}
