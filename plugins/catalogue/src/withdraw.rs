//! `catalogue.withdraw`: takes a resource out of use.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{Call, Failure, Kind, May, Prepared, RecordMode, Signature, Title, Write};
use tongban_register::{Arguments, Lens, Writing, definition, existing, write};

use crate::publish::CATALOGUE;

pub(crate) struct Withdraw {
    signature: Signature,
}

impl Withdraw {
    pub(crate) fn new() -> Self {
        let signature = Signature::new(
            "catalogue.withdraw",
            Kind::Write,
            Title::new("停用资源", "Withdraw an entry"),
        )
        .summary("Marks a resource of the catalogue as withdrawn; grants in use are not touched.")
        .arguments(value!({
            "type": "object",
            "required": ["resource"],
            "properties": {
                "resource": { "type": "string" },
                "on": { "type": ["string", "null"], "format": "date" },
                "register": { "type": ["string", "null"] },
            },
            "additionalProperties": false,
        }))
        .result(value!({
            "type": "object",
            "required": ["code", "status", "on"],
            "properties": {
                "code": { "type": "string" },
                "status": { "const": "withdrawn" },
                "on": { "type": "string" },
            },
        }));
        Self { signature }
    }
}

#[async_trait]
impl Write for Withdraw {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure> {
        let args = Arguments::new(&self.signature.name, args);
        let register = args.text("register")?.unwrap_or(CATALOGUE);
        let definition = definition(call, register).await?;
        Lens::of(&definition, call, May::Write)?;
        let code = args.needed_text("resource")?.to_owned();
        let on = args.text("on")?.unwrap_or(call.today).to_owned();
        if call.ports.calendar.end_of_day_ms(&on).is_none() {
            return Err(Failure::validation(format!(
                "`on` expects a day such as 2026-04-01, found `{on}`"
            )));
        }
        let found = existing(call, register, std::slice::from_ref(&code)).await?;
        let status = found
            .get(&code)
            .map(|found| {
                found
                    .record
                    .body
                    .text("status")
                    .unwrap_or("live")
                    .to_owned()
            })
            .ok_or_else(|| {
                Failure::validation(format!("the catalogue has no resource `{code}`"))
                    .with_status(404)
            })?;
        if status != "live" {
            return Err(Failure::conflict(format!(
                "resource `{code}` is {status}, only a live one can be withdrawn"
            ))
            .with_retryable(false));
        }
        let mut record = value!({ "code": code.as_str(), "status": "withdrawn" });
        if definition
            .fields()
            .iter()
            .any(|field| field == "withdrawnOn")
        {
            record.set("withdrawnOn", on.as_str());
        }
        let how = Writing {
            mode: RecordMode::Amend,
            argument: "resource",
            ..Writing::default()
        };
        let written = write(call, &definition, &[record], &how).await?;
        Ok(Prepared {
            value: value!({ "code": code, "status": "withdrawn", "on": on }),
            records: written.records,
            ..Prepared::default()
        })
    }
}
