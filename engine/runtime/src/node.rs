//! A node: what one process knows and keeps, shared by all of its jobs.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indexmap::IndexMap;
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tongban_expr::sandbox::Evaluator;
use tongban_expr::{Parameters, Value, value};
use tongban_org::Organisation;
use tongban_plugin::{Calendar, Failure, HttpPort, MailTransport, Ports, Secrets, Templates};
use tongban_store::{Change, Committer, Outcome, Store, StoreError};

use crate::bundles::{Bundles, Means, Ready};
use crate::cache::{CACHE_BYTES, Cache};
use crate::clock::Clock;
use crate::error::RuntimeError;
use crate::functions::Functions;
use crate::ids::Ids;
use crate::lane::{Class, Lanes};
use crate::link::LinkKeys;
use crate::out::Handed;
use crate::records::StoredRecords;
use crate::settings::{Parts, Settings};
use crate::sink::Rest;
use crate::state::State;
use crate::threads::Threads;
use crate::wanted::Wanted;
use crate::words::BundleWords;

/// A state in the cache, with the version that it has in the database.
pub struct Kept {
    /// The version.
    pub version: i64,
    /// The state.
    pub state: Arc<State>,
}

/// How changes reach the database.
pub enum Door {
    /// Each by itself, at once: the simulator, `run`, `test`.
    Direct,
    /// Through the committers' queue, many at a time.
    Queue(Committer),
}

/// Dated parameters as one case sees them.
pub struct Dated {
    /// As of the case's start.
    pub values: Value,
    /// All of them, for rule files.
    pub all: Option<Arc<Parameters>>,
}

/// What is published besides bundles, by pack.
#[derive(Default)]
pub struct PackFacts {
    /// Dated parameters by pack.
    pub parameters: IndexMap<String, Arc<Parameters>>,
    /// What "no record" means, by register.
    pub sources_none: Value,
}

/// One process's share of the work.
pub struct Node {
    /// The database.
    pub store: Store,
    /// The way of changes into it.
    pub door: Door,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and chance.
    pub ids: Arc<dyn Ids>,
    /// What `call` may name.
    pub functions: Functions,
    /// How the node behaves.
    pub settings: Settings,
    /// Published workflows.
    pub bundles: Bundles,
    /// What waits for an instance.
    pub lanes: Lanes,
    /// `$runtime`.
    pub descriptor: Value,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) transport: Option<Arc<dyn MailTransport>>,
    pub(crate) link_keys: LinkKeys,
    /// Who evaluates scripts of packs that came through the API.
    pub(crate) sandbox: Option<Arc<dyn Evaluator>>,
    pub(crate) threads: Option<Threads>,
    pub(crate) handed: Mutex<VecDeque<Handed>>,
    /// Rung whenever something is handed to a job of this node.
    pub(crate) bell: Notify,
    pub(crate) mail_bell: Notify,
    pub(crate) event_bell: Notify,
    pub(crate) due_bell: Notify,
    /// Acts in flight by connector.
    pub(crate) flying: Mutex<HashMap<String, usize>>,
    pub(crate) paused_connectors: Mutex<BTreeSet<String>>,
    pub(crate) lifecycle: RwLock<Arc<Wanted>>,
    pub(crate) sink_rest: Mutex<Rest>,
    pub(crate) http: Arc<dyn HttpPort>,
    records: Arc<StoredRecords>,
    organisation: RwLock<Arc<Organisation>>,
    cache: Mutex<Cache<Kept>>,
    packs: RwLock<Arc<PackFacts>>,
    dated: Mutex<HashMap<(String, String), Value>>,
    /// The running instance at which the watchdog stopped looking.
    pub(crate) looked_to: Mutex<String>,
    stopping: AtomicBool,
    pub(crate) serving: AtomicBool,
}

impl Node {
    /// Puts a node together; `threads` run its activations, or whoever asks does.
    pub fn new(parts: Parts, door: Door, threads: Option<Threads>) -> Node {
        let functions = Functions::new(&parts.plugins);
        let descriptor =
            value!({ "name": "tongban", "version": (env!("CARGO_PKG_VERSION")), "metadata": {} });
        Node {
            records: Arc::new(StoredRecords::new(
                parts.store.clone(),
                Arc::clone(&parts.clock),
                parts.sandbox.clone(),
            )),
            store: parts.store,
            door,
            clock: parts.clock,
            ids: parts.ids,
            functions,
            bundles: Bundles::default(),
            lanes: Lanes::default(),
            descriptor,
            secrets: parts.secrets,
            transport: parts.transport,
            link_keys: parts.link_keys,
            sandbox: parts.sandbox,
            threads,
            handed: Mutex::default(),
            bell: Notify::new(),
            mail_bell: Notify::new(),
            event_bell: Notify::new(),
            due_bell: Notify::new(),
            flying: Mutex::default(),
            paused_connectors: Mutex::default(),
            lifecycle: RwLock::new(Arc::new(Wanted::of_site(parts.settings.lifecycle))),
            sink_rest: Mutex::default(),
            http: parts.http,
            settings: parts.settings,
            organisation: RwLock::new(Arc::new(parts.organisation)),
            cache: Mutex::new(Cache::bounded(CACHE_BYTES)),
            packs: RwLock::default(),
            dated: Mutex::default(),
            looked_to: Mutex::default(),
            stopping: AtomicBool::new(false),
            serving: AtomicBool::new(false),
        }
    }

    /// The organisation as it is now.
    pub fn organisation(&self) -> Arc<Organisation> {
        Arc::clone(&self.organisation.read())
    }

    pub(crate) fn put_organisation(&self, organisation: Organisation) {
        *self.organisation.write() = Arc::new(organisation);
    }

    /// The registers.
    pub fn records(&self) -> &StoredRecords {
        &self.records
    }

    /// The entry of the allow-list by which a unit reaches a URI.
    pub(crate) fn connector(&self, unit: Option<&str>, uri: &str) -> Option<String> {
        self.http.connector(unit, uri)
    }

    /// What bundles are made ready with here.
    pub(crate) fn means(&self) -> Means<'_> {
        Means {
            functions: &self.functions,
            sandbox: self.sandbox.clone(),
        }
    }

    /// Everything that a function may reach, from the bundle of its case.
    pub fn ports(&self, ready: &Arc<Ready>) -> Ports {
        Ports {
            records: Arc::clone(&self.records) as _,
            directory: self.organisation(),
            http: Arc::clone(&self.http),
            calendar: Arc::new(SiteCalendar {
                organisation: self.organisation(),
            }),
            templates: Arc::new(BundleTemplates {
                ready: Arc::clone(ready),
                organisation: self.organisation(),
                zone: self.settings.zone.clone(),
            }),
        }
    }

    /// Hands an activation's change to the database: at once and here when nobody is before it. Activations run to
    /// their end on threads of their own, so that nothing is broken off in the middle.
    pub(crate) async fn commit_here(
        &self,
        class: Class,
        change: Change,
    ) -> Result<Outcome, StoreError> {
        match &self.door {
            Door::Queue(committer) if self.serving.load(Ordering::Acquire) => {
                committer.commit_now(class.priority(), change).await
            }
            _ => self.commit(class, change).await,
        }
    }

    /// Hands a change to the database and waits until its outcome is known.
    pub async fn commit(&self, class: Class, change: Change) -> Result<Outcome, StoreError> {
        match &self.door {
            Door::Direct => self.store.commit_one(change).await,
            // Before the node is served nobody empties the queue.
            Door::Queue(_) if !self.serving.load(Ordering::Acquire) => {
                self.store.commit_one(change).await
            }
            Door::Queue(committer) => committer.submit(class.priority(), change).await,
        }
    }

    /// The page of a case.
    pub fn case_url(&self, instance: &str) -> String {
        format!("{}/cases/{instance}", self.settings.base_url)
    }

    /// The site's local date of an instant, `2026-03-02`.
    pub fn local_date(&self, at_ms: i64) -> String {
        self.date_at(at_ms).to_string()
    }

    pub(crate) fn date_at(&self, at_ms: i64) -> jiff::civil::Date {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(self.settings.zone.clone()).date()
    }

    /// Dated parameters of a pack as of a local date.
    pub fn parameters_of(&self, pack: &str, date: &str) -> Dated {
        let Some(all) = self.packs.read().parameters.get(pack).cloned() else {
            return Dated {
                values: Value::Null,
                all: None,
            };
        };
        let key = (pack.to_owned(), date.to_owned());
        let mut dated = self.dated.lock();
        if dated.len() > 1_000 {
            dated.clear();
        }
        let values = dated.entry(key).or_insert_with(|| all.as_of(date)).clone();
        Dated {
            values,
            all: Some(all),
        }
    }

    /// What "no record" means, by register.
    pub fn sources_none(&self) -> Value {
        self.packs.read().sources_none.clone()
    }

    pub(crate) fn put_packs(&self, facts: PackFacts) {
        *self.packs.write() = Arc::new(facts);
        self.dated.lock().clear();
        self.records.forget_definitions();
        self.bundles.forget_pointers();
    }

    pub(crate) fn cached(&self, instance: &str) -> Option<Arc<Kept>> {
        self.cache.lock().get(instance)
    }

    pub(crate) fn keep(&self, instance: &str, version: i64, state: Arc<State>, bytes: usize) {
        // A decoded state is many small pieces and much heavier than its text; a large value is fewer.
        self.cache.lock().put(
            instance,
            Arc::new(Kept { version, state }),
            bytes * 6 + 4_096,
        );
    }

    pub(crate) fn forget(&self, instance: &str) {
        self.cache.lock().forget(instance);
    }

    /// Forgets all states: the database went away for long, or a test wants every load to be real.
    pub fn forget_all(&self) {
        self.cache.lock().clear();
    }

    pub(crate) fn hand(&self, handed: Vec<Handed>) {
        let mut own = false;
        {
            let mut queue = self.handed.lock();
            for one in handed {
                match one {
                    Handed::Soon => self.due_bell.notify_waiters(),
                    Handed::Mails => self.mail_bell.notify_one(),
                    Handed::Events | Handed::Listeners => self.event_bell.notify_one(),
                    other => {
                        own = true;
                        queue.push_back(other);
                    }
                }
            }
        }
        if own {
            self.bell.notify_one();
        }
    }

    /// Takes no new work any more; what is being done is finished.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether the node is being stopped.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn refuse_when_full(&self) -> Result<(), RuntimeError> {
        let queue_full = match &self.door {
            Door::Queue(committer) => committer.pressure().is_full(),
            Door::Direct => false,
        };
        let full = queue_full || self.lanes.len() > self.settings.lanes_max;
        if full || self.is_stopping() || self.clock.is_lost() {
            return Err(RuntimeError::Busy {
                retry_after_s: if full { 2 } else { 5 },
            });
        }
        Ok(())
    }

    pub(crate) async fn instance_by_number(
        &self,
        number: &str,
    ) -> Result<Option<String>, RuntimeError> {
        if number.is_empty() {
            return Ok(None);
        }
        Ok(self
            .store
            .instance_by_number(number)
            .await?
            .map(|row| row.id))
    }

    pub(crate) async fn children_of(&self, instance: &str) -> Result<Vec<String>, RuntimeError> {
        let mut children: Vec<String> = Vec::new();
        loop {
            let after = children.last().cloned().unwrap_or_default();
            let page = self
                .store
                .instance_children(instance, &after, 1_000)
                .await?;
            if page.is_empty() {
                return Ok(children);
            }
            children.extend(page.into_iter().map(|row| row.id));
        }
    }

    pub(crate) async fn blob(&self, instance: &str, digest: &str) -> Result<Value, RuntimeError> {
        let row = self.store.blobs(instance, &[digest]).await?.pop();
        let row =
            row.ok_or_else(|| RuntimeError::Internal(format!("the blob {digest} is not there")))?;
        Value::from_json_within(&row.body, tongban_expr::CARRIED_MAX)
            .map_err(|error| RuntimeError::Internal(format!("the blob {digest}: {error}")))
    }
}

/// The working calendar of the site.
struct SiteCalendar {
    organisation: Arc<Organisation>,
}

impl Calendar for SiteCalendar {
    fn end_of_day_ms(&self, date: &str) -> Option<i64> {
        Some(
            self.organisation
                .calendar(None)
                .day_end_ms(date.parse().ok()?),
        )
    }

    fn date(&self, at_ms: i64) -> String {
        self.organisation.calendar(None).date_of(at_ms).to_string()
    }
}

/// The templates of a bundle.
struct BundleTemplates {
    ready: Arc<Ready>,
    organisation: Arc<Organisation>,
    zone: jiff::tz::TimeZone,
}

impl Templates for BundleTemplates {
    fn render(&self, template: &str, language: &str, data: &Value) -> Result<String, Failure> {
        let source = self.ready.template(template, language).ok_or_else(|| {
            Failure::expression(format!("the bundle has no template `{template}`"))
        })?;
        let words = BundleWords::new(
            Arc::clone(&self.ready),
            Arc::clone(&self.organisation),
            self.zone.clone(),
            language,
        );
        let rendered = crate::render::render(&source, data, Arc::new(words))
            .map_err(|error| Failure::expression(error.to_string()))?;
        Ok(rendered.text)
    }

    fn file(&self, path: &str) -> Option<Arc<str>> {
        self.ready.bundle.files.get(path).cloned()
    }
}
