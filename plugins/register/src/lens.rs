//! What the rights of a register show to a call.

use tongban_expr::Value;
use tongban_plugin::{
    AccessEntry, Call, Demand, Failure, Fields, May, Record, RegisterDefinition, RegisterRight,
};

/// One way to see rows: field paths and the values that are allowed there.
type RowFilter = Vec<(String, Vec<Value>)>;

/// The fields and the rows that a call may see.
#[derive(Debug, Clone)]
pub struct Lens {
    fields: Fields,
    /// Any one of these suffices; none at all means every row.
    rows: Vec<RowFilter>,
}

impl Lens {
    /// Asks the register's rights.
    ///
    /// # Errors
    /// [`Failure::authorization`] says which line is missing.
    pub fn of(definition: &RegisterDefinition, call: &Call<'_>, may: May) -> Result<Self, Failure> {
        Self::of_function(definition, call, may, call.function)
    }

    /// The same in the name of another function: a right given to `grant.issue` covers `grant.revoke`.
    ///
    /// # Errors
    /// [`Failure::authorization`] says which line is missing.
    pub fn of_function(
        definition: &RegisterDefinition,
        call: &Call<'_>,
        may: May,
        function: &str,
    ) -> Result<Self, Failure> {
        let demand = Demand {
            workflow: call.workflow,
            function,
            starter: call.starter,
            may,
        };
        if definition.is_open_to(&demand) {
            return Ok(Self {
                fields: Fields::All,
                rows: Vec::new(),
            });
        }
        let rights = definition.allowing(&demand);
        if rights.is_empty() {
            return Err(refused(definition, call, may));
        }
        let everything = rights.iter().any(|right| right.rows.is_empty());
        let rows = if everything {
            Vec::new()
        } else {
            rights.iter().map(|right| row_filter(right, call)).collect()
        };
        Ok(Self {
            fields: union(&rights),
            rows,
        })
    }

    /// True when the row may be seen.
    #[must_use]
    pub fn shows(&self, body: &Value) -> bool {
        self.rows.is_empty()
            || self.rows.iter().any(|filter| {
                filter
                    .iter()
                    .all(|(path, allowed)| allowed.contains(body.at(path).unwrap_or(&Value::Null)))
            })
    }

    /// The searches that together find every row that may be seen.
    #[must_use]
    pub fn searches(&self, equal: &[(String, Value)]) -> Vec<Vec<(String, Value)>> {
        if self.rows.is_empty() {
            return vec![equal.to_vec()];
        }
        self.rows
            .iter()
            .map(|filter| {
                let limits = filter
                    .iter()
                    .map(|(path, allowed)| (path.clone(), Value::from(allowed.clone())));
                equal.iter().cloned().chain(limits).collect()
            })
            .collect()
    }

    /// The fields to give: those asked for, or all that may be seen.
    ///
    /// # Errors
    /// Names fields that the register does not have or that the rights do not show.
    pub fn fields(
        &self,
        definition: &RegisterDefinition,
        asked: Option<Vec<String>>,
    ) -> Result<Vec<String>, Failure> {
        let known = definition.fields();
        let Some(asked) = asked else {
            return Ok(known
                .into_iter()
                .filter(|field| self.fields.has(field))
                .collect());
        };
        let unknown: Vec<&str> = missing(&asked, |field| known.iter().any(|name| name == field));
        if !unknown.is_empty() {
            return Err(Failure::validation(format!(
                "register `{}` has no field `{}`; known are {}",
                definition.register,
                unknown.join("`, `"),
                known.join(", ")
            )));
        }
        let hidden = missing(&asked, |field| self.fields.has(field));
        if !hidden.is_empty() {
            return Err(Failure::authorization(format!(
                "the rights of register `{}` do not show the field `{}` here",
                definition.register,
                hidden.join("`, `")
            )));
        }
        Ok(asked)
    }
}

fn missing(asked: &[String], has: impl Fn(&str) -> bool) -> Vec<&str> {
    asked
        .iter()
        .map(String::as_str)
        .filter(|field| !has(field))
        .collect()
}

fn union(rights: &[&RegisterRight]) -> Fields {
    let mut names = Vec::new();
    for right in rights {
        match &right.fields {
            Fields::All => return Fields::All,
            Fields::Named(more) => names.extend(more.iter().cloned()),
        }
    }
    Fields::Named(names)
}

fn row_filter(right: &RegisterRight, call: &Call<'_>) -> RowFilter {
    right
        .rows
        .iter()
        .map(|(path, value)| {
            let allowed = match value {
                Value::Str(word) if word.as_str() == "own-unit" => own_units(call),
                Value::Arr(values) => values.iter().cloned().collect(),
                other => vec![other.clone()],
            };
            (path.clone(), allowed)
        })
        .collect()
}

/// The starter's unit and all beneath it.
fn own_units(call: &Call<'_>) -> Vec<Value> {
    let Some(unit) = call.starter.unit.as_deref() else {
        return Vec::new();
    };
    let mut units = vec![Value::from(unit)];
    for below in call.ports.directory.units_under(unit, None) {
        if below.id != unit {
            units.push(Value::from(below.id.as_str()));
        }
    }
    units
}

fn refused(definition: &RegisterDefinition, call: &Call<'_>, may: May) -> Failure {
    let word = match may {
        May::Read => "read",
        May::Write => "write",
    };
    Failure::authorization(format!(
        "register `{}` gives workflow `{}` no right to {word}; add `{{ workflow: {}, may: {word} }}` to its rights",
        definition.register, call.workflow, call.workflow
    ))
}

/// Why records are looked at: case, purpose, consent.
pub(crate) struct Reason {
    who: String,
    why: String,
}

impl Reason {
    /// Reads `purpose` and `consent`.
    pub(crate) fn of(args: &crate::Arguments<'_>, call: &Call<'_>) -> Result<Self, Failure> {
        let purpose = args.text("purpose")?;
        let consent = args.value("consent");
        let given = consent.map(|consent| match consent {
            Value::Bool(given) => *given,
            other => other.get("agreed").and_then(Value::as_bool) != Some(false),
        });
        if given == Some(false) {
            return Err(Failure::authorization(
                "the person did not consent to the look-up; ask for the consent first",
            ));
        }
        let number = if call.number.is_empty() {
            call.instance
        } else {
            call.number
        };
        let mut why = format!("{} ({number})", call.workflow);
        if let Some(purpose) = purpose {
            why.push_str("; ");
            why.push_str(purpose);
        }
        if given.is_some() {
            why.push_str("; with consent");
        }
        let who = if call.starter.user.is_empty() {
            format!("workflow:{}", call.workflow)
        } else {
            call.starter.user.clone()
        };
        Ok(Self { who, why })
    }

    /// One row for a record, or for a look-up that found none.
    pub(crate) fn entry(
        &self,
        register: &str,
        record_id: &str,
        fields: &[String],
        count: u32,
        at_ms: i64,
    ) -> AccessEntry {
        AccessEntry {
            register: register.to_owned(),
            record_id: record_id.to_owned(),
            who: self.who.clone(),
            why: self.why.clone(),
            fields: fields.to_vec(),
            count,
            at_ms,
        }
    }

    /// A row for each record.
    pub(crate) fn entries(
        &self,
        register: &str,
        records: &[Record],
        fields: &[String],
        at_ms: i64,
    ) -> Vec<AccessEntry> {
        records
            .iter()
            .map(|record| self.entry(register, &record.id, fields, 1, at_ms))
            .collect()
    }
}
