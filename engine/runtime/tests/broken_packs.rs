//! Packs as their authors break them: every fault of every file is told at once, each at its place, with a way out.
//!
//! `UPDATE_EXPECT=1` writes the answers anew; read them as their author would.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::expect_file;
use tongban_dsl::render;
use tongban_org::{Organisation, OrganisationFile};
use tongban_runtime::functions::Functions;
use tongban_runtime::pack::{FileDiagnostic, Library, Pack};

fn functions() -> Functions {
    Functions::new(&[tongban_register::plugin(), tongban_catalogue::plugin()])
}

/// Everything that is said of a pack, file by file.
fn checked(files: &[(&str, &str)]) -> Vec<FileDiagnostic> {
    checked_for(files, None)
}

fn checked_for(files: &[(&str, &str)], organisation: Option<&Organisation>) -> Vec<FileDiagnostic> {
    let texts: BTreeMap<String, Arc<str>> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), Arc::from(*text)))
        .collect();
    let read = Pack::read(texts);
    let mut found = read.diagnostics;
    let library = Library::new(read.pack.or(read.draft).into_iter().collect()).unwrap();
    for pack in library.packs() {
        found.extend(library.check_for(pack, &functions(), organisation));
    }
    found
}

fn shown(found: &[FileDiagnostic]) -> String {
    let mut by_file: BTreeMap<&str, (Arc<str>, Vec<tongban_dsl::Diagnostic>)> = BTreeMap::new();
    for one in found {
        let entry = by_file
            .entry(&one.file)
            .or_insert_with(|| (Arc::clone(&one.source), Vec::new()));
        entry.1.push(one.diagnostic.clone());
    }
    by_file
        .into_iter()
        .map(|(path, (source, diagnostics))| {
            let diagnostics = tongban_dsl::in_order(diagnostics);
            render::text(
                &render::Report {
                    path,
                    source: &source,
                    diagnostics: &diagnostics,
                },
                false,
            )
        })
        .collect()
}

const HEAD: &str = "pack: sharing\nversion: 1.0.0\ntitle: { zh-CN: 共享, en: Sharing }\nlanguages: [zh-CN, en]\nroles: { data-office: 业务处室 }\ncodes: { purpose: { work: 工作参考 } }\n";
const WORKFLOW: &str = "document: { dsl: '1.0.3', namespace: sharing, name: apply, version: '1.0.0' }\nevaluate: { language: rhai }\n";

fn golden(name: &str, files: &[(&str, &str)]) {
    told(name, &checked(files));
}

fn told(name: &str, found: &[FileDiagnostic]) {
    assert!(!found.is_empty(), "{name}");
    for one in found {
        assert!(
            one.diagnostic.help.is_some(),
            "no way out: {}",
            one.diagnostic.message
        );
    }
    let path = format!("broken_packs/{name}.txt");
    expect_file![
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(path)
    ]
    .assert_eq(&shown(found));
}

#[test]
fn a_head_with_many_faults() {
    let head = "pack: sharing
version: 1.0
titel: { zh-CN: 共享, en: Sharing }
requires: { packs: { catalog: '^1.0' }, plugin: [mail] }
languages: zh-CN
roles: [data-office]
rights:
  - { role: data-ofice, may: [strat], of: [aply], over: all }
  - { role: '*', may: [view], of: ['*'] }
codes: { purpose: { work: 工作参考 } }
samples: [{ register: catalogue, file: samples/resource.yaml }]
x-note: ours
";
    let workflow = format!("{WORKFLOW}do:\n  - a: {{ set: {{ x: '${{ form.a. }}' }} }}\n");
    golden(
        "head",
        &[
            ("pack.yaml", head),
            ("workflows/apply.yaml", &workflow),
            ("samples/resources.yaml", "- { id: 1 }\n"),
        ],
    );
}

#[test]
fn a_head_that_is_not_there() {
    golden("no-head", &[("workflows/apply.yaml", "do: []\n")]);
}

#[test]
fn references_of_a_head() {
    let head = format!(
        "{HEAD}requires: {{ packs: {{ catalogue: '^1.0' }} }}\nrights:\n  - {{ role: data-ofice, may: [start], of: [aply, '*'], over: all }}\nsamples: [{{ register: grant, file: samples/grant.yaml }}, {{ register: grants, file: samples/one.yaml }}]\n"
    );
    golden(
        "head-references",
        &[
            ("pack.yaml", &head),
            (
                "workflows/apply.yaml",
                &format!("{WORKFLOW}do: [{{ a: {{ set: {{ x: 1 }} }} }}]\n"),
            ),
            (
                "registers/grants.yaml",
                "register: grants\nkey: id\nschema: { type: object, properties: { id: { type: string } } }\n",
            ),
            ("samples/grants.yaml", "- { id: '1' }\n"),
            ("samples/one.yaml", "id: '1'\n"),
        ],
    );
}

#[test]
fn forms_registers_parameters_rules_and_templates() {
    let form = "type: object
required: [name, purpos]
properties:
  name: { type: text, title: 姓名 }
  purpose: { type: string, x-code: purposes, x-widgit: textarea }
  since: { type: date }
  choose: { type: string, x-choose: { register: grant, where: {}, label: id } }
x-check: rules/check.rhai
x-layout:
  - { group: 基本, field: [name], fields: [nam, purpose] }
";
    let register = "register: grants
titel: 授权
key: number
none: unknwon
personal: yes
schema: { type: object, properties: { id: { type: string }, name: { type: string } } }
rights: [{ rol: data-office, may: raed }]
";
    let sound = "register: houses
key: number
alternatives: [[name]]
schema: { type: object, properties: { id: { type: string }, name: { type: string } } }
";
    let parameters = "parameters:
  answerDays: { title: 时限, unit: 工作日, values: [{ from: 2016-9-5, value: 10, basis: 《办法》第十条, 第二款 }] }
  otherDays: { title: 时限, value: 5 }
";
    golden(
        "files",
        &[
            ("pack.yaml", HEAD),
            ("forms/application.yaml", form),
            ("forms/empty.yaml", ""),
            ("forms/list.yaml", "- a\n"),
            ("registers/grants.yaml", register),
            ("registers/houses.yaml", sound),
            (
                "registers/parcels.yaml",
                "register: parcels\nkey: id\nschema: { $ref: forms/aplication.yaml }\n",
            ),
            ("rules/parameters.yaml", parameters),
            ("rules/fit.rhai", "let a = input.;\na\n"),
            (
                "mails/granted.zh-CN.md",
                "---\nsubject: 已办\n---\n{{ data.x | dat }}\n",
            ),
            ("mails/refused.md", "---\nsubject: 不予\n---\n"),
        ],
    );
}

#[test]
fn figures_days_masks_and_the_names_in_rules() {
    let parameters = "parameters:
  incomeLine: { title: 收入线, unit: 元, values: [{ from: 2026/7/1, value: '30,000元' }] }
  share: { title: 比例, values: [{ from: 2026-01-01, value: 80% }, { from: 2026年7月1日, value: 0.9 }] }
  region: { title: 区划, values: [{ from: 2026-01-01, value: '110105' }, { from: '2026', value: 第3批 }] }
";
    let rule = "// rule(a, b, c, d, \"none\")
judge(input, [
    rule(\"income\", [\"fund\"], |s, f| max(s.fund.a, f.b), \"=<\", \"incomeline\"),
    rule(\"share\", [\"fund\"], |s, f| { s.fund.records.sum_by(\"a, b)\") }, \"about\", \"share\"),
    rule(\"other\", [\"fund\"], |s, f| 1, \"<\", input.name)
])
";
    let form = "type: object
properties:
  phone: { type: string, x-mask: mobile }
  name: { type: string, x-mask: nam }
  other: { type: string, x-mask: all }
  id: { type: string, x-mask: id }
";
    let workflow = format!(
        "{WORKFLOW}do:
  - a: {{ call: register.put, with: {{ register: grants, records: [{{ id: '1', nmae: x, status: live }}] }} }}
"
    );
    golden(
        "figures",
        &[
            ("pack.yaml", HEAD),
            ("forms/application.yaml", form),
            (
                "registers/grants.yaml",
                "register: grants\nkey: id\nadds: { status: { type: string } }\nschema: { type: object, properties: { id: { type: string }, name: { type: string } } }\n",
            ),
            ("rules/parameters.yaml", parameters),
            ("rules/fit.rhai", rule),
            ("workflows/apply.yaml", &workflow),
        ],
    );
}

#[test]
fn schemas_samples_notices_and_sources_of_rules() {
    let form = "type: object
title: 申请 #2
requierd: [name]
properties:
  name: { type: string, tilte: 姓名, x-en: 5 }
  kin: { type: array, items: { type: string, x-mask: name } }
  id: { anyOf: [{ type: string, x-mask: id }, { type: 'null' }] }
  who: { $ref: '#/defs/person' }
  note: { type string, x-help: 写明理由,不写编号 }
$defs: { person: { type: object } }
";
    let register = "register: cars
key: plate
schema: { type: object, properties: { plate: { type: strnig }, year: { type: integer, minimun: 1900 } } }
";
    let grants = "register: grants
key: id
schema: { type: object, properties: { id: { type: string }, until: { type: string, format: date } } }
";
    let workflow = format!(
        "{WORKFLOW}do:
  - look: {{ set: {{ household: {{ status: none }}, cars: {{ status: none }} }} }}
  - judged:
      input: {{ from: '#{{ sources: #{{ household: steps.look.household, vehicles: steps.look.cars }}, form: #{{}} }}' }}
      run: {{ script: {{ language: rhai, source: {{ endpoint: 'pack://rules/fit.rhai' }} }} }}
  - tell: {{ call: notice, with: {{ title: 公示, template: notices/result, data: {{ name: 张三 }}, due: {{ workingDays: 5 }} }} }}
"
    );
    let rule = "judge(input, [
    rule(\"home\", [\"household\", \"vehicels\"], |s, f| 1, \"<=\", \"limit\"),
    rule(\"tax\", [\"taxes\"], |s, f| 1, \"<=\", \"limit\")
])
";
    golden(
        "schemas",
        &[
            (
                "pack.yaml",
                &format!(
                    "{HEAD}samples: [{{ register: grants, file: samples/grants.yaml }}, {{ register: cars, file: samples/cars.yaml, at: cars }}]\n"
                )
                .replace("[zh-CN, en]", "[zh-CN]"),
            ),
            ("forms/application.yaml", form),
            ("registers/cars.yaml", register),
            ("registers/grants.yaml", grants),
            ("rules/fit.rhai", rule),
            (
                "rules/parameters.yaml",
                "parameters: { limit: { title: 上限, values: [{ from: 2026-01-01, value: 1 }] } }\n",
            ),
            (
                "samples/grants.yaml",
                "- { id: 1, until: 2026-01-31 }\n- { id: G2, until: 2026-02-31 }\n",
            ),
            ("samples/cars.yaml", "cars:\n  - { plate: 'A1' }\n   - { plate: 'A2' }\n"),
            ("workflows/apply.yaml", &workflow),
            (
                "notices/result.zh-CN.md",
                "{{ data.nmae }} 于 {{ notice.until | date }} 前可提出:{{ to.name }}、{{ workflow.url }}、{{ workflow.number }}\n",
            ),
        ],
    );
}

#[test]
fn what_cannot_be_read_is_not_missed_elsewhere() {
    let workflow = format!(
        "{WORKFLOW}do:
  - a: {{ call: approve, with: {{ to: [{{ role: data-office }}], reasons: {{ rejected: purpose }} }} }}
  - b: {{ call: register.find, with: {{ register: grants }} }}
"
    );
    golden(
        "unread",
        &[
            (
                "pack.yaml",
                "pack: sharing\nroles: { data-office 业务处室 }\ncodes： x\n",
            ),
            (
                "registers/grants-of-all.yaml",
                "register: grants   # all of them\nkey id\n",
            ),
            (
                "forms/a.yaml",
                "type: object\nproperties: { a: { type: string, x-code: purpose } }\n",
            ),
            ("workflows/apply.yaml", &workflow),
        ],
    );
}

#[test]
fn a_broken_workflow_is_still_there_for_the_others() {
    let broken = format!(
        "{WORKFLOW}do:\n  - a: {{ call: aprove, with: {{ to: [applicant] }}, then: }}\n  - b: {{ if: 'inpt.x', set: {{ x: 1 }} }}\n"
    );
    let other = "document: { dsl: '1.0.3', namespace: shared, name: other, version: '1.0.0' }
input: { schema: { document: { $ref: forms/faulty.yaml } } }
do:
  - a: { run: { workflow: { namespace: sharing, name: apply, version: '1.0.0' } } }
  - b: { call: approve, with: { to: [{ role: data-ofice }], form: forms/aplication.yaml, reasons: { rejected: purposes } } }
  - c: { call: notify, with: { to: [applicant], template: granted.md } }
";
    golden(
        "workflows",
        &[
            ("pack.yaml", HEAD),
            ("workflows/apply.yaml", &broken),
            ("workflows/other.yaml", other),
            (
                "forms/application.yaml",
                "type: object\nproperties: { a: { type: string } }\n",
            ),
            (
                "forms/faulty.yaml",
                "type: object\nproperties: { a： { type: string } }\n",
            ),
            ("mails/granted.zh-CN.md", "---\nsubject: 已办\n---\n好\n"),
            ("mails/granted.en.md", "---\nsubject: Done\n---\nFine\n"),
        ],
    );
}

#[test]
fn letters_name_what_they_are_given() {
    let form = "type: object\nproperties: { name: { type: string, title: 姓名 }, amount: { type: integer } }\n";
    let workflow = format!(
        "{WORKFLOW}input: {{ schema: {{ document: {{ $ref: forms/application.yaml }} }} }}
do:
  - office: {{ call: approve, with: {{ to: [{{ role: data-office }}] }} }}
  - tell: {{ call: notify, with: {{ to: [applicant], template: mails/granted, data: {{ comment: '${{ steps.office.comment }}', grant: {{ id: 1 }} }} }} }}
"
    );
    let letter = "---
subject: '[共享] {{ form.nmae }} 已办结'
---
{{ to.nama }}:您好!{{ workflow.numer }} 的结果是 {{ data.coment | outcom }},编号 {{ data.grant.id }},意见 {{ steps.offic.comment }}。
{% for one in data.grant %}{{ one.id | date }}{% endfor %}
{{ applicant.name }} {{ workflow.starter.unitt | unit }} {{ \"data.x | y\" }}
";
    golden(
        "letters",
        &[
            ("pack.yaml", &HEAD.replace("[zh-CN, en]", "[zh-CN]")),
            ("forms/application.yaml", form),
            ("workflows/apply.yaml", &workflow),
            ("mails/granted.zh-CN.md", letter),
        ],
    );
}

#[test]
fn titles_of_roles_in_both_languages() {
    let head = HEAD.replace(
        "roles: { data-office: 业务处室 }",
        "roles: { data-office: { zh-CN: 业务处室, en: Office }, data-leader: { zh: 分管领导, en: Leader }, clerk: { de: Amt } }",
    );
    let workflow = format!(
        "{WORKFLOW}do:
  - a: {{ call: approve, with: {{ to: [{{ role: data-office }}, {{ role: data-leader }}, {{ role: clerk }}, {{ role: 分管领导 }}] }} }}
"
    );
    golden(
        "roles",
        &[("pack.yaml", &head), ("workflows/apply.yaml", &workflow)],
    );
}

#[test]
fn members_of_an_organisation_that_is_known() {
    let settings = "zone: Asia/Shanghai
calendar: days
levels: [{ id: city, title: 市 }, { id: department, title: 部门 }]
units:
  - { id: city, name: 示范市, level: city }
  - { id: housing-bureau, name: 市住房保障中心, level: department, parent: city }
posts: [{ id: director, title: 主要负责人 }]
groups: [{ id: experts, title: 专家, members: [li-na] }]
people: [{ id: li-na, name: 李娜, unit: housing-bureau, posts: [director], heads: housing-bureau }]
";
    let settings = tongban_dsl::read_yaml(settings).0.unwrap();
    let settings: OrganisationFile = settings.to().unwrap();
    let days: Vec<tongban_org::CalendarFile> = vec![
        tongban_dsl::read_yaml("calendar: days\nyear: 2026\npublished: true\n")
            .0
            .unwrap()
            .to()
            .unwrap(),
    ];
    let organisation = Organisation::build(&settings, &days).unwrap();
    let workflow = format!(
        "{WORKFLOW}do:
  - a: {{ call: approve, with: {{ to: [{{ role: data-office, unit: 市住房保障中心 }}, {{ post: 主要负责人, unit: housing-burau }}, {{ user: lina }}, {{ group: expert }}, {{ head: city }}] }} }}
"
    );
    let files = [("pack.yaml", HEAD), ("workflows/apply.yaml", &workflow)];
    told("members", &checked_for(&files, Some(&organisation)));
    assert!(shown(&checked(&files)).is_empty(), "nobody is known");
}
