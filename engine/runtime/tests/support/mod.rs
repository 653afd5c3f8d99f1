//! A small site in memory: people, workflows from text, a mailbox, acts that a test answers.
#![allow(dead_code, reason = "each test file uses its own part of the site")]
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tongban_expr::{Value, value};
use tongban_org::{CalendarFile, Organisation, OrganisationFile};
use tongban_plugin::{
    Act, ActCall, Answer, Call, Failure, Kind, MailFailure, MailTransport, Message, Plugin,
    Prepared, Provenance, Read, RecordMode, RecordWrite, Secrets, Signature, Title, Write,
    async_trait,
};
use tongban_runtime::pack::{Bundle, Publication};
use tongban_runtime::{Caller, LinkKeys, Parts, Runtime, SeededIds, Start, Started, VirtualClock};
use tongban_store::{Faults, Options, Store};
use tongban_work::{Act as Done, Channel, What};

/// 23 November 2026, 10:00 in Shanghai.
pub const MORNING_MS: i64 = 1_795_399_200_000;

/// The mails that were sent.
#[derive(Default)]
pub struct Mailbox {
    pub mails: Mutex<Vec<Message>>,
    pub failures: Mutex<Vec<MailFailure>>,
}

#[async_trait]
impl MailTransport for Mailbox {
    async fn send(&self, message: &Message) -> Result<(), MailFailure> {
        if let Some(failure) = self.failures.lock().pop() {
            return Err(failure);
        }
        self.mails.lock().push(message.clone());
        Ok(())
    }
}

impl Mailbox {
    pub fn to(&self, address: &str) -> Vec<Message> {
        self.mails
            .lock()
            .iter()
            .filter(|mail| mail.to == address)
            .cloned()
            .collect()
    }

    /// The token in the last mail to an address.
    pub fn token(&self, address: &str) -> String {
        let mails = self.to(address);
        let text = &mails.last().expect("a mail came").text;
        let (_, rest) = text.split_once("/link/").expect("the mail has a link");
        rest.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
            .collect()
    }
}

/// `callee.send`: an act that answers with what a test queued, and notes keys and what it was sent.
pub struct Callee {
    signature: Signature,
    pub calls: Mutex<Vec<(String, Value, u32)>>,
    pub answers: Mutex<Vec<Result<Value, Failure>>>,
    pub revealed: Mutex<Vec<Value>>,
}

impl Default for Callee {
    fn default() -> Callee {
        Callee {
            signature: Signature::new("callee.send", Kind::Act, Title::new("发送", "Send")),
            calls: Mutex::default(),
            answers: Mutex::default(),
            revealed: Mutex::default(),
        }
    }
}

#[async_trait]
impl Act for Callee {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn perform(&self, args: &Value, call: &ActCall<'_>) -> Result<Value, Failure> {
        self.calls
            .lock()
            .push((call.key.to_owned(), args.clone(), call.attempt));
        let shown = tongban_expr::secret::reveal(args, call.nonce, &|name| {
            call.secrets
                .reveal(name)
                .and_then(|value| value.as_str().map(str::to_owned))
        });
        self.revealed
            .lock()
            .push(shown.map_err(|error| Failure::configuration(error.to_string()))?);
        self.answers
            .lock()
            .pop()
            .unwrap_or_else(|| Ok(value!({ "ok": true })))
    }
}

struct Shared(Arc<Callee>);

#[async_trait]
impl Act for Shared {
    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    async fn perform(&self, args: &Value, call: &ActCall<'_>) -> Result<Value, Failure> {
        self.0.perform(args, call).await
    }
}

/// `counter.add`: a write that adds one to a record, from what is committed.
struct CounterAdd(Signature);

#[async_trait]
impl Write for CounterAdd {
    fn signature(&self) -> &Signature {
        &self.0
    }

    async fn prepare(&self, args: &Value, call: &Call<'_>) -> Result<Prepared, Failure> {
        let id = args
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or("one")
            .to_owned();
        let pending = call.pending("counters", &id);
        let found = call
            .ports
            .records
            .get("counters", std::slice::from_ref(&id))
            .await?
            .pop();
        let base_version = found.as_ref().map(|record| record.version);
        let body = pending
            .map(|write| write.body.clone())
            .or_else(|| found.map(|record| record.body));
        let count = body
            .as_ref()
            .and_then(|body| body.get("count"))
            .and_then(Value::as_i64)
            .unwrap_or(0)
            + 1;
        let write = RecordWrite {
            register: "counters".to_owned(),
            id,
            base_version,
            mode: RecordMode::Put,
            unit: None,
            body: value!({ "count": (count) }),
            keys: Vec::new(),
            provenance: Provenance::default(),
            mark: None,
            lock: None,
            history: false,
        };
        Ok(Prepared {
            value: value!({ "count": (count) }),
            records: vec![write],
            ..Prepared::default()
        })
    }
}

/// `counter.get`: a read of the same.
struct CounterGet(Signature);

#[async_trait]
impl Read for CounterGet {
    fn signature(&self) -> &Signature {
        &self.0
    }

    async fn read(&self, args: &Value, call: &Call<'_>) -> Result<Answer, Failure> {
        let id = args
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or("one")
            .to_owned();
        let found = call.ports.records.get("counters", &[id]).await?.pop();
        Ok(Answer::from(
            found.map_or(value!({ "count": 0 }), |record| record.body),
        ))
    }
}

/// One secret.
pub struct OneSecret;

/// What must be found nowhere in the database.
pub const CANARY: &str = "canary-5c1f2b7e";

impl Secrets for OneSecret {
    fn reveal(&self, name: &str) -> Option<Value> {
        (name == "token").then(|| Value::from(CANARY))
    }
}

pub struct Site {
    pub runtime: Runtime,
    pub clock: Arc<VirtualClock>,
    pub mailbox: Arc<Mailbox>,
    pub callee: Arc<Callee>,
    pub store: Store,
}

pub fn organisation() -> Organisation {
    organisation_with(0)
}

/// Li Na starts, Zhao Min and Wang Lei approve, Chen Jie heads the bureau; and so many signers.
pub fn organisation_with(signers: usize) -> Organisation {
    let mut people = vec![
        person("li-na", "李娜", "transport", "clerk"),
        person("zhao-min", "赵敏", "data", "approver"),
        person("wang-lei", "王磊", "data", "approver"),
        person("chen-jie", "陈洁", "data", "administrator"),
    ];
    people.extend((0..signers).map(|n| person(&format!("signer-{n}"), "签字人", "data", "signer")));
    let file = value!({
        "levels": [{ "id": "city", "title": "市" }, { "id": "department", "title": "部门" }],
        "units": [
            { "id": "city", "name": "市", "level": "city" },
            { "id": "data", "name": "数据局", "level": "department", "parent": "city" },
            { "id": "transport", "name": "交通局", "level": "department", "parent": "city" }
        ],
        "people": (Value::from(people))
    });
    let file: OrganisationFile =
        serde_json::from_str(&file.to_json()).expect("the organisation's file");
    Organisation::build(&file, &[] as &[CalendarFile]).expect("the organisation")
}

fn person(id: &str, name: &str, unit: &str, role: &str) -> Value {
    value!({ "id": (id), "name": (name), "unit": (unit), "email": (format!("{id}@example.org")), "roles": [ (role) ] })
}

pub async fn memory() -> Store {
    Store::open(&Options::new("sqlite::memory:"))
        .await
        .expect("a store in memory")
}

pub async fn memory_with(faults: Arc<dyn Faults>) -> Store {
    let options = Options {
        faults: Some(faults),
        ..Options::new("sqlite::memory:")
    };
    Store::open(&options).await.expect("a store in memory")
}

impl Site {
    pub async fn new() -> Site {
        Site::on(memory().await, 1, organisation()).await
    }

    /// A node on a store; another seed for another node.
    pub async fn on(store: Store, seed: u64, organisation: Organisation) -> Site {
        Site::at(
            store,
            seed,
            organisation,
            Arc::new(VirtualClock::at(MORNING_MS)),
        )
        .await
    }

    pub async fn at(
        store: Store,
        seed: u64,
        organisation: Organisation,
        clock: Arc<VirtualClock>,
    ) -> Site {
        let (mailbox, callee) = (Arc::new(Mailbox::default()), Arc::new(Callee::default()));
        let runtime = Runtime::inline(parts(&store, seed, organisation, &clock, &mailbox, &callee))
            .await
            .expect("a node");
        Site {
            runtime,
            clock,
            mailbox,
            callee,
            store,
        }
    }

    /// The same site after its node was killed: nothing of the old one's memory is left.
    pub async fn killed(self, seed: u64) -> Site {
        let Site {
            runtime,
            clock,
            mailbox,
            callee,
            store,
        } = self;
        drop(runtime);
        let parts = parts(&store, seed, organisation(), &clock, &mailbox, &callee);
        let runtime = Runtime::inline(parts).await.expect("a node");
        Site {
            runtime,
            clock,
            mailbox,
            callee,
            store,
        }
    }

    pub async fn publish(&self, document: &str) {
        self.publish_with(document, &[]).await;
    }

    pub async fn publish_with(&self, document: &str, files: &[(&str, &str)]) {
        let publication = publication(document, files);
        self.runtime
            .publish(&publication, "test")
            .await
            .expect("the pack is published");
    }

    pub async fn start(&self, workflow: &str, input: Value) -> Started {
        self.runtime
            .start(start(workflow, input))
            .await
            .expect("the instance starts")
    }

    pub async fn idle(&self) {
        self.runtime.run_until_idle().await.expect("the jobs run");
    }

    /// Moves the clock and does what came due.
    pub async fn after(&self, millis: i64) {
        self.clock.advance(millis);
        self.idle().await;
    }

    pub async fn decide(
        &self,
        instance: &str,
        n: u32,
        who: &str,
        outcome: &str,
    ) -> Result<tongban_runtime::Acted, tongban_runtime::RuntimeError> {
        self.runtime
            .act(
                instance,
                decision(n, who, outcome),
                Caller::person(who, None, Channel::Console),
            )
            .await
    }

    pub async fn status(&self, instance: &str) -> String {
        self.store
            .instance_head(instance)
            .await
            .expect("heads can be read")
            .expect("the instance is there")
            .status
    }

    pub async fn output(&self, instance: &str) -> Value {
        let head = self
            .store
            .instance_head(instance)
            .await
            .expect("heads can be read")
            .expect("the instance is there");
        head.output.map_or(Value::Null, |text| {
            Value::from_json(&text).expect("an output")
        })
    }

    /// Every invariant of the tables.
    pub async fn sound(&self) {
        let broken = self
            .store
            .invariants_broken()
            .await
            .expect("invariants can be asked");
        assert_eq!(broken, Vec::<String>::new());
        let stranded = self
            .store
            .instances_stranded("", 10)
            .await
            .expect("stranded instances can be asked");
        assert_eq!(stranded, Vec::<String>::new());
    }
}

pub fn parts(
    store: &Store,
    seed: u64,
    organisation: Organisation,
    clock: &Arc<VirtualClock>,
    mailbox: &Arc<Mailbox>,
    callee: &Arc<Callee>,
) -> Parts {
    let plugin = Plugin::new("test")
        .act(Shared(Arc::clone(callee)))
        .write(CounterAdd(Signature::new(
            "counter.add",
            Kind::Write,
            Title::new("加", "Add"),
        )))
        .read(CounterGet(Signature::new(
            "counter.get",
            Kind::Read,
            Title::new("读", "Get"),
        )));
    Parts {
        plugins: vec![plugin],
        secrets: Arc::new(OneSecret),
        transport: Some(Arc::clone(mailbox) as Arc<dyn MailTransport>),
        link_keys: LinkKeys::new(vec![[7; 32]]),
        organisation,
        ..Parts::plain(
            store.clone(),
            Arc::clone(clock) as _,
            Arc::new(SeededIds::new(seed)),
        )
    }
}

pub fn start(workflow: &str, input: Value) -> Start {
    Start {
        workflow: workflow.to_owned(),
        version: None,
        input,
        caller: Caller::person("li-na", None, Channel::Api),
        idempotency_key: None,
        link: None,
    }
}

pub fn decision(n: u32, who: &str, outcome: &str) -> Done {
    let comment = (outcome != "approved").then(|| "不符合条件".to_owned());
    Done {
        n,
        round: None,
        who: who.to_owned(),
        for_whom: None,
        channel: Channel::Console,
        seen_digest: None,
        what: What::Decide {
            outcome: outcome.to_owned(),
            comment,
            reason: None,
            change: Value::Null,
            statement: None,
        },
    }
}

/// One workflow as a pack of its own.
pub fn publication(document: &str, files: &[(&str, &str)]) -> Publication {
    let parsed = tongban_dsl::parse(document);
    let definition = parsed
        .definition
        .unwrap_or_else(|| panic!("the workflow is readable: {:?}", parsed.diagnostics));
    let path = "workflows/workflow.yaml";
    let mut all: BTreeMap<String, Arc<str>> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), Arc::from(*text)))
        .collect();
    all.insert(path.to_owned(), Arc::from(document));
    let bundle = Bundle::new(
        &definition.reference(),
        &definition.document.version.value,
        path,
        all,
    );
    Publication {
        pack: definition.document.namespace.value.clone(),
        version: "1.0.0".to_owned(),
        bundles: vec![bundle],
        registers: Vec::new(),
        parameters: Value::Null,
        roles: Default::default(),
        rights: Vec::new(),
    }
}

/// A workflow in the namespace `test`, with these tasks.
pub fn workflow(name: &str, tasks: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0', title: 测试 }}\nevaluate: {{ language: rhai }}\ndo:\n{tasks}"
    )
}

pub const APPROVAL: &str = r#"
document: { dsl: '1.0.3', namespace: test, name: approval, version: '1.0.0', title: 申请 }
evaluate: { language: rhai }
do:
  - prepare: { set: { amount: '${ input.amount }' } }
  - review:
      metadata: { title: 审批 }
      call: approve
      with: { to: [{ user: zhao-min }] }
  - done: { set: { outcome: '${ input.outcome }' } }
"#;

/// A database of its own on the tests' PostgreSQL; `None` when that is told to be left out.
pub async fn fresh_database() -> Option<String> {
    use sqlx::{Connection, Executor};
    let base = match std::env::var("TONGBAN_TEST_POSTGRES") {
        Ok(skip) if skip == "skip" => return None,
        Ok(url) => url,
        Err(_) => panic!(
            "TONGBAN_TEST_POSTGRES is not set: run `export TONGBAN_TEST_POSTGRES=$(tests/postgres.sh start)`, \
             or set it to `skip` to leave PostgreSQL untested"
        ),
    };
    let name = format!("tongban_runtime_{}", uuid::Uuid::now_v7().simple());
    let mut admin = sqlx::PgConnection::connect(&base)
        .await
        .expect("TONGBAN_TEST_POSTGRES names a server that answers");
    admin
        .execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .expect("a database can be made");
    let (server, query) = base
        .split_once('?')
        .map_or((base.as_str(), String::new()), |(server, query)| {
            (server, format!("?{query}"))
        });
    let (server, _) = server.rsplit_once('/').expect("the URL names a database");
    Some(format!("{server}/{name}{query}"))
}
