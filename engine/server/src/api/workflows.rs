//! Workflows: which there are, their start forms, checking and publishing packs.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tongban_org::{Function, Object};
use tongban_runtime::pack::{Library, Pack};
use utoipa::{IntoParams, ToSchema};

use super::body::{self, Json, Query};
use crate::app::App;
use crate::inspection::{self, Files, Unsafe};
use crate::problem::{FieldProblem, Problem};
use crate::security::identity::Client;
use crate::visibility::{may_start, may_start_from};

/// A workflow that is published.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowSummary {
    /// `namespace/name`.
    pub workflow: String,
    /// The current version.
    pub version: String,
    /// The digest of its files.
    pub digest: String,
    /// Its title.
    pub title: String,
    /// Whether the key may start it.
    pub startable: bool,
}

/// From which case a workflow is to be started.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct FormQuery {
    /// The number of the case that the new one follows.
    #[serde(default)]
    pub link: Option<String>,
}

/// The files of a pack, by path relative to the pack.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackRequest {
    /// The texts, `pack.yaml` among them.
    pub files: BTreeMap<String, String>,
}

/// What is wrong with a pack.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckAnswer {
    /// Whether it can be published.
    pub good: bool,
    /// Everything that was found.
    pub diagnostics: Vec<FileDiagnostic>,
}

/// One finding.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileDiagnostic {
    /// The file.
    pub file: String,
    /// `error` or `warning`, code, place, message, help.
    pub diagnostic: serde_json::Value,
}

/// A published workflow.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedWorkflow {
    /// `namespace/name`.
    pub workflow: String,
    /// Its version.
    pub version: String,
    /// The digest of its files.
    pub digest: String,
    /// Whether the same files were published before.
    pub already: bool,
    /// What is left for the site to do before anybody may start it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
}

/// Whoever publishes gives code, not rights: those are the site's to give.
const RIGHTS_ARE_THE_SITES: &str = "the `rights` of a pack from outside do not count: write them into `rights` of the site's organisation.yaml";

/// List the published workflows.
#[utoipa::path(get, path = "/api/v1/workflows", tag = "workflows", responses((status = 200, body = Vec<WorkflowSummary>)), security(("key" = [])))]
pub async fn list(
    State(app): State<App>,
    client: Client,
) -> Result<axum::Json<Vec<WorkflowSummary>>, Problem> {
    let workflows = app.runtime.workflows().await?;
    let list = workflows.into_iter().map(|view| WorkflowSummary {
        startable: may_start(&app, client.asker(), &view.workflow),
        workflow: view.workflow,
        version: view.version,
        digest: view.digest,
        title: view.title,
    });
    Ok(axum::Json(list.collect()))
}

/// Read the start form of a workflow as JSON Schema.
#[utoipa::path(get, path = "/api/v1/workflows/{namespace}/{name}/form", tag = "workflows", params(("namespace" = String, Path), ("name" = String, Path), FormQuery),
    responses((status = 200, body = serde_json::Value), (status = 404, body = Problem), (status = 409, body = Problem)), security(("key" = [])))]
pub async fn form(
    State(app): State<App>,
    client: Client,
    Path((namespace, name)): Path<(String, String)>,
    Query(query): Query<FormQuery>,
) -> Result<axum::Json<serde_json::Value>, Problem> {
    let workflow = format!("{namespace}/{name}");
    let link = query.link.as_deref();
    let startable = may_start_from(&app, client.asker(), &workflow, link).await?;
    startable.checked()?;
    let schema = app.runtime.form(&workflow).await?;
    Ok(axum::Json(body::json(&schema)))
}

/// Check a pack without publishing it.
#[utoipa::path(post, path = "/api/v1/workflows/check", tag = "workflows", request_body = PackRequest,
    responses((status = 200, body = CheckAnswer), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn check(
    State(app): State<App>,
    _client: Client,
    Json(request): Json<PackRequest>,
) -> Result<axum::Json<CheckAnswer>, Problem> {
    let (_, diagnostics) = read(&app, request).await?;
    Ok(axum::Json(CheckAnswer {
        good: !diagnostics.iter().any(|found| found.diagnostic.is_error()),
        diagnostics: shown(&diagnostics),
    }))
}

/// Publish a pack. The same files again change nothing; running cases keep the version that they began with.
#[utoipa::path(post, path = "/api/v1/workflows", tag = "workflows", request_body = PackRequest,
    responses((status = 201, body = Vec<PublishedWorkflow>), (status = 403, body = Problem), (status = 422, body = Problem)), security(("key" = [])))]
pub async fn publish(
    State(app): State<App>,
    client: Client,
    Json(request): Json<PackRequest>,
) -> Result<(axum::http::StatusCode, axum::Json<Vec<PublishedWorkflow>>), Problem> {
    let (library, diagnostics) = read(&app, request).await?;
    let faults: Vec<_> = diagnostics
        .iter()
        .filter(|found| found.diagnostic.is_error())
        .collect();
    let pack = library
        .packs()
        .next()
        .filter(|_| faults.is_empty())
        .ok_or_else(|| {
            let mut problem = Problem::unacceptable("the pack has errors");
            problem.errors = faults.iter().map(|fault| field_problem(fault)).collect();
            problem
        })?;
    may_publish(&app, &client, pack)?;
    let publication = library.publication(pack);
    let hint = (!publication.rights.is_empty()).then_some(RIGHTS_ARE_THE_SITES);
    let published = app
        .runtime
        .publish_from_outside(&publication, &client.caller().name())
        .await?;
    let answer = published.into_iter().map(|one| PublishedWorkflow {
        workflow: one.workflow,
        version: one.version,
        digest: one.digest,
        already: one.already,
        hint,
    });
    Ok((
        axum::http::StatusCode::CREATED,
        axum::Json(answer.collect()),
    ))
}

/// Publishing runs code in everybody's cases: it wants a person with the right, for each workflow.
fn may_publish(app: &App, client: &Client, pack: &Pack) -> Result<(), Problem> {
    let person = client.person()?;
    let organisation = app.organisation();
    for workflow in &pack.workflows {
        let name = format!(
            "{}/{}",
            pack.name(),
            workflow.definition.document.name.value
        );
        let object = Object {
            workflow: Some(&name),
            ..Object::default()
        };
        if !organisation.may(person, Function::Publish, &object).allowed {
            return Err(Problem::forbidden(format!(
                "this wants the right `publish` for `{name}`"
            )));
        }
    }
    Ok(())
}

/// Reads a pack and gathers everything that is wrong with it; a process with limits has read it before.
async fn read(
    app: &App,
    request: PackRequest,
) -> Result<(Library, Vec<tongban_runtime::pack::FileDiagnostic>), Problem> {
    if request.files.len() > 2000 {
        return Err(Problem::unacceptable("a pack has at most 2000 files"));
    }
    let files: Files = request
        .files
        .into_iter()
        .map(|(path, text)| (path, text.into()))
        .collect();
    if let Some(path) = files.keys().find(|path| !inside(path)) {
        return Err(Problem::unacceptable(format!(
            "`{path}` is no path inside a pack"
        )));
    }
    match inspection::survived(&app.executable, &files, inspection::PATIENCE).await {
        Ok(_) => {
            // A large pack takes seconds: those who are served by this thread do not wait for it.
            let read = tokio::task::spawn_blocking(move || inspection::inspect(files)).await;
            read.map_err(Problem::internal)?
                .map_err(Problem::unacceptable)
        }
        Err(Unsafe::NoChild(error)) => Err(Problem::internal(format!(
            "no child process checks packs: {error}"
        ))),
        Err(other) => Err(Problem::unacceptable(other.to_string())),
    }
}

fn inside(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 255
        && path.split('/').all(|step| !matches!(step, "" | "." | ".."))
        && !path.contains(['\\', '\0'])
}

fn shown(diagnostics: &[tongban_runtime::pack::FileDiagnostic]) -> Vec<FileDiagnostic> {
    diagnostics
        .iter()
        .map(|found| FileDiagnostic {
            file: found.file.clone(),
            diagnostic: body::json(&found.diagnostic),
        })
        .collect()
}

fn field_problem(fault: &tongban_runtime::pack::FileDiagnostic) -> FieldProblem {
    FieldProblem {
        field: fault.file.clone(),
        keyword: fault.diagnostic.code.to_string(),
        detail: fault.diagnostic.message.clone(),
        zh: fault.diagnostic.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_pack_never_leave_it() {
        assert!(inside("forms/application.yaml"));
        for bad in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a\\b", "a/."] {
            assert!(!inside(bad), "{bad}");
        }
    }
}
