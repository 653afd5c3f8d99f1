//! Records go when their register's retention is over, with their history, and no sooner.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::sync::Arc;

use support::{
    Callee, MORNING_MS, Mailbox, Site, memory, organisation, parts, publication, start, workflow,
};
use tongban_expr::{Value, value};
use tongban_plugin::{Provenance, RecordMode, RecordWrite, Records};
use tongban_runtime::record_rows::record_row;
use tongban_runtime::records::StoredRecords;
use tongban_runtime::{Job, Runtime, VirtualClock};
use tongban_store::{Change, Outcome};

const DAY_MS: i64 = 86_400_000;

async fn publish(site: &Site, version: &str, retention: &str) {
    let register = format!(
        "{{\"register\":\"grants\",\"key\":\"id\",\"history\":\"versions\"{retention},\"schema\":{{\"properties\":{{\"id\":{{}},\"until\":{{}}}}}}}}"
    );
    let document = workflow("idle", "  - wait: { wait: { days: 1 } }\n").replace("1.0.0", version);
    let mut publication = publication(&document, &[]);
    publication.registers = vec![("grants".to_owned(), Value::from_json(&register).unwrap())];
    site.runtime.publish(&publication, "test").await.unwrap();
}

/// Writes a grant for every date; `locked` ones are held by a case.
async fn fill(site: &Site, dates: &[(&str, &str)], locked: &str) {
    let records = StoredRecords::new(site.store.clone(), Arc::clone(&site.clock) as _, None);
    let definition = records.definition("grants").await.unwrap().unwrap();
    let mut change = Change::without_instance(MORNING_MS);
    for (id, until) in dates {
        let body = value!({ "id": (*id), "until": (*until) });
        let write = RecordWrite {
            register: "grants".to_owned(),
            id: (*id).to_owned(),
            base_version: None,
            mode: RecordMode::Put,
            unit: None,
            keys: definition.lookups_of(&body),
            body,
            provenance: Provenance::default(),
            mark: None,
            lock: (*id == locked).then(|| "case-1".to_owned()),
            history: true,
        };
        change.records.push(record_row(write, None));
    }
    let outcome = site.store.commit_one(change).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
}

async fn left(site: &Site) -> Vec<String> {
    let rows = site
        .store
        .record_find("grants", &[], "", 100)
        .await
        .unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

const FIVE_YEARS: &str = ",\"retention\":{\"after\":\"until\",\"years\":5}";

#[tokio::test]
async fn a_record_goes_on_the_day_after_its_last() {
    let site = Site::new().await;
    publish(&site, "1.0.0", FIVE_YEARS).await;
    let dates = [
        ("held", "2019-01-01"),
        // Today is 23 November 2026: the fifth year after this day ends today.
        ("last-day", "2021-11-23"),
        ("long-ago", "2021-11-22"),
        // The 22nd there, the 23rd in the site's zone.
        ("night", "2021-11-22T18:00:00-08:00"),
        ("open", ""),
        ("wrong", "1 January 2019"),
        ("young", "2026-01-01"),
    ];
    fill(&site, &dates, "held").await;
    site.runtime.run_job(Job::Sweep).await.unwrap();
    let rest = ["held", "last-day", "night", "open", "wrong", "young"];
    assert_eq!(left(&site).await, rest);
    let history = site
        .store
        .record_history("grants", "long-ago")
        .await
        .unwrap();
    assert_eq!(history, vec![]);
    let trace = site.store.audit_of("grants", i64::MAX, 10).await.unwrap();
    let trace: Vec<(&str, &str)> = trace
        .iter()
        .map(|row| (row.act.as_str(), row.body.as_str()))
        .collect();
    assert_eq!(trace, [("record.expire", "{\"count\":1}")]);

    site.clock.advance(DAY_MS);
    site.runtime.run_job(Job::Sweep).await.unwrap();
    assert_eq!(left(&site).await, ["held", "open", "wrong", "young"]);
}

#[tokio::test]
async fn a_new_retention_counts_for_the_records_that_are_there() {
    let site = Site::new().await;
    publish(&site, "1.0.0", "").await;
    let dates: Vec<(String, &str)> = (0..1_200)
        .map(|n| {
            (
                format!("g{n:04}"),
                if n % 2 == 0 {
                    "2020-02-29"
                } else {
                    "2026-02-28"
                },
            )
        })
        .collect();
    let dates: Vec<(&str, &str)> = dates
        .iter()
        .map(|(id, date)| (id.as_str(), *date))
        .collect();
    fill(&site, &dates, "").await;
    site.runtime.run_job(Job::Sweep).await.unwrap();
    assert_eq!(site.store.record_count("grants").await.unwrap(), 1_200);
    publish(&site, "1.1.0", FIVE_YEARS).await;
    site.runtime.run_job(Job::Sweep).await.unwrap();
    assert_eq!(site.store.record_count("grants").await.unwrap(), 600);
    assert_eq!(left(&site).await.first().map(String::as_str), Some("g0001"));
}

#[tokio::test]
async fn an_ended_case_goes_when_the_site_keeps_it_no_longer() {
    let (store, clock) = (memory().await, Arc::new(VirtualClock::at(MORNING_MS)));
    let (mailbox, callee) = (Arc::new(Mailbox::default()), Arc::new(Callee::default()));
    let mut parts = parts(&store, 1, organisation(), &clock, &mailbox, &callee);
    parts.settings.keep_ended_ms = Some(30 * DAY_MS);
    let runtime = Runtime::inline(parts).await.unwrap();
    for (name, tasks) in [
        ("ends", "  - done: { set: { outcome: done } }\n"),
        ("waits", "  - wait: { wait: { days: 90 } }\n"),
    ] {
        let publication = publication(&workflow(name, tasks), &[]);
        runtime.publish(&publication, "test").await.unwrap();
    }
    let ended = runtime
        .start(start("test/ends", Value::Null))
        .await
        .unwrap();
    let waiting = runtime
        .start(start("test/waits", Value::Null))
        .await
        .unwrap();
    runtime.run_until_idle().await.unwrap();
    for (days, kept) in [(29, true), (1, false)] {
        clock.advance(days * DAY_MS);
        runtime.run_job(Job::Sweep).await.unwrap();
        let history = store.history(&ended.id, 0, 10).await.unwrap();
        assert_eq!(!history.is_empty(), kept, "after {days} more days");
    }
    assert!(runtime.case(&ended.id).await.is_err());
    assert!(runtime.case(&waiting.id).await.is_ok());
}
