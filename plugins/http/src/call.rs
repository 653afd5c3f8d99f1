//! `call: http`.

use std::sync::Arc;

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{
    Act, ActCall, Failure, HttpPort as _, HttpRequest, HttpResponse, Kind, Signature, Title,
};

use crate::answer::{Asked, result};
use crate::authentication::Authentication;
use crate::digest::{Challenge, Signed};
use crate::random::random;
use crate::request::{Plan, has};
use crate::reveal::Reveal;
use crate::token::{Tokens, timeout_ms};
use crate::transport::Transport;

/// Sends calls with their credentials.
pub(crate) struct Sender {
    pub(crate) transport: Arc<Transport>,
    tokens: Tokens,
}

pub(crate) struct Http {
    signature: Signature,
    sender: Arc<Sender>,
}

impl Http {
    pub(crate) fn new(sender: Arc<Sender>) -> Self {
        let signature = Signature::new("http", Kind::Act, Title::new("调用接口", "HTTP call"))
            .summary("Sends an HTTP request to a host that the site's connectors list for the department.")
            .arguments(value!({
                "type": "object",
                "required": ["method", "endpoint"],
                "properties": {
                    "method": { "type": "string" },
                    "endpoint": { "type": ["string", "object"] },
                    "headers": { "type": ["object", "null"] },
                    "query": { "type": ["object", "null"] },
                    "body": true,
                    "output": { "enum": ["raw", "content", "response"] },
                    "redirect": { "type": "boolean" },
                },
                "additionalProperties": false,
            }));
        Self { signature, sender }
    }
}

#[async_trait]
impl Act for Http {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn perform(&self, args: &Value, call: &ActCall<'_>) -> Result<Value, Failure> {
        let plan = Plan::of(args)?;
        self.sender.perform(&plan, call).await
    }
}

impl Sender {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self {
            transport,
            tokens: Tokens::default(),
        }
    }

    pub(crate) async fn perform(&self, plan: &Plan, call: &ActCall<'_>) -> Result<Value, Failure> {
        let masked = plan.masked_uri()?;
        let connector = self.transport.connector(call.unit, &masked)?;
        let reveal = Reveal::new(call, connector);
        let authentication = Authentication::of(plan.authentication.as_ref(), reveal)?;
        let sending = Sending { plan, call, reveal };
        let response = self.send(&sending, authentication).await?;
        let asked = Asked {
            method: plan.method.clone(),
            uri: masked,
            headers: plan.masked_headers(),
            output: plan.output,
            redirect: plan.redirect,
            authenticated: plan.authentication.is_some(),
        };
        result(&asked, &response)
    }

    async fn send(
        &self,
        sending: &Sending<'_>,
        authentication: Authentication,
    ) -> Result<HttpResponse, Failure> {
        match authentication {
            Authentication::None => self.transport.send(sending.request(None)?).await,
            Authentication::Header { scheme, parameter } => {
                let request = sending.authorized(scheme, &parameter)?;
                self.transport.send(request).await
            }
            Authentication::Digest { username, password } => {
                let request = sending.request(None)?;
                sending.guard(&request)?;
                self.send_digest(request, &username, &password).await
            }
            Authentication::Token(grant) => {
                // What can never be sent asks for no token.
                sending.check()?;
                let call = sending.call;
                let held = self.tokens.token(&grant, call, &self.transport).await?;
                let request = sending.authorized("Bearer", &held.token)?;
                let response = self.transport.send(request).await?;
                if response.status != 401 || !held.kept {
                    return Ok(response);
                }
                held.forget().await;
                let fresh = self.tokens.token(&grant, call, &self.transport).await?;
                let request = sending.authorized("Bearer", &fresh.token)?;
                self.transport.send(request).await
            }
        }
    }

    /// The first request asks for the challenge; a callee that wants none has answered already.
    async fn send_digest(
        &self,
        request: HttpRequest,
        username: &str,
        password: &str,
    ) -> Result<HttpResponse, Failure> {
        let first = self.transport.send(request.clone()).await?;
        let challenge = first
            .headers
            .iter()
            .filter(|(name, _)| name == "www-authenticate")
            .find_map(|(_, value)| Challenge::parse(value));
        let (401, Some(challenge)) = (first.status, challenge) else {
            return Ok(first);
        };
        // After a redirect the challenge is of another URI than the one that we would sign.
        if first.uri != request.uri {
            return Ok(first);
        }
        let uri = crate::transport::uri(&request.uri)?;
        let target = match uri.query() {
            Some(query) => format!("{}?{query}", uri.path()),
            None => uri.path().to_owned(),
        };
        let signed = Signed {
            method: &request.method,
            uri: &target,
            username,
            password,
        };
        let header = challenge.answer(&signed, &random()?);
        self.transport.send(with(&request, &header)).await
    }
}

/// One call on its way out.
struct Sending<'a> {
    plan: &'a Plan,
    call: &'a ActCall<'a>,
    reveal: Reveal<'a>,
}

impl Sending<'_> {
    /// The request without its credentials; `parameter` is what `$authorization` stands for in it.
    fn request(&self, parameter: Option<&str>) -> Result<HttpRequest, Failure> {
        let reveal = self.reveal.with_authorization(parameter);
        let ready = self.plan.ready(reveal, self.call.key)?;
        Ok(HttpRequest {
            unit: self.call.unit.map(ToOwned::to_owned),
            method: self.plan.method.clone(),
            uri: ready.uri.to_string(),
            headers: ready.headers,
            body: ready.body,
            timeout_ms: timeout_ms(self.call),
            follow: self.plan.redirect,
        })
    }

    fn authorized(&self, scheme: &str, parameter: &str) -> Result<HttpRequest, Failure> {
        let request = self.request(Some(parameter))?;
        self.guard(&request)?;
        Ok(with(&request, &format!("{scheme} {parameter}")))
    }

    fn check(&self) -> Result<(), Failure> {
        self.guard(&self.request(Some(""))?)
    }

    fn guard(&self, request: &HttpRequest) -> Result<(), Failure> {
        if has(&request.headers, "authorization") {
            return Err(Failure::configuration(
                "the call sets both `authentication` and the header `authorization`",
            ));
        }
        Ok(())
    }
}

fn with(request: &HttpRequest, authorization: &str) -> HttpRequest {
    let mut request = request.clone();
    let header = ("authorization".to_owned(), authorization.to_owned());
    request.headers.push(header);
    request
}
