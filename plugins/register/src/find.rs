//! `register.find`: records by the values of their fields.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{
    Answer, Call, Failure, Found, Kind, May, Query, Read, RegisterDefinition, Signature, Title,
};

use crate::arguments::Arguments;
use crate::lens::{Lens, Reason};
use crate::reading::{definition, shown};
use crate::schema::Schema;

/// How many records a search gives when it does not say.
const LIMIT_DEFAULT: u32 = 100;
/// How many records a search may give.
const LIMIT_MAX: u32 = 10_000;
/// Up to here every record that is seen has its own row in the access log; above it the search has
/// one row with the count, because the rows would outgrow the change that carries them.
const ROWS_MAX: usize = 2_000;

pub(crate) struct Find {
    signature: Signature,
}

impl Find {
    pub(crate) fn new() -> Self {
        let signature = Signature::new(
            "register.find",
            Kind::Read,
            Title::new("检索登记记录", "Find records"),
        )
        .personal()
        .summary("Gives the records of a register whose fields have the given values, and how many there are.")
        .arguments(value!({
            "type": "object",
            "required": ["register", "where"],
            "properties": {
                "register": { "type": "string" },
                "where": { "type": "object" },
                "fields": { "type": ["array", "null"], "items": { "type": "string" } },
                "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": 10000 },
                "purpose": { "type": ["string", "null"] },
                "consent": true,
            },
            "additionalProperties": false,
        }))
        .result(value!({
            "type": "object",
            "required": ["records", "total"],
            "properties": {
                "records": { "type": "array", "items": { "type": "object" } },
                "total": { "type": "integer" },
            },
        }));
        Self { signature }
    }
}

#[async_trait]
impl Read for Find {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn read(&self, args: &Value, call: &Call<'_>) -> Result<Answer, Failure> {
        let args = Arguments::new(&self.signature.name, args);
        let definition = definition(call, args.needed_text("register")?).await?;
        let lens = Lens::of(&definition, call, May::Read)?;
        let fields = lens.fields(&definition, args.texts("fields")?)?;
        let reason = Reason::of(&args, call)?;
        let equal = conditions(&args, &definition)?;
        let limit = args.count("limit", LIMIT_DEFAULT, LIMIT_MAX)?;
        let found = search(call, &definition, &lens, &equal, limit).await?;
        let schema = Schema::of(&definition)?;
        let records: Vec<Value> = found
            .records
            .iter()
            .map(|record| shown(&schema, record, &fields))
            .collect();
        let register = definition.register.as_str();
        let access = match (definition.personal, found.records.len()) {
            (false, _) => Vec::new(),
            (true, 1..=ROWS_MAX) => reason.entries(register, &found.records, &fields, call.now_ms),
            (true, count) => {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                vec![reason.entry(register, "", &fields, count, call.now_ms)]
            }
        };
        let total = i64::try_from(found.total).unwrap_or(i64::MAX);
        Ok(Answer {
            value: value!({ "records": records, "total": total }),
            access,
        })
    }
}

fn conditions(
    args: &Arguments<'_>,
    definition: &RegisterDefinition,
) -> Result<Vec<(String, Value)>, Failure> {
    let given = args.needed("where")?;
    if given.as_object().is_none() {
        return Err(args.wrong("where", "an object of fields and values", given));
    }
    let known = definition.fields();
    let mut equal = Vec::new();
    for (path, value) in given.entries() {
        let first = path.split(['.', '[']).next().unwrap_or(path);
        if !known.iter().any(|field| field == first) {
            return Err(Failure::validation(format!(
                "register `{}` has no field `{first}`; known are {}",
                definition.register,
                known.join(", ")
            )));
        }
        if value.as_object().is_some() {
            return Err(Failure::validation(format!(
                "`where.{path}` expects a value or a list of values, found an object; write the inner field as `{path}.FIELD`"
            )));
        }
        equal.push((path.to_string(), value.clone()));
    }
    let by_name_alone = !equal.is_empty() && equal.iter().all(|(path, _)| definition.is_name(path));
    if definition.personal && by_name_alone {
        return Err(Failure::validation(format!(
            "a search in register `{}` needs more than a name: a name alone never links",
            definition.register
        )));
    }
    Ok(equal)
}

/// Searches once for each way in which the rights show rows, and counts no record twice.
async fn search(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    lens: &Lens,
    equal: &[(String, Value)],
    limit: u32,
) -> Result<Found, Failure> {
    let mut total = 0;
    let mut records = BTreeMap::new();
    for equal in lens.searches(equal) {
        let query = Query { equal, limit };
        let found = call
            .ports
            .records
            .find(&definition.register, &query)
            .await?;
        total = total.max(found.total);
        records.extend(
            found
                .records
                .into_iter()
                .map(|record| (record.id.clone(), record)),
        );
    }
    Ok(Found {
        total: total.max(records.len() as u64),
        records: records.into_values().take(limit as usize).collect(),
    })
}
