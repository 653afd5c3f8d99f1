//! One operation of a document: where it is sent and what it takes.

use reqwest::Url;
use tongban_expr::Value;
use tongban_plugin::Failure;

use super::parameter::{Parameter, Place};
use crate::transport::uri;

/// The members of a path item that are operations.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// How many operations a failure names.
const KNOWN_SHOWN: usize = 20;
/// How many references lead from one to the next.
const REFERENCES_MAX: usize = 16;
/// The longest path or server address, with the values in it.
const ADDRESS_MAX: usize = 64 << 10;
/// Content types of bodies, the preferred ones first.
const BODY_TYPES: [&str; 2] = ["application/json", "application/x-www-form-urlencoded"];

pub(super) struct Operation<'a> {
    document: &'a Value,
    item: &'a Value,
    body: &'a Value,
    method: &'a str,
    path: &'a str,
}

/// The request that an operation makes of its parameters.
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) endpoint: String,
    pub(super) headers: Value,
    pub(super) query: Value,
    pub(super) body: Option<Value>,
}

impl<'a> Operation<'a> {
    pub(super) fn find(document: &'a Value, id: &str) -> Result<Self, Failure> {
        let mut known = Vec::new();
        let paths = document.get("paths").unwrap_or(&Value::Null);
        for (path, item) in paths.entries() {
            let item = resolved(document, item)?;
            for method in METHODS {
                let Some(body) = item.get(method) else {
                    continue;
                };
                let name = body.text("operationId").unwrap_or_default();
                if name == id {
                    return Ok(Self {
                        document,
                        item,
                        body,
                        method,
                        path,
                    });
                }
                known.push(name);
            }
        }
        known.retain(|name| !name.is_empty());
        let more = known.len().saturating_sub(KNOWN_SHOWN);
        known.truncate(KNOWN_SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Err(Failure::configuration(format!(
            "the document has no operation `{id}`; it has {}{more}",
            known.join(", ")
        )))
    }

    /// Puts the parameters where the document says.
    pub(super) fn request(&self, place: &str, given: &Value) -> Result<Sent, Failure> {
        let parameters = self.parameters()?;
        let mut sent = Sent {
            method: self.method.to_ascii_uppercase(),
            endpoint: String::new(),
            headers: Value::object::<&str, Value>([]),
            query: Value::object::<&str, Value>([]),
            body: None,
        };
        let mut places: Vec<(&str, String)> = Vec::new();
        let mut cookies = Vec::new();
        let mut form = Value::Null;
        for parameter in &parameters {
            let Some(value) = parameter.value(given)? else {
                continue;
            };
            match parameter.place {
                Place::Path => places.push((&parameter.name, parameter.in_path(&value)?)),
                Place::Query => parameter.in_query(&value, &mut sent.query)?,
                Place::Header => sent.headers.set(&parameter.name, parameter.joined(&value)?),
                Place::Cookie => cookies.extend(parameter.in_cookie(&value)?),
                Place::Body => {
                    sent.body = Some(value);
                    if let Some(content_type) = self.consumed() {
                        sent.headers.set("content-type", content_type);
                    }
                }
                Place::Form => parameter.in_query(&value, &mut form)?,
            }
        }
        let path = filled(self.path, &places).map_err(|fault| match fault {
            Unfilled::Place(name) => Failure::configuration(format!(
                "the path `{}` has `{{{name}}}`, which no parameter of the operation fills",
                self.path
            )),
            Unfilled::TooLong => too_long(self.path),
        })?;
        if !cookies.is_empty() {
            sent.headers.set("cookie", cookies.join("; "));
        }
        if !form.is_null() {
            sent.headers.set("content-type", self.form_type()?);
            sent.body = Some(form);
        }
        self.request_body(given, &parameters, &mut sent)?;
        let base = self.base(place)?;
        sent.endpoint = format!(
            "{}/{}",
            base.trim_end_matches('/'),
            path.trim_start_matches('/')
        );
        Ok(sent)
    }

    /// The operation's parameters over those of its path.
    fn parameters(&self) -> Result<Vec<Parameter>, Failure> {
        let own = list(self.body, "parameters");
        let shared = list(self.item, "parameters");
        let mut parameters: Vec<Parameter> = Vec::new();
        for described in own.iter().chain(shared) {
            let Some(parameter) = Parameter::of(resolved(self.document, described)?) else {
                continue;
            };
            let known = parameters
                .iter()
                .any(|known| known.name == parameter.name && known.place == parameter.place);
            if !known {
                parameters.push(parameter);
            }
        }
        Ok(parameters)
    }

    /// What Swagger 2.0 says that a body is; JSON comes first.
    fn consumed(&self) -> Option<&str> {
        let own = list(self.body, "consumes");
        let consumes = if own.is_empty() {
            list(self.document, "consumes")
        } else {
            own
        };
        let offered: Vec<&str> = consumes.iter().filter_map(Value::as_str).collect();
        preferred(&offered)
    }

    /// How the form of Swagger 2.0 is sent.
    fn form_type(&self) -> Result<&'static str, Failure> {
        const FORM: &str = "application/x-www-form-urlencoded";
        let own = list(self.body, "consumes");
        let only_parts = !own.is_empty()
            && own
                .iter()
                .filter_map(Value::as_str)
                .all(|one| one.starts_with("multipart/"));
        if only_parts {
            return Err(Failure::configuration(
                "the operation takes multipart/form-data only, which is not supported; send JSON or a form",
            ));
        }
        Ok(FORM)
    }

    /// `requestBody`: the parameter `body`, or all parameters that are named nowhere else.
    fn request_body(
        &self,
        given: &Value,
        parameters: &[Parameter],
        sent: &mut Sent,
    ) -> Result<(), Failure> {
        let described = match self.body.get("requestBody") {
            Some(body) => Some(resolved(self.document, body)?),
            None => None,
        };
        let rest: Vec<(&str, &Value)> = given
            .entries()
            .map(|(name, value)| (name.as_str(), value))
            .filter(|(name, _)| parameters.iter().all(|parameter| parameter.name != *name))
            .collect();
        let Some(described) = described else {
            let Some((strange, _)) = rest.first() else {
                return Ok(());
            };
            let known: Vec<&str> = parameters.iter().map(|one| one.name.as_str()).collect();
            return Err(Failure::validation(format!(
                "the operation has no parameter `{strange}`; it has {}",
                known.join(", ")
            )));
        };
        let required = described.get("required").and_then(Value::as_bool) == Some(true);
        sent.body = match rest.as_slice() {
            [] if required => {
                return Err(Failure::validation(
                    "the operation needs a `body`, found none",
                ));
            }
            [] => return Ok(()),
            [("body", body)] => Some((*body).clone()),
            members => Some(Value::object(members.iter().copied())),
        };
        if let Some(content_type) = body_type(described) {
            sent.headers.set("content-type", content_type);
        }
        Ok(())
    }

    /// Where the operation's server is.
    fn base(&self, place: &str) -> Result<String, Failure> {
        // Of the document's own place only scheme and host count, and no secret stands there.
        let masked = tongban_expr::secret::masked(&Value::from(place));
        let place = uri(masked.as_str().unwrap_or_default()).ok();
        if self.document.get("swagger").is_some() {
            return self.base_of_two(place.as_ref());
        }
        let server = [self.body, self.item, self.document]
            .into_iter()
            .find_map(|holder| list(holder, "servers").first());
        let url = server.and_then(|server| server.text("url")).unwrap_or("/");
        let variables: Vec<(&str, String)> = server
            .and_then(|server| server.get("variables"))
            .unwrap_or(&Value::Null)
            .entries()
            .map(|(name, variable)| {
                let value = variable.text("default").unwrap_or_default();
                (name.as_str(), value.to_owned())
            })
            .collect();
        let address = filled(url, &variables).map_err(|fault| match fault {
            Unfilled::Place(name) => Failure::configuration(format!(
                "the server `{url}` of the document has `{{{name}}}`, which none of its variables fills"
            )),
            Unfilled::TooLong => too_long(url),
        })?;
        if let Ok(absolute) = uri(&address) {
            return Ok(absolute.to_string());
        }
        let place = place.ok_or_else(|| no_server(&address))?;
        place
            .join(&address)
            .map(|base| base.to_string())
            .map_err(|_| {
                Failure::configuration(format!("the server `{address}` of the document is no URI"))
            })
    }

    fn base_of_two(&self, place: Option<&Url>) -> Result<String, Failure> {
        let own = list(self.body, "schemes");
        let schemes = if own.is_empty() {
            list(self.document, "schemes")
        } else {
            own
        };
        let offered: Vec<&str> = schemes.iter().filter_map(Value::as_str).collect();
        let scheme = if offered.contains(&"https") {
            "https"
        } else {
            let standing = place.map_or("https", Url::scheme);
            offered.first().copied().unwrap_or(standing)
        };
        let path = self.document.text("basePath").unwrap_or("/");
        match (self.document.text("host"), place) {
            (Some(host), _) => Ok(format!("{scheme}://{host}{path}")),
            (None, Some(place)) => Ok(format!("{}{path}", place.origin().ascii_serialization())),
            (None, None) => Err(no_server(path)),
        }
    }
}

/// Why an address could not be filled in.
enum Unfilled {
    /// Nothing has this name.
    Place(String),
    TooLong,
}

/// Puts values into the `{name}` places of an address, each place once: what a value brings is not looked at again, so
/// that a document's variables cannot grow by each other.
fn filled(address: &str, values: &[(&str, String)]) -> Result<String, Unfilled> {
    let mut whole = String::with_capacity(address.len());
    let mut rest = address;
    while let Some((before, inside)) = rest.split_once('{') {
        let Some((name, after)) = inside.split_once('}') else {
            break;
        };
        let value = values
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| Unfilled::Place(name.to_owned()))?;
        whole.push_str(before);
        whole.push_str(&value.1);
        if whole.len() > ADDRESS_MAX {
            return Err(Unfilled::TooLong);
        }
        rest = after;
    }
    whole.push_str(rest);
    match whole.len() > ADDRESS_MAX {
        true => Err(Unfilled::TooLong),
        false => Ok(whole),
    }
}

fn too_long(address: &str) -> Failure {
    let shown: String = address.chars().take(80).collect();
    Failure::configuration(format!(
        "the address `{shown}` of the document is longer than {ADDRESS_MAX} bytes with its values"
    ))
}

fn no_server(address: &str) -> Failure {
    Failure::configuration(format!(
        "the document stands in the pack and its server `{address}` names no host; give it `servers` (2.0: `host`) with one"
    ))
}

/// Follows local references.
fn resolved<'a>(document: &'a Value, described: &'a Value) -> Result<&'a Value, Failure> {
    let mut found = described;
    for _ in 0..REFERENCES_MAX {
        let Some(target) = found.text("$ref") else {
            return Ok(found);
        };
        let Some(pointer) = target.strip_prefix("#/") else {
            return Err(Failure::configuration(format!(
                "the document refers to `{target}` outside of it, which is not read; bundle it into one document"
            )));
        };
        let pointed = pointer.split('/').try_fold(document, |here, part| {
            here.get(&part.replace("~1", "/").replace("~0", "~"))
        });
        found = pointed.ok_or_else(|| {
            Failure::configuration(format!(
                "the document refers to `{target}`, which it has not"
            ))
        })?;
    }
    Err(Failure::configuration(format!(
        "more than {REFERENCES_MAX} references of the document lead from one to the next"
    )))
}

fn list<'a>(holder: &'a Value, name: &str) -> &'a [Value] {
    holder
        .get(name)
        .and_then(Value::as_list)
        .unwrap_or_default()
}

fn body_type(described: &Value) -> Option<String> {
    let content = described.get("content")?;
    let offered: Vec<&str> = content.entries().map(|(name, _)| name.as_str()).collect();
    preferred(&offered).map(ToOwned::to_owned)
}

/// The content type that is sent of those that are offered.
fn preferred<'a>(offered: &[&'a str]) -> Option<&'a str> {
    BODY_TYPES
        .iter()
        .find_map(|wanted| offered.iter().copied().find(|name| name == wanted))
        .or_else(|| offered.iter().copied().find(|name| name.ends_with("+json")))
        .or_else(|| offered.first().copied())
        .filter(|name| !name.contains('*'))
}
