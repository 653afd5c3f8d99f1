//! Links of mails: looking decides nothing, posting decides once, everything else is one neutral page.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tongban_runtime::{LinkKeys, LinkTerms};
use tongban_store::{Change, MailLinkRow};

use crate::site::{Answer, Browser, Site, site};

/// The newest link to decide in the mails to a person about a case.
async fn link_to(site: &Site, person: &str, instance: &str) -> String {
    for _ in 0..500 {
        let list = site
            .api(
                Method::GET,
                &format!("/api/v1/mailbox?person={person}&limit=200"),
                None,
            )
            .await
            .json();
        let mails = list["items"].as_array().expect("a list").clone();
        for mail in mails.iter().filter(|mail| mail["instance"] == instance) {
            let id = mail["id"].as_str().expect("an id");
            let shown = site
                .api(Method::GET, &format!("/api/v1/mailbox/{id}"), None)
                .await
                .json();
            let text = shown["text"].as_str().expect("a text");
            if let Some((_, rest)) = text.split_once("/link/") {
                let token: String = rest
                    .chars()
                    .take_while(|letter| letter.is_ascii_alphanumeric() || "-_".contains(*letter))
                    .collect();
                return format!("/link/{token}");
            }
        }
        tokio::task::yield_now().await;
    }
    panic!("no mail with a link to {person} about {instance}")
}

fn neutral(answer: &Answer) -> bool {
    answer.status == StatusCode::NOT_FOUND && answer.body.contains("此链接不可用")
}

#[tokio::test]
async fn fifty_looks_decide_nothing() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let link = link_to(&site, "zhao-min", &id).await;
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::GET] {
        for _ in 0..12 {
            let request = Request::builder()
                .method(method.clone())
                .uri(&link)
                .body(Body::empty())
                .expect("a request");
            site.send(request).await;
        }
    }
    assert_eq!(
        site.item_of("zhao-min", &id).await,
        n,
        "the item is still open"
    );
}

#[tokio::test]
async fn who_posts_without_having_loaded_the_page_decides_nothing() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let link = link_to(&site, "zhao-min", &id).await;
    // A scanner that posts without having loaded the page in a browser has no token.
    let bare = Request::builder()
        .method(Method::POST)
        .uri(&link)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("_act=decide&_outcome=approved"))
        .expect("a request");
    assert_eq!(site.send(bare).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.item_of("zhao-min", &id).await, n, "it is still open");
}

#[tokio::test]
async fn a_link_shows_whose_it_is_and_wants_an_outcome() {
    let site = site().await;
    let id = site.application().await;
    let link = link_to(&site, "zhao-min", &id).await;
    let mut browser = Browser::new(&site);
    let page = browser.get(&link).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(
        page.body.contains("赵敏") && page.body.contains("name=\"_outcome\""),
        "{}",
        page.body
    );
    assert!(!page.body.contains("退出登录"), "a link is no session");
    let (token, digest) = (page.hidden("_token"), page.hidden("_digest"));
    let undecided = browser
        .post(
            &link,
            &[("_token", &token), ("_digest", &digest), ("_act", "decide")],
        )
        .await;
    assert_eq!(
        undecided.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        undecided.body
    );
    assert_eq!(
        browser.get("/inbox").await.status,
        StatusCode::SEE_OTHER,
        "the link opened nothing else"
    );
}

#[tokio::test]
async fn one_post_decides_and_decides_once() {
    let site = site().await;
    let id = site.application().await;
    let link = link_to(&site, "zhao-min", &id).await;
    let mut browser = Browser::new(&site);
    let page = browser.get(&link).await;
    let (token, digest) = (page.hidden("_token"), page.hidden("_digest"));
    let decide = [
        ("_token", token.as_str()),
        ("_digest", digest.as_str()),
        ("_act", "decide"),
        ("_outcome", "approved"),
    ];
    let decided = browser.post(&link, &decide).await;
    assert_eq!(decided.status, StatusCode::OK, "{}", decided.body);
    assert!(
        decided.body.contains("已收到您的办理意见"),
        "{}",
        decided.body
    );
    site.item_of("wang-lei", &id).await;
    let again = browser
        .post(
            &link,
            &[
                ("_token", &token),
                ("_digest", &digest),
                ("_act", "decide"),
                ("_outcome", "rejected"),
                ("_comment", "x"),
            ],
        )
        .await;
    assert!(again.status.is_client_error(), "{}", again.body);
}

#[tokio::test]
async fn a_link_of_an_item_that_others_decided_says_so() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let link = link_to(&site, "zhao-min", &id).await;
    let key = site.key_of("zhao-min").await;
    let decided = site
        .api_as(
            &key,
            Method::POST,
            &format!("/api/v1/work-items/{id}.{n}/decision"),
            Some(serde_json::json!({ "outcome": "approved" })),
        )
        .await;
    assert_eq!(decided.status, StatusCode::OK, "{}", decided.body);
    let page = Browser::new(&site).get(&link).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.body);
    assert!(
        page.body.contains("赵敏 已于") && !page.body.contains("name=\"_outcome\""),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn forged_cut_and_altered_links_look_the_same() {
    let site = site().await;
    let id = site.application().await;
    let link = link_to(&site, "zhao-min", &id).await;
    let mut browser = Browser::new(&site);
    let token = browser.get("/sign-in").await.hidden("_token");
    let flipped = {
        let mut letters: Vec<char> = link.chars().collect();
        let last = letters.len() - 3;
        letters[last] = if letters[last] == 'A' { 'B' } else { 'A' };
        letters.into_iter().collect::<String>()
    };
    let cut = link[..link.len() - 5].to_owned();
    for bad in [
        "/link/x",
        "/link/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        flipped.as_str(),
        cut.as_str(),
    ] {
        let page = browser.get(bad).await;
        assert!(neutral(&page), "{bad}: {} {}", page.status, page.body);
        let posted = browser
            .post(
                bad,
                &[
                    ("_token", &token),
                    ("_act", "decide"),
                    ("_outcome", "approved"),
                ],
            )
            .await;
        assert!(neutral(&posted), "{bad}: {} {}", posted.status, posted.body);
    }
}

/// A link to decide an item that ends so many milliseconds from now.
async fn link_until(site: &Site, person: &str, item: (&str, i64), ends_in_ms: i64) -> String {
    let nonce: [u8; 16] = *uuid::Uuid::now_v7().as_bytes();
    let (now_ms, (instance, n)) = (site.app.now_ms(), item);
    let row = MailLinkRow {
        nonce: URL_SAFE_NO_PAD.encode(nonce),
        instance_id: instance.to_owned(),
        n,
        round: 1,
        person_id: person.to_owned(),
        purpose: "decide".to_owned(),
        expires_at_ms: now_ms + ends_in_ms,
        used_at_ms: None,
    };
    let terms = LinkTerms {
        instance: row.instance_id.clone(),
        n: u32::try_from(n).expect("small"),
        round: 1,
        person: row.person_id.clone(),
        purpose: row.purpose.clone(),
        expires_at_ms: row.expires_at_ms,
    };
    let mut change = Change::without_instance(now_ms);
    change.add(row);
    site.app.store().commit_one(change).await.expect("written");
    let key = blake3::derive_key("tongban 2026 decision links of mails", site.app.key.bytes());
    let token = LinkKeys::new(vec![key]).token(nonce, &terms);
    format!("/link/{}", token.expect("a key is there"))
}

#[tokio::test]
async fn a_link_that_expired_or_whose_person_is_gone_shows_nothing_whatever_is_posted() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let item = (id.as_str(), n);
    let mut browser = Browser::new(&site);
    let good = link_until(&site, "zhao-min", item, 60_000).await;
    let page = browser.get(&good).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let token = page.hidden("_token");
    let expired = link_until(&site, "zhao-min", item, -1).await;
    let gone = link_until(&site, "who-left", item, 60_000).await;
    let other = link_until(&site, "qian-li", item, 60_000).await;
    for link in [expired, gone, other] {
        let page = browser.get(&link).await;
        assert!(neutral(&page), "{link}: {} {}", page.status, page.body);
        for pairs in [
            vec![("_act", "decide"), ("_outcome", "approved")],
            // What is not filled in would show the page again.
            vec![("_act", "decide")],
            vec![("_act", "claim")],
        ] {
            let pairs = [&[("_token", token.as_str())], pairs.as_slice()].concat();
            let posted = browser.post(&link, &pairs).await;
            assert!(neutral(&posted), "{link} {pairs:?}: {}", posted.body);
        }
    }
    assert_eq!(site.item_of("zhao-min", &id).await, n, "it is still open");
}
