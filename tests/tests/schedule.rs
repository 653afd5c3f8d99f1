//! `schedule`: what starts a workflow by itself. `tongban run` starts one instance at once, so a node under a virtual clock
//! shows these; each test quotes the sentence of the reference that it shows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails loudly"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_expr::{Value, value};
use tongban_runtime::pack::{Bundle, Publication};
use tongban_runtime::{Caller, Parts, Runtime, SeededIds, Start, VirtualClock};
use tongban_store::{Filter, Options, Seen, Store};

/// 23 November 2026, 10:00 in Shanghai.
const MORNING_MS: i64 = 1_795_399_200_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

struct Site {
    runtime: Runtime,
    clock: Arc<VirtualClock>,
}

impl Site {
    /// A node that has published a workflow with these blocks.
    async fn with(metadata: &str, schedule: &str, tasks: &str) -> Self {
        let clock = Arc::new(VirtualClock::at(MORNING_MS));
        let store = Store::open(&Options::new("sqlite::memory:")).await.unwrap();
        let ids = Arc::new(SeededIds::new(7));
        let runtime = Runtime::inline(Parts::plain(store, clock.clone(), ids))
            .await
            .unwrap();
        let source = format!(
            "document: {{ dsl: '1.0.3', namespace: test, name: scheduled, version: '1.0.0', metadata: {metadata} }}\n\
             schedule: {schedule}\ndo: {tasks}\n"
        );
        let path = "workflow.yaml".to_owned();
        let files = BTreeMap::from([(path.clone(), Arc::from(source.as_str()))]);
        let bundle = Bundle::new("test/scheduled", "1.0.0", &path, files);
        runtime
            .publish(&Publication::of_bundle(bundle), "test")
            .await
            .unwrap();
        let site = Self { runtime, clock };
        site.idle().await;
        site
    }

    async fn idle(&self) {
        self.runtime.run_until_idle().await.unwrap();
    }

    /// Lets time pass, and the timers with it one by one.
    async fn pass(&self, millis: i64) {
        let end = tongban_runtime::Clock::now_ms(self.clock.as_ref()) + millis;
        while let Some(due) = self
            .runtime
            .next_due_ms()
            .await
            .unwrap()
            .filter(|due| *due <= end)
        {
            self.clock.advance_to(due);
            self.idle().await;
        }
        self.clock.advance_to(end);
        self.idle().await;
    }

    /// Minutes after the beginning at which instances were started, with the status and the output of each, oldest first.
    async fn started(&self) -> Vec<(i64, String, Option<Value>)> {
        let filter = Filter {
            workflow: Some("test/scheduled".to_owned()),
            ..Filter::default()
        };
        let rows = self
            .runtime
            .store()
            .instances(Seen::All, &filter, None, 100)
            .await
            .unwrap();
        let mut started: Vec<_> = rows
            .into_iter()
            .map(|row| {
                let output = row
                    .output
                    .as_deref()
                    .map(|text| Value::from_json(text).unwrap());
                (
                    (row.started_at_ms - MORNING_MS) / MINUTE_MS,
                    row.status,
                    output,
                )
            })
            .collect();
        started.sort_by_key(|(at, ..)| *at);
        started
    }

    async fn times(&self) -> Vec<i64> {
        self.started()
            .await
            .into_iter()
            .map(|(at, ..)| at)
            .collect()
    }

    async fn start(&self) {
        let start = Start {
            workflow: "test/scheduled".to_owned(),
            version: None,
            input: value!({}),
            caller: Caller::system(),
            idempotency_key: None,
            link: None,
        };
        self.runtime.start(start).await.unwrap();
        self.idle().await;
    }

    async fn hears(&self, id: &str, kind: &str, data: i64) {
        let event = value!({ "specversion": "1.0", "id": (id), "source": "https://x.org", "type": (kind), "data": (data) });
        self.runtime.receive(event, Caller::system()).await.unwrap();
        self.idle().await;
    }
}

/// "Specifies the duration of the interval at which the workflow should be executed. Unlike `after`, this option will run
/// the workflow regardless of whether the previous run is still in progress."
#[tokio::test]
async fn every_starts_at_its_interval_whether_or_not_the_last_run_has_ended() {
    let site = Site::with(
        "{}",
        "{ every: { minutes: 10 } }",
        "[ { w: { wait: PT25M } } ]",
    )
    .await;
    site.pass(32 * MINUTE_MS).await;
    let started = site.started().await;
    let times: Vec<i64> = started.iter().map(|(at, ..)| *at).collect();
    assert_eq!(times, [10, 20, 30]);
    assert!(
        started.iter().all(|(_, status, _)| status != "completed"),
        "{started:?}"
    );
    site.pass(4 * MINUTE_MS).await;
    assert_eq!(site.started().await[0].1, "completed");
}

/// "Specifies the schedule using a CRON expression, e.g., '0 0 * * *' for daily at midnight."
#[tokio::test]
async fn cron_starts_at_its_times_in_the_zone_of_the_document() {
    let site = Site::with(
        "{ timeZone: Asia/Shanghai }",
        "{ cron: '30 2 * * *' }",
        "[ { a: { set: { n: 1 } } } ]",
    )
    .await;
    site.pass(48 * HOUR_MS).await;
    // 10:00 to 02:30 are 16 hours and a half.
    assert_eq!(site.times().await, [16 * 60 + 30, 40 * 60 + 30]);
}

/// "Specifies a delay duration that the workflow must wait before starting again after it completes. In other words, when
/// this workflow completes, it should run again after the specified amount of time."
#[tokio::test]
async fn after_starts_again_so_long_after_the_last_run_ended() {
    let site = Site::with(
        "{}",
        "{ after: { minutes: 5 } }",
        "[ { w: { wait: PT3M } } ]",
    )
    .await;
    if site.times().await.is_empty() {
        site.start().await;
    }
    let first = site.times().await[0];
    site.pass(20 * MINUTE_MS).await;
    assert_eq!(site.times().await, [first, first + 8, first + 16]);
}

/// "Specifies the events that trigger the workflow execution." "In event-driven scheduled workflows, the input is structured
/// as an array containing the events that trigger the execution of the workflow."
#[tokio::test]
async fn on_starts_for_each_event_with_a_list_of_it() {
    let tasks = "[ { a: { set: '${ [($workflow.input | length), $workflow.input[0].data, $workflow.input[0].type] }' } } ]";
    let site = Site::with("{}", "{ on: { one: { with: { type: org.x.a } } } }", tasks).await;
    site.hears("1", "org.x.a", 5).await;
    site.hears("2", "org.x.b", 6).await;
    site.hears("3", "org.x.a", 7).await;
    let outputs: Vec<Option<Value>> = site
        .started()
        .await
        .into_iter()
        .map(|(.., output)| output)
        .collect();
    assert_eq!(outputs.len(), 2);
    assert!(
        outputs.contains(&Some(value!([1, 5, "org.x.a"]))),
        "{outputs:?}"
    );
    assert!(
        outputs.contains(&Some(value!([1, 7, "org.x.a"]))),
        "{outputs:?}"
    );
}

/// "When an event activates the workflow, it populates this array with one or more occurrences, allowing authors to process
/// multiple events simultaneously as needed."
#[tokio::test]
async fn on_all_starts_once_for_its_events_together() {
    let schedule = "{ on: { all: [ { with: { type: org.x.a } }, { with: { type: org.x.b } } ] } }";
    let site = Site::with(
        "{}",
        schedule,
        "[ { a: { set: '${ $workflow.input | map(.data) | sort }' } } ]",
    )
    .await;
    site.hears("1", "org.x.a", 5).await;
    assert!(site.started().await.is_empty());
    site.hears("2", "org.x.b", 6).await;
    site.hears("3", "org.x.b", 7).await;
    site.hears("4", "org.x.a", 8).await;
    let mut outputs: Vec<String> = site
        .started()
        .await
        .iter()
        .map(|(.., output)| output.as_ref().unwrap().to_json())
        .collect();
    outputs.sort();
    assert_eq!(outputs, ["[5,6]", "[7,8]"]);
}

/// "Required when no other property has been set", and `any`: each of the events starts one.
#[tokio::test]
async fn on_any_starts_for_whichever_comes() {
    let schedule = "{ on: { any: [ { with: { type: org.x.a } }, { with: { type: org.x.b } } ] } }";
    let site = Site::with(
        "{}",
        schedule,
        "[ { a: { set: '${ $workflow.input[0].data }' } } ]",
    )
    .await;
    site.hears("1", "org.x.b", 5).await;
    site.hears("2", "org.x.a", 6).await;
    assert_eq!(site.started().await.len(), 2);
}

/// Ticks that nobody could take: left out unless the document says `once` or `all`.
#[tokio::test]
async fn ticks_that_were_missed_are_caught_up_as_the_document_says() {
    for (policy, wanted) in [("{}", 0), ("{ catchUp: once }", 1), ("{ catchUp: all }", 5)] {
        let site = Site::with(
            policy,
            "{ cron: '30 * * * *' }",
            "[ { a: { set: { n: 1 } } } ]",
        )
        .await;
        site.clock.advance(5 * HOUR_MS);
        site.idle().await;
        assert_eq!(site.started().await.len(), wanted, "{policy}");
    }
}
