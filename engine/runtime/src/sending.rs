//! Sending events to the site's sink: each at least once, in order, by one node at a time.

use std::sync::Arc;

use tongban_expr::Value;
use tongban_plugin::{Failure, HttpRequest};
use tongban_store::{Change, Event, EventRouted, KeyGone, KeyRow, Outcome};

use crate::error::RuntimeError;
use crate::lane::Class;
use crate::node::Node;
use crate::sink::{Rest, Sink};

/// How many events one round sends.
const PAGE: i64 = 100;
/// How long a node has the sink for itself.
const LEASE_MS: i64 = 60_000;
/// The first pause after a failure; each further one is twice as long, up to the last.
const PAUSE_MS: i64 = 1_000;
const PAUSE_MAX_MS: i64 = 60_000;

impl Node {
    /// Sends what waits for the sink; true when there may be more.
    pub(crate) async fn send_to_sink(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let Some(sink) = self.settings.sink.clone() else {
            return Ok(false);
        };
        if self.sink_rest.lock().until_ms > self.clock.now_ms() {
            return Ok(false);
        }
        let events = self.store.events_unsent(PAGE).await?;
        if events.is_empty() || !self.take_sink().await? {
            return Ok(false);
        }
        // Read again: another node may have sent them before it gave the sink up.
        let events = self.store.events_unsent(PAGE).await?;
        let until_ms = self.clock.now_ms() + LEASE_MS / 2;
        let mut change = Change::without_instance(self.clock.now_ms());
        let mut all = true;
        for event in &events {
            if let Err(failure) = self.send_event(&sink, event).await {
                self.rest_from_sink(&failure);
                all = false;
                break;
            }
            *self.sink_rest.lock() = Rest::default();
            change.add(EventRouted {
                seq: event.seq,
                routed: 1,
                cursor: None,
            });
            if self.clock.now_ms() > until_ms {
                break;
            }
        }
        change.add(KeyGone {
            scope: "sink".to_owned(),
            value: "lease".to_owned(),
        });
        self.expect_committed(change).await?;
        Ok(all && !events.is_empty())
    }

    async fn take_sink(&self) -> Result<bool, RuntimeError> {
        let now_ms = self.clock.now_ms();
        let mut change = Change::without_instance(now_ms);
        change.keys.push(KeyRow {
            scope: "sink".to_owned(),
            value: "lease".to_owned(),
            digest: self.settings.node.clone(),
            instance_id: None,
            answer: None,
            expires_at_ms: Some(now_ms + LEASE_MS),
        });
        let outcome = self.commit(Class::Background, change).await?;
        Ok(matches!(outcome, Outcome::Committed { .. }))
    }

    async fn send_event(&self, sink: &Sink, event: &Event) -> Result<(), Failure> {
        let mut headers = vec![(
            "content-type".to_owned(),
            "application/cloudevents+json; charset=utf-8".to_owned(),
        )];
        if let Some(name) = &sink.secret {
            let token = self.secrets.reveal(name);
            let token = token.as_ref().and_then(Value::as_str).ok_or_else(|| {
                Failure::authorization(format!("the secret `{name}` of the sink is no text here"))
            })?;
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let response = self
            .http
            .send(HttpRequest {
                unit: None,
                method: "POST".to_owned(),
                uri: sink.uri.clone(),
                headers,
                body: sink.body(event).into_bytes(),
                ..HttpRequest::default()
            })
            .await?;
        if (200..300).contains(&response.status) {
            return Ok(());
        }
        Err(
            Failure::communication(format!("the sink answered {}", response.status))
                .with_status(response.status),
        )
    }

    fn rest_from_sink(&self, failure: &Failure) {
        let mut rest = self.sink_rest.lock();
        rest.failures = rest.failures.saturating_add(1);
        let pause_ms = PAUSE_MS << rest.failures.min(16).saturating_sub(1);
        rest.until_ms = self.clock.now_ms() + pause_ms.min(PAUSE_MAX_MS);
        tracing::warn!(failures = rest.failures, %failure, "the sink takes no events; they wait");
    }
}
