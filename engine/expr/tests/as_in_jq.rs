//! Where jaq and jq 1.7 differ, the answer of jq; every expectation was compared with the real one.

use tongban_expr::{Budget, Expression, Language, Scope, Value};

fn evaluated(input: &str, source: &str) -> Result<String, String> {
    let expression = Expression::compile(Language::Jq, source, &[])
        .map_err(|error| format!("{source}: {}", error.message))?;
    let scope = Scope {
        input: Value::from_json(input).map_err(|error| error.message)?,
        ..Scope::default()
    };
    let result = expression.eval(&scope, &Budget::default());
    result
        .map(|value| value.to_json())
        .map_err(|error| error.message)
}

#[test]
fn answers_are_those_of_jq() {
    let cases: Vec<[String; 3]> = serde_yaml::from_str(include_str!("as_in_jq.yaml"))
        .expect("the file is a list of three texts each");
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|[input, source, expected]| {
            let found = evaluated(input, source);
            (found.as_ref() != Ok(expected))
                .then(|| format!("{input} | {source}\n  expected {expected}\n  found    {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_long_stays_within_the_memory_of_its_result() {
    let long = evaluated(
        "null",
        r#"[range(100000) | "some text \(.)"] | [join(","), add, (.[1:] | join("")), (del(.[range(0; 100000; 2)]) | length)] | map(if type == "string" then length else . end)"#,
    );
    assert_eq!(long.as_deref(), Ok("[1588889,1488890,1488879,50000]"));
    let endless = evaluated("[]", ".[1000000000000] = 1");
    assert!(endless.is_err_and(|message| message.contains("at most")));
}
