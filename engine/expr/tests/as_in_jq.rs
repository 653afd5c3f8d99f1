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
    let cases = [
        // What is not there yet is made, with nulls before it.
        ("[]", ".[2] = 1", "[null,null,1]"),
        ("null", ".[0] = 1", "[1]"),
        ("[1]", ".[3] += 1", "[1,null,null,1]"),
        ("{}", ".a[1].b = 2", r#"{"a":[null,{"b":2}]}"#),
        ("[1]", ".[3] |= empty", "[1]"),
        ("null", r#".[1:3] = ["a"]"#, r#"["a"]"#),
        (
            "null",
            "reduce range(3) as $i (null; .[$i] = $i)",
            "[0,1,2]",
        ),
        ("[1,2,3]", r#"try (.[-4] = 1) catch "no""#, r#""no""#),
        // Indexes are whole numbers.
        ("[1,2,3,4]", "[.[1.7], .[1.2:3.5]]", "[2,[2,3,4]]"),
        ("[1,2]", ".[1.5] = 9", "[1,9]"),
        ("null", "[.[0:1], .a, .[0]]", "[null,null,null]"),
        // All paths of a deletion name places of the value as it was.
        ("[0,1,2,3,4]", "del(.[0,2])", "[1,3,4]"),
        ("[0,1,2,3,4]", "del(.[0], .[1], .[2])", "[3,4]"),
        ("[0,1,2,3,4]", "del(.[1:3], .[-1])", "[0,3]"),
        ("[1,2,3,4,5]", "del(.[] | select(. > 2))", "[1,2]"),
        (
            r#"{"a":{"b":1,"c":2},"d":3}"#,
            "del(.a.b, .d)",
            r#"{"a":{"c":2}}"#,
        ),
        (r#"{"a":1}"#, "del(.x.y)", r#"{"a":1}"#),
        ("[[1,2],[3]]", "del(.[][0])", "[[2],[]]"),
        (
            r#"{"a":[1,2,3]}"#,
            r#"delpaths([["a",0],["a",2]])"#,
            r#"{"a":[2]}"#,
        ),
        ("5", "del(.)", "null"),
        (
            r#"{"a":{"b":null,"c":1}}"#,
            "del(..|select(. == null))",
            r#"{"a":{"c":1}}"#,
        ),
        // Lists.
        (
            r#"[1,null,"a",true,2.5]"#,
            r#"join(",")"#,
            r#""1,,a,true,2.5""#,
        ),
        ("[]", r#"join(",")"#, r#""""#),
        (r#"["a","b"]"#, r#"[join(",","/")]"#, r#"["a,b","a/b"]"#),
        ("[[1]]", r#"try join(",") catch "no""#, r#""no""#),
        ("null", "reverse", "[]"),
        (r#""abc""#, "reverse", r#""cba""#),
        (
            "[1,[2,[3]]]",
            "[flatten, flatten(1), flatten(0)]",
            "[[1,2,3],[1,2,[3]],[1,[2,[3]]]]",
        ),
        ("[]", "flatten(1)", "[]"),
        (r#"{"a":[1,[2]]}"#, "flatten", "[1,2]"),
        ("[1]", r#"try flatten(-1) catch "no""#, r#""no""#),
        ("1", r#"try contains("a") catch "no""#, r#""no""#),
        ("[1,2,3]", "pick(.[1])", "[null,2]"),
        (r#"{"a":{"b":1,"c":2}}"#, "pick(.a.b)", r#"{"a":{"b":1}}"#),
        // Numbers.
        ("null", "[7%3, -7%3, 7%4.9, 5.9%2.1]", "[1,-1,3,1]"),
        ("null", "[2*1.5, 10/4, 6/2.0, 1e3]", "[3,2.5,3,1000]"),
        (
            "null",
            r#""\(2 * 1.5) \(10 / 4) \(pow(2; 3))""#,
            r#""3 2.5 8""#,
        ),
        ("null", r#"try (1/0) catch "no""#, r#""no""#),
        ("null", r#"try (1%0) catch "no""#, r#""no""#),
        (
            "null",
            "[(nan|isnan), (nan < nan), (infinite|isinfinite)]",
            "[true,true,true]",
        ),
        ("10", "gamma * 1000 | floor", "12801"),
        // Texts and patterns.
        (
            r#""abc""#,
            r#"[test("B"), test("B";"i"), test(["B","i"]), test("B";null)]"#,
            "[false,true,true,false]",
        ),
        (
            r#""ab\ncd""#,
            r#"[test("b.c"), test("b.c";"s"), test("b.c";"p")]"#,
            "[false,false,true]",
        ),
        (
            r#""foo bar""#,
            r#"match("(?<x>o+) (b)?(z)?").captures | map(.name, .string, .offset)"#,
            r#"["x","oo",1,null,"b",4,null,null,-1]"#,
        ),
        (
            r#""ab""#,
            r#"[capture("(?<a>a)|(?<b>b)";"g")]"#,
            r#"[{"a":"a","b":null},{"a":null,"b":"b"}]"#,
        ),
        (
            r#""abac""#,
            r#"[scan("(z)?(a)")]"#,
            r#"[[null,"a"],[null,"a"]]"#,
        ),
        (r#""aGVsbG8""#, "@base64d", r#""hello""#),
        // Dates.
        ("1425599621.678", "todate", r#""2015-03-05T23:53:41Z""#),
        ("1425599621", "gmtime | todate", r#""2015-03-05T23:53:41Z""#),
        (
            r#""2015-03-05T23:51:47Z""#,
            r#"strptime("%Y-%m-%dT%H:%M:%SZ") | [mktime, todate]"#,
            r#"[1425599507,"2015-03-05T23:51:47Z"]"#,
        ),
        // Streams.
        (
            r#"{"a":{"b":[1,{"c":2}]}}"#,
            "fromstream(tostream)",
            r#"{"a":{"b":[1,{"c":2}]}}"#,
        ),
        (
            "null",
            "[1|truncate_stream([[0],1],[[1,0],2],[[1,0]],[[1]])]",
            "[[[0],2],[[0]]]",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(input, source, expected)| {
            let found = evaluated(input, source);
            (found.as_deref() != Ok(*expected))
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
