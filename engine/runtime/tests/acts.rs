//! Acts: intent first, performed at least once under one key, one outcome; what is written rides in the commit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use support::{CANARY, Site, workflow};
use tongban_core::{Jump, Target};
use tongban_expr::{Value, value};
use tongban_plugin::Failure;
use tongban_runtime::{Caller, Job, Operate, RuntimeError};
use tongban_work::Channel;

const SEND: &str = "
  - send: { call: callee.send, with: { text: '${ input.text }' } }
  - done: { set: { ok: '${ input.ok }' } }
";

fn operator() -> Caller {
    Caller::person("chen-jie", None, Channel::Console)
}

#[tokio::test]
async fn an_act_is_performed_after_its_intent_and_its_answer_goes_on() {
    let site = Site::new().await;
    site.publish(&workflow("send", SEND)).await;
    let started = site.start("test/send", value!({ "text": "hello" })).await;
    assert!(
        site.callee.calls.lock().is_empty(),
        "nothing leaves before the commit"
    );
    assert_eq!(site.store.acts_of(&started.id).await.unwrap().len(), 1);
    site.idle().await;
    assert_eq!(site.output(&started.id).await, value!({ "ok": true }));
    assert!(site.store.acts_of(&started.id).await.unwrap().is_empty());
    site.sound().await;
}

#[tokio::test]
async fn a_node_killed_with_an_act_in_flight_leaves_it_to_the_next_under_the_same_key() {
    let site = Site::new().await;
    site.publish(&workflow("send", SEND)).await;
    let started = site.start("test/send", value!({ "text": "hello" })).await;
    // The first node never got to it; its lease has to end first.
    let site = site.killed(2).await;
    site.idle().await;
    assert!(
        site.callee.calls.lock().is_empty(),
        "the lease is another node's"
    );
    site.after(31_000).await;
    let calls = site.callee.calls.lock().clone();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].2, 1, "the second attempt by its count");
    assert_eq!(site.status(&started.id).await, "completed");
    site.sound().await;
}

#[tokio::test]
async fn a_known_failure_is_retried_by_the_author_only_and_under_the_same_key() {
    let site = Site::new().await;
    let tasks = "
  - attempt:
      try:
        - send: { call: callee.send, with: { text: hello } }
      catch: { errors: { with: { status: 503 } }, retry: { delay: { seconds: 5 }, limit: { attempt: { count: 3 } } } }
  - done: { set: { ok: true } }
";
    site.publish(&workflow("again", tasks)).await;
    site.callee
        .answers
        .lock()
        .push(Err(Failure::communication("no").with_status(503)));
    let started = site.start("test/again", value!({})).await;
    site.idle().await;
    assert_eq!(site.status(&started.id).await, "running");
    site.after(5_000).await;
    assert_eq!(site.status(&started.id).await, "completed");
    let keys: Vec<String> = site
        .callee
        .calls
        .lock()
        .iter()
        .map(|(key, _, _)| key.clone())
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
    site.sound().await;
}

#[tokio::test]
async fn an_outcome_nobody_knows_becomes_an_incident_that_an_operator_resolves() {
    let site = Site::new().await;
    site.publish(&workflow("send", SEND)).await;
    let started = site.start("test/send", value!({ "text": "hello" })).await;
    // Five times a worker takes it and is never heard of again.
    for _ in 0..4 {
        site.clock.advance(31_000);
        let taken = site.runtime.acts_claim(&["callee.send"], 10).await.unwrap();
        assert_eq!(taken.len(), 1);
    }
    let site = site.killed(3).await;
    site.after(31_000).await;
    let incidents = site.store.incidents_of(&started.id).await.unwrap();
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert_eq!(incidents[0].kind, "outcome unknown");
    assert!(site.callee.calls.lock().is_empty(), "no sixth attempt");
    let resolve = Operate::ResolveAct {
        run_id: "send".into(),
        result: Ok(value!({ "ok": "by phone" })),
    };
    site.runtime
        .operate(&started.id, resolve, "asked them", operator())
        .await
        .unwrap();
    assert_eq!(site.output(&started.id).await, value!({ "ok": "by phone" }));
    site.sound().await;
}

#[tokio::test]
async fn an_answer_that_comes_when_nobody_waits_is_noted_and_never_delivered() {
    let site = Site::new().await;
    let tasks = "
  - send: { call: callee.send, with: { text: hello }, timeout: { after: { seconds: 10 } } }
";
    site.publish(&workflow("late", tasks)).await;
    let started = site.start("test/late", value!({})).await;
    let site = site.killed(2).await;
    site.clock.advance(31_000);
    let taken = site.runtime.acts_claim(&["callee.send"], 10).await.unwrap();
    site.runtime.run_job(Job::Wakes).await.unwrap();
    assert_eq!(site.status(&started.id).await, "faulted");
    let token = taken[0].token.clone().unwrap();
    let told = site
        .runtime
        .act_answer(&started.id, "send", &token, Ok(value!({ "ok": true })))
        .await;
    assert!(matches!(told, Err(RuntimeError::Ended)), "{told:?}");
    assert_eq!(site.status(&started.id).await, "faulted");
    site.sound().await;
}

#[tokio::test]
async fn a_suspended_instance_keeps_what_comes_and_takes_it_on_resuming() {
    let site = Site::new().await;
    let tasks = "
  - send: { call: callee.send, with: { text: hello } }
  - review: { call: approve, with: { to: [{ user: zhao-min }] } }
";
    site.publish(&workflow("stop", tasks)).await;
    let started = site.start("test/stop", value!({})).await;
    site.runtime
        .operate(
            &started.id,
            Operate::Suspend,
            "a complaint came",
            operator(),
        )
        .await
        .unwrap();
    site.idle().await;
    assert_eq!(site.status(&started.id).await, "suspended");
    assert_eq!(
        site.callee.calls.lock().len(),
        1,
        "what was taken is not recalled"
    );
    assert!(site.store.acts_of(&started.id).await.unwrap().is_empty());
    site.runtime
        .operate(&started.id, Operate::Resume, "settled", operator())
        .await
        .unwrap();
    site.idle().await;
    assert_eq!(site.status(&started.id).await, "running");
    site.runtime
        .operate(&started.id, Operate::Suspend, "another", operator())
        .await
        .unwrap();
    let refused = site.decide(&started.id, 1, "zhao-min", "approved").await;
    assert!(
        matches!(refused, Err(RuntimeError::Suspended)),
        "{refused:?}"
    );
    site.runtime
        .operate(&started.id, Operate::Resume, "settled", operator())
        .await
        .unwrap();
    site.decide(&started.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    assert_eq!(site.status(&started.id).await, "completed");
    let audit = site
        .store
        .audit_of(&started.id, i64::MAX, 10)
        .await
        .unwrap();
    assert_eq!(audit.len(), 4);
    site.sound().await;
}

#[tokio::test]
async fn cancelling_withdraws_what_was_not_taken_and_says_what_flies() {
    let site = Site::new().await;
    site.publish(&workflow("send", SEND)).await;
    let started = site.start("test/send", value!({ "text": "hello" })).await;
    site.runtime
        .operate(&started.id, Operate::Cancel, "withdrawn", operator())
        .await
        .unwrap();
    site.idle().await;
    assert_eq!(site.status(&started.id).await, "cancelled");
    assert!(site.store.acts_of(&started.id).await.unwrap().is_empty());
    let audit = site
        .store
        .audit_of(&started.id, i64::MAX, 10)
        .await
        .unwrap();
    assert!(
        audit[0].body.contains("actsInFlight\":[\"send\"]"),
        "{}",
        audit[0].body
    );
    site.sound().await;
}

#[tokio::test]
async fn a_faulted_instance_goes_on_where_an_operator_says() {
    let site = Site::new().await;
    site.publish(&workflow("send", SEND)).await;
    site.callee
        .answers
        .lock()
        .push(Err(Failure::communication("no").with_status(500)));
    let started = site.start("test/send", value!({ "text": "hello" })).await;
    site.idle().await;
    assert_eq!(site.status(&started.id).await, "faulted");
    let jump = Jump::operator(Target::Task("send".into()), "chen-jie", "again");
    site.runtime
        .operate(
            &started.id,
            Operate::Jump(Box::new(jump)),
            "they are back",
            operator(),
        )
        .await
        .unwrap();
    assert_eq!(site.status(&started.id).await, "running");
    site.idle().await;
    assert_eq!(site.status(&started.id).await, "completed");
    let keys: Vec<String> = site
        .callee
        .calls
        .lock()
        .iter()
        .map(|(key, _, _)| key.clone())
        .collect();
    assert_ne!(
        keys[0], keys[1],
        "a deliberate run again has a key of its own"
    );
    site.sound().await;
}

#[tokio::test]
async fn a_secret_is_revealed_to_the_callee_and_rests_in_no_table() {
    let store = support::memory().await;
    let site = Site::on(store, 1, support::organisation()).await;
    let document = "
document: { dsl: '1.0.3', namespace: test, name: secret, version: '1.0.0' }
evaluate: { language: rhai }
use: { secrets: [token] }
do:
  - send: { call: callee.send, with: { authorization: '${ secrets.token }' } }
  - review: { call: approve, with: { to: [{ user: zhao-min }] } }
";
    site.publish(document).await;
    let started = site.start("test/secret", value!({ "text": "hello" })).await;
    site.idle().await;
    let revealed = site.callee.revealed.lock().clone();
    assert_eq!(
        revealed[0].get("authorization").and_then(Value::as_str),
        Some(CANARY)
    );
    let pages = site.runtime.history(&started.id, 0, 10).await.unwrap();
    let state = site
        .store
        .instance_state(&started.id)
        .await
        .unwrap()
        .unwrap()
        .body;
    let shown = format!(
        "{pages:?} {state} {:?}",
        site.store.mails_of(&started.id).await.unwrap()
    );
    assert!(!shown.contains(CANARY));
}

#[tokio::test]
async fn two_writes_of_one_activation_merge_and_a_read_after_them_sees_them() {
    let site = Site::new().await;
    let tasks = "
  - first: { call: counter.add, with: { id: x } }
  - second: { call: counter.add, with: { id: x } }
  - look: { call: counter.get, with: { id: x } }
";
    site.publish(&workflow("count", tasks)).await;
    let started = site.start("test/count", value!({})).await;
    site.idle().await;
    assert_eq!(site.output(&started.id).await, value!({ "count": 2 }));
    let record = site.store.record("counters", "x").await.unwrap().unwrap();
    assert_eq!(record.version, 1, "both writes are one");
    site.sound().await;
}

#[tokio::test]
async fn an_act_whose_connector_is_paused_waits_and_uses_up_no_attempts() {
    let site = Site::new().await;
    site.publish(&workflow("send", SEND)).await;
    site.runtime.connector_pause("callee.send", true);
    let started = site.start("test/send", value!({ "text": "hello" })).await;
    // Longer than the attempts that an unknown outcome has.
    for _ in 0..8 {
        site.after(31_000).await;
    }
    assert!(site.callee.calls.lock().is_empty());
    let waiting = site.store.acts_of(&started.id).await.unwrap();
    let why = waiting[0].error.as_deref().unwrap_or_default();
    assert!(why.contains("waits for `callee.send`"), "{why}");
    site.runtime.connector_pause("callee.send", false);
    site.after(31_000).await;
    assert_eq!(site.output(&started.id).await, value!({ "ok": true }));
    assert_eq!(site.callee.calls.lock()[0].2, 0, "the first attempt");
    assert!(
        site.store
            .incidents_of(&started.id)
            .await
            .unwrap()
            .is_empty()
    );
    site.sound().await;
}
