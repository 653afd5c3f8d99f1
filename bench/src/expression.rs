//! What one expression costs on a document of two kilobytes.

use std::time::Instant;

use tongban_expr::{Budget, Expression, Language, Scope, Value};

use crate::figures::Figures;

/// Evaluations of each expression.
const TIMES: u32 = 20_000;

const CASES: [(&str, Language, &str); 4] = [
    ("jq route", Language::Jq, r#"$form.scope.mode == "api""#),
    ("jq sum of 20", Language::Jq, "[$form.items[].n] | add"),
    ("rhai route", Language::Rhai, r#"form.scope.mode == "api""#),
    (
        "rhai sum of 20",
        Language::Rhai,
        r#"form.items.sum_by("n")"#,
    ),
];

/// Measures each case after a warm-up.
pub fn measure(figures: &mut Figures) -> anyhow::Result<()> {
    let scope = Scope {
        form: document(),
        ..Scope::default()
    };
    let budget = Budget::default();
    for (name, language, source) in CASES {
        let expression = Expression::compile(language, source, &[])
            .map_err(|error| anyhow::anyhow!("{name}: {}", error.message))?;
        for _ in 0..TIMES / 10 {
            expression
                .eval(&scope, &budget)
                .map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        }
        let began = Instant::now();
        for _ in 0..TIMES {
            expression
                .eval(&scope, &budget)
                .map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        }
        let micros = began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES);
        figures.at_most(&format!("expression, {name}"), micros, "µs", 10.0);
    }
    Ok(())
}

fn document() -> Value {
    let items: Vec<Value> = (0..20_i64)
        .map(|n| {
            Value::object([
                ("n", Value::from(n)),
                (
                    "name",
                    Value::from(format!("item {n} with a name of some length")),
                ),
                ("ok", Value::from(n % 2 == 0)),
            ])
        })
        .collect();
    let scope = Value::object([
        ("mode", Value::from("api")),
        ("validTo", Value::from("2027-04-30")),
    ]);
    Value::object([
        ("resource", Value::from("300101/000001")),
        ("scope", scope),
        ("items", Value::list(items)),
    ])
}
