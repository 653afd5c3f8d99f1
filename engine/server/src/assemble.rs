//! Puts a site together from its settings: database, organisation, packs, plugins, mail, keys.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tongban_expr::Budget;
use tongban_http::{Connectors, Transport};
use tongban_mail::{Security, Settings as MailSettings, Smtp, Timeouts};
use tongban_org::Organisation;
use tongban_plugin::MailTransport;
use tongban_runtime::node::Node;
use tongban_runtime::pack::{Bundle, Library};
use tongban_runtime::{LinkKeys, Parts, RandomIds, Runtime, RuntimeError, Settings, SystemClock};
use tongban_store::{Options, Store};

use crate::app::{self, App, Site};
use crate::cli::read_packs;
use crate::config::{Config, SmtpConfig, SmtpTls};
use crate::counters::Counters;
use crate::organisation_watch::OrganisationWatch;
use crate::private_files::{SecretFiles, make_folder_of, metrics_token, site_key};
use crate::sandbox::Pool;
use crate::security::attempts::Attempts;
use crate::security::password::Passwords;
use crate::security::secret::SiteKey;
use crate::{functions, site};

/// The jobs of a node while they run.
pub struct Engine {
    stopping: watch::Sender<bool>,
    task: JoinHandle<Result<(), RuntimeError>>,
    store: Store,
}

/// How long the database may take to be closed in good order.
const CLOSE: Duration = Duration::from_secs(2);

impl Engine {
    /// Starts the jobs: from now on changes reach the database, timers fire, mails go out.
    fn start(runtime: &Runtime) -> Self {
        let (stopping, mut stopped) = watch::channel(false);
        let store = runtime.store().clone();
        let runtime = runtime.clone();
        let task = tokio::spawn(async move {
            let stop = async move {
                // The sender going away is a stop too.
                drop(stopped.wait_for(|stop| *stop).await);
            };
            runtime.serve(stop).await
        });
        Self {
            stopping,
            task,
            store,
        }
    }

    /// Ends when the engine ends without being told to, with the reason. Nothing is left to be stopped then.
    pub async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.task).await {
            Ok(Ok(())) => anyhow::anyhow!("the engine ended by itself"),
            Ok(Err(error)) => anyhow::Error::new(error).context("the engine failed"),
            Err(error) => anyhow::Error::new(error).context("the engine ended badly"),
        }
    }

    /// Lets what is being done end, and ends: audit chains are sealed, and SQLite's log is folded into its file.
    ///
    /// # Errors
    /// The engine failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        // Whoever listens has gone when this fails.
        let _ = self.stopping.send(true);
        let ended = self.task.await.context("the engine ended badly")?;
        if tokio::time::timeout(CLOSE, self.store.close())
            .await
            .is_err()
        {
            tracing::warn!("the database was not closed in time; the next start reads its log");
        }
        ended.context("the engine failed")
    }
}

/// The application of a site, with its packs published.
///
/// # Errors
/// Whatever is missing or wrong, named with its file or setting.
pub async fn app(config: &Config) -> anyhow::Result<(App, Engine)> {
    let transport = match &config.mail.smtp {
        Some(smtp) => Some(Arc::new(relay(smtp)?) as Arc<dyn MailTransport>),
        None => None,
    };
    app_with(config, transport).await
}

/// The application of a site with a given way of mail.
///
/// # Errors
/// Whatever is missing or wrong, named with its file or setting.
pub async fn app_with(
    config: &Config,
    transport: Option<Arc<dyn MailTransport>>,
) -> anyhow::Result<(App, Engine)> {
    // Another part of the process may have chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    functions::allow(&config.run);
    let metrics_token = metrics_token(config.metrics.token_file.as_deref())?;
    let library = packs(&config.packs)?;
    let store = open_store(config).await?;
    let key = site_key(&config.key_file)?;
    let lineage = Arc::new(OnceLock::new());
    let runtime = runtime(config, store, &library, &key, transport, &lineage).await?;
    // Fails only when it was set before, and it is new.
    let _ = lineage.set(Arc::downgrade(runtime.node()));
    // Who is away has an agent before anything runs.
    let watch = OrganisationWatch::new(config, library.clone(), runtime.clone()).await?;
    let engine = Engine::start(&runtime);
    publish(&runtime, &library).await?;
    let zone = TimeZone::get(&config.zone).with_context(|| format!("zone: `{}`", config.zone))?;
    let app = App::new(app::Parts {
        runtime,
        site: Site {
            name: config.name.clone(),
            url: config.url.clone(),
            language: config.language,
            secure: config.secure(),
            demo: config.demo,
            zone,
            metrics_token,
            proxies: config.proxies.clone().into(),
        },
        key,
        passwords: Passwords::new(std::thread::available_parallelism().map_or(2, usize::from)),
        attempts: Attempts::default(),
        counters: Counters::default(),
        limits: config.limits,
        organisation_watch: watch.into(),
        executable: config.executable.clone(),
    });
    tokio::spawn(OrganisationWatch::run(app.clone()));
    Ok((app, engine))
}

/// Opens the database of a site for a short change from the command line: a server may have it open.
///
/// # Errors
/// The database cannot be opened.
pub async fn open_store_beside(config: &Config) -> anyhow::Result<Store> {
    open(config, true).await
}

/// Opens the database of a site; the folder of an SQLite file is made.
///
/// # Errors
/// The database cannot be opened.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    open(config, false).await
}

async fn open(config: &Config, beside: bool) -> anyhow::Result<Store> {
    if let Some(path) = config.database_file() {
        make_folder_of(path)?;
    }
    let mut options = Options::new(config.database.clone());
    options.node = config.node.clone();
    options.beside = beside;
    Store::open(&options).await.context("database")
}

/// Reads the packs of a folder, each checked.
///
/// # Errors
/// A pack cannot be read.
pub fn packs(folder: &Path) -> anyhow::Result<Library> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("packs: cannot read the folder `{}`", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join("pack.yaml").is_file())
        .collect();
    folders.sort();
    let (library, read) = read_packs(&folders)?;
    let mut faults = Vec::new();
    for pack in read {
        let errors = pack
            .diagnostics
            .iter()
            .filter(|found| found.diagnostic.is_error());
        faults
            .extend(errors.map(|found| {
                format!("{}/{}: {}", pack.name, found.file, found.diagnostic.message)
            }));
    }
    if !faults.is_empty() {
        bail!(
            "packs have errors (`tongban check {}` shows their places):\n{}",
            folder.display(),
            faults.join("\n")
        );
    }
    Ok(library)
}

async fn runtime(
    config: &Config,
    store: Store,
    library: &Library,
    key: &SiteKey,
    transport: Option<Arc<dyn MailTransport>>,
    lineage: &Arc<OnceLock<Weak<Node>>>,
) -> anyhow::Result<Runtime> {
    let organisation = site::organisation_of(&config.organisation, &config.calendars, library)?;
    let transport_http = Transport::new(connectors(&config.connectors)?);
    // The node is made with it; by the first call it is there, with the organisation as it is then.
    let node = Arc::clone(lineage);
    let http =
        Arc::new(transport_http.with_lineage(
            move |unit| match node.get().and_then(Weak::upgrade) {
                Some(node) => units_upwards(&node.organisation(), unit),
                None => vec![unit.to_owned()],
            },
        ));
    let link_key = blake3::derive_key("tongban 2026 decision links of mails", key.bytes());
    let domain = config
        .mail
        .from
        .rsplit_once('@')
        .map_or("localhost", |(_, domain)| domain);
    let settings = Settings {
        node: config.node.clone(),
        base_url: config.url.clone(),
        zone: TimeZone::get(&config.zone)?,
        zone_name: config.zone.clone(),
        mail_from: config.mail.from.clone(),
        mail_domain: domain.to_owned(),
        mail_pause_ms: i64::try_from(config.mail.retry_seconds).unwrap_or(30) * 1_000,
        mail_attempts: config.mail.attempts,
        lifecycle: config.events.level(),
        keep_ended_ms: config
            .keep_ended_days
            .map(|days| i64::from(days) * 86_400_000),
        sink: config.events.sink(),
        budget: timed(),
        ..Settings::default()
    };
    let parts = Parts {
        store,
        clock: Arc::new(SystemClock::new()),
        ids: Arc::new(RandomIds),
        plugins: functions::plugins(http.clone()),
        http,
        secrets: Arc::new(SecretFiles {
            folder: config.secrets.clone(),
        }),
        transport,
        link_keys: LinkKeys::new(vec![link_key]),
        organisation: Arc::unwrap_or_clone(organisation),
        sandbox: Some(Arc::new(Pool::new(config.executable.clone()))),
        settings,
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    Runtime::served(parts, threads)
        .await
        .context("the engine cannot start")
}

/// The bounds of one evaluation here: however slow the machine, it holds its thread for no longer than this.
fn timed() -> Budget {
    const EVALUATION_MS: u64 = 5_000;
    let began = Instant::now();
    Budget::default().with_time(EVALUATION_MS, move || {
        u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
    })
}

/// A unit and all above it: the connectors of a department count for its offices too.
fn units_upwards(organisation: &Organisation, unit: &str) -> Vec<String> {
    let mut units = vec![unit.to_owned()];
    if let Some(found) = organisation.unit(unit) {
        units.extend(found.ancestors.iter().cloned());
    }
    units
}

/// Publishes every pack; the same files again change nothing. What is new or changed must check without errors: what the
/// engine does not carry out is refused here as it is by `tongban check`, and never found out by a case.
async fn publish(runtime: &Runtime, library: &Library) -> anyhow::Result<()> {
    let published = runtime.workflows().await.context("workflows")?;
    let current: HashSet<String> = published.into_iter().map(|view| view.digest).collect();
    let functions = functions::all();
    for pack in library.packs() {
        let publication = library.publication(pack);
        let is_new = |bundle: &Bundle| !current.contains(&bundle.digest);
        if publication.bundles.iter().any(is_new) {
            let found = library.check(pack, &functions).into_iter();
            let errors = found.filter(|found| found.diagnostic.is_error());
            let told: Vec<String> = errors
                .map(|found| format!("{}: {}", found.file, found.diagnostic.message))
                .collect();
            if !told.is_empty() {
                bail!(
                    "pack `{}` has errors (`tongban check` shows their places):\n{}",
                    pack.name(),
                    told.join("\n")
                );
            }
        }
        let published = runtime
            .publish(&publication, "site")
            .await
            .map_err(|error| anyhow::anyhow!("pack `{}`: {error}", pack.name()))?;
        for one in published.iter().filter(|one| !one.already) {
            tracing::info!(workflow = %one.workflow, version = %one.version, "published");
        }
    }
    Ok(())
}

fn connectors(path: &Path) -> anyhow::Result<Connectors> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Connectors::default());
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("connectors: cannot read `{}`", path.display()));
        }
    };
    let connectors: Connectors =
        serde_path_to_error::deserialize(serde_yaml::Deserializer::from_str(&text)).map_err(
            |error| anyhow::anyhow!("{}: `{}`: {}", path.display(), error.path(), error.inner()),
        )?;
    let faults = connectors.faults();
    if !faults.is_empty() {
        bail!("{}:\n{}", path.display(), faults.join("\n"));
    }
    Ok(connectors)
}

fn relay(smtp: &SmtpConfig) -> anyhow::Result<Smtp> {
    let password = match &smtp.password_file {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| {
                format!("mail.smtp.passwordFile: cannot read `{}`", path.display())
            })?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        None => None,
    };
    let settings = MailSettings {
        host: smtp.host.clone(),
        port: Some(smtp.port),
        security: match smtp.tls {
            SmtpTls::Required => Security::StartTls,
            SmtpTls::Wrapped => Security::Tls,
            SmtpTls::None => Security::None,
        },
        username: smtp.user.clone(),
        password,
        hello: None,
        roots: None,
        connections: 4,
        timeouts: Timeouts::default(),
    };
    Smtp::new(settings).map_err(|faults| anyhow::anyhow!("mail.smtp: {faults}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connectors_of_a_unit_are_its_own_and_those_above() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let nothing = Library::new(Vec::new()).expect("no packs");
        let organisation = site::organisation(&folder, &nothing).expect("it is read");
        let inner = organisation
            .units()
            .find(|unit| unit.ancestors.len() >= 2)
            .expect("a unit within a unit");
        let upwards = units_upwards(&organisation, &inner.id);
        assert_eq!(upwards.first(), Some(&inner.id));
        assert_eq!(upwards.get(1..), Some(&inner.ancestors[..]));
        assert_eq!(units_upwards(&organisation, "unknown"), ["unknown"]);
    }

    fn site_in(folder: &Path) -> Config {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let config = folder.join("config");
        std::fs::create_dir_all(config.join("calendars")).expect("a folder");
        let from = root.join("config/organisation.yaml");
        std::fs::copy(from, config.join("organisation.yaml")).expect("copied");
        for entry in std::fs::read_dir(root.join("config/calendars")).expect("a folder") {
            let entry = entry.expect("a file");
            let to = config.join("calendars").join(entry.file_name());
            std::fs::copy(entry.path(), to).expect("copied");
        }
        std::fs::create_dir_all(folder.join("workflows")).expect("a folder");
        Config {
            database: format!("sqlite://{}", folder.join("tongban.db").display()),
            organisation: config.join("organisation.yaml"),
            calendars: config.join("calendars"),
            packs: folder.join("workflows"),
            connectors: config.join("connectors.yaml"),
            key_file: folder.join("site.key"),
            secrets: folder.join("secrets"),
            ..Config::default()
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_command_line_changes_accounts_beside_a_running_server() {
        use crate::security::account;
        let folder = tempfile::tempdir().expect("a folder");
        let config = site_in(folder.path());
        let (app, engine) = app(&config).await.expect("the site comes up");
        assert!(
            open_store(&config).await.is_err(),
            "one server owns the file"
        );
        let beside = open_store_beside(&config).await.expect("it joins");
        account::set_hash(&beside, "li-na", "hash".to_owned(), 1)
            .await
            .expect("the change is taken");
        let seen = app.store().credential("li-na").await.expect("it is read");
        assert!(seen.is_some(), "the server sees it at once");
        account::set_hash(app.store(), "zhao-min", "hash".to_owned(), 2)
            .await
            .expect("the server goes on writing");
        let seen = beside.credential("zhao-min").await.expect("it is read");
        assert!(seen.is_some());
        engine.stop().await.expect("it stops");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_changed_organisation_takes_effect_and_a_faulty_one_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = site_in(folder.path());
        let (app, engine) = app(&config).await.expect("the site comes up");
        let library = packs(&config.packs).expect("no packs");
        let watch = OrganisationWatch::new(&config, library, app.runtime.clone()).await;
        let mut watch = watch.expect("read");
        assert!(!watch.look().await, "nothing changed");
        let text = std::fs::read_to_string(&config.organisation).expect("it is read");
        let write = |text: &str| std::fs::write(&config.organisation, text).expect("written");
        write(&text.replace("name: 李娜", "name: 李娜娜"));
        assert!(watch.look().await);
        assert_eq!(app.name_of("li-na"), "李娜娜");
        write("people: [");
        assert!(!watch.look().await, "a faulty file changes nothing");
        assert_eq!(app.name_of("li-na"), "李娜娜");
        write(&text);
        assert!(watch.look().await && app.name_of("li-na") == "李娜");
        engine.stop().await.expect("it stops");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_pack_that_asks_for_what_is_not_carried_out_is_not_published() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = site_in(folder.path());
        let pack = config.packs.join("seal");
        std::fs::create_dir_all(pack.join("workflows")).expect("a folder");
        std::fs::write(
            pack.join("pack.yaml"),
            "pack: seal\nversion: 1.0.0\ntitle: { zh-CN: 用印 }\n",
        )
        .expect("written");
        let workflow = "document: { dsl: '1.0.3', namespace: seal, name: use, version: '1.0.0', title: 用印 }\n\
            do:\n  - ask: { metadata: { title: 审批 }, call: approve, with: { to: [applicant], sign: true } }\n";
        std::fs::write(pack.join("workflows/use.yaml"), workflow).expect("written");
        let error = app(&config).await.err().expect("it is refused");
        assert!(error.to_string().contains("signature"), "{error}");
    }
}
