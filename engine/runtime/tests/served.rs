//! Nodes as they are served: threads, committers, hints; one alone on a file, and two on one PostgreSQL when there is one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{
    CANARY, Mailbox, OneSecret, decision, organisation_with, publication, start, workflow,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tongban_expr::value;
use tongban_runtime::{
    Caller, LinkKeys, Parts, RandomIds, Runtime, RuntimeError, Settings, Start, SystemClock,
};
use tongban_store::{Options, Store};
use tongban_work::Channel;

struct Served {
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), RuntimeError>>,
}

impl Served {
    async fn new(store: Store, node: &str) -> Served {
        let parts = Parts {
            organisation: organisation_with(50),
            secrets: Arc::new(OneSecret),
            transport: Some(Arc::new(Mailbox::default())),
            link_keys: LinkKeys::new(vec![[7; 32]]),
            settings: Settings {
                node: node.to_owned(),
                ..Settings::default()
            },
            ..Parts::plain(store, Arc::new(SystemClock::new()), Arc::new(RandomIds))
        };
        let runtime = Runtime::served(parts, 2).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let node = runtime.clone();
        let serving = tokio::spawn(async move {
            node.serve(async {
                let _ = stopped.await;
            })
            .await
        });
        Served {
            runtime,
            stop,
            serving,
        }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }

    /// Waits until an instance has ended, as a caller that polls would.
    async fn ended(&self, instance: &str) -> String {
        for _ in 0..600 {
            let head = self
                .runtime
                .store()
                .instance_head(instance)
                .await
                .unwrap()
                .unwrap();
            if head.ended_at_ms.is_some() {
                return head.status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the instance {instance} does not end");
    }
}

const VOTE: &str = "
  - vote: { call: approve, with: { to: [{ role: signer, unit: data }], mode: all } }
  - nap: { wait: { milliseconds: 200 } }
  - child: { run: { workflow: { namespace: test, name: small, version: latest, input: {} } } }
  - done: { set: { outcome: fine } }
";

const SMALL: &str = "  - nap: { wait: { milliseconds: 100 } }\n  - done: { set: { ok: true } }\n";

async fn vote(one: &Served, two: &Served) -> String {
    one.runtime
        .publish(&publication(&workflow("small", SMALL), &[]), "test")
        .await
        .unwrap();
    one.runtime
        .publish(&publication(&workflow("vote", VOTE), &[]), "test")
        .await
        .unwrap();
    let request = Start {
        caller: Caller::person("li-na", None, Channel::Api),
        ..start("test/vote", value!({}))
    };
    let started = one.runtime.start(request).await.unwrap();
    let deciding = (0..50).map(|n| {
        let runtime = if n % 2 == 0 {
            one.runtime.clone()
        } else {
            two.runtime.clone()
        };
        let id = started.id.clone();
        tokio::spawn(async move {
            let who = format!("signer-{n}");
            loop {
                let caller = Caller::person(&who, None, Channel::Api);
                match runtime
                    .act(&id, decision(1, &who, "approved"), caller)
                    .await
                {
                    Err(RuntimeError::Busy { .. }) => {
                        tokio::time::sleep(Duration::from_millis(20)).await
                    }
                    other => return other.map(|_| ()),
                }
            }
        })
    });
    for decided in futures_util::future::join_all(deciding).await {
        decided.unwrap().unwrap();
    }
    started.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packs_may_be_published_before_the_node_is_served() {
    let parts = Parts {
        organisation: organisation_with(0),
        ..Parts::plain(
            support::memory().await,
            Arc::new(SystemClock::new()),
            Arc::new(RandomIds),
        )
    };
    let runtime = Runtime::served(parts, 1).await.unwrap();
    let published = runtime
        .publish(&publication(&workflow("small", SMALL), &[]), "test")
        .await
        .unwrap();
    assert!(!published[0].already);
}

async fn check(store: &Store, instance: &str) {
    assert_eq!(store.decisions(instance).await.unwrap().len(), 50);
    assert_eq!(
        store
            .instance_children(instance, "", 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        store.invariants_broken().await.unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(
        store.instances_stranded("", 10).await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_served_node_on_a_file_ends_what_it_began_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("site.db").display());
    let store = Store::open(&Options::new(&url)).await.unwrap();
    let one = Served::new(store.clone(), "one").await;
    let id = vote(&one, &one).await;
    // Stopped in the middle of timers and children; another life takes them up.
    one.stop().await;
    store.close().await;
    drop(store);
    let store = Store::open(&Options::new(&url)).await.unwrap();
    let two = Served::new(store.clone(), "two").await;
    assert_eq!(two.ended(&id).await, "completed");
    check(&store, &id).await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_in_no_byte_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = Store::open(&Options::new(format!("sqlite://{}", path.display())))
        .await
        .unwrap();
    let (mailbox, callee) = (
        Arc::new(Mailbox::default()),
        Arc::new(support::Callee::default()),
    );
    let clock = Arc::new(tongban_runtime::VirtualClock::at(support::MORNING_MS));
    let parts = support::parts(
        &store,
        1,
        support::organisation(),
        &clock,
        &mailbox,
        &callee,
    );
    let runtime = Runtime::inline(parts).await.unwrap();
    let document = "
document: { dsl: '1.0.3', namespace: test, name: secret, version: '1.0.0' }
evaluate: { language: rhai }
use: { secrets: [token] }
do:
  - send: { call: callee.send, with: { authorization: '${ secrets.token }' } }
  - review: { call: approve, with: { to: [{ user: zhao-min }] } }
";
    runtime
        .publish(&publication(document, &[]), "test")
        .await
        .unwrap();
    runtime
        .start(start("test/secret", value!({})))
        .await
        .unwrap();
    runtime.run_until_idle().await.unwrap();
    assert_eq!(callee.revealed.lock().len(), 1);
    store.close().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(CANARY.len())
                .any(|window| window == CANARY.as_bytes())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_on_one_postgresql_share_the_work() {
    // `tests/run` starts a cluster of its own and says where it is.
    let Some(url) = support::fresh_database().await else {
        return;
    };
    let first = Store::open(&Options {
        node: "one".into(),
        ..Options::new(&url)
    })
    .await
    .unwrap();
    let second = Store::open(&Options {
        node: "two".into(),
        ..Options::new(&url)
    })
    .await
    .unwrap();
    let one = Served::new(first.clone(), "one").await;
    let two = Served::new(second.clone(), "two").await;
    let id = vote(&one, &two).await;
    assert_eq!(two.ended(&id).await, "completed");
    check(&first, &id).await;
    // One of them stops with work open: the other ends it.
    let id = {
        let request = Start {
            caller: Caller::person("li-na", None, Channel::Api),
            ..start("test/small", value!({}))
        };
        one.runtime.start(request).await.unwrap().id
    };
    one.stop().await;
    assert_eq!(two.ended(&id).await, "completed");
    two.stop().await;
}
