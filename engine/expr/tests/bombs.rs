//! Expressions and scripts that grow without bound are stopped, each in a
//! child process with a memory and a processor limit: what escapes the meter
//! kills the child, and the test.

use std::alloc::System;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use tongban_expr::alloc::Counting;
use tongban_expr::{Budget, Expression, Language, Limit, Scope, Script, Value, value};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

/// How a bomb must end.
#[derive(Clone, Copy, Debug)]
enum End {
    /// One of these limits stops it.
    Stopped(&'static [Limit]),
    /// It does not compile.
    Refused,
    /// It ends with an error of the language.
    Fails,
    /// It is harmless here.
    Passes,
}
use End::{Fails, Passes, Refused, Stopped};
use Limit::{Bytes, Depth, Heap, Operations, Stack, Weight};

const JQ: &[(&str, End)] = &[
    ("[range(1e12)]", Stopped(&[Operations])),
    ("[limit(1e9; repeat(1))]", Stopped(&[Operations])),
    ("[repeat(1)]", Stopped(&[Operations])),
    ("last(range(1e12))", Stopped(&[Operations])),
    ("0 | until(false; .+1)", Stopped(&[Operations])),
    ("0 | [while(true; .+1)]", Stopped(&[Operations])),
    ("0 | [recurse(.+1)] | length", Stopped(&[Operations])),
    (
        "[foreach range(1e12) as $i (0; .+1)]",
        Stopped(&[Operations]),
    ),
    (
        "try ([range(1e12)]) catch \"caught\"",
        Stopped(&[Operations]),
    ),
    ("first(range(1e12) | select(. < 0))", Stopped(&[Operations])),
    ("\"x\" * 1000000000", Stopped(&[Bytes])),
    (
        "reduce range(60) as $i ([0]; . + .)",
        Stopped(&[Bytes, Weight, Operations]),
    ),
    (
        "reduce range(60) as $i (\"x\"; . + .)",
        Stopped(&[Bytes, Weight]),
    ),
    (
        "[range(300)] | [combinations(3)]",
        Stopped(&[Operations, Bytes, Weight]),
    ),
    (
        "[[range(300)], [range(300)], [range(300)]] | [combinations] | length",
        Stopped(&[Operations, Bytes, Weight]),
    ),
    (
        "(\"x\" * 1000000) | [match(\"x\"; \"g\")] | length",
        Stopped(&[Operations, Bytes, Weight, Heap]),
    ),
    ("\"\\(range(1e12))\" | length", Fails),
    ("[\"\\(range(1e12))\"] | length", Stopped(&[Operations])),
    (
        "getpath([range(100000)|\"a\"]) = 1",
        Stopped(&[Stack, Depth, Operations]),
    ),
    ("reduce range(1e6) as $i (null; [.])", Stopped(&[Depth])),
    ("reduce range(1e6) as $i (null; {a: .})", Stopped(&[Depth])),
    (
        "reduce range(1000) as $i (null; {b: (.a |= 1)})",
        Stopped(&[Depth]),
    ),
    (
        "reduce range(1000) as $i (1; {b: .} | .b |= .)",
        Stopped(&[Depth]),
    ),
    (
        "reduce range(60) as $i ([0]; . as $x | [$x,$x])",
        Stopped(&[Weight]),
    ),
    (
        "reduce range(60) as $i ({}; . as $x | {a: $x, b: $x}) | tojson",
        Stopped(&[Weight, Depth]),
    ),
    ("reduce range(60) as $i (10; . * .)", Fails),
    (
        "[range(1e6)] | sort_by(-.) | length",
        Stopped(&[Operations, Weight, Bytes]),
    ),
    (
        "(\"a\" * 7000000) | explode | implode",
        Stopped(&[Operations, Weight, Bytes]),
    ),
    ("(\"[\" * 100000) | fromjson", Fails),
    (
        "(\"[\" * 90 + \"]\" * 90) | fromjson | tojson | length",
        Passes,
    ),
    ("(\"x\" * 3000000) | test(\"(x+x+)+y\")", Fails),
    ("(\"x\" * 1000000) | test(\"(x+x+)+y\")", Passes),
    ("\"x\" | test(\"((a{100}){100}){100}\")", Fails),
    (
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\" | test(\"(a*)*b\")",
        Passes,
    ),
    (
        "(\"a,\" * 500000) | [splits(\",\")] | length",
        Stopped(&[Operations, Bytes, Weight]),
    ),
    (
        "(\"a\" * 1000000) | gsub(\"a\"; \"bb\") | length",
        Stopped(&[Operations, Bytes, Weight, Heap]),
    ),
    (
        "[limit(100000; repeat(\"x\" * 1000))] | length",
        Stopped(&[Operations, Bytes, Weight]),
    ),
    ("jn(2000000000; 1.5)", Refused),
    ("def f: f; f", Refused),
    ("def f: [f]; f", Refused),
    ("def f: 1+f; f", Refused),
    ("def f: f|f; f", Refused),
    ("def f: f, f; f", Refused),
    ("label $f | def g: g, break $f; g", Refused),
    ("def f(x): f(x+1); f(1)", Refused),
    ("def f(g): f(g|g); f(.)", Refused),
    ("def f: def g: f; g; f", Refused),
    ("def f($a): f($a); f(1)", Refused),
];

const RULES: &[(&str, End)] = &[
    ("loop {}", Stopped(&[Operations])),
    ("while true {}", Stopped(&[Operations])),
    (
        "let n = 0; while true { n += 1; } n",
        Stopped(&[Operations]),
    ),
    ("fn f() { f() } f()", Stopped(&[Stack])),
    ("fn f(x) { f([x]) } f(1)", Stopped(&[Stack])),
    ("let s = \"x\"; loop { s += s; }", Stopped(&[Weight, Heap])),
    ("let a = [1]; loop { a += a; }", Stopped(&[Weight, Heap])),
    (
        "let a = #{x: 1}; loop { a = #{x: a, y: a}; }",
        Stopped(&[Weight, Heap, Operations]),
    ),
    (
        "let a = []; loop { a.push(1); }",
        Stopped(&[Weight, Heap, Operations]),
    ),
    (
        "let m = #{}; let i = 0; loop { m[`k${i}`] = i; i += 1; }",
        Stopped(&[Weight, Heap, Operations]),
    ),
    ("\"x\".pad(1000000000, \"y\")", Fails),
    ("\"x\".pad(1000000000, 'y')", Fails),
    ("[].pad(1000000000, 1)", Fails),
    (
        "let a = [1]; a.pad(20000, a); a.pad(20000, a); a",
        Stopped(&[Weight, Heap, Bytes]),
    ),
    (
        "let a = []; loop { a = [a]; }",
        Stopped(&[Weight, Operations, Heap]),
    ),
    (
        "let a = input; loop { a = [a]; }",
        Stopped(&[Weight, Operations, Heap]),
    ),
    ("eval(\"1\")", Refused),
    ("import \"x\" as y; 1", Refused),
    ("export let x = 1;", Refused),
    (
        "loop { print(\"some text to be kept\"); debug(1); }",
        Stopped(&[Operations, Heap, Bytes]),
    ),
    ("sleep(1)", Refused),
    ("timestamp()", Refused),
    ("Fn(\"eval\").call(\"1\")", Refused),
    ("exit(1)", Refused),
    ("blob(1000000000, 1)", Fails),
    ("parse_json(\"[]\")", Fails),
    ("input.rows.map(|x| x.map(|y| y))", Fails),
    ("input.a = 1; input", Fails),
];

/// What the child prints, told by the parent.
fn run(language: &str, source: &str) -> String {
    // A twentieth of the usual operations: unoptimised, all of them together take minutes.
    let budget = Budget {
        operations: 1_000_000,
        bytes: 64 << 20,
        heap_bytes: 64 << 20,
        ..Budget::default()
    };
    let scope = Scope {
        input: value!({"rows": [1, 2]}),
        ..Scope::default()
    };
    let result = match language {
        "jq" => match Expression::compile(Language::Jq, source, &[]) {
            Ok(expression) => expression.eval(&scope, &budget),
            Err(error) => return format!("refused {error}"),
        },
        _ => match Script::compile(source, "bomb") {
            Ok(script) => script.run(scope.input.clone(), &scope, &budget),
            Err(error) => return format!("refused {error}"),
        },
    };
    match result {
        Ok(value) => format!("passed {}", value.kind_name()),
        Err(error) => match error.limit {
            Some(limit) => format!("stopped {limit:?}"),
            None => format!("failed {error}"),
        },
    }
}

fn fits(end: End, printed: &str) -> bool {
    match end {
        Stopped(limits) => limits
            .iter()
            .any(|limit| printed == format!("stopped {limit:?}")),
        Refused => printed.starts_with("refused "),
        Fails => printed.starts_with("failed "),
        Passes => printed.starts_with("passed "),
    }
}

/// Names the file of a source.
fn blake(source: &str) -> String {
    Value::from(source).digest()
}

fn in_child(language: &str, source: &str) -> String {
    let executable = std::env::current_exe().expect("a test knows its file");
    let file = std::env::temp_dir().join(format!("bomb-{}-{}", std::process::id(), blake(source)));
    std::fs::write(&file, source).expect("the temporary folder is writable");
    // 1 GiB of addresses holds the compiler's large stack; 20 s of processor.
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -v 1048576; ulimit -t 20; exec \"$0\" --exact child --nocapture",
        ])
        .arg(executable)
        .env("BOMB_LANGUAGE", language)
        .env("BOMB_FILE", &file)
        .output()
        .expect("a shell");
    std::fs::remove_file(&file).expect("it was written above");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("bomb: "));
    match line {
        Some((_, printed)) if output.status.success() => printed.to_owned(),
        _ => format!("died: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Does nothing by itself: the other tests run it as a child.
#[test]
fn child() {
    let variable = |name: &str| std::env::var(name).ok();
    if let (Some(language), Some(file)) = (variable("BOMB_LANGUAGE"), variable("BOMB_FILE")) {
        let source = std::fs::read_to_string(file).expect("the parent wrote it");
        println!("bomb: {}", run(&language, &source));
    }
}

fn all_end(language: &str, bombs: &[(&str, End)]) {
    let wrong: Vec<String> = bombs
        .iter()
        .map(|(source, end)| (source, end, in_child(language, source)))
        .filter(|(_, end, printed)| !fits(**end, printed))
        .map(|(source, end, printed)| format!("{source}\n    expected {end:?}, {printed}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bombs_of_jq_are_stopped() {
    all_end("jq", JQ);
}

#[test]
fn bombs_of_rules_are_stopped() {
    all_end("rules", RULES);
}

/// Sources that nest or run on without end are refused or stopped, and never
/// overflow the stack of parser, compiler, evaluator or destructor.
#[test]
fn long_sources_do_not_overflow() {
    let nested = |open: &str, times: usize, inner: &str, close: &str| {
        [&open.repeat(times), inner, &close.repeat(times)].concat()
    };
    let sources = [
        ("jq", nested("(", 8_000, "1", ")")),
        ("jq", nested("[", 8_000, "1", "]")),
        ("jq", nested("{a:", 5_000, "1", "}")),
        ("jq", nested(".|", 8_000, ".", "")),
        ("jq", nested("-", 16_000, "1", "")),
        ("jq", nested("- ", 8_000, "1", "")),
        // As many as are allowed.
        ("jq", nested("- ", 3_990, "1", "")),
        ("jq", nested(".|", 1_990, ".", "")),
        ("jq", nested("1,", 1_990, "1", "")),
        ("jq", nested("1+", 1_990, "1", "")),
        ("jq", nested("try ", 3_990, "1", "")),
        ("jq", nested(". as $x|", 790, "1", "")),
        ("jq", nested("1+", 8_000, "1", "")),
        ("jq", nested("1,", 8_000, "1", "")),
        ("jq", nested("try ", 4_000, "1", "")),
        ("jq", nested(". as $x|", 2_000, "1", "")),
        ("jq", nested("if 1 then ", 1_000, "1", " end")),
        ("jq", nested("\"\\(", 4_000, "1", ")\"")),
        ("jq", nested("reduce . as $x(.;", 900, "1", ")")),
        ("jq", nested("def a: 1;", 1_500, "a", "")),
        (
            "jq",
            nested("", 1, ".", "") + nested("[0]", 5_000, "", "").as_str(),
        ),
        ("jq", nested(".a", 8_000, "", "")),
        ("jq", nested(".a.b|=", 2_000, "1", "")),
        ("jq", nested("x", 20_000, "", "")),
        ("rules", nested("(", 8_000, "1", ")")),
        ("rules", nested("[", 8_000, "1", "]")),
        ("rules", nested("!", 8_000, "true", "")),
        ("rules", nested("- ", 8_000, "1", "")),
        ("rules", nested("1+", 50_000, "1", "")),
        (
            "rules",
            nested("", 1, "input", "") + nested(".a", 50_000, "", "").as_str(),
        ),
        (
            "rules",
            nested("", 1, "input", "") + nested("[0]", 50_000, "", "").as_str(),
        ),
        ("rules", nested("{", 50_000, "", "}")),
        ("rules", nested("if true {", 20_000, "", "}")),
        ("rules", nested("`${", 20_000, "1", "}`")),
        ("rules", nested("||", 20_000, "1", "")),
        ("rules", nested("|x|", 20_000, "1", "")),
        ("rules", nested("let a = ", 1_000, "1", "")),
        ("rules", nested("#{a:", 20_000, "1", "}")),
        ("rules", nested("f(", 20_000, "1", ")")),
    ];
    let died: Vec<String> = sources
        .iter()
        .map(|(language, source)| (language, source, in_child(language, source)))
        .filter(|(_, _, printed)| printed.starts_with("died"))
        .map(|(language, source, printed)| {
            format!(
                "{language} {} …: {printed}",
                source.get(..20).unwrap_or(source)
            )
        })
        .collect();
    assert!(died.is_empty(), "{}", died.join("\n"));
}

/// What else grows, repeats or reaches outside: each ends by a limit, by an error or with a value, within 20 s of
/// processor and the memory of its process.
#[test]
fn nothing_that_grows_ends_its_process() {
    let sources = include_str!("bombs.jq").lines().map(|line| ("jq", line));
    let rules = include_str!("bombs.rhai.txt").lines();
    let sources = sources.chain(rules.map(|line| ("rules", line)));
    let died: Vec<String> = sources
        .map(|(language, source)| (language, source, in_child(language, source)))
        .inspect(|(language, source, printed)| println!("{language} {source} … {printed}"))
        .filter(|(_, _, printed)| printed.starts_with("died"))
        .map(|(language, source, printed)| format!("{language} {source}: {printed}"))
        .collect();
    assert!(died.is_empty(), "{}", died.join("\n"));
}

/// After a stop the same thread evaluates the next expression.
#[test]
fn a_stop_leaves_the_thread_usable() {
    let bomb = Expression::compile(Language::Jq, "[range(1e12)]", &[]).expect("compiles");
    let next = Expression::compile(Language::Jq, ".a + 1", &[]).expect("compiles");
    let scope = Scope {
        input: value!({"a": 1}),
        ..Scope::default()
    };
    let budget = Budget::default();
    for _ in 0..3 {
        let stopped = bomb.eval(&scope, &budget).expect_err("stops");
        assert_eq!(stopped.limit, Some(Operations));
        assert_eq!(
            next.eval(&scope, &budget).expect("evaluates"),
            Value::Int(2)
        );
    }
}

#[test]
fn the_clock_stops_both_languages() {
    // A clock that goes on by one millisecond each time that it is asked.
    let clock = AtomicU64::new(7);
    let budget = Budget::for_scripts().with_time(3, move || clock.fetch_add(1, Ordering::Relaxed));
    let scope = Scope::default();
    let endless = Expression::compile(Language::Jq, "last(range(1e12))", &[]).expect("compiles");
    let stopped = endless.eval(&scope, &budget).expect_err("stops");
    assert_eq!(stopped.limit, Some(Limit::Time));
    assert!(stopped.message.contains("at most 3 ms"), "{stopped}");
    let script = Script::compile("loop {}", "endless").expect("compiles");
    let stopped = script.run(Value::Null, &scope, &budget).expect_err("stops");
    assert_eq!(stopped.limit, Some(Limit::Time));
    // Each evaluation has the whole time.
    let short = Expression::compile(Language::Jq, "[range(1000)] | length", &[]).expect("compiles");
    assert_eq!(short.eval(&scope, &budget), Ok(Value::Int(1000)));
}

/// The usual budget stops what grows without bound, too.
#[test]
fn the_usual_budget_stops_bombs() {
    for (source, limits) in [
        ("[range(1e9)]", &[Weight, Operations, Heap][..]),
        ("reduce range(60) as $i (\"x\"; . + .)", &[Weight, Bytes]),
        ("\"x\" * 1000000000", &[Bytes]),
        (
            "reduce range(10000) as $i (0; reduce range(10000) as $j (.; . + 1))",
            &[Operations],
        ),
    ] {
        let bomb = Expression::compile(Language::Jq, source, &[]).expect("compiles");
        let stopped = bomb.eval(&Scope::default(), &Budget::default());
        let limit = stopped.expect_err("stops").limit.expect("by a limit");
        assert!(limits.contains(&limit), "{source}: {limit:?}");
    }
}

/// What people do with a million items passes; what comes out too large says how large.
#[test]
fn a_million_items_are_no_bomb() {
    let list = |source: &str| {
        let expression = Expression::compile(Language::Jq, source, &[]).expect("compiles");
        expression.eval(&Scope::default(), &Budget::default())
    };
    for (source, result) in [
        ("[range(1000000)] | length", 1_000_000),
        ("[range(1000000)] | map(.+1) | .[-1]", 1_000_000),
        ("[range(1000000)] | add", 499_999_500_000),
        ("reduce range(1000000) as $i (0; . + $i)", 499_999_500_000),
        ("[range(1000000) | select(. % 2 == 0)] | length", 500_000),
    ] {
        assert_eq!(list(source), Ok(Value::Int(result)), "{source}");
    }
    let stopped = list("[range(100000000;101000000)]").expect_err("too long a text");
    assert_eq!(stopped.limit, Some(Limit::Weight));
    assert!(
        stopped.message.contains("8388608 bytes (8 MiB)"),
        "{stopped}"
    );
    let wide = Budget::default().widened_for_collections();
    let ids = Expression::compile(
        Language::Jq,
        "[range(1000000;2000000) * 1000000000000]",
        &[],
    );
    let ids = ids.expect("compiles").eval(&Scope::default(), &wide);
    assert_eq!(ids.expect("19 MB of ids").weight(), 1_000_000 * 20 + 1);
}
