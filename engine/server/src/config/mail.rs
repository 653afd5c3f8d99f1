//! How mail goes out.

use std::path::PathBuf;

use serde::Deserialize;

/// How mail goes out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct MailConfig {
    /// The sender.
    pub from: String,
    /// The relay; without one mails wait in the database.
    pub smtp: Option<SmtpConfig>,
    /// Seconds before the second attempt at a mail; each further pause is twice as long, up to an hour.
    pub retry_seconds: u64,
    /// The most attempts at one mail.
    pub attempts: u32,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            from: "tongban@localhost".to_owned(),
            smtp: None,
            retry_seconds: 30,
            attempts: 8,
        }
    }
}

/// A mail relay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SmtpConfig {
    /// Its host name.
    pub host: String,
    /// Its port.
    #[serde(default = "smtp_port")]
    pub port: u16,
    /// `required`, `wrapped` (from the first byte) or `none` (loopback relays only).
    #[serde(default)]
    pub tls: SmtpTls,
    /// The user to sign in as.
    #[serde(default)]
    pub user: Option<String>,
    /// The file with the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

fn smtp_port() -> u16 {
    587
}

/// How a relay is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SmtpTls {
    /// STARTTLS, or no mail.
    #[default]
    Required,
    /// TLS from the first byte.
    Wrapped,
    /// No TLS.
    None,
}

impl MailConfig {
    pub(super) fn faults(&self, faults: &mut Vec<String>) {
        let address = self.from.split_once('@');
        if address.is_none_or(|(name, domain)| name.is_empty() || domain.is_empty())
            || self.from.contains(['\r', '\n'])
        {
            faults.push(format!(
                "mail.from: expected an address, found `{}`",
                self.from.escape_debug()
            ));
        }
        if !(1..=3_600).contains(&self.retry_seconds) {
            faults.push(format!(
                "mail.retrySeconds: expected 1 to 3600, found {}",
                self.retry_seconds
            ));
        }
        if !(1..=100).contains(&self.attempts) {
            faults.push(format!(
                "mail.attempts: expected 1 to 100, found {}",
                self.attempts
            ));
        }
    }
}
