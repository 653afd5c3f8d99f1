//! Register definitions: the packs' own are good, bad ones are named.

use std::fs;
use std::path::{Path, PathBuf};

use tongban_expr::{Value, value};
use tongban_plugin::{Authority, Demand, May, NoRecord, RegisterDefinition, Starter, is_index};

fn workflows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows")
}

fn definition(yaml: &str) -> RegisterDefinition {
    serde_yaml::from_str(yaml).expect("a readable register")
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[test]
fn the_registers_of_all_packs_are_good() {
    let mut seen = 0;
    for pack in fs::read_dir(workflows()).expect("the packs").flatten() {
        let Ok(files) = fs::read_dir(pack.path().join("registers")) else {
            continue;
        };
        for file in files.flatten() {
            let mut register = definition(&read(&file.path()).expect("a file"));
            let schema = |path: &str| serde_yaml::from_str(&read(&pack.path().join(path))?).ok();
            let script = |path: &str| read(&pack.path().join(path));
            register
                .resolve(&schema, &script)
                .expect("every file of the register");
            assert_eq!(register.faults(), Vec::new(), "{}", file.path().display());
            assert!(!register.fields().is_empty());
            seen += 1;
        }
    }
    assert!(seen >= 12, "{seen} registers");
}

#[test]
fn faults_say_where_and_what_to_do() {
    let good = "register: r\nkey: id\nschema: { type: object, properties: { id: { type: string }, name: { type: string }, unit: { type: string } } }\n";
    assert_eq!(definition(good).faults(), Vec::new());
    for (line, pointer, words) in [
        ("alternatives: [[name]]", "/alternatives/0", "a name alone"),
        (
            "alternatives: [[unit, name], [age, unit]]",
            "/alternatives/1",
            "no field `age`",
        ),
        (
            "authority: { age: police }",
            "/authority/age",
            "no field `age`",
        ),
        (
            "views: { 年龄: age.years }",
            "/views/年龄",
            "no field `age.years`",
        ),
        (
            "retention: { after: ended, years: 5 }",
            "/retention/after",
            "no field `ended`",
        ),
        ("stale: { days: 0 }", "/stale", "above 0"),
        ("retention: { after: id }", "/retention", "above 0"),
        (
            "adds: { no: { type: string, x-number: 'N{sequence}' } }",
            "/schema/properties/no/x-number",
            "{sequence}",
        ),
        ("fields: [a]", "/fields", "no `fields`"),
    ] {
        let faults = definition(&format!("{good}{line}\n")).faults();
        let [fault] = &faults[..] else {
            panic!("{line}: {faults:?}")
        };
        assert_eq!(fault.pointer, pointer);
        assert!(
            fault.message.contains(words) && !fault.help.is_empty(),
            "{fault:?}"
        );
    }
    assert_eq!(
        definition(&format!("{good}x-note: kept\n")).faults(),
        Vec::new()
    );
    let no_key = definition(&good.replace("key: id", "key: code"));
    assert_eq!(no_key.faults().len(), 1);
}

#[test]
fn what_cannot_be_read() {
    let good = "register: r\nkey: id\nschema: {}\n";
    for line in [
        "none: zero",
        "history: some",
        "covers: { from: 2010-01-01 }",
        "stale: { weeks: 1 }",
        "rights: [{ role: a, may: change }]",
        "rights: [{ may: read }]",
        "rights: [{ role: a, may: read, fields: id }]",
        "authority: { '*': '${ record }' }",
        "authority: { '*': '${ record.a + record.b }' }",
    ] {
        assert!(
            serde_yaml::from_str::<RegisterDefinition>(&format!("{good}{line}\n")).is_err(),
            "{line}"
        );
    }
}

#[test]
fn authority_and_keys_of_a_record() {
    let register = definition(
        "register: r\nkey: id\nmany: true\nnone: nothing\nalternatives: [[name, unit], [code]]\nauthority: { job: civil-affairs, '*': '${ record.unit }' }\nschema: { properties: {} }\n",
    );
    assert_eq!(register.none, NoRecord::Nothing);
    assert_eq!(
        register.authority.get("*"),
        Some(&Authority::Field("unit".to_owned()))
    );
    let body = value!({ "id": 7, "name": "a", "unit": "police", "code": "" });
    assert_eq!(register.authority_of("job", &body), Some("civil-affairs"));
    assert_eq!(register.authority_of("name", &body), Some("police"));
    let keys = register.keys_of(&body);
    assert_eq!(
        keys,
        [
            ("id".to_owned(), "7".to_owned()),
            ("name+unit".to_owned(), "a\u{1f}police".to_owned())
        ]
    );
    let given = [
        ("unit".to_owned(), value!("police")),
        ("name".to_owned(), value!("a")),
    ];
    assert_eq!(
        register.alternative(&given),
        Some(("name+unit".to_owned(), "a\u{1f}police".to_owned()))
    );
    assert_eq!(register.alternative(&given[..1]), None);
    assert_eq!(
        (
            register.row_id("7", 2).as_str(),
            definition("register: r\nkey: id\nschema: {}")
                .row_id("7", 2)
                .as_str()
        ),
        ("7#2", "7")
    );
}

#[test]
fn rights_by_workflow_role_and_function() {
    let register = definition(
        "register: r\nkey: id\nschema: {}\nrights: [{ role: '*', may: read }, { workflow: p/w, may: write }, { function: grant.issue, may: write }, { role: clerk, may: write }]\n",
    );
    let clerk = Starter {
        roles: vec!["clerk".to_owned()],
        ..Starter::default()
    };
    let nobody = Starter::default();
    for (workflow, function, starter, may, count) in [
        ("x/y", "register.get", &nobody, May::Read, 1),
        ("x/y", "register.put", &nobody, May::Write, 0),
        ("p/w", "register.get", &nobody, May::Read, 2),
        ("p/w", "register.put", &nobody, May::Write, 1),
        ("x/y", "grant.issue", &nobody, May::Write, 1),
        ("x/y", "register.put", &clerk, May::Write, 1),
    ] {
        let demand = Demand {
            workflow,
            function,
            starter,
            may,
        };
        assert_eq!(
            register.allowing(&demand).len(),
            count,
            "{workflow} {function}"
        );
    }
}

#[test]
fn a_definition_survives_the_store() {
    let yaml = read(&workflows().join("catalogue/registers/catalogue.yaml")).expect("a file");
    let register = definition(&yaml);
    let stored = Value::of(&register).expect("JSON").to_json();
    let again: RegisterDefinition = Value::from_json(&stored)
        .expect("JSON")
        .to()
        .expect("the definition");
    assert_eq!(again, register);
}

#[test]
fn indexed_fields_and_their_lookup_values() {
    let register = definition(
        "register: r\nkey: id\nalternatives: [[name, unit]]\nviews: { 类型: sharing.type }\nrights: [{ role: clerk, may: read, where: { grid: own-unit, id: own-unit } }]\nschema: { properties: { id: {}, name: {}, unit: {}, sharing: {}, grid: {}, note: {}, age: { type: integer, x-index: true }, tags: { type: array, x-index: true } } }\n",
    );
    assert_eq!(
        register.indexed(),
        ["age", "grid", "name", "sharing.type", "tags", "unit"]
    );
    let pointers: Vec<String> = register
        .faults()
        .into_iter()
        .map(|fault| fault.pointer)
        .collect();
    assert_eq!(pointers, ["/schema/properties/tags/x-index"]);

    let long = "长".repeat(100);
    let body = value!({ "id": "1", "name": (long.as_str()), "sharing": { "type": "open" }, "age": 7.0, "tags": ["a"] });
    let lookups = register.lookups_of(&body);
    let of = |name: &str| {
        let found = lookups.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(of("=age"), Some("7"), "7.0 is found by 7");
    assert_eq!(
        of("=grid"),
        Some("null"),
        "what is not there is found as null"
    );
    assert_eq!(of("=sharing.type"), Some("\"open\""));
    assert_eq!(of("=name"), None, "a long text would outgrow the index");
    assert_eq!(of("=tags"), None);
    assert_eq!(of("=note"), None, "it is not indexed");
    assert!(
        lookups
            .iter()
            .all(|(name, _)| is_index(name) || name == "name+unit")
    );

    let many = definition("register: r\nkey: id\nmany: true\nschema: { properties: { id: {} } }\n");
    assert_eq!(many.indexed(), ["id"]);
}
