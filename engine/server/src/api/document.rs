//! The description of the API as OpenAPI 3.1, generated from the handlers.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{events, instances, mailbox, operations, registers, work_items, workflows};

/// The API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Tongban", description = "Workflows of departments that share data. Every failure is `application/problem+json` (RFC 9457).", license(name = "Apache-2.0")),
    paths(
        instances::start, instances::list, instances::show, instances::history, instances::diagram,
        operations::cancel, operations::suspend, operations::resume, operations::jump,
        work_items::list, work_items::show, work_items::decision, work_items::submission, work_items::claim, work_items::unclaim,
        work_items::send_back, work_items::correction, work_items::resubmission, work_items::comment, work_items::transfer,
        work_items::urge, work_items::withdrawal,
        workflows::list, workflows::form, workflows::check, workflows::publish,
        events::receive, registers::records, mailbox::list, mailbox::show,
    ),
    modifiers(&Keys)
)]
struct Api;

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("key", scheme);
    }
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| Api::openapi().to_json().unwrap_or_default());

/// The description as JSON text.
pub fn text() -> &'static str {
    &DOCUMENT
}

/// Serves the description.
pub async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], text()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::router::routes;

    #[test]
    fn every_route_of_the_api_is_described_and_nothing_else() {
        let document: serde_json::Value =
            serde_json::from_str(text()).expect("the description is JSON");
        assert!(
            document["openapi"]
                .as_str()
                .is_some_and(|version| version.starts_with("3.1")),
            "{}",
            document["openapi"]
        );
        let described: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .expect("paths")
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().expect("an object").keys();
                methods
                    .map(|method| (method.to_uppercase(), path.clone()))
                    .collect::<Vec<_>>()
            })
            .collect();
        let routed: BTreeSet<(String, String)> = routes()
            .iter()
            .filter(|route| route.path.starts_with("/api/"))
            .map(|route| (route.method.to_string(), route.path.to_owned()))
            .collect();
        assert_eq!(described, routed);
    }

    #[test]
    fn references_of_the_description_have_targets() {
        let document: serde_json::Value =
            serde_json::from_str(text()).expect("the description is JSON");
        let mut open = vec![&document];
        while let Some(node) = open.pop() {
            match node {
                serde_json::Value::Object(members) => {
                    if let Some(reference) = members.get("$ref").and_then(serde_json::Value::as_str)
                    {
                        let pointer = reference.trim_start_matches('#');
                        assert!(
                            document.pointer(pointer).is_some(),
                            "{reference} leads nowhere"
                        );
                    }
                    open.extend(members.values());
                }
                serde_json::Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
    }
}
