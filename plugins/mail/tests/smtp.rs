//! The transport against a server that takes mails, refuses them, falters and stalls.

mod server;

use server::{CA, Script, Server, Step};
use tongban_mail::{Security, Settings, Smtp, Timeouts};
use tongban_plugin::{MailFailure, MailTransport, Message};

use Step::Reply;

fn settings(server: &Server) -> Settings {
    Settings {
        host: "localhost".to_owned(),
        port: Some(server.port),
        security: Security::None,
        username: None,
        password: None,
        hello: Some("tongban.example".to_owned()),
        roots: None,
        connections: 4,
        timeouts: Timeouts {
            connect_ms: 2_000,
            send_ms: 2_000,
        },
    }
}

fn transport(settings: Settings) -> Smtp {
    Smtp::new(settings).expect("good settings")
}

fn mail(id: &str) -> Message {
    Message {
        from: "同办 <tongban@city.example>".to_owned(),
        to: "陈杰 <chen-jie@police.example>".to_owned(),
        subject: "待办:共享申请".to_owned(),
        text: ".开头有点\n请办理".to_owned(),
        html: Some("<p>请办理</p>".to_owned()),
        message_id: format!("<{id}@city.example>"),
        ..Message::default()
    }
}

/// What becomes of one mail under a script: the answer, and how many mails the server holds.
async fn outcome(script: Script, quick: bool) -> (Result<(), MailFailure>, usize) {
    let server = Server::start(script);
    let mut settings = settings(&server);
    if quick {
        settings.timeouts = Timeouts {
            connect_ms: 300,
            send_ms: 300,
        };
    }
    let sent = transport(settings).send(&mail("m1")).await;
    (sent, server.taken().len())
}

#[tokio::test]
async fn a_mail_arrives_whole() {
    let server = Server::start(Script::default());
    transport(settings(&server))
        .send(&mail("m1"))
        .await
        .expect("sent");
    let [received] = server.taken().try_into().expect("one mail");
    assert_eq!(received.from, "MAIL FROM:<tongban@city.example>");
    assert_eq!(received.to, ["RCPT TO:<chen-jie@police.example>"]);
    assert!(
        received.data.contains("Message-ID: <m1@city.example>\r\n"),
        "{}",
        received.data
    );
    assert!(received.data.contains("multipart/alternative"));
    assert!(received.data.is_ascii());
}

/// One answer of the server, and what it means: tried later or not, with which code.
struct Case(fn(&mut Script), bool, Option<u16>, &'static str);

const REPLIES: [Case; 13] = [
    Case(|s| s.mail = Reply("451 later"), true, Some(451), "later"),
    Case(
        |s| s.mail = Reply("550 not you"),
        false,
        Some(550),
        "not you",
    ),
    Case(|s| s.recipient = Reply("450 busy"), true, Some(450), "busy"),
    Case(
        |s| s.recipient = Reply("550 no such person"),
        false,
        Some(550),
        "no such person",
    ),
    Case(
        |s| s.data = Reply("421 closing"),
        true,
        Some(421),
        "closing",
    ),
    Case(|s| s.data = Reply("554 no"), false, Some(554), "no"),
    Case(|s| s.dot = Reply("452 full"), true, Some(452), "full"),
    Case(
        |s| s.dot = Reply("552 too large"),
        false,
        Some(552),
        "too large",
    ),
    // Before the mail itself is spoken of, nothing is said against it.
    Case(
        |s| s.banner = Reply("554 closed today"),
        true,
        Some(554),
        "closed today",
    ),
    Case(
        |s| {
            s.hello = Reply("550 not your kind");
            s.quit = Reply("221 bye");
        },
        true,
        Some(550),
        "not your kind",
    ),
    // What is no answer at all says nothing either.
    Case(|s| s.banner = Reply("nonsense"), true, None, ""),
    Case(|s| s.recipient = Reply("2"), true, None, ""),
    Case(|s| s.dot = Reply("250-taken\r\n999 or not"), true, None, ""),
];

#[tokio::test]
async fn a_reply_decides_between_later_and_never() {
    for Case(change, transient, code, words) in REPLIES {
        // A server that has said what it thinks is believed, even when it does not care to say goodbye.
        let mut script = Script {
            quit: Step::Stall,
            ..Script::default()
        };
        change(&mut script);
        let (sent, _) = outcome(script, false).await;
        let failure = sent.expect_err("a failure");
        let (MailFailure::Permanent(reason) | MailFailure::Transient(reason)) = &failure;
        assert_eq!(
            (failure.is_transient(), reason.code),
            (transient, code),
            "{words}: {failure}"
        );
        assert!(reason.text.contains(words), "{words}: {failure}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_tried_later() {
    let changes: [fn(&mut Script); 3] = [
        |s: &mut Script| s.banner = Reply("220-half a greeting"),
        |s: &mut Script| s.hello = Reply("250-mail.example\r\n250-8BITMIME"),
        |s: &mut Script| s.recipient = Reply("250-who"),
    ];
    for change in changes {
        let mut script = Script::default();
        change(&mut script);
        let (sent, taken) = outcome(script, true).await;
        assert!(sent.expect_err("a failure").is_transient());
        assert_eq!(taken, 0);
    }
}

#[tokio::test]
async fn a_server_that_stalls_or_hangs_up_is_tried_later() {
    let script = Script::default();
    for step in [Step::Stall, Step::Drop] {
        for script in [
            Script {
                banner: step,
                ..script
            },
            Script {
                hello: step,
                ..script
            },
            Script {
                mail: step,
                ..script
            },
            Script {
                recipient: step,
                ..script
            },
            Script {
                data: step,
                ..script
            },
        ] {
            let (sent, taken) = outcome(script, true).await;
            assert!(sent.expect_err("a failure").is_transient());
            assert_eq!(taken, 0);
        }
        // The server has taken it and did not say so: it is sent again under the same Message-ID.
        let (sent, taken) = outcome(
            Script {
                dot: step,
                ..script
            },
            true,
        )
        .await;
        assert!(sent.expect_err("a failure").is_transient());
        assert_eq!(taken, 1);
    }
}

#[tokio::test]
async fn nobody_there_is_tried_later() {
    let server = Server::start(Script::default());
    let mut settings = settings(&server);
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    settings.port = Some(free.local_addr().expect("an address").port());
    drop(free);
    let failure = transport(settings)
        .send(&mail("m1"))
        .await
        .expect_err("a failure");
    assert!(
        failure.is_transient() && failure.to_string().contains("localhost"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_bad_mail_never_reaches_the_server() {
    let server = Server::start(Script::default());
    let transport = transport(settings(&server));
    for (to, subject) in [
        ("a@b.example\r\nRCPT TO:<c@d.example>", "x"),
        ("a@b.example, c@d.example", "x"),
        ("a@b.example", "x\r\nBcc: c@d.example"),
    ] {
        let mut bad = mail("m1");
        to.clone_into(&mut bad.to);
        subject.clone_into(&mut bad.subject);
        assert!(
            !transport
                .send(&bad)
                .await
                .expect_err("a failure")
                .is_transient()
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_address_that_the_server_cannot_take_is_refused_for_good() {
    let server = Server::start(Script::default());
    let mut mail = mail("m1");
    mail.to = "用户@police.example".to_owned();
    let failure = transport(settings(&server))
        .send(&mail)
        .await
        .expect_err("a failure");
    assert!(!failure.is_transient(), "{failure}");
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(Script::default());
    let transport = transport(settings(&server));
    for id in ["m1", "m2", "m3"] {
        transport.send(&mail(id)).await.expect("sent");
    }
    assert_eq!((server.taken().len(), server.connections()), (3, 1));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_fails_no_mail() {
    for script in [
        Script {
            mails_max: 1,
            ..Script::default()
        },
        Script {
            noop: Reply("421 idle too long"),
            ..Script::default()
        },
        Script {
            noop: Step::Drop,
            ..Script::default()
        },
    ] {
        let server = Server::start(script);
        let transport = transport(settings(&server));
        for id in ["m1", "m2", "m3"] {
            transport.send(&mail(id)).await.expect("sent");
        }
        assert_eq!((server.taken().len(), server.connections()), (3, 3));
    }
}

#[tokio::test]
async fn a_broken_conversation_is_never_taken_up_again() {
    let server = Server::start(Script {
        dot: Step::Stall,
        ..Script::default()
    });
    let mut settings = settings(&server);
    settings.timeouts.send_ms = 300;
    let transport = transport(settings);
    for _ in 0..2 {
        assert!(
            transport
                .send(&mail("m1"))
                .await
                .expect_err("a failure")
                .is_transient()
        );
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn no_more_connections_than_allowed() {
    let server = Server::start(Script::default());
    let mut settings = settings(&server);
    settings.connections = 2;
    let transport = std::sync::Arc::new(transport(settings));
    let sends: Vec<_> = (0..20)
        .map(|n| {
            let transport = transport.clone();
            tokio::spawn(async move { transport.send(&mail(&format!("m{n}"))).await })
        })
        .collect();
    for send in sends {
        send.await.expect("no panic").expect("sent");
    }
    assert_eq!(server.taken().len(), 20);
    assert!(server.connections() <= 2, "{}", server.connections());
}

#[tokio::test]
async fn signs_in_and_keeps_the_mail_when_the_password_is_wrong() {
    let server = Server::start(Script::default());
    let mut with_user = settings(&server);
    with_user.username = Some("tongban".to_owned());
    with_user.password = Some("geheim".to_owned());
    transport(with_user.clone())
        .send(&mail("m1"))
        .await
        .expect("sent");
    let auths = server.auths.lock().expect("no panic").clone();
    assert_eq!(auths, ["AUTH PLAIN AHRvbmdiYW4AZ2VoZWlt"]);
    let refusing = Server::start(Script {
        auth: Reply("535 wrong"),
        ..Script::default()
    });
    with_user.port = Some(refusing.port);
    let failure = transport(with_user)
        .send(&mail("m1"))
        .await
        .expect_err("a failure");
    assert!(
        failure.is_transient() && !failure.to_string().contains("geheim"),
        "{failure}"
    );
    assert!(refusing.taken().is_empty());
}

#[tokio::test]
async fn tls_from_the_first_byte_and_by_starttls() {
    for (security, script) in [
        (
            Security::Tls,
            Script {
                wrapped: true,
                ..Script::default()
            },
        ),
        (
            Security::StartTls,
            Script {
                start_tls: true,
                ..Script::default()
            },
        ),
    ] {
        let server = Server::start(script);
        let mut trusted = settings(&server);
        trusted.security = security;
        trusted.roots = Some(CA.to_owned());
        transport(trusted.clone())
            .send(&mail("m1"))
            .await
            .expect("sent");
        assert!(server.taken().iter().all(|mail| mail.encrypted));
        // A certificate that nobody trusts, or of another name, gets no mail.
        let untrusted = Settings {
            roots: None,
            ..trusted.clone()
        };
        let other_name = Settings {
            host: "127.0.0.1".to_owned(),
            ..trusted
        };
        for settings in [untrusted, other_name] {
            let failure = transport(settings)
                .send(&mail("m2"))
                .await
                .expect_err("a failure");
            assert!(failure.is_transient(), "{failure}");
        }
        assert_eq!(server.taken().len(), 1);
    }
}

#[tokio::test]
async fn what_was_said_before_the_encryption_counts_for_nothing() {
    for go_ahead in [
        Reply("220 go on\r\n250 AUTH PLAIN"),
        Reply("454 not now"),
        Reply("220 go on\r\n250-mail.example\r\n250 AUTH LOGIN"),
        Step::Stall,
        Step::Drop,
    ] {
        let server = Server::start(Script {
            start_tls: true,
            go_ahead,
            ..Script::default()
        });
        let mut settings = settings(&server);
        settings.security = Security::StartTls;
        settings.roots = Some(CA.to_owned());
        settings.username = Some("tongban".to_owned());
        settings.password = Some("geheim".to_owned());
        settings.timeouts.connect_ms = 500;
        let failure = transport(settings)
            .send(&mail("m1"))
            .await
            .expect_err("a failure");
        assert!(failure.is_transient(), "{failure}");
        assert!(server.taken().is_empty());
        assert!(server.auths.lock().expect("no panic").is_empty());
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_mail() {
    let server = Server::start(Script::default());
    let mut settings = settings(&server);
    settings.security = Security::StartTls;
    settings.username = Some("tongban".to_owned());
    settings.password = Some("geheim".to_owned());
    let failure = transport(settings)
        .send(&mail("m1"))
        .await
        .expect_err("a failure");
    assert!(failure.is_transient(), "{failure}");
    assert!(server.taken().is_empty());
    assert!(server.auths.lock().expect("no panic").is_empty());
}
