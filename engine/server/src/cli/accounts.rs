//! `tongban user` and `tongban key`: passwords and API keys of a site, while its server runs or stands still.

use std::io::{IsTerminal, Read};

use anyhow::{Context, bail};
use clap::Subcommand;
use tongban_expr::{Value, value};
use tongban_store::ApiKeyRow;

use super::files::{pack_folders, read_packs};
use super::serving::executor;
use super::{DONE, Listing, SiteArguments, say};
use crate::assemble::open_store_beside;
use crate::security::account::{self, KeyTerms};
use crate::security::key::Scope;
use crate::security::password::Passwords;
use crate::{Config, site};

/// What `user` does.
#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Set a person's password (read from standard input) and end the person's sessions
    Password {
        /// The person's id in the organisation
        person: String,
        #[command(flatten)]
        site: SiteArguments,
    },
    /// List the people of the organisation and whether they can sign in
    List {
        #[arg(long, value_enum, default_value = "text")]
        format: Listing,
        #[command(flatten)]
        site: SiteArguments,
    },
}

/// What `key` does.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make an API key; it is printed once and stored as a hash
    Add {
        /// What it is called
        name: String,
        /// The unit to which it is bound
        #[arg(long)]
        unit: Option<String>,
        /// The person in whose name it acts
        #[arg(long)]
        person: Option<String>,
        /// What it may do: start, view, work, events, registers, publish, intervene
        #[arg(long = "scope", value_delimiter = ',', default_value = "start,view")]
        scopes: Vec<String>,
        /// Days until it ends; for ever when absent
        #[arg(long)]
        days: Option<u32>,
        #[command(flatten)]
        site: SiteArguments,
    },
    /// List the keys
    List {
        #[arg(long, value_enum, default_value = "text")]
        format: Listing,
        #[command(flatten)]
        site: SiteArguments,
    },
    /// Take a key back, by its prefix
    Remove {
        /// The prefix that the list shows
        prefix: String,
        #[command(flatten)]
        site: SiteArguments,
    },
}

/// Runs `user`.
pub(crate) fn user(command: UserCommand) -> anyhow::Result<u8> {
    match command {
        UserCommand::Password { person, site } => set_password(&person, &site),
        UserCommand::List { site, format } => list_people(&site, format),
    }
}

/// Runs `key`.
pub(crate) fn key(command: KeyCommand) -> anyhow::Result<u8> {
    match command {
        KeyCommand::Add {
            name,
            unit,
            person,
            scopes,
            days,
            site,
        } => add_key(&site, name, unit, person, &scopes, days),
        KeyCommand::List { site, format } => list_keys(&site, format),
        KeyCommand::Remove { prefix, site } => remove_key(&prefix, &site),
    }
}

fn organisation(config: &Config) -> anyhow::Result<std::sync::Arc<tongban_org::Organisation>> {
    let (library, _) = read_packs(&pack_folders(&config.packs)?)?;
    site::organisation_of(&config.organisation, &config.calendars, &library)
}

fn set_password(person: &str, site: &SiteArguments) -> anyhow::Result<u8> {
    let config = Config::load(&site.site)?;
    if organisation(&config)?.person(person).is_none() {
        bail!("the organisation has no person `{person}`");
    }
    let mut password = String::new();
    if std::io::stdin().is_terminal() {
        eprintln!("password of {person} (it is shown as you type; end with Enter):");
        std::io::stdin().read_line(&mut password)?;
    } else {
        std::io::stdin()
            .read_to_string(&mut password)
            .context("cannot read the password from standard input")?;
    }
    let password = password.trim_end_matches(['\r', '\n']);
    executor()?.block_on(async {
        let store = open_store_beside(&config).await?;
        let now_ms = store.clock_ms().await?;
        account::set_password(&store, &Passwords::new(1), person, password, now_ms).await?;
        store.close().await;
        anyhow::Ok(())
    })?;
    println!("the password of {person} is set");
    Ok(DONE)
}

/// A list of what a site has is no reason to make a database.
pub(super) fn existing(site: &SiteArguments) -> anyhow::Result<Config> {
    let config = Config::load(&site.site)?;
    match config.database_file() {
        Some(path) if !path.is_file() => bail!(
            "there is no database `{}`: call this in the folder of the site, or name the folder with --site or the database with TONGBAN_DATABASE",
            path.display()
        ),
        _ => Ok(config),
    }
}

/// Prints objects, or a line of their values each.
fn print(rows: Vec<Value>, format: Listing) -> anyhow::Result<u8> {
    match format {
        Listing::Json => say(&format!("{}\n", Value::list(rows).to_json()))?,
        Listing::Text => {
            let lines: String = rows.iter().map(|row| line(row) + "\n").collect();
            say(&lines)?;
        }
    }
    Ok(DONE)
}

fn line(row: &Value) -> String {
    let cell = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::Str(text) => text.to_string(),
        other => other.to_json(),
    };
    let cells: Vec<String> = row.entries().map(|(_, value)| cell(value)).collect();
    cells.join("\t")
}

fn list_people(site: &SiteArguments, format: Listing) -> anyhow::Result<u8> {
    let config = existing(site)?;
    let organisation = organisation(&config)?;
    let mut rows = Vec::new();
    executor()?.block_on(async {
        let store = open_store_beside(&config).await?;
        for person in organisation.people() {
            let state = if store.credential(&person.id).await?.is_some() {
                "can sign in"
            } else {
                "no password"
            };
            rows.push(value!({
                "id": (person.id.as_str()),
                "name": (person.name.as_str()),
                "unit": (person.unit.as_deref()),
                "state": (state),
            }));
        }
        anyhow::Ok(())
    })?;
    print(rows, format)
}

fn add_key(
    site: &SiteArguments,
    name: String,
    unit: Option<String>,
    person: Option<String>,
    scopes: &[String],
    days: Option<u32>,
) -> anyhow::Result<u8> {
    let config = Config::load(&site.site)?;
    let organisation = organisation(&config)?;
    if let Some(unit) = unit.iter().find(|unit| organisation.unit(unit).is_none()) {
        bail!("the organisation has no unit `{unit}`");
    }
    if let Some(person) = person
        .iter()
        .find(|person| organisation.person(person).is_none())
    {
        bail!("the organisation has no person `{person}`");
    }
    if unit.is_none() && person.is_none() {
        bail!("a key is bound to a unit or to a person: give --unit or --person");
    }
    let mut may = Vec::new();
    for scope in scopes {
        let known = Scope::NAMES.map(|(name, _)| name).join(", ");
        may.push(
            Scope::from_name(scope)
                .with_context(|| format!("expected scopes of {known}, found `{scope}`"))?,
        );
    }
    let key = executor()?.block_on(async {
        let store = open_store_beside(&config).await?;
        let now_ms = store.clock_ms().await?;
        let expires_at_ms = days.map(|days| now_ms + i64::from(days) * 86_400_000);
        let terms = KeyTerms {
            name,
            unit,
            person,
            scopes: may,
            expires_at_ms,
        };
        let key = account::add_key(&store, terms, now_ms).await?;
        store.close().await;
        anyhow::Ok(key)
    })?;
    println!("{}", key.text);
    eprintln!("this is shown once; only its hash is stored");
    Ok(DONE)
}

fn list_keys(site: &SiteArguments, format: Listing) -> anyhow::Result<u8> {
    let config = existing(site)?;
    let keys = executor()?
        .block_on(async { anyhow::Ok(open_store_beside(&config).await?.api_keys().await?) })?;
    print(keys.into_iter().map(told).collect(), format)
}

fn told(key: ApiKeyRow) -> Value {
    let at = |ms: i64| {
        jiff::Timestamp::from_millisecond(ms).map_or(Value::Null, |at| at.to_string().into())
    };
    value!({
        "prefix": (key.prefix),
        "name": (key.name),
        "unit": (key.unit_id),
        "person": (key.person_id),
        "scopes": (Value::from_json(&key.scopes).unwrap_or(Value::Null)),
        "createdAt": (at(key.created_at_ms)),
        "expiresAt": (key.expires_at_ms.map_or(Value::Null, at)),
    })
}

fn remove_key(prefix: &str, site: &SiteArguments) -> anyhow::Result<u8> {
    let config = existing(site)?;
    executor()?.block_on(async {
        let store = open_store_beside(&config).await?;
        let keys = store.api_keys().await?;
        let key = keys
            .iter()
            .find(|key| key.prefix == prefix)
            .with_context(|| format!("there is no key `{prefix}`"))?;
        let now_ms = store.clock_ms().await?;
        account::remove_key(&store, &key.hash, now_ms).await?;
        store.close().await;
        anyhow::Ok(())
    })?;
    println!("the key {prefix} is taken back");
    Ok(DONE)
}
