//! Whether the process lives, whether it can work, and how much it has done.

use axum::Extension;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::problem::Problem;
use crate::serve::Peer;

/// The process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers, too, and takes what is written: each node writes its sign of life every ten seconds.
pub async fn ready(State(app): State<App>) -> Response {
    if app.runtime.node().clock.is_lost() {
        return not_ready("the clock jumped");
    }
    match app.store().clock_ms().await {
        Ok(_) if app.store().takes_writes() => "ready\n".into_response(),
        Ok(_) => not_ready("the database takes no writes"),
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            not_ready("the database does not answer")
        }
    }
}

fn not_ready(title: &'static str) -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", title).into_response()
}

/// Lets those read who show the site's token, or, without one, this machine itself.
fn may_read(app: &App, peer: Option<Peer>, headers: &HeaderMap) -> Result<(), Problem> {
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match (&app.site.metrics_token, shown) {
        (Some(token), Some(shown)) if bool::from(token.as_bytes().ct_eq(shown.as_bytes())) => {
            Ok(())
        }
        (Some(_), _) => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "a token is needed",
        )
        .because("send `Authorization: Bearer TOKEN` with the token of metrics.tokenFile")),
        (None, _) => {
            // Whoever comes through a proxy of this machine comes from elsewhere.
            let forwarded =
                headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
            let here = peer.is_none_or(|Peer(peer)| peer.ip().to_canonical().is_loopback());
            if here && !forwarded {
                return Ok(());
            }
            Err(Problem::forbidden(
                "only this machine may read here; set `metrics.tokenFile` for readers elsewhere",
            ))
        }
    }
}

/// Counters of this process and gauges of the database.
pub async fn metrics(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    may_read(&app, peer.map(|Extension(peer)| peer), &headers)?;
    let gauges = app
        .store()
        .gauges(app.now_ms())
        .await
        .map_err(Problem::internal)?;
    let gauges = [
        (
            "tongban_running_instances",
            "Instances that have not ended (counted to 100,000).",
            gauges.running,
        ),
        (
            "tongban_open_items",
            "Work items that wait for people (counted to 100,000).",
            gauges.open_items,
        ),
        (
            "tongban_due_wakes",
            "Timers that are due (counted to 100,000).",
            gauges.due_wakes,
        ),
        (
            "tongban_acts",
            "Acts that leave the machine and are not settled (counted to 100,000).",
            gauges.acts,
        ),
        (
            "tongban_waiting_mails",
            "Mails that wait to be sent (counted to 100,000).",
            gauges.mails,
        ),
        (
            "tongban_waiting_events",
            "Events that are not yet given to their listeners (counted to 100,000).",
            gauges.events,
        ),
        (
            "tongban_open_incidents",
            "Incidents that nobody has closed (counted to 100,000).",
            gauges.incidents,
        ),
    ];
    let text = app.counters.render(&gauges);
    Ok((
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response())
}
