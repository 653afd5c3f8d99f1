//! Every route on one page, each with its access: what is not listed here does not exist, and what
//! is listed cannot be reached without the check that stands beside it.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::handler::Handler;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::problem::{Problem, Worded};
use crate::security::headers::add_headers;
use crate::security::identity::{self, Access, Visitor, authorise, is_machine};
use crate::security::key::Scope;
use crate::{api, console, health};

/// One route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with places in braces.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    handler: MethodRouter<App>,
}

macro_rules! rows {
    ($($make:ident $method:ident),*) => {$(
        fn $make<H, T>(path: &'static str, access: Access, handler: H) -> Route
        where
            H: Handler<T, App>,
            T: 'static,
        {
            Route {
                method: Method::$method,
                path,
                access,
                handler: on(MethodFilter::$method, handler),
            }
        }
    )*};
}

rows!(get GET, post POST, put PUT, delete DELETE);

/// The table of routes.
pub fn routes() -> Vec<Route> {
    let mut routes = console_routes();
    routes.extend(draft_routes());
    routes.extend(case_routes());
    routes.extend(work_routes());
    routes.extend(data_routes());
    routes
}

fn console_routes() -> Vec<Route> {
    use Access::{Officer, Open};
    use console::{
        absence, assets, bulk, case, cases, confirmation, inbox, item, link, mailbox, notice,
        sign_in, start, start_list,
    };
    vec![
        get("/", Open, sign_in::home),
        get("/sign-in", Open, sign_in::page),
        post("/sign-in", Open, sign_in::sign_in),
        post("/sign-out", Officer, sign_in::sign_out),
        post("/language", Open, sign_in::language),
        get("/inbox", Officer, inbox::page),
        post("/inbox/together", Officer, bulk::act),
        get("/items/{instance}/{n}", Officer, item::page),
        post("/items/{instance}/{n}", Officer, item::act),
        get("/start", Officer, start_list::list),
        get("/start/{namespace}/{name}", Officer, start::form),
        post("/start/{namespace}/{name}", Officer, start::submit),
        get("/cases", Officer, cases::page),
        get("/cases/{id}", Officer, case::page),
        get("/cases/{id}/confirmation", Officer, confirmation::page),
        get("/cases/{id}/diagram.svg", Officer, case::diagram),
        post("/cases/{id}", Officer, case::operate),
        get("/absence", Officer, absence::page),
        post("/absence", Officer, absence::act),
        get("/notices", Officer, notice::list),
        get("/notices/{id}", Officer, notice::page),
        get("/mailbox", Officer, mailbox::list),
        get("/mailbox/{id}", Officer, mailbox::mail),
        get("/mailbox/{id}/html", Officer, mailbox::html),
        get("/link/{token}", Open, link::page),
        post("/link/{token}", Open, link::act),
        get("/assets/{name}", Open, assets::asset),
        get("/healthz", Open, health::alive),
        get("/readyz", Open, health::ready),
        get("/metrics", Open, health::metrics),
        get("/openapi.json", Open, api::document::openapi),
    ]
}

/// Workflows and their cases.
fn case_routes() -> Vec<Route> {
    use Access::Key;
    use api::{instances, operations, workflows};
    let (start, view, publish) = (Key(Scope::Start), Key(Scope::View), Key(Scope::Publish));
    let intervene = Key(Scope::Intervene);
    vec![
        get("/api/v1/workflows", view, workflows::list),
        post("/api/v1/workflows", publish, workflows::publish),
        post("/api/v1/workflows/check", publish, workflows::check),
        get(
            "/api/v1/workflows/{namespace}/{name}/form",
            start,
            workflows::form,
        ),
        post(
            "/api/v1/workflows/{namespace}/{name}/instances",
            start,
            instances::start,
        ),
        get("/api/v1/instances", view, instances::list),
        get("/api/v1/instances/{id}", view, instances::show),
        get("/api/v1/instances/{id}/history", view, instances::history),
        get("/api/v1/instances/{id}/diagram", view, instances::diagram),
        post(
            "/api/v1/instances/{id}/cancel",
            intervene,
            operations::cancel,
        ),
        post(
            "/api/v1/instances/{id}/suspend",
            intervene,
            operations::suspend,
        ),
        post(
            "/api/v1/instances/{id}/resume",
            intervene,
            operations::resume,
        ),
        post("/api/v1/instances/{id}/jump", intervene, operations::jump),
    ]
}

/// What people have begun to fill in.
fn draft_routes() -> Vec<Route> {
    use api::drafts;
    let start = Access::Key(Scope::Start);
    let draft = "/api/v1/workflows/{namespace}/{name}/draft";
    vec![
        get("/api/v1/drafts", start, drafts::list),
        get(draft, start, drafts::show),
        put(draft, start, drafts::save),
        delete(draft, start, drafts::remove),
    ]
}

/// What people do with work items.
fn work_routes() -> Vec<Route> {
    use api::{absences, bulk, handing, work_items as items};
    let work = Access::Key(Scope::Work);
    vec![
        get("/api/v1/absences", work, absences::list),
        post("/api/v1/absences", work, absences::add),
        delete("/api/v1/absences/{id}", work, absences::end),
        get("/api/v1/work-items", work, items::list),
        post("/api/v1/work-items/decisions", work, bulk::decisions),
        post("/api/v1/work-items/transfers", work, bulk::transfers),
        get("/api/v1/work-items/{id}", work, items::show),
        post("/api/v1/work-items/{id}/decision", work, items::decision),
        post(
            "/api/v1/work-items/{id}/submission",
            work,
            items::submission,
        ),
        post("/api/v1/work-items/{id}/claim", work, items::claim),
        post("/api/v1/work-items/{id}/unclaim", work, items::unclaim),
        post("/api/v1/work-items/{id}/return", work, items::send_back),
        post(
            "/api/v1/work-items/{id}/correction",
            work,
            items::correction,
        ),
        post(
            "/api/v1/work-items/{id}/resubmission",
            work,
            items::resubmission,
        ),
        post("/api/v1/work-items/{id}/comment", work, items::comment),
        post("/api/v1/work-items/{id}/transfer", work, handing::transfer),
        post(
            "/api/v1/work-items/{id}/delegation",
            work,
            handing::delegation,
        ),
        post("/api/v1/work-items/{id}/signers", work, handing::signer),
        post(
            "/api/v1/work-items/{id}/signers/removal",
            work,
            handing::signer_gone,
        ),
        post("/api/v1/work-items/{id}/urge", work, items::urge),
        post(
            "/api/v1/work-items/{id}/withdrawal",
            work,
            items::withdrawal,
        ),
    ]
}

/// Events, registers, notices, and the mailbox of the demonstration.
fn data_routes() -> Vec<Route> {
    use Access::Key;
    use api::{events, mailbox, notices, registers};
    vec![
        post("/api/v1/events", Key(Scope::Events), events::receive),
        get(
            "/api/v1/registers/{name}/records",
            Key(Scope::Registers),
            registers::records,
        ),
        get("/api/v1/notices", Key(Scope::View), notices::list),
        get("/api/v1/notices/{id}", Key(Scope::View), notices::show),
        get("/api/v1/mailbox", Key(Scope::View), mailbox::list),
        get("/api/v1/mailbox/{id}", Key(Scope::View), mailbox::show),
    ]
}

/// The application as a service.
pub fn router(app: &App) -> Router {
    let mut router: Router<App> = Router::new();
    for route in routes() {
        let mut handler = route.handler;
        if matches!(route.access, Access::Key(_)) {
            let known = api::document::query_names(route.method.as_str(), route.path);
            let known: Arc<BTreeSet<String>> = Arc::new(known);
            handler = handler.layer(from_fn_with_state(known, refuse_unknown));
        }
        let guarded = handler.layer(from_fn_with_state((app.clone(), route.access), authorise));
        router = router.route(route.path, guarded);
    }
    let secure = app.site.secure;
    router
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async {
            Problem::of_status(StatusCode::METHOD_NOT_ALLOWED)
        })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            Duration::from_secs(app.limits.request_seconds),
        ))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(app.limits.body_bytes))
        .layer(from_fn_with_state(app.clone(), refuse_large))
        .layer(from_fn(refuse_nul))
        .layer(from_fn_with_state(app.clone(), word))
        .layer(from_fn_with_state(app.clone(), identity::visit))
        .layer(from_fn(move |request, next| {
            add_headers(secure, request, next)
        }))
        .layer(from_fn_with_state(app.clone(), count))
        .with_state(app.clone())
}

/// The most of a refused body that is read and thrown away.
const SWALLOWED_BYTES: usize = 64 << 20;

/// A client that is still sending when the connection closes never sees why: what is too large by
/// its own word is read to its end first, and kept nowhere.
async fn refuse_large(State(app): State<App>, request: Request, next: Next) -> Response {
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let length = length
        .and_then(|length| length.parse::<usize>().ok())
        .unwrap_or(0);
    if length <= app.limits.body_bytes {
        return next.run(request).await;
    }
    if length <= SWALLOWED_BYTES {
        let mut body = request.into_body();
        let swallow = async {
            while let Some(Ok(_)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
            {
            }
        };
        let patience = Duration::from_secs(app.limits.request_seconds);
        if tokio::time::timeout(patience, swallow).await.is_err() {
            return Problem::of_status(StatusCode::REQUEST_TIMEOUT).into_response();
        }
    }
    Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE).into_response()
}

/// What a query says and no operation reads was meant to do something: it is refused, never ignored.
async fn refuse_unknown(
    State(known): State<Arc<BTreeSet<String>>>,
    request: Request,
    next: Next,
) -> Response {
    let named = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
    let Ok(Query(named)) = named else {
        return Problem::malformed("the query cannot be read").into_response();
    };
    match named.iter().find(|(name, _)| !known.contains(name)) {
        None => next.run(request).await,
        Some((name, _)) => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let expected = match known.as_slice() {
                [] => "nothing".to_owned(),
                known => known.join(", "),
            };
            let detail = format!("the query: expected {expected}, found `{name}`");
            Problem::malformed(detail).into_response()
        }
    }
}

/// No name and no id has a NUL; one database takes it as a text, the other does not.
async fn refuse_nul(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().contains("%00") {
        return Problem::not_found().into_response();
    }
    if uri.query().is_some_and(|query| query.contains("%00")) {
        return Problem::malformed("the query has a NUL character").into_response();
    }
    next.run(request).await
}

/// The last resort: a handler that panicked answers like any other failure inside.
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    Problem::internal(text).into_response()
}

/// Words every failure: as a problem for machines, as a page for people.
async fn word(State(app): State<App>, request: Request, next: Next) -> Response {
    let visitor = request.extensions().get::<Visitor>().cloned();
    let machine = is_machine(request.uri().path());
    let response = next.run(request).await;
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let problem = response.extensions().get::<Problem>().cloned();
    if problem.is_none() && response.extensions().get::<Worded>().is_some() {
        return response;
    }
    let known = problem.is_some();
    let problem = problem.unwrap_or_else(|| Problem::of_status(response.status()));
    match visitor {
        Some(visitor) if !machine => console::failure::page(&app, &visitor, &problem),
        _ if known => response,
        _ => {
            let allow = response.headers().get(axum::http::header::ALLOW).cloned();
            let mut worded = problem.into_response();
            if let Some(allow) = allow {
                worded
                    .headers_mut()
                    .insert(axum::http::header::ALLOW, allow);
            }
            worded
        }
    }
}

/// Counts answers and writes one line of log for each.
async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    // The token of a link is a secret, and so may be what a query says: only the first step is logged.
    let area = request
        .uri()
        .path()
        .split('/')
        .take(4)
        .filter(|step| step.len() <= 24)
        .collect::<Vec<_>>()
        .join("/");
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    app.counters.answered(status);
    tracing::debug!(%method, area, status, duration_ms = started.elapsed().as_millis() as u64, "answered");
    response
}
