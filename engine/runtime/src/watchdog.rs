//! Sweeping: instances that nothing would ever wake, rows past their time, the database's clock, this node's sign of life.

use std::sync::Arc;

use tongban_core::{Error, ErrorKind, FORMAT};
use tongban_store::{Change, IncidentRow, NodeRow};

use crate::error::RuntimeError;
use crate::lane::Class;
use crate::node::Node;

/// How many rows one statement removes, so that nobody waits long for it.
const SWEEP: i64 = 500;

/// How often a sweep removes so many of one kind before it looks at other things: every commit leaves a token behind
/// that goes after a day.
const SWEEPS: usize = 40;

/// How many running instances one sweep looks at: the next one goes on from there.
const LOOK: i64 = 5_000;

/// A reading of the database's clock that took longer says too little about it.
const READING_MAX_MS: i64 = 5_000;

/// A node that was not seen for so long is forgotten.
const FORGET_MS: i64 = 3_600_000;

/// Links that have expired stay for a while, so that whoever uses one is told why it is no longer good.
const LINKS_KEPT_MS: i64 = 30 * 86_400_000;

/// What somebody began to fill in and left alone for so long is forgotten.
const DRAFTS_KEPT_MS: i64 = 90 * 86_400_000;

impl Node {
    /// Removes what is past its time and looks for instances without a wake-up source; true when there is more to remove.
    pub(crate) async fn sweep(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let now_ms = self.clock.now_ms();
        let store = &self.store;
        let mut more = true;
        for _ in 0..SWEEPS {
            let keys = store.keys_expire(now_ms, SWEEP).await?;
            let events = store.events_expire(now_ms, SWEEP).await?;
            let sessions = store.sessions_expire(now_ms, SWEEP).await?;
            let links_ms = now_ms - LINKS_KEPT_MS;
            let links = store.mail_links_expire(links_ms, SWEEP).await?;
            let drafts = store.drafts_expire(now_ms - DRAFTS_KEPT_MS, SWEEP).await?;
            let most = keys.max(events).max(sessions).max(links).max(drafts);
            // What a full page leaves is gone with the next one.
            more = i64::try_from(most).unwrap_or(0) >= SWEEP;
            if !more {
                break;
            }
        }
        if self.settings.keep_ended_ms.is_some() {
            store.purge(now_ms, 200).await?;
        }
        more |= self.remove_expired_records().await?;
        self.find_stranded().await?;
        Ok(more)
    }

    /// Every running instance has something that will wake it; one without gets an incident.
    pub(crate) async fn find_stranded(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let after = self.looked_to.lock().clone();
        let (stranded, end) = self.store.instances_stranded_among(&after, LOOK).await?;
        *self.looked_to.lock() = end.unwrap_or_default();
        if stranded.is_empty() {
            return Ok(false);
        }
        let now_ms = self.clock.now_ms();
        let mut change = Change::without_instance(now_ms);
        for instance in &stranded {
            tracing::error!(
                instance,
                "a running instance has nothing that would ever wake it"
            );
            change.add(IncidentRow {
                id: format!("stranded:{instance}"),
                instance_id: Some(instance.clone()),
                kind: "stranded".to_owned(),
                error: Error::new(ErrorKind::Runtime, "nothing would ever wake this instance")
                    .to_value()
                    .to_json(),
                at_ms: now_ms,
                closed_by: None,
                closed_at_ms: None,
            });
        }
        self.commit(Class::Background, change).await?;
        Ok(true)
    }

    /// Reads the database's clock and says that this node lives.
    pub(crate) async fn measure_clock(&self) -> Result<bool, RuntimeError> {
        let before_ms = self.clock.now_ms();
        let database_ms = self.store.clock_ms().await?;
        let took_ms = self.clock.now_ms() - before_ms;
        // Half of the way there and back.
        if took_ms <= READING_MAX_MS && !self.clock.measured(database_ms + took_ms / 2) {
            tracing::error!(
                "the clock jumped by more than a minute: this node takes nothing on until the clocks agree again; compare them, or restart it"
            );
        }
        let now_ms = self.clock.now_ms();
        let row = NodeRow {
            id: self.settings.node.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            format_max: i64::from(FORMAT),
            seen_at_ms: now_ms,
        };
        self.store.node_seen(&row, now_ms - FORGET_MS).await?;
        Ok(false)
    }
}
