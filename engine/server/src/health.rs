//! Whether the process lives, whether it can work, and how much it has done.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::problem::Problem;

/// The process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers too.
pub async fn ready(State(app): State<App>) -> Response {
    match app.store().clock_ms().await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "not-ready",
                "the database does not answer",
            )
            .into_response()
        }
    }
}

/// Counters of this process and gauges of the database.
pub async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let gauges = app
        .store()
        .gauges(app.now_ms())
        .await
        .map_err(Problem::internal)?;
    let gauges = [
        (
            "tongban_running_instances",
            "Instances that have not ended.",
            gauges.running,
        ),
        (
            "tongban_open_items",
            "Work items that wait for people.",
            gauges.open_items,
        ),
        (
            "tongban_due_wakes",
            "Timers that are due.",
            gauges.due_wakes,
        ),
        (
            "tongban_acts",
            "Acts that leave the machine and are not settled.",
            gauges.acts,
        ),
        (
            "tongban_waiting_mails",
            "Mails that wait to be sent.",
            gauges.mails,
        ),
    ];
    let text = app.counters.render(&gauges);
    Ok((
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response())
}
