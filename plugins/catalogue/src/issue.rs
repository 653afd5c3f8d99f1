//! `grant.issue`: lets a unit use a resource, within fields, purpose, mode and time.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{
    Call, Failure, GrantStatus, Kind, NumberPattern, Prepared, RegisterDefinition, Signature,
    Title, Write,
};
use tongban_register::{Arguments, Writing, existing, write};

use crate::grant::{GRANTS, ISSUE, grants, row, until_day};
use crate::publish::CATALOGUE;

/// The pattern of a grant's number, where its register gives none.
const NUMBER: &str = "SQ{yyyy}-{seq:6}";

pub(crate) struct Issue {
    signature: Signature,
}

impl Issue {
    pub(crate) fn new() -> Self {
        let signature = Signature::new(ISSUE, Kind::Write, Title::new("授权", "Issue a grant"))
            .summary("Grants a unit the use of fields of a resource for a purpose, until a day.")
            .arguments(value!({
                "type": "object",
                "required": ["resource", "holder", "fields", "purpose", "mode"],
                "properties": {
                    "resource": { "type": "string" },
                    "holder": { "type": "string" },
                    "fields": { "type": "array", "minItems": 1 },
                    "purpose": { "type": "string" },
                    "mode": { "type": "string" },
                    "until": { "type": ["string", "null"], "format": "date" },
                    "validTo": { "type": ["string", "null"], "format": "date" },
                    "rows": true,
                    "quota": { "type": ["integer", "null"], "minimum": 1 },
                    "register": { "type": ["string", "null"] },
                },
                "additionalProperties": false,
            }))
            .result(value!({
                "type": "object",
                "required": ["id", "resource", "holder", "fields", "purpose", "mode", "validTo"],
                "properties": {
                    "id": { "type": "string" },
                    "resource": { "type": "string" },
                    "holder": { "type": "string" },
                    "fields": { "type": "array", "items": { "type": "string" } },
                    "purpose": { "type": "string" },
                    "mode": { "type": "string" },
                    "until": { "type": ["string", "null"] },
                    "validTo": { "type": ["string", "null"] },
                },
            }));
        Self { signature }
    }
}

/// What is granted, checked.
struct Terms {
    resource: String,
    holder: String,
    fields: Vec<String>,
    purpose: String,
    mode: String,
    until: Option<String>,
}

#[async_trait]
impl Write for Issue {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure> {
        let args = Arguments::new(&self.signature.name, args);
        let definition = grants(call, args.text("register")?.unwrap_or(GRANTS)).await?;
        let terms = Terms::read(&args, call)?;
        guard_resource(call, &terms).await?;
        let id = number(call, &definition).await?;
        let given = terms.record(&definition, &args, call, &id);
        let how = Writing {
            argument: "grant",
            source: call.unit.map(ToOwned::to_owned),
            ..Writing::default()
        };
        let written = write(call, &definition, &[given], &how).await?;
        let mut full = terms.record_full(&id);
        for name in ["rows", "quota"] {
            full.set(name, args.value(name).cloned().unwrap_or_default());
        }
        Ok(Prepared {
            value: value!({
                "id": id.as_str(),
                "resource": terms.resource,
                "holder": terms.holder,
                "fields": terms.fields,
                "purpose": terms.purpose,
                "mode": terms.mode,
                "until": terms.until.clone(),
                "validTo": terms.until,
            }),
            records: written.records,
            grants: vec![row(&full, &id, GrantStatus::Active, call)],
            ..Prepared::default()
        })
    }
}

impl Terms {
    fn read(args: &Arguments<'_>, call: &Call<'_>) -> Result<Self, Failure> {
        let holder = args.needed_text("holder")?.to_owned();
        if call.ports.directory.unit(&holder).is_none() {
            return Err(Failure::validation(format!(
                "`holder` expects a unit of the organisation, found `{holder}`"
            )));
        }
        let until = match args.text("until")? {
            Some(day) => Some(day),
            None => args.text("validTo")?,
        };
        let until = until.map(|day| until_day(day, call)).transpose()?;
        Ok(Self {
            resource: args.needed_text("resource")?.to_owned(),
            fields: fields(args)?,
            purpose: args.needed_text("purpose")?.to_owned(),
            mode: args.needed_text("mode")?.to_owned(),
            until: until.map(ToOwned::to_owned),
            holder,
        })
    }

    fn record_full(&self, id: &str) -> Value {
        value!({
            "id": id,
            "resource": self.resource.as_str(),
            "holder": self.holder.as_str(),
            "fields": self.fields.clone(),
            "purpose": self.purpose.as_str(),
            "mode": self.mode.as_str(),
            "until": self.until.clone(),
            "status": "active",
        })
    }

    /// The record, with what the register has room for.
    fn record(
        &self,
        definition: &RegisterDefinition,
        args: &Arguments<'_>,
        call: &Call<'_>,
        id: &str,
    ) -> Value {
        let mut record = self.record_full(id);
        let number = if call.number.is_empty() {
            call.instance
        } else {
            call.number
        };
        record.set("case", number);
        record.set("validTo", self.until.clone());
        for name in ["rows", "quota"] {
            record.set(name, args.value(name).cloned().unwrap_or_default());
        }
        let known = definition.fields();
        Value::object(
            record
                .entries()
                .filter(|(name, _)| known.iter().any(|field| field == name.as_str()))
                .map(|(name, value)| (name.clone(), value.clone())),
        )
    }
}

/// Field names, given as texts or as items with a `name`.
fn fields(args: &Arguments<'_>) -> Result<Vec<String>, Failure> {
    let given = args.needed("fields")?;
    let names: Option<Vec<String>> = given.as_list().and_then(|items| {
        items
            .iter()
            .map(|item| item.as_str().or_else(|| item.text("name")))
            .map(|name| name.map(ToOwned::to_owned))
            .collect()
    });
    match names {
        Some(names) if !names.is_empty() => Ok(names),
        Some(_) => Err(Failure::validation(
            "`fields` of `grant.issue` expects at least one field, found none",
        )),
        None => Err(args.wrong("fields", "a list of field names", given)),
    }
}

/// Only a live resource that may be shared is granted, and only fields that it has.
async fn guard_resource(call: &Call<'_>, terms: &Terms) -> Result<(), Failure> {
    if call.ports.records.definition(CATALOGUE).await?.is_none() {
        return Ok(());
    }
    let id = &terms.resource;
    let found = existing(call, CATALOGUE, std::slice::from_ref(id)).await?;
    let resource = found
        .get(id)
        .map(|found| &found.record.body)
        .ok_or_else(|| {
            Failure::validation(format!("the catalogue has no resource `{id}`")).with_status(404)
        })?;
    let status = resource.text("status").unwrap_or("live");
    if status != "live" {
        return Err(Failure::conflict(format!(
            "resource `{id}` is {status}, only a live one can be granted"
        ))
        .with_retryable(false));
    }
    if resource.at("sharing.type").and_then(Value::as_str) == Some("none") {
        return Err(Failure::authorization(format!(
            "resource `{id}` is not shared: {}",
            resource
                .at("sharing.basis")
                .and_then(Value::as_str)
                .unwrap_or("the catalogue says so")
        )));
    }
    let items = resource
        .get("items")
        .and_then(Value::as_list)
        .unwrap_or_default();
    let known: Vec<&str> = items.iter().filter_map(|item| item.text("name")).collect();
    let strange: Vec<&str> = terms
        .fields
        .iter()
        .map(String::as_str)
        .filter(|field| !known.is_empty() && !known.contains(field))
        .collect();
    if strange.is_empty() {
        Ok(())
    } else {
        Err(Failure::validation(format!(
            "resource `{id}` has no field `{}`; it has {}",
            strange.join("`, `"),
            known.join(", ")
        )))
    }
}

async fn number(call: &Call<'_>, definition: &RegisterDefinition) -> Result<String, Failure> {
    let extras = definition.extras();
    let own = extras
        .numbers
        .into_iter()
        .find(|(field, _)| *field == definition.key)
        .map(|(_, pattern)| pattern);
    let pattern = match own {
        Some(pattern) => pattern,
        None => {
            NumberPattern::parse(NUMBER).map_err(|fault| Failure::runtime(fault.to_string()))?
        }
    };
    let unit = call.unit.unwrap_or_default();
    let sequence = format!(
        "register/{}/{}",
        definition.register,
        pattern.sequence(call.today, unit)
    );
    loop {
        let next = call.ports.records.draw(&sequence, 1).await?;
        let id = pattern.number(call.today, unit, next);
        let taken = existing(call, &definition.register, std::slice::from_ref(&id)).await?;
        if taken.is_empty() {
            return Ok(id);
        }
    }
}
