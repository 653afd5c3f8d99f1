//! Lifecycle events: made when somebody wants them, in the instance's own commit, heard here and sent to the site's sink.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::sync::Arc;

use parking_lot::Mutex;
use support::{MORNING_MS, Site, memory, organisation, start, workflow};
use tongban_expr::{Value, value};
use tongban_plugin::{Failure, HttpPort, HttpRequest, HttpResponse, async_trait};
use tongban_runtime::{
    Caller, Level, Operate, Parts, Runtime, SeededIds, Settings, Sink, VirtualClock,
};
use tongban_store::{Event, Options, Store};
use tongban_work::Channel;

async fn stores() -> Vec<Store> {
    let mut stores = vec![memory().await];
    if let Some(url) = support::fresh_database().await {
        stores.push(Store::open(&Options::new(url)).await.unwrap());
    }
    stores
}

async fn all_events(store: &Store) -> Vec<Event> {
    let mut events = Vec::new();
    for seq in 1..200 {
        events.extend(store.event(seq).await.unwrap());
    }
    events
}

/// Types without what all of them have.
async fn types(store: &Store) -> Vec<String> {
    let short = |event: Event| {
        let name = event.event_type.replace("io.serverlessworkflow.", "");
        name.trim_end_matches(".v1").to_owned()
    };
    all_events(store).await.into_iter().map(short).collect()
}

struct Outside(Mutex<Vec<HttpRequest>>, Mutex<Vec<u16>>);

#[async_trait]
impl HttpPort for Outside {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        self.0.lock().push(request);
        let status = self.1.lock().pop().unwrap_or(204);
        Ok(HttpResponse {
            status,
            ..HttpResponse::default()
        })
    }
}

async fn node(
    store: Store,
    settings: Settings,
    http: Arc<dyn HttpPort>,
) -> (Runtime, Arc<VirtualClock>) {
    let clock = Arc::new(VirtualClock::at(MORNING_MS));
    let parts = Parts {
        settings,
        http,
        secrets: Arc::new(support::OneSecret),
        organisation: organisation(),
        ..Parts::plain(store, clock.clone(), Arc::new(SeededIds::new(1)))
    };
    (Runtime::inline(parts).await.unwrap(), clock)
}

fn outside() -> Arc<Outside> {
    Arc::new(Outside(Mutex::default(), Mutex::default()))
}

const TWO: &str = "
  - first: { set: { n: 1 } }
  - second: { if: 'input.n == 2', set: { n: 3 } }
";

#[tokio::test]
async fn nobody_wants_them_and_none_are_made() {
    let site = Site::new().await;
    site.publish(&workflow("two", TWO)).await;
    site.start("test/two", value!({})).await;
    site.idle().await;
    assert_eq!(types(&site.store).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_site_says_a_level() {
    for (level, expected) in [
        (Level::None, vec![]),
        (
            Level::Workflows,
            vec!["workflow.started", "workflow.completed"],
        ),
        (
            Level::Tasks,
            vec![
                "workflow.started",
                "task.created",
                "task.started",
                "task.completed",
                "task.created",
                "workflow.completed",
            ],
        ),
    ] {
        let settings = Settings {
            lifecycle: level,
            ..Settings::default()
        };
        let store = memory().await;
        let (runtime, _) = node(store.clone(), settings, outside()).await;
        let publication = support::publication(&workflow("two", TWO), &[]);
        runtime.publish(&publication, "test").await.unwrap();
        let started = runtime.start(start("test/two", value!({}))).await.unwrap();
        runtime.run_until_idle().await.unwrap();
        assert_eq!(types(&store).await, expected, "{level:?}");
        if level != Level::Tasks {
            continue;
        }
        let events = all_events(&store).await;
        let body = |n: usize| Value::from_json(&events[n].body).unwrap();
        let name = format!("two-{}.test", started.id);
        let first = body(0);
        assert_eq!(
            first.get("data"),
            Some(&value!({
                "name": (name.as_str()),
                "definition": { "name": "two", "namespace": "test", "version": "1.0.0" },
                "startedAt": (first.text("time").unwrap()),
            }))
        );
        assert_eq!(first.text("subject"), Some(started.id.as_str()));
        assert_eq!(first.text("specversion"), Some("1.0"));
        let task = body(2);
        assert_eq!(task.at("data.workflow"), Some(&Value::from(name)));
        assert_eq!(task.at("data.task"), Some(&value!("/do/0/first")));
        assert!(task.at("data.startedAt").is_some());
        assert_eq!(body(5).at("data.output"), Some(&value!({ "n": 1 })));
    }
}

/// The parent listens to the end of the child that it starts beside; both ways of storing.
#[tokio::test]
async fn a_listener_hears_of_a_sub_process() {
    for store in stores().await {
        let site = Site::on(store, 1, organisation()).await;
        site.publish(&workflow(
            "child",
            "  - nap: { wait: { seconds: 5 } }\n  - fail: { raise: { error: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/runtime', status: 500, title: broken } } }\n",
        ))
        .await;
        let tasks = "
  - both:
      fork:
        branches:
          - heard:
              listen:
                to: { one: { with: { type: io.serverlessworkflow.workflow.faulted.v1 } } }
          - child: { run: { workflow: { namespace: test, name: child, version: latest }, await: false } }
  - done: { set: { heard: '${ input[0][0] }' } }
";
        site.publish(&workflow("parent", tasks)).await;
        let started = site.start("test/parent", value!({})).await;
        site.idle().await;
        assert_eq!(site.status(&started.id).await, "running");
        site.after(5_000).await;
        assert_eq!(site.status(&started.id).await, "completed");
        let heard = site.output(&started.id).await;
        assert_eq!(heard.at("heard.error.title"), Some(&value!("broken")));
        let name = heard.at("heard.name").and_then(Value::as_str).unwrap();
        assert!(
            name.starts_with("child-") && name.ends_with(".test"),
            "{name}"
        );
        // Only what somebody names was made.
        assert_eq!(types(&site.store).await, ["workflow.faulted"]);
        site.sound().await;
    }
}

#[tokio::test]
async fn an_instance_hears_nothing_of_itself_and_a_workflow_does_not_start_itself() {
    let site = Site::new().await;
    let tasks = "
  - heard: { listen: { to: { one: { with: { type: io.serverlessworkflow.task.started.v1 } } } } }
";
    site.publish(&workflow("deaf", tasks)).await;
    let deaf = site.start("test/deaf", value!({})).await;
    site.idle().await;
    assert_eq!(site.status(&deaf.id).await, "running");
    let on = workflow("again", "  - one: { set: { n: 1 } }\n").replace(
        "do:\n",
        "schedule: { on: { one: { with: { type: io.serverlessworkflow.workflow.completed.v1 } } } }\ndo:\n",
    );
    site.publish(&on).await;
    site.publish(&workflow("two", TWO)).await;
    site.start("test/two", value!({})).await;
    site.idle().await;
    let completed = types(&site.store).await;
    let completed = completed
        .iter()
        .filter(|name| *name == "workflow.completed");
    // Of `two` and `deaf`, which heard the tasks of `two`, and of the two that they started; no more.
    assert_eq!(completed.count(), 4);
    assert_eq!(site.status(&deaf.id).await, "completed");
    site.sound().await;
}

#[tokio::test]
async fn a_listener_to_everything_means_the_world_outside() {
    let settings = Settings {
        lifecycle: Level::Tasks,
        ..Settings::default()
    };
    let (runtime, _) = node(memory().await, settings, outside()).await;
    let any = workflow("any", "  - heard: { listen: { to: { any: [] } } }\n");
    for document in [any, workflow("two", TWO)] {
        let publication = support::publication(&document, &[]);
        runtime.publish(&publication, "test").await.unwrap();
    }
    let any = runtime.start(start("test/any", value!({}))).await.unwrap();
    runtime.start(start("test/two", value!({}))).await.unwrap();
    runtime.run_until_idle().await.unwrap();
    let case = runtime.case(&any.id).await.unwrap();
    assert!(!case.instance.status().has_ended());
}

#[tokio::test]
async fn suspended_and_resumed_with_the_tasks_that_wait() {
    let settings = Settings {
        lifecycle: Level::Tasks,
        ..Settings::default()
    };
    let store = memory().await;
    let (runtime, clock) = node(store.clone(), settings, outside()).await;
    let document = workflow("nap", "  - nap: { wait: { hours: 1 } }\n");
    let publication = support::publication(&document, &[]);
    runtime.publish(&publication, "test").await.unwrap();
    let started = runtime.start(start("test/nap", value!({}))).await.unwrap();
    let operator = || Caller::person("chen-jie", None, Channel::Console);
    for operate in [Operate::Suspend, Operate::Resume, Operate::Cancel] {
        runtime
            .operate(&started.id, operate, "because", operator())
            .await
            .unwrap();
        clock.advance(1_000);
        runtime.run_until_idle().await.unwrap();
    }
    assert_eq!(
        types(&store).await,
        [
            "workflow.started",
            "task.created",
            "task.started",
            "workflow.suspended",
            "task.suspended",
            "workflow.resumed",
            "task.resumed",
            "task.cancelled",
            "workflow.cancelled",
        ]
    );
}

fn to_sink(outputs: bool) -> Settings {
    Settings {
        lifecycle: Level::Workflows,
        sink: Some(Sink {
            uri: "https://sink.example/events".to_owned(),
            secret: Some("token".to_owned()),
            emitted: true,
            outputs,
            keep_ms: 86_400_000,
        }),
        ..Settings::default()
    }
}

/// In order, each at least once, with pauses while the sink is down; on both databases.
#[tokio::test]
async fn the_sink_gets_what_the_site_asks_for() {
    for store in stores().await {
        let outside = outside();
        let (runtime, clock) = node(store.clone(), to_sink(false), outside.clone()).await;
        let document = workflow(
            "tell",
            "  - tell: { emit: { event: { with: { source: 'https://here', type: told, data: { n: 1 } } } } }\n  - done: { set: { n: 2 } }\n",
        );
        let publication = support::publication(&document, &[]);
        runtime.publish(&publication, "test").await.unwrap();
        outside.1.lock().push(503);
        runtime.start(start("test/tell", value!({}))).await.unwrap();
        runtime.run_until_idle().await.unwrap();
        assert_eq!(
            outside.0.lock().len(),
            1,
            "it rests after the first refusal"
        );
        clock.advance(1_500);
        runtime.run_until_idle().await.unwrap();
        let sent = std::mem::take(&mut *outside.0.lock());
        let bodies: Vec<Value> = sent
            .iter()
            .map(|request| Value::from_json_bytes(&request.body).unwrap())
            .collect();
        let names: Vec<&str> = bodies.iter().filter_map(|body| body.text("type")).collect();
        assert_eq!(
            names,
            [
                "io.serverlessworkflow.workflow.started.v1",
                "io.serverlessworkflow.workflow.started.v1",
                "io.serverlessworkflow.workflow.completed.v1",
                // Events of one commit are in order by source only.
                "told",
            ]
        );
        assert_eq!(bodies[0], bodies[1], "the same again under the same id");
        let last = &bodies[2];
        assert!(last.at("data.completedAt").is_some());
        assert_eq!(last.at("data.output"), None, "outputs stay here");
        let headers = &sent[0].headers;
        let header = |name: &str| headers.iter().find(|(known, _)| known == name).cloned();
        assert!(
            header("content-type")
                .unwrap()
                .1
                .starts_with("application/cloudevents+json")
        );
        assert_eq!(
            header("authorization").unwrap().1,
            format!("Bearer {}", support::CANARY)
        );
        assert!(store.events_unsent(10).await.unwrap().is_empty());
        runtime.run_until_idle().await.unwrap();
        assert!(outside.0.lock().is_empty());
    }
}

#[tokio::test]
async fn another_node_has_the_sink() {
    let store = memory().await;
    let outside = outside();
    let (runtime, clock) = node(store.clone(), to_sink(true), outside.clone()).await;
    let publication = support::publication(&workflow("two", TWO), &[]);
    runtime.publish(&publication, "test").await.unwrap();
    let mut change = tongban_store::Change::without_instance(MORNING_MS);
    change.keys.push(tongban_store::KeyRow {
        scope: "sink".to_owned(),
        value: "lease".to_owned(),
        digest: "node-2".to_owned(),
        instance_id: None,
        answer: None,
        expires_at_ms: Some(MORNING_MS + 60_000),
    });
    store.commit_one(change).await.unwrap();
    runtime.start(start("test/two", value!({}))).await.unwrap();
    runtime.run_until_idle().await.unwrap();
    assert!(outside.0.lock().is_empty());
    clock.advance(61_000);
    runtime.run_until_idle().await.unwrap();
    let sent = outside.0.lock();
    assert_eq!(sent.len(), 2);
    let last = Value::from_json_bytes(&sent[1].body).unwrap();
    assert_eq!(last.at("data.output"), Some(&value!({ "n": 1 })));
}

#[tokio::test]
async fn a_listener_that_correlates_says_by_what() {
    let settings = Settings {
        lifecycle: Level::Workflows,
        ..Settings::default()
    };
    let store = memory().await;
    let (runtime, _) = node(store.clone(), settings, outside()).await;
    let tasks = "
  - paid:
      listen:
        to:
          one:
            with: { type: paid }
            correlate: { order: { from: 'input.data.order', expect: '${ workflow.input.order }' } }
";
    let publication = support::publication(&workflow("order", tasks), &[]);
    runtime.publish(&publication, "test").await.unwrap();
    runtime
        .start(start("test/order", value!({ "order": 7 })))
        .await
        .unwrap();
    let paid = value!({ "specversion": "1.0", "id": "1", "source": "https://shop", "type": "paid", "data": { "order": 7 } });
    runtime.receive(paid, Caller::system()).await.unwrap();
    runtime.run_until_idle().await.unwrap();
    let events = all_events(&store).await;
    let of = |name: &str| {
        let event = events
            .iter()
            .find(|event| event.event_type == format!("io.serverlessworkflow.workflow.{name}.v1"));
        Value::from_json(&event.unwrap_or_else(|| panic!("{name} is told")).body).unwrap()
    };
    assert!(of("correlation-started").at("data.startedAt").is_some());
    assert_eq!(
        of("correlation-completed").at("data.correlationKeys.order"),
        Some(&value!(7))
    );
}
