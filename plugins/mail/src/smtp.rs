//! Sends over SMTP.
//!
//! The connections are kept here and not in lettre's pool: that one takes a connection back whose
//! conversation was broken off in the middle, bounds only the idle ones, and sets no limit on the
//! time of an answer.

use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tongban_plugin::{MailFailure, MailTransport, Message};

use crate::compose::{Letter, compose};
use crate::settings::{Security, Settings};

/// An idle connection is used again within this time; servers hang up after some minutes.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// How long an idle connection may take to say that it is there.
const PROBE_MAX: Duration = Duration::from_secs(3);

/// A transport to one server. Connections are opened when they are needed.
pub struct Smtp {
    settings: Settings,
    tls: Option<TlsParameters>,
    hello: ClientId,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
    permits: Semaphore,
}

impl Smtp {
    /// Makes the transport. Nothing is connected yet.
    ///
    /// # Errors
    /// All faults of the settings, or why the roots of trust cannot be read.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let faults = settings.faults();
        if !faults.is_empty() {
            return Err(faults.join("; "));
        }
        let tls = match settings.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(tls_parameters(&settings)?),
        };
        let hello = settings
            .hello
            .clone()
            .map_or_else(ClientId::default, ClientId::Domain);
        Ok(Self {
            permits: Semaphore::new(settings.connections as usize),
            idle: Mutex::new(Vec::new()),
            settings,
            tls,
            hello,
        })
    }

    async fn deliver(&self, letter: &Letter) -> Result<(), MailFailure> {
        let _turn = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let mut connection = self.connection().await?;
        let limit = Duration::from_millis(self.settings.timeouts.send_ms);
        match timeout(limit, say(&mut connection, letter)).await {
            Ok(Ok(())) => {
                self.park(connection);
                Ok(())
            }
            // Dropping the connection closes it: nothing of a broken conversation is used again.
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(MailFailure::transient(
                None,
                format!(
                    "{} did not take the mail within {} ms",
                    self.settings.host, self.settings.timeouts.send_ms
                ),
            )),
        }
    }

    /// An idle connection that answers, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, MailFailure> {
        while let Some((mut connection, since)) = self.next_idle() {
            let alive = since.elapsed() < IDLE_MAX
                && timeout(PROBE_MAX, connection.test_connected())
                    .await
                    .unwrap_or(false);
            if alive {
                return Ok(connection);
            }
        }
        let limit_ms = self.settings.timeouts.connect_ms;
        let connected = timeout(Duration::from_millis(limit_ms), self.connect()).await;
        // Nothing is wrong with the mail when the server cannot be reached, has a certificate that
        // nobody trusts, or does not take our password: it waits until somebody has repaired that.
        match connected {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(Unconnected::Refused(error))) => Err(MailFailure::transient(
                code(&error),
                format!("no connection to {}: {}", self.settings.host, words(&error)),
            )),
            Ok(Err(Unconnected::Injected)) => Err(MailFailure::transient(
                None,
                format!(
                    "somebody between here and {} answered before the connection was encrypted",
                    self.settings.host
                ),
            )),
            Err(_) => Err(MailFailure::transient(
                None,
                format!("{} did not greet within {limit_ms} ms", self.settings.host),
            )),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Unconnected> {
        let server = (self.settings.host.as_str(), self.settings.port());
        let wrapped = self
            .tls
            .clone()
            .filter(|_| self.settings.security == Security::Tls);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, wrapped, None).await?;
        if let (Security::StartTls, Some(tls)) = (self.settings.security, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
            guard_order(&mut connection).await?;
        }
        if let (Some(user), Some(password)) = (&self.settings.username, &self.settings.password) {
            let credentials = Credentials::new(user.clone(), password.clone());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        Ok(connection)
    }

    fn next_idle(&self) -> Option<(AsyncSmtpConnection, Instant)> {
        self.idle.lock().pop()
    }

    fn park(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock();
        if !connection.has_broken() && idle.len() < self.settings.connections as usize {
            idle.push((connection, Instant::now()));
        }
    }
}

#[async_trait]
impl MailTransport for Smtp {
    async fn send(&self, message: &Message) -> Result<(), MailFailure> {
        let letter = compose(message)?;
        let sent = self.deliver(&letter).await;
        match &sent {
            Ok(()) => tracing::debug!(message_id = message.message_id, "mail sent"),
            Err(failure) => {
                tracing::warn!(message_id = message.message_id, %failure, "mail not sent");
            }
        }
        sent
    }
}

/// Why there is no connection.
enum Unconnected {
    Refused(Error),
    /// Answers stood in the clear before the connection was encrypted.
    Injected,
}

impl From<Error> for Unconnected {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Makes sure that answers belong to questions. lettre keeps what arrived in the clear behind the answer to `STARTTLS`, and
/// takes it for the encrypted answer to the next question: then each answer comes one question late, and the `NOOP` is
/// answered with the many lines of the greeting.
async fn guard_order(connection: &mut AsyncSmtpConnection) -> Result<(), Unconnected> {
    let answer = connection.command(Noop).await?;
    match answer.message().count() {
        0 | 1 => Ok(()),
        _ => Err(Unconnected::Injected),
    }
}

/// One mail's conversation. lettre's own ends a refused one with `QUIT` and waits for the answer,
/// which would make a refusal for good into a silence.
async fn say(connection: &mut AsyncSmtpConnection, letter: &Letter) -> Result<(), MailFailure> {
    let mut parameters = Vec::new();
    let mut addresses = letter.envelope.to().iter().chain(letter.envelope.from());
    if addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
        if !connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            return Err(MailFailure::permanent(
                None,
                "the address has letters that the server does not take (no SMTPUTF8)",
            ));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let from = letter.envelope.from().cloned();
    let said = async {
        connection.command(Mail::new(from, parameters)).await?;
        for to in letter.envelope.to() {
            connection
                .command(Rcpt::new(to.clone(), Vec::new()))
                .await?;
        }
        connection.command(Data).await?;
        connection.message(&letter.bytes).await
    };
    said.await
        .map(|_| ())
        .map_err(|error: Error| refusal(&error))
}

fn tls_parameters(settings: &Settings) -> Result<TlsParameters, String> {
    // A second installation changes nothing; whoever came first chose the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.roots {
        let root = Certificate::from_pem(pem.as_bytes())
            .map_err(|why| format!("mail.roots: expected certificates in PEM: {why}"))?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(root);
    }
    builder
        .build_rustls()
        .map_err(|why| format!("mail: TLS cannot be set up: {why}"))
}

/// What the server's answer to the mail itself means.
fn refusal(error: &Error) -> MailFailure {
    let text = words(error);
    if error.is_permanent() {
        MailFailure::permanent(code(error), text)
    } else {
        MailFailure::transient(code(error), text)
    }
}

fn code(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

fn words(error: &Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
