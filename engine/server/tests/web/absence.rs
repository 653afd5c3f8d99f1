//! Who is away says who acts meanwhile: in the console and through the API, in force at once.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::site::{Browser, site};

const ABSENCES: &str = "/api/v1/absences";

/// A form of the page as a browser posts it.
fn away<'a>(token: &'a str, from: &'a str, to: &'a str, who: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("_token", token),
        ("_act", "add"),
        ("from", from),
        ("to", to),
        ("who", who),
        ("of", ""),
    ]
}

#[tokio::test]
async fn who_is_away_names_an_agent_and_the_agent_has_the_open_work_at_once() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let item = format!("/items/{id}/{n}");
    let mut agent = Browser::of(&site, "qian-li").await;
    assert_eq!(agent.get(&item).await.status, StatusCode::NOT_FOUND);

    let mut head = Browser::of(&site, "zhao-min").await;
    let token = head.get("/absence").await.hidden("_token");
    let today = "2020年1月1日";
    let sent = head
        .post("/absence", &away(&token, today, "", "钱丽"))
        .await;
    assert_eq!(sent.location(), "/absence?said=away", "{}", sent.body);
    let page = head.get("/absence").await;
    assert!(
        page.body.contains("2020-01-01 起") && page.body.contains("钱丽"),
        "{}",
        page.body
    );

    assert_eq!(site.item_of("qian-li", &id).await, n);
    let shown = agent.get(&item).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    let acts = agent.get("/absence").await;
    assert!(acts.body.contains("您代理：赵敏"), "{}", acts.body);
    let token = shown.hidden("_token");
    let decision = [
        ("_token", token.as_str()),
        ("_act", "decide"),
        ("_outcome", "approved"),
    ];
    let decided = agent.post(&item, &decision).await;
    assert_eq!(decided.status, StatusCode::SEE_OTHER, "{}", decided.body);
    let record = head.get(&format!("/cases/{id}")).await;
    assert!(record.body.contains("代 赵敏"), "{}", record.body);
}

#[tokio::test]
async fn what_cannot_be_meant_is_told_at_its_place() {
    let site = site().await;
    let mut head = Browser::of(&site, "zhao-min").await;
    let token = head.get("/absence").await.hidden("_token");
    for (from, to, who, place) in [
        ("", "", "钱丽", "#from"),
        ("2030-01-02", "2030-01-01", "钱丽", "#to"),
        ("2020-01-01", "2020-01-02", "钱丽", "#to"),
        ("2030-01-01", "", "nobody", "#who"),
        ("2030-01-01", "", "zhao-min", "#who"),
    ] {
        let told = head.post("/absence", &away(&token, from, to, who)).await;
        assert_eq!(
            told.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{from} {to} {who}"
        );
        let link = format!("href=\"{place}\"");
        assert!(told.body.contains(&link), "{place} in {}", told.body);
        assert!(
            told.body.contains(&format!("value=\"{who}\"")),
            "what was typed is kept"
        );
    }
    let first = away(&token, "2030-01-01", "2030-01-10", "钱丽");
    assert_eq!(
        head.post("/absence", &first).await.status,
        StatusCode::SEE_OTHER
    );
    let over = head
        .post("/absence", &away(&token, "2030-01-10", "", "钱丽"))
        .await;
    assert!(over.body.contains("重叠"), "{}", over.body);
}

#[tokio::test]
async fn absences_come_and_go_through_the_api() {
    let site = site().await;
    let key = site.key_of("zhao-min").await;
    let wanted = json!({ "from": "2030-01-01", "to": "2030-01-10", "agent": "qian-li", "of": "sharing/apply" });
    let kept = site
        .api_as(&key, Method::POST, ABSENCES, Some(wanted.clone()))
        .await;
    assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.body);
    let id = kept.json()["id"].as_str().expect("an id").to_owned();
    let list = site.api_as(&key, Method::GET, ABSENCES, None).await.json();
    let shown = json!({ "id": id, "from": "2030-01-01", "to": "2030-01-10", "agent": "qian-li", "of": ["sharing/apply"] });
    assert_eq!(list["items"], json!([shown]));
    let again = site
        .api_as(&key, Method::POST, ABSENCES, Some(wanted))
        .await;
    assert_eq!(
        again.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        again.body
    );
    let other = json!({ "from": "2030-01-01", "agent": "qian-li", "of": "sharing/dispute" });
    let other = site.api_as(&key, Method::POST, ABSENCES, Some(other)).await;
    assert_eq!(
        other.status,
        StatusCode::CREATED,
        "another process: {}",
        other.body
    );

    let path = format!("{ABSENCES}/{id}");
    let stranger = site.key_of("li-na").await;
    let hidden = site.api_as(&stranger, Method::DELETE, &path, None).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    let ended = site.api_as(&key, Method::DELETE, &path, None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    let gone = site.api_as(&key, Method::DELETE, &path, None).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}
