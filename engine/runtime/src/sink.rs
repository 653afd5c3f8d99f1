//! The site's sink: which events leave for another system, and what of them.

use tongban_expr::Value;
use tongban_store::Event;

use crate::wanted::FAMILY;

/// Where events go beside listeners here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// An address that the connectors of all departments allow; events are posted there one by one in structured mode.
    pub uri: String,
    /// The secret that is sent as a bearer's token.
    pub secret: Option<String>,
    /// Events that cases emit go there too.
    pub emitted: bool,
    /// Outputs of workflows and tasks go along.
    pub outputs: bool,
    /// How long an event waits for a sink that cannot be reached.
    pub keep_ms: i64,
}

/// When the sink is tried again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rest {
    pub failures: u32,
    pub until_ms: i64,
}

impl Sink {
    /// Whether an event of this type goes there.
    pub(crate) fn takes(&self, event_type: &str) -> bool {
        self.emitted || event_type.starts_with(FAMILY)
    }

    /// The event as it leaves.
    pub(crate) fn body(&self, event: &Event) -> String {
        let is_own = event.event_type.starts_with(FAMILY);
        if self.outputs || !is_own {
            return event.body.clone();
        }
        let mut body = Value::from_json(&event.body).unwrap_or(Value::Null);
        if let Some(data) = body.get("data").cloned() {
            let kept = data
                .entries()
                .filter(|(name, _)| name.as_str() != "output")
                .map(|(name, value)| (name.as_str(), value.clone()));
            body.set("data", Value::object(kept));
        }
        body.to_json()
    }
}
