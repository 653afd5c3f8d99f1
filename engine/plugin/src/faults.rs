//! What `check` says about a register's definition.

use tongban_expr::Value;

use crate::{NumberPattern, RegisterDefinition, RegisterFault};

impl RegisterDefinition {
    /// True for a field that holds a person's or a thing's name: a name alone never links.
    #[must_use]
    pub fn is_name(&self, field: &str) -> bool {
        let properties = self.properties();
        let property = properties.iter().find(|(name, _)| name == field);
        is_name(field, property.map(|(_, property)| property))
    }

    /// Lists everything that is wrong with the definition. The schema must be resolved first.
    #[must_use]
    pub fn faults(&self) -> Vec<RegisterFault> {
        let mut faults = Vec::new();
        let fields = self.fields();
        self.fault_names(&fields, &mut faults);
        self.fault_alternatives(&fields, &mut faults);
        self.fault_properties(&mut faults);
        for key in self.other.keys().filter(|key| !key.starts_with("x-")) {
            faults.push(fault(
                format!("/{key}"),
                format!("a register has no `{key}`"),
                "remove it, or begin its name with `x-`",
            ));
        }
        if self.stale.is_some_and(|stale| stale.after_ms() == 0) {
            faults.push(fault(
                "/stale".to_owned(),
                "`stale` needs `days` or `hours` above 0, found none".to_owned(),
                "write `stale: { days: 30 }`, or leave it out",
            ));
        }
        if let Some(retention) = &self.retention
            && (retention.years, retention.months, retention.days) == (0, 0, 0)
        {
            faults.push(fault(
                "/retention".to_owned(),
                "`retention` needs `years`, `months` or `days` above 0, found none".to_owned(),
                "write `retention: { after: FIELD, years: 5 }`, or leave it out",
            ));
        }
        faults
    }

    fn fault_names(&self, fields: &[String], faults: &mut Vec<RegisterFault>) {
        let named = [("/key".to_owned(), self.key.as_str())]
            .into_iter()
            .chain(
                self.authority
                    .keys()
                    .filter(|field| *field != "*")
                    .map(|field| (format!("/authority/{field}"), field.as_str())),
            )
            .chain(
                self.views
                    .iter()
                    .map(|(title, path)| (format!("/views/{title}"), path.as_str())),
            )
            .chain(
                self.retention
                    .iter()
                    .map(|retention| ("/retention/after".to_owned(), retention.after.as_str())),
            );
        for (pointer, path) in named {
            if !has_field(fields, path) {
                faults.push(unknown_field(pointer, path, fields));
            }
        }
    }

    fn fault_alternatives(&self, fields: &[String], faults: &mut Vec<RegisterFault>) {
        for (place, alternative) in self.alternatives.iter().enumerate() {
            let pointer = format!("/alternatives/{place}");
            for path in alternative {
                if !has_field(fields, path) {
                    faults.push(unknown_field(pointer.clone(), path, fields));
                }
            }
            if alternative.iter().all(|field| self.is_name(field)) {
                faults.push(fault(
                    pointer,
                    format!(
                        "an alternative key must not be a name alone, found [{}]",
                        alternative.join(", ")
                    ),
                    "add a field that tells two bearers of one name apart, such as their unit or a code",
                ));
            }
        }
    }

    fn fault_properties(&self, faults: &mut Vec<RegisterFault>) {
        for (name, property) in self.properties() {
            let pattern = property.get("x-number").and_then(Value::as_str);
            if let Some(Err(wrong)) = pattern.map(NumberPattern::parse) {
                faults.push(fault(
                    format!("/schema/properties/{name}/x-number"),
                    wrong.to_string(),
                    "write a pattern such as `LH{yyyy}-{seq:6}`",
                ));
            }
            let kind = property
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if property.get("x-index").is_some() && matches!(kind, "array" | "object") {
                faults.push(fault(
                    format!("/schema/properties/{name}/x-index"),
                    format!("only a text, a number or a truth value can be indexed, `{name}` is an {kind}"),
                    "remove `x-index`, or put it on a field of its own",
                ));
            }
        }
    }
}

/// True for fields that hold a person's or a thing's name.
fn is_name(field: &str, property: Option<&Value>) -> bool {
    let text = |key: &str| {
        property
            .and_then(|property| property.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let title = text("title");
    field == "name"
        || field.ends_with("Name")
        || text("x-mask") == "name"
        || ["姓名", "名称", "名字"]
            .iter()
            .any(|word| title.ends_with(word))
}

fn has_field(fields: &[String], path: &str) -> bool {
    let first = path.split(['.', '[']).next().unwrap_or(path);
    fields.iter().any(|field| field == path || field == first)
}

fn unknown_field(pointer: String, path: &str, fields: &[String]) -> RegisterFault {
    fault(
        pointer,
        format!("the schema has no field `{path}`"),
        format!("known fields are {}", fields.join(", ")),
    )
}

fn fault(pointer: String, message: String, help: impl Into<String>) -> RegisterFault {
    RegisterFault {
        pointer,
        message,
        help: help.into(),
    }
}
