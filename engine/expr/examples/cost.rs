//! Prints what one evaluation costs, in nanoseconds: `cargo run --release
//! --example cost -p tongban-expr`.

use std::time::Instant;

use tongban_expr::{Budget, Expression, Language, Scope, Script, Value, value};

const SAMPLES: usize = 41;
const ROUNDS: u32 = 2_000;

fn document() -> Value {
    let rows: Vec<Value> = (0..20)
        .map(|n| value!({"id": (format!("row-{n:04}")), "n": (n as i64), "ok": (n % 3 == 0), "note": "some words of a note"}))
        .collect();
    value!({"outcome": "approved", "a": {"b": {"c": "x"}}, "area": 42, "level": "district", "list": rows})
}

fn median(mut run: impl FnMut()) -> u128 {
    let mut times: Vec<u128> = (0..SAMPLES)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..ROUNDS {
                run();
            }
            began.elapsed().as_nanos() / u128::from(ROUNDS)
        })
        .collect();
    times.sort_unstable();
    times.get(SAMPLES / 2).copied().unwrap_or_default()
}

fn main() {
    let scope = Scope {
        input: document(),
        form: document(),
        steps: value!({"vet": {"trace": [{"result": "unfit"}, {"result": "fit"}]}}),
        ..Scope::default()
    };
    let budget = Budget::default();
    println!("document: {} bytes", scope.form.to_json().len());
    let text = scope.form.to_json();
    let cost = median(|| drop(std::hint::black_box(Value::from_json(&text))));
    println!("{cost:>9} ns  read");
    let cost = median(|| drop(std::hint::black_box(scope.form.to_json())));
    println!("{cost:>9} ns  write");
    let cost = median(|| drop(std::hint::black_box(serde_json::to_string(&scope.form))));
    println!("{cost:>9} ns  write by serde");
    let cost = median(|| drop(std::hint::black_box(scope.form.digest())));
    println!("{cost:>9} ns  digest");
    let sources = [
        (Language::Jq, ".outcome == \"approved\""),
        (Language::Jq, "$form.a.b.c == \"x\""),
        (Language::Jq, "$form.a.b.c == \"x\" and $form.area > 40"),
        (Language::Jq, "{a: .a, b: (.list | map(.n) | add)}"),
        (Language::Jq, ".list | group_by(.ok) | map(length)"),
        (Language::Jq, ".list[0].note | test(\"some.*note\")"),
        (Language::Rhai, "input.outcome == \"approved\""),
        (Language::Rhai, "form.a.b.c == \"x\""),
        (
            Language::Rhai,
            "input.outcome == \"approved\" && form.level != \"district\"",
        ),
        (Language::Rhai, "form.list.sum_by(\"n\")"),
        (
            Language::Rhai,
            "#{ a: form.a, b: form.list.pluck(\"n\"), c: `${form.outcome}:${form.area}` }",
        ),
        (Language::Rhai, "steps.vet?.trace ?? []"),
    ];
    for (language, source) in sources {
        let expression = Expression::compile(language, source, &[]).expect("compiles");
        let cost = median(|| {
            std::hint::black_box(expression.eval(&scope, &budget)).expect("evaluates");
        });
        println!("{cost:>9} ns  {language:?}  {source}");
    }
    let script = Script::compile(
        "let n = 0; for row in input.list { if row.ok { n += row.n; } } n",
        "sum",
    )
    .expect("compiles");
    // This thread has no 12 MiB, but this script nests nothing.
    let budget = Budget {
        stack_bytes: 12 << 20,
        ..budget
    };
    let cost = median(|| {
        std::hint::black_box(script.run(scope.input.clone(), &scope, &budget)).expect("runs");
    });
    println!("{cost:>9} ns  rule file of one loop");
}
