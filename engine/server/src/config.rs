//! The settings of one site: `config/tongban.yaml`, then `TONGBAN_*` variables over it.
//!
//! Everything that is wrong is reported at once, with the setting, its value and what was expected.
//! Paths are relative to the folder of the file.

mod events;
mod mail;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tongban_process::Processes;

pub use self::events::{EventsConfig, Lifecycle, SinkConfig};
pub use self::mail::{MailConfig, SmtpConfig, SmtpTls};
use crate::language::Language;

/// The settings of a site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How people reach the site: `https://…` without a path.
    pub url: String,
    /// `sqlite://PATH` or `postgres://…`.
    pub database: String,
    /// The site's name, shown on every page.
    pub name: String,
    /// The language of visitors who state none.
    pub language: Language,
    /// The zone of dates, cron and clocks (IANA name).
    pub zone: String,
    /// The name of this node among those of one database; made from host, port and process when empty.
    pub node: String,
    /// Units, people, roles and rights.
    pub organisation: PathBuf,
    /// The folder of calendars, one file a year.
    pub calendars: PathBuf,
    /// The folder whose folders are packs; published at start when they changed.
    pub packs: PathBuf,
    /// Hosts that `call: http` may reach.
    pub connectors: PathBuf,
    /// The file with the site's key; made on the first start.
    pub key_file: PathBuf,
    /// The folder of secrets, one file each.
    pub secrets: PathBuf,
    /// How mail goes out.
    pub mail: MailConfig,
    /// Lifecycle events, and where events go.
    pub events: EventsConfig,
    /// Processes of this machine that workflows may run; none by default.
    pub run: Processes,
    /// Who may read `/metrics`.
    pub metrics: MetricsConfig,
    /// Addresses of proxies whose `X-Forwarded-For` says who asks; none by default.
    pub proxies: Vec<IpAddr>,
    /// Bounds of requests.
    pub limits: Limits,
    /// Days after which an ended case is removed with everything of it; never when absent.
    pub keep_ended_days: Option<u32>,
    /// Shows the mailbox to everybody who is signed in: demonstrations only.
    #[serde(skip)]
    pub demo: bool,
    /// The program whose `sandbox` checks packs that come through the API: this one.
    #[serde(skip)]
    pub executable: PathBuf,
}

/// The program that runs now.
pub fn executable() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tongban"))
}

/// Who may read `/metrics`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct MetricsConfig {
    /// The file with the token that readers show; without one only this machine may read.
    pub token_file: Option<PathBuf>,
}

/// Bounds of requests.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Limits {
    /// The largest body in bytes.
    pub body_bytes: usize,
    /// Seconds within which the headers of a request must arrive.
    pub header_seconds: u64,
    /// Seconds within which a request must be answered.
    pub request_seconds: u64,
    /// The most connections at a time.
    pub connections: usize,
    /// Minutes after which a session without a request ends.
    pub session_minutes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            url: String::new(),
            database: "sqlite://../data/tongban.db".to_owned(),
            name: "通办".to_owned(),
            language: Language::Chinese,
            zone: "Asia/Shanghai".to_owned(),
            node: String::new(),
            organisation: PathBuf::from("organisation.yaml"),
            calendars: PathBuf::from("calendars"),
            packs: PathBuf::from("../workflows"),
            connectors: PathBuf::from("connectors.yaml"),
            key_file: PathBuf::from("../data/site.key"),
            secrets: PathBuf::from("../data/secrets"),
            mail: MailConfig::default(),
            events: EventsConfig::default(),
            run: Processes::default(),
            metrics: MetricsConfig::default(),
            proxies: Vec::new(),
            limits: Limits::default(),
            keep_ended_days: None,
            demo: false,
            executable: executable(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            header_seconds: 10,
            request_seconds: 30,
            connections: 4096,
            session_minutes: 480,
        }
    }
}

/// Why a site cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("`{path}`: `{setting}`: {cause}")]
    Unparsed {
        /// The file.
        path: PathBuf,
        /// The setting.
        setting: String,
        /// Why.
        cause: String,
    },
    /// Settings have values that cannot be used.
    #[error("the settings cannot be used:\n{}", .0.join("\n"))]
    Invalid(Vec<String>),
}

impl Config {
    /// Reads the settings of the site in a folder (`SITE/config/tongban.yaml`); without the file the
    /// defaults hold.
    ///
    /// # Errors
    /// The file cannot be read or parsed, or its values cannot be used.
    pub fn load(site: &Path) -> Result<Self, ConfigError> {
        let folder = site.join("config");
        let path = folder.join("tongban.yaml");
        let mut config = match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(cause) => return Err(ConfigError::Unreadable { path, cause }),
        };
        config.overlay(|name| std::env::var(name).ok())?;
        config.anchor(&folder);
        config.validate()?;
        Ok(config)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        if text
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
        {
            return Ok(Self::default());
        }
        serde_path_to_error::deserialize(serde_yaml::Deserializer::from_str(text)).map_err(
            |error| ConfigError::Unparsed {
                path: path.to_path_buf(),
                setting: error.path().to_string(),
                cause: error.into_inner().to_string(),
            },
        )
    }

    /// Lays environment variables over the file.
    fn overlay(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        if let Some(text) = variable("TONGBAN_LISTEN") {
            self.listen = text.parse().map_err(|_| {
                ConfigError::Invalid(vec![format!(
                    "TONGBAN_LISTEN: expected an address such as 127.0.0.1:8080, found `{text}`"
                )])
            })?;
        }
        for (name, place) in [
            ("TONGBAN_DATABASE", &mut self.database),
            ("TONGBAN_URL", &mut self.url),
            ("TONGBAN_NODE", &mut self.node),
        ] {
            if let Some(text) = variable(name) {
                *place = text;
            }
        }
        Ok(())
    }

    /// Makes relative paths relative to the folder of the settings.
    fn anchor(&mut self, folder: &Path) {
        let paths = [
            &mut self.organisation,
            &mut self.calendars,
            &mut self.packs,
            &mut self.connectors,
            &mut self.key_file,
            &mut self.secrets,
        ];
        for path in paths {
            *path = folder.join(&*path);
        }
        if let Some(file) = self
            .mail
            .smtp
            .as_mut()
            .and_then(|smtp| smtp.password_file.as_mut())
        {
            *file = folder.join(&*file);
        }
        if let Some(file) = &mut self.metrics.token_file {
            *file = folder.join(&*file);
        }
        if let Some(path) = self
            .database
            .strip_prefix("sqlite://")
            .filter(|path| !path.starts_with('/') && *path != ":memory:")
        {
            self.database = format!("sqlite://{}", folder.join(path).display());
        }
        if self.url.is_empty() {
            self.url = format!("http://{}", self.listen);
        }
        if self.node.is_empty() {
            // Two containers may well have the same port and the same process number.
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let (port, process) = (self.listen.port(), std::process::id());
            self.node = format!("{}-{port}-{process}", host.trim());
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        let plain_url = self
            .url
            .strip_prefix("https://")
            .or_else(|| self.url.strip_prefix("http://"));
        if plain_url.is_none_or(|rest| rest.is_empty() || rest.contains(['/', '?', '#', ' '])) {
            faults.push(format!(
                "url: expected `https://HOST` without a path, found `{}`",
                self.url
            ));
        }
        if !["sqlite:", "postgres:", "postgresql:"]
            .iter()
            .any(|scheme| self.database.starts_with(scheme))
        {
            faults.push("database: expected `sqlite://PATH` or `postgres://…`".to_owned());
        }
        if jiff::tz::TimeZone::get(&self.zone).is_err() {
            faults.push(format!(
                "zone: expected an IANA name such as Asia/Shanghai, found `{}`",
                self.zone
            ));
        }
        self.mail.faults(&mut faults);
        self.events.faults(&mut faults);
        faults.extend(self.run.faults("run"));
        let ranges = [
            (
                "limits.bodyBytes",
                self.limits.body_bytes as u64,
                1024,
                64 << 20,
            ),
            ("limits.headerSeconds", self.limits.header_seconds, 1, 120),
            ("limits.requestSeconds", self.limits.request_seconds, 1, 600),
            (
                "limits.connections",
                self.limits.connections as u64,
                8,
                100_000,
            ),
            (
                "limits.sessionMinutes",
                self.limits.session_minutes,
                5,
                43_200,
            ),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                faults.push(format!("{name}: expected {least} to {most}, found {value}"));
            }
        }
        if self.keep_ended_days == Some(0) {
            faults.push("keepEndedDays: expected a number of days above 0, found 0".to_owned());
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Invalid(faults))
        }
    }

    /// The file of an SQLite database; nothing for PostgreSQL and in memory.
    pub fn database_file(&self) -> Option<&Path> {
        let path = self.database.strip_prefix("sqlite://")?;
        (path != ":memory:").then(|| Path::new(path))
    }

    /// Whether people reach the site through TLS: cookies are then sent through TLS only.
    pub fn secure(&self) -> bool {
        self.url.starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        let mut config = Config::parse(text, Path::new("tongban.yaml"))?;
        config.anchor(Path::new("/site/config"));
        config.validate().map(|()| config)
    }

    #[test]
    fn an_empty_file_gives_the_defaults_with_paths_of_the_site() {
        let config = parse("# nothing yet\n").expect("the defaults are good");
        assert_eq!(config.url, "http://127.0.0.1:8080");
        assert_eq!(config.packs, Path::new("/site/config/../workflows"));
        assert_eq!(config.database, "sqlite:///site/config/../data/tongban.db");
        assert!(!config.secure());
    }

    #[test]
    fn a_misspelt_setting_is_named_with_its_place() {
        let error = parse("limits:\n  bodyByte: 5\n")
            .expect_err("unknown setting")
            .to_string();
        assert!(
            error.contains("limits") && error.contains("bodyByte"),
            "{error}"
        );
        let error = parse("listen: somewhere\n")
            .expect_err("no address")
            .to_string();
        assert!(error.contains("`listen`"), "{error}");
    }

    #[test]
    fn all_unusable_values_are_reported_at_once() {
        let error = parse("url: ftp://x\nzone: Mars/Base\ndatabase: mysql://x\nmail: { from: nobody }\nlimits: { connections: 1 }\n")
            .expect_err("five faults")
            .to_string();
        for word in [
            "url:",
            "zone:",
            "database:",
            "mail.from:",
            "limits.connections:",
        ] {
            assert!(error.contains(word), "{word} is missing in {error}");
        }
    }

    #[test]
    fn processes_events_and_metrics() {
        let config = parse(
            "run: { shell: { allowed: [date] } }\nmetrics: { tokenFile: metrics }\nproxies: [10.0.0.1]\n\
             mail: { retrySeconds: 2 }\nevents: { lifecycle: tasks, sink: { uri: 'https://sink.example/x', keepHours: 2 } }\n",
        )
        .expect("good settings");
        assert_eq!(config.events.level(), tongban_runtime::Level::Tasks);
        let sink = config.events.sink().expect("a sink");
        assert_eq!(
            (sink.keep_ms, sink.outputs, sink.emitted),
            (7_200_000, false, false)
        );
        assert_eq!(
            config.metrics.token_file.as_deref(),
            Some(Path::new("/site/config/metrics"))
        );
        assert_eq!(config.mail.retry_seconds, 2);
        let error = parse(
            "run: { shell: { allowed: [''] } }\nmail: { retrySeconds: 0 }\nevents: { sink: { uri: 'sink', keepHours: 0 } }\n",
        )
        .expect_err("four faults")
        .to_string();
        for word in [
            "run.shell.allowed:",
            "mail.retrySeconds:",
            "events.sink.uri:",
            "events.sink.keepHours:",
        ] {
            assert!(error.contains(word), "{word} is missing in {error}");
        }
    }

    #[test]
    fn variables_win_over_the_file() {
        let mut config =
            Config::parse("listen: 127.0.0.1:9000\n", Path::new("x")).expect("a good file");
        config
            .overlay(|name| match name {
                "TONGBAN_LISTEN" => Some("127.0.0.1:9001".into()),
                "TONGBAN_DATABASE" => Some("postgres://db/tongban".into()),
                _ => None,
            })
            .expect("good variables");
        assert_eq!(config.listen.port(), 9001);
        assert_eq!(config.database, "postgres://db/tongban");
        let error = config
            .overlay(|_| Some("nowhere".into()))
            .expect_err("no address")
            .to_string();
        assert!(error.contains("TONGBAN_LISTEN"), "{error}");
    }
}
