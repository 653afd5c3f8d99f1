//! `catalogue.publish`: gives an entry its code and its version.

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{
    Call, Failure, Kind, May, Prepared, Record, RecordWrite, RegisterDefinition, Signature, Title,
    Write, is_index,
};
use tongban_register::{Arguments, Lens, Writing, definition, existing, write};

/// The register of resources, when the call names no other.
pub(crate) const CATALOGUE: &str = "catalogue";
/// Entries that were imported hold codes that no sequence gave; this many are stepped over.
const TAKEN_MAX: usize = 10_000;

pub(crate) struct Publish {
    signature: Signature,
}

impl Publish {
    pub(crate) fn new() -> Self {
        let signature = Signature::new(
            "catalogue.publish",
            Kind::Write,
            Title::new("赋码并发布", "Publish an entry"),
        )
        .summary("Gives a resource its code (class code/sequence) or its next version, and makes it live; the version that was live until now stays in the history.")
        .arguments(value!({
            "type": "object",
            "required": ["item"],
            "properties": {
                "item": { "type": "object" },
                "register": { "type": ["string", "null"] },
            },
            "additionalProperties": false,
        }))
        .result(value!({
            "type": "object",
            "required": ["code", "version", "publishedOn", "replaces"],
            "properties": {
                "code": { "type": "string" },
                "version": { "type": "integer" },
                "publishedOn": { "type": "string" },
                "replaces": { "type": ["string", "null"] },
            },
        }));
        Self { signature }
    }
}

#[async_trait]
impl Write for Publish {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure> {
        let args = Arguments::new(&self.signature.name, args);
        let register = args.text("register")?.unwrap_or(CATALOGUE);
        let definition = definition(call, register).await?;
        Lens::of(&definition, call, May::Write)?;
        let item = args.needed("item")?;
        if item.as_object().is_none() {
            return Err(args.wrong("item", "an object", item));
        }
        let class = class_code(item)?;
        let former = former(call, &definition, item).await?;
        let edition = edition(call, &definition, class, former).await?;
        let mut records = match &edition.superseded {
            Some(old) => supersede(call, &definition, old).await?,
            None => Vec::new(),
        };
        let pending: Vec<RecordWrite> = call.pending.iter().chain(&records).cloned().collect();
        let after = Call {
            pending: &pending,
            ..*call
        };
        let item = live(item, &edition, call.today);
        let written = write(&after, &definition, &[item], &writing()).await?;
        records.extend(written.records);
        Ok(Prepared {
            value: value!({
                "code": edition.code,
                "version": edition.version,
                "publishedOn": call.today,
                "replaces": edition.superseded,
            }),
            records,
            ..Prepared::default()
        })
    }
}

fn writing() -> Writing {
    Writing {
        argument: "item",
        ..Writing::default()
    }
}

/// Takes the old code out of use. Its record gives up provider and name, which are the new one's.
async fn supersede(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    code: &str,
) -> Result<Vec<RecordWrite>, Failure> {
    let change = value!({ "code": code, "status": "superseded" });
    let mut records = write(call, definition, &[change], &writing())
        .await?
        .records;
    for record in &mut records {
        record.keys.retain(|(name, _)| is_index(name));
    }
    Ok(records)
}

/// The class code, 类项目细目: one digit of the class, two of the item, three of the entry and
/// whatever the department adds.
fn class_code(item: &Value) -> Result<&str, Failure> {
    let class = item.text("classification").unwrap_or_default();
    let letters = class.as_bytes();
    let fits = letters.len() >= 6
        && letters.iter().take(6).all(u8::is_ascii_digit)
        && letters
            .iter()
            .all(|letter| letter.is_ascii_digit() || letter.is_ascii_uppercase());
    if fits {
        Ok(class)
    } else {
        Err(Failure::validation(format!(
            "`item.classification` expects a class code such as 307001 (six digits, then digits or capitals), found `{class}`"
        )))
    }
}

/// The entry that this one changes: the one that it names, or the one with the same provider and name.
async fn former(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    item: &Value,
) -> Result<Option<Record>, Failure> {
    let named = item
        .text("replaces")
        .or_else(|| item.text("code"))
        .filter(|code| !code.is_empty());
    if let Some(code) = named {
        let id = code.to_owned();
        let mut found = existing(call, &definition.register, std::slice::from_ref(&id)).await?;
        let record = found.remove(&id).map(|found| found.record).ok_or_else(|| {
            Failure::validation(format!(
                "`item.replaces` names `{code}`, which the catalogue does not have"
            ))
        })?;
        let (old, new) = (record.body.text("provider"), item.text("provider"));
        if old != new {
            return Err(Failure::validation(format!(
                "`{code}` belongs to provider `{}`; `{}` cannot replace it",
                old.unwrap_or_default(),
                new.unwrap_or_default()
            )));
        }
        return Ok(Some(record));
    }
    for (name, key) in definition.keys_of(item) {
        let records = call
            .ports
            .records
            .by_key(&definition.register, &name, &[key])
            .await?;
        if let Some(record) = records.into_iter().next() {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Code and version of what is published, and the code that it puts out of use.
struct Edition {
    code: String,
    version: i64,
    superseded: Option<String>,
}

async fn edition(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    class: &str,
    former: Option<Record>,
) -> Result<Edition, Failure> {
    let Some(former) = former else {
        return Ok(Edition {
            code: new_code(call, definition, class).await?,
            version: 1,
            superseded: None,
        });
    };
    let version = former
        .body
        .get("version")
        .and_then(Value::as_i64)
        .unwrap_or(0)
        + 1;
    let same_class = former
        .id
        .rsplit_once('/')
        .is_some_and(|(old_class, _)| old_class == class);
    if same_class {
        return Ok(Edition {
            code: former.id,
            version,
            superseded: None,
        });
    }
    Ok(Edition {
        code: new_code(call, definition, class).await?,
        version,
        superseded: Some(former.id),
    })
}

async fn new_code(
    call: &Call<'_>,
    definition: &RegisterDefinition,
    class: &str,
) -> Result<String, Failure> {
    let sequence = format!("{}/{class}", definition.register);
    for _ in 0..TAKEN_MAX {
        let number = call.ports.records.draw(&sequence, 1).await?;
        let code = format!("{class}/{number:06}");
        let taken = existing(call, &definition.register, std::slice::from_ref(&code)).await?;
        if taken.is_empty() {
            return Ok(code);
        }
    }
    Err(Failure::runtime(format!(
        "the first {TAKEN_MAX} codes of class {class} are taken"
    )))
}

fn live(item: &Value, edition: &Edition, today: &str) -> Value {
    let mut record = item.clone();
    record.set("code", edition.code.as_str());
    record.set("version", edition.version);
    record.set("status", "live");
    record.set("publishedOn", today);
    if let Some(old) = &edition.superseded {
        record.set("replaces", old.as_str());
    }
    record
}
