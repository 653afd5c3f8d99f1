//! The shortest ways through the runtime: five steps, and one decision by a mail's link.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use support::{APPROVAL, Site, decision, workflow};
use tongban_expr::{Value, value};
use tongban_runtime::RuntimeError;

const FIVE: &str = "
  - one: { set: { n: 1 } }
  - two: { set: { n: '${ input.n + 1 }' } }
  - three: { set: { n: '${ input.n + 1 }' } }
  - four: { set: { n: '${ input.n + 1 }' } }
  - five: { set: { n: '${ input.n + 1 }' } }
";

#[tokio::test]
async fn five_steps_are_one_commit_of_at_most_seven_statements() {
    let site = Site::new().await;
    site.publish(&workflow("five", FIVE)).await;
    site.start("test/five", value!({})).await;
    let before = site.store.statement_count();
    let started = site.start("test/five", value!({})).await;
    let statements = site.store.statement_count() - before;
    assert_eq!(
        (started.status.as_str(), &started.output),
        ("completed", &value!({ "n": 5 }))
    );
    assert!(statements <= 7, "{statements} statements");
    assert!(
        site.store
            .instance_state(&started.id)
            .await
            .unwrap()
            .is_none(),
        "it never enters instance_state"
    );
    let pages = site.runtime.history(&started.id, 0, 10).await.unwrap();
    assert_eq!(pages.len(), 1);
    site.sound().await;
}

#[tokio::test]
async fn an_application_is_mailed_and_decided_through_the_mails_link() {
    let site = Site::new().await;
    site.publish(APPROVAL).await;
    site.start("test/approval", value!({ "amount": 1 })).await;
    let before = site.store.statement_count();
    let started = site.start("test/approval", value!({ "amount": 7 })).await;
    let statements = site.store.statement_count() - before;
    assert!(statements <= 13, "a start takes {statements} statements");
    assert_eq!(started.status, "running");
    site.idle().await;
    let token = site.mailbox.token("zhao-min@example.org");
    let link = site.runtime.link_open(&token).await.unwrap();
    assert_eq!(
        (link.instance.as_str(), link.person.as_str(), link.gone),
        (started.id.as_str(), "zhao-min", None)
    );
    // Opening a link, however often, decides nothing.
    for _ in 0..5 {
        site.runtime.link_open(&token).await.unwrap();
    }
    assert_eq!(site.status(&started.id).await, "running");
    let before = site.store.statement_count();
    let acted = site
        .runtime
        .link_act(&token, decision(99, "somebody-else", "approved"))
        .await
        .unwrap();
    let statements = site.store.statement_count() - before;
    assert!(
        statements <= 13 + 4,
        "a decision takes {statements} statements, four of them to look at the link"
    );
    assert_eq!(acted.instance_status, "completed");
    assert_eq!(
        site.output(&started.id).await,
        value!({ "outcome": "approved" })
    );
    let decisions = site.store.decisions(&started.id).await.unwrap();
    assert_eq!(
        (
            decisions[0].person_id.as_str(),
            decisions[0].channel.as_str()
        ),
        ("zhao-min", "mail")
    );
    let again = site
        .runtime
        .link_act(&token, decision(1, "zhao-min", "rejected"))
        .await;
    assert!(
        matches!(again, Err(RuntimeError::LinkGone("used"))),
        "{again:?}"
    );
    site.sound().await;
}

#[tokio::test]
async fn a_decision_in_the_console_takes_at_most_thirteen_statements() {
    let site = Site::new().await;
    site.publish(APPROVAL).await;
    let started = site.start("test/approval", value!({ "amount": 7 })).await;
    let before = site.store.statement_count();
    site.decide(&started.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    let statements = site.store.statement_count() - before;
    assert!(statements <= 13, "{statements} statements");
    assert_eq!(site.status(&started.id).await, "completed");
}

#[tokio::test]
async fn a_forged_link_and_a_link_of_another_key_are_unknown() {
    let site = Site::new().await;
    site.publish(APPROVAL).await;
    site.start("test/approval", value!({ "amount": 7 })).await;
    site.idle().await;
    let token = site.mailbox.token("zhao-min@example.org");
    let mut forged = token.clone().into_bytes();
    let last = forged.len() - 3;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    for bad in [
        String::from_utf8(forged).unwrap(),
        token[..20].to_owned(),
        "x".to_owned(),
    ] {
        assert!(matches!(
            site.runtime.link_open(&bad).await,
            Err(RuntimeError::NotFound { .. })
        ));
    }
    // The same mails are threaded, and each has one Message-ID of its own.
    let mail = site.mailbox.to("zhao-min@example.org").pop().unwrap();
    assert!(
        mail.references.len() == 1
            && mail.in_reply_to.is_some()
            && mail.message_id.starts_with('<')
    );
}

#[tokio::test]
async fn who_decides_late_is_told_by_whom_it_was_decided() {
    let site = Site::new().await;
    let document = APPROVAL.replace("{ user: zhao-min }", "{ role: approver, unit: data }");
    site.publish(&document).await;
    let started = site.start("test/approval", value!({ "amount": 7 })).await;
    site.decide(&started.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    let late = site.decide(&started.id, 1, "wang-lei", "rejected").await;
    assert!(
        matches!(late, Err(RuntimeError::Ended | RuntimeError::Refused(_))),
        "{late:?}"
    );
    assert_eq!(
        site.output(&started.id).await.get("outcome"),
        Some(&Value::from("approved"))
    );
}
