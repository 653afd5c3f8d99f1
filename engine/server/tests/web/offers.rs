//! What the API offers besides cases: registers, workflows, checks of packs, and what watches a site.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::site::site;

#[tokio::test]
async fn registers_show_their_records() {
    let site = site().await;
    let records = site
        .api(
            Method::GET,
            "/api/v1/registers/catalogue/records?limit=5",
            None,
        )
        .await;
    assert_eq!(records.status, StatusCode::OK, "{}", records.body);
    assert!(
        records.json()["items"]
            .as_array()
            .is_some_and(|items| !items.is_empty())
    );
    assert_eq!(
        site.api(Method::GET, "/api/v1/registers/nothing/records", None)
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn workflows_are_listed_with_their_forms() {
    let site = site().await;
    let workflows = site
        .api(Method::GET, "/api/v1/workflows", None)
        .await
        .json();
    let apply = workflows
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["workflow"] == "sharing/apply")
        .expect("it is published");
    assert_eq!(apply["startable"], true);
    let form = site
        .api(Method::GET, "/api/v1/workflows/sharing/apply/form", None)
        .await;
    assert!(
        form.json()["properties"]["purpose"].is_object(),
        "{}",
        form.body
    );
}

#[tokio::test]
async fn a_pack_that_cannot_be_read_or_leaves_its_folder_is_refused() {
    let site = site().await;
    let key = site.key_of("admin").await;
    let check = site
        .api_as(
            &key,
            Method::POST,
            "/api/v1/workflows/check",
            Some(json!({ "files": { "pack.yaml": "pack: [" } })),
        )
        .await;
    assert_eq!(
        (check.status, check.json()["good"].clone()),
        (StatusCode::OK, json!(false)),
        "{}",
        check.body
    );
    let unreachable = site
        .api_as(
            &key,
            Method::POST,
            "/api/v1/workflows",
            Some(json!({ "files": { "../pack.yaml": "pack: x" } })),
        )
        .await;
    assert_eq!(
        unreachable.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        unreachable.body
    );
}

#[tokio::test]
async fn a_pack_from_outside_brings_no_rights_and_its_publisher_is_told() {
    let site = site().await;
    let key = site.key_of("admin").await;
    let workflow = "document: { dsl: '1.0.3', namespace: guest, name: hello, version: '1.0.0' }\ndo:\n  - done: { set: { done: true } }\n";
    let pack = "pack: guest\nversion: 1.0.0\ntitle: { zh-CN: 来客, en: Guest }\nsummary: 测试。\n\
                rights: [{ role: '*', may: [start], of: [hello], over: own }]\n";
    let files = json!({ "files": { "pack.yaml": pack, "workflows/hello.yaml": workflow } });
    let published = site
        .api_as(&key, Method::POST, "/api/v1/workflows", Some(files))
        .await;
    assert_eq!(published.status, StatusCode::CREATED, "{}", published.body);
    let hint = published.json()[0]["hint"].clone();
    assert!(
        hint.as_str()
            .is_some_and(|hint| hint.contains("organisation.yaml")),
        "{}",
        published.body
    );
    let started = site
        .api(
            Method::POST,
            "/api/v1/workflows/guest/hello/instances",
            Some(json!({ "input": {} })),
        )
        .await;
    assert_eq!(started.status, StatusCode::NOT_FOUND, "{}", started.body);
}

#[tokio::test]
async fn a_whole_pack_is_within_the_limits_of_the_process_that_checks_it() {
    let site = site().await;
    let key = site.key_of("admin").await;
    let mut files = serde_json::Map::new();
    let pack = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows/collection");
    for folder in [
        "",
        "workflows",
        "forms",
        "registers",
        "rules",
        "mails",
        "samples",
    ] {
        for entry in std::fs::read_dir(pack.join(folder)).expect("a folder of the pack") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path
                    .strip_prefix(&pack)
                    .expect("inside")
                    .display()
                    .to_string();
                files.insert(name, json!(std::fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    let check = site
        .api_as(
            &key,
            Method::POST,
            "/api/v1/workflows/check",
            Some(json!({ "files": files })),
        )
        .await;
    assert_eq!(
        (check.status, check.json()["good"].clone()),
        (StatusCode::OK, json!(true)),
        "{}",
        check.body
    );
}

#[tokio::test]
async fn what_watches_a_site_is_answered() {
    let site = site().await;
    for (path, start) in [
        ("/healthz", "ok"),
        ("/readyz", "ready"),
        ("/metrics", "# HELP"),
        ("/openapi.json", "{"),
    ] {
        let answer = site
            .send(
                Request::builder()
                    .uri(path)
                    .body(Body::empty())
                    .expect("a request"),
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.body.starts_with(start), "{path}: {}", answer.body);
    }
}
