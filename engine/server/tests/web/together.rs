//! Several items handled together: one act, and each item answers for itself.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::site::{Browser, Site, site};

const TOGETHER: &str = "/inbox/together";

/// Applications that wait for the head of the department, as `INSTANCE.N`.
async fn waiting(site: &Arc<Site>, count: usize) -> Vec<String> {
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        let id = site.application().await;
        let n = site.item_of("zhao-min", &id).await;
        items.push(format!("{id}.{n}"));
    }
    items
}

async fn outcome(site: &Arc<Site>, key: &str, item: &str) -> Json {
    let path = format!("/api/v1/work-items/{item}");
    let view = site.api_as(key, Method::GET, &path, None).await.json();
    view["closed"]["outcome"].clone()
}

#[tokio::test]
async fn one_decision_goes_to_each_item_and_each_refusal_is_told_by_item() {
    let site = site().await;
    let items = waiting(&site, 3).await;
    let key = site.key_of("zhao-min").await;
    let first = format!("/api/v1/work-items/{}/decision", items[0]);
    let alone = json!({ "outcome": "rejected", "comment": "用途不明" });
    site.api_as(&key, Method::POST, &first, Some(alone)).await;
    let body = json!({
        "items": [{ "id": items[0] }, { "id": items[1] }, { "id": items[2], "seen": { "round": 9 } }, { "id": "nothing.1" }],
        "outcome": "approved", "comment": "同意"
    });
    let path = "/api/v1/work-items/decisions";
    let answer = site.api_as(&key, Method::POST, path, Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let answer = answer.json();
    assert_eq!(
        (answer["done"].as_u64(), answer["refused"].as_u64()),
        (Some(1), Some(3)),
        "{answer}"
    );
    let status = |at: usize| answer["items"][at]["problem"]["status"].as_u64();
    assert_eq!(
        [status(0), status(1), status(2), status(3)],
        [Some(409), None, Some(409), Some(404)],
        "{answer}"
    );
    assert_eq!(answer["items"][1]["acted"]["outcome"], "approved");
    assert_eq!(outcome(&site, &key, &items[0]).await, "rejected");
}

#[tokio::test]
async fn several_items_are_handed_to_a_colleague() {
    let site = site().await;
    let items = waiting(&site, 2).await;
    let key = site.key_of("zhao-min").await;
    let listed: Vec<Json> = items.iter().map(|id| json!({ "id": id })).collect();
    let path = "/api/v1/work-items/transfers";
    let body = json!({ "items": listed, "to": "li-na", "comment": "请代办" });
    let own = site.api_as(&key, Method::POST, path, Some(body)).await;
    assert_eq!(
        own.json()["refused"],
        2,
        "nobody gets the own application: {}",
        own.body
    );
    let none = json!({ "items": [], "to": "qian-li" });
    let none = site.api_as(&key, Method::POST, path, Some(none)).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn marked_items_are_looked_at_and_decided_on_one_page() {
    let site = site().await;
    let items = waiting(&site, 2).await;
    let mut head = Browser::of(&site, "zhao-min").await;
    let inbox = head.get("/inbox?marked=all").await;
    let marked: Vec<String> = items.iter().map(|item| format!("{item}.1")).collect();
    for item in &marked {
        let input = format!("name=\"_item\" value=\"{item}\" checked");
        assert!(inbox.body.contains(&input), "{}", inbox.body);
    }
    let token = inbox.hidden("_token");
    let mut pairs = vec![("_token", token.as_str()), ("_act", "choose")];
    pairs.extend(marked.iter().map(|item| ("_item", item.as_str())));
    let page = head.post(TOGETHER, &pairs).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains("本部门审核"), "{}", page.body);

    pairs[1] = ("_act", "decide");
    let nothing = head.post(TOGETHER, &pairs).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nothing.body.contains("请选择一个结论"), "{}", nothing.body);
    pairs.push(("_outcome", "rejected"));
    let silent = head.post(TOGETHER, &pairs).await;
    assert_eq!(
        silent.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a refusal wants a comment before it goes to any"
    );
    pairs.push(("_comment", "用途不明"));
    let done = head.post(TOGETHER, &pairs).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert!(done.body.contains("已办理 2 件"), "{}", done.body);
    let again = head.post(TOGETHER, &pairs).await;
    assert!(
        again.body.contains("已办理 0 件") && again.body.contains("本事项已办结"),
        "each item says why it was not taken: {}",
        again.body
    );
    let inbox = head.get("/inbox").await;
    assert!(!inbox.body.contains(&items[0]), "{}", inbox.body);
}

#[tokio::test]
async fn items_of_other_people_are_not_found_and_nothing_marked_is_told() {
    let site = site().await;
    let items = waiting(&site, 1).await;
    let mut stranger = Browser::of(&site, "wu-gang").await;
    let token = stranger.get("/inbox").await.hidden("_token");
    let item = format!("{}.1", items[0]);
    let foreign = stranger
        .post(
            TOGETHER,
            &[("_token", &token), ("_act", "choose"), ("_item", &item)],
        )
        .await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{}", foreign.body);
    let none = stranger
        .post(TOGETHER, &[("_token", &token), ("_act", "choose")])
        .await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(none.body.contains("请先选择"), "{}", none.body);
}

#[tokio::test]
async fn the_inbox_is_narrowed_by_step_and_by_words() {
    let site = site().await;
    let items = waiting(&site, 2).await;
    let mut head = Browser::of(&site, "zhao-min").await;
    let (first, second) = (
        format!("/items/{}", items[0].replace('.', "/")),
        format!("/items/{}", items[1].replace('.', "/")),
    );
    let number = {
        let instance = items[0].split('.').next().unwrap_or_default();
        let path = format!("/api/v1/instances/{instance}");
        let case = site.api(Method::GET, &path, None).await.json();
        case["number"].as_str().expect("a number").to_owned()
    };
    let found = head
        .get(&format!("/inbox?text={}", number.to_lowercase()))
        .await;
    assert!(
        found.body.contains(&first) && !found.body.contains(&second),
        "{}",
        found.body
    );
    let step = "sharing/apply:%E6%9C%AC%E9%83%A8%E9%97%A8%E5%AE%A1%E6%A0%B8";
    let of_step = head.get(&format!("/inbox?step={step}")).await;
    assert!(
        of_step.body.contains(&first) && of_step.body.contains("本部门审核 · "),
        "{}",
        of_step.body
    );
    let other = head.get("/inbox?step=sharing/apply:other").await;
    assert!(
        other.body.contains("没有符合条件的待办事项"),
        "{}",
        other.body
    );
    let key = site.key_of("zhao-min").await;
    let path = format!("/api/v1/work-items?workflow=sharing/apply&text={number}");
    let list = site.api_as(&key, Method::GET, &path, None).await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
}
