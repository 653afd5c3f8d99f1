//! Keys: one answer for one idempotency key, one running instance for one business key.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use support::{Site, start, workflow};
use tongban_expr::value;
use tongban_runtime::{RuntimeError, Start};

const WAITING: &str = "
document:
  dsl: '1.0.3'
  namespace: test
  name: case
  version: '1.0.0'
  title: 案件
  metadata: { case: { title: '${ `案件:${form.plate}` }', number: 'AJ{yyyy}-{seq:3}', key: '${ form.plate }', search: { plate: '${ form.plate }' } } }
evaluate: { language: rhai }
do:
  - review: { call: approve, with: { to: [{ user: zhao-min }] } }
";

#[tokio::test]
async fn the_same_key_gives_the_same_instance_and_another_request_is_refused() {
    let site = Site::new().await;
    site.publish(&workflow("one", "  - one: { set: { n: 1 } }\n"))
        .await;
    let with_key = |input| Start {
        idempotency_key: Some("k-1".into()),
        ..start("test/one", input)
    };
    let first = site
        .runtime
        .start(with_key(value!({ "a": 1 })))
        .await
        .unwrap();
    let again = site
        .runtime
        .start(with_key(value!({ "a": 1 })))
        .await
        .unwrap();
    assert_eq!(
        (again.id.as_str(), again.replayed, &again.output),
        (first.id.as_str(), true, &value!({ "n": 1 }))
    );
    let other = site.runtime.start(with_key(value!({ "a": 2 }))).await;
    assert!(matches!(other, Err(RuntimeError::KeyReused)), "{other:?}");
    let version = Start {
        version: Some("1.0.0".into()),
        ..with_key(value!({ "a": 1 }))
    };
    let other = site.runtime.start(version).await;
    assert!(matches!(other, Err(RuntimeError::KeyReused)), "{other:?}");
    // Past its time the key is free again.
    site.clock.advance(2 * 86_400_000);
    let later = site
        .runtime
        .start(with_key(value!({ "a": 2 })))
        .await
        .unwrap();
    assert_ne!(later.id, first.id);
}

#[tokio::test]
async fn a_business_key_names_the_instance_that_holds_it_until_that_ends() {
    let site = Site::new().await;
    site.publish(WAITING).await;
    let first = site
        .start("test/case", value!({ "plate": "鲁B12345" }))
        .await;
    assert_eq!(first.number, "AJ2026-001");
    let second = site
        .runtime
        .start(start("test/case", value!({ "plate": "鲁B12345" })))
        .await;
    match second {
        Err(RuntimeError::Conflict { instance, .. }) => assert_eq!(instance, first.id),
        other => panic!("{other:?}"),
    }
    let head = site.store.instance_head(&first.id).await.unwrap().unwrap();
    assert_eq!(head.title.as_deref(), Some("案件:鲁B12345"));
    assert_eq!(
        site.store.search_fields(&first.id).await.unwrap(),
        vec![("plate".to_owned(), "鲁B12345".to_owned())]
    );
    site.decide(&first.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    let third = site
        .start("test/case", value!({ "plate": "鲁B12345" }))
        .await;
    assert_ne!(third.id, first.id);
    site.sound().await;
}

#[tokio::test]
async fn a_version_names_one_content_for_ever() {
    let site = Site::new().await;
    let one = workflow("one", "  - one: { set: { n: 1 } }\n");
    site.publish(&one).await;
    let again = site
        .runtime
        .publish(&support::publication(&one, &[]), "test")
        .await
        .unwrap();
    assert!(again[0].already);
    let changed = workflow("one", "  - one: { set: { n: 2 } }\n");
    let refused = site
        .runtime
        .publish(&support::publication(&changed, &[]), "test")
        .await;
    assert!(
        matches!(refused, Err(RuntimeError::Unfit(_))),
        "{refused:?}"
    );
    let raised = changed.replace("version: '1.0.0'", "version: '1.1.0'");
    site.publish(&raised).await;
    assert_eq!(
        site.start("test/one", value!({})).await.output,
        value!({ "n": 2 })
    );
    site.runtime
        .rollback("test/one", "1.0.0", "test")
        .await
        .unwrap();
    assert_eq!(
        site.start("test/one", value!({})).await.output,
        value!({ "n": 1 })
    );
}

#[tokio::test]
async fn running_cases_keep_the_bundle_that_they_started_with() {
    let site = Site::new().await;
    let tasks = "
  - review: { call: approve, with: { to: [{ user: zhao-min }] } }
  - rule: { run: { script: { language: rhai, source: { endpoint: pack://rules/x.rhai } } } }
";
    site.publish_with(&workflow("pinned", tasks), &[("rules/x.rhai", "\"old\"")])
        .await;
    let started = site.start("test/pinned", value!({})).await;
    let newer = workflow("pinned", tasks).replace("version: '1.0.0'", "version: '1.0.1'");
    site.publish_with(&newer, &[("rules/x.rhai", "\"new\"")])
        .await;
    let fresh = site.start("test/pinned", value!({})).await;
    site.decide(&started.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    site.decide(&fresh.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    assert_eq!(site.output(&started.id).await, value!("old"));
    assert_eq!(site.output(&fresh.id).await, value!("new"));
}
