//! The guarded HTTP port: allow-list, deadline, redirects.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, Url};
use tokio::time::{Instant, timeout};
use tongban_plugin::{Admission, Failure, HttpPort, HttpRequest, HttpResponse};

use crate::connectors::{Connector, Connectors, EVERYBODY, Mapping};
use crate::gate::Busy;
use crate::line::{Hop, Line, header_map, shown};

/// How many redirects are followed.
const REDIRECTS_MAX: usize = 5;
/// A connector that the site has paused is looked at again after this.
const PAUSED: Duration = Duration::from_secs(30);
/// What goes along to another origin; everything else may be a credential.
const CROSS_ORIGIN_HEADERS: [&str; 3] = ["accept", "accept-language", "content-type"];

type Lineage = Arc<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// HTTP within the allow-list.
pub struct Transport {
    connectors: Connectors,
    /// There is no network but the mapped hosts.
    mapped_only: bool,
    lineage: Option<Lineage>,
    lines: Mutex<HashMap<(String, String), Arc<Line>>>,
}

impl Transport {
    /// Makes the transport of a site. Check [`Connectors::faults`] first.
    #[must_use]
    pub fn new(connectors: Connectors) -> Self {
        Self {
            connectors,
            mapped_only: false,
            lineage: None,
            lines: Mutex::new(HashMap::new()),
        }
    }

    /// Makes the transport of `tongban run`: the mapped hosts and no others.
    #[must_use]
    pub fn mapped(mappings: &[Mapping]) -> Self {
        let list = mappings
            .iter()
            .map(|mapping| (mapping.host.clone(), Connector::mapped(mapping)))
            .collect();
        let connectors = Connectors {
            connectors: [(EVERYBODY.to_owned(), list)].into_iter().collect(),
        };
        Self {
            mapped_only: true,
            ..Self::new(connectors)
        }
    }

    /// Says which units are above a unit (itself first): their connectors count for it too.
    #[must_use]
    pub fn with_lineage(
        mut self,
        lineage: impl Fn(&str) -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        self.lineage = Some(Arc::new(lineage));
        self
    }

    /// The name of the connector that a URI would use, for waits and limits.
    #[must_use]
    pub fn connector_name(&self, unit: Option<&str>, uri: &str) -> Option<String> {
        let uri = Url::parse(uri).ok()?;
        let units = self.units(unit);
        let (owner, name, _) = self.connectors.find(&units, &uri)?;
        Some(format!("{owner}/{name}"))
    }

    /// The connector that covers a URI.
    pub(crate) fn connector(&self, unit: Option<&str>, uri: &Url) -> Result<&Connector, Failure> {
        self.find(unit, uri).map(|(_, _, connector)| connector)
    }

    fn find(&self, unit: Option<&str>, uri: &Url) -> Result<(&str, &str, &Connector), Failure> {
        if !uri.username().is_empty() || uri.password().is_some() {
            return Err(Failure::configuration(
                "a URI with a user name is refused; use `authentication`",
            ));
        }
        self.connectors
            .find(&self.units(unit), uri)
            .ok_or_else(|| self.unlisted(unit, uri))
    }

    /// A site's list lacks the host: what somebody has to set right is its configuration. Where there is no list, the
    /// host is as one that cannot be reached.
    fn unlisted(&self, unit: Option<&str>, uri: &Url) -> Failure {
        let host = uri.host_str().unwrap_or("(no host)");
        let place = shown(uri);
        if self.mapped_only {
            return Failure::communication(format!(
                "{place} could not be reached: `tongban run` calls mapped hosts only; map it with --resolve {host}=ADDR:PORT"
            ))
            .with_status(503);
        }
        Failure::configuration(format!(
            "no connector of department `{}` allows {place}; list `{host}` in config/connectors.yaml",
            unit.unwrap_or(EVERYBODY),
        ))
    }

    fn units(&self, unit: Option<&str>) -> Vec<String> {
        match (unit, &self.lineage) {
            (None, _) => Vec::new(),
            (Some(unit), None) => vec![unit.to_owned()],
            (Some(unit), Some(lineage)) => lineage(unit),
        }
    }

    fn line(&self, unit: Option<&str>, uri: &Url) -> Result<Arc<Line>, Failure> {
        let (owner, name, connector) = self.find(unit, uri)?;
        let key = (owner.to_owned(), name.to_owned());
        let mut lines = self.lines.lock();
        if let Some(line) = lines.get(&key) {
            return Ok(line.clone());
        }
        let line = Arc::new(Line::new(name, connector)?);
        lines.insert(key, line.clone());
        Ok(line)
    }

    /// `sent` is set while a callee is being waited for.
    async fn exchange(
        &self,
        request: &HttpRequest,
        first: Hop,
        sent: &Mutex<Option<Arc<Line>>>,
    ) -> Result<HttpResponse, Failure> {
        let unit = request.unit.as_deref();
        let mut hop = first;
        for redirects in 0..=REDIRECTS_MAX {
            let line = self.line(unit, &hop.uri)?;
            let response = {
                let _turn = line.gate.enter().await;
                line.circuit
                    .enter(Instant::now())
                    .map_err(|left| resting(&line, left, redirects == 0))?;
                *sent.lock() = Some(line.clone());
                let result = line.exchange(&hop).await;
                *sent.lock() = None;
                line.circuit.note(&result, Instant::now());
                result?
            };
            tracing::debug!(
                connector = line.name,
                status = response.status,
                bytes = response.body.len(),
                "call answered"
            );
            if !request.follow {
                return Ok(response);
            }
            match next_hop(&hop, &response)? {
                Some(next) => hop = next,
                None => return Ok(response),
            }
        }
        Err(Failure::communication(format!(
            "more than {REDIRECTS_MAX} redirects, the last to {}",
            shown(&hop.uri)
        ))
        .with_status(502)
        .with_retryable(false))
    }
}

#[async_trait]
impl HttpPort for Transport {
    fn connector(&self, unit: Option<&str>, uri: &str) -> Option<String> {
        self.connector_name(unit, uri)
    }

    fn admission(&self, connector: &str) -> Admission {
        let Some((owner, name)) = connector.split_once('/') else {
            return Admission::Go;
        };
        let listed = self
            .connectors
            .connectors
            .get(owner)
            .and_then(|list| list.get(name));
        if listed.is_some_and(|connector| connector.paused) {
            return Admission::wait(PAUSED, "the site has paused the connector");
        }
        let key = (owner.to_owned(), name.to_owned());
        let Some(line) = self.lines.lock().get(&key).cloned() else {
            return Admission::Go;
        };
        if let Some(left) = line.circuit.pause(Instant::now()) {
            return Admission::wait(left, "the callee failed too often and is left alone");
        }
        match line.gate.wait() {
            Some((left, Busy::Concurrency)) => {
                Admission::wait(left, "all calls that may run at once do")
            }
            Some((left, Busy::Rate)) => Admission::wait(left, "the rate of calls is used up"),
            None => Admission::Go,
        }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let hop = Hop {
            method: Method::from_bytes(request.method.to_ascii_uppercase().as_bytes()).map_err(
                |_| Failure::configuration(format!("`{}` is not a method", request.method)),
            )?,
            uri: uri(&request.uri)?,
            headers: header_map(&request.headers)?,
            body: request.body.clone(),
        };
        let place = shown(&hop.uri);
        let connector = self.connector(request.unit.as_deref(), &hop.uri)?;
        if connector.paused {
            return Err(Failure::communication(format!(
                "the connector of `{}` is paused by the site",
                connector.host
            ))
            .with_status(503)
            .waiting(PAUSED));
        }
        let limit_ms = connector
            .timeouts
            .total_ms
            .min(request.timeout_ms.unwrap_or(u64::MAX));
        let limit = Duration::from_millis(limit_ms);
        let sent = Mutex::new(None);
        timeout(limit, self.exchange(&request, hop, &sent))
            .await
            .unwrap_or_else(|_| {
                if let Some(line) = sent.lock().take() {
                    line.circuit.timed_out(Instant::now());
                }
                Err(Failure::timeout(format!(
                    "{place} did not answer to the end within {limit_ms} ms"
                )))
            })
    }
}

/// A callee that is left alone: nothing was sent, so that the call can wait.
fn resting(line: &Line, left: Duration, first: bool) -> Failure {
    let failure = Failure::communication(format!(
        "`{}` failed too often and is left alone for {} s",
        line.connector.host,
        left.as_secs().max(1)
    ))
    .with_status(503);
    if first {
        failure.waiting(left)
    } else {
        failure
    }
}

/// Parses an absolute URI of the schemes that we speak.
pub(crate) fn uri(text: &str) -> Result<Url, Failure> {
    let parsed = Url::parse(text.trim()).map_err(|why| {
        Failure::configuration(format!(
            "expected an absolute URI such as https://host/path: {why}"
        ))
    })?;
    if matches!(parsed.scheme(), "http" | "https") {
        Ok(parsed)
    } else {
        Err(Failure::configuration(format!(
            "expected a URI of the scheme http or https, found `{}`",
            parsed.scheme()
        )))
    }
}

/// The request that a redirect asks for, if the answer is one.
fn next_hop(hop: &Hop, response: &HttpResponse) -> Result<Option<Hop>, Failure> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.header(LOCATION.as_str()) else {
        return Ok(None);
    };
    let refused = |why: &str| {
        Failure::communication(format!("the redirect of {} {why}", shown(&hop.uri)))
            .with_status(502)
            .with_retryable(false)
    };
    let target = hop
        .uri
        .join(location)
        .map_err(|_| refused("has an unreadable `Location`"))?;
    if hop.uri.scheme() == "https" && target.scheme() != "https" {
        return Err(refused("leads from https to a scheme without TLS"));
    }
    let target = uri(target.as_str())?;
    let mut next = hop.clone();
    let keeps_body = matches!(response.status, 307 | 308);
    if !keeps_body && next.method != Method::GET && next.method != Method::HEAD {
        next.method = Method::GET;
        next.body.clear();
        next.headers.remove("content-type");
        next.headers.remove("idempotency-key");
    }
    if target.origin() != hop.uri.origin() {
        if keeps_body && !next.body.is_empty() {
            return Err(refused("would take the body to another origin"));
        }
        next.headers = harmless(&next.headers);
    }
    next.uri = target;
    Ok(Some(next))
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| CROSS_ORIGIN_HEADERS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
