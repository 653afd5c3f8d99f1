//! Records are found by index; what no index covers is refused before it reads a whole register.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::sync::Arc;

use support::{MORNING_MS, Site, publication, workflow};
use tongban_expr::{Value, value};
use tongban_plugin::{
    Found, Provenance, Query, RecordMode, RecordWrite, Records, RegisterDefinition,
};
use tongban_runtime::record_rows::record_row;
use tongban_runtime::records::StoredRecords;
use tongban_store::{Change, Outcome};

/// More than a search may read.
const MANY: usize = 10_500;

fn register(grid: &str) -> Value {
    let text = format!(
        "{{\"register\":\"residents\",\"key\":\"id\",\"schema\":{{\"properties\":{{\"id\":{{}},\"name\":{{}},\"job\":{{}},\"grid\":{grid},\"status\":{{\"enum\":[\"live\",\"left\"],\"x-index\":true}}}}}}}}"
    );
    Value::from_json(&text).unwrap()
}

async fn publish(site: &Site, version: &str, grid: &str) {
    let document = workflow("idle", "  - wait: { wait: { days: 1 } }\n").replace("1.0.0", version);
    let mut publication = publication(&document, &[]);
    publication.registers = vec![("residents".to_owned(), register(grid))];
    site.runtime.publish(&publication, "test").await.unwrap();
}

/// Residents of hundreds of grids; every third one left.
async fn fill(site: &Site, records: &StoredRecords, count: usize) {
    let definition = records.definition("residents").await.unwrap().unwrap();
    for first in (0..count).step_by(500) {
        let mut change = Change::without_instance(MORNING_MS);
        let last = (first + 500).min(count);
        change.records = (first..last).map(|n| resident(&definition, n)).collect();
        let outcome = site.store.commit_one(change).await.unwrap();
        assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
    }
}

fn resident(definition: &RegisterDefinition, n: usize) -> tongban_store::RecordWrite {
    let body = value!({
        "id": (format!("p{n:06}")), "name": "同名", "job": (if n == 7 { "farmer" } else { "none" }),
        "grid": (format!("g{:03}", n % 300)), "status": (if n.is_multiple_of(3) { "left" } else { "live" })
    });
    let write = RecordWrite {
        register: "residents".to_owned(),
        id: format!("p{n:06}"),
        base_version: None,
        mode: RecordMode::Put,
        unit: None,
        keys: definition.lookups_of(&body),
        body,
        provenance: Provenance::default(),
        mark: None,
        lock: None,
        history: false,
    };
    record_row(write, None)
}

async fn found(records: &StoredRecords, equal: Value, limit: u32) -> Result<Found, String> {
    let equal = equal
        .entries()
        .map(|(path, value)| (path.to_string(), value.clone()))
        .collect();
    let query = Query { equal, limit };
    records
        .find("residents", &query)
        .await
        .map_err(|failure| failure.detail)
}

fn ids(found: &Found) -> Vec<&str> {
    found
        .records
        .iter()
        .map(|record| record.id.as_str())
        .collect()
}

fn records_of(site: &Site) -> StoredRecords {
    StoredRecords::new(site.store.clone(), Arc::clone(&site.clock) as _, None)
}

#[tokio::test]
async fn a_search_uses_the_index_and_never_a_whole_register() {
    let site = Site::new().await;
    publish(&site, "1.0.0", "{\"x-index\":true}").await;
    let records = records_of(&site);
    fill(&site, &records, MANY).await;

    let of_grid = found(&records, value!({ "grid": "g007" }), 3)
        .await
        .unwrap();
    assert_eq!(
        (ids(&of_grid), of_grid.total),
        (vec!["p000007", "p000307", "p000607"], 35)
    );
    let two = found(&records, value!({ "grid": ["g008", "g007", "g007"] }), 3)
        .await
        .unwrap();
    assert_eq!(
        (ids(&two), two.total),
        (vec!["p000007", "p000008", "p000307"], 70)
    );
    // 300 is divisible by 3: all of a grid left, or none did.
    let both = found(&records, value!({ "status": "left", "grid": "g007" }), 3)
        .await
        .unwrap();
    assert_eq!((ids(&both), both.total), (vec![], 0));
    let left = found(&records, value!({ "status": "left" }), 1)
        .await
        .unwrap();
    assert_eq!((ids(&left), left.total), (vec!["p000000"], 3_500));
    let keyed = found(
        &records,
        value!({ "id": ["p000009", "p000008", "nobody"], "status": "left" }),
        9,
    )
    .await
    .unwrap();
    assert_eq!((ids(&keyed), keyed.total), (vec!["p000009"], 1));
    // What has no index is looked for among what the index leaves.
    let farmer = found(
        &records,
        value!({ "job": "farmer", "grid": ["g007", "g008"] }),
        9,
    )
    .await
    .unwrap();
    assert_eq!((ids(&farmer), farmer.total), (vec!["p000007"], 1));
    let all = found(&records, value!({}), 2).await.unwrap();
    assert_eq!((ids(&all), all.total), (vec!["p000000", "p000001"], 10_500));
    let none = found(&records, value!({ "grid": [] }), 9).await.unwrap();
    assert_eq!(none.total, 0);

    let refused = found(&records, value!({ "job": "farmer" }), 1)
        .await
        .unwrap_err();
    assert!(
        refused.contains("`job`") && refused.contains("x-index"),
        "{refused}"
    );
    site.sound().await;
}

#[tokio::test]
async fn what_was_written_before_a_field_was_indexed_is_found_after() {
    let site = Site::new().await;
    publish(&site, "1.0.0", "{}").await;
    let records = records_of(&site);
    fill(&site, &records, MANY).await;
    let refused = found(&records, value!({ "grid": "g007" }), 3)
        .await
        .unwrap_err();
    assert!(refused.contains("`grid`"), "{refused}");

    publish(&site, "1.1.0", "{\"x-index\":true}").await;
    // Another node believes the old definition for a second at most.
    site.after(1_000).await;
    let of_grid = found(&records, value!({ "grid": "g007" }), 100)
        .await
        .unwrap();
    assert_eq!((of_grid.records.len(), of_grid.total), (35, 35));
    let version = records
        .get("residents", &["p000007".to_owned()])
        .await
        .unwrap();
    assert_eq!(
        version.first().map(|record| record.version),
        Some(1),
        "indexing is no new version"
    );
}
