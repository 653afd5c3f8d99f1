//! What jq expressions give, and what they say when they are wrong.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data};
use jaq_json::Val;
use tongban_expr::{Budget, Expression, Language, Scope, Value, value};

fn compiled(source: &str) -> Expression {
    Expression::compile(Language::Jq, source, &["item"])
        .map_err(|error| format!("{source}: {error}"))
        .expect("the source compiles")
}

fn document() -> Value {
    value!({
        "a": {"b": {"c": "x", "n": 3}},
        "list": [
            {"n": 3, "ok": true, "name": "丙"},
            {"n": 1, "ok": false, "name": "甲"},
            {"n": 2, "ok": true, "name": "乙"}
        ],
        "text": "公租房, 申请; public housing",
        "numbers": [3, -1, 2.5, 0],
        "empty": [],
        "nothing": null,
        "yes": true
    })
}

fn eval(source: &str) -> Result<Value, String> {
    let scope = Scope {
        input: document(),
        form: value!({"area": 42, "case": "c"}),
        steps: value!({"vet": {"trace": [1]}}),
        params: value!({"noticeDays": {"value": 15, "basis": "law"}}),
        locals: vec![("item".to_owned(), Value::from("本地"))],
        ..Scope::default()
    };
    compiled(source)
        .eval(&scope, &Budget::default())
        .map_err(|error| error.message)
}

/// Runs `source` on jaq's own values.
fn plain(source: &str) -> Result<String, ()> {
    let defs = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let funs = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    let arena = Arena::default();
    let file = File {
        code: source,
        path: (),
    };
    let modules = Loader::new(defs).load(&arena, file).map_err(|_| ())?;
    let filter = Compiler::default()
        .with_funs(funs)
        .compile(modules)
        .map_err(|_| ())?;
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let input: Val = serde_json::from_str(&document().to_json()).map_err(|_| ())?;
    let first = filter.id.run((context, input)).next().ok_or(())?;
    first.map(|value| value.to_string()).map_err(|_| ())
}

/// Our values give what jaq's give.
#[test]
fn same_results_as_jaq() {
    let sources = include_str!("same_as_jaq.txt").lines();
    let mut wrong = Vec::new();
    for source in sources {
        let expected = plain(source);
        let found = match Expression::compile(Language::Jq, source, &[]) {
            Err(_) => Err(()),
            Ok(expression) => {
                let scope = Scope {
                    input: document(),
                    ..Scope::default()
                };
                match expression.eval(&scope, &Budget::default()) {
                    Ok(value) => Ok(value),
                    Err(error) if error.message.contains("more than one") => continue,
                    Err(_) => Err(()),
                }
            }
        };
        let same = match (&expected, &found) {
            (Ok(expected), Ok(found)) => Value::from_json(expected).ok().as_ref() == Some(found),
            (Err(()), Err(())) => true,
            _ => false,
        };
        if !same {
            wrong.push(format!("{source}: jaq {expected:?}, ours {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where ours differ from jaq's on purpose, they do as jq does.
#[test]
fn differences_to_jaq() {
    assert!(eval(".a | .[0]").is_err());
    assert_eq!(eval("{} | .a.b |= 3").unwrap(), value!({"a": {"b": 3}}));
    let chinese = eval(".text | [scan(\"\\\\p{Han}+\")]").unwrap();
    assert_eq!(chinese, value!(["公租房", "申请"]));
}

#[test]
fn variables_have_their_values() {
    assert_eq!(eval("$form.area + 1").unwrap(), Value::Int(43));
    assert_eq!(eval("$item").unwrap(), "本地");
    assert_eq!(eval("$params.noticeDays").unwrap(), Value::Int(15));
    assert_eq!(eval("$steps.vet.trace[0]").unwrap(), Value::Int(1));
    assert_eq!(eval("$steps.nope.deep").unwrap(), Value::Null);
    assert_eq!(eval("$input.a.b.n").unwrap(), Value::Int(3));
    assert_eq!(eval("$form.case").unwrap(), "c");
}

#[test]
fn the_argument_is_not_always_the_input() {
    let scope = Scope {
        argument: Some(Value::from("argument")),
        input: Value::from("input"),
        ..Scope::default()
    };
    let both = compiled("[., $input]");
    let found = both.eval(&scope, &Budget::default()).unwrap();
    assert_eq!(found, value!(["argument", "input"]));
}

#[test]
fn integers_stay_exact_or_fail() {
    assert_eq!(
        eval("9007199254740993 + 0").unwrap().to_json(),
        "9007199254740993"
    );
    assert_eq!(eval("6 / 2").unwrap().to_json(), "3");
    assert_eq!(eval("7 / 2").unwrap().to_json(), "3.5");
    for overflowing in [
        "9223372036854775807 + 1",
        "9223372036854775807 * 2",
        "-9223372036854775807 - 2",
        "92233720368547758070",
    ] {
        assert!(
            eval(overflowing).unwrap_err().contains("64 bits"),
            "{overflowing}"
        );
    }
}

#[test]
fn results_that_cannot_be_stored_are_errors() {
    for source in ["nan", "[infinite]", "{a: [nan]}", "\"a\\u0000b\"", "1e300"] {
        assert!(
            eval(source).unwrap_err().contains("the value holds"),
            "{source}"
        );
    }
}

#[test]
fn none_is_null_and_several_are_an_error() {
    assert_eq!(eval("empty").unwrap(), Value::Null);
    assert!(eval(".list[]").unwrap_err().contains("more than one value"));
    assert_eq!(eval("first(.list[]).n").unwrap(), Value::Int(3));
}

#[test]
fn what_reaches_outside_does_not_compile() {
    for source in [
        "env",
        "now",
        "halt",
        "halt(1)",
        "halt_error",
        "debug",
        "debug(1)",
        "input",
        "inputs",
        "stderr",
        "localtime",
        "strflocaltime(\"%c\")",
        "$ENV",
        "$ENV.PATH",
        "input_filename",
        "$__prog_args",
        "import \"a\" as a; 1",
        "include \"a\"; 1",
        "import \"a\" as $a; $a",
    ] {
        let error = Expression::compile(Language::Jq, source, &[]).expect_err(source);
        assert!(
            error.at.end <= source.len() && error.at.start < error.at.end,
            "{source}: {error:?}"
        );
    }
}

/// Errors name the bytes of the source, also behind Chinese text.
#[test]
fn errors_have_exact_places() {
    let cases = [
        (
            "\"公租房\" | $nope",
            "$nope",
            "the variable `$nope` is not defined",
        ),
        (
            "\"公租房\" | nope(1)",
            "nope",
            "the filter `nope` with 1 arguments is not defined",
        ),
        ("\"公租房\" | now", "now", "the filter `now` is not defined"),
        (
            "\"公租房\" == .a && .b",
            "&",
            "expected a filter or an operator, found `&`",
        ),
        (
            "\"公租房\" | if . then 1",
            "",
            "expected `else` or `end`, found the end",
        ),
        (
            "[\"公租房\", ",
            "",
            "expected a closing bracket, found the end",
        ),
        (
            "\"公租房\" | 'x'",
            "'",
            "expected a filter or an operator, found `'`",
        ),
        (
            "\"公租房\" | 公",
            "公",
            "expected a filter or an operator, found `公`",
        ),
        (
            "\"公租房\" | def f: f; f",
            "f",
            "the definition `f` calls itself",
        ),
        (
            "\"公租房\" | ]",
            "]",
            "expected a filter or an operator, found `]`",
        ),
    ];
    for (source, place, message) in cases {
        let error = Expression::compile(Language::Jq, source, &[]).expect_err(source);
        let found = source.get(error.at.clone());
        assert_eq!(
            (found, error.message.as_str()),
            (Some(place), message),
            "{source}: {error:?}"
        );
    }
}

#[test]
fn helps_say_what_to_do() {
    let help = |source| {
        let error = Expression::compile(Language::Jq, source, &[]).expect_err(source);
        error.help.unwrap_or_default()
    };
    assert!(help(".a && .b").contains("`and`"));
    assert!(help("now").contains("the same on every run"));
    assert!(help("$forms.a").contains("$form"));
    assert!(help("'x'").contains("double quotes"));
}

#[test]
fn reads_name_variables_and_literal_properties() {
    let expression =
        compiled("$steps.vet.trace | map(. + $form.area) + [$steps[\"a b\"]?, $secrets.key, .x.y]");
    let found: Vec<String> = expression
        .reads()
        .iter()
        .map(|read| {
            let path: Vec<&str> = read.path.iter().map(|part| part.name.as_str()).collect();
            format!(
                "{}:{} `{}`",
                read.root,
                path.join("."),
                &expression.source()[read.at.clone()]
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "steps:vet.trace `$steps.vet.trace`",
            "form:area `$form.area`",
            "steps:a b `$steps[\"a b`",
            "secrets:key `$secrets.key`",
            ".:x.y `.x.y`",
        ]
    );
    assert_eq!(expression.steps(), ["vet", "a b"]);
    assert!(expression.reads_secrets());
    assert!(!compiled(".secrets").reads_secrets());
}

#[test]
fn compiled_expressions_are_shared_between_threads() {
    let expression = compiled(".list | map(.n) | add");
    let scope = Scope {
        input: document(),
        ..Scope::default()
    };
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..50 {
                    let sum = expression.eval(&scope, &Budget::default()).unwrap();
                    assert_eq!(sum, Value::Int(6));
                }
            });
        }
    });
}

#[test]
fn an_evaluation_never_changes_what_it_reads() {
    let scope = Scope {
        input: document(),
        ..Scope::default()
    };
    let before = scope.input.digest();
    for source in [
        ".list[0].n = 9",
        "del(.list)",
        ".list |= map(.n)",
        ".a.b.c |= empty",
    ] {
        compiled(source).eval(&scope, &Budget::default()).unwrap();
        assert_eq!(scope.input.digest(), before, "{source}");
    }
}

/// What jq defines and jaq does not.
#[test]
fn filters_of_jq_that_jaq_lacks() {
    let cases = [
        ("[65 | ascii]", value!(["A"])),
        ("[1 | toarray, ([2] | toarray)]", value!([[1], [2]])),
        ("\"axa\" | trimstr(\"a\")", value!("x")),
        ("[isvalid(error), isvalid(1)]", value!([false, true])),
        (
            "[{id: 1, n: \"a\"}, {id: 2, n: \"b\"}] | INDEX(.id)[\"2\"].n",
            value!("b"),
        ),
        ("[(2 | IN(1, 2)), IN(1, 2; 3, 4)]", value!([true, false])),
        ("0 | date", value!("1970-01-01T00:00:00Z")),
        ("[[1, [2]] | tostream] | length", value!(4)),
        (
            "[\"a\\\"b\", 1, true, null] | @csv",
            value!("\"a\"\"b\",1,true,"),
        ),
        ("[\"a\\tb\", 1] | @tsv", value!("a\\tb\t1")),
        ("@csv \"x,\\([1, \"y\"])\"", value!("x,1,\"y\"")),
        ("[1, \"x\"] | format(\"csv\")", value!("1,\"x\"")),
    ];
    for (source, wanted) in cases {
        assert_eq!(eval(source).expect(source), wanted, "{source}");
    }
}
