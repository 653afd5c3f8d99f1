//! People through the runtime: returns, many signers, notices, copies, deadlines.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod support;

use std::sync::Arc;
use std::time::Instant;

use support::{Site, decision, organisation_with, workflow};
use tongban_expr::{Value, value};
use tongban_org::Absence;
use tongban_runtime::{Caller, RuntimeError, Start};
use tongban_work::{Act, Channel, Resume, ReturnTo, What};

fn act(n: u32, who: &str, what: What) -> Act {
    Act {
        n,
        round: None,
        who: who.to_owned(),
        for_whom: None,
        channel: Channel::Console,
        seen_digest: None,
        what,
    }
}

async fn does(
    site: &Site,
    instance: &str,
    n: u32,
    who: &str,
    what: What,
) -> Result<tongban_runtime::Acted, RuntimeError> {
    site.runtime
        .act(
            instance,
            act(n, who, what),
            Caller::person(who, None, Channel::Console),
        )
        .await
}

/// The number of the open item that a person may act on.
async fn item_of(site: &Site, instance: &str, who: &str) -> u32 {
    let case = site.runtime.case(instance).await.unwrap();
    let mine = case
        .desk
        .open_items()
        .map(|item| item.n)
        .find(|n| case.item(*n, who).is_some_and(|view| !view.may.is_empty()));
    mine.unwrap_or_else(|| panic!("{who} has an open item"))
}

const RETURNING: &str = "
document: { dsl: '1.0.3', namespace: test, name: back, version: '1.0.0', title: 申请 }
evaluate: { language: rhai }
input: { schema: { document: { $ref: forms/application.yaml } } }
do:
  - first: { call: approve, with: { to: [{ user: zhao-min }] } }
  - second: { call: approve, with: { to: [{ user: wang-lei }], return: { to: [applicant, first], resume: choose, fields: true } } }
  - done: { set: { outcome: '${ input.outcome }', amount: '${ form.amount }' } }
";

const FORM: &str = "
type: object
properties:
  amount: { type: integer, title: 金额, maximum: 100 }
  note: { type: string, title: 说明 }
required: [amount]
";

#[tokio::test]
async fn a_case_goes_back_to_the_applicant_and_straight_back_with_corrected_data() {
    let site = Site::new().await;
    site.publish_with(RETURNING, &[("forms/application.yaml", FORM)])
        .await;
    let started = site.start("test/back", value!({ "amount": 50 })).await;
    site.decide(&started.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    let n = item_of(&site, &started.id, "wang-lei").await;
    let back = What::Return {
        to: ReturnTo::Applicant,
        resume: Some(Resume::Direct),
        siblings: None,
        signing: None,
        fields: vec![("amount".into(), "too much".into())],
        comment: Some("please lower it".into()),
    };
    does(&site, &started.id, n, "wang-lei", back).await.unwrap();
    site.idle().await;
    let case = site.runtime.case(&started.id).await.unwrap();
    assert!(case.instance.is_with_applicant());
    let n = item_of(&site, &started.id, "li-na").await;
    let resubmit = |amount: i64| What::Resubmit {
        data: None,
        change: value!({ "amount": (amount) }),
        comment: None,
        statement: None,
    };
    let wrong = does(&site, &started.id, n, "li-na", resubmit(500)).await;
    assert!(matches!(wrong, Err(RuntimeError::Refused(_))), "{wrong:?}");
    does(&site, &started.id, n, "li-na", resubmit(30))
        .await
        .unwrap();
    // Straight back: the first approver is not asked again.
    let n = item_of(&site, &started.id, "wang-lei").await;
    site.decide(&started.id, n, "wang-lei", "approved")
        .await
        .unwrap();
    assert_eq!(
        site.output(&started.id).await,
        value!({ "outcome": "approved", "amount": 30 })
    );
    site.sound().await;
}

#[tokio::test]
async fn what_does_not_fit_the_start_form_is_refused_field_by_field() {
    let site = Site::new().await;
    site.publish_with(RETURNING, &[("forms/application.yaml", FORM)])
        .await;
    let refused = site
        .runtime
        .start(support::start("test/back", value!({ "amount": 500 })))
        .await;
    match refused {
        Err(RuntimeError::Invalid(faults)) => assert_eq!(faults[0].field, "amount"),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        site.runtime
            .form("test/back")
            .await
            .unwrap()
            .at("properties.amount.title"),
        Some(&Value::from("金额"))
    );
}

#[tokio::test]
async fn fifty_signers_on_two_nodes_at_once_have_one_outcome() {
    let store = support::memory().await;
    let one = Site::on(store.clone(), 1, organisation_with(50)).await;
    let two = Site::at(store, 2, organisation_with(50), one.clock.clone()).await;
    let tasks = "
  - vote: { call: approve, with: { to: [{ role: signer, unit: data }], mode: all } }
  - done: { set: { outcome: '${ input.outcome }', signed: '${ input.decisions.len() }' } }
";
    one.publish(&workflow("vote", tasks)).await;
    let started = one.start("test/vote", value!({})).await;
    let mut deciding = Vec::new();
    for n in 0..50 {
        let site = if n % 2 == 0 { &one } else { &two };
        let who = format!("signer-{n}");
        let id = started.id.clone();
        deciding.push(async move {
            loop {
                match site.decide(&id, 1, &who, "approved").await {
                    Err(RuntimeError::Busy { .. }) => tokio::task::yield_now().await,
                    other => return other,
                }
            }
        });
    }
    let decided = futures_util::future::join_all(deciding).await;
    let refused: Vec<_> = decided.iter().filter(|one| one.is_err()).collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(
        one.output(&started.id).await,
        value!({ "outcome": "approved", "signed": 50 })
    );
    let decisions = one.store.decisions(&started.id).await.unwrap();
    assert_eq!(decisions.len(), 50);
    one.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_signers_of_one_item_are_taken_by_a_served_node() {
    let store = support::memory().await;
    let clock = Arc::new(tongban_runtime::SystemClock::new());
    let parts = tongban_runtime::Parts {
        organisation: organisation_with(200),
        ..tongban_runtime::Parts::plain(store.clone(), clock, Arc::new(tongban_runtime::RandomIds))
    };
    let runtime = tongban_runtime::Runtime::served(parts, 2).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = {
        let runtime = runtime.clone();
        tokio::spawn(async move {
            runtime
                .serve(async {
                    let _ = stopped.await;
                })
                .await
        })
    };
    let tasks = "
  - vote: { call: approve, with: { to: [{ role: signer, unit: data }], mode: all } }
  - done: { set: { outcome: '${ input.outcome }' } }
";
    runtime
        .publish(&support::publication(&workflow("vote", tasks), &[]), "test")
        .await
        .unwrap();
    let start = Start {
        caller: Caller::person("li-na", None, Channel::Api),
        ..support::start("test/vote", value!({}))
    };
    let started = runtime.start(start).await.unwrap();
    let began = Instant::now();
    let deciding = (0..200).map(|n| {
        let (runtime, id) = (runtime.clone(), started.id.clone());
        tokio::spawn(async move {
            let who = format!("signer-{n}");
            loop {
                let caller = Caller::person(&who, None, Channel::Api);
                match runtime
                    .act(&id, decision(1, &who, "approved"), caller)
                    .await
                {
                    Err(RuntimeError::Busy { .. }) => tokio::task::yield_now().await,
                    other => return other.map(|_| ()),
                }
            }
        })
    });
    for one in futures_util::future::join_all(deciding).await {
        one.unwrap().unwrap();
    }
    println!("200 signers of one item: {:?}", began.elapsed());
    let head = store.instance_head(&started.id).await.unwrap().unwrap();
    assert_eq!(head.status, "completed");
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_deadline_reminds_once_and_its_timeout_is_what_the_author_wrote() {
    let site = Site::new().await;
    let tasks = "
  - review:
      call: approve
      with:
        to: [{ user: zhao-min }]
        outcomes: { approved: 通过, rejected: 不通过, expired: 逾期 }
        due: { hours: 10 }
        remind: [{ before: { hours: 2 } }]
        timeout: expired
  - done: { set: { outcome: '${ input.outcome }' } }
";
    site.publish(&workflow("due", tasks)).await;
    let started = site.start("test/due", value!({})).await;
    site.idle().await;
    assert_eq!(site.mailbox.to("zhao-min@example.org").len(), 1);
    site.after(8 * 3_600_000).await;
    site.after(60_000).await;
    assert_eq!(
        site.mailbox.to("zhao-min@example.org").len(),
        2,
        "one reminder"
    );
    site.after(2 * 3_600_000).await;
    assert_eq!(
        site.output(&started.id).await,
        value!({ "outcome": "expired" })
    );
    let decisions = site.store.decisions(&started.id).await.unwrap();
    assert_eq!(decisions[0].person_id, "system");
    site.sound().await;
}

#[tokio::test]
async fn a_notice_takes_objections_as_cases_and_ends_when_they_have() {
    let site = Site::new().await;
    let tasks = "
  - publicity:
      call: notice
      with: { title: 公示, template: notices/result, data: { name: 某某 }, due: { days: 3 }, objections: { workflow: test/objection, wait: true } }
  - done: { set: { outcome: '${ input.outcome }', objections: '${ input.objections.len() }' } }
";
    let document = workflow("publicity", tasks).replace(
        "title: 测试",
        "title: 测试, metadata: { case: { number: 'GS{yyyy}-{seq:3}' } }",
    );
    site.publish_with(&document, &[("notices/result.zh-CN.md", "{{ data.name }}")])
        .await;
    let objection = "
  - check: { call: approve, with: { to: [{ user: wang-lei }], outcomes: { upheld: 成立, rejected: 不成立 } } }
  - done: { set: { outcome: '${ input.outcome }' } }
";
    site.publish(&workflow("objection", objection)).await;
    let started = site.start("test/publicity", value!({})).await;
    site.idle().await;
    let start = Start {
        link: Some(started.number.clone()),
        caller: Caller::person("zhao-min", None, Channel::Console),
        ..support::start("test/objection", value!({}))
    };
    let objecting = site.runtime.start(start).await.unwrap();
    site.idle().await;
    site.after(5 * 86_400_000).await;
    assert_eq!(
        site.status(&started.id).await,
        "running",
        "an objection is open"
    );
    site.decide(&objecting.id, 1, "wang-lei", "upheld")
        .await
        .unwrap();
    site.idle().await;
    let output = site.output(&started.id).await;
    assert_eq!(output, value!({ "outcome": "objected", "objections": 1 }));
    site.sound().await;
}

#[tokio::test]
async fn copies_go_by_mail_and_make_their_receivers_parties() {
    let site = Site::new().await;
    let tasks = "
  - tell: { call: notify, with: { to: [applicant, { user: wang-lei }], template: mails/told, data: { words: 您好 } } }
";
    site.publish_with(
        &workflow("tell", tasks),
        &[(
            "mails/told.zh-CN.md",
            "---\nsubject: 通知\n---\n{{ data.words }},{{ to.name }}\n",
        )],
    )
    .await;
    let started = site.start("test/tell", value!({})).await;
    site.idle().await;
    assert_eq!(site.output(&started.id).await, value!({ "messages": 2 }));
    let mail = site.mailbox.to("wang-lei@example.org").pop().unwrap();
    assert!(
        mail.text.contains("您好,王磊") && mail.subject == "通知",
        "{mail:?}"
    );
    let parties = site
        .store
        .party_of(&started.id, &["person:wang-lei".to_owned()])
        .await
        .unwrap();
    assert_eq!(parties.len(), 1);
}

#[tokio::test]
async fn a_finished_case_is_looked_up_and_opened_again() {
    let site = Site::new().await;
    let case = workflow("case", "  - review: { call: approve, with: { to: [{ user: zhao-min }] } }\n  - done: { set: { outcome: '${ input.outcome }' } }\n")
        .replace("title: 测试", "title: 测试, metadata: { case: { number: 'AJ{yyyy}-{seq:3}' } }");
    site.publish(&case).await;
    let unlock = "
  - look: { call: case.get, with: { number: '${ input.number }' } }
  - open: { call: case.reopen, with: { number: '${ input.number }', at: review, reason: 复核 } }
  - done: { set: { was: '${ steps.look.outcome }' } }
";
    site.publish(&workflow("unlock", unlock)).await;
    let first = site.start("test/case", value!({})).await;
    site.decide(&first.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    let second = site
        .start("test/unlock", value!({ "number": (first.number.as_str()) }))
        .await;
    site.idle().await;
    assert_eq!(site.output(&second.id).await, value!({ "was": "approved" }));
    assert_eq!(site.status(&first.id).await, "running");
    let n = item_of(&site, &first.id, "zhao-min").await;
    site.decide(&first.id, n, "zhao-min", "rejected")
        .await
        .unwrap();
    assert_eq!(
        site.output(&first.id).await,
        value!({ "outcome": "rejected" })
    );
    site.sound().await;
}

#[tokio::test]
async fn whoever_decided_another_case_does_not_decide_on_it_again() {
    let site = Site::new().await;
    let first = workflow(
        "first",
        "  - review: { call: approve, with: { to: [{ user: zhao-min }] } }\n",
    )
    .replace(
        "title: 测试",
        "title: 测试, metadata: { case: { number: 'AJ{yyyy}-{seq:3}' } }",
    );
    site.publish(&first).await;
    let again = "
  - review: { call: approve, with: { to: [{ role: approver, unit: data }], except: [{ decided: review, of: '${ input.of }' }] } }
";
    site.publish(&workflow("again", again)).await;
    let started = site.start("test/first", value!({})).await;
    site.decide(&started.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    let second = site
        .start("test/again", value!({ "of": (started.number.as_str()) }))
        .await;
    let refused = site.decide(&second.id, 1, "zhao-min", "approved").await;
    assert!(
        matches!(refused, Err(RuntimeError::Refused(_))),
        "{refused:?}"
    );
    site.decide(&second.id, 1, "wang-lei", "approved")
        .await
        .unwrap();
    assert_eq!(site.status(&second.id).await, "completed");
}

#[tokio::test]
async fn a_new_organisation_is_seen_by_work_that_is_open() {
    let site = Site::new().await;
    site.publish(&workflow(
        "plain",
        "  - review: { call: approve, with: { to: [{ user: zhao-min }] } }\n",
    ))
    .await;
    let started = site.start("test/plain", value!({})).await;
    let asked = async || {
        let rows = site.store.candidates(&started.id, 1).await.unwrap();
        let mut people: Vec<String> = rows.into_iter().map(|row| row.candidate).collect();
        people.sort();
        people
    };
    let versions = async || site.store.history(&started.id, 0, 100).await.unwrap().len();
    assert_eq!(asked().await, ["person:zhao-min"]);
    let before = versions().await;

    let mut organisation = organisation_with(0);
    organisation.add_absence(Absence {
        person: "zhao-min".to_owned(),
        agent: Some("wang-lei".to_owned()),
        from_ms: 0,
        to_ms: None,
        of: Vec::new(),
    });
    site.runtime.organisation_put(organisation).await.unwrap();
    assert!(
        asked().await.contains(&"person:wang-lei".to_owned()),
        "{:?}",
        asked().await
    );
    assert_eq!(versions().await, before + 1);

    // The same once more changes nothing and leaves nothing behind; a mark that is known is not even looked at.
    site.runtime.organisation_is("first").await.unwrap();
    site.runtime.organisation_is("first").await.unwrap();
    assert_eq!(versions().await, before + 1);
    site.sound().await;
}

#[tokio::test]
async fn a_person_without_a_mail_address_gets_the_item_all_the_same() {
    let store = support::memory().await;
    let file = value!({
        "people": [{ "id": "li-na", "name": "李娜" }, { "id": "zhao-min", "name": "赵敏" }]
    });
    let file: tongban_org::OrganisationFile = serde_json::from_str(&file.to_json()).unwrap();
    let organisation =
        tongban_org::Organisation::build(&file, &[] as &[tongban_org::CalendarFile]).unwrap();
    let site = Site::on(store, 1, organisation).await;
    site.publish(support::APPROVAL).await;
    let started = site.start("test/approval", value!({ "amount": 1 })).await;
    site.idle().await;
    assert!(site.mailbox.mails.lock().is_empty());
    let mails = site.store.mails_of(&started.id).await.unwrap();
    assert_eq!((mails.len(), mails[0].status.as_str()), (1, "withdrawn"));
    site.decide(&started.id, 1, "zhao-min", "approved")
        .await
        .unwrap();
    assert_eq!(site.status(&started.id).await, "completed");
}
