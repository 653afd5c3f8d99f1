//! One parameter: where it goes and how lists and objects are written there.
//!
//! OpenAPI 3 says it by `style` and `explode`, Swagger 2.0 by `collectionFormat`; a parameter with `content` is written
//! as JSON.

use tongban_expr::{Value, secret};
use tongban_plugin::Failure;

use crate::reveal::percent_encoded;
use crate::texts::texts;

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

/// How a value that is not plain is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `a,b`; objects `k,v` or `k=v`.
    Simple,
    /// `.a.b`.
    Label,
    /// `;name=a;name=b`.
    Matrix,
    /// `name=a&name=b`, or elements parted by this in one value.
    Form(&'static str),
    /// `name[member]=value`.
    Deep,
    /// One text of JSON.
    Json,
}

pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: Place,
    required: bool,
    style: Style,
    explode: bool,
    default: Option<Value>,
}

impl Parameter {
    /// Reads a described parameter; `None` when it has no name or a place that nobody knows.
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
        let (style, explode) = style_of(described, place);
        Some(Self {
            name: described.text("name")?.to_owned(),
            place,
            required: required || place == Place::Path,
            style,
            explode,
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
        let (before, between) = match (self.style, self.explode) {
            (Style::Label, true) => (".", "."),
            (Style::Label, false) => (".", ","),
            (Style::Matrix, true) => (";", ";"),
            (Style::Matrix, false) => (";", ","),
            (Style::Form(by), _) => ("", by),
            _ => ("", ","),
        };
        let parts = self.parts(value, &encoded)?;
        if parts.iter().all(String::is_empty) {
            return Err(Failure::validation(format!(
                "the parameter `{}` is a part of the path and cannot be empty",
                self.name
            )));
        }
        let name = encoded(&self.name);
        let named = match (self.style, value.as_object().is_some(), self.explode) {
            // Exploded objects bring their own names.
            (Style::Matrix, true, true) => parts,
            (Style::Matrix, _, true) => parts
                .into_iter()
                .map(|part| format!("{name}={part}"))
                .collect(),
            (Style::Matrix, _, false) => vec![format!("{name}={}", parts.join(between))],
            _ => parts,
        };
        Ok(format!("{before}{}", named.join(between)))
    }

    /// As one or several members of the query.
    pub(super) fn in_query(&self, value: &Value, query: &mut Value) -> Result<(), Failure> {
        match (self.style, self.explode, value) {
            (Style::Deep, _, Value::Obj(_)) => {
                for (member, inner) in value.entries() {
                    query.set(&format!("{}[{member}]", self.name), inner.clone());
                }
            }
            (Style::Deep, _, _) => {
                return Err(Failure::validation(format!(
                    "the parameter `{}` is written as `{}[member]=value` and expects an object, found {}",
                    self.name,
                    self.name,
                    value.kind_name()
                )));
            }
            (Style::Form(_), true, Value::Obj(_)) => {
                for (member, inner) in value.entries() {
                    query.set(member, inner.clone());
                }
            }
            (Style::Form(_), true, _) => query.set(&self.name, value.clone()),
            _ => query.set(&self.name, self.joined(value)?),
        }
        Ok(())
    }

    /// As the parts of a `Cookie` header.
    pub(super) fn in_cookie(&self, value: &Value) -> Result<Vec<String>, Failure> {
        let plain = |text: &str| text.to_owned();
        match (self.style, self.explode, value) {
            (Style::Form(_), true, Value::Obj(_)) => self.parts(value, &plain),
            (Style::Form(_), true, Value::Arr(_)) => Ok(self
                .parts(value, &plain)?
                .into_iter()
                .map(|part| format!("{}={part}", self.name))
                .collect()),
            _ => Ok(vec![format!("{}={}", self.name, self.joined(value)?)]),
        }
    }

    /// As one text.
    pub(super) fn joined(&self, value: &Value) -> Result<String, Failure> {
        let by = match self.style {
            Style::Form(by) => by,
            _ => ",",
        };
        Ok(self.parts(value, &|text: &str| text.to_owned())?.join(by))
    }

    /// The texts that a value is written as: members of an object as `k=v` when exploded, else one after the other.
    fn parts(&self, value: &Value, write: &dyn Fn(&str) -> String) -> Result<Vec<String>, Failure> {
        if self.style == Style::Json {
            let text = match value {
                Value::Str(text) => text.to_string(),
                other => other.to_json(),
            };
            return Ok(vec![write(&text)]);
        }
        if value.as_object().is_none() {
            let all = texts(value, &self.name)?;
            return Ok(all.iter().map(|text| write(text)).collect());
        }
        let mut parts = Vec::new();
        for (member, inner) in value.entries() {
            let inner = texts(inner, &format!("{}.{member}", self.name))?.join(",");
            if self.explode {
                parts.push(format!("{}={}", write(member), write(&inner)));
            } else {
                parts.push(write(member));
                parts.push(write(&inner));
            }
        }
        Ok(parts)
    }
}

/// A marker is left as it is: what replaces it is encoded then.
fn encoded(text: &str) -> String {
    if secret::names_in(&Value::from(text)).is_empty() {
        percent_encoded(text)
    } else {
        text.to_owned()
    }
}

fn style_of(described: &Value, place: Place) -> (Style, bool) {
    if described.get("content").is_some() {
        return (Style::Json, false);
    }
    // Swagger 2.0 has a `type` at the parameter itself and joins lists by commas.
    let version_two = described.get("type").is_some();
    if version_two || described.get("collectionFormat").is_some() {
        let style = match described.text("collectionFormat") {
            Some("multi") => return (Style::Form(","), true),
            Some("ssv") => Style::Form(" "),
            Some("tsv") => Style::Form("\t"),
            Some("pipes") => Style::Form("|"),
            _ => Style::Form(","),
        };
        return (style, false);
    }
    let style = match (place, described.text("style")) {
        (Place::Path, Some("label")) => Style::Label,
        (Place::Path, Some("matrix")) => Style::Matrix,
        (Place::Path | Place::Header, _) => Style::Simple,
        (Place::Query, Some("spaceDelimited")) => Style::Form(" "),
        (Place::Query, Some("pipeDelimited")) => Style::Form("|"),
        (Place::Query, Some("deepObject")) => Style::Deep,
        _ => Style::Form(","),
    };
    // `form` is exploded unless it says otherwise, everything else is not.
    let explode = described
        .get("explode")
        .and_then(Value::as_bool)
        .unwrap_or(style == Style::Form(","));
    (style, explode)
}

#[cfg(test)]
mod tests {
    use tongban_expr::value;

    use super::*;

    fn parameter(place: &str, style: &str, explode: bool) -> Parameter {
        let described = value!({
            "name": "id", "in": (place), "style": (style), "explode": (explode), "schema": {},
        });
        Parameter::of(&described).expect("a parameter")
    }

    /// The table of OpenAPI 3.1 §4.8.12.4.
    #[test]
    fn styles_of_a_path() {
        let (one, list, object) = (
            value!("blue"),
            value!(["blue", "black"]),
            value!({ "R": 100, "G": 200 }),
        );
        for (style, explode, expected) in [
            ("simple", false, ["blue", "blue,black", "R,100,G,200"]),
            ("simple", true, ["blue", "blue,black", "R=100,G=200"]),
            ("label", false, [".blue", ".blue,black", ".R,100,G,200"]),
            ("label", true, [".blue", ".blue.black", ".R=100.G=200"]),
            (
                "matrix",
                false,
                [";id=blue", ";id=blue,black", ";id=R,100,G,200"],
            ),
            (
                "matrix",
                true,
                [";id=blue", ";id=blue;id=black", ";R=100;G=200"],
            ),
        ] {
            let parameter = parameter("path", style, explode);
            for (value, expected) in [&one, &list, &object].into_iter().zip(expected) {
                assert_eq!(
                    parameter.in_path(value).as_deref(),
                    Ok(expected),
                    "{style} {explode}"
                );
            }
        }
    }

    #[test]
    fn styles_of_a_query() {
        let (list, object) = (value!(["blue", "black"]), value!({ "R": 100, "G": 200 }));
        for (style, explode, value, expected) in [
            ("form", true, &list, value!({ "id": ["blue", "black"] })),
            ("form", false, &list, value!({ "id": "blue,black" })),
            ("form", true, &object, value!({ "R": 100, "G": 200 })),
            ("form", false, &object, value!({ "id": "R,100,G,200" })),
            (
                "spaceDelimited",
                false,
                &list,
                value!({ "id": "blue black" }),
            ),
            (
                "pipeDelimited",
                false,
                &list,
                value!({ "id": "blue|black" }),
            ),
            (
                "pipeDelimited",
                true,
                &list,
                value!({ "id": ["blue", "black"] }),
            ),
            (
                "deepObject",
                true,
                &object,
                value!({ "id[R]": 100, "id[G]": 200 }),
            ),
        ] {
            let mut query = value!({});
            parameter("query", style, explode)
                .in_query(value, &mut query)
                .expect("written");
            assert_eq!(query, expected, "{style} {explode}");
        }
        assert!(
            parameter("query", "deepObject", true)
                .in_query(&list, &mut value!({}))
                .is_err()
        );
    }

    #[test]
    fn cookies_headers_and_contents() {
        let cookie = |explode| {
            parameter("cookie", "form", explode)
                .in_cookie(&value!(["a", "b"]))
                .expect("written")
        };
        assert_eq!(cookie(true), ["id=a", "id=b"]);
        assert_eq!(cookie(false), ["id=a,b"]);
        let header = parameter("header", "simple", true);
        assert_eq!(
            header.joined(&value!({ "a": 1, "b": 2 })).as_deref(),
            Ok("a=1,b=2")
        );
        let described =
            value!({ "name": "filter", "in": "query", "content": { "application/json": {} } });
        let mut query = value!({});
        Parameter::of(&described)
            .expect("a parameter")
            .in_query(&value!({ "a": [1, 2] }), &mut query)
            .expect("written");
        assert_eq!(query, value!({ "filter": "{\"a\":[1,2]}" }));
    }

    #[test]
    fn lists_of_swagger_two() {
        for (format, place, expected) in [
            ("csv", "query", value!({ "id": "a,b" })),
            ("ssv", "query", value!({ "id": "a b" })),
            ("tsv", "query", value!({ "id": "a\tb" })),
            ("pipes", "query", value!({ "id": "a|b" })),
            ("multi", "query", value!({ "id": ["a", "b"] })),
        ] {
            let described = value!({ "name": "id", "in": (place), "type": "array", "collectionFormat": (format) });
            let mut query = value!({});
            Parameter::of(&described)
                .expect("a parameter")
                .in_query(&value!(["a", "b"]), &mut query)
                .expect("written");
            assert_eq!(query, expected, "{format}");
        }
        let path =
            value!({ "name": "id", "in": "path", "type": "array", "collectionFormat": "pipes" });
        let path = Parameter::of(&path).expect("a parameter");
        assert_eq!(
            path.in_path(&value!(["a b", "c"])).as_deref(),
            Ok("a%20b|c")
        );
    }
}
