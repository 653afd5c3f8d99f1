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
        known.truncate(20);
        Err(Failure::configuration(format!(
            "the document has no operation `{id}`; it has {}",
            known.join(", ")
        )))
    }

    /// Puts the parameters where the document says.
    pub(super) fn request(&self, place: &str, given: &Value) -> Result<Sent, Failure> {
        let parameters = self.parameters();
        let mut sent = Sent {
            method: self.method.to_ascii_uppercase(),
            endpoint: String::new(),
            headers: Value::object::<&str, Value>([]),
            query: Value::object::<&str, Value>([]),
            body: None,
        };
        let mut path = self.path.to_owned();
        let mut cookies = Vec::new();
        let mut form = Value::Null;
        for parameter in &parameters {
            let Some(value) = parameter.value(given)? else {
                continue;
            };
            match parameter.place {
                Place::Path => {
                    let name = format!("{{{}}}", parameter.name);
                    path = path.replace(&name, &parameter.in_path(&value)?);
                }
                Place::Query => parameter.in_query(&value, &mut sent.query)?,
                Place::Header => sent.headers.set(&parameter.name, parameter.joined(&value)?),
                Place::Cookie => {
                    cookies.push(format!("{}={}", parameter.name, parameter.joined(&value)?));
                }
                Place::Body => sent.body = Some(value),
                Place::Form => form.set(&parameter.name, value),
            }
        }
        if !cookies.is_empty() {
            sent.headers.set("cookie", cookies.join("; "));
        }
        if !form.is_null() {
            sent.headers
                .set("content-type", "application/x-www-form-urlencoded");
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
    fn parameters(&self) -> Vec<Parameter> {
        let own = list(self.body, "parameters");
        let shared = list(self.item, "parameters");
        let mut parameters: Vec<Parameter> = Vec::new();
        for described in own.iter().chain(shared) {
            let Some(parameter) = Parameter::of(self.resolved(described)) else {
                continue;
            };
            let known = parameters
                .iter()
                .any(|known| known.name == parameter.name && known.place == parameter.place);
            if !known {
                parameters.push(parameter);
            }
        }
        parameters
    }

    /// `requestBody`: the parameter `body`, or all parameters that are named nowhere else.
    fn request_body(
        &self,
        given: &Value,
        parameters: &[Parameter],
        sent: &mut Sent,
    ) -> Result<(), Failure> {
        let described = self.body.get("requestBody").map(|body| self.resolved(body));
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
        let place = uri(masked.as_str().unwrap_or_default())?;
        if self.document.get("swagger").is_some() {
            return Ok(self.base_of_two(&place));
        }
        let server = [self.body, self.item, self.document]
            .into_iter()
            .find_map(|holder| list(holder, "servers").first());
        let Some(server) = server else {
            return Ok(place.origin().ascii_serialization());
        };
        let mut address = server.text("url").unwrap_or("/").to_owned();
        let variables = server.get("variables").unwrap_or(&Value::Null);
        for (name, variable) in variables.entries() {
            let value = variable.text("default").unwrap_or_default();
            address = address.replace(&format!("{{{name}}}"), value);
        }
        place
            .join(&address)
            .map(|base| base.to_string())
            .map_err(|_| {
                Failure::configuration(format!("the server `{address}` of the document is no URI"))
            })
    }

    fn base_of_two(&self, place: &Url) -> String {
        let schemes = list(self.document, "schemes");
        let offered: Vec<&str> = schemes.iter().filter_map(Value::as_str).collect();
        let scheme = if offered.contains(&"https") {
            "https"
        } else {
            offered.first().copied().unwrap_or(place.scheme())
        };
        let path = self.document.text("basePath").unwrap_or("/");
        match self.document.text("host") {
            Some(host) => format!("{scheme}://{host}{path}"),
            None => format!("{}{path}", place.origin().ascii_serialization()),
        }
    }

    /// Follows a local `$ref`.
    fn resolved(&self, described: &'a Value) -> &'a Value {
        let target = described
            .text("$ref")
            .and_then(|target| target.strip_prefix("#/"));
        let Some(target) = target else {
            return described;
        };
        let mut found = self.document;
        for part in target.split('/') {
            let part = part.replace("~1", "/").replace("~0", "~");
            match found.get(&part) {
                Some(next) => found = next,
                None => return described,
            }
        }
        found
    }
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
    BODY_TYPES
        .iter()
        .copied()
        .find(|wanted| offered.contains(wanted))
        .or_else(|| offered.iter().copied().find(|name| name.ends_with("+json")))
        .or_else(|| offered.first().copied())
        .filter(|name| !name.contains('*'))
        .map(ToOwned::to_owned)
}
