//! How cases end in the console: granted as the provider narrowed it, or withdrawn by the applicant.

use std::sync::Arc;

use axum::http::StatusCode;

use crate::site::{Browser, Site, site};

/// A person agrees through the API.
async fn agree(site: &Arc<Site>, person: &str, id: &str) {
    let n = site.item_of(person, id).await;
    let key = site.key_of(person).await;
    let path = format!("/api/v1/work-items/{id}.{n}/decision");
    let body = serde_json::json!({ "outcome": "approved" });
    let done = site
        .api_as(&key, axum::http::Method::POST, &path, Some(body))
        .await;
    assert_eq!(done.status, StatusCode::OK, "{person}: {}", done.body);
}

#[tokio::test]
async fn the_provider_narrows_what_is_granted_and_the_case_ends_with_a_grant() {
    let site = site().await;
    let id = site.application().await;
    for person in ["zhao-min", "wang-lei", "chen-jie"] {
        agree(&site, person, &id).await;
    }
    let n = site.item_of("liu-bo", &id).await;
    let mut office = Browser::of(&site, "liu-bo").await;
    let address = format!("/items/{id}/{n}");
    let page = office.get(&address).await;
    assert!(
        page.body.contains("name=\"scope.items\"") && !page.body.contains("name=\"contact\""),
        "{}",
        page.body
    );
    let (token, round, digest) = (
        page.hidden("_token"),
        page.hidden("_round"),
        page.hidden("_digest"),
    );
    let decided = office
        .post(
            &address,
            &[
                ("_token", &token),
                ("_round", &round),
                ("_digest", &digest),
                ("_act", "decide"),
                ("_outcome", "approved"),
                ("scope.items", "号牌"),
                ("scope.validTo", "2027-04-30"),
            ],
        )
        .await;
    assert_eq!(decided.status, StatusCode::SEE_OTHER, "{}", decided.body);
    agree(&site, "zhou-ping", &id).await;
    let case = site
        .api(
            axum::http::Method::GET,
            &format!("/api/v1/instances/{id}"),
            None,
        )
        .await
        .json();
    assert_eq!(
        case["form"]["scope"]["items"],
        serde_json::json!(["号牌"]),
        "{case}"
    );
    assert_eq!(
        (case["status"].as_str(), case["output"]["outcome"].as_str()),
        (Some("completed"), Some("granted")),
        "{case}"
    );
    let mut own = Browser::of(&site, "li-na").await;
    let page = own.get(&format!("/cases/{id}")).await;
    assert!(
        page.body.contains("办理结果") && page.body.contains("分管领导审批"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn an_applicant_withdraws_the_own_application_and_nobody_elses() {
    let site = site().await;
    let id = site.application().await;
    site.item_of("zhao-min", &id).await;
    let mut head = Browser::of(&site, "zhao-min").await;
    let token = head.get("/inbox").await.hidden("_token");
    let address = format!("/cases/{id}");
    let foreign = head
        .post(
            &address,
            &[("_token", &token), ("_act", "cancel"), ("reason", "x")],
        )
        .await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN, "{}", foreign.body);
    let mut own = Browser::of(&site, "li-na").await;
    let page = own.get(&address).await;
    assert!(page.body.contains("撤回申请"), "{}", page.body);
    let token = page.hidden("_token");
    let gone = own
        .post(
            &address,
            &[
                ("_token", &token),
                ("_act", "cancel"),
                ("reason", "不再需要"),
            ],
        )
        .await;
    assert_eq!(
        gone.location(),
        format!("{address}?said=done"),
        "{}",
        gone.body
    );
    assert!(own.get(&address).await.body.contains("已撤回"));
    assert!(
        !head.get("/inbox").await.body.contains(&id),
        "nothing waits for the head any more"
    );
}
