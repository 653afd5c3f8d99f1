//! Whatever somebody types, compiling and running it ends with a value or an
//! error whose place lies within the text.

use proptest::prelude::*;
use tongban_expr::{Budget, Expression, Language, Scope, Script, value};

const WORDS: [&str; 64] = [
    ".",
    "..",
    ".a",
    ".[0]",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "\"",
    "\"公租房\"",
    "'",
    "`",
    "`${",
    "${",
    "$form",
    "form",
    "input",
    "|",
    ",",
    ";",
    ":",
    "?",
    "?.",
    "??",
    "//",
    "=",
    "==",
    "|=",
    "+=",
    "&&",
    "||",
    "and",
    "or",
    "not",
    "if",
    "then",
    "else",
    "end",
    "try",
    "catch",
    "reduce",
    "foreach",
    "as",
    "$x",
    "def f:",
    "f",
    "map(",
    "select(",
    "len()",
    ".pluck(",
    "1",
    "1.5",
    "1e999",
    "-",
    "*",
    "/",
    "%",
    "公",
    "\\(",
    "\\u00",
    "#{",
    "let x = ",
];

fn source() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS.to_vec());
    prop::collection::vec((word, any::<bool>()), 0..24).prop_map(|words| {
        words
            .into_iter()
            .flat_map(|(word, space)| [word, if space { " " } else { "" }])
            .collect()
    })
}

fn scope() -> Scope {
    let document = value!({"a": [1, {"b": "公"}], "n": null});
    Scope {
        input: document.clone(),
        form: document,
        ..Scope::default()
    }
}

fn budget() -> Budget {
    Budget {
        operations: 20_000,
        bytes: 1 << 20,
        ..Budget::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_500) })]

    #[test]
    fn any_source_gives_a_value_or_an_error(source in source()) {
        for language in [Language::Jq, Language::Rhai] {
            match Expression::compile(language, &source, &["x"]) {
                Err(error) => {
                    prop_assert!(source.get(error.at.clone()).is_some(), "{error:?}");
                    prop_assert!(!error.message.is_empty());
                }
                Ok(expression) => {
                    for read in expression.reads() {
                        prop_assert!(source.get(read.at.clone()).is_some(), "{read:?}");
                    }
                    if let Err(error) = expression.eval(&scope(), &budget()) {
                        let at = error.at.clone().unwrap_or_default();
                        prop_assert!(source.get(at).is_some(), "{error:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn any_script_gives_a_value_or_an_error(source in source()) {
        match Script::compile(&source, "any") {
            Err(error) => prop_assert!(source.get(error.at.clone()).is_some(), "{error:?}"),
            Ok(script) => {
                if let Err(error) = script.run(scope().input, &scope(), &budget()) {
                    let at = error.at.clone().unwrap_or_default();
                    prop_assert!(source.get(at).is_some(), "{error:?}");
                }
            }
        }
    }
}
