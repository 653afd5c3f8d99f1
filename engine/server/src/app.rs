//! What every handler can reach: the runtime, the site's facts, keys and limits.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use tongban_org::Organisation;
use tongban_runtime::Runtime;
use tongban_store::Store;

use crate::config::Limits;
use crate::counters::Counters;
use crate::language::Language;
use crate::organisation_watch::OrganisationWatch;
use crate::security::attempts::Attempts;
use crate::security::password::Passwords;
use crate::security::secret::SiteKey;

/// The application: cheap to clone, given to every handler.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What the application is made of.
pub struct Parts {
    /// The engine.
    pub runtime: Runtime,
    /// The site.
    pub site: Site,
    /// The site's key.
    pub key: SiteKey,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Failed attempts to sign in or to use a key.
    pub attempts: Attempts,
    /// What `/metrics` shows.
    pub counters: Counters,
    /// Bounds of requests.
    pub limits: Limits,
    /// Keeps the organisation in force up to its files and to the absences that people keep.
    pub organisation_watch: tokio::sync::Mutex<OrganisationWatch>,
    /// The program whose `sandbox` checks packs that come through the API.
    pub executable: PathBuf,
}

/// Facts of the site that pages show or need.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Where people reach it, without a slash at the end.
    pub url: String,
    /// The language of visitors who state none.
    pub language: Language,
    /// Whether people reach it through TLS.
    pub secure: bool,
    /// Whether this is a demonstration with a mailbox for everybody.
    pub demo: bool,
    /// The zone of dates.
    pub zone: TimeZone,
    /// What readers of `/metrics` show; without one only this machine may read.
    pub metrics_token: Option<Arc<str>>,
    /// Proxies whose word on who asks is believed.
    pub proxies: Arc<[std::net::IpAddr]>,
}

impl App {
    /// Puts an application together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The database.
    pub fn store(&self) -> &Store {
        self.runtime.store()
    }

    /// The organisation as it is now.
    pub fn organisation(&self) -> Arc<Organisation> {
        self.runtime.organisation()
    }

    /// The time.
    pub fn now_ms(&self) -> i64 {
        self.runtime.node().clock.now_ms()
    }

    /// A person's name, or the id when the organisation does not know it (a timer, a key).
    pub fn name_of(&self, person: &str) -> String {
        self.organisation()
            .person(person)
            .map_or_else(|| person.to_owned(), |person| person.name.clone())
    }

    /// A unit's name in the reader's language, or the id.
    pub fn unit_name(&self, unit: &str, language: Language) -> String {
        let organisation = self.organisation();
        let Some(found) = organisation.unit(unit) else {
            return unit.to_owned();
        };
        let english = found
            .name_en
            .as_ref()
            .filter(|_| language == Language::English);
        english.unwrap_or(&found.name).clone()
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
