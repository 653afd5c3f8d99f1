//! What rhai expressions and rule files give, and what they say when they
//! are wrong.

use std::sync::Arc;

use tongban_expr::{Budget, Expression, Language, Scope, Script, Units, Value, value};

struct Tree;

impl Units for Tree {
    fn ancestor(&self, unit: &str, level: &str) -> Option<String> {
        (level == "district").then(|| unit.split('-').next().unwrap_or(unit).to_owned())
    }

    fn name(&self, unit: &str) -> Option<String> {
        (unit == "qd").then(|| "青岛".to_owned())
    }
}

fn scope() -> Scope {
    Scope {
        input: value!({
            "outcome": "approved",
            "comment": null,
            "rows": [{"id": "1", "n": 3, "tags": ["a"]}, {"id": "2", "n": 1, "tags": []}]
        }),
        form: value!({
            "a": {"b": {"c": "x"}},
            "area": 42,
            "ratio": 2.5,
            "members": [{"id": "m1", "age": 40, "income": "0.1"}, {"id": "m2", "age": 8, "income": "0.2"}],
            "case": "kept",
            "tags": ["a", "b"],
            "name": "住房 保障(一期)",
            "empty": null,
            "grid": "qd-01-02"
        }),
        steps: value!({"vet": {"trace": [{"result": "unfit"}, {"result": "fit"}, {"result": "undetermined"}]}, "skipped": null}),
        params: value!({"noticeDays": {"value": 15, "basis": "《办法》第十条", "from": "2016-01-01"}}),
        workflow: value!({"number": "GX2026-00001", "starter": {"unit": "qd"}}),
        units: Arc::new(Tree),
        locals: vec![("item".to_owned(), value!({"id": "i1"}))],
        ..Scope::default()
    }
}

fn compile(source: &str) -> Result<Expression, tongban_expr::SyntaxError> {
    Expression::compile(Language::Rhai, source, &["item"])
}

fn eval(source: &str) -> Result<Value, String> {
    compile(source)
        .map_err(|error| format!("{source}: {error}"))
        .expect("the source compiles")
        .eval(&scope(), &Budget::default())
        .map_err(|error| error.message)
}

#[track_caller]
fn gives(source: &str, expected: impl Into<Value>) {
    assert_eq!(eval(source), Ok(expected.into()), "{source}");
}

#[track_caller]
fn fails(source: &str, part: &str) {
    let message = eval(source).expect_err(source);
    assert!(message.contains(part), "{source}: {message}");
}

#[test]
fn documents_are_read_by_properties() {
    gives("input.outcome == \"approved\"", true);
    gives("form.a.b.c == \"x\"", true);
    gives("form.area + 1", 43);
    gives("form.area / 4.0", 10.5);
    gives("input.keys().len()", 3);
    gives("item.is_empty()", false);
    gives("steps.contains(\"vet\")", true);
    gives("item.to_json()", "{\"id\":\"i1\"}");
    gives("item.values() == [\"i1\"]", true);
    gives("form.nope", Value::Null);
    gives("form[\"case\"]", "kept");
    gives("form.members[0].id", "m1");
    gives("form.members[-1].id", "m2");
    gives("form.members[7]", Value::Null);
    gives("steps.skipped?.trace", Value::Null);
    gives("steps.skipped?.trace ?? []", value!([]));
    gives("steps.skipped?.trace?.first ?? \"none\"", "none");
    gives("input.comment ?? \"\"", "");
    gives("item.id", "i1");
    gives("workflow.starter.unit", "qd");
    gives(
        "if form.area > 40 { \"large\" } else { \"small\" }",
        "large",
    );
    gives(
        "`面积:${form.area} 平方米(${form.name})`",
        "面积:42 平方米(住房 保障(一期))",
    );
    gives("form", scope().form);
}

#[test]
fn containers_compare_by_content_in_both_orders() {
    gives("form.tags == [\"a\", \"b\"]", true);
    gives("[\"a\", \"b\"] == form.tags", true);
    gives("form.tags != [\"a\"]", true);
    gives("[\"a\"] != form.tags", true);
    gives("form.a == #{b: #{c: \"x\"}}", true);
    gives("#{b: #{c: \"x\"}} == form.a", true);
    gives("form.tags == form.tags", true);
    gives("form.tags == ()", false);
    gives("() != form.tags", true);
    gives("form.empty == ()", true);
}

/// rhai itself says false to all of these, without an error.
#[test]
fn comparing_a_container_with_a_plain_value_is_an_error() {
    for source in [
        "form.a == \"x\"",
        "\"x\" == form.a",
        "form.a != \"x\"",
        "form.a < 1",
        "1 < form.a",
        "form.members > 1",
        "form.members == 2",
        "2.5 >= form.members",
        "form.tags == true",
        "form.tags < [\"a\"]",
        "form.tags < form.tags",
    ] {
        fails(source, "cannot compare a ");
    }
}

#[test]
fn containers_add_up() {
    gives("form.tags + [\"c\"]", value!(["a", "b", "c"]));
    gives("[\"c\"] + form.tags", value!(["c", "a", "b"]));
    gives("form.tags + form.tags", value!(["a", "b", "a", "b"]));
    gives("#{x: 1} + form.a", value!({"x": 1, "b": {"c": "x"}}));
    gives("\"\" + form.tags", "[\"a\",\"b\"]");
}

#[test]
fn lists_have_their_functions() {
    gives("form.members.len()", 2);
    gives("form.members.is_empty()", false);
    gives("form.empty.is_empty()", true);
    gives("form.members.pluck(\"id\")", value!(["m1", "m2"]));
    gives("[#{id: 1}].pluck(\"id\")", value!([1]));
    gives(
        "form.members.where(\"age\", 8).pluck(\"id\")",
        value!(["m2"]),
    );
    gives(
        "#{ doubts: steps.vet.trace.where(\"result\", [\"unfit\", \"undetermined\"]) }",
        value!({"doubts": [{"result": "unfit"}, {"result": "undetermined"}]}),
    );
    gives("form.members.sum_by(\"age\")", 48);
    gives("form.members.sum_by(\"income\")", 0.3);
    gives("form.members.max_by(\"age\")", 40);
    gives("form.members.min_by(\"age\")", 8);
    gives("form.members.sum_by(\"nope\")", 0);
    gives("[].max_by(\"age\")", Value::Null);
    gives("form.tags.contains(\"a\")", true);
    gives("\"a\" in form.tags", true);
    gives("\"area\" in form", true);
    gives("\"z\" in form.tags", false);
    gives("form.tags.join(\"、\")", "a、b");
    gives("form.tags.index_of(\"b\")", 1);
    gives("form.members.first().id", "m1");
    fails("form.members.sum_by(\"id\")", "expected a number");
    fails("form.members.id", "pluck(\"id\")");
    fails("form.a.pluck(\"x\")", "expected a list, found an object");
}

#[test]
fn parameters_units_and_names() {
    gives("params.noticeDays", 15);
    gives("params.noticeDays + 1", 16);
    gives("params.basis(\"noticeDays\")", "《办法》第十条");
    gives("params.since(\"noticeDays\")", "2016-01-01");
    gives("params", value!({"noticeDays": 15}));
    fails("params.nope", "`nope` has no value");
    gives("unit(form.grid, \"district\")", "qd");
    gives("unit(form.grid, \"street\")", Value::Null);
    gives("unit(form.empty, \"district\")", Value::Null);
    gives("unit_name(\"qd\")", "青岛");
    gives("form.name.normal()", "住房保障一期");
    gives("\"ABC 1-2\".normal()", "ABC12");
    gives("form.empty.normal()", Value::Null);
}

/// rhai itself drops the remainder of integers.
#[test]
fn division_keeps_what_remains() {
    gives("7 / 2", 3.5);
    gives("6 / 2", 3);
    gives("form.area / 4", 10.5);
    gives("form.members.sum_by(\"age\") / form.members.len()", 24);
    gives("1 + 7 / 2 * 2", 8.0);
    gives("7 % 2", 1);
    gives("max(1, 2.5)", 2.5);
    gives("min(2, 7 / 2)", 2);
    gives("0.1 + 0.2 < 0.4", true);
    gives("form.ratio > 2", true);
    gives("form.area > 41.5 && form.area == 42.0", true);
    fails("1 / 0", "by zero");
    fails("9223372036854775807 + 1", "overflow");
    assert_eq!(run("let x = 7; x /= 2; x"), Ok(Value::Float(3.5)));
    assert_eq!(run("let x = 7.0; x /= 2; x"), Ok(Value::Float(3.5)));
    assert_eq!(
        run("let m = #{n: 9}; m.n /= 2; m.n += 1; m.n"),
        Ok(Value::Float(5.5))
    );
}

#[test]
fn nothing_under_a_dot_is_an_error_that_helps() {
    fails("form.nope.deep", "`?.`");
    fails("form.empty && true", "true");
    fails("form.empty + 1", "null");
    fails("!form.empty", "null");
}

#[test]
fn documents_cannot_be_changed() {
    assert!(compile("form.area = 1").is_err());
    let script = Script::compile("input.rows = 1; input", "x").expect("compiles");
    assert!(
        script
            .run(scope().input, &scope(), &Budget::default())
            .is_err()
    );
}

#[test]
fn expressions_have_no_statements_loops_and_functions() {
    for source in [
        "let x = 1; x",
        "for x in form.tags { x }",
        "while true {}",
        "loop {}",
        "do { 1 } while true",
        "|x| x",
        "form.tags.map(|x| x)",
        "fn f() { 1 }",
        "{ 1 }",
        "1; 2",
        "import \"x\" as y",
        "eval(\"1\")",
        "Fn(\"f\")",
        "print(1)",
        "timestamp()",
        "sleep(1)",
        "this",
        "nope",
        "forms.area",
        "'approved'",
    ] {
        let error = compile(source).expect_err(source);
        assert!(error.at.end <= source.len(), "{source}: {error:?}");
    }
}

#[test]
fn errors_have_exact_places() {
    let cases = [
        ("form.name == \"公租房\" && nope", "nope"),
        ("form.name == 'approved'", "'"),
        ("`公租房` + nope.x", "nope"),
        ("form.name == \"公租房\" && form.case", "case"),
        ("form.name == \"公租房\" && eval(\"1\")", "eval"),
    ];
    for (source, place) in cases {
        let error = compile(source).expect_err(source);
        assert_eq!(
            source.get(error.at.clone()),
            Some(place),
            "{source}: {error:?}"
        );
    }
    let error = compile("form.case").expect_err("a keyword");
    assert_eq!(error.help.as_deref(), Some("write `form[\"case\"]`"));
    let running = compile("\"公租房\" == form.name || form.members.nope()").expect("compiles");
    let error = running
        .eval(&scope(), &Budget::default())
        .expect_err("no such function");
    assert_eq!(error.at.map(|at| &running.source()[at]), Some("nope"));
}

#[test]
fn reads_name_variables_and_properties() {
    let expression = compile(
        "`${workflow.number}:${steps.vet?.trace.len()} \\${no} ${`in ${link.number}`}` + form.a[steps.skipped] + \
         #{form: params.basis(\"noticeDays\"), x: params.totalDays} /* context.x */ + #\"runtime.x\\\"# + secrets.key + \"form.z\"",
    )
    .expect("compiles");
    let found: Vec<String> = expression
        .reads()
        .iter()
        .map(|read| {
            let parts: Vec<String> = read
                .path
                .iter()
                .map(|part| format!("{}{}", if part.optional { "?." } else { "." }, part.name))
                .collect();
            format!("{}{}", read.root, parts.concat())
        })
        .collect();
    assert_eq!(
        found,
        [
            "workflow.number",
            "steps.vet?.trace",
            "link.number",
            "form.a",
            "steps.skipped",
            "params.noticeDays",
            "params.totalDays",
            "secrets.key",
        ]
    );
    assert_eq!(expression.steps(), ["vet", "skipped"]);
    assert!(expression.reads_secrets());
}

fn run(source: &str) -> Result<Value, String> {
    Script::compile(source, "test.rhai")
        .map_err(|error| format!("{source}: {error}"))
        .expect("the source compiles")
        .run(scope().input, &scope(), &Budget::for_scripts())
        .map_err(|error| error.message)
}

#[test]
fn rule_files_have_statements() {
    let source = r#"
        let found = [];
        for (row, at) in input.rows {
            if row.n > 2 { found.push(error(`rows[${at}].n`, "过大")); }
            if row.tags.is_empty() { found.push(warn(`rows[${at}].tags`, "空")); }
        }
        found
    "#;
    assert_eq!(
        run(source),
        Ok(value!([
            {"level": "error", "field": "rows[0].n", "text": "过大"},
            {"level": "warn", "field": "rows[1].tags", "text": "空"}
        ]))
    );
    let fields = "for key in input { key }";
    assert!(Script::compile(fields, "x").is_ok());
    assert_eq!(
        run("let keys = []; for key in input { keys.push(key); } keys"),
        Ok(value!(["outcome", "comment", "rows"]))
    );
    assert_eq!(
        run("input.rows.filter(|row| row.n > 2).pluck(\"id\")"),
        Ok(value!(["1"]))
    );
    assert_eq!(run("input.rows.map(|row| row.n * 2)"), Ok(value!([6, 2])));
    assert_eq!(
        run("input.rows.some(|row| row.n > 2) && !input.rows.all(|row| row.n > 2)"),
        Ok(Value::Bool(true))
    );
    assert_eq!(
        run("let x = #{a: 1}; x.b = [x]; x"),
        Ok(value!({"a": 1, "b": [{"a": 1}]}))
    );
    assert_eq!(
        run("switch input.outcome { \"approved\" => 1, _ => 2 }"),
        Ok(Value::Int(1))
    );
}

#[test]
fn rule_files_see_input_only() {
    for source in ["form.a", "params.x", "steps.vet", "secrets.key"] {
        assert!(Script::compile(source, "x").is_err(), "{source}");
    }
}

#[test]
fn check_digits_are_known_to_rules() {
    let truths = [
        "resident_id_ok(\"990000199001010017\")",
        "resident_id_ok(\"99000019900101005X\")",
        "resident_id_ok(\"990000200002290028\")",
        "!resident_id_ok(\"990000199001010018\")",
        "!resident_id_ok(\"990000200102290028\")",
        "!resident_id_ok(())",
        "uscc_ok(\"91990000MA0000015Q\")",
        "uscc_ok(\"52990000MJ0000018K\")",
        "uscc_ok(\"91990000MA00004100\")",
        "!uscc_ok(\"91990000MA0000015R\")",
        "!uscc_ok(\"9199000IMA0000015Q\")",
        "organisation_code_ok(\"MA000001-5\")",
        "organisation_code_ok(\"ABCD1234-X\")",
        "organisation_code_ok(\"MA000009-0\")",
        "organisation_code_ok(\"D2143569X\")",
        "!organisation_code_ok(\"D2143569-1\")",
        "!organisation_code_ok(\"\")",
    ];
    for source in truths {
        assert_eq!(run(source), Ok(Value::Bool(true)), "{source}");
    }
}

#[test]
fn a_wrong_rule_file_names_the_place() {
    let source = "// 资格\nlet a = \"公租房\"; let b = nope;\n";
    let error = Script::compile(source, "x").expect_err("an unknown variable");
    assert_eq!(&source[error.at], "nope");
    let source = "// 资格\nlet a = \"公租房\"; input.nope.deep";
    let error = Script::compile(source, "x")
        .expect("compiles")
        .run(scope().input, &scope(), &Budget::for_scripts())
        .expect_err("null has no properties");
    assert_eq!(
        error.at.map(|at| &source[at]),
        Some("deep"),
        "{}",
        error.message
    );
}

fn as_process(source: &str, locals: Vec<(String, Value)>) -> Value {
    let script = Script::compile_process(None, source, "the script").expect("compiles");
    let scope = Scope {
        locals,
        ..Scope::default()
    };
    script
        .run(value!({"n": 1}), &scope, &Budget::for_scripts())
        .expect("runs")
}

#[test]
fn a_script_that_is_run_as_a_process_gives_what_it_printed() {
    assert_eq!(
        as_process(
            "print(\"a\"); print(input); debug(\"e\"); print(2); input.n + 1",
            Vec::new()
        ),
        value!({"value": 2, "stdout": "a\n{\"n\":1}\n2", "stderr": "\"e\""})
    );
    let thrown = as_process("print(1); throw \"no\"", Vec::new());
    assert_eq!(thrown.text("stdout"), Some("1"));
    assert!(
        thrown
            .text("error")
            .is_some_and(|error| error.contains("no"))
    );
    assert_eq!(thrown.get("value"), None);
}

#[test]
fn a_script_sees_what_its_process_is_given() {
    let source = "[arguments.len(), arguments[0], stdin, environment.A, environment?.B]";
    let given = vec![
        ("arguments".to_owned(), value!(["x", 2])),
        ("stdin".to_owned(), Value::from("in")),
        ("environment".to_owned(), value!({"A": "a"})),
    ];
    assert_eq!(
        as_process(source, given).get("value"),
        Some(&value!([2, "x", "in", "a", null]))
    );
    assert_eq!(
        as_process("[arguments, stdin, environment]", Vec::new()).get("value"),
        Some(&value!([[], null, {}]))
    );
    assert!(Expression::compile(Language::Rhai, "arguments", &[]).is_err());
    assert!(Expression::compile(Language::Rhai, "print(1)", &[]).is_err());
}
