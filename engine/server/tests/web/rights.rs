//! What rights give and what they do not: lists, keys of units, choices of forms.

use axum::http::{Method, StatusCode};
use serde_json::{Value as Json, json};
use tongban_expr::value;
use tongban_server::demo::PASSWORD;
use tongban_server::samples;
use tongban_server::security::key::Scope;

use crate::site::{Browser, Site, site};

/// Whether a key's list shows a case, and whether it may read it.
async fn sees(site: &Site, key: &str, id: &str) -> (bool, bool) {
    let list = "/api/v1/instances?limit=200";
    let list = site.api_as(key, Method::GET, list, None).await.json();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let path = format!("/api/v1/instances/{id}");
    let read = site.api_as(key, Method::GET, &path, None).await;
    (
        items.iter().any(|item| item["id"] == id),
        read.status == StatusCode::OK,
    )
}

#[tokio::test]
async fn a_right_over_one_unit_lists_no_case_of_the_units_below() {
    let site = site().await;
    let id = site.application().await;
    let key = site.key_of("yang-fan").await;
    for (over, expected) in [
        ("own-unit", (false, false)),
        ("own-subtree", (true, true)),
        ("transport", (true, true)),
        ("police", (false, false)),
    ] {
        site.with_rights(&format!(
            "  - {{ person: yang-fan, may: [view], of: ['sharing/*'], over: {over} }}"
        ));
        assert_eq!(sees(&site, &key, &id).await, expected, "{over}");
    }
}

/// Publishes a process of a pack from outside, with the form of its start.
async fn publish(site: &Site, form: &str) {
    let workflow = "document: { dsl: '1.0.3', namespace: guest, name: look, version: '1.0.0', title: 看 }\n\
                    input: { schema: { document: { $ref: forms/look.yaml } } }\n\
                    do:\n  - done: { set: { done: true } }\n";
    let pack = "pack: guest\nversion: 1.0.0\ntitle: { zh-CN: 来客, en: Guest }\nsummary: 测试。\n";
    let register = |name: &str, personal: bool| {
        format!(
            "register: {name}\ntitle: {{ zh-CN: 册, en: Book }}\nkey: id\nauthority: {{ '*': city }}\npersonal: {personal}\n\
             schema:\n  type: object\n  required: [id]\n  properties: {{ id: {{ type: string, title: 号 }}, name: {{ type: string, title: 名 }} }}\n\
             rights: [{{ workflow: guest/look, may: write }}]\n"
        )
    };
    let files = json!({ "files": {
        "pack.yaml": pack, "workflows/look.yaml": workflow, "forms/look.yaml": form,
        "registers/people.yaml": register("people", true), "registers/places.yaml": register("places", false)
    } });
    let admin = site.key_of("admin").await;
    let path = "/api/v1/workflows";
    let published = site.api_as(&admin, Method::POST, path, Some(files)).await;
    assert_eq!(published.status, StatusCode::CREATED, "{}", published.body);
}

#[tokio::test]
async fn a_case_behind_many_that_a_right_does_not_reach_is_found_on_a_later_page() {
    let site = site().await;
    let id = site.application().await;
    publish(&site, "type: object\nproperties: {}\n").await;
    site.with_rights(
        "  - { role: '*', may: [start], of: ['guest/*'], over: own }\n  \
         - { person: yang-fan, may: [view], of: ['sharing/*'], over: all }",
    );
    let starter = site.key_of("li-si").await;
    for _ in 0..30 {
        let path = "/api/v1/workflows/guest/look/instances";
        let body = Some(json!({ "input": {} }));
        let started = site.api_as(&starter, Method::POST, path, body).await;
        assert_eq!(started.status, StatusCode::CREATED, "{}", started.body);
    }
    let key = site.key_of("yang-fan").await;
    let (mut found, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let path = format!("/api/v1/instances?limit=1{next}");
        let page = site.api_as(&key, Method::GET, &path, None).await.json();
        let items = page["items"].as_array().cloned().unwrap_or_default();
        found.extend(items.into_iter().map(|item| item["id"].clone()));
        pages += 1;
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(found, [Json::from(id)], "{pages} pages");
    assert!(pages > 1, "the first page could not reach it");
}

#[tokio::test]
async fn a_units_key_starts_what_everybody_may_start() {
    let site = site().await;
    let key = site
        .key_with(Some("transport".into()), None, &[Scope::Start])
        .await;
    let path = "/api/v1/workflows/sharing/apply/instances";
    let start = async || {
        let body = Some(site.application_body());
        site.api_as(&key, Method::POST, path, body).await.status
    };
    assert_eq!(start().await, StatusCode::NOT_FOUND);
    site.with_rights("  - { role: '*', may: [start], of: ['sharing/apply'], over: police }");
    assert_eq!(start().await, StatusCode::NOT_FOUND, "for another unit");
    site.with_rights("  - { role: '*', may: [start], of: ['sharing/apply'], over: all }");
    assert_ne!(start().await, StatusCode::NOT_FOUND);
    let form = "/api/v1/workflows/sharing/apply/form";
    let form = site.api_as(&key, Method::GET, form, None).await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.body);
}

#[tokio::test]
async fn rows_beside_the_registers_are_no_registers() {
    let site = site().await;
    for name in ["pack%3A%40organisation", "pack%3Ahousing", "pack:sharing"] {
        let path = format!("/api/v1/registers/{name}/records");
        let answer = site.api(Method::GET, &path, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.body);
    }
}

#[tokio::test]
async fn a_form_offers_nobodys_personal_data() {
    let site = site().await;
    let form = "$schema: https://json-schema.org/draft/2020-12/schema\ntitle: 看\ntype: object\nproperties:\n  \
                who: { type: string, title: 谁, x-choose: { register: people, label: name } }\n  \
                what: { type: string, title: 什么, x-choose: { register: places, label: name } }\n";
    publish(&site, form).await;
    for (register, id) in [("people", "990000199001010017"), ("places", "P-1")] {
        let record = value!({ "id": id, "name": "one" });
        let runtime = &site.app.runtime;
        let imported = samples::import(runtime, register, &[record], site.app.now_ms()).await;
        imported.expect("a sample record");
    }
    site.with_rights("  - { role: '*', may: [start], of: ['guest/*'], over: own }");
    let mut browser = Browser::of(&site, "li-si").await;
    let page = browser.get("/start/guest/look").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains("P-1"), "{}", page.body);
    assert!(!page.body.contains("99000019"), "{}", page.body);
}

#[tokio::test]
async fn who_has_left_is_out_at_once_by_session_password_and_key() {
    let site = site().await;
    let (key, mut browser) = (
        site.key_of("li-na").await,
        Browser::of(&site, "li-na").await,
    );
    assert_eq!(browser.get("/inbox").await.status, StatusCode::OK);
    site.with_organisation("{ id: li-na,", "{ id: li-na, left: 2020-01-01,");
    let page = browser.get("/inbox").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    assert!(
        page.location().starts_with("/sign-in"),
        "{}",
        page.location()
    );
    let list = "/api/v1/instances";
    let list = site.api_as(&key, Method::GET, list, None).await;
    assert_eq!(list.status, StatusCode::UNAUTHORIZED, "{}", list.body);
    let mut again = Browser::new(&site);
    let token = again.get("/sign-in").await.hidden("_token");
    let pairs = [
        ("_token", token.as_str()),
        ("user", "li-na"),
        ("password", PASSWORD),
    ];
    let answer = again.post("/sign-in", &pairs).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unit = site
        .key_with(Some("transport".into()), None, &[Scope::Start])
        .await;
    let mut body = site.application_body();
    body["onBehalfOf"] = "li-na".into();
    let path = "/api/v1/workflows/sharing/apply/instances";
    let started = site.api_as(&unit, Method::POST, path, Some(body)).await;
    assert_eq!(
        started.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        started.body
    );
}
