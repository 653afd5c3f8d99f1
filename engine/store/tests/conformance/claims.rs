//! Claims are leases: nobody else gets the row meanwhile, and it comes back when the lease ends.

use std::collections::BTreeSet;

use tongban_store::{
    ActRow, Change, EventRouted, EventRow, InboxRow, MailRow, MailTried, ScheduleRow,
    ScheduleTicked, Store, SubscriptionRow, Wake,
};

use crate::support::{Db, NOW_MS, go_on, ids, must_commit, on_both, start};

on_both!(
    wakes,
    wakes_by_two_nodes,
    acts,
    inbox_rows,
    mails,
    schedules,
    events_and_subscriptions,
    hints_arrive,
);

async fn wakes(db: Db) {
    must_commit(&db.store, vec![start("a"), start("b")]).await;
    assert_eq!(db.store.wake_next().await.unwrap(), Some(NOW_MS + 60_000));
    assert_eq!(
        db.store
            .wake_claim(NOW_MS, NOW_MS + 30_000, 10)
            .await
            .unwrap(),
        Vec::<String>::new()
    );
    let later = NOW_MS + 60_000;
    assert_eq!(
        db.store
            .wake_claim(later, later + 30_000, 10)
            .await
            .unwrap(),
        ["a", "b"]
    );
    assert_eq!(
        db.store
            .wake_claim(later, later + 30_000, 10)
            .await
            .unwrap(),
        Vec::<String>::new()
    );
    let mut change = go_on("a", 1, "1");
    change.add(Wake {
        instance_id: "a".into(),
        ready_at_ms: NOW_MS + 5,
    });
    must_commit(&db.store, vec![change]).await;
    assert_eq!(
        db.store.wake("a").await.unwrap().unwrap().ready_at_ms,
        NOW_MS + 5
    );
    assert_eq!(
        db.store
            .wake_claim(later + 30_000, later + 60_000, 1)
            .await
            .unwrap(),
        ["a"],
        "the earliest first"
    );
    db.end().await;
}

async fn wakes_by_two_nodes(db: Db) {
    let ids = ids(200);
    must_commit(&db.store, ids.iter().map(|id| start(id)).collect()).await;
    let second = db.node("second").await;
    let claim = async |store: &Store| {
        let mut mine = Vec::new();
        loop {
            let ids = store
                .wake_claim(NOW_MS + 60_000, NOW_MS + 90_000, 7)
                .await
                .unwrap();
            if ids.is_empty() {
                return mine;
            }
            mine.extend(ids);
        }
    };
    let (one, two) = tokio::join!(claim(&db.store), claim(&second));
    let all: BTreeSet<&String> = one.iter().chain(&two).collect();
    assert_eq!(
        (all.len(), one.len() + two.len()),
        (200, 200),
        "each wake once"
    );
    db.end().await;
}

async fn acts(db: Db) {
    let store = &db.store;
    let mut change = start("a");
    for (run, function, ready_at_ms) in [
        ("r1", "http", NOW_MS),
        ("r2", "sign", NOW_MS),
        ("r3", "http", NOW_MS + 10),
    ] {
        change.add(ActRow {
            instance_id: "a".into(),
            run_id: run.into(),
            function: function.into(),
            connector: Some("tax".into()),
            key: format!("key {run}"),
            args: "{}".into(),
            ready_at_ms,
            ..ActRow::default()
        });
    }
    must_commit(store, vec![change]).await;
    assert_eq!(store.act_next().await.unwrap(), Some(NOW_MS));
    let claimed = store
        .act_claim(&["http", "geo"], "t1", NOW_MS, NOW_MS + 30_000, 10)
        .await
        .unwrap();
    let [act] = claimed.as_slice() else {
        panic!("{claimed:?}")
    };
    assert_eq!(
        (act.run_id.as_str(), act.attempt, act.token.as_deref()),
        ("r1", 1, Some("t1"))
    );
    assert!(
        store
            .act_renew("a", "r1", "t1", NOW_MS + 40_000)
            .await
            .unwrap()
    );
    assert!(
        !store
            .act_renew("a", "r1", "other", NOW_MS + 99_000)
            .await
            .unwrap()
    );
    assert!(
        store
            .act_release("a", "r1", "t1", NOW_MS + 5, Some("{}"))
            .await
            .unwrap()
    );
    let again = store
        .act_claim(&["http"], "t2", NOW_MS + 5, NOW_MS + 30_000, 10)
        .await
        .unwrap();
    assert_eq!(
        (again.len(), again[0].attempt, again[0].error.as_deref()),
        (1, 2, Some("{}"))
    );
    let mut change = go_on("a", 1, "1");
    change.add(tongban_store::ActGone {
        instance_id: "a".into(),
        run_id: "r1".into(),
    });
    must_commit(store, vec![change]).await;
    assert_eq!(store.act("a", "r1").await.unwrap(), None);
    assert_eq!(store.acts_of("a").await.unwrap().len(), 2);
    db.end().await;
}

async fn inbox_rows(db: Db) {
    must_commit(&db.store, vec![start("a")]).await;
    let mut change = Change::without_instance(NOW_MS);
    for (id, ready_at_ms) in [("m1", NOW_MS), ("m2", NOW_MS + 1_000)] {
        let row = InboxRow {
            instance_id: "a".into(),
            id: id.into(),
            kind: "child".into(),
            body: "{}".into(),
            ready_at_ms,
        };
        change.add(row);
    }
    must_commit(&db.store, vec![change]).await;
    assert_eq!(db.store.inbox_next().await.unwrap(), Some(NOW_MS));
    let rows = db
        .store
        .inbox_claim(NOW_MS, NOW_MS + 30_000, 10)
        .await
        .unwrap();
    assert_eq!(
        rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
        ["m1"]
    );
    assert_eq!(
        db.store
            .inbox_claim(NOW_MS, NOW_MS + 30_000, 10)
            .await
            .unwrap(),
        vec![]
    );
    assert!(db.store.inbox_drop("a", "m2").await.unwrap());
    assert!(!db.store.inbox_drop("a", "m2").await.unwrap());
    db.end().await;
}

async fn mails(db: Db) {
    let store = &db.store;
    let mail = |id: &str, person: &str, ready_at_ms: i64| MailRow {
        id: id.into(),
        person_id: Some(person.into()),
        template: "mails/asked".into(),
        data: "{}".into(),
        status: "waiting".into(),
        message_id: format!("<{id}@tongban>"),
        at_ms: NOW_MS,
        ready_at_ms,
        ..MailRow::default()
    };
    let mut change = Change::without_instance(NOW_MS);
    change.add(mail("m1", "wu", NOW_MS));
    change.add(mail("m2", "li", NOW_MS + 9));
    must_commit(store, vec![change]).await;
    assert_eq!(store.mail_next().await.unwrap(), Some(NOW_MS));
    let claimed = store.mail_claim(NOW_MS, NOW_MS + 60_000, 10).await.unwrap();
    assert_eq!(
        (claimed.len(), claimed[0].id.as_str(), claimed[0].attempt),
        (1, "m1", 1)
    );
    let longer_ms = NOW_MS + 90_000;
    assert!(store.mail_renew("m1", 1, longer_ms).await.unwrap());
    assert!(!store.mail_renew("m1", 2, longer_ms).await.unwrap());
    assert_eq!(
        store.mail("m1").await.unwrap().unwrap().ready_at_ms,
        longer_ms
    );
    let mut change = Change::without_instance(NOW_MS);
    change.add(MailTried {
        id: "m1".into(),
        attempt: 1,
        status: "sent".into(),
        error: None,
        ready_at_ms: NOW_MS,
    });
    must_commit(store, vec![change]).await;
    assert_eq!(
        store.mail_claim(NOW_MS, NOW_MS + 60_000, 10).await.unwrap(),
        vec![]
    );
    assert_eq!(store.mail("m1").await.unwrap().unwrap().status, "sent");
    assert_eq!(
        store
            .mails(None, None, 10)
            .await
            .unwrap()
            .iter()
            .map(|mail| mail.id.as_str())
            .collect::<Vec<_>>(),
        ["m2", "m1"]
    );
    assert_eq!(store.mails(Some("wu"), None, 10).await.unwrap().len(), 1);
    assert_eq!(store.mails(None, Some("m2"), 10).await.unwrap().len(), 1);
    db.end().await;
}

async fn schedules(db: Db) {
    let store = &db.store;
    let mut change = Change::without_instance(NOW_MS);
    change.add(ScheduleRow {
        id: "sharing/apply#0".into(),
        workflow: "sharing/apply".into(),
        spec: "{\"cron\":\"0 8 * * 1\"}".into(),
        zone: "Asia/Shanghai".into(),
        catch_up: "skip".into(),
        ready_at_ms: NOW_MS,
        ..ScheduleRow::default()
    });
    must_commit(store, vec![change]).await;
    assert_eq!(store.schedules_due(NOW_MS - 1, 10).await.unwrap(), vec![]);
    let due = store.schedules_due(NOW_MS, 10).await.unwrap();
    assert_eq!((due.len(), due[0].ready_at_ms), (1, NOW_MS));
    let mut change = Change::without_instance(NOW_MS);
    change.add(ScheduleTicked {
        id: "sharing/apply#0".into(),
        last_tick_ms: Some(NOW_MS),
        ready_at_ms: NOW_MS + 70,
    });
    must_commit(store, vec![change]).await;
    assert_eq!(store.schedule_next().await.unwrap(), Some(NOW_MS + 70));
    assert_eq!(
        store.schedules_of("sharing/apply").await.unwrap()[0].last_tick_ms,
        Some(NOW_MS)
    );
    db.end().await;
}

async fn events_and_subscriptions(db: Db) {
    let (first, second) = two_events(&db.store).await;
    two_listeners(&db.store).await;
    one_is_taken(&db.store, first, second).await;
    let all = db.store.events_of_type("paid", 0, NOW_MS, NOW_MS, 10).await;
    assert_eq!(all.unwrap().len(), 2);
    let expired = db.store.events_expire(NOW_MS + 3_600_000, 10).await;
    assert_eq!(expired.unwrap(), 3);
    assert_eq!(db.store.event(first).await.unwrap(), None);
    db.end().await;
}

/// Takes two events in, one of them twice; gives their numbers.
async fn two_events(store: &Store) -> (i64, i64) {
    let event = |id: &str| EventRow {
        source: "tax".into(),
        id: id.into(),
        event_type: "paid".into(),
        body: "{}".into(),
        received_at_ms: NOW_MS,
        expires_at_ms: NOW_MS + 3_600_000,
        ..EventRow::default()
    };
    let seq = store
        .event_add(&event("e1"))
        .await
        .unwrap()
        .expect("it is new");
    assert_eq!(
        store.event_add(&event("e1")).await.unwrap(),
        None,
        "source and id are unique"
    );
    let second = store
        .event_add(&event("e2"))
        .await
        .unwrap()
        .expect("it is new");
    assert!(second > seq);
    let unrouted = store.events_unrouted(0, 10).await.unwrap();
    assert_eq!(
        unrouted.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [seq, second]
    );
    (seq, second)
}

async fn two_listeners(store: &Store) {
    let mut change = start("a");
    for n in 0..2 {
        change.add(SubscriptionRow {
            instance_id: "a".into(),
            run_id: "wait".into(),
            n,
            shape: "s".into(),
            value: format!("v{n}"),
            fresh: 1,
        });
    }
    must_commit(store, vec![change]).await;
    assert_eq!(
        store
            .subscriptions_for("s", "v1", "", 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.subscriptions_fresh("", 10).await.unwrap().len(), 2);
}

/// The instance consumes the first event, and listens no more.
async fn one_is_taken(store: &Store, first: i64, second: i64) {
    let mut change = Change::without_instance(NOW_MS);
    change.add(EventRouted {
        seq: first,
        routed: 1,
        cursor: None,
    });
    must_commit(store, vec![change]).await;
    assert_eq!(store.events_unrouted(0, 10).await.unwrap().len(), 1);
    let mut change = go_on("a", 1, "1");
    change.add(tongban_store::EventTaken {
        event_seq: first,
        instance_id: "a".into(),
        expires_at_ms: NOW_MS + 3_600_000,
    });
    change.add(tongban_store::SubscriptionGone {
        instance_id: "a".into(),
        run_id: "wait".into(),
    });
    must_commit(store, vec![change]).await;
    assert!(store.event_is_taken(first, "a").await.unwrap());
    assert!(!store.event_is_taken(second, "a").await.unwrap());
    assert_eq!(store.subscriptions_of("a").await.unwrap(), vec![]);
}

async fn hints_arrive(db: Db) {
    let second = db.node("second").await;
    let mut wakeups = second.wakeups().await.unwrap();
    let mut change = start("a");
    change.add(InboxRow {
        instance_id: "b".into(),
        id: "m".into(),
        kind: "event".into(),
        body: "{}".into(),
        ready_at_ms: NOW_MS,
    });
    let (_, ()) = tokio::join!(
        async {
            tokio::task::yield_now().await;
            must_commit(&db.store, vec![change]).await;
        },
        wakeups.next(),
    );
    db.tamper("DELETE FROM inbox").await;
    db.end().await;
}
