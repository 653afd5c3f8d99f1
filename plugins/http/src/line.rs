//! One connector's line: its client, its gate, one exchange over it.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Method, Response, Url, redirect};
use tokio::sync::OnceCell;
use tongban_plugin::{Failure, HttpResponse};

use crate::address::allowed;
use crate::circuit::Circuit;
use crate::connectors::Connector;
use crate::gate::Gate;
use crate::probe::speaks_tls;
use crate::resolver::{Guarded, Refused};

/// The largest body that is read, after inflation.
pub(crate) const BODY_MAX: usize = 8 << 20;

pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) connector: Connector,
    pub(crate) gate: Gate,
    pub(crate) circuit: Circuit,
    client: Client,
    /// Whether a mapped host speaks TLS, once it was asked.
    tls: OnceCell<bool>,
}

/// One request on its way; redirects make the next one.
#[derive(Clone)]
pub(crate) struct Hop {
    pub(crate) method: Method,
    pub(crate) uri: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Line {
    pub(crate) fn new(name: &str, connector: &Connector) -> Result<Self, Failure> {
        let broken = |why: String| {
            Failure::configuration(format!("connector `{name}` cannot be set up: {why}"))
        };
        // A second installation changes nothing; whoever came first chose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let resolver = Guarded {
            networks: connector.addresses.clone(),
            mapped: connector.mapped,
        };
        let mut builder = Client::builder()
            .user_agent(concat!("tongban/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(Duration::from_millis(connector.timeouts.connect_ms))
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(8)
            .dns_resolver(resolver);
        if let Some(pem) = &connector.roots {
            let roots = Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|why| broken(why.to_string()))?;
            builder = builder.tls_certs_only(roots);
        }
        let client = builder.build().map_err(|why| broken(why.to_string()))?;
        Ok(Self {
            name: name.to_owned(),
            gate: Gate::new(connector.concurrency, connector.rate),
            circuit: Circuit::new(connector.circuit),
            connector: connector.clone(),
            client,
            tls: OnceCell::new(),
        })
    }

    /// Sends one request and reads the answer to its end.
    pub(crate) async fn exchange(&self, hop: &Hop) -> Result<HttpResponse, Failure> {
        self.guard_literal(&hop.uri)?;
        let wire = self.wire_uri(&hop.uri).await;
        let response = self
            .request(hop, wire)
            .await
            .map_err(|error| self.failure(&hop.uri, &error))?;
        self.read(hop, response).await
    }

    async fn request(&self, hop: &Hop, wire: Url) -> Result<Response, reqwest::Error> {
        let mut headers = hop.headers.clone();
        if self.connector.mapped.is_some()
            && let Some(host) = hop.uri.host_str()
        {
            let host = match hop.uri.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            };
            if let Ok(value) = HeaderValue::from_str(&host) {
                headers.insert(reqwest::header::HOST, value);
            }
        }
        let mut request = self
            .client
            .request(hop.method.clone(), wire)
            .headers(headers);
        if !hop.body.is_empty() {
            request = request.body(hop.body.clone());
        }
        request.send().await
    }

    /// A name is checked by the resolver; an address in the URI never meets it.
    fn guard_literal(&self, uri: &Url) -> Result<(), Failure> {
        if self.connector.mapped.is_some() {
            return Ok(());
        }
        let host = uri.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
        match literal {
            Ok(address) if !allowed(address, &self.connector.addresses) => {
                let host = host.to_owned();
                Err(Failure::configuration(
                    Refused { host, address }.to_string(),
                ))
            }
            _ => Ok(()),
        }
    }

    /// A mapped host is reached at the mapped port whatever the URI says, and in the clear when it
    /// is this machine and speaks no TLS.
    async fn wire_uri(&self, uri: &Url) -> Url {
        let mut wire = uri.clone();
        let Some(address) = self.connector.mapped else {
            return wire;
        };
        let in_clear = uri.scheme() == "https"
            && address.ip().is_loopback()
            && !*self.tls.get_or_init(|| speaks_tls(address)).await;
        // These fail for URIs without a host only, and a connector covers none of them.
        if in_clear {
            let _ = wire.set_scheme("http");
        }
        if in_clear || wire.domain().is_none() {
            let _ = wire.set_ip_host(address.ip());
            let _ = wire.set_port(Some(address.port()));
        } else {
            let _ = wire.set_port(None);
        }
        wire
    }

    async fn read(&self, hop: &Hop, mut response: Response) -> Result<HttpResponse, Failure> {
        let place = shown(&hop.uri);
        let too_large = |size: u64| {
            Failure::communication(format!(
                "the answer of {place} is larger than {BODY_MAX} bytes (found {size}); ask for less, or for pages"
            ))
            .with_status(502)
            .with_retryable(false)
        };
        if let Some(size) = response.content_length()
            && size > BODY_MAX as u64
            && hop.method != Method::HEAD
        {
            return Err(too_large(size));
        }
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > BODY_MAX => {
                    return Err(too_large((body.len() + chunk.len()) as u64));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    return Err(Failure::communication(format!(
                        "the answer of {place} broke off after {} bytes: {}",
                        body.len(),
                        cause(&error)
                    ))
                    .with_status(502));
                }
            }
        }
        Ok(HttpResponse {
            status,
            headers,
            body,
            uri: hop.uri.to_string(),
        })
    }

    fn failure(&self, uri: &Url, error: &reqwest::Error) -> Failure {
        let mut source = error.source();
        while let Some(inner) = source {
            if let Some(refused) = inner.downcast_ref::<Refused>() {
                return Failure::configuration(refused.to_string());
            }
            source = inner.source();
        }
        let place = shown(uri);
        if error.is_timeout() {
            return Failure::timeout(format!(
                "{place} was not reached within {} ms",
                self.connector.timeouts.connect_ms
            ));
        }
        let (word, status) = if error.is_connect() {
            ("could not be reached", 503)
        } else {
            ("gave no usable answer", 502)
        };
        Failure::communication(format!("{place} {word}: {}", cause(error))).with_status(status)
    }
}

/// A URI in words for people: without user, query and fragment, where secrets may stand.
pub(crate) fn shown(uri: &Url) -> String {
    let mut shown = uri.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.to_string()
}

/// The innermost cause; the outer ones repeat the URI.
fn cause(error: &reqwest::Error) -> String {
    let mut words = "unknown cause".to_owned();
    let mut source = error.source();
    while let Some(inner) = source {
        words = inner.to_string();
        source = inner.source();
    }
    words
}

/// Header names and values from texts.
pub(crate) fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Failure::configuration(format!("`{name}` is not a name of a header")))?;
        let value = HeaderValue::from_str(value)
            .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
            .map_err(|_| {
                Failure::configuration(format!(
                    "the value of header `{name}` has a line break or another control character"
                ))
            })?;
        map.append(header, value);
    }
    Ok(map)
}
