//! The console as people use it: every step by plain forms, without JavaScript.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};

use crate::site::{Answer, Browser, Site, site};

/// The answers of a sharing application as the form posts them.
const ANSWERS: [(&str, &str); 11] = [
    ("resource", "300101/000001"),
    ("purpose", "joint"),
    ("basis", "道路运输条例第十条"),
    ("scene", "核验从业人员身份信息"),
    ("scope.items", "号牌"),
    ("scope.mode", "api"),
    ("scope.frequency", "realtime"),
    ("scope.validTo", "2027年12月31日"),
    ("scope.rows", ""),
    ("security", "专网访问,按需授权,全程留痕"),
    ("contact", "李娜 0532-00000000"),
];

fn with<'a>(token: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs = vec![("_token", token)];
    pairs.extend(ANSWERS);
    pairs.extend_from_slice(more);
    pairs
}

/// Fills in an application and looks at it on the page for checking; gives the token and the key of the sending.
async fn checked(browser: &mut Browser) -> (String, Answer) {
    let token = browser.get("/start/sharing/apply").await.hidden("_token");
    let check = browser
        .post("/start/sharing/apply", &with(&token, &[("_act", "check")]))
        .await;
    (token, check)
}

/// Sends what was checked.
async fn sent(browser: &mut Browser, token: &str, key: &str) -> Answer {
    let pairs = with(token, &[("_act", "submit"), ("_key", key)]);
    browser.post("/start/sharing/apply", &pairs).await
}

#[tokio::test]
async fn a_form_with_faults_says_where_and_keeps_what_was_typed() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    let list = browser.get("/start").await;
    assert!(list.body.contains("/start/sharing/apply"), "{}", list.body);
    let form = browser.get("/start/sharing/apply").await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.body);
    let token = form.hidden("_token");

    let mut wrong = with(&token, &[("_act", "check")]);
    wrong.retain(|(name, _)| *name != "basis" && *name != "purpose");
    let faulty = browser.post("/start/sharing/apply", &wrong).await;
    assert_eq!(faulty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        faulty.body.contains("<title>错误："),
        "the title begins with the fault"
    );
    assert!(
        faulty.body.contains("href=\"#f-basis\"") && faulty.body.contains("id=\"f-basis-fault\""),
        "{}",
        faulty.body
    );
    assert!(
        faulty.body.contains("李娜 0532-00000000"),
        "what was typed is kept"
    );
}

#[tokio::test]
async fn answers_are_checked_before_they_are_sent_and_one_can_go_back() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    let (token, check) = checked(&mut browser).await;
    assert_eq!(check.status, StatusCode::OK, "{}", check.body);
    assert!(
        check.body.contains("2027-12-31") && check.body.contains("核对填写内容"),
        "{}",
        check.body
    );
    let key = check.hidden("_key");
    let edit = browser
        .post(
            "/start/sharing/apply",
            &with(&token, &[("_act", "edit"), ("_key", &key)]),
        )
        .await;
    assert!(
        edit.body.contains("id=\"f-basis\"") && edit.body.contains("道路运输条例第十条"),
        "one can go back and change"
    );
}

#[tokio::test]
async fn pressing_twice_starts_one_case() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    let (token, check) = checked(&mut browser).await;
    let key = check.hidden("_key");
    let first = sent(&mut browser, &token, &key).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.body);
    let again = sent(&mut browser, &token, &key).await;
    assert_eq!(
        again.location(),
        first.location(),
        "pressing twice starts one case"
    );
}

#[tokio::test]
async fn a_sent_application_is_confirmed_and_shown() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    let (token, check) = checked(&mut browser).await;
    let key = check.hidden("_key");
    let first = sent(&mut browser, &token, &key).await;
    let confirmation = browser.get(first.location()).await;
    assert!(confirmation.body.contains("GX2"), "{}", confirmation.body);
    let case = first
        .location()
        .trim_end_matches("/confirmation")
        .to_owned();
    let page = browser.get(&case).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "道路运输条例第十条",
        "diagram.svg",
        "class=\"outline\"",
        "办理历史",
    ] {
        assert!(
            page.body.contains(part),
            "{part} is missing in {}",
            page.body
        );
    }
    let diagram = browser.get(&format!("{case}/diagram.svg")).await;
    assert!(diagram.body.contains("<svg"), "{}", diagram.body);
    let mine = browser.get("/cases").await;
    assert!(mine.body.contains(&case), "{}", mine.body);
}

/// The head returns an application to its applicant with a comment.
async fn returned(site: &Arc<Site>) -> (String, Browser) {
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let mut head = Browser::of(site, "zhao-min").await;
    let address = format!("/items/{id}/{n}");
    let token = head.get(&address).await.hidden("_token");
    let returned = head
        .post(
            &address,
            &[
                ("_token", &token),
                ("_act", "return"),
                ("_to", "applicant"),
                ("_resume", "direct"),
                ("_comment", "请写明条款"),
            ],
        )
        .await;
    assert_eq!(returned.status, StatusCode::SEE_OTHER, "{}", returned.body);
    (id, head)
}

/// The applicant corrects it and sends it again.
async fn corrected(site: &Arc<Site>, id: &str) {
    let own = site.item_of("li-na", id).await;
    let mut applicant = Browser::of(site, "li-na").await;
    let address = format!("/items/{id}/{own}");
    let form = applicant.get(&address).await;
    assert!(
        form.body.contains("请写明条款") && form.body.contains("id=\"f-basis\""),
        "{}",
        form.body
    );
    let token = form.hidden("_token");
    let mut answers = with(&token, &[("_act", "resubmit")]);
    for pair in &mut answers {
        if pair.0 == "basis" {
            pair.1 = "道路运输条例第十条第二款";
        }
    }
    let purpose = site
        .api(
            axum::http::Method::GET,
            &format!("/api/v1/instances/{id}"),
            None,
        )
        .await
        .json()["form"]["purpose"]
        .clone();
    let purpose = purpose.as_str().expect("a purpose").to_owned();
    answers.retain(|(name, _)| *name != "purpose");
    answers.push(("purpose", &purpose));
    let sent = applicant.post(&address, &answers).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
}

#[tokio::test]
async fn a_decision_wants_an_outcome_and_a_return_says_what_is_wrong() {
    let site = site().await;
    let id = site.application().await;
    let n = site.item_of("zhao-min", &id).await;
    let mut head = Browser::of(&site, "zhao-min").await;
    let inbox = head.get("/inbox").await;
    assert!(
        inbox.body.contains(&format!("/items/{id}/{n}")),
        "{}",
        inbox.body
    );
    let address = format!("/items/{id}/{n}");
    let page = head.get(&address).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let token = page.hidden("_token");
    let nothing = head
        .post(&address, &[("_token", &token), ("_act", "decide")])
        .await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nothing.body.contains("请选择一个结论"), "{}", nothing.body);
    let nowhere = head
        .post(
            &address,
            &[("_token", &token), ("_act", "return"), ("_to", "applicant")],
        )
        .await;
    assert_eq!(
        nowhere.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a return says what is wrong"
    );
}

#[tokio::test]
async fn the_applicant_corrects_and_the_head_sees_what_changed() {
    let site = site().await;
    let (id, mut head) = returned(&site).await;
    corrected(&site, &id).await;
    let n = site.item_of("zhao-min", &id).await;
    let page = head.get(&format!("/items/{id}/{n}")).await;
    assert!(
        page.body.contains("道路运输条例第十条第二款") && page.body.contains("与上次提交的差异"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_decision_is_among_what_is_done_and_is_not_changed_by_another() {
    let site = site().await;
    let (id, mut head) = returned(&site).await;
    corrected(&site, &id).await;
    let n = site.item_of("zhao-min", &id).await;
    let page = head.get(&format!("/items/{id}/{n}")).await;
    let token = page.hidden("_token");
    let decided = head
        .post(
            &format!("/items/{id}/{n}"),
            &[
                ("_token", &token),
                ("_act", "decide"),
                ("_outcome", "approved"),
                ("_round", &page.hidden("_round")),
                ("_digest", &page.hidden("_digest")),
            ],
        )
        .await;
    assert_eq!(decided.status, StatusCode::SEE_OTHER, "{}", decided.body);
    let done = head.get("/inbox?tab=done").await;
    assert!(
        done.body.contains(&format!("/items/{id}/{n}")),
        "{}",
        done.body
    );
    let late = head
        .post(
            &format!("/items/{id}/{n}"),
            &[
                ("_token", &token),
                ("_act", "decide"),
                ("_outcome", "rejected"),
                ("_comment", "想反悔"),
            ],
        )
        .await;
    assert!(late.status.is_client_error(), "{}", late.status);
}

#[tokio::test]
async fn pages_speak_the_visitors_language_and_the_switch_is_kept() {
    let site = site().await;
    let mut english = Browser::english(&site);
    let page = english.get("/sign-in").await;
    assert!(
        page.body.contains("<html lang=\"en\">") && page.body.contains("User name"),
        "{}",
        page.body
    );
    let switched = english
        .post(
            "/language",
            &[
                ("_token", &page.hidden("_token")),
                ("language", "zh-CN"),
                ("next", "/sign-in"),
            ],
        )
        .await;
    assert_eq!(
        (switched.status, switched.location()),
        (StatusCode::SEE_OTHER, "/sign-in")
    );
    let page = english.get("/sign-in").await;
    assert!(
        page.body.contains("<html lang=\"zh-CN\">") && page.body.contains("用户名"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn every_page_carries_the_headers_that_protect_it() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    for path in [
        "/inbox",
        "/start",
        "/cases",
        "/mailbox",
        "/start/sharing/apply",
        "/nowhere",
        "/link/forged",
    ] {
        let answer = browser.get(path).await;
        let policy = answer.headers[CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("text");
        assert!(
            policy.contains("default-src 'none'")
                && policy.contains("frame-ancestors 'none'")
                && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert_eq!(answer.headers[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{path}");
        assert!(
            !answer.body.contains("style=\"")
                && !answer.body.contains("<script")
                && !answer.body.contains(" onclick"),
            "{path} has something inline"
        );
        let expected = if path.starts_with("/link/") {
            "no-referrer"
        } else {
            "same-origin"
        };
        assert_eq!(answer.headers["referrer-policy"], expected, "{path}");
    }
    let style = browser.get("/inbox").await;
    let address = style
        .body
        .split("href=\"/assets/")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a style")
        .to_owned();
    let asset = browser.get(&format!("/assets/{address}")).await;
    assert_eq!(asset.status, StatusCode::OK);
    assert!(
        asset.headers[CACHE_CONTROL]
            .to_str()
            .is_ok_and(|age| age.contains("immutable"))
    );
}

#[tokio::test]
async fn a_failure_is_a_page_for_people() {
    let site = site().await;
    let mut browser = Browser::of(&site, "li-na").await;
    let missing = browser.get("/cases/nothing").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(
        missing.body.contains("<html") && missing.body.contains("找不到页面"),
        "{}",
        missing.body
    );
    let wrong = browser.post("/inbox", &[]).await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong.body.contains("<html"));
}

#[tokio::test]
async fn every_form_that_somebody_may_start_opens_and_says_what_is_missing() {
    let site = site().await;
    let mut opened = 0;
    for person in [
        "li-na",
        "zhao-min",
        "chen-jie",
        "zhang-san",
        "qian-li",
        "wang-lei",
        "admin",
    ] {
        let mut browser = Browser::of(&site, person).await;
        let list = browser.get("/start").await;
        let forms: Vec<String> = list
            .body
            .split("href=\"/start/")
            .skip(1)
            .filter_map(|rest| Some(format!("/start/{}", rest.split('"').next()?)))
            .collect();
        for address in forms {
            let form = browser.get(&address).await;
            assert_eq!(
                form.status,
                StatusCode::OK,
                "{person} {address}: {}",
                form.body
            );
            let token = form.hidden("_token");
            let empty = browser
                .post(&address, &[("_token", &token), ("_act", "check")])
                .await;
            assert!(
                empty.status.is_success() || empty.status == StatusCode::UNPROCESSABLE_ENTITY,
                "{person} {address}: {}",
                empty.body
            );
            opened += 1;
        }
    }
    assert!(opened >= 5, "only {opened} forms were opened");
}

#[tokio::test]
async fn rows_of_a_table_come_and_go_without_javascript() {
    let site = site().await;
    let mut citizen = Browser::of(&site, "zhang-san").await;
    let form = citizen.get("/start/housing/apply").await;
    assert_eq!(form.status, StatusCode::OK, "{}", form.body);
    assert!(
        form.body.contains("核查户籍"),
        "the text that is agreed to stands on the page: {}",
        form.body
    );
    let token = form.hidden("_token");
    let typed = [
        ("_token", token.as_str()),
        ("members[]", "1"),
        ("members[0].name", "张三"),
        ("members[0].id", "990000199001010017"),
    ];
    let more = citizen
        .post(
            "/start/housing/apply",
            &[&typed[..], &[("_add", "members")]].concat(),
        )
        .await;
    assert_eq!(more.status, StatusCode::OK, "{}", more.body);
    assert!(
        more.body.contains("name=\"members[1].name\"") && more.body.contains("value=\"张三\""),
        "{}",
        more.body
    );
    let less = citizen
        .post(
            "/start/housing/apply",
            &[&typed[..], &[("_remove", "members[0]")]].concat(),
        )
        .await;
    assert!(
        !less.body.contains("value=\"990000199001010017\"")
            || less.body.contains("name=\"applicant.id\""),
        "{}",
        less.body
    );
    assert!(
        !less
            .body
            .contains("name=\"members[0].name\" value=\"张三\""),
        "{}",
        less.body
    );
}
