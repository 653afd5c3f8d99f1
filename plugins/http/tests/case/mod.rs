//! A call's circumstances: secrets, ports that nobody uses, a transport on stubs of this machine.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;

use tongban_expr::{Value, secret, value};
use tongban_http::{Connectors, Transport, plugin};
use tongban_org::Organisation;
use tongban_plugin::{
    ActCall, Calendar, Failure, Found, Plugin, Ports, Query, Record, Records, RegisterDefinition,
    Secrets, Source, Templates, async_trait,
};
use wiremock::MockServer;

pub const NONCE: &str = "n0nce";

/// The vault of the tests.
pub struct Vault;

impl Secrets for Vault {
    fn reveal(&self, name: &str) -> Option<Value> {
        match name {
            "policeToken" => Some(value!("t0p/secret?&")),
            "login" => Some(value!({ "username": "clerk", "password": "s3cret" })),
            "client" => Some(value!({ "id": "tongban", "secret": "s3cret" })),
            "loginText" => Some(value!("{\"username\":\"clerk\",\"password\":\"s3cret\"}")),
            _ => None,
        }
    }
}

struct Nothing;

#[async_trait]
impl Records for Nothing {
    async fn definition(&self, _: &str) -> Result<Option<Arc<RegisterDefinition>>, Failure> {
        Ok(None)
    }
    async fn source(&self, _: &str) -> Result<Source, Failure> {
        Err(Failure::runtime("no registers here"))
    }
    async fn get(&self, _: &str, _: &[String]) -> Result<Vec<Record>, Failure> {
        Ok(Vec::new())
    }
    async fn by_key(&self, _: &str, _: &str, _: &[String]) -> Result<Vec<Record>, Failure> {
        Ok(Vec::new())
    }
    async fn find(&self, _: &str, _: &Query) -> Result<Found, Failure> {
        Ok(Found::default())
    }
    async fn draw(&self, _: &str, _: u32) -> Result<i64, Failure> {
        Ok(1)
    }
}

impl Calendar for Nothing {
    fn end_of_day_ms(&self, _: &str) -> Option<i64> {
        None
    }
    fn date(&self, _: i64) -> String {
        String::new()
    }
}

impl Templates for Nothing {
    fn render(&self, _: &str, _: &str, _: &Value) -> Result<String, Failure> {
        Ok(String::new())
    }
    fn file(&self, path: &str) -> Option<Arc<str>> {
        (path == "apis/people.yaml").then(|| PACKED.into())
    }
}

/// A document that lies in the pack.
const PACKED: &str = "
openapi: 3.0.3
servers: [{ url: 'https://people.example/api' }]
paths:
  /people/{id}:
    $ref: '#/components/pathItems/person'
  /outside:
    $ref: 'other.yaml#/x'
components:
  pathItems:
    person:
      get:
        operationId: getPerson
        parameters:
          - { $ref: '#/components/parameters/id' }
          - { name: fields, in: query, style: pipeDelimited, explode: false, schema: { type: array } }
  parameters:
    id: { name: id, in: path, required: true, style: matrix, schema: { type: string } }
";

/// One plugin on one transport.
pub struct Bench {
    pub transport: Arc<Transport>,
    plugin: Plugin,
    ports: Ports,
}

impl Bench {
    pub fn new(transport: Transport) -> Self {
        let transport = Arc::new(transport);
        Self {
            plugin: plugin(transport.clone()),
            ports: Ports {
                records: Arc::new(Nothing),
                directory: Arc::new(Organisation::default()),
                http: transport.clone(),
                calendar: Arc::new(Nothing),
                templates: Arc::new(Nothing),
            },
            transport,
        }
    }

    /// The department `police` may call these stubs, one connector each: `stub0`, `stub1` …
    pub fn on(servers: &[&MockServer]) -> Self {
        let entries: Vec<String> = servers
            .iter()
            .enumerate()
            .map(|(place, server)| {
                format!(
                    "    stub{place}: {{ scheme: http, host: 127.0.0.1, port: {}, addresses: [127.0.0.0/8], secrets: [policeToken, login, loginText] }}\n",
                    server.address().port()
                )
            })
            .collect();
        Self::with(&format!("connectors:\n  police:\n{}", entries.concat()))
    }

    pub fn with(connectors: &str) -> Self {
        let connectors: Connectors = serde_yaml::from_str(connectors).expect("good settings");
        assert_eq!(connectors.faults(), Vec::<String>::new());
        Self::new(Transport::new(connectors))
    }

    pub async fn call(&self, function: &str, args: &Value) -> Result<Value, Failure> {
        self.call_for("police", function, args).await
    }

    pub async fn call_for(
        &self,
        unit: &str,
        function: &str,
        args: &Value,
    ) -> Result<Value, Failure> {
        let act = self
            .plugin
            .acts
            .iter()
            .find(|act| act.signature().name == function)
            .expect("a function of the plugin");
        let call = ActCall {
            function,
            instance: "i1",
            run_id: "ask",
            workflow: "housing/vetting",
            unit: Some(unit),
            key: "key-of-the-act",
            attempt: 0,
            deadline_ms: None,
            now_ms: 1_772_413_200_000,
            nonce: NONCE,
            secrets: &Vault,
            ports: &self.ports,
        };
        act.perform(args, &call).await
    }

    pub async fn http(&self, args: &Value) -> Result<Value, Failure> {
        self.call("http", args).await
    }
}

/// The marker of a secret as an expression of this instance makes it.
pub fn marker(name: &str) -> Value {
    secret::marker(name, NONCE)
}

pub fn get(uri: &str) -> Value {
    value!({ "method": "get", "endpoint": uri })
}

/// Asserts the family, the status and words of a failure.
#[track_caller]
pub fn refused(result: Result<Value, Failure>, family: &str, status: u16, words: &str) -> Failure {
    let failure = result.expect_err("a failure");
    assert_eq!(
        (failure.kind.name(), failure.status),
        (family, status),
        "{failure}"
    );
    assert!(
        failure.detail.contains(words),
        "`{words}` in: {}",
        failure.detail
    );
    failure
}
