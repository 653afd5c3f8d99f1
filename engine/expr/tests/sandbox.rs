//! Requests to a child process cross as frames and are answered.

use std::collections::BTreeMap;

use tongban_expr::sandbox::{Request, Response, Sent, Source, handle, read_frame, write_frame};
use tongban_expr::{Language, Limit, Value, value};

fn request(source: Source) -> Request {
    Request {
        source,
        scope: Sent {
            variables: BTreeMap::from([
                ("input".to_owned(), value!({"n": 2})),
                ("item".to_owned(), Value::from("i")),
            ]),
            units: BTreeMap::from([(
                "qd-01".to_owned(),
                BTreeMap::from([
                    ("district".to_owned(), "qd".to_owned()),
                    ("name".to_owned(), "一街".to_owned()),
                ]),
            )]),
            ..Sent::default()
        },
        operations: 100_000,
        bytes: 1 << 20,
    }
}

fn expression(language: Language, text: &str) -> Request {
    request(Source::Expression {
        language,
        text: text.to_owned(),
    })
}

fn script(text: &str) -> Request {
    request(Source::Script {
        name: "x.rhai".to_owned(),
        text: text.to_owned(),
    })
}

/// Sends a request through frames in both directions.
fn through_frames(request: &Request) -> Response {
    let mut pipe = Vec::new();
    write_frame(&mut pipe, request).expect("memory takes and gives any frame");
    let received: Request = read_frame(&mut pipe.as_slice())
        .expect("memory takes and gives any frame")
        .expect("one frame");
    let mut back = Vec::new();
    write_frame(&mut back, &handle(received)).expect("memory takes and gives any frame");
    read_frame(&mut back.as_slice())
        .expect("memory takes and gives any frame")
        .expect("one frame")
}

#[test]
fn evaluations_cross() {
    let value = |request| through_frames(&request).into_result().unwrap();
    assert_eq!(value(expression(Language::Jq, ".n + 1")), Value::Int(3));
    assert_eq!(value(expression(Language::Jq, "$item")), "i");
    assert_eq!(
        value(expression(Language::Rhai, "unit(\"qd-01\", \"district\")")),
        "qd"
    );
    assert_eq!(value(script("let n = input.n; n * n")), Value::Int(4));
    assert_eq!(value(script("unit_name(\"qd-01\")")), "一街");
}

#[test]
fn failures_cross() {
    let response = through_frames(&expression(Language::Jq, ".n | nope"));
    assert!(matches!(&response, Response::Syntax { error } if error.at == (5..9)));
    assert_eq!(response.into_result().unwrap_err().at, Some(5..9));
    let stopped = through_frames(&script("loop {}"))
        .into_result()
        .unwrap_err();
    assert_eq!(stopped.limit, Some(Limit::Operations));
    let mut malformed = script("1");
    malformed.scope.parameters = Some(value!({"parameters": 1}));
    assert!(matches!(
        through_frames(&malformed),
        Response::Failed { .. }
    ));
}

#[test]
fn broken_frames_are_errors() {
    let mut pipe = Vec::new();
    write_frame(&mut pipe, &script("1")).unwrap();
    let read = |bytes: &[u8]| read_frame::<Request>(&mut &*bytes);
    assert!(read(&[]).unwrap().is_none());
    for end in [1, 3, 4, 5, pipe.len() - 1] {
        assert!(read(&pipe[..end]).is_err(), "{end}");
    }
    assert!(read(&[0xff, 0xff, 0xff, 0xff, b'{']).is_err());
    assert!(read(&[0, 0, 0, 2, b'{', b'}']).is_err());
}
