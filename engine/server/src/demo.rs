//! The demonstration: a whole site on the embedded database in a folder of its own, with sample
//! people, registers and packs, that one command brings up.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tongban_mail::Mailbox;

use crate::app::App;
use crate::assemble::Engine;
use crate::config::Config;
use crate::security::account::{self, KeyTerms};
use crate::security::key::Scope;
use crate::{assemble, private_files, samples, serve};

/// The password of every sample person. It opens nothing but invented data on the loopback address.
pub const PASSWORD: &str = "tongban-demo-2026";
/// The person whose application the printed example starts.
const APPLICANT: &str = "li-na";
/// The mails that the demonstration's transport remembers.
const MAILS: usize = 1000;
/// The people that are worth signing in as, with what they do.
pub const ROLES: [(&str, &str); 9] = [
    (
        "li-na",
        "applies for resources, edits the catalogue (交通局 数据申请人、编目员)",
    ),
    (
        "zhao-min",
        "head of li-na's department, reviews first (交通局 负责人)",
    ),
    (
        "wang-lei",
        "checks formalities, reviews the catalogue (大数据局 审查员)",
    ),
    (
        "chen-jie",
        "takes applications for the provider (公安局 数据受理员)",
    ),
    ("liu-bo", "reviews them (公安局 业务处室)"),
    (
        "zhou-ping",
        "decides them; prefers English (公安局 分管领导)",
    ),
    ("wu-gang", "vets housing applications (住房保障中心)"),
    ("zhang-san", "a citizen who applies for housing (申请人)"),
    ("admin", "sees and operates everything (系统管理员)"),
];

/// How the demonstration is run.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// The folder in which `config/` and `workflows/` lie.
    pub site: PathBuf,
    /// The folder of the demonstration's data; may be removed at any time.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The program whose `sandbox` checks packs that come through the API.
    pub executable: PathBuf,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            site: PathBuf::from("."),
            data: PathBuf::from("data/demo"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            executable: crate::config::executable(),
        }
    }
}

/// Brings the demonstration up and serves it until the process is told to stop.
///
/// # Errors
/// The sample site cannot be read, or the address cannot be listened on.
pub async fn demo(options: DemoOptions) -> anyhow::Result<()> {
    let listener = serve::listen(options.listen).await?;
    let address = listener.local_addr()?;
    let (app, engine) = prepare(&options, address).await?;
    println!("{}", greeting(&app, &options));
    serve::run(app, engine, listener, serve::stopped()).await
}

/// Puts the demonstration's site together: packs, samples, people, a key.
///
/// # Errors
/// The sample site cannot be read, or the database refused.
pub async fn prepare(options: &DemoOptions, address: SocketAddr) -> anyhow::Result<(App, Engine)> {
    let mailbox = Arc::new(Mailbox::new(MAILS));
    let config = config(options, address)?;
    let (app, engine) = assemble::app_with(&config, Some(mailbox)).await?;
    load_samples(&app, &config.packs).await?;
    make_people(&app).await?;
    make_key(&app, &options.data.join("api-key")).await?;
    Ok((app, engine))
}

fn config(options: &DemoOptions, address: SocketAddr) -> anyhow::Result<Config> {
    let folder = options.site.join("config");
    if !folder.join("organisation.yaml").is_file() {
        anyhow::bail!(
            "there is no `{}`: run the demonstration in the folder of the repository, or name a site with --site",
            folder.join("organisation.yaml").display()
        );
    }
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("cannot make the folder `{}`", options.data.display()))?;
    let data = options
        .data
        .canonicalize()
        .with_context(|| format!("cannot find `{}`", options.data.display()))?;
    Ok(Config {
        listen: address,
        url: format!("http://{address}"),
        database: format!("sqlite://{}", data.join("tongban.db").display()),
        name: "示范市".to_owned(),
        node: "demo".to_owned(),
        organisation: folder.join("organisation.yaml"),
        calendars: folder.join("calendars"),
        packs: options.site.join("workflows"),
        connectors: folder.join("connectors.yaml"),
        key_file: data.join("site.key"),
        secrets: data.join("secrets"),
        demo: true,
        executable: options.executable.clone(),
        ..Config::default()
    })
}

/// Loads the packs' sample records; what is there already stays.
async fn load_samples(app: &App, packs: &Path) -> anyhow::Result<()> {
    let library = assemble::packs(packs)?;
    for pack in library.packs() {
        let loaded = pack
            .samples()
            .map_err(|fault| anyhow::anyhow!("pack `{}`: {fault}", pack.name()))?;
        for (register, records) in loaded {
            samples::import(&app.runtime, &register, &records, app.now_ms()).await?;
        }
    }
    Ok(())
}

/// Gives every sample person without a password the demonstration's. One hash serves them all: it is
/// the same public password, and hashing it for each person would only make the start slow.
async fn make_people(app: &App) -> anyhow::Result<()> {
    let organisation = app.organisation();
    let mut hash = None;
    for person in organisation.people() {
        if app.store().credential(&person.id).await?.is_some() {
            continue;
        }
        let known = match &hash {
            Some(known) => known,
            None => hash.insert(app.passwords.hash(PASSWORD).await?),
        };
        account::set_hash(app.store(), &person.id, known.clone(), app.now_ms()).await?;
    }
    Ok(())
}

/// Makes the sample API key, unless its file is there and the key still in force.
async fn make_key(app: &App, path: &Path) -> anyhow::Result<()> {
    let known = std::fs::read_to_string(path).unwrap_or_default();
    if account::client(app, known.trim())
        .await
        .is_ok_and(|client| client.is_some())
    {
        return Ok(());
    }
    let organisation = app.organisation();
    let applicant = organisation
        .person(APPLICANT)
        .with_context(|| format!("the sample organisation has no person `{APPLICANT}`"))?;
    let terms = KeyTerms {
        name: "demo".to_owned(),
        unit: applicant.unit.clone(),
        person: Some(APPLICANT.to_owned()),
        scopes: vec![
            Scope::Start,
            Scope::View,
            Scope::Work,
            Scope::Events,
            Scope::Registers,
        ],
        expires_at_ms: None,
    };
    let key = account::add_key(app.store(), terms, app.now_ms()).await?;
    private_files::write_private(path, &key.text)
}

/// What is printed: where to look, how to sign in as whom, how to start a case.
fn greeting(app: &App, options: &DemoOptions) -> String {
    let (url, key) = (&app.site.url, options.data.join("api-key"));
    let organisation = app.organisation();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\n通办 Tongban is running: {url}\n\nSign in (password of everybody: {PASSWORD}):"
    );
    for (person, what) in ROLES
        .iter()
        .filter(|(person, _)| organisation.person(person).is_some())
    {
        let _ = writeln!(text, "  {person:<10} {what}");
    }
    let _ = write!(
        text,
        "\nMails are kept here: {url}/mailbox\nThe API is described at {url}/openapi.json; the key of {APPLICANT} is in {key}\n\n\
         Start an application from another terminal:\n\n{}\n\n\
         Then look into the mailbox, follow the link in the newest mail, and decide.\n\
         Ctrl-C stops; removing {data} makes everything new.",
        example(url, &key),
        key = key.display(),
        data = options.data.display(),
    );
    text
}

/// The command that starts a sharing application.
fn example(url: &str, key: &Path) -> String {
    format!(
        "curl -sS -X POST {url}/api/v1/workflows/sharing/apply/instances \\\n  \
         -H \"Authorization: Bearer $(cat {})\" -H 'Idempotency-Key: demo-1' -H 'Content-Type: application/json' \\\n  \
         -d '{}'",
        key.display(),
        EXAMPLE_INPUT
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    )
}

/// The body of the printed example.
pub const EXAMPLE_INPUT: &str = r#"{"input": {"resource": "300101/000001", "purpose": "check", "basis": "道路运输执法检查职责", "scene": "路面检查时核对车辆",
 "scope": {"items": ["号牌", "所有人"], "mode": "api", "validTo": "2027-04-30"},
 "security": "专网访问,日志留存三年", "contact": "李娜 0532-00000000"}}"#;
