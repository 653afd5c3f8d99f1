//! What a node is made of and how it is set.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tongban_expr::sandbox::Evaluator;
use tongban_expr::{Budget, Value};
use tongban_org::Organisation;
use tongban_plugin::{
    Failure, HttpPort, HttpRequest, HttpResponse, MailTransport, Plugin, Secrets,
};
use tongban_store::Store;

use crate::clock::Clock;
use crate::ids::Ids;
use crate::link::LinkKeys;
use crate::sink::Sink;
use crate::wanted::Level;

/// How a node behaves. Times are milliseconds.
#[derive(Clone)]
pub struct Settings {
    /// The node's name among the nodes of one database.
    pub node: String,
    /// Where people reach the site, without a slash at the end.
    pub base_url: String,
    /// The site's zone: local dates, cron.
    pub zone: TimeZone,
    /// The zone's name.
    pub zone_name: String,
    /// The sender of mails.
    pub mail_from: String,
    /// The domain of Message-IDs.
    pub mail_domain: String,
    /// The most attempts at one mail.
    pub mail_attempts: u32,
    /// The pause before the second attempt at a mail; each further one is twice as long, up to an hour.
    pub mail_pause_ms: i64,
    /// How long a decision link is good.
    pub link_ttl_ms: i64,
    /// How long an event that nobody listens to is kept.
    pub event_ttl_ms: i64,
    /// How long an idempotency key is remembered.
    pub idempotency_ttl_ms: i64,
    /// How long what was claimed belongs to a node.
    pub lease_ms: i64,
    /// The most attempts at an act whose outcome is unknown.
    pub act_attempts: i64,
    /// The most acts of one connector in flight on one node.
    pub connector_concurrency: usize,
    /// The most lanes with something to do before starts are refused.
    pub lanes_max: usize,
    /// How long ended instances are kept; `None` for ever.
    pub keep_ended_ms: Option<i64>,
    /// Dated parameters of the site by pack, over those of the packs.
    pub parameters: Value,
    /// Other bytes under a published version get a version of their own, `+dev.N`.
    pub dev: bool,
    /// Bounds of one evaluation of an expression or a rule.
    pub budget: Budget,
    /// Lifecycle events that the site wants though nobody here listens to them.
    pub lifecycle: Level,
    /// Where events go beside listeners here.
    pub sink: Option<Sink>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            node: "node-1".to_owned(),
            base_url: "http://localhost:8080".to_owned(),
            zone: TimeZone::UTC,
            zone_name: "UTC".to_owned(),
            mail_from: "tongban@localhost".to_owned(),
            mail_domain: "localhost".to_owned(),
            mail_attempts: 8,
            mail_pause_ms: 30_000,
            link_ttl_ms: 14 * 86_400_000,
            event_ttl_ms: 3_600_000,
            idempotency_ttl_ms: 86_400_000,
            lease_ms: 30_000,
            act_attempts: 5,
            connector_concurrency: 16,
            lanes_max: 20_000,
            keep_ended_ms: None,
            parameters: Value::Null,
            dev: false,
            budget: Budget::default(),
            lifecycle: Level::None,
            sink: None,
        }
    }
}

/// What a node is put together from.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and chance.
    pub ids: Arc<dyn Ids>,
    /// The plugins.
    pub plugins: Vec<Plugin>,
    /// HTTP behind the allow-list.
    pub http: Arc<dyn HttpPort>,
    /// Values of secrets.
    pub secrets: Arc<dyn Secrets>,
    /// Where mails go; without one they wait.
    pub transport: Option<Arc<dyn MailTransport>>,
    /// The keys of decision links; without one mails carry none.
    pub link_keys: LinkKeys,
    /// Units, people, rights and calendars.
    pub organisation: Organisation,
    /// Who evaluates the scripts of packs that came through the API; without one they are evaluated here.
    pub sandbox: Option<Arc<dyn Evaluator>>,
    /// How it behaves.
    pub settings: Settings,
}

impl Parts {
    /// A node without plugins, mail, links and people: tests and `tongban run` begin with it.
    pub fn plain(store: Store, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Parts {
        Parts {
            store,
            clock,
            ids,
            plugins: Vec::new(),
            http: Arc::new(Nowhere),
            secrets: Arc::new(Nowhere),
            transport: None,
            link_keys: LinkKeys::new(Vec::new()),
            organisation: Organisation::default(),
            sandbox: None,
            settings: Settings::default(),
        }
    }
}

/// No hosts and no secrets.
pub struct Nowhere;

#[async_trait::async_trait]
impl HttpPort for Nowhere {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        Err(Failure::configuration(format!(
            "no host may be reached from here, not `{}`",
            request.uri
        )))
    }
}

impl Secrets for Nowhere {
    fn reveal(&self, _name: &str) -> Option<Value> {
        None
    }
}
