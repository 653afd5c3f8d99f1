//! One parameter: where it goes and how lists and objects are written there.

use tongban_expr::{Value, secret};
use tongban_plugin::Failure;

use crate::request::texts;
use crate::reveal::percent_encoded;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
    /// The whole body (Swagger 2.0).
    Body,
    /// One member of a form (Swagger 2.0).
    Form,
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListStyle {
    /// The name again for each element.
    Repeated,
    /// One text, elements parted by this.
    Joined(&'static str),
}

pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: Place,
    required: bool,
    list: ListStyle,
    /// `style: deepObject`: `name[member]=value`.
    deep: bool,
    default: Option<Value>,
}

impl Parameter {
    pub(super) fn of(described: &Value) -> Option<Self> {
        let place = match described.text("in")? {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            "cookie" => Place::Cookie,
            "body" => Place::Body,
            "formData" => Place::Form,
            _ => return None,
        };
        let required = described.get("required").and_then(Value::as_bool) == Some(true);
        let default = described
            .at("schema.default")
            .or_else(|| described.get("default"))
            .cloned();
        Some(Self {
            name: described.text("name")?.to_owned(),
            place,
            required: required || place == Place::Path,
            list: list_style(described, place),
            deep: described.text("style") == Some("deepObject"),
            default,
        })
    }

    /// The value that was given, or the default of a parameter that is needed.
    pub(super) fn value(&self, given: &Value) -> Result<Option<Value>, Failure> {
        let value = given.get(&self.name).filter(|value| !value.is_null());
        match (value, &self.default) {
            (Some(value), _) => Ok(Some(value.clone())),
            (None, Some(default)) if self.required => Ok(Some(default.clone())),
            (None, _) if self.required => Err(Failure::validation(format!(
                "the operation needs the parameter `{}`, found none",
                self.name
            ))),
            (None, _) => Ok(None),
        }
    }

    /// As a part of the path.
    pub(super) fn in_path(&self, value: &Value) -> Result<String, Failure> {
        let parts: Vec<String> = texts(value, &self.name)?
            .into_iter()
            // A marker is left as it is: what replaces it is encoded then.
            .map(
                |text| match secret::names_in(&Value::from(text.as_str())).is_empty() {
                    true => percent_encoded(&text),
                    false => text,
                },
            )
            .collect();
        if parts.iter().all(String::is_empty) {
            return Err(Failure::validation(format!(
                "the parameter `{}` is a part of the path and cannot be empty",
                self.name
            )));
        }
        Ok(parts.join(","))
    }

    /// As one or several members of the query.
    pub(super) fn in_query(&self, value: &Value, query: &mut Value) -> Result<(), Failure> {
        if value.as_object().is_some() {
            for (member, inner) in value.entries() {
                let name = match self.deep {
                    true => format!("{}[{member}]", self.name),
                    false => member.to_string(),
                };
                query.set(&name, inner.clone());
            }
            return Ok(());
        }
        match self.list {
            ListStyle::Repeated => query.set(&self.name, value.clone()),
            ListStyle::Joined(_) => query.set(&self.name, self.joined(value)?),
        }
        Ok(())
    }

    /// As one text.
    pub(super) fn joined(&self, value: &Value) -> Result<String, Failure> {
        let by = match self.list {
            ListStyle::Repeated => ",",
            ListStyle::Joined(by) => by,
        };
        Ok(texts(value, &self.name)?.join(by))
    }
}

fn list_style(described: &Value, place: Place) -> ListStyle {
    if let Some(format) = described.text("collectionFormat") {
        return match format {
            "multi" => ListStyle::Repeated,
            "ssv" => ListStyle::Joined(" "),
            "tsv" => ListStyle::Joined("\t"),
            "pipes" => ListStyle::Joined("|"),
            _ => ListStyle::Joined(","),
        };
    }
    // Swagger 2.0 has a `type` at the parameter itself and joins lists by commas.
    let version_two = described.get("type").is_some();
    let explode = described.get("explode").and_then(Value::as_bool);
    match (place, described.text("style"), explode) {
        (Place::Query, Some("spaceDelimited"), _) => ListStyle::Joined(" "),
        (Place::Query, Some("pipeDelimited"), _) => ListStyle::Joined("|"),
        (Place::Query | Place::Form, _, Some(false)) => ListStyle::Joined(","),
        (Place::Query, _, None) if version_two => ListStyle::Joined(","),
        (Place::Query | Place::Form, _, _) => ListStyle::Repeated,
        _ => ListStyle::Joined(","),
    }
}
