//! What happens by itself: timers, schedules, events, children and batches.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use support::{MORNING_MS, Site, workflow};
use tongban_expr::{Value, value};
use tongban_runtime::{Caller, Clock as _, Operate};
use tongban_store::{Change, InboxRow};
use tongban_work::Channel;

fn event(id: &str, order: i64) -> Value {
    value!({ "specversion": "1.0", "id": (id), "source": "https://shop", "type": "paid", "data": { "order": (order) } })
}

#[tokio::test]
async fn timers_fire_when_they_are_due_also_after_the_node_was_killed() {
    let site = Site::new().await;
    site.publish(&workflow(
        "nap",
        "  - nap: { wait: { hours: 2 } }\n  - done: { set: { ok: true } }\n",
    ))
    .await;
    let started = site.start("test/nap", value!({})).await;
    site.after(3_600_000).await;
    assert_eq!(site.status(&started.id).await, "running");
    let site = site.killed(2).await;
    assert_eq!(
        site.runtime.next_due_ms().await.unwrap(),
        Some(MORNING_MS + 7_200_000)
    );
    site.after(3_600_000).await;
    assert_eq!(site.status(&started.id).await, "completed");
    site.sound().await;
}

#[tokio::test]
async fn a_long_loop_goes_on_in_several_activations() {
    let site = Site::new().await;
    let tasks = "
  - all:
      for: { each: n, in: 'range(0, 3000).collect()' }
      do:
        - one: { set: { n: '${ n }' } }
";
    let tasks = tasks.replace("range(0, 3000).collect()", "input.items");
    site.publish(&workflow("loop", &tasks)).await;
    let items: Vec<Value> = (0..3_000).map(Value::from).collect();
    let started = site
        .start("test/loop", value!({ "items": (Value::from(items)) }))
        .await;
    site.idle().await;
    assert_eq!(site.output(&started.id).await, value!({ "n": 2999 }));
    assert!(
        site.runtime
            .history(&started.id, 0, 100)
            .await
            .unwrap()
            .len()
            >= 3
    );
    site.sound().await;
}

#[tokio::test]
async fn an_event_finds_its_listener_whether_it_comes_before_or_after() {
    let site = Site::new().await;
    let tasks = "
  - paid:
      listen:
        to:
          one:
            with: { type: paid }
            correlate: { order: { from: 'input.data.order', expect: '${ workflow.input.order }' } }
";
    site.publish(&workflow("order", tasks)).await;
    site.runtime
        .receive(event("early", 7), Caller::system())
        .await
        .unwrap();
    site.idle().await;
    let seven = site.start("test/order", value!({ "order": 7 })).await;
    let eight = site.start("test/order", value!({ "order": 8 })).await;
    site.idle().await;
    assert_eq!(
        site.status(&seven.id).await,
        "completed",
        "an earlier event that correlates is offered"
    );
    assert_eq!(site.status(&eight.id).await, "running");
    site.runtime
        .receive(event("other", 9), Caller::system())
        .await
        .unwrap();
    site.idle().await;
    assert_eq!(site.status(&eight.id).await, "running");
    let received = site
        .runtime
        .receive(event("mine", 8), Caller::system())
        .await
        .unwrap();
    let again = site
        .runtime
        .receive(event("mine", 8), Caller::system())
        .await
        .unwrap();
    assert_eq!((received.known, again.known), (false, true));
    site.idle().await;
    assert_eq!(site.status(&eight.id).await, "completed");
    site.sound().await;
}

#[tokio::test]
async fn an_emitted_event_reaches_another_instance() {
    let site = Site::new().await;
    site.publish(&workflow(
        "hear",
        "  - wait: { listen: { to: { one: { with: { type: done } } } } }\n",
    ))
    .await;
    let emit = "  - tell: { emit: { event: { with: { source: 'https://here', type: done, data: { n: 5 } } } } }\n";
    site.publish(&workflow("tell", emit)).await;
    let hearing = site.start("test/hear", value!({})).await;
    site.idle().await;
    site.start("test/tell", value!({})).await;
    site.idle().await;
    assert_eq!(site.status(&hearing.id).await, "completed");
    assert_eq!(site.output(&hearing.id).await, value!([{ "n": 5 }]));
    site.sound().await;
}

#[tokio::test]
async fn a_child_reports_to_its_parent_and_is_cancelled_with_it() {
    let site = Site::new().await;
    let child = "
  - review: { call: approve, with: { to: [{ user: zhao-min }] } }
  - done: { set: { outcome: '${ input.outcome }' } }
";
    site.publish(&workflow("child", child)).await;
    let parent = "
  - run: { run: { workflow: { namespace: test, name: child, version: latest, input: { from: parent } } } }
  - done: { set: { child: '${ input.outcome }' } }
";
    site.publish(&workflow("parent", parent)).await;
    let first = site.start("test/parent", value!({})).await;
    site.idle().await;
    let children = site
        .store
        .instance_children(&first.id, "", 10)
        .await
        .unwrap();
    assert_eq!(children.len(), 1);
    site.decide(&children[0].id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    site.idle().await;
    assert_eq!(
        site.output(&first.id).await,
        value!({ "child": "approved" })
    );
    let second = site.start("test/parent", value!({})).await;
    site.idle().await;
    let operator = Caller::person("chen-jie", None, Channel::Console);
    site.runtime
        .operate(&second.id, Operate::Cancel, "no longer needed", operator)
        .await
        .unwrap();
    site.idle().await;
    let children = site
        .store
        .instance_children(&second.id, "", 10)
        .await
        .unwrap();
    assert_eq!(children[0].status, "cancelled");
    site.sound().await;
}

#[tokio::test]
async fn an_older_childs_report_is_not_the_younger_ones() {
    let site = Site::new().await;
    let child = "
  - review: { call: approve, with: { to: [{ user: zhao-min }] } }
  - done: { set: { outcome: '${ input.outcome }' } }
";
    site.publish(&workflow("child", child)).await;
    let parent = "
  - attempt:
      try:
        - run:
            run: { workflow: { namespace: test, name: child, version: latest, input: {} } }
            timeout: { after: { minutes: 1 } }
      catch: { errors: { with: { status: 408 } }, retry: { delay: { seconds: 5 }, limit: { attempt: { count: 3 } } } }
  - done: { set: { child: '${ input.outcome }' } }
";
    site.publish(&workflow("parent", parent)).await;
    let started = site.start("test/parent", value!({})).await;
    site.idle().await;
    site.after(60_000).await;
    site.after(5_000).await;
    let children = site
        .store
        .instance_children(&started.id, "", 10)
        .await
        .unwrap();
    let statuses: Vec<&str> = children.iter().map(|child| child.status.as_str()).collect();
    assert_eq!(statuses, ["cancelled", "running"]);

    // The older one ended at the very moment in which it was given up: its report comes when the block runs again.
    let now_ms = site.clock.now_ms();
    let mut late = Change::without_instance(now_ms);
    late.add(InboxRow {
        instance_id: started.id.clone(),
        id: format!("child:{}:late", children[0].id),
        kind: "child".into(),
        body: value!({
            "runId": "attempt/run", "child": (children[0].id.as_str()), "item": null,
            "status": "completed", "output": { "outcome": "older" }, "error": null
        })
        .to_json(),
        ready_at_ms: now_ms,
    });
    site.store.commit_one(late).await.unwrap();
    site.idle().await;
    assert_eq!(site.status(&started.id).await, "running");
    assert_eq!(site.store.inbox_of(&started.id, 10).await.unwrap(), vec![]);

    site.decide(&children[1].id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    site.idle().await;
    assert_eq!(
        site.output(&started.id).await,
        value!({ "child": "approved" })
    );
    site.sound().await;
}

#[tokio::test]
async fn a_batch_starts_each_item_once_so_many_at_a_time_and_counts() {
    let site = Site::new().await;
    let child = "
  - check:
      switch:
        - bad: { when: 'input.n == 3', then: fail }
  - fine: { set: { n: '${ input.n }' }, then: end }
  - fail: { raise: { error: { type: 'https://example.org/bad', status: 400, title: bad } } }
";
    site.publish(&workflow("item", child)).await;
    let parent = "
  - all:
      call: batch
      with:
        workflow: test/item
        each: '${ input.items }'
        input: { n: '${ item.n }' }
        key: '${ item.n }'
        atOnce: 2
        wait: all
";
    site.publish(&workflow("batch", parent)).await;
    let items = value!([{ "n": 1 }, { "n": 2 }, { "n": 3 }, { "n": 4 }, { "n": 5 }, { "n": 5 }]);
    let started = site.start("test/batch", value!({ "items": (items) })).await;
    site.idle().await;
    let output = site.output(&started.id).await;
    let counts: Vec<i64> = ["total", "completed", "faulted"]
        .iter()
        .filter_map(|key| output.get(key).and_then(Value::as_i64))
        .collect();
    assert_eq!(counts, vec![5, 4, 1], "{output:?}");
    assert_eq!(
        site.store
            .instance_children(&started.id, "", 100)
            .await
            .unwrap()
            .len(),
        5
    );
    site.sound().await;
}

#[tokio::test]
async fn one_tick_of_a_schedule_starts_one_instance_on_two_nodes() {
    let site = Site::new().await;
    let document = "
document: { dsl: '1.0.3', namespace: test, name: nightly, version: '1.0.0', metadata: { timeZone: Asia/Shanghai, catchUp: all } }
evaluate: { language: rhai }
schedule: { cron: '0 * * * *' }
do:
  - one: { set: { n: 1 } }
";
    site.publish(document).await;
    let other = Site::at(
        site.store.clone(),
        2,
        support::organisation(),
        site.clock.clone(),
    )
    .await;
    for _ in 0..4 {
        site.clock.advance(3_600_000);
        // Both look at the same tick.
        let (one, two) = tokio::join!(
            site.runtime.run_until_idle(),
            other.runtime.run_until_idle()
        );
        one.unwrap();
        two.unwrap();
    }
    let ticks = site.store.schedules_of("test/nightly").await.unwrap();
    assert_eq!(ticks[0].last_tick_ms, Some(MORNING_MS + 4 * 3_600_000));
    let started = count(&site, "test/nightly").await;
    assert_eq!(started, 4);
    site.sound().await;
}

async fn count(site: &Site, workflow: &str) -> usize {
    let filter = tongban_store::Filter {
        workflow: Some(workflow.to_owned()),
        ..Default::default()
    };
    site.store
        .instances(tongban_store::Seen::All, &filter, None, 100)
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn events_start_a_workflow_that_says_so_in_its_current_version_only() {
    let site = Site::new().await;
    let document = "
document: { dsl: '1.0.3', namespace: test, name: onpaid, version: '1.0.0' }
evaluate: { language: rhai }
schedule: { on: { one: { with: { type: paid } } } }
do:
  - done: { set: { order: '${ input[0].data.order }', version: 1 } }
";
    site.publish(document).await;
    site.idle().await;
    for order in 1..=3 {
        site.runtime
            .receive(event(&format!("p{order}"), order), Caller::system())
            .await
            .unwrap();
        site.idle().await;
    }
    assert_eq!(count(&site, "test/onpaid").await, 3);
    let newer = document
        .replace("1.0.0", "1.1.0")
        .replace("version: 1 }", "version: 2 }");
    site.clock.advance(1_000);
    site.publish(&newer).await;
    site.idle().await;
    site.runtime
        .receive(event("p4", 4), Caller::system())
        .await
        .unwrap();
    site.idle().await;
    let filter = tongban_store::Filter {
        workflow: Some("test/onpaid".to_owned()),
        ..Default::default()
    };
    let rows = site
        .store
        .instances(tongban_store::Seen::All, &filter, None, 100)
        .await
        .unwrap();
    let output = rows[0]
        .output
        .as_deref()
        .map(|text| Value::from_json(text).unwrap());
    assert_eq!(
        (rows.len(), output),
        (4, Some(value!({ "order": 4, "version": 2 })))
    );
    site.sound().await;
}

#[tokio::test]
async fn mail_is_tried_again_and_the_last_failure_is_an_incident() {
    let site = Site::new().await;
    site.publish(support::APPROVAL).await;
    let busy = || tongban_plugin::MailFailure::transient(Some(451), "busy");
    site.mailbox.failures.lock().extend([busy(), busy()]);
    let started = site.start("test/approval", value!({ "amount": 1 })).await;
    site.idle().await;
    assert!(site.mailbox.mails.lock().is_empty());
    site.after(30_000).await;
    site.after(60_000).await;
    assert_eq!(site.mailbox.to("zhao-min@example.org").len(), 1);
    site.mailbox
        .failures
        .lock()
        .push(tongban_plugin::MailFailure::permanent(
            Some(550),
            "no such user",
        ));
    site.start("test/approval", value!({ "amount": 2 })).await;
    site.idle().await;
    let incidents = site.store.incidents_open("", 10).await.unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].kind, "mail");
    assert_eq!(site.status(&started.id).await, "running");
}
