//! The description of the API as OpenAPI 3.1, generated from the handlers.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::app::App;

use super::{
    absences, bulk, drafts, events, handing, instances, mailbox, notices, operations, registers,
    work_items, workflows,
};

/// The API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Tongban", description = "Workflows of departments that share data. Every failure is `application/problem+json` (RFC 9457).", license(name = "Apache-2.0")),
    paths(
        instances::start, instances::list, instances::show, instances::history, instances::diagram,
        operations::cancel, operations::suspend, operations::resume, operations::jump,
        work_items::list, work_items::show, work_items::decision, work_items::submission, work_items::claim, work_items::unclaim,
        work_items::send_back, work_items::correction, work_items::resubmission, work_items::comment,
        handing::transfer, handing::delegation, handing::signer, handing::signer_gone,
        work_items::urge, work_items::withdrawal, bulk::decisions, bulk::transfers,
        drafts::list, drafts::show, drafts::save, drafts::remove,
        workflows::list, workflows::form, workflows::check, workflows::publish,
        events::receive, registers::records, notices::list, notices::show, absences::list, absences::add, absences::end, mailbox::list, mailbox::show,
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

/// Where the demonstration shows its mails; no other site has it.
const MAILBOX: &str = "/api/v1/mailbox";

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut api = Api::openapi();
    api.paths.paths.retain(|path, _| !path.starts_with(MAILBOX));
    completed(&api)
});
static DEMO: LazyLock<String> = LazyLock::new(|| completed(&Api::openapi()));

fn completed(api: &utoipa::openapi::OpenApi) -> String {
    let mut document = serde_json::to_value(api).unwrap_or_default();
    super::answers::complete(&mut document);
    document.to_string()
}

/// The description as JSON text.
pub fn text(demo: bool) -> &'static str {
    if demo { &DEMO } else { &DOCUMENT }
}

/// The names that the query of an operation may have, as it is described.
pub fn query_names(method: &str, path: &str) -> BTreeSet<String> {
    static WHOLE: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(&DEMO).unwrap_or_default());
    let operation = WHOLE
        .get("paths")
        .and_then(|paths| paths.get(path)?.get(method.to_lowercase()));
    let parameters = operation
        .and_then(|operation| operation.get("parameters")?.as_array())
        .into_iter()
        .flatten();
    let text = |parameter: &Value, name: &str| -> Option<String> {
        Some(parameter.get(name)?.as_str()?.to_owned())
    };
    parameters
        .filter(|parameter| text(parameter, "in").as_deref() == Some("query"))
        .filter_map(|parameter| text(parameter, "name"))
        .collect()
}

/// Serves the description.
pub async fn openapi(State(app): State<App>) -> Response {
    let text = text(app.site.demo);
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::routes;

    #[test]
    fn every_route_of_the_api_is_described_and_nothing_else() {
        let document: serde_json::Value =
            serde_json::from_str(text(true)).expect("the description is JSON");
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
        let others: serde_json::Value =
            serde_json::from_str(text(false)).expect("the description is JSON");
        let shown = others["paths"].as_object().expect("paths").keys();
        let left: Vec<&String> = shown.filter(|path| path.contains("mailbox")).collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(others["paths"].get("/api/v1/events").is_some());
    }

    #[test]
    fn members_are_written_alike_everywhere() {
        let document: Value = serde_json::from_str(text(true)).expect("the description is JSON");
        let schemas = document["components"]["schemas"].as_object();
        let mut members = 0;
        for (name, schema) in schemas.expect("schemas") {
            let parts = schema["allOf"].as_array().cloned().unwrap_or_default();
            for part in parts.iter().chain([schema]) {
                for member in part["properties"].as_object().into_iter().flatten() {
                    members += 1;
                    assert!(!member.0.contains('_'), "{name}.{}", member.0);
                }
            }
        }
        assert!(members > 100, "{members}");
    }

    #[test]
    fn references_of_the_description_have_targets() {
        let document: serde_json::Value =
            serde_json::from_str(text(true)).expect("the description is JSON");
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
