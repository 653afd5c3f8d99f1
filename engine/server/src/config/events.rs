//! Which events leave, and where they go.

use serde::Deserialize;
use tongban_runtime::{Level, Sink};

/// Lifecycle events, and the sink of events.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct EventsConfig {
    /// Which lifecycle events are made although nobody here listens to them.
    pub lifecycle: Lifecycle,
    /// Where events go beside listeners here.
    pub sink: Option<SinkConfig>,
}

/// A level of lifecycle events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lifecycle {
    /// None.
    #[default]
    None,
    /// Those of workflows.
    Workflows,
    /// Those of workflows and tasks.
    Tasks,
}

/// Another system that is sent events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SinkConfig {
    /// Its address, which the connectors of all departments (`'*'`) must allow.
    pub uri: String,
    /// The secret that is sent as a bearer's token.
    #[serde(default)]
    pub secret: Option<String>,
    /// Events that cases emit go there too.
    #[serde(default)]
    pub emitted: bool,
    /// Outputs of workflows and tasks go along; they may hold personal data.
    #[serde(default)]
    pub outputs: bool,
    /// Hours that an event waits for a sink that cannot be reached.
    #[serde(default = "keep_hours")]
    pub keep_hours: u32,
}

fn keep_hours() -> u32 {
    24
}

impl EventsConfig {
    /// The level as the engine knows it.
    pub fn level(&self) -> Level {
        match self.lifecycle {
            Lifecycle::None => Level::None,
            Lifecycle::Workflows => Level::Workflows,
            Lifecycle::Tasks => Level::Tasks,
        }
    }

    /// The sink as the engine knows it.
    pub fn sink(&self) -> Option<Sink> {
        self.sink.as_ref().map(|sink| Sink {
            uri: sink.uri.clone(),
            secret: sink.secret.clone(),
            emitted: sink.emitted,
            outputs: sink.outputs,
            keep_ms: i64::from(sink.keep_hours) * 3_600_000,
        })
    }

    pub(super) fn faults(&self, faults: &mut Vec<String>) {
        let Some(sink) = &self.sink else {
            return;
        };
        let rest = sink
            .uri
            .strip_prefix("https://")
            .or_else(|| sink.uri.strip_prefix("http://"));
        if rest.is_none_or(|rest| rest.is_empty() || rest.contains(['@', ' ', '#'])) {
            faults.push(format!(
                "events.sink.uri: expected an absolute address such as https://HOST/events, found `{}`",
                sink.uri
            ));
        }
        if !(1..=720).contains(&sink.keep_hours) {
            faults.push(format!(
                "events.sink.keepHours: expected 1 to 720, found {}",
                sink.keep_hours
            ));
        }
    }
}
