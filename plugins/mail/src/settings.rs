//! The `mail` section of a site's settings.

use std::net::IpAddr;

use serde::Deserialize;

/// How mail leaves the site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The server's name.
    pub host: String,
    /// The port; 587 by default, 465 with `security: tls`, 25 with `security: none`.
    pub port: Option<u16>,
    /// How the connection is protected; `starttls` by default.
    #[serde(default)]
    pub security: Security,
    /// The user to sign in as; none by default.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// The name that we greet with; the machine's own by default.
    pub hello: Option<String>,
    /// Roots of trust in PEM instead of the usual ones.
    pub roots: Option<String>,
    /// Connections at the same time; 4 by default.
    #[serde(default = "connections_default")]
    pub connections: u32,
    /// Limits on time.
    #[serde(default)]
    pub timeouts: Timeouts,
}

fn connections_default() -> u32 {
    4
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Begins in the clear and goes on under TLS; a server that cannot is refused.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// In the clear: a relay on this machine only.
    None,
}

/// Limits on time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Timeouts {
    /// Until the server has greeted and taken our sign-in; 20,000 by default.
    pub connect_ms: u64,
    /// From `MAIL` to the answer after the final dot; 120,000 by default. The standard lets a server
    /// take ten minutes there; a mail that is given up is sent again under the same Message-ID.
    pub send_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 20_000,
            send_ms: 120_000,
        }
    }
}

impl Settings {
    /// The port in use.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Security::StartTls => 587,
            Security::Tls => 465,
            Security::None => 25,
        })
    }

    /// What is wrong with the settings, all at once.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.host.is_empty()
            || self.host.contains([' ', '/', '@', ':']) && !is_address(&self.host)
        {
            faults.push(format!(
                "mail.host: expected the name of a server, found `{}`",
                self.host
            ));
        }
        if self.security == Security::None && !self.is_loopback() {
            faults.push(format!(
                "mail.security: `none` is allowed for a relay on this machine only, found host `{}`; use starttls or tls",
                self.host
            ));
        }
        if self.username.is_some() != self.password.is_some() {
            faults.push(
                "mail.username and mail.password: expected both or neither, found one".to_owned(),
            );
        }
        if self.connections == 0 {
            faults.push("mail.connections: expected at least 1, found 0".to_owned());
        }
        if self.timeouts.connect_ms == 0 || self.timeouts.send_ms == 0 {
            faults.push("mail.timeouts: expected at least 1 millisecond, found 0".to_owned());
        }
        faults
    }

    fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self
                .host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults() {
        let settings: Settings = serde_yaml::from_str("host: mail.example").expect("settings");
        assert_eq!((settings.port(), settings.connections), (587, 4));
        assert_eq!(settings.security, Security::StartTls);
        assert!(settings.faults().is_empty());
        let tls: Settings =
            serde_yaml::from_str("{ host: mail.example, security: tls }").expect("settings");
        assert_eq!(tls.port(), 465);
    }

    #[test]
    fn faults_are_named() {
        for (text, words) in [
            ("{ host: '' }", "mail.host"),
            ("{ host: 'mail.example:25' }", "mail.host"),
            ("{ host: mail.example, security: none }", "mail.security"),
            ("{ host: mail.example, username: a }", "mail.password"),
            ("{ host: mail.example, connections: 0 }", "mail.connections"),
            (
                "{ host: mail.example, timeouts: { sendMs: 0 } }",
                "mail.timeouts",
            ),
        ] {
            let settings: Settings = serde_yaml::from_str(text).expect("readable settings");
            let faults = settings.faults();
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert!(
                faults.iter().all(|fault| fault.contains(words)),
                "{faults:?}"
            );
        }
        for host in ["localhost", "127.0.0.1", "::1"] {
            let text = format!("{{ host: '{host}', security: none }}");
            let settings: Settings = serde_yaml::from_str(&text).expect("settings");
            assert!(settings.faults().is_empty(), "{host}");
        }
        assert!(serde_yaml::from_str::<Settings>("{ host: a, verifyTls: false }").is_err());
    }
}
