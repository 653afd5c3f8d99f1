//! `docs/*/diagnostics.md`: a page for each code, made from `codes.rs` and from what is said about the documents of
//! `mistakes/`. `UPDATE_EXPECT=1` writes them anew.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod pack;

use std::collections::BTreeMap;
use std::path::Path;

use expect_test::expect_file;
use pack::{Pack, documents};
use tongban_dsl::{codes, inspect, render};

/// For each code one diagnostic as `check` prints it.
fn samples() -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    for path in documents() {
        let source = std::fs::read_to_string(&path).unwrap();
        for fault in inspect(&source, &Pack).diagnostics {
            let short = source
                .lines()
                .nth(fault.span.line as usize - 1)
                .is_some_and(|line| line.chars().count() < 130);
            let text = || {
                let report = render::Report {
                    path: "apply.yaml",
                    source: &source,
                    diagnostics: std::slice::from_ref(&fault),
                };
                render::text(&report, false).trim_end().to_owned()
            };
            if short {
                found.entry(fault.code.id()).or_insert_with(text);
            }
        }
    }
    found
}

fn manual(language: &str) -> String {
    let chinese = language == "zh-CN";
    let samples = samples();
    let mut out = String::from(if chinese {
        "# 诊断\n\n`tongban check` 一次报出全部问题,每一条有固定的代码、位置和改法;`tongban explain 代码` 打印下面的一节。\n\
         输出有三种:`--format text`(缺省)、`json`、`sarif`(2.1.0)。没有错误时退出码为 0,有错误时为 2;警告不影响退出码。\n\n"
    } else {
        "# Diagnostics\n\n`tongban check` tells every fault at once, each with a stable code, its place and a way out; `tongban explain CODE` \
         prints one of the sections below.\nThere are three forms: `--format text` (the default), `json` and `sarif` (2.1.0). The exit code is 0 \
         without errors and 2 with errors; warnings do not change it.\n\n"
    });
    let families = [
        ("TB01", "Reading YAML", "读取 YAML"),
        ("TB02", "The shape of the document", "文档的形状"),
        ("TB03", "Tasks and flow", "任务与流向"),
        ("TB04", "Expressions", "表达式"),
        ("TB05", "Functions and their arguments", "函数与参数"),
        ("TB06", "What a document refers to", "文档引用的东西"),
        (
            "TB07",
            "Cases, clocks and people's work",
            "办件、时限与人的工作",
        ),
        ("TB08", "Time", "时间"),
        ("TB09", "Not performed", "不执行的部分"),
        ("TB10", "Packs", "包"),
    ];
    for (family, english, title) in families {
        out.push_str(&format!("## {}\n\n", if chinese { title } else { english }));
        for page in codes::PAGES
            .iter()
            .filter(|page| page.id.starts_with(family))
        {
            let (title, explanation) = page.said_in(language);
            out.push_str(&format!("### {}: {title}\n\n{explanation}\n\n", page.id));
            out.push_str(&format!("```text\n{}\n```\n\n", page.example));
            if let Some(sample) = samples.get(page.id) {
                out.push_str(&format!("```text\n{sample}\n```\n\n"));
            }
        }
    }
    out.trim_end().to_owned() + "\n"
}

#[test]
fn the_manual_has_a_page_for_every_code_in_both_languages() {
    for language in ["en", "zh-CN"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs")
            .join(language)
            .join("diagnostics.md");
        let text = manual(language);
        for page in codes::PAGES {
            assert!(text.contains(&format!("### {}: ", page.id)), "{}", page.id);
        }
        expect_file![path].assert_eq(&text);
    }
}

/// Every code is raised somewhere in the sources: one that nothing says any more is given up.
#[test]
fn every_code_is_said_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = String::new();
    for krate in ["dsl", "core", "runtime", "server"] {
        gather(&root.join(krate).join("src"), &mut sources);
    }
    let declared = include_str!("../src/codes.rs");
    let mut unsaid = Vec::new();
    for page in codes::PAGES {
        let name = declared
            .lines()
            .find(|line| line.contains(&format!("\"{}\"", page.id)))
            .and_then(|line| line.split_whitespace().next())
            .unwrap_or_default();
        if !sources.contains(&format!("codes::{name}")) {
            unsaid.push(page.id);
        }
    }
    assert!(unsaid.is_empty(), "{unsaid:?}");
}

fn gather(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sources.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
