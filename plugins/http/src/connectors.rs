//! `config/connectors.yaml`: which department may call which host, and how hard.

use std::net::SocketAddr;
use std::str::FromStr;

use indexmap::IndexMap;
use reqwest::Url;
use serde::Deserialize;

use crate::address::Network;

/// The department for which a connector counts when it counts for all.
pub(crate) const EVERYBODY: &str = "*";

/// The allow-list: department, connector's name, connector.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connectors {
    /// By department (a unit's id; the units below it have the same), `*` for all.
    #[serde(default)]
    pub connectors: IndexMap<String, IndexMap<String, Connector>>,
}

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain.
    Http,
    /// With TLS; the default.
    #[default]
    Https,
}

impl Scheme {
    fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// One host that may be called.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Connector {
    /// The scheme; `https` by default.
    #[serde(default)]
    pub scheme: Scheme,
    /// The host's name or address, exactly; no wildcards.
    pub host: String,
    /// The port; the scheme's own by default.
    pub port: Option<u16>,
    /// Paths must begin with one of these; any path by default.
    #[serde(default)]
    pub paths: Vec<String>,
    /// The host's name must lead to one of these; anything but this machine and the local link by
    /// default.
    #[serde(default)]
    pub addresses: Vec<Network>,
    /// Secrets that may be sent there; none by default, `*` for all.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Calls at the same time; 8 by default.
    #[serde(default = "concurrency_default")]
    pub concurrency: u32,
    /// Calls in a time; no limit by default.
    pub rate: Option<Rate>,
    /// When the callee is left alone.
    #[serde(default)]
    pub circuit: Breaker,
    /// Nothing goes out for now; acts wait.
    #[serde(default)]
    pub paused: bool,
    /// Limits on time.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Roots of trust in PEM instead of the system's.
    pub roots: Option<String>,
    /// Connect there instead, whatever the name leads to (`--resolve`).
    #[serde(skip)]
    pub(crate) mapped: Option<SocketAddr>,
}

fn concurrency_default() -> u32 {
    8
}

/// So many requests in so many seconds, evenly spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests, at least 1.
    pub requests: u32,
    /// Seconds; 1 by default.
    #[serde(default = "seconds_default")]
    pub seconds: u32,
}

fn seconds_default() -> u32 {
    1
}

/// After so many failures in a row the callee is left alone for so many seconds; then one call tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Breaker {
    /// Failures in a row: no answer, or one of 502, 503 and 504; 10 by default, 0 for never.
    pub failures: u32,
    /// Seconds; 30 by default.
    pub seconds: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: 10,
            seconds: 30,
        }
    }
}

/// Limits on time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Timeouts {
    /// Until the connection stands (TLS included); 5,000 by default.
    pub connect_ms: u64,
    /// Until the last byte of the answer, redirects included; 30,000 by default.
    pub total_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 5_000,
            total_ms: 30_000,
        }
    }
}

/// `HOST=ADDR:PORT` of `--resolve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The host's name as it stands in URIs.
    pub host: String,
    /// Where to connect.
    pub address: SocketAddr,
}

impl FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected HOST=ADDR:PORT, found `{text}`");
        let (host, address) = text.split_once('=').ok_or_else(wrong)?;
        let address = address.parse().map_err(|_| wrong())?;
        if host.is_empty() || host.contains(['/', ':', '@', ' ']) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            address,
        })
    }
}

impl Connector {
    /// The connector of a mapped host: any scheme, any port, all secrets.
    pub(crate) fn mapped(mapping: &Mapping) -> Self {
        Self {
            scheme: Scheme::Https,
            host: mapping.host.clone(),
            port: None,
            paths: Vec::new(),
            addresses: vec![Network::one(mapping.address.ip())],
            secrets: vec![EVERYBODY.to_owned()],
            concurrency: concurrency_default(),
            rate: None,
            circuit: Breaker {
                failures: 0,
                ..Breaker::default()
            },
            paused: false,
            timeouts: Timeouts::default(),
            roots: None,
            mapped: Some(mapping.address),
        }
    }

    /// True when the URI is one of this connector's.
    pub(crate) fn covers(&self, uri: &Url) -> bool {
        let host = uri.host_str().unwrap_or_default();
        if !same_host(host, &self.host) {
            return false;
        }
        if self.mapped.is_some() {
            return true;
        }
        let port = self.port.unwrap_or(match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        });
        uri.scheme() == self.scheme.word()
            && uri.port_or_known_default() == Some(port)
            && (self.paths.is_empty() || self.paths.iter().any(|path| begins(uri.path(), path)))
    }

    /// True when the secret may be sent there.
    pub(crate) fn may_send(&self, secret: &str) -> bool {
        self.secrets
            .iter()
            .any(|name| name == secret || name == EVERYBODY)
    }

    fn faults(&self, at: &str, faults: &mut Vec<String>) {
        let sample = format!("{}://{}/", self.scheme.word(), self.host);
        let host_fits = Url::parse(&sample)
            .ok()
            .and_then(|uri| uri.host_str().map(|host| same_host(host, &self.host)))
            .unwrap_or(false);
        if !host_fits || self.host.contains(['*', '@', '/']) {
            faults.push(format!(
                "{at}.host: expected the name or the address of one host, found `{}`",
                self.host
            ));
        }
        if self.concurrency == 0 {
            faults.push(format!("{at}.concurrency: expected at least 1, found 0"));
        }
        if self
            .rate
            .is_some_and(|rate| rate.requests == 0 || rate.seconds == 0)
        {
            faults.push(format!(
                "{at}.rate: expected at least 1 request in 1 second"
            ));
        }
        if self.circuit.seconds == 0 || self.circuit.seconds > 3_600 {
            faults.push(format!(
                "{at}.circuit.seconds: expected 1 to 3600, found {}",
                self.circuit.seconds
            ));
        }
        if self.timeouts.connect_ms == 0 || self.timeouts.total_ms == 0 {
            faults.push(format!(
                "{at}.timeouts: expected at least 1 millisecond, found 0"
            ));
        }
        for path in self.paths.iter().filter(|path| !path.starts_with('/')) {
            faults.push(format!(
                "{at}.paths: expected a path that begins with `/`, found `{path}`"
            ));
        }
    }
}

impl Connectors {
    /// What is wrong with the settings, all at once.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (unit, list) in &self.connectors {
            for (name, connector) in list {
                connector.faults(&format!("connectors.{unit}.{name}"), &mut faults);
            }
        }
        faults
    }

    /// The first connector of one of the departments that covers the URI.
    pub(crate) fn find(&self, units: &[String], uri: &Url) -> Option<(&str, &str, &Connector)> {
        units
            .iter()
            .map(String::as_str)
            .chain([EVERYBODY])
            .filter_map(|unit| self.connectors.get_key_value(unit))
            .flat_map(|(unit, list)| {
                list.iter()
                    .map(move |(name, connector)| (unit.as_str(), name.as_str(), connector))
            })
            .find(|(_, _, connector)| connector.covers(uri))
    }
}

/// Names are compared without case and without the final dot; IPv6 with or without brackets.
fn same_host(left: &str, right: &str) -> bool {
    let plain = |host: &str| {
        host.trim_end_matches('.')
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase()
    };
    plain(left) == plain(right)
}

/// `/v1` covers `/v1` and `/v1/people`, not `/v10`.
fn begins(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connectors() -> Connectors {
        serde_yaml::from_str(
            "connectors:
  police:
    population: { host: api.police.example, paths: [/v1], secrets: [policeToken], rate: { requests: 10 } }
  '*':
    weather: { scheme: http, host: weather.example, port: 8080 }",
        )
        .expect("good settings")
    }

    fn find(unit: &str, uri: &str) -> Option<String> {
        let uri = Url::parse(uri).expect("a URI");
        let connectors = connectors();
        connectors
            .find(&[unit.to_owned()], &uri)
            .map(|(_, name, _)| name.to_owned())
    }

    #[test]
    fn only_what_is_listed_for_the_department() {
        let population = Some("population".to_owned());
        assert_eq!(
            find("police", "https://api.police.example/v1/people"),
            population
        );
        assert_eq!(
            find("police", "https://API.Police.Example:443/v1"),
            population
        );
        assert_eq!(find("police", "https://api.police.example./v1"), population);
        for uri in [
            "http://api.police.example/v1",
            "https://api.police.example:8443/v1",
            "https://api.police.example/v10",
            "https://api.police.example/v1/../admin",
            "https://api.police.example/v1/%2e%2e/admin",
            "https://api.police.example.evil.example/v1",
            "https://evil.example/v1",
        ] {
            assert_eq!(find("police", uri), None, "{uri}");
        }
        assert_eq!(find("transport", "https://api.police.example/v1"), None);
        let weather = Some("weather".to_owned());
        assert_eq!(
            find("transport", "http://weather.example:8080/now"),
            weather
        );
        assert_eq!(find("transport", "http://weather.example/now"), None);
    }

    #[test]
    fn faults_name_setting_and_value() {
        let bad: Connectors = serde_yaml::from_str(
            "connectors: { a: { b: { host: '*.example', concurrency: 0, rate: { requests: 0 }, paths: [v1] } } }",
        )
        .expect("readable settings");
        let faults = bad.faults();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(
            faults
                .iter()
                .any(|fault| fault.contains("connectors.a.b.host") && fault.contains("*.example"))
        );
        assert!(connectors().faults().is_empty());
        assert!(
            serde_yaml::from_str::<Connectors>(
                "connectors: { a: { b: { host: x, verifyTls: false } } }"
            )
            .is_err()
        );
    }

    #[test]
    fn mappings() {
        let mapping: Mapping = "Pets.example=127.0.0.1:8080".parse().expect("a mapping");
        assert_eq!(mapping.host, "pets.example");
        for text in [
            "",
            "pets.example",
            "pets.example=127.0.0.1",
            "=127.0.0.1:80",
            "http://x=127.0.0.1:80",
        ] {
            assert!(text.parse::<Mapping>().is_err(), "{text}");
        }
    }
}
