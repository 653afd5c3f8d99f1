//! Dated parameters: limits and periods with the day from which they hold
//! and the law they rest on, and the titles of the rules that use them.

use std::collections::BTreeMap;

use crate::check_digit::date_ok;
use crate::{Map, Value};

/// All values of all parameters, and the titles of rules.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    parameters: BTreeMap<String, Parameter>,
    rules: Map,
}

#[derive(Clone, Debug)]
struct Parameter {
    title: Value,
    unit: Value,
    /// By the day from which they hold, ascending.
    dated: Vec<Dated>,
}

#[derive(Clone, Debug)]
struct Dated {
    from: String,
    value: Value,
    basis: Value,
}

/// Why a file of parameters is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct ParametersError {
    /// Where in the file, such as `parameters.incomeLine.values[1]`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl Parameters {
    /// Reads `{parameters: {ID: {title, unit, values: [{from, value,
    /// basis}]}}, rules: {ID: {title, en}}}`, the shape of
    /// `rules/parameters.yaml`; both parts may be missing.
    ///
    /// # Errors
    /// A part of another kind, a value without a date, two values of one
    /// date.
    pub fn from_value(file: &Value) -> Result<Self, ParametersError> {
        let mut read = Self::default();
        read.override_with(file)?;
        Ok(read)
    }

    /// Lets the entries of `file` (of the same shape) replace those of the
    /// same id: a site's own values. What it does not name stays.
    ///
    /// # Errors
    /// As [`Parameters::from_value`]; nothing is then replaced.
    pub fn override_with(&mut self, file: &Value) -> Result<(), ParametersError> {
        let mut read = BTreeMap::new();
        for (id, entry) in entries(file, "parameters")? {
            let old = self.parameters.get(id.as_str());
            let parameter = Parameter::read(entry, old, &format!("parameters.{id}"))?;
            read.insert(id.to_string(), parameter);
        }
        for (id, titles) in entries(file, "rules")? {
            self.rules.insert(id.clone(), titles.clone());
        }
        self.parameters.extend(read);
        Ok(())
    }

    /// Gives the file that [`Parameters::from_value`] reads as this.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let parameters = self.parameters.iter().map(|(id, parameter)| {
            let values = parameter.dated.iter().map(|dated| {
                Value::object([
                    ("from", Value::from(&dated.from)),
                    ("value", dated.value.clone()),
                    ("basis", dated.basis.clone()),
                ])
            });
            let entry = Value::object([
                ("title", parameter.title.clone()),
                ("unit", parameter.unit.clone()),
                ("values", Value::list(values.collect())),
            ]);
            (id.as_str(), entry)
        });
        Value::object([
            ("parameters", Value::object(parameters)),
            ("rules", Value::from_entries(self.rules.clone())),
        ])
    }

    /// Gives every parameter with the value that holds on `date`
    /// (`2026-03-02`; a longer timestamp counts as its day):
    /// `{ID: {value, from, basis, title, unit}}`. A parameter that holds
    /// nothing yet on that day is left out.
    #[must_use]
    pub fn as_of(&self, date: &str) -> Value {
        let held = self.parameters.iter().filter_map(|(id, parameter)| {
            let held = parameter.held(date)?;
            Some((id.as_str(), parameter.resolved(held)))
        });
        Value::object(held)
    }

    /// Gives one parameter with the value that holds on `date`.
    #[must_use]
    pub fn one_as_of(&self, id: &str, date: &str) -> Option<Value> {
        let parameter = self.parameters.get(id)?;
        Some(parameter.resolved(parameter.held(date)?))
    }

    /// Gives the ids of all parameters, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(String::as_str)
    }

    /// Gives the titles of a rule: `{title, en}`.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Value> {
        self.rules.get(id)
    }

    /// Gives the ids of all rules with titles.
    pub fn rule_ids(&self) -> impl Iterator<Item = &str> {
        self.rules.keys().map(|id| id.as_str())
    }
}

impl Parameter {
    fn read(entry: &Value, old: Option<&Self>, path: &str) -> Result<Self, ParametersError> {
        let fail = |message: &str| ParametersError {
            path: path.to_owned(),
            message: message.to_owned(),
        };
        let inherited =
            |key: &str, old: Option<&Value>| entry.get(key).or(old).cloned().unwrap_or_default();
        let values = entry
            .get("values")
            .and_then(Value::as_list)
            .ok_or_else(|| fail("expected `values`, a list of `from`, `value` and `basis`"))?;
        let mut dated = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            dated.push(Dated::read(value, &format!("{path}.values[{index}]"))?);
        }
        dated.sort_by(|x, y| x.from.cmp(&y.from));
        if let Some(twice) = dated.windows(2).find_map(|pair| match pair {
            [x, y] if x.from == y.from => Some(&x.from),
            _ => None,
        }) {
            return Err(fail(&format!("two values hold from {twice}")));
        }
        Ok(Self {
            title: inherited("title", old.map(|old| &old.title)),
            unit: inherited("unit", old.map(|old| &old.unit)),
            dated,
        })
    }

    /// Gives the latest value that holds on `date`.
    fn held(&self, date: &str) -> Option<&Dated> {
        let day = date.get(..10).unwrap_or(date);
        self.dated
            .iter()
            .rev()
            .find(|dated| dated.from.as_str() <= day)
    }

    fn resolved(&self, held: &Dated) -> Value {
        Value::object([
            ("value", held.value.clone()),
            ("from", Value::from(&held.from)),
            ("basis", held.basis.clone()),
            ("title", self.title.clone()),
            ("unit", self.unit.clone()),
        ])
    }
}

impl Dated {
    fn read(value: &Value, path: &str) -> Result<Self, ParametersError> {
        let fail = |message: &str| ParametersError {
            path: path.to_owned(),
            message: message.to_owned(),
        };
        // A comma in an unquoted text of YAML begins another key.
        let known = |key: &str| ["from", "value", "basis"].contains(&key) || key.starts_with("x-");
        if let Some((key, _)) = value.entries().find(|(key, _)| !known(key)) {
            return Err(fail(&format!(
                "expected `from`, `value` and `basis`, found `{key}`; put texts with a comma in quotes"
            )));
        }
        let from = value
            .text("from")
            .filter(|from| date_ok(from))
            .ok_or_else(|| fail("expected `from`, a date such as 2026-01-31"))?;
        Ok(Self {
            from: from.to_owned(),
            value: value
                .get("value")
                .cloned()
                .ok_or_else(|| fail("expected `value`"))?,
            basis: value.get("basis").cloned().unwrap_or_default(),
        })
    }
}

fn entries<'a>(file: &'a Value, key: &str) -> Result<&'a Map, ParametersError> {
    static EMPTY: std::sync::LazyLock<Map> = std::sync::LazyLock::new(Map::default);
    match file.get(key) {
        None | Some(Value::Null) => Ok(&EMPTY),
        Some(Value::Obj(map)) => Ok(map),
        Some(other) => Err(ParametersError {
            path: key.to_owned(),
            message: format!("expected an object by id, found {}", other.kind_name()),
        }),
    }
}

/// Gives the values alone of what [`Parameters::as_of`] gives, by name.
pub(crate) fn values(resolved: &Value) -> Value {
    let values = resolved.entries().map(|(id, parameter)| {
        let value = parameter.get("value").unwrap_or(parameter);
        (id.clone(), value.clone())
    });
    Value::object(values)
}
