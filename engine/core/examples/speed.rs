//! What one step costs: five `set` tasks from start to end, and an approval started and answered.
//! Run it with `cargo run --release -p tongban-core --example speed`.

use std::sync::Arc;
use std::time::Instant;

use tongban_core::{
    BLOB_ABOVE, Env, Event, FunctionInfo, Instance, Kind, Program, Surroundings, compile, step,
};
use tongban_expr::{Value, value};

const HEAD: &str = "document: { dsl: '1.0.3', namespace: speed, name: test, version: '1.0.0' }\n";

struct Approve;

impl Surroundings for Approve {
    fn function(&self, name: &str) -> Option<FunctionInfo> {
        (name == "approve").then(|| FunctionInfo {
            kind: Kind::Work,
            late: Vec::new(),
        })
    }
    fn file(&self, _: &str) -> Option<Arc<str>> {
        None
    }
}

fn program(tasks: &str) -> Program {
    let definition = tongban_dsl::parse(&format!("{HEAD}{tasks}"))
        .definition
        .expect("a definition");
    compile(&definition, &Approve).expect("a program")
}

fn measure(name: &str, mut run: impl FnMut(usize)) {
    const ROUNDS: usize = 20_000;
    (0..ROUNDS / 10).for_each(&mut run);
    let begin = Instant::now();
    (0..ROUNDS).for_each(&mut run);
    let each = begin.elapsed().as_secs_f64() * 1e6 / 20_000.0;
    println!("{name:<48} {each:>8.2} µs");
}

fn main() {
    let env = Env::default();
    let input = value!({"n": 1, "who": {"name": "li", "unit": "office"}, "list": [1, 2, 3]});
    let start = |program: &Program, name: &str| {
        measure(name, |n| {
            let start = Event::Start {
                input: input.clone(),
            };
            let taken =
                step(program, Instance::new(n.to_string()), start, &env, 0).expect("a step");
            std::hint::black_box(taken);
        });
    };
    let constant: String = (1..=5)
        .map(|n| format!("  - s{n}: {{ set: {{ n: {n} }} }}\n"))
        .collect();
    start(&program(&format!("do:\n{constant}")), "five sets, constant");
    let jq: String = (1..=5)
        .map(|n| format!("  - s{n}: {{ set: {{ n: '${{ .n + 1 }}', who: '${{ .who }}' }} }}\n"))
        .collect();
    start(
        &program(&format!("do:\n{jq}")),
        "five sets, two jq expressions each",
    );
    let rhai = jq
        .replace("${ .n + 1 }", "${ input.n + 1 }")
        .replace("${ .who }", "${ input.who }");
    start(
        &program(&format!("evaluate: {{ language: rhai }}\ndo:\n{rhai}")),
        "five sets, two rhai expressions each",
    );
    let approval = program(
        "do: [{ ask: { call: approve, with: { to: [{ user: '${ .who.name }' }] } } }, { done: { set: { outcome: '${ .outcome }' } } }]",
    );
    start(&approval, "an approval, started");
    let begin = Event::Start {
        input: input.clone(),
    };
    let waiting = step(&approval, Instance::new("i"), begin, &env, 0)
        .expect("a step")
        .instance;
    let state = waiting.to_state(BLOB_ABOVE);
    measure("an approval, state written", |_| {
        std::hint::black_box(waiting.to_state(BLOB_ABOVE));
    });
    measure("an approval, state read and answered", |_| {
        let read = Instance::from_state(&state.body, &mut |_| None).expect("a state");
        let answer = Event::Returned {
            run_id: "ask".into(),
            output: value!({"outcome": "approved"}),
        };
        std::hint::black_box(step(&approval, read, answer, &env, 0).expect("a step"));
    });
    println!(
        "{:<48} {:>8} bytes",
        "a waiting approval, its state",
        state.body.len()
    );
    let _: Value = input;
}
