//! Events: taken in, found listeners for, handed to their inboxes. Every step may be repeated after a crash.

use std::sync::Arc;

use tongban_core::Env;
use tongban_expr::{Value, value};
use tongban_store::{
    Change, Event, EventRouted, EventRow, InboxRow, ListenShapeRow, SubscriptionRow,
    SubscriptionSeen,
};

use crate::error::RuntimeError;
use crate::inputs::text;
use crate::lane::Class;
use crate::node::Node;
use crate::request::Received;
use crate::wanted::is_lifecycle;

/// How many listeners or events one page has.
const PAGE: i64 = 200;

impl Node {
    /// Takes in a CloudEvent: durable when this returns.
    pub(crate) async fn take_event(&self, event: &Value) -> Result<Received, RuntimeError> {
        for attribute in ["id", "source", "type"] {
            if text(event, attribute).is_empty() {
                return Err(RuntimeError::Unfit(format!(
                    "expected a CloudEvent with a text `{attribute}`"
                )));
            }
        }
        let now_ms = self.clock.now_ms();
        let row = EventRow {
            source: text(event, "source").to_owned(),
            id: text(event, "id").to_owned(),
            event_type: text(event, "type").to_owned(),
            body: event.to_json(),
            received_at_ms: now_ms,
            expires_at_ms: now_ms + self.settings.event_ttl_ms,
            routed: 0,
            cursor: None,
        };
        let id = row.id.clone();
        let added = self.store.event_add(&row).await?;
        self.event_bell.notify_one();
        Ok(Received {
            id,
            known: added.is_none(),
        })
    }

    /// Routes what is not routed and offers early events to new listeners; true when there was something.
    pub(crate) async fn route_events(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let events = self.store.events_unrouted(0, PAGE).await?;
        let some = !events.is_empty();
        self.refresh_lifecycle(false).await?;
        for event in events {
            self.route(&event).await?;
        }
        Ok(self.offer_early_events().await? || some)
    }

    async fn route(self: &Arc<Self>, event: &Event) -> Result<(), RuntimeError> {
        let body = Value::from_json(&event.body).unwrap_or(Value::Null);
        let mut seen: Vec<(String, String)> = Vec::new();
        for shape in self.store.listen_shapes(&event.event_type).await? {
            // Who listens to everything means everything that happens outside of the runtime.
            if shape.event_type.is_empty() && is_lifecycle(&body) {
                continue;
            }
            let Some(value) = self.value_of(&shape, &body).await else {
                continue;
            };
            // A listener that knows nothing beforehand has an empty value.
            for wanted in [value, String::new()] {
                let key = (shape.shape.clone(), wanted);
                if !seen.contains(&key) {
                    self.tell_listeners(event, &body, &key.0, &key.1).await?;
                    seen.push(key);
                }
            }
        }
        let mut change = Change::without_instance(self.clock.now_ms());
        change.add(EventRouted {
            seq: event.seq,
            routed: self.routed(&event.event_type),
            cursor: None,
        });
        self.commit(Class::Background, change).await?;
        Ok(())
    }

    /// What an event is once its listeners know: done with, or waiting for the sink.
    fn routed(&self, event_type: &str) -> i64 {
        let sink = self.settings.sink.as_ref();
        if sink.is_some_and(|sink| sink.takes(event_type)) {
            2
        } else {
            1
        }
    }

    async fn tell_listeners(
        self: &Arc<Self>,
        event: &Event,
        body: &Value,
        shape: &str,
        value: &str,
    ) -> Result<(), RuntimeError> {
        let mut after = String::new();
        loop {
            let page = self
                .store
                .subscriptions_for(shape, value, &after, PAGE)
                .await?;
            let Some(last) = page.last().map(|row| row.instance_id.clone()) else {
                return Ok(());
            };
            let mut rows = Vec::with_capacity(page.len());
            for row in &page {
                if !self.is_about_itself(body, &row.instance_id).await? {
                    rows.push(self.inbox_row(event, body, row));
                }
            }
            self.tell(rows).await?;
            after = last;
        }
    }

    /// Puts messages into inboxes and hands them to this node's lanes.
    pub(crate) async fn tell(self: &Arc<Self>, rows: Vec<InboxRow>) -> Result<(), RuntimeError> {
        let mut change = Change::without_instance(self.clock.now_ms());
        rows.iter().for_each(|row| change.add(row.clone()));
        self.commit(Class::Background, change).await?;
        self.hand_on(rows).await;
        Ok(())
    }

    /// Hands messages that are durable to this node's lanes.
    async fn hand_on(self: &Arc<Self>, rows: Vec<InboxRow>) {
        for row in rows {
            if let Some((instance, input)) = Node::told(row) {
                self.send(&instance, input).await;
            }
        }
    }

    fn inbox_row(&self, event: &Event, body: &Value, listener: &SubscriptionRow) -> InboxRow {
        let content = value!({
            "runId": (listener.run_id.as_str()), "n": (listener.n), "seq": (event.seq),
            "expires": (event.expires_at_ms), "event": (body.clone())
        });
        InboxRow {
            instance_id: listener.instance_id.clone(),
            id: format!("event:{}:{}.{}", event.seq, listener.run_id, listener.n),
            kind: "event".to_owned(),
            body: content.to_json(),
            ready_at_ms: self.clock.now_ms() + self.settings.lease_ms,
        }
    }

    /// What an event gives under a shape; `None` when it does not fit, or the bundle that declares it cannot be read.
    async fn value_of(&self, shape: &ListenShapeRow, body: &Value) -> Option<String> {
        let ready = match self.bundles.get(self, &shape.bundle).await {
            Ok(ready) => ready,
            Err(error) => {
                tracing::error!(bundle = shape.bundle, %error, "the listeners of a bundle cannot be asked");
                return None;
            }
        };
        let env = Env {
            zone: self.settings.zone.clone(),
            budget: self.settings.budget.clone(),
            ..Env::default()
        };
        let known = ready
            .program
            .shapes()
            .iter()
            .find(|known| known.id == shape.shape)?;
        known.value(body, &env)
    }

    async fn offer_early_events(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let mut after = String::new();
        let mut some = false;
        loop {
            let page = self.store.subscriptions_fresh(&after, PAGE).await?;
            let Some(last) = page.last().map(|row| row.instance_id.clone()) else {
                return Ok(some);
            };
            for listener in page {
                self.offer_early_to(&listener).await?;
                some = true;
            }
            after = last;
        }
    }

    /// Events since the instance started; earlier ones only to a listener that says which it wants.
    async fn offer_early_to(
        self: &Arc<Self>,
        listener: &SubscriptionRow,
    ) -> Result<(), RuntimeError> {
        let now_ms = self.clock.now_ms();
        let started_ms = self
            .store
            .instance_head(&listener.instance_id)
            .await?
            .map_or(now_ms, |head| head.started_at_ms);
        let since_ms = if listener.value.is_empty() {
            started_ms
        } else {
            0
        };
        let mut rows = Vec::new();
        if let Some((shape, event_type)) = self.shape_of(listener).await? {
            let mut after = 0;
            loop {
                let page = self
                    .store
                    .events_of_type(&event_type, after, since_ms, now_ms, PAGE)
                    .await?;
                let Some(last) = page.last().map(|event| event.seq) else {
                    break;
                };
                for event in &page {
                    let body = Value::from_json(&event.body).unwrap_or(Value::Null);
                    let value = self.value_of(&shape, &body).await;
                    let fits = value
                        .is_some_and(|value| listener.value.is_empty() || value == listener.value);
                    if fits && !self.is_about_itself(&body, &listener.instance_id).await? {
                        rows.push(self.inbox_row(event, &body, listener));
                    }
                }
                after = last;
            }
        }
        let mut change = Change::without_instance(now_ms);
        change.add(SubscriptionSeen {
            instance_id: listener.instance_id.clone(),
            run_id: listener.run_id.clone(),
            n: listener.n,
            fresh: 0,
        });
        rows.iter().for_each(|row| change.add(row.clone()));
        // Refused when the listener has gone meanwhile: then nobody wants these events.
        self.commit(Class::Background, change).await?;
        self.hand_on(rows).await;
        Ok(())
    }

    /// The shape of a listener and the type of event that it wants, from the bundle that its instance runs.
    async fn shape_of(
        &self,
        listener: &SubscriptionRow,
    ) -> Result<Option<(ListenShapeRow, String)>, RuntimeError> {
        let Some(head) = self.store.instance_head(&listener.instance_id).await? else {
            return Ok(None);
        };
        let ready = self.bundles.get(self, &head.bundle).await?;
        let known = ready
            .program
            .shapes()
            .iter()
            .find(|shape| shape.id == listener.shape);
        Ok(known.map(|shape| {
            let event_type = shape.event_type.clone().unwrap_or_default();
            let row = ListenShapeRow {
                shape: shape.id.clone(),
                event_type: event_type.clone(),
                bundle: head.bundle.clone(),
                ..ListenShapeRow::default()
            };
            (row, event_type)
        }))
    }
}
