//! Scripts of packs that came through the API are evaluated by a child: what becomes of the child becomes of that
//! evaluation, and of nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tongban_expr::sandbox::Evaluator;
use tongban_expr::{Budget, EvalError, Expression, Language, Limit, Scope, Script, Value, value};
use tongban_runtime::pack::{Bundle, Publication};
use tongban_runtime::{Caller, Parts, Runtime, SeededIds, Start, VirtualClock};
use tongban_server::sandbox::Pool;
use tongban_store::{Options, Store};

fn pool() -> Arc<Pool> {
    Arc::new(Pool::new(env!("CARGO_BIN_EXE_tongban").into()).with_jq())
}

fn script(pool: &Arc<Pool>, source: &str) -> Script {
    let evaluator = Arc::clone(pool) as Arc<dyn Evaluator>;
    Script::compile_for(&evaluator, source, "rule.rhai").unwrap()
}

fn run(script: &Script, budget: &Budget) -> Result<Value, EvalError> {
    script.run(value!({ "n": 2 }), &Scope::default(), budget)
}

/// No limit but the system's.
fn unbounded() -> Budget {
    Budget {
        operations: u64::MAX,
        weight: u64::MAX,
        bytes: u64::MAX,
        heap_bytes: u64::MAX / 32,
        ..Budget::default()
    }
}

fn within(millis: u64, budget: Budget) -> Budget {
    let began = Instant::now();
    budget.with_time(millis, move || {
        u64::try_from(began.elapsed().as_millis()).unwrap()
    })
}

fn kill(process: u32) {
    let process = i32::try_from(process).unwrap();
    // SAFETY: sends a signal to a child of ours.
    unsafe {
        libc::kill(process, libc::SIGKILL);
    }
}

#[test]
fn a_child_is_started_once_and_gives_what_is_given_here() {
    let pool = pool();
    assert!(pool.ids().is_empty(), "none before it is needed");
    let squared = script(&pool, "input.n * input.n");
    assert_eq!(run(&squared, &Budget::default()), Ok(Value::Int(4)));
    let ids = pool.ids();
    assert_eq!(ids.len(), 1);
    assert_ne!(ids.first(), Some(&std::process::id()));
    let evaluator = Arc::clone(&pool) as Arc<dyn Evaluator>;
    let scope = Scope {
        input: value!({ "z": 9_007_199_254_740_993_i64, "a": ["甲", 0.1, null] }),
        ..Scope::default()
    };
    for (language, source) in [
        (Language::Jq, "."),
        (Language::Jq, ".a | length"),
        (Language::Jq, "error(\"no\")"),
        (Language::Jq, "[range(1e12)]"),
        (Language::Rhai, "input.z + 1"),
        (Language::Rhai, "input.nope.deep"),
        (Language::Rhai, "input.a[0]"),
    ] {
        let here = Expression::compile(language, source, &[]).unwrap();
        let there = Expression::compile_for(&evaluator, language, source, &[]).unwrap();
        let budget = Budget {
            operations: 100_000,
            ..Budget::default()
        };
        let text = |result: Result<Value, EvalError>| result.map(|value| value.to_json());
        let (here, there) = (here.eval(&scope, &budget), there.eval(&scope, &budget));
        assert_eq!(text(here), text(there), "{source}");
    }
    assert_eq!(pool.ids(), ids, "one after the other needs one process");
}

#[test]
fn a_child_that_is_killed_fails_its_evaluation_and_no_other() {
    let pool = pool();
    let quick = script(&pool, "input.n + 1");
    assert_eq!(run(&quick, &Budget::default()), Ok(Value::Int(3)));
    let first = pool.ids().pop().unwrap();
    let endless = script(&pool, "loop {}");
    let looping = std::thread::spawn(move || run(&endless, &within(60_000, unbounded())));
    while !pool.ids().is_empty() {
        std::thread::yield_now();
    }
    // Another thread has a process of its own meanwhile.
    assert_eq!(run(&quick, &Budget::default()), Ok(Value::Int(3)));
    let second = pool.ids().pop().unwrap();
    assert_ne!(first, second);
    kill(first);
    let failed = looping.join().unwrap().expect_err("its process is gone");
    assert_eq!(failed.limit, Some(Limit::Process));
    assert!(failed.message.contains("signal: 9"), "{failed}");
    // One that dies while nobody needs it is not missed.
    kill(second);
    let gone = Instant::now() + Duration::from_secs(10);
    while run(&quick, &Budget::default()) != Ok(Value::Int(3)) {
        assert!(Instant::now() < gone, "the next one is taken");
    }
    assert_ne!(pool.ids().pop(), Some(second));
}

#[test]
fn what_escapes_the_meter_meets_the_systems_limits() {
    let pool = pool();
    let evaluator = Arc::clone(&pool) as Arc<dyn Evaluator>;
    let hungry = Expression::compile_for(&evaluator, Language::Jq, "[range(1e12)]", &[]).unwrap();
    let failed = hungry
        .eval(&Scope::default(), &within(120_000, unbounded()))
        .expect_err("its memory is bounded");
    assert_eq!(failed.limit, Some(Limit::Process), "{failed}");
    assert!(failed.message.contains("its process ended"), "{failed}");
    let endless = script(&pool, "loop {}");
    let failed = run(&endless, &within(100, unbounded())).expect_err("its time is bounded");
    assert_eq!(failed.limit, Some(Limit::Process));
    assert!(failed.message.contains("did not answer"), "{failed}");
    let quick = script(&pool, "input.n + 1");
    assert_eq!(run(&quick, &Budget::default()), Ok(Value::Int(3)));
}

#[test]
fn a_program_that_is_no_sandbox_is_told() {
    let pool = Arc::new(Pool::new("/bin/false".into()));
    let failed = run(&script(&pool, "1"), &Budget::default()).expect_err("it answers nothing");
    assert_eq!(failed.limit, Some(Limit::Process));
    let pool = Arc::new(Pool::new("/nowhere/tongban".into()));
    let failed = run(&script(&pool, "1"), &Budget::default()).expect_err("it is not there");
    assert!(failed.message.contains("cannot be started"), "{failed}");
}

const DOCUMENT: &str = "
document: { dsl: '1.0.3', namespace: test, name: scripted, version: '1.0.0' }
do:
  - guarded:
      try:
        - rule:
            run:
              script: { language: rhai, code: 'if input.n > 5 { loop {} } input.n * 2' }
      catch:
        as: fault
        do:
          - told: { set: { type: '${ $fault.type }', detail: '${ $fault.detail }' } }
";

async fn site(pool: &Arc<Pool>) -> Runtime {
    let store = Store::open(&Options::new("sqlite::memory:")).await.unwrap();
    let clock = Arc::new(VirtualClock::at(1_795_399_200_000));
    let mut parts = Parts::plain(store, clock, Arc::new(SeededIds::new(1)));
    parts.sandbox = Some(Arc::clone(pool) as Arc<dyn Evaluator>);
    parts.settings.budget = within(200, unbounded());
    Runtime::inline(parts).await.unwrap()
}

fn publication() -> Publication {
    let path = "workflow.yaml".to_owned();
    let files = BTreeMap::from([(path.clone(), Arc::from(DOCUMENT))]);
    Publication::of_bundle(Bundle::new("test/scripted", "1.0.0", &path, files))
}

async fn output(runtime: &Runtime, n: i64) -> Value {
    let start = Start {
        workflow: "test/scripted".to_owned(),
        version: None,
        input: value!({ "n": n }),
        caller: Caller::system(),
        idempotency_key: None,
        link: None,
    };
    runtime.start(start).await.unwrap().output
}

#[tokio::test]
async fn only_packs_from_outside_go_to_a_child_and_its_end_can_be_caught() {
    let pool = pool();
    let runtime = site(&pool).await;
    runtime
        .publish_from_outside(&publication(), "li-na")
        .await
        .unwrap();
    assert_eq!(output(&runtime, 2).await, Value::Int(4));
    assert_eq!(pool.ids().len(), 1);
    let caught = output(&runtime, 6).await;
    let text = |key: &str| caught.text(key).unwrap_or_default().to_owned();
    assert!(text("type").ends_with("/errors/runtime"), "{caught}");
    assert!(text("detail").contains("did not answer"), "{caught}");
    assert_eq!(output(&runtime, 3).await, Value::Int(6));
    // The site has the same files: they are its own from now on.
    let before = pool.ids();
    runtime.publish(&publication(), "site").await.unwrap();
    kill(before.first().copied().unwrap());
    assert_eq!(output(&runtime, 4).await, Value::Int(8));
    assert_eq!(pool.ids(), before, "nobody asked for a process");
}
