//! What the pages say: who did what in words, what is asked of whom, what may be looked at, what may follow.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::site::{Answer, Browser, site};

async fn act(browser: &mut Browser, address: &str, pairs: &[(&str, &str)]) -> Answer {
    let token = browser.get(address).await.hidden("_token");
    let mut all = vec![("_token", token.as_str())];
    all.extend_from_slice(pairs);
    browser.post(address, &all).await
}

#[tokio::test]
async fn the_record_of_a_case_is_in_words_of_its_reader() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let mut head = Browser::of(&site, "zhao-min").await;
    let address = format!("/items/{id}/{n}");
    let page = head.get(&address).await;
    for text in [
        "请您作出决定：本部门审核",
        "还剩 ",
        "后续环节",
        "href=\"#answer\"",
        "形式审查",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let back = [
        ("_act", "return"),
        ("_to", "applicant"),
        ("_resume", "direct"),
        ("_comment", "请写明路段"),
    ];
    let answer = act(&mut head, &address, &back).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);

    let own = site.item_of("li-na", &id).await;
    let mut applicant = Browser::of(&site, "li-na").await;
    let page = applicant.get(&format!("/items/{id}/{own}")).await;
    assert!(page.body.contains("请您修改后重新提交"));
    assert!(
        !page.body.contains("value=\"urge\""),
        "nobody reminds oneself"
    );
    let case = applicant.get(&format!("/cases/{id}")).await;
    for text in [
        "退回修改",
        "赵敏",
        "市交通局",
        "请写明路段",
        "去办理",
        "共享申请:机动车登记信息(李娜)",
    ] {
        assert!(case.body.contains(text), "{text}: {}", case.body);
    }
    for raw in [
        "@applicant",
        "· return",
        "已跳过</td><td>zhao-min",
        "ownReview",
    ] {
        assert!(!case.body.contains(raw), "{raw}: {}", case.body);
    }
    let mut english = Browser::english(&site);
    english.sign_in("li-na").await;
    let case = english.get(&format!("/cases/{id}")).await;
    for text in [
        "returned for correction",
        "Review by the own department",
        "City Transport",
        "Correct and send again",
        "Application to share a resource",
    ] {
        assert!(case.body.contains(text), "{text}: {}", case.body);
    }
}

#[tokio::test]
async fn work_is_handed_on_by_name_and_only_to_who_may_take_it() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let mut head = Browser::of(&site, "zhao-min").await;
    let address = format!("/items/{id}/{n}");
    for (who, way, said) in [
        ("无此人", "delegate", "请填写一位在职人员"),
        ("李娜", "transfer", "是申请人本人"),
        ("赵敏", "beside", "已在本环节办理人员中"),
        ("gao-yuan", "", "请选择办理方式"),
    ] {
        let pairs = [("_act", "hand"), ("_who", who), ("_way", way)];
        let answer = act(&mut head, &address, &pairs).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{who}");
        assert!(answer.body.contains(said), "{who}: {}", answer.body);
    }
    let pairs = [
        ("_act", "hand"),
        ("_who", "高远"),
        ("_way", "delegate"),
        ("_comment", "请看数据口径"),
    ];
    let answer = act(&mut head, &address, &pairs).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let mut asked = Browser::of(&site, "gao-yuan").await;
    let page = asked.get(&address).await;
    assert!(page.body.contains("请您提供意见"), "{}", page.body);
    let pairs = [
        ("_act", "decide"),
        ("_outcome", "approved"),
        ("_comment", "口径一致"),
    ];
    let answer = act(&mut asked, &address, &pairs).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let page = head.get(&address).await;
    assert!(page.body.contains("提供意见") && page.body.contains("口径一致"));
    assert!(page.body.contains("请您作出决定"), "the owner decides");
    let answer = act(&mut head, &address, &pairs).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
}

#[tokio::test]
async fn signers_are_added_and_taken_out_through_the_api() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let key = site.key_of("zhao-min").await;
    let path = |act: &str| format!("/api/v1/work-items/{id}.{n}/{act}");
    let send = async |act: &str, body: serde_json::Value| {
        site.api_as(&key, Method::POST, &path(act), Some(body))
            .await
    };
    let wrong = send("signers", json!({ "who": "gao-yuan", "when": "never" })).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let own = send("signers", json!({ "who": "li-na", "when": "before" })).await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", own.body);
    let added = send("signers", json!({ "who": "gao-yuan", "when": "before" })).await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.body);
    let early = send("decision", json!({ "outcome": "approved" })).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "he decides first");
    let gone = send("signers/removal", json!({ "who": "gao-yuan" })).await;
    assert_eq!(gone.status, StatusCode::OK, "{}", gone.body);
    let decided = send("decision", json!({ "outcome": "approved" })).await;
    assert_eq!(decided.status, StatusCode::OK, "{}", decided.body);
    let signed = send(
        "decision",
        json!({ "outcome": "approved", "signature": "x" }),
    )
    .await;
    assert_eq!(signed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        signed.body.contains("signature"),
        "a signature is refused by name: {}",
        signed.body
    );
}

#[tokio::test]
async fn masked_data_are_shown_for_a_reason_and_leave_a_trace() {
    let site = site().await;
    let key = site.key_of("zhang-san").await;
    let input = json!({
        "applicant": { "name": "张三", "id": "990000199001010017" },
        "members": [{ "name": "张三", "id": "990000199001010017", "relation": "self" }],
        "street": "s1",
        "consent": { "agreed": true, "signature": "张三" },
    });
    let path = "/api/v1/workflows/housing/apply/instances";
    let started = site
        .api_as(&key, Method::POST, path, Some(json!({ "input": input })))
        .await;
    assert_eq!(started.status, StatusCode::CREATED, "{}", started.body);
    let id = started.json()["id"].as_str().expect("an id").to_owned();
    let address = format!("/cases/{id}");
    let mut admin = Browser::of(&site, "admin").await;
    let page = admin.get(&address).await;
    assert!(!page.body.contains("990000199001010017"), "it is masked");
    assert!(page.body.contains("990***********0017"), "{}", page.body);
    let silent = act(&mut admin, &address, &[("_act", "reveal")]).await;
    assert!(silent.status.is_client_error(), "a reason is needed");
    assert!(!silent.body.contains("990000199001010017"));
    let pairs = [("_act", "reveal"), ("reason", "核对身份")];
    let shown = act(&mut admin, &address, &pairs).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    assert!(shown.body.contains("990000199001010017") && shown.body.contains("本次查看已记录"));
    let trace = site
        .app
        .store()
        .accesses_by("admin", i64::MAX, 10)
        .await
        .expect("the log is read");
    let row = trace.first().expect("it left a trace");
    assert_eq!(row.record_id.as_deref(), Some(id.as_str()));
    assert_eq!(
        (row.register.as_str(), row.why.as_str()),
        ("case/housing/apply", "核对身份")
    );
    let mut stranger = Browser::of(&site, "qian-li").await;
    let token = stranger.get("/inbox").await.hidden("_token");
    let pairs = [
        ("_token", token.as_str()),
        ("_act", "reveal"),
        ("reason", "好奇"),
    ];
    let hidden = stranger.post(&address, &pairs).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_case_that_follows_another_is_started_from_its_page_only() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let list = Browser::of(&site, "li-na").await.get("/start").await;
    assert!(!list.body.contains("sharing/dispute"), "{}", list.body);
    let key = site.key_of("li-na").await;
    let path = "/api/v1/workflows/sharing/dispute/instances";
    let need = |link: Option<&str>| json!({ "input": { "need": "路面执法必须核对号牌与登记是否一致" }, "link": link });
    let own = format!("/api/v1/instances/{id}");
    let case = site.api_as(&key, Method::GET, &own, None).await.json();
    let number = case["number"].as_str().expect("a number").to_owned();
    let early = site
        .api_as(&key, Method::POST, path, Some(need(Some(&number))))
        .await;
    assert_ne!(early.status, StatusCode::CREATED, "it has not ended");
    let mut applicant = Browser::of(&site, "li-na").await;
    let offer = format!("/start/sharing/dispute?link={number}");
    assert_eq!(applicant.get(&offer).await.status, StatusCode::NOT_FOUND);

    let mut head = Browser::of(&site, "zhao-min").await;
    let pairs = [
        ("_act", "decide"),
        ("_outcome", "rejected"),
        ("_comment", "非本部门职责"),
    ];
    let answer = act(&mut head, &format!("/items/{id}/{n}"), &pairs).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let case = applicant.get(&format!("/cases/{id}")).await;
    assert!(case.body.contains(&offer), "{}", case.body);
    assert!(
        case.body.contains("办理结果：办结:不予共享"),
        "{}",
        case.body
    );
    assert!(
        !head
            .get(&format!("/cases/{id}"))
            .await
            .body
            .contains(&offer)
    );
    let form = applicant.get(&offer).await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.body);
    assert_eq!(form.hidden("_link"), number);
    let alone = site
        .api_as(&key, Method::POST, path, Some(need(None)))
        .await;
    assert!(
        alone.status.is_client_error(),
        "without its case: {}",
        alone.body
    );
    let started = site
        .api_as(&key, Method::POST, path, Some(need(Some(&number))))
        .await;
    assert_eq!(started.status, StatusCode::CREATED, "{}", started.body);
}
