//! Cases: start, list, read, history, diagram.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tongban_runtime::{Caller, CaseView, Start, Started};
use tongban_store::InstanceRow;
use utoipa::{IntoParams, ToSchema};

use super::body::{self, Json, Query};
use super::cursor::{Page, Place, cut, limit};
use super::masking::{self, RevealQuery};
use crate::app::App;
use crate::counters::Counted;
use crate::drawing;
use crate::lists::{self, CaseFilter};
use crate::problem::Problem;
use crate::reveal::Look;
use crate::security::identity::Client;
use crate::veil::Veil;
use crate::visibility::{self, Asker, Startable};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request to start a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRequest {
    /// The answers to the start form.
    pub input: serde_json::Value,
    /// A version of the workflow; the current one when absent.
    #[serde(default)]
    pub version: Option<String>,
    /// The number of the case from which this one is started.
    #[serde(default)]
    pub link: Option<String>,
    /// The person of the key's unit who applies; the key's own person when absent.
    #[serde(default, rename = "onBehalfOf")]
    #[schema(min_length = 1)]
    pub on_behalf_of: Option<String>,
}

/// A started case. Starting is durable once this is answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartedCase {
    /// Its id.
    pub id: String,
    /// Its number; empty when the workflow gives none.
    pub number: String,
    /// Its status after the first steps.
    pub status: String,
    /// Its page in the console.
    pub url: String,
    /// Its result, when it has ended already.
    pub output: serde_json::Value,
    /// Whether this answers a request that came before with the same key.
    pub replayed: bool,
}

/// The head of a case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseSummary {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its workflow.
    pub workflow: String,
    /// `running`, `suspended`, `completed`, `faulted` or `cancelled`.
    pub status: String,
    /// The unit to which it belongs.
    pub unit: Option<String>,
    /// The person who started it.
    pub starter: Option<String>,
    /// When it started, milliseconds UTC.
    pub started_at_ms: i64,
    /// When it changed last.
    pub changed_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// A case as a whole.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseDetail {
    /// Its head.
    #[serde(flatten)]
    pub head: CaseSummary,
    /// The version of its state, which `ETag` carries too.
    pub version: i64,
    /// The public word for where it stands.
    pub state: Option<String>,
    /// The current form.
    pub form: serde_json::Value,
    /// Its result.
    pub output: serde_json::Value,
    /// Why it stopped, when it did.
    pub error: serde_json::Value,
    /// The tasks that wait now.
    pub waiting: Vec<WaitingTask>,
}

/// A task that waits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingTask {
    /// Its path.
    pub task: String,
    /// What it is called.
    pub title: Option<String>,
    /// Since when.
    pub since_ms: i64,
    /// Why its call does not go out yet: its connector is busy, paused, or its callee is down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// Which cases to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct CaseQuery {
    /// `namespace/name`.
    #[serde(default)]
    pub workflow: Option<String>,
    /// `running`, `suspended`, `completed`, `faulted` or `cancelled`.
    #[serde(default)]
    #[param(pattern = "^(running|suspended|completed|faulted|cancelled)$")]
    pub status: Option<String>,
    /// Only cases that this person started.
    #[serde(default)]
    pub starter: Option<String>,
    /// A part of the title or number.
    #[serde(default)]
    pub text: Option<String>,
    /// Where the page begins.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// Which part of a history to read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// Where the page begins.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many activations, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Why the fields that the form masks are wanted in full where a change of them is told; the reason is kept.
    #[serde(default)]
    #[param(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub reveal: Option<String>,
}

/// What one activation did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The version that it made.
    pub version: i64,
    /// When.
    pub at_ms: i64,
    /// Who caused it.
    pub actor: Option<String>,
    /// The channel through which it was caused.
    pub channel: Option<String>,
    /// What happened to tasks.
    pub tasks: serde_json::Value,
    /// What people did, versions of the form, acts of operators.
    pub notes: serde_json::Value,
}

impl From<InstanceRow> for CaseSummary {
    fn from(row: InstanceRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            title: row.title,
            workflow: row.workflow,
            status: row.status,
            unit: row.unit_id,
            starter: row.starter_id,
            started_at_ms: row.started_at_ms,
            changed_at_ms: row.changed_at_ms,
            ended_at_ms: row.ended_at_ms,
        }
    }
}

/// Start a case.
///
/// The same `Idempotency-Key` with the same request gives the same case and never a second one.
#[utoipa::path(post, path = "/api/v1/workflows/{namespace}/{name}/instances", tag = "cases",
    params(("namespace" = String, Path), ("name" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = StartRequest,
    responses((status = 201, body = StartedCase), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)),
    security(("key" = [])))]
pub async fn start(
    State(app): State<App>,
    client: Client,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    Json(request): Json<StartRequest>,
) -> Result<Response, Problem> {
    let workflow = format!("{namespace}/{name}");
    let mut caller = client.caller();
    if let Some(person) = request.on_behalf_of {
        caller.person = Some(colleague(&app, &client, person)?);
    }
    let link = request.link.as_deref();
    let startable = visibility::may_start_from(&app, asker_of(&caller), &workflow, link).await?;
    let start = Start {
        workflow,
        version: request.version,
        input: body::value(&request.input)?,
        caller,
        idempotency_key: idempotency_key(&headers)?,
        link: request.link,
    };
    let started = begin(&app, startable, start).await?;
    app.counters.count(Counted::Start);
    let location = HeaderValue::from_str(&format!("/api/v1/instances/{}", started.id))
        .map_err(Problem::internal)?;
    let answer = StartedCase {
        url: format!("{}/cases/{}", app.site.url, started.id),
        id: started.id,
        number: started.number,
        status: started.status,
        output: body::json(&started.output),
        replayed: started.replayed,
    };
    Ok((
        StatusCode::CREATED,
        [(LOCATION, location)],
        axum::Json(answer),
    )
        .into_response())
}

/// In whose name a case is started, as an asker.
fn asker_of(caller: &Caller) -> Asker<'_> {
    Asker {
        person: caller.person.as_deref(),
        unit: caller.unit.as_deref(),
    }
}

async fn begin(app: &App, startable: Startable, start: Start) -> Result<Started, Problem> {
    if startable == Startable::Over
        // Who asks again gets the answer from while the notice stood.
        && let Some(before) = app.runtime.started_before(&start).await?
    {
        return Ok(before);
    }
    startable.checked()?;
    let caller = start.caller.clone();
    let problem = match app.runtime.start(start).await {
        Ok(started) => return Ok(started),
        Err(error) => Problem::from(error),
    };
    // Which case holds the key is told to who sees that case.
    let Some(holder) = &problem.holder else {
        return Err(problem);
    };
    let seen = visibility::head(app, asker_of(&caller), holder).await;
    Err(Problem {
        holder: seen.ok().map(|head| head.id),
        ..problem
    })
}

/// A person for whom a key of a unit may apply: one of the unit or of a unit below it.
fn colleague(app: &App, client: &Client, person: String) -> Result<String, Problem> {
    let organisation = app.organisation();
    let theirs = organisation
        .person(&person)
        .filter(|person| organisation.is_here(&person.id, app.now_ms()))
        .and_then(|person| person.unit.clone());
    let near = match (client.unit.as_deref(), theirs.as_deref()) {
        (Some(root), Some(unit)) => unit == root || organisation.is_under(unit, root),
        _ => false,
    };
    if near {
        Ok(person)
    } else {
        Err(Problem::unacceptable(
            "`onBehalfOf` names no person of the key's unit",
        ))
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || text.len() > 255 || values.next().is_some() {
        return Err(Problem::malformed(
            "`Idempotency-Key` is given once, with 1 to 255 visible ASCII characters",
        ));
    }
    Ok(Some(text.to_owned()))
}

/// What a case can be.
const STATUSES: [&str; 5] = ["running", "suspended", "completed", "faulted", "cancelled"];

/// List the cases that the key may see, newest first.
#[utoipa::path(get, path = "/api/v1/instances", tag = "cases", params(CaseQuery),
    responses((status = 200, body = Page<CaseSummary>), (status = 400, body = Problem)), security(("key" = [])))]
pub async fn list(
    State(app): State<App>,
    client: Client,
    Query(query): Query<CaseQuery>,
) -> Result<axum::Json<Page<CaseSummary>>, Problem> {
    if let Some(status) = query
        .status
        .as_deref()
        .filter(|status| !STATUSES.contains(status))
    {
        return Err(Problem::malformed(format!(
            "`status` is one of {}, found `{status}`",
            STATUSES.join(", ")
        )));
    }
    let filter = CaseFilter {
        workflow: query.workflow,
        status: query.status,
        starter: query.starter,
        text: query.text.unwrap_or_default().trim().to_owned(),
    };
    let place = Place::read(query.cursor.as_deref())?;
    let (rows, next) =
        lists::cases(&app, client.asker(), &filter, place, limit(query.limit)?).await?;
    Ok(axum::Json(Page {
        items: rows.into_iter().map(CaseSummary::from).collect(),
        next,
    }))
}

/// Read a case. Fields that the form masks are masked for everybody but the applicant, and given in full for a reason.
#[utoipa::path(get, path = "/api/v1/instances/{id}", tag = "cases", params(("id" = String, Path), RevealQuery),
    responses((status = 200, body = CaseDetail), (status = 403, body = Problem), (status = 404, body = Problem)), security(("key" = [])))]
pub async fn show(
    State(app): State<App>,
    client: Client,
    Path(id): Path<String>,
    Query(query): Query<RevealQuery>,
) -> Result<Response, Problem> {
    let (head, case) = visibility::case(&app, client.asker(), &id).await?;
    let veil = veil(&app, &client, &head, &case, query.reveal.as_deref()).await?;
    let state = case.state_word().map(str::to_owned);
    let error: serde_json::Value = head
        .last_error
        .as_deref()
        .and_then(|error| serde_json::from_str(error).ok())
        .unwrap_or_default();
    let detail = CaseDetail {
        version: case.version,
        state,
        form: veil.form(case.instance.form()),
        output: veil.told(body::json(&case.instance.output())),
        error: veil.told(error),
        waiting: waiting(&app, &head.id, &case).await?,
        head: head.into(),
    };
    let tag = HeaderValue::from_str(&format!("\"{}\"", case.version)).map_err(Problem::internal)?;
    Ok(([(ETAG, tag)], axum::Json(detail)).into_response())
}

/// What a client does not see of a case.
async fn veil(
    app: &App,
    client: &Client,
    head: &InstanceRow,
    case: &CaseView,
    reason: Option<&str>,
) -> Result<Veil, Problem> {
    let look = Look {
        app,
        asker: client.asker(),
        head,
        case,
    };
    masking::veil(&look, client, reason).await
}

/// The tasks that wait, with the reason why a call of theirs is held back.
async fn waiting(app: &App, id: &str, case: &CaseView) -> Result<Vec<WaitingTask>, Problem> {
    let live = case.instance.live();
    let calls = live.iter().any(|task| task.kind == "call");
    let acts = if calls {
        app.store().acts_of(id).await.map_err(Problem::from)?
    } else {
        Vec::new()
    };
    let held = |run_id: &str| {
        // Who has the lease has begun it, whatever it waited for before.
        let act = acts
            .iter()
            .find(|act| act.run_id == run_id && act.token.is_none())?;
        act.error.clone()
    };
    Ok(live
        .into_iter()
        .map(|task| WaitingTask {
            held: held(&task.run_id),
            task: task.path,
            title: task.title,
            since_ms: task.since_ms,
        })
        .collect())
}

/// Read what happened in a case, from its beginning.
#[utoipa::path(get, path = "/api/v1/instances/{id}/history", tag = "cases", params(("id" = String, Path), HistoryQuery),
    responses((status = 200, body = Page<HistoryEntry>), (status = 404, body = Problem)), security(("key" = [])))]
pub async fn history(
    State(app): State<App>,
    client: Client,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<axum::Json<Page<HistoryEntry>>, Problem> {
    let (head, case) = visibility::case(&app, client.asker(), &id).await?;
    let veil = veil(&app, &client, &head, &case, query.reveal.as_deref()).await?;
    let after = Place::read(query.cursor.as_deref())?.map_or(0, |place| place.at_ms);
    let limit = limit(query.limit)?;
    let rows = app
        .store()
        .history(&head.id, after, limit + 1)
        .await
        .map_err(Problem::from)?;
    let (rows, next) = cut(rows, limit, |row| Place {
        at_ms: row.version,
        id: String::new(),
        n: 0,
    });
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let page: tongban_runtime::history::Page =
            serde_json::from_str(&row.body).unwrap_or_default();
        items.push(HistoryEntry {
            version: row.version,
            at_ms: row.at_ms,
            actor: row.actor,
            channel: page.channel,
            tasks: veil.told(body::json(&lists::readable_entries(&page.entries))),
            notes: veil.notes(&page.notes)?,
        });
    }
    Ok(axum::Json(Page { items, next }))
}

/// The diagram of a case as SVG: what is done, what is going on, what was not reached.
#[utoipa::path(get, path = "/api/v1/instances/{id}/diagram", tag = "cases", params(("id" = String, Path)),
    responses((status = 200, content_type = "image/svg+xml", body = String), (status = 404, body = Problem)), security(("key" = [])))]
pub async fn diagram(
    State(app): State<App>,
    client: Client,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (_, case) = visibility::case(&app, client.asker(), &id).await?;
    let language = app.site.language;
    let names = drawing::names_of_site(&app, language).await?;
    Ok((
        [(CONTENT_TYPE, "image/svg+xml")],
        drawing::svg(&case, names, language),
    )
        .into_response())
}
