//! The shipped packs are read and checked without a single fault.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tongban_runtime::functions::Functions;
use tongban_runtime::pack::{FileDiagnostic, Library, Pack};

fn packs_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows")
}

fn gather(folder: &Path, root: &Path, files: &mut BTreeMap<String, Arc<str>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, root, files);
        } else {
            let inside = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            files.insert(inside, Arc::from(fs::read_to_string(&path).unwrap()));
        }
    }
}

fn shipped() -> (Library, Vec<FileDiagnostic>) {
    let mut packs = Vec::new();
    let mut found = Vec::new();
    for entry in fs::read_dir(packs_folder()).unwrap() {
        let folder = entry.unwrap().path();
        let mut files = BTreeMap::new();
        gather(&folder, &folder, &mut files);
        let read = Pack::read(files);
        found.extend(read.diagnostics);
        packs.extend(read.pack);
    }
    (Library::new(packs).unwrap(), found)
}

fn functions() -> Functions {
    Functions::new(&[tongban_register::plugin(), tongban_catalogue::plugin()])
}

fn told(found: &[FileDiagnostic]) -> String {
    let line = |one: &FileDiagnostic| {
        let span = one.diagnostic.span;
        let help = one.diagnostic.help.as_deref().unwrap_or_default();
        format!(
            "{}:{}:{} {} {} ({help})",
            one.file, span.line, span.column, one.diagnostic.code, one.diagnostic.message
        )
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_pack_checks_without_an_error() {
    let (library, mut found) = shipped();
    assert_eq!(library.packs().count(), 4);
    for pack in library.packs() {
        let of_pack = library.check(pack, &functions());
        found.extend(of_pack.into_iter().map(|one| FileDiagnostic {
            file: format!("{}/{}", pack.name(), one.file),
            ..one
        }));
    }
    assert!(found.is_empty(), "{}", told(&found));
}

#[test]
fn a_bundle_holds_what_its_workflow_reaches_and_nothing_else() {
    let (library, _) = shipped();
    let (pack, workflow) = library.workflow("sharing/apply").unwrap();
    let bundle = library.bundle(pack, workflow);
    let names: Vec<&str> = bundle.files.keys().map(String::as_str).collect();
    for wanted in [
        "workflows/apply.yaml",
        "forms/application.yaml",
        "mails/granted.zh-CN.md",
        "mails/refused.en.md",
        "pack.json",
    ] {
        assert!(names.contains(&wanted), "{wanted} is missing in {names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("tests/")
        || name.starts_with("samples/")
        || *name == "forms/dispute.yaml"));
}

#[test]
fn functions_of_catalogues_are_checked_and_bundled_with_what_they_call() {
    let text = |text: &str| -> Arc<str> { Arc::from(text) };
    let workflow = "document: { dsl: '1.0.3', namespace: lib, name: use, version: '1.0.0' }
use: { catalogs: { site: { endpoint: pack://catalogs/site } } }
do:
  - a: { call: 'outer:1.0.0@site', with: { n: 1 } }
";
    let outer = "do: [{ b: { call: 'inner:2.0.0@default' } }, { c: { run: { script: { language: rhai, source: { endpoint: pack://rules/x.rhai } } } } }]";
    let files = |workflow: &str| {
        BTreeMap::from([
            (
                "pack.yaml".to_string(),
                text("pack: lib\nversion: 1.0.0\ntitle: { zh-CN: 库, en: Library }\n"),
            ),
            ("workflows/use.yaml".to_string(), text(workflow)),
            (
                "catalogs/site/functions/outer/1.0.0/function.yaml".to_string(),
                text(outer),
            ),
            (
                "catalogs/default/functions/inner/2.0.0/function.yaml".to_string(),
                text("set: { n: '${ .n }' }"),
            ),
            (
                "catalogs/site/functions/other/1.0.0/function.yaml".to_string(),
                text("set: { n: 1 }"),
            ),
            ("rules/x.rhai".to_string(), text("input.n")),
        ])
    };
    let library = Library::new(vec![Pack::read(files(workflow)).pack.unwrap()]).unwrap();
    let (pack, reached) = library.workflow("lib/use").unwrap();
    let found = library.check(pack, &functions());
    assert!(found.is_empty(), "{}", told(&found));
    let bundle = library.bundle(pack, reached);
    let names: Vec<&str> = bundle.files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "catalogs/default/functions/inner/2.0.0/function.yaml",
            "catalogs/site/functions/outer/1.0.0/function.yaml",
            "pack.json",
            "rules/x.rhai",
            "workflows/use.yaml",
        ]
    );
    let wrong = workflow.replace("outer:1.0.0@site", "outer:3.0.0@site");
    let library = Library::new(vec![Pack::read(files(&wrong)).pack.unwrap()]).unwrap();
    let (pack, _) = library.workflow("lib/use").unwrap();
    let found = told(&library.check(pack, &functions()));
    assert!(
        found.contains("no function `outer` of the version 3.0.0")
            && found.contains("`outer:1.0.0@site`"),
        "{found}"
    );
}

#[test]
fn an_edited_file_gives_another_digest_and_the_same_files_the_same() {
    let (library, _) = shipped();
    let (pack, workflow) = library.workflow("housing/vetting").unwrap();
    let digest = library.bundle(pack, workflow).digest;
    assert_eq!(digest, library.bundle(pack, workflow).digest);
    let mut edited = pack.clone();
    let rule = edited
        .files
        .get("rules/eligibility.rhai")
        .unwrap()
        .replace("\"<\"", "\"<=\"");
    edited
        .files
        .insert("rules/eligibility.rhai".to_string(), Arc::from(rule));
    assert_ne!(digest, library.bundle(&edited, workflow).digest);
}

#[test]
fn packs_that_require_each_other_are_refused() {
    let pack = |name: &str, other: &str| {
        let head = format!(
            "pack: {name}\nversion: 1.0.0\ntitle: {{ zh-CN: 甲, en: A }}\nrequires: {{ packs: {{ {other}: '^1' }} }}\n"
        );
        Pack::read(BTreeMap::from([("pack.yaml".to_string(), Arc::from(head))]))
            .pack
            .unwrap()
    };
    let error = Library::new(vec![pack("one", "two"), pack("two", "one")])
        .err()
        .unwrap();
    assert!(
        error.contains("circle") && error.contains("one") && error.contains("two"),
        "{error}"
    );
}
