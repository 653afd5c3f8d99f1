//! What a function may reach. The store and the runtime implement these traits.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tongban_expr::Value;
use tongban_org::Organisation;

use crate::{Failure, Found, Query, Record, RegisterDefinition};

/// The state of a register's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// False while the source cannot be asked (its import or its connector is down).
    pub available: bool,
    /// Who gives the data, for the result's `source`.
    pub name: String,
    /// When the whole register was last brought up to date, when it is imported.
    pub fetched_at_ms: Option<i64>,
}

/// Registers and their records: committed data only.
#[async_trait]
pub trait Records: Send + Sync {
    /// Gives the register's current definition.
    async fn definition(&self, register: &str) -> Result<Option<Arc<RegisterDefinition>>, Failure>;

    /// Gives the state of the register's source.
    async fn source(&self, register: &str) -> Result<Source, Failure>;

    /// Gives the records with these ids; an unknown id has no record. Order follows `ids`.
    async fn get(&self, register: &str, ids: &[String]) -> Result<Vec<Record>, Failure>;

    /// Gives the records that have one of `values` under the key `name` ([`RegisterDefinition::keys_of`]).
    async fn by_key(
        &self,
        register: &str,
        name: &str,
        values: &[String],
    ) -> Result<Vec<Record>, Failure>;

    /// Gives the records whose fields equal `query.equal`, at most `query.limit`, and how many there are.
    async fn find(&self, register: &str, query: &Query) -> Result<Found, Failure>;

    /// Draws `count` numbers of a sequence and gives the first. Numbers are never given twice; a
    /// lost activation leaves a gap.
    async fn draw(&self, sequence: &str, count: u32) -> Result<i64, Failure>;
}

/// A request that is already whole: no templates, no markers.
#[derive(Debug, Clone, Default)]
pub struct HttpRequest {
    /// The department whose allow-list counts.
    pub unit: Option<String>,
    /// The method in capitals.
    pub method: String,
    /// An absolute URI.
    pub uri: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// When the answer must be there, from now. `None` means the connector's own limit.
    pub timeout_ms: Option<u64>,
    /// Follow redirects that stay within the allow-list.
    pub follow: bool,
}

/// An answer, read to its end within the limits.
#[derive(Debug, Clone, Default)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Header names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The inflated body.
    pub body: Vec<u8>,
    /// The URI that answered, after redirects.
    pub uri: String,
}

impl HttpResponse {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Whether a call may go out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Go,
    /// Not before so many milliseconds are over.
    Wait {
        /// Milliseconds, at least 1.
        millis: u64,
        /// Why, for people.
        why: String,
    },
}

impl Admission {
    /// Not before a time is over.
    #[must_use]
    pub fn wait(left: Duration, why: impl Into<String>) -> Self {
        Self::Wait {
            millis: u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1),
            why: why.into(),
        }
    }
}

/// HTTP behind the allow-list, the connect-time check and the limits.
#[async_trait]
pub trait HttpPort: Send + Sync {
    /// Sends a request. Every status is an answer; only the lack of one is a failure.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure>;

    /// The name of the entry of the allow-list that covers a URI, for waits and limits; `None` when none does.
    fn connector(&self, _unit: Option<&str>, _uri: &str) -> Option<String> {
        None
    }

    /// Whether a call over an entry of the allow-list may go out now, by its rate, its concurrency and its circuit.
    fn admission(&self, _connector: &str) -> Admission {
        Admission::Go
    }
}

/// Values of secrets, at the moment of sending only.
pub trait Secrets: Send + Sync {
    /// Gives a secret's value, a text or an object of texts.
    fn reveal(&self, name: &str) -> Option<Value>;
}

/// Working time.
pub trait Calendar: Send + Sync {
    /// Gives the end of the local day `date` (`2026-04-01`) in UTC milliseconds.
    fn end_of_day_ms(&self, date: &str) -> Option<i64>;
    /// Gives the site's local date of an instant.
    fn date(&self, at_ms: i64) -> String;
}

/// Texts of the bundle: its templates and files.
pub trait Templates: Send + Sync {
    /// Renders a template of the call's bundle in a language.
    ///
    /// # Errors
    /// An unknown template or a fault in it is a [`Failure`] of the family `expression`.
    fn render(&self, template: &str, language: &str, data: &Value) -> Result<String, Failure>;

    /// Gives a file of the call's bundle as it was published; `None` when the bundle has none there.
    fn file(&self, _path: &str) -> Option<Arc<str>> {
        None
    }
}

/// Everything that a function may reach.
#[derive(Clone)]
pub struct Ports {
    /// Registers.
    pub records: Arc<dyn Records>,
    /// Units, people, roles: one snapshot.
    pub directory: Arc<Organisation>,
    /// Guarded HTTP.
    pub http: Arc<dyn HttpPort>,
    /// Working time.
    pub calendar: Arc<dyn Calendar>,
    /// Templates.
    pub templates: Arc<dyn Templates>,
}
