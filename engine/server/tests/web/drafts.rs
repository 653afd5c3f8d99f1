//! What somebody has begun and not sent: kept for that person alone, shown again, gone once it is sent.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::site::{Browser, site};

const ADDRESS: &str = "/start/sharing/apply";
const DRAFT: &str = "/api/v1/workflows/sharing/apply/draft";

#[tokio::test]
async fn a_half_filled_form_is_saved_and_shown_again_to_nobody_else() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    let token = browser.get(ADDRESS).await.hidden("_token");
    let saved = browser
        .post(
            ADDRESS,
            &[
                ("_token", &token),
                ("_act", "save"),
                ("basis", "短"),
                ("scope.validTo", "不是日期"),
            ],
        )
        .await;
    assert_eq!(
        (saved.status, saved.location()),
        (StatusCode::SEE_OTHER, "/start?said=saved"),
        "faults are no hindrance: {}",
        saved.body
    );
    let list = browser.get(saved.location()).await;
    assert!(
        list.body.contains("草稿已保存") && list.body.contains("未提交的草稿"),
        "{}",
        list.body
    );
    let form = browser.get(ADDRESS).await;
    assert!(
        form.body.contains("尚未提交") && form.body.contains("短"),
        "{}",
        form.body
    );
    assert!(
        form.body.contains("value=\"不是日期\""),
        "what could not be read stays as it was typed: {}",
        form.body
    );
    let mut other = Browser::of(&site, "qian-li").await;
    let list = other.get("/start").await;
    assert!(!list.body.contains("未提交的草稿"), "{}", list.body);
}

#[tokio::test]
async fn a_draft_is_thrown_away() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    let token = browser.get(ADDRESS).await.hidden("_token");
    let save = [("_token", token.as_str()), ("_act", "save"), ("scene", "x")];
    browser.post(ADDRESS, &save).await;
    let gone = browser
        .post(ADDRESS, &[("_token", &token), ("_act", "discard")])
        .await;
    assert_eq!(gone.location(), "/start?said=discarded", "{}", gone.body);
    let form = browser.get(ADDRESS).await;
    assert!(!form.body.contains("尚未提交"), "{}", form.body);
}

#[tokio::test]
async fn sending_the_application_removes_its_draft() {
    let site = site().await;
    let key = site.key_of("li-na").await;
    let kept = site
        .api_as(&key, Method::PUT, DRAFT, Some(site.application_body()))
        .await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.body);
    let mut browser = Browser::of(&site, "li-na").await;
    let form = browser.get(ADDRESS).await;
    assert!(
        form.body.contains("道路运输执法检查职责"),
        "what the API saved is shown: {}",
        form.body
    );
    let answers = [
        ("_token", form.hidden("_token")),
        ("_act", "submit".to_owned()),
        ("resource", "300101/000001".to_owned()),
        ("purpose", "basis".to_owned()),
        ("basis", "道路运输条例第十条".to_owned()),
        ("scene", "核验从业人员身份信息".to_owned()),
        ("scope.items", "号牌".to_owned()),
        ("scope.mode", "api".to_owned()),
        ("scope.validTo", "2027-12-31".to_owned()),
        ("security", "专网访问,按需授权".to_owned()),
        ("contact", "李娜 0532-00000000".to_owned()),
    ];
    let answers: Vec<(&str, &str)> = answers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let sent = browser.post(ADDRESS, &answers).await;
    assert!(
        sent.location().ends_with("/confirmation"),
        "{} {}",
        sent.status,
        sent.body
    );
    let gone = site.api_as(&key, Method::GET, DRAFT, None).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{}", gone.body);
}

#[tokio::test]
async fn drafts_come_and_go_through_the_api() {
    let site = site().await;
    let key = site.key_of("li-na").await;
    let call = async |method: Method, path: &str, body: Option<serde_json::Value>| {
        site.api_as(&key, method, path, body).await
    };
    assert_eq!(
        call(Method::GET, DRAFT, None).await.status,
        StatusCode::NOT_FOUND
    );
    let half = json!({ "input": { "scene": "路面检查" } });
    let kept = call(Method::PUT, DRAFT, Some(half.clone())).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.body);
    let shown = call(Method::GET, DRAFT, None).await.json();
    assert_eq!(shown["input"], half["input"]);
    let list = call(Method::GET, "/api/v1/drafts", None).await.json();
    assert_eq!(list["items"][0]["workflow"], "sharing/apply", "{list}");
    let odd = call(Method::PUT, DRAFT, Some(json!({ "input": [] }))).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", odd.body);
    let gone = call(Method::DELETE, DRAFT, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.body);
    assert_eq!(
        call(Method::GET, DRAFT, None).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn who_may_not_start_keeps_no_draft_and_sees_nobody_elses() {
    let site = site().await;
    let own = site.key_of("li-na").await;
    let half = json!({ "input": { "scene": "路面检查" } });
    site.api_as(&own, Method::PUT, DRAFT, Some(half.clone()))
        .await;
    let other = site.key_of("chen-jie").await;
    let kept = site.api_as(&other, Method::PUT, DRAFT, Some(half)).await;
    assert_eq!(kept.status, StatusCode::NOT_FOUND, "{}", kept.body);
    let shown = site.api_as(&other, Method::GET, DRAFT, None).await;
    assert_eq!(shown.status, StatusCode::NOT_FOUND, "{}", shown.body);
    let list = site.api_as(&other, Method::GET, "/api/v1/drafts", None);
    assert_eq!(list.await.json()["items"], json!([]));
}
