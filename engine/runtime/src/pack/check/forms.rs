//! Forms: that they are schemas, and that their groups name fields that they have.

use tongban_dsl::codes;
use tongban_expr::Value;

use super::schemas::Found;
use super::{Checking, near};

impl Checking<'_> {
    pub(super) fn forms(&mut self) {
        let forms: Vec<(String, Value)> = self
            .pack
            .forms
            .iter()
            .map(|(path, schema)| (path.clone(), schema.clone()))
            .collect();
        for (path, schema) in forms {
            if schema.as_object().is_none() {
                let message = if schema.is_null() {
                    "the form is empty".to_owned()
                } else {
                    format!("a form is an object, found {}", schema.kind_name())
                };
                let help = "write `type: object` and below it `properties:` with the fields";
                self.at(&path, "", codes::PACK_FORM, message, help.to_owned());
                continue;
            }
            let layout = layout(&schema);
            self.faulty_schema(&path, "", &schema, codes::PACK_FORM, layout);
        }
    }
}

/// What a form's groups say that nothing reads, or name that the form does not have.
fn layout(schema: &Value) -> Vec<Found> {
    let mut found = Vec::new();
    let groups = schema.get("x-layout").into_iter().flat_map(Value::items);
    for (index, group) in groups.enumerate() {
        const MEMBERS: &[&str] = &["group", "x-en", "fields"];
        for (name, _) in group.entries() {
            if !MEMBERS.contains(&name.as_str()) && name.as_str() != "en" {
                found.push(Found {
                    pointer: format!("/x-layout/{index}/{name}"),
                    message: format!("a group has no `{name}`"),
                    help: near(
                        name,
                        MEMBERS.iter().copied(),
                        "a group has `group`, `x-en` and `fields`",
                    ),
                    doubtful: true,
                });
            }
        }
        let fields = group.get("fields").into_iter().flat_map(Value::items);
        for (at, name) in fields.enumerate() {
            let Some(name) = name.as_str() else { continue };
            let properties = schema.get("properties");
            if properties.and_then(|all| all.get(name)).is_none() {
                let known = properties.into_iter().flat_map(Value::entries);
                found.push(Found {
                    pointer: format!("/x-layout/{index}/fields/{at}"),
                    message: format!("the form has no field `{name}`"),
                    help: near(
                        name,
                        known.map(|(name, _)| name.as_str()),
                        "name a field of `properties`",
                    ),
                    doubtful: true,
                });
            }
        }
    }
    found
}
