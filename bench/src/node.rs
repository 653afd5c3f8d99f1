//! A node on a fresh database with the workflows of the workloads published.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use tongban_expr::Value;
use tongban_org::{Organisation, OrganisationFile};
use tongban_runtime::pack::{Bundle, Publication};
use tongban_runtime::{Caller, Parts, RandomIds, Runtime, Settings, Start, Started, SystemClock};
use tongban_store::{Options, Store};
use tongban_work::{Act, Channel, What};

/// Five steps that add one.
const FIVE: &str = include_str!("../workflows/five.yaml");
/// A step, a person, a step.
const APPROVAL: &str = include_str!("../workflows/approval.yaml");

/// The person who decides.
pub const OFFICER: &str = "officer";

/// The node and its database.
pub struct Bench {
    /// The engine.
    pub runtime: Runtime,
    /// The database.
    pub store: Store,
    folder: Option<tempfile::TempDir>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Bench {
    /// Opens the database and begins to serve.
    pub async fn open(database: &str) -> anyhow::Result<Bench> {
        let folder = if database == "sqlite" {
            Some(tempfile::tempdir()?)
        } else {
            None
        };
        let url = match &folder {
            Some(folder) => format!("sqlite://{}", folder.path().join("bench.db").display()),
            None => database.to_string(),
        };
        let store = Store::open(&Options::new(url)).await?;
        let mut parts = Parts::plain(
            store.clone(),
            Arc::new(SystemClock::new()),
            Arc::new(RandomIds),
        );
        parts.organisation = organisation()?;
        parts.settings = Settings {
            node: "bench".to_string(),
            ..Settings::default()
        };
        let runtime = Runtime::served(parts, 2).await?;
        for source in [FIVE, APPROVAL] {
            runtime
                .publish(&Publication::of_bundle(bundle(source)?), "bench")
                .await?;
        }
        let (stop, mut stopped) = tokio::sync::watch::channel(false);
        let serving = runtime.clone();
        tokio::spawn(async move {
            let _ = serving
                .serve(async move {
                    let _ = stopped.changed().await;
                })
                .await;
        });
        Ok(Bench {
            runtime,
            store,
            folder,
            stop,
        })
    }

    /// Stops serving.
    pub async fn close(&self) {
        let _ = self.stop.send(true);
        self.store.close().await;
    }

    /// Starts an instance.
    pub async fn start(&self, workflow: &str) -> anyhow::Result<Started> {
        let start = Start {
            workflow: workflow.to_string(),
            version: None,
            input: Value::object([("n", Value::from(0))]),
            caller: Caller::system(),
            idempotency_key: None,
            link: None,
        };
        Ok(self.runtime.start(start).await?)
    }

    /// Approves the first work item of an instance.
    pub async fn approve(&self, instance: &str) -> anyhow::Result<()> {
        let what = What::Decide {
            outcome: "approved".to_string(),
            comment: None,
            reason: None,
            change: Value::Null,
            statement: None,
            signature: None,
        };
        let who = OFFICER.to_string();
        let act = Act {
            n: 1,
            round: None,
            who: who.clone(),
            for_whom: None,
            channel: Channel::Api,
            seen_digest: None,
            what,
        };
        self.runtime
            .act(instance, act, Caller::person(who, None, Channel::Api))
            .await?;
        Ok(())
    }

    /// Bytes of the database file; `None` on PostgreSQL, whose size `psql` tells.
    pub fn file_bytes(&self) -> Option<u64> {
        let folder = self.folder.as_ref()?.path();
        let sizes = std::fs::read_dir(folder)
            .ok()?
            .filter_map(|entry| entry.ok()?.metadata().ok());
        Some(sizes.map(|metadata| metadata.len()).sum())
    }
}

fn organisation() -> anyhow::Result<Organisation> {
    let file: OrganisationFile = serde_json::from_value(serde_json::json!({
        "levels": [{ "id": "city", "title": "City" }],
        "units": [{ "id": "city", "name": "City", "level": "city" }],
        "people": [{ "id": OFFICER, "name": "Officer", "unit": "city", "roles": ["officer"] }],
    }))?;
    Organisation::build(&file, &[]).map_err(|faults| anyhow::anyhow!("{faults:?}"))
}

fn bundle(source: &str) -> anyhow::Result<Bundle> {
    let definition = tongban_dsl::parse(source)
        .definition
        .context("the workloads' documents are valid")?;
    let path = "workflow.yaml".to_string();
    let files = BTreeMap::from([(path.clone(), Arc::from(source))]);
    Ok(Bundle::new(
        &definition.reference(),
        &definition.document.version.value,
        &path,
        files,
    ))
}

/// Resident memory of this process in megabytes.
pub fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    let kilobytes: f64 = line
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .unwrap_or(0.0);
    kilobytes / 1024.0
}
