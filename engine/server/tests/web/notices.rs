//! Public notices for people outside of the case, and what the API masks of a form.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value as Json, json};
use tongban_expr::Value;
use tongban_runtime::{Caller, Start, Started};
use tongban_server::security::key::Scope;
use tongban_work::Channel;

use crate::site::{Answer, Browser, Site, site};

const PACK: &str = "pack: square\nversion: 1.0.0\ntitle: { zh-CN: 广场, en: Square }\nsummary: 测试。\nlanguages: [zh-CN, en]\n";
const FORM: &str = "type: object\nrequired: [name, id]\nproperties:\n  name: { type: string, title: 姓名 }\n  id: { type: string, title: 证件号码, x-mask: id }\n";
const ANNOUNCE: &str = r"
document: { dsl: '1.0.3', namespace: square, name: announce, version: '1.0.0', title: 公示流程, metadata: { case: { number: 'GG{yyyy}-{seq:4}' } } }
evaluate: { language: rhai }
input: { schema: { document: { $ref: forms/announce.yaml } } }
do:
  - look:
      metadata: { title: 审核, x-en: 'Look at it' }
      call: approve
      with: { to: [{ user: zhou-ping }], outcomes: { approved: { title: 同意, x-en: Agree } } }
  - publish:
      metadata: { title: 公示, x-en: Notice }
      call: notice
      with:
        title: '${ `名单公示(${workflow.number})` }'
        template: notices/result
        data: { name: '${ form.name }' }
        mask: { name: name }
        due: { days: 7 }
        objections: { workflow: square/protest, wait: true }
  - done: { set: { outcome: clear } }
";
const PROTEST: &str = r"
document:
  dsl: '1.0.3'
  namespace: square
  name: protest
  version: '1.0.0'
  title: 广场异议
  metadata:
    x-en: 'Protest'
    case: { number: 'KY{yyyy}-{seq:4}', links: { objects: '${ link.number }' } }
    start: { on: { notice: square/announce }, by: [anyone] }
evaluate: { language: rhai }
input: { schema: { document: { $ref: forms/protest.yaml } } }
do:
  - look:
      metadata: { title: 核查, x-en: Check }
      call: approve
      with: { to: [{ user: zhou-ping }], outcomes: { upheld: { title: 成立, x-en: Upheld }, dismissed: { title: 不成立, x-en: Dismissed } } }
  - done: { set: { outcome: '${ steps.look.outcome }' } }
";
const PROTEST_FORM: &str =
    "type: object\nrequired: [text]\nproperties:\n  text: { type: string, title: 理由 }\n";
const START_PROTEST: &str = "/api/v1/workflows/square/protest/instances";
const IDENTITY: &str = "990000199001010017";
const MASKED: &str = "990***********0017";

/// Publishes the pack and starts a case of it as a citizen.
async fn announced(site: &Arc<Site>) -> Started {
    let files = json!({ "files": {
        "pack.yaml": PACK,
        "workflows/announce.yaml": ANNOUNCE,
        "workflows/protest.yaml": PROTEST,
        "forms/announce.yaml": FORM,
        "forms/protest.yaml": PROTEST_FORM,
        "notices/result.zh-CN.md": "拟同意{{ data.name }},证件 {{ form.id }},请在 {{ notice.to }} 前[提出]({{ notice.url }})。\n",
        "notices/result.en.md": "{{ data.name }} is found fit, document {{ form.id }}. You may [object]({{ notice.url }}) until {{ notice.to }}.\n",
    } });
    let key = site.key_of("admin").await;
    let published = site
        .api_as(&key, Method::POST, "/api/v1/workflows", Some(files))
        .await;
    assert!(published.status.is_success(), "{}", published.body);
    let input = json!({ "name": "张三丰", "id": IDENTITY }).to_string();
    let start = Start {
        workflow: "square/announce".to_owned(),
        version: None,
        input: Value::from_json(&input).expect("an input"),
        caller: Caller::person("zhang-san", None, Channel::Api),
        idempotency_key: None,
        link: None,
    };
    site.app.runtime.start(start).await.expect("it starts")
}

/// Decides the review before the notice, and gives the path of the notice.
async fn published(site: &Arc<Site>, id: &str) -> String {
    let n = site.item_of("zhou-ping", id).await;
    let key = site.key_of("zhou-ping").await;
    let path = format!("/api/v1/work-items/{id}.{n}/decision");
    let body = json!({ "outcome": "approved" });
    let decided = site.api_as(&key, Method::POST, &path, Some(body)).await;
    assert_eq!(decided.status, StatusCode::OK, "{}", decided.body);
    format!("/notices/{id}.{}", n + 1)
}

const OBJECTION: [(&str, &str); 2] = [("_act", "submit"), ("text", "该户另有住房")];

async fn protest(site: &Site, person: &str, number: &str) -> StatusCode {
    let key = site.key_of(person).await;
    let body = json!({ "input": { "text": "该户另有住房" }, "link": number });
    site.api_as(&key, Method::POST, START_PROTEST, Some(body))
        .await
        .status
}

/// Stops a case, and with it its notice.
async fn stop(site: &Site, id: &str) {
    let admin = site.key_of("admin").await;
    let path = format!("/api/v1/instances/{id}/cancel");
    let body = json!({ "reason": "撤回公示" });
    let cancelled = site.api_as(&admin, Method::POST, &path, Some(body)).await;
    assert!(cancelled.status.is_success(), "{}", cancelled.body);
}

#[track_caller]
fn holds(page: &Answer, parts: &[&str]) {
    for part in parts {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
}

#[tokio::test]
async fn before_a_notice_is_published_nobody_outside_learns_anything() {
    let site = site().await;
    let started = announced(&site).await;
    let (id, number) = (started.id, started.number);
    let mut reader = Browser::of(&site, "qian-li").await;
    for path in [
        format!("/notices/{id}.1"),
        format!("/notices/{id}.2"),
        format!("/start/square/protest?link={number}"),
    ] {
        let answer = reader.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let refused = protest(&site, "qian-li", &number).await;
    assert_eq!(refused, StatusCode::NOT_FOUND);
    let list = reader.get("/notices").await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.body);
    holds(&list, &["现在没有正在公示的事项"]);
}

#[tokio::test]
async fn anybody_who_is_signed_in_reads_a_notice_and_nothing_else_of_its_case() {
    let site = site().await;
    let started = announced(&site).await;
    let notice = published(&site, &started.id).await;
    let mut reader = Browser::of(&site, "qian-li").await;
    let list = reader.get("/notices").await;
    holds(&list, &[&notice, &started.number, "名单公示(", "公示流程"]);
    let page = reader.get(&notice).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let offer = format!("/start/square/protest?link={}", started.number);
    holds(
        &page,
        &[
            "名单公示(",
            "张**",
            MASKED,
            "公示期：",
            &offer,
            "广场异议",
            "#object",
        ],
    );
    assert!(
        !page.body.contains("张三丰") && !page.body.contains(IDENTITY),
        "{}",
        page.body
    );
    let case = reader.get(&format!("/cases/{}", started.id)).await;
    assert_eq!(case.status, StatusCode::NOT_FOUND, "the case stays hidden");
    let mut english = Browser::english(&site);
    english.sign_in("wu-gang").await;
    let page = english.get(&notice).await;
    holds(&page, &["Public from", "is found fit", "Protest"]);
}

#[tokio::test]
async fn anybody_objects_to_a_notice_and_sees_no_more_of_its_case() {
    let site = site().await;
    let started = announced(&site).await;
    let (id, number) = (started.id, started.number);
    published(&site, &id).await;
    let mut reader = Browser::of(&site, "qian-li").await;
    let offer = format!("/start/square/protest?link={number}");
    let form = reader.get(&offer).await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.body);
    assert_eq!(form.hidden("_link"), number);
    let key = site.key_of("qian-li").await;
    let path = format!("/api/v1/workflows/square/protest/form?link={number}");
    let schema = site.api_as(&key, Method::GET, &path, None).await;
    assert_eq!(schema.status, StatusCode::OK, "{}", schema.body);
    let taken = protest(&site, "qian-li", &number).await;
    assert_eq!(taken, StatusCode::CREATED);
    let unknown = protest(&site, "qian-li", "GG2026-9999").await;
    assert_eq!(unknown, StatusCode::NOT_FOUND);
    let still = reader.get(&format!("/cases/{id}")).await;
    assert_eq!(
        still.status,
        StatusCode::NOT_FOUND,
        "objecting opens nothing"
    );
}

#[tokio::test]
async fn a_notice_that_is_over_says_so_and_its_text_is_gone_for_people_outside() {
    let site = site().await;
    let started = announced(&site).await;
    let notice = published(&site, &started.id).await;
    stop(&site, &started.id).await;
    let mut outside = Browser::of(&site, "qian-li").await;
    let page = outside.get(&notice).await;
    assert_eq!(page.status, StatusCode::GONE, "{}", page.body);
    holds(&page, &["公示已结束", "公示期：", &started.number]);
    assert!(
        !page.body.contains("张**") && !page.body.contains("/start/square"),
        "{}",
        page.body
    );
    let offer = format!("/start/square/protest?link={}", started.number);
    let late = outside.get(&offer).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    holds(&late, &["公示已结束", "异议只能在公示期内提出"]);
    let late = protest(&site, "qian-li", &started.number).await;
    assert_eq!(late, StatusCode::CONFLICT);
    let list = outside.get("/notices").await;
    assert!(!list.body.contains(&notice), "{}", list.body);
    let own = Browser::of(&site, "zhang-san").await.get(&notice).await;
    assert_eq!(own.status, StatusCode::OK);
    holds(&own, &["公示已结束", "张**"]);
    assert!(!own.body.contains("/start/square"), "{}", own.body);
}

#[tokio::test]
async fn an_objection_that_is_sent_again_after_the_notice_gets_its_first_answer() {
    let site = site().await;
    let started = announced(&site).await;
    published(&site, &started.id).await;
    let mut reader = Browser::of(&site, "qian-li").await;
    let address = "/start/square/protest";
    let offer = format!("{address}?link={}", started.number);
    let token = reader.get(&offer).await.hidden("_token");
    let sent = |key: &'static str| {
        let mut pairs = vec![
            ("_token", token.as_str()),
            ("_link", &started.number),
            ("_key", key),
        ];
        pairs.extend(OBJECTION);
        pairs
    };
    let first = reader.post(address, &sent("first")).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.body);
    stop(&site, &started.id).await;
    let again = reader.post(address, &sent("first")).await;
    assert_eq!(again.location(), first.location(), "{}", again.body);
    let other = reader.post(address, &sent("other")).await;
    assert_eq!(other.status, StatusCode::CONFLICT, "{}", other.body);
}

#[tokio::test]
async fn the_api_lists_the_notices_that_stand_page_by_page() {
    let site = site().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = announced(&site).await.id;
        published(&site, &id).await;
        ids.insert(0, format!("{id}.2"));
    }
    let key = site
        .key_with(Some("city".into()), None, &[Scope::View])
        .await;
    let first = read(&site, &key, "/api/v1/notices?limit=1").await;
    assert_eq!(first["items"][0]["id"], ids[0].as_str());
    let next = first["next"].as_str().expect("there is more");
    let rest = read(
        &site,
        &key,
        &format!("/api/v1/notices?limit=1&cursor={next}"),
    )
    .await;
    assert_eq!(rest["items"][0]["id"], ids[1].as_str());
    assert!(rest["next"].is_null(), "{rest}");
    let none = read(&site, &key, "/api/v1/notices?text=zzz").await;
    assert_eq!(none["items"], json!([]));

    let path = format!("/api/v1/notices/{}?language=en", ids[0]);
    let shown = read(&site, &key, &path).await;
    assert_eq!(
        (&shown["open"], &shown["objections"]),
        (&json!(true), &json!("square/protest"))
    );
    let text = shown["text"].as_str().expect("a text");
    assert!(
        text.contains("张** is found fit") && text.contains(MASKED),
        "{text}"
    );
    stop(&site, ids[0].trim_end_matches(".2")).await;
    let outside = site.key_of("qian-li").await;
    let over = read(&site, &outside, &path).await;
    assert_eq!(
        (&over["open"], &over["text"], &over["title"]),
        (&json!(false), &Json::Null, &json!(""))
    );
}

async fn read(site: &Site, key: &str, path: &str) -> Json {
    let answer = site.api_as(key, Method::GET, path, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.json()
}

#[tokio::test]
async fn the_api_masks_what_the_console_masks_and_keeps_who_asked_for_more() {
    let site = site().await;
    let id = announced(&site).await.id;
    let n = site.item_of("zhou-ping", &id).await;
    let path = format!("/api/v1/instances/{id}");
    let own = site.key_of("zhang-san").await;
    assert_eq!(read(&site, &own, &path).await["form"]["id"], IDENTITY);
    let deciding = site.key_of("zhou-ping").await;
    let item = format!("/api/v1/work-items/{id}.{n}");
    assert_eq!(read(&site, &deciding, &item).await["data"]["id"], IDENTITY);
    let admin = site.key_of("admin").await;
    let masked = read(&site, &admin, &path).await;
    assert_eq!(
        (&masked["form"]["id"], &masked["form"]["name"]),
        (&json!(MASKED), &json!("张三丰"))
    );
    let silent = site
        .api_as(&admin, Method::GET, &format!("{path}?reveal="), None)
        .await;
    assert_eq!(
        silent.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        silent.body
    );
    let why = format!("{path}?reveal=check-{id}");
    assert_eq!(read(&site, &admin, &why).await["form"]["id"], IDENTITY);
    let trace = site.app.store().accesses_by("admin", i64::MAX, 50).await;
    let trace = trace.expect("the log is read");
    let kept = trace
        .iter()
        .find(|row| row.record_id.as_deref() == Some(id.as_str()));
    let kept = kept.expect("it left a trace");
    assert_eq!(
        (kept.register.as_str(), kept.why.clone()),
        ("case/square/announce", format!("check-{id}"))
    );

    // Who decided before looks on now: the item is masked for him, and he may ask.
    published(&site, &id).await;
    assert_eq!(read(&site, &deciding, &item).await["data"]["id"], MASKED);
    let stranger = site.key_of("qian-li").await;
    let hidden = site.api_as(&stranger, Method::GET, &why, None).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_of_the_applicants_unit_reads_in_full_and_one_above_it_does_not() {
    let site = site().await;
    announced(&site).await;
    let input = json!({ "name": "李娜", "id": IDENTITY }).to_string();
    let unit = Some("transport".to_owned());
    let start = Start {
        workflow: "square/announce".to_owned(),
        version: None,
        input: Value::from_json(&input).expect("an input"),
        caller: Caller::person("li-na", unit.clone(), Channel::Api),
        idempotency_key: None,
        link: None,
    };
    let id = site.app.runtime.start(start).await.expect("it starts").id;
    let path = format!("/api/v1/instances/{id}");
    let own = site.key_with(unit, None, &[Scope::View]).await;
    assert_eq!(read(&site, &own, &path).await["form"]["id"], IDENTITY);
    let above = site
        .key_with(Some("city".into()), None, &[Scope::View])
        .await;
    assert_eq!(read(&site, &above, &path).await["form"]["id"], MASKED);
}

#[tokio::test]
async fn letters_name_the_task_in_the_language_of_their_reader() {
    let site = site().await;
    let id = announced(&site).await.id;
    site.item_of("zhou-ping", &id).await;
    let list = "/api/v1/mailbox?person=zhou-ping&limit=200";
    for _ in 0..500 {
        let mails = site.api(Method::GET, list, None).await.json();
        let mails = mails["items"].as_array().expect("a list").clone();
        if let Some(mail) = mails.iter().find(|mail| mail["instance"] == id.as_str()) {
            let path = format!("/api/v1/mailbox/{}", mail["id"].as_str().expect("an id"));
            let letter = site.api(Method::GET, &path, None).await.json();
            let subject = letter["subject"].as_str().expect("a subject");
            assert!(subject.starts_with("To do: Look at it"), "{subject}");
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("no letter came")
}
