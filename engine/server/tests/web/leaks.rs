//! What a form masks, and what reviewers say to one another, through every other way in which a case is told.

use axum::http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::site::{Answer, Site, site};

const ID: &str = "990000199001010017";
const SPOUSE: &str = "990000200002290028";
const WORDS: &str = "between us";

/// An application for housing with its id; the street's clerk has accepted it and said something to it.
async fn housing(site: &Site) -> String {
    let applicant = site.key_of("zhang-san").await;
    let input = json!({
        "applicant": { "name": "张三", "id": ID },
        "members": [
            { "name": "张三", "id": ID, "relation": "self" },
            { "name": "王五", "id": SPOUSE, "relation": "spouse" }
        ],
        "street": "s1",
        "consent": { "agreed": true, "signature": "sig:demo" }
    });
    let path = "/api/v1/workflows/housing/apply/instances";
    let body = Some(json!({ "input": input }));
    let started = site.api_as(&applicant, Method::POST, path, body).await;
    assert_eq!(started.status, StatusCode::CREATED, "{}", started.body);
    let id = started.json()["id"].as_str().expect("an id").to_owned();
    act(site, "s1-clerk", &id).await;
    id
}

/// Does what a person is asked for next, and says something to it.
async fn act(site: &Site, person: &str, id: &str) {
    let key = site.key_of(person).await;
    let n = site.item_of(person, id).await;
    let path = format!("/api/v1/work-items/{id}.{n}");
    let item = site.api_as(&key, Method::GET, &path, None).await.json();
    let said = format!("{WORDS}: {ID}");
    let (act, body) = match item["kind"].as_str() {
        Some("collect") => (
            "submission",
            json!({ "data": { "area": 20, "lived": true }, "comment": said }),
        ),
        _ => (
            "decision",
            json!({ "outcome": item["outcomes"][0]["name"], "comment": said }),
        ),
    };
    let path = format!("{path}/{act}");
    let answer = site.api_as(&key, Method::POST, &path, Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{act}: {}", answer.body);
}

/// Every way in which a case is told to a key.
async fn told(site: &Site, key: &str, id: &str) -> Vec<(String, Answer)> {
    let mut paths: Vec<String> = ["", "/history", "/diagram"]
        .iter()
        .map(|tail| format!("/api/v1/instances/{id}{tail}"))
        .collect();
    paths.extend((1..6).map(|n| format!("/api/v1/work-items/{id}.{n}")));
    let mut answers = Vec::new();
    for path in paths {
        let answer = site.api_as(key, Method::GET, &path, None).await;
        if answer.status == StatusCode::OK {
            answers.push((path, answer));
        }
    }
    answers
}

/// The first case of a workflow that a key sees, if there is one.
async fn case_of(site: &Site, key: &str, workflow: &str) -> Option<String> {
    let path = format!("/api/v1/instances?workflow={workflow}");
    let list = site.api_as(key, Method::GET, &path, None).await.json();
    list["items"][0]["id"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn what_a_form_masks_is_masked_in_every_answer_about_the_case_and_its_children() {
    let site = site().await;
    let id = housing(&site).await;
    let key = site.key_of("admin").await;
    act(&site, "s1-clerk", &id).await;
    // The notice before the vetting stands for days.
    let jump = json!({ "to": "vet", "reason": "the notice is over", "input": {} });
    let path = format!("/api/v1/instances/{id}/jump");
    let jumped = site.api_as(&key, Method::POST, &path, Some(jump)).await;
    assert_eq!(jumped.status, StatusCode::NO_CONTENT, "{}", jumped.body);
    let child = case_of(&site, &key, "housing/vetting").await;
    let child = child.expect("the case has a child");
    for id in [&id, &child] {
        let answers = told(&site, &key, id).await;
        assert!(answers.len() >= 3, "{answers:?}");
        for (path, answer) in answers {
            for secret in [ID, SPOUSE, "王五"] {
                assert!(!answer.body.contains(secret), "{path}: {}", answer.body);
            }
        }
        let path = format!("/api/v1/instances/{id}?reveal=complaint%20of%20the%20applicant");
        let whole = site.api_as(&key, Method::GET, &path, None).await;
        assert!(whole.body.contains(SPOUSE), "{}", whole.body);
    }
    let history = format!("/api/v1/instances/{id}/history");
    let history = site.api_as(&key, Method::GET, &history, None).await;
    assert!(history.body.contains(WORDS), "who may view hears the words");
    assert!(
        history.body.contains("990***********0017"),
        "{}",
        history.body
    );
}

#[tokio::test]
async fn the_applicant_sees_his_own_data_in_full_and_not_what_reviewers_say_to_one_another() {
    let site = site().await;
    let id = housing(&site).await;
    let key = site.key_of("zhang-san").await;
    let answers = told(&site, &key, &id).await;
    for (path, answer) in &answers {
        assert!(!answer.body.contains(WORDS), "{path}: {}", answer.body);
    }
    let of = |tail: &str| -> Json {
        let found = answers.iter().find(|(path, _)| path.ends_with(tail));
        found.expect("it was told").1.json()
    };
    assert_eq!(of(&id)["form"]["members"][1]["id"], SPOUSE);
    assert_eq!(of(".1")["data"]["members"][1]["id"], SPOUSE);
    let notes = of("/history")["items"].to_string();
    assert!(notes.contains("\"outcome\":\"approved\""), "{notes}");
}

#[tokio::test]
async fn who_holds_a_key_is_told_to_those_only_who_see_that_case() {
    let site = site().await;
    let applicant = site.key_of("zhang-san").await;
    let other = site.key_of("li-si").await;
    let id = housing(&site).await;
    let input = json!({
        "applicant": { "name": "张三", "id": ID },
        "members": [{ "name": "张三", "id": ID, "relation": "self" }],
        "street": "s1",
        "consent": { "agreed": true, "signature": "sig:demo" }
    });
    let path = "/api/v1/workflows/housing/apply/instances";
    for (key, holder) in [(&applicant, json!(id)), (&other, Json::Null)] {
        let body = Some(json!({ "input": input }));
        let answer = site.api_as(key, Method::POST, path, body).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
        assert_eq!(answer.json()["holder"], holder, "{}", answer.body);
    }
}
