//! Parts of a page: what was typed in one stays with it, what somebody often says is offered again, a list is
//! narrowed down, and a reason that is missing is told at its field.

use axum::http::StatusCode;

use crate::site::{Answer, Browser, site};

#[track_caller]
fn refused(answer: &Answer, parts: &[&str]) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in parts {
        assert!(answer.body.contains(part), "{part} in {}", answer.body);
    }
}

#[tokio::test]
async fn what_was_typed_in_a_part_stays_with_it_and_the_part_is_open() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let address = format!("/items/{id}/{n}");
    let mut head = Browser::of(&site, "zhao-min").await;
    let page = head.get(&address).await;
    assert!(!page.body.contains("<details open"), "{}", page.body);
    let token = page.hidden("_token");
    let hand = [
        ("_token", token.as_str()),
        ("_act", "hand"),
        ("_who", "无此人"),
        ("_way", "delegate"),
        ("_comment", "请看第二项"),
    ];
    let told = head.post(&address, &hand).await;
    refused(
        &told,
        &[
            "<details open><summary>转办",
            "value=\"无此人\"",
            "value=\"delegate\" checked",
            "name=\"_comment\" rows=\"2\">\n请看第二项</textarea>",
            "name=\"_comment\" rows=\"4\">\n</textarea>",
        ],
    );
    let back = [
        ("_token", token.as_str()),
        ("_act", "return"),
        ("_field.scene", "写明路段"),
    ];
    let told = head.post(&address, &back).await;
    refused(
        &told,
        &[
            "<details open><summary>退回",
            "name=\"_field.scene\" value=\"写明路段\"",
        ],
    );
}

#[tokio::test]
async fn what_one_often_says_is_offered_to_oneself_and_goes_before_what_is_typed() {
    let site = site().await;
    let mut head = Browser::of(&site, "zhao-min").await;
    for (phrase, comment) in [("", "情况属实"), ("情况属实", "请尽快办理")] {
        let id = site.application().await;
        let n = site.item_of("zhao-min", &id).await;
        let address = format!("/items/{id}/{n}");
        let page = head.get(&address).await;
        let offered = page.body.contains("<option>情况属实</option>");
        assert_eq!(offered, !phrase.is_empty(), "{}", page.body);
        let token = page.hidden("_token");
        let decision = [
            ("_token", token.as_str()),
            ("_act", "decide"),
            ("_outcome", "approved"),
            ("_phrase", phrase),
            ("_comment", comment),
        ];
        let decided = head.post(&address, &decision).await;
        assert_eq!(decided.status, StatusCode::SEE_OTHER, "{}", decided.body);
        let record = head.get(&format!("/cases/{id}")).await;
        let said = [phrase, comment].join("\n");
        assert!(record.body.contains(said.trim()), "{}", record.body);
        // What signers say to one another is not for who applied.
        let own = Browser::of(&site, "li-na")
            .await
            .get(&format!("/cases/{id}"))
            .await;
        assert!(
            own.body.contains("同意") && !own.body.contains(comment),
            "{}",
            own.body
        );
    }
}

#[tokio::test]
async fn a_reason_that_is_missing_is_told_at_its_field() {
    let site = site().await;
    let id = site.application().await;
    let address = format!("/cases/{id}");
    let mut applicant = Browser::of(&site, "li-na").await;
    let token = applicant.get(&address).await.hidden("_token");
    for reason in ["", &"长".repeat(2001)] {
        let pairs = [
            ("_token", token.as_str()),
            ("_act", "cancel"),
            ("reason", reason),
        ];
        let told = applicant.post(&address, &pairs).await;
        refused(&told, &["<title>错误：", "href=\"#reason\"", "请填写理由"]);
    }
}

#[tokio::test]
async fn cases_are_found_by_a_part_of_their_title_or_number() {
    let site = site().await;
    let id = site.application().await;
    let mut applicant = Browser::of(&site, "li-na").await;
    let found = format!("/cases/{id}");
    for (text, expected) in [("gx2", true), ("%E6%9C%BA%E5%8A%A8", true), ("zzz", false)] {
        let list = applicant.get(&format!("/cases?text={text}")).await;
        assert_eq!(
            list.body.contains(&found),
            expected,
            "{text}: {}",
            list.body
        );
    }
}
