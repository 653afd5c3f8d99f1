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

use crate::space::{Probe, Space};

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
    probe: tokio::sync::Mutex<Probe>,
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
        let store = Store::open(&Options::new(url.clone())).await?;
        let probe = tokio::sync::Mutex::new(Probe::connect(&url).await?);
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
        let (stop, mut stopped) = tokio::sync::watch::channel(false);
        let serving = runtime.clone();
        tokio::spawn(async move {
            let _ = serving
                .serve(async move {
                    let _ = stopped.changed().await;
                })
                .await;
        });
        // Changes reach the database only while the node serves.
        for source in [FIVE, APPROVAL] {
            runtime
                .publish(&Publication::of_bundle(bundle(source)?), "bench")
                .await?;
        }
        Ok(Bench {
            runtime,
            store,
            probe,
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

    /// What the database holds and has written.
    pub async fn space(&self) -> anyhow::Result<Space> {
        self.probe.lock().await.space().await
    }

    /// The version of the database.
    pub async fn version(&self) -> anyhow::Result<String> {
        self.probe.lock().await.version().await
    }

    /// What `Space::written` counts here.
    pub fn written_word(&self) -> &'static str {
        if self.one_writer() {
            "written to log and file"
        } else {
            "written to the log"
        }
    }

    /// Whether the database has only one writer.
    pub fn one_writer(&self) -> bool {
        self.folder.is_some()
    }
}

fn organisation() -> anyhow::Result<Organisation> {
    let file: OrganisationFile = serde_json::from_value(serde_json::json!({
        "levels": [{ "id": "city", "title": "City" }],
        "units": [{ "id": "city", "name": "City", "level": "city" }],
        "people": [{ "id": OFFICER, "name": "Officer", "unit": "city", "email": "officer@example.org", "roles": ["officer"] }],
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
