//! `catalogue.withdraw`: takes a resource out of use, and its grants with it.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{
    Call, Failure, GrantStatus, GrantWrite, Kind, May, Prepared, Query, RecordMode, RecordWrite,
    Signature, Title, Write,
};
use tongban_register::{Arguments, Lens, Writing, definition, existing, write};

use crate::grant::{GRANTS, grants, row};
use crate::publish::CATALOGUE;

/// How many grants one withdrawal ends: they are written with it, in one change.
const GRANTS_MAX: u32 = 1_000;

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
        .summary("Marks a resource of the catalogue as withdrawn; its grants in force end on the same day.")
        .arguments(value!({
            "type": "object",
            "required": ["resource"],
            "properties": {
                "resource": { "type": "string" },
                "on": { "type": ["string", "null"], "format": "date" },
                "register": { "type": ["string", "null"] },
                "grants": { "type": ["string", "null"] },
            },
            "additionalProperties": false,
        }))
        .result(value!({
            "type": "object",
            "required": ["code", "status", "on", "ended"],
            "properties": {
                "code": { "type": "string" },
                "status": { "const": "withdrawn" },
                "on": { "type": "string" },
                "ended": { "type": "array", "items": { "type": "string" } },
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
        let Some(last_ms) = call.ports.calendar.end_of_day_ms(&on) else {
            return Err(Failure::validation(format!(
                "`on` expects a day such as 2026-04-01, found `{on}`"
            )));
        };
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
        let mut records = written.records;
        let ending = Ending {
            register: args.text("grants")?.unwrap_or(GRANTS),
            code: &code,
            on: &on,
            last_ms,
        };
        let ended = ending.prepare(call).await?;
        let mut rows = Vec::with_capacity(ended.len());
        let mut ids = Vec::with_capacity(ended.len());
        for (record, right) in ended {
            ids.push(Value::from(right.id.as_str()));
            records.push(record);
            rows.push(right);
        }
        Ok(Prepared {
            value: value!({ "code": code.as_str(), "status": "withdrawn", "on": on.as_str(), "ended": ids }),
            records,
            grants: rows,
            ..Prepared::default()
        })
    }
}

/// The end of a resource's grants.
struct Ending<'a> {
    register: &'a str,
    code: &'a str,
    on: &'a str,
    /// The last instant of that day.
    last_ms: i64,
}

impl Ending<'_> {
    /// The grants in force that last longer than the resource: record and right of each. A day that is past ends them
    /// at once. A site without a register of grants has none.
    async fn prepare(&self, call: &Call<'_>) -> Result<Vec<(RecordWrite, GrantWrite)>, Failure> {
        let records = &call.ports.records;
        if records.definition(self.register).await?.is_none() {
            return Ok(Vec::new());
        }
        let query = Query {
            equal: vec![
                ("resource".to_owned(), Value::from(self.code)),
                ("status".to_owned(), Value::from("active")),
            ],
            limit: GRANTS_MAX,
        };
        let found = records.find(self.register, &query).await?;
        if found.total > u64::from(GRANTS_MAX) {
            return Err(Failure::validation(format!(
                "resource `{}` has {} grants in force, a withdrawal ends at most {GRANTS_MAX}; revoke some of them first",
                self.code, found.total
            )));
        }
        let longer: Vec<Value> = found
            .records
            .into_iter()
            .map(|record| record.body)
            .filter(|body| end_of(body).is_none_or(|until| until > self.on))
            .collect();
        if longer.is_empty() {
            return Ok(Vec::new());
        }
        let definition = grants(call, self.register).await?;
        let fields = definition.fields();
        let until = ["until", "validTo"]
            .into_iter()
            .find(|name| fields.iter().any(|field| field == name));
        let over = self.last_ms < call.now_ms;
        let (word, status) = if over {
            ("expired", GrantStatus::Expired)
        } else {
            ("active", GrantStatus::Active)
        };
        let mut changes = Vec::with_capacity(longer.len());
        let mut rights = Vec::with_capacity(longer.len());
        for body in &longer {
            let id = body.text(&definition.key).unwrap_or_default();
            let mut change = Value::object([
                (definition.key.as_str(), Value::from(id)),
                ("status", Value::from(word)),
            ]);
            if let Some(until) = until {
                change.set(until, self.on);
            }
            changes.push(change);
            rights.push(row(&body.clone().with("until", self.on), id, status, call));
        }
        let how = Writing {
            mode: RecordMode::Amend,
            source: call.unit.map(ToOwned::to_owned),
            argument: "grants",
            ..Writing::default()
        };
        let written = write(call, &definition, &changes, &how).await?;
        Ok(written.records.into_iter().zip(rights).collect())
    }
}

/// The last day of a grant; days of one form are ordered as texts.
fn end_of(grant: &Value) -> Option<&str> {
    grant.text("until").or_else(|| grant.text("validTo"))
}
