//! A register's definition, as a pack's `registers/NAME.yaml` gives it.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tongban_expr::Value;

use crate::outside::Outside;
use crate::rights::{Demand, RegisterRight};
use crate::{NumberPattern, Title};

/// What "no record" means. It is decided here, never by a rule's author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoRecord {
    /// A person must look.
    #[default]
    Unknown,
    /// There is nothing: it counts as zero.
    Nothing,
}

impl NoRecord {
    /// The word in results.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Nothing => "nothing",
        }
    }
}

/// Which time the register covers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covers {
    /// From this date.
    pub since: Option<String>,
    /// Until this date.
    pub until: Option<String>,
}

/// After what time a record is stale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stale {
    /// Days.
    pub days: u32,
    /// Hours.
    pub hours: u32,
}

impl Stale {
    /// The whole time in milliseconds.
    #[must_use]
    pub fn after_ms(self) -> i64 {
        (i64::from(self.days) * 24 + i64::from(self.hours)) * 3_600_000
    }
}

/// Which former versions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// None.
    #[default]
    None,
    /// Every version.
    Versions,
}

/// When records are removed, with their history: so long after the date in one of their fields. A record without that
/// date stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The field whose date it counts from; indexed for it.
    pub after: String,
    /// Years.
    #[serde(default)]
    pub years: u32,
    /// Months.
    #[serde(default)]
    pub months: u32,
    /// Days.
    #[serde(default)]
    pub days: u32,
}

/// The unit whose word counts for a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Authority {
    /// Always this unit.
    Unit(String),
    /// The unit that stands in this field of the record: `${ record.provider }`.
    Field(String),
}

impl Authority {
    /// The unit's id, for a record.
    #[must_use]
    pub fn unit<'a>(&'a self, record: &'a Value) -> Option<&'a str> {
        match self {
            Self::Unit(unit) => Some(unit),
            Self::Field(path) => record.at(path).and_then(Value::as_str),
        }
    }
}

impl TryFrom<String> for Authority {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some(inner) = text.strip_prefix("${") else {
            return Ok(Self::Unit(text));
        };
        inner
            .strip_suffix('}')
            .map(str::trim)
            .and_then(|path| path.strip_prefix("record."))
            .filter(|path| {
                path.chars()
                    .all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-'))
            })
            .map(|path| Self::Field(path.to_owned()))
            .ok_or_else(|| format!("authority is a unit or `${{ record.FIELD }}`, found `{text}`"))
    }
}

impl From<Authority> for String {
    fn from(authority: Authority) -> Self {
        match authority {
            Authority::Unit(unit) => unit,
            Authority::Field(path) => format!("${{ record.{path} }}"),
        }
    }
}

/// A register. [`RegisterDefinition::faults`] says what is wrong with one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisterDefinition {
    /// The register's name.
    pub register: String,
    /// The pack that brings it; the loader fills it in.
    #[serde(default)]
    pub pack: String,
    /// Title in both languages.
    #[serde(default)]
    pub title: Title,
    /// The field that holds the key.
    pub key: String,
    /// Other sets of fields that name one record.
    #[serde(default)]
    pub alternatives: Vec<Vec<String>>,
    /// The schema of a record; the loader puts the form in place of `$ref` (see [`Self::resolve`]).
    pub schema: Value,
    /// Properties beside the schema's own.
    #[serde(default)]
    pub adds: IndexMap<String, Value>,
    /// The unit whose word counts, per field; `*` for the rest.
    #[serde(default)]
    pub authority: IndexMap<String, Authority>,
    /// What no record means.
    #[serde(default)]
    pub none: NoRecord,
    /// A key may have several records (their ids are then `key#n`).
    #[serde(default)]
    pub many: bool,
    /// Which time it covers.
    #[serde(default)]
    pub covers: Covers,
    /// When a record is stale; never when absent.
    #[serde(default)]
    pub stale: Option<Stale>,
    /// Which former versions are kept.
    #[serde(default)]
    pub history: History,
    /// When records are removed; never when absent.
    #[serde(default)]
    pub retention: Option<Retention>,
    /// Every read leaves a row: who, why, which fields.
    #[serde(default)]
    pub personal: bool,
    /// Groupings for people: title and field path.
    #[serde(default)]
    pub views: IndexMap<String, String>,
    /// Who may read and write.
    #[serde(default)]
    pub rights: Vec<RegisterRight>,
    /// The scripts that `x-derived` names, by path; the loader fills them in.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub scripts: IndexMap<String, String>,
    /// Who runs them; the loader fills it in.
    #[serde(skip)]
    pub outside: Outside,
    /// Everything else: `x-` passes, any other key is a fault.
    #[serde(flatten)]
    pub other: IndexMap<String, Value>,
}

/// The properties of the schema that the engine fills in itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    /// Field and pattern of `x-number`.
    pub numbers: Vec<(String, NumberPattern)>,
    /// Field and script of `x-derived`.
    pub derived: Vec<(String, String)>,
    /// Field and value of `default`.
    pub defaults: Vec<(String, Value)>,
    /// Field and name of `x-check` (`resident-id`, `credit-code`).
    pub checks: Vec<(String, String)>,
}

/// What is wrong with a definition: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterFault {
    /// A JSON pointer into the file.
    pub pointer: String,
    /// What was expected and what was found.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl RegisterDefinition {
    /// Puts files in place of the schema's own `$ref`, and loads the scripts of `x-derived`.
    ///
    /// # Errors
    /// The path of a file that is not in the pack.
    pub fn resolve(
        &mut self,
        schema: &dyn Fn(&str) -> Option<Value>,
        script: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        let reference = self.schema.get("$ref").and_then(Value::as_str);
        if let Some(path) = reference.map(ToOwned::to_owned) {
            self.schema = schema(&path).ok_or(path)?;
        }
        for (_, path) in self.extras().derived {
            let source = script(&path).ok_or_else(|| path.clone())?;
            self.scripts.insert(path, source);
        }
        Ok(())
    }

    /// The schema and the added properties as one JSON Schema.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut properties = self
            .schema
            .get("properties")
            .cloned()
            .unwrap_or_else(|| Value::object(Vec::<(&str, Value)>::new()));
        for (name, property) in &self.adds {
            properties.set(name, property.clone());
        }
        self.schema.clone().with("properties", properties)
    }

    /// The names of all properties, the schema's own first.
    #[must_use]
    pub fn fields(&self) -> Vec<String> {
        self.properties()
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    /// What the engine fills in. Bad patterns are left out here and named by [`Self::faults`].
    #[must_use]
    pub fn extras(&self) -> Extras {
        let mut extras = Extras::default();
        for (name, property) in self.properties() {
            let text = |key: &str| property.get(key).and_then(Value::as_str);
            if let Some(Ok(pattern)) = text("x-number").map(NumberPattern::parse) {
                extras.numbers.push((name.clone(), pattern));
            }
            if let Some(path) = text("x-derived") {
                extras.derived.push((name.clone(), path.to_owned()));
            }
            if let Some(check) = text("x-check") {
                extras.checks.push((name.clone(), check.to_owned()));
            }
            if let Some(value) = property.get("default") {
                extras.defaults.push((name.clone(), value.clone()));
            }
        }
        extras
    }

    /// The further keys of a record: name and value. A record that lacks a part of an alternative
    /// has none of it. Where a key has `many` records, the key itself is among them.
    #[must_use]
    pub fn keys_of(&self, body: &Value) -> Vec<(String, String)> {
        let shared = body
            .at(&self.key)
            .and_then(key_text)
            .filter(|_| self.many)
            .map(|value| (self.key.clone(), value));
        let alternatives = self.alternatives.iter().filter_map(|fields| {
            let values = fields
                .iter()
                .map(|field| body.at(field).and_then(key_text))
                .collect::<Option<Vec<_>>>()?;
            Some((fields.join("+"), join_key(&values)))
        });
        shared.into_iter().chain(alternatives).collect()
    }

    /// The id of a record: its key, or `key#nth` (from 1) where a key has `many` records.
    #[must_use]
    pub fn row_id(&self, key: &str, nth: usize) -> String {
        if self.many {
            format!("{key}#{nth}")
        } else {
            key.to_owned()
        }
    }

    /// The alternative whose fields are exactly these, and the value that they make together.
    #[must_use]
    pub fn alternative(&self, given: &[(String, Value)]) -> Option<(String, String)> {
        self.alternatives.iter().find_map(|fields| {
            if fields.len() != given.len() {
                return None;
            }
            let values = fields
                .iter()
                .map(|field| {
                    given
                        .iter()
                        .find(|(name, _)| name == field)
                        .and_then(|(_, value)| key_text(value))
                })
                .collect::<Option<Vec<_>>>()?;
            Some((fields.join("+"), join_key(&values)))
        })
    }

    /// The unit whose word counts for a field of a record.
    #[must_use]
    pub fn authority_of<'a>(&'a self, field: &str, record: &'a Value) -> Option<&'a str> {
        self.authority
            .get(field)
            .or_else(|| self.authority.get("*"))
            .and_then(|authority| authority.unit(record))
    }

    /// The lines of `rights` that allow a demand. A register without any line is open to the
    /// workflows of its own pack.
    #[must_use]
    pub fn allowing<'a>(&'a self, demand: &Demand<'_>) -> Vec<&'a RegisterRight> {
        self.rights
            .iter()
            .filter(|right| right.covers(demand))
            .collect()
    }

    /// True when a demand is allowed by the missing `rights` of the own pack.
    #[must_use]
    pub fn is_open_to(&self, demand: &Demand<'_>) -> bool {
        let own = demand.workflow.split_once('/').map(|(pack, _)| pack);
        self.rights.is_empty() && (self.pack.is_empty() || own == Some(self.pack.as_str()))
    }

    pub(crate) fn properties(&self) -> Vec<(String, Value)> {
        let own = self.schema.get("properties").and_then(Value::as_object);
        own.into_iter()
            .flat_map(|properties| properties.iter())
            .map(|(name, property)| (name.to_string(), property.clone()))
            .chain(
                self.adds
                    .iter()
                    .map(|(name, property)| (name.clone(), property.clone())),
            )
            .collect()
    }
}

/// A key's text: texts and whole numbers may be keys, an empty text is none.
#[must_use]
pub fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) if !text.is_empty() => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Parts are joined by a character that no text of a form holds, so that `a+bc` is not `ab+c`.
fn join_key(parts: &[String]) -> String {
    parts.join("\u{1f}")
}
