//! Large inputs and collections through the runtime and its database: what an activation writes stays small.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use support::{Site, fresh_database, organisation, workflow};
use tongban_expr::{Value, value};
use tongban_store::{Options, Store};

/// One site on each database.
async fn sites() -> Vec<Site> {
    let mut sites = vec![Site::new().await];
    if let Some(url) = fresh_database().await {
        let store = Store::open(&Options::new(&url)).await.unwrap();
        sites.push(Site::on(store, 1, organisation()).await);
    }
    sites
}

fn ids(count: i64) -> Value {
    let first = 100_000_000_000_000_000;
    Value::list((first..first + count).map(Value::from).collect())
}

/// 300,000 ids of 18 digits: 5.7 MB, more than a change may carry beside its large values.
#[tokio::test]
async fn an_input_larger_than_a_change_is_stored_once_and_read_again() {
    for site in sites().await {
        stored_once(site).await;
    }
}

async fn stored_once(site: Site) {
    let tasks = "
  - some:
      for: { each: id, in: '${ input.ids }', at: n }
      while: '${ n < 3500 }'
      do:
        - one: { set: { last: '${ id }' } }
  - pause: { wait: { hours: 1 } }
  - told: { set: '${ input }' }
";
    site.publish(&workflow("large", tasks)).await;
    let started = site
        .start("test/large", value!({ "ids": (ids(300_000)) }))
        .await;
    site.idle().await;
    assert_eq!(started.status, "running");
    let stored = || async {
        let row = site.store.instance_state(&started.id).await.unwrap();
        row.expect("it runs").body
    };
    let body = stored().await;
    assert!(body.len() < 4_000, "{} bytes: {body}", body.len());
    let pages = site.runtime.history(&started.id, 0, 100).await.unwrap();
    assert!(pages.len() >= 4, "{} activations", pages.len());
    // Whoever reads it from the database has the same.
    site.runtime.node().forget_all();
    let case = site.runtime.case(&started.id).await.unwrap();
    assert_eq!(
        case.instance.input().get("ids").map(Value::len),
        Some(300_000)
    );
    site.clock.advance(3_600_000);
    site.idle().await;
    let case = site.runtime.case(&started.id).await.unwrap();
    assert_eq!(
        case.instance.output(),
        &value!({ "last": 100_000_000_000_003_499_i64 })
    );
    site.sound().await;
}

#[tokio::test]
async fn an_output_as_large_as_the_input_ends_well() {
    for site in sites().await {
        ends_well(site).await;
    }
}

async fn ends_well(site: Site) {
    let tasks = "
  - nothing: { switch: [ { never: { when: '${ false }', then: end } } ] }
";
    site.publish(&workflow("through", tasks)).await;
    let input = value!({ "ids": (ids(300_000)) });
    let started = site.start("test/through", input.clone()).await;
    assert_eq!(started.status, "completed");
    let head = site
        .store
        .instance_head(&started.id)
        .await
        .unwrap()
        .unwrap();
    assert!(head.output.unwrap().starts_with("blob:"));
    let case = site.runtime.case(&started.id).await.unwrap();
    assert_eq!(case.instance.output(), &input);
    site.sound().await;
}

/// 1,200 cases started by one run of a case are more rows than one change takes along.
#[tokio::test]
async fn a_case_that_starts_very_many_goes_on_after_each_commit() {
    for site in sites().await {
        site.publish(&workflow("one", "\n  - done: { set: { outcome: ok } }\n"))
            .await;
        let tasks = "
  - all:
      for: { each: n, in: 'input.list' }
      do:
        - one: { run: { workflow: { namespace: test, name: one, version: '1.0.0', input: { n: '${ n }' } }, await: false } }
  - done: { set: { outcome: all } }
";
        site.publish(&workflow("very-many", tasks)).await;
        let list = Value::list((0..1_200).map(Value::from).collect());
        let started = site
            .start("test/very-many", value!({ "list": (list) }))
            .await;
        assert_eq!(started.status, "running", "not in one change");
        site.idle().await;
        let head = site.store.instance_head(&started.id).await.unwrap();
        assert_eq!(head.expect("the case").status, "completed");
        let mut children: Vec<String> = Vec::new();
        loop {
            let after = children.last().cloned().unwrap_or_default();
            let page = site.store.instance_children(&started.id, &after, 500);
            let page = page.await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.iter().all(|child| child.status == "completed"));
            children.extend(page.into_iter().map(|child| child.id));
        }
        assert_eq!(children.len(), 1_200);
        let pages = site.runtime.history(&started.id, 0, 100).await.unwrap();
        assert!((3..10).contains(&pages.len()), "{} changes", pages.len());
    }
}
