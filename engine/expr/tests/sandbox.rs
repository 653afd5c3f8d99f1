//! What is evaluated by a child gives what it gives here, and what is broken is told.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tongban_expr::sandbox::{
    Child, Evaluator, Program, Reply, Session, Source, Told, read_frame, write_frame,
};
use tongban_expr::{
    Budget, EvalError, Expression, Language, Limit, Parameters, Scope, Script, Units, Value, value,
};

/// A child on a thread, and this side's talk with it.
struct Talk(Mutex<(Session, UnixStream)>);

impl Talk {
    fn begin() -> Arc<Self> {
        let (here, there) = UnixStream::pair().expect("two streams");
        let output = there.try_clone().expect("a stream has two ends");
        std::thread::Builder::new()
            .stack_size(Child::STACK_BYTES)
            .spawn(move || Child::new(there, output).run(&mut || {}))
            .expect("a thread");
        Arc::new(Self(Mutex::new((Session::default(), here))))
    }
}

impl Evaluator for Talk {
    fn takes(&self, _source: &Source) -> bool {
        true
    }

    fn evaluate(
        &self,
        program: &Program,
        scope: &Scope,
        budget: &Budget,
    ) -> Result<Value, EvalError> {
        let mut talk = self.0.lock().expect("no test fails inside");
        let (session, stream) = &mut *talk;
        let asked = session.ask(program, scope, budget).expect("a frame");
        stream.write_all(&asked).expect("the child reads");
        loop {
            let mut length = [0; 4];
            stream.read_exact(&mut length).expect("the child answers");
            let mut rest = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut rest).expect("all of it");
            let frame = [&length[..], &rest].concat();
            match session.take(&frame, scope).expect("a message") {
                Reply::Done(result) => return result,
                Reply::More(answer) => stream.write_all(&answer).expect("the child reads"),
            }
        }
    }
}

struct Streets;

impl Units for Streets {
    fn ancestor(&self, unit: &str, level: &str) -> Option<String> {
        (unit == "qd-01" && level == "district").then(|| "qd".to_owned())
    }

    fn name(&self, unit: &str) -> Option<String> {
        (unit == "qd-01").then(|| "一街".to_owned())
    }
}

fn scope() -> Scope {
    let parameters = value!({"parameters": {"incomeLine": {
        "title": "收入线", "unit": "yuan",
        "values": [{"from": "2025-01-01", "value": 3000, "basis": "文件"}, {"from": "2026-01-01", "value": 3200, "basis": null}]
    }}, "rules": {"income": {"title": "收入"}}});
    let parameters = Parameters::from_value(&parameters).expect("parameters");
    assert_eq!(
        Parameters::from_value(&parameters.to_value())
            .expect("again")
            .to_value(),
        parameters.to_value()
    );
    Scope {
        input: value!({"n": 2, "z": 9_007_199_254_740_993_i64, "a": "甲", "rows": [{"v": 1, "d": "x"}, {"v": 2.5}]}),
        form: value!({"text": ("长".repeat(400)), "b": 1, "a": 2}),
        params: parameters.as_of("2026-03-01"),
        locals: vec![("item".to_owned(), value!({"k": [1, 2]}))],
        units: Arc::new(Streets),
        parameters: Some(Arc::new(parameters)),
        ..Scope::default()
    }
}

const JQ: &[&str] = &[
    ".",
    ".n + 1",
    "$item.k | add",
    "[.rows[].v] | add",
    "$form | keys_unsorted",
    ".z",
    ".nope.deep",
    ".a + 1",
    ".rows | map(select(.v > 1))",
    "$params.incomeLine",
    "[range(1e12)]",
    "1, 2",
    "{(\"z\"): 1, a: .a, $item}",
    "\"x\" * 1000000000",
];

const RHAI: &[&str] = &[
    "input.n + 1",
    "item.k[1]",
    "form.a == 2 && form.b == 1",
    "unit(\"qd-01\", \"district\")",
    "unit(\"nowhere\", \"district\") ?? \"none\"",
    "params.incomeLine",
    "params.basis(\"incomeLine\")",
    "input.z",
    "input.nope.deep",
    "input.rows.len()",
    "form.text.len()",
];

const SCRIPTS: &[&str] = &[
    "let n = input.n; n * n",
    "unit_name(\"qd-01\")",
    "let all = []; for row in input.rows { all.push(row.v); } all",
    "loop {}",
    "input.a = 1; input",
    "fn f(x) { f([x]) } f(1)",
    "throw \"no\"",
    "#{b: 1, a: input.z}",
];

#[test]
fn a_child_gives_what_is_given_here() {
    let talk = Talk::begin() as Arc<dyn Evaluator>;
    let budget = Budget {
        operations: 200_000,
        ..Budget::default()
    };
    let scope = scope();
    for (language, sources) in [(Language::Jq, JQ), (Language::Rhai, RHAI)] {
        for source in sources {
            let here = Expression::compile(language, source, &["item"]).expect(source);
            let there = Expression::compile_for(&talk, language, source, &["item"]).expect(source);
            for _ in 0..2 {
                let (here, there) = (here.eval(&scope, &budget), there.eval(&scope, &budget));
                let text = |value: &Value| value.to_json();
                assert_eq!(
                    here.as_ref().map(text),
                    there.as_ref().map(text),
                    "{source}"
                );
            }
        }
    }
    for source in SCRIPTS {
        let here = Script::compile(source, "x.rhai").expect(source);
        let there = Script::compile_for(&talk, source, "x.rhai").expect(source);
        let run = |script: &Script| script.run(scope.input.clone(), &scope, &budget);
        let (here, there) = (run(&here), run(&there));
        match (&here, &there) {
            // How deep the stack may grow is each side's own.
            (Err(here), Err(there)) if here.limit == Some(Limit::Stack) => {
                assert!(there.limit.is_some(), "{source}: {there}");
            }
            _ => assert_eq!(here, there, "{source}"),
        }
    }
}

#[test]
fn what_a_child_keeps_is_bounded_and_never_mistaken() {
    let talk = Talk::begin() as Arc<dyn Evaluator>;
    let budget = Budget::default();
    let length = Expression::compile_for(&talk, Language::Rhai, "input.t.len() + input.n", &[]);
    let length = length.expect("compiles");
    for round in 0..3_i64 {
        for n in 0..20_i64 {
            let text = "x".repeat(600 + usize::try_from(n).expect("small"));
            let scope = Scope {
                input: value!({"t": text, "n": (1_000 * round)}),
                ..Scope::default()
            };
            for _ in 0..2 {
                let found = length.eval(&scope, &budget);
                assert_eq!(found, Ok(Value::Int(600 + n + 1_000 * round)));
            }
        }
    }
    for n in 0..600_i64 {
        let source = format!("input.n + {}", n % 550);
        let sum = Expression::compile_for(&talk, Language::Rhai, &source, &[]).expect("compiles");
        let scope = Scope {
            input: value!({"n": 1}),
            ..Scope::default()
        };
        assert_eq!(sum.eval(&scope, &budget), Ok(Value::Int(1 + n % 550)));
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e15..1e15_f64).prop_map(Value::from),
        "[^\u{0}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::list),
            prop::collection::vec(("[a-z甲乙]{0,4}", inner), 0..6).prop_map(Value::object),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(50) })]

    #[test]
    fn any_value_crosses_and_comes_back(value in any_value()) {
        let talk = Talk::begin() as Arc<dyn Evaluator>;
        let scope = Scope { input: value.clone(), ..Scope::default() };
        for (language, source) in [(Language::Jq, "."), (Language::Rhai, "input")] {
            let same = Expression::compile_for(&talk, language, source, &[]).expect("compiles");
            let back = same.eval(&scope, &Budget::default()).expect("evaluates");
            prop_assert_eq!(back.to_json(), value.to_json());
        }
    }
}

#[test]
fn broken_frames_are_errors() {
    let mut pipe = Vec::new();
    write_frame(&mut pipe, &Told::Drop { id: 1 }).unwrap();
    let read = |bytes: &[u8]| read_frame::<Told>(&mut &*bytes);
    assert!(read(&[]).unwrap().is_none());
    for end in [1, 3, 4, 5, pipe.len() - 1] {
        assert!(read(&pipe[..end]).is_err(), "{end}");
    }
    assert!(read(&[0xff, 0xff, 0xff, 0xff, b'{']).is_err());
    assert!(read(&[0, 0, 0, 2, b'{', b'}']).is_err());
}
