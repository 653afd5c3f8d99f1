//! That the manual is whole: what the program takes (options, addresses, settings, members, keywords, metrics) stands in
//! it, and what stands in it exists; and that both languages say the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use tongban_tests::{binary, root};

const LANGUAGES: [&str; 2] = ["en", "zh-CN"];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the pages, the same in both languages.
fn pages() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("docs/en"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// All pages of a language as one text.
fn manual(language: &str) -> String {
    let texts = pages()
        .into_iter()
        .map(|name| read(&format!("docs/{language}/{name}")));
    texts.collect::<Vec<_>>().join("\n")
}

/// The words of a text that consist of these characters.
fn words(text: &str, belongs: impl Fn(char) -> bool) -> BTreeSet<String> {
    text.split(|letter| !belongs(letter))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The words of what stands in code: spans and blocks.
fn coded(text: &str) -> BTreeSet<String> {
    let spans: String = text
        .split('`')
        .skip(1)
        .step_by(2)
        .collect::<Vec<_>>()
        .join(" ");
    let blocks: Vec<&str> = text.split("```").skip(1).step_by(2).collect();
    words(&[spans, blocks.join(" ")].join(" "), |letter| {
        letter.is_ascii_alphanumeric() || "-_".contains(letter)
    })
}

/// What of `wanted` is not among the words of a page, in either language.
fn lacking(page: &str, wanted: &BTreeSet<String>) -> Vec<String> {
    let lacks = LANGUAGES.into_iter().flat_map(|language| {
        let path = format!("docs/{language}/{page}");
        let found = coded(&read(&path));
        let missing = wanted.iter().filter(move |word| !found.contains(*word));
        missing
            .map(|word| format!("{path}: {word}"))
            .collect::<Vec<_>>()
    });
    lacks.collect()
}

fn assert_none(missing: &[String]) {
    assert!(missing.is_empty(), "{missing:#?}");
}

fn help(command: &[&str]) -> String {
    let output = Command::new(binary())
        .args(command)
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success(), "tongban {command:?} --help");
    String::from_utf8(output.stdout).unwrap()
}

/// The long options of a text: `--fast-forward`.
fn options(text: &str) -> BTreeSet<String> {
    let all = words(text, |letter| {
        letter.is_ascii_alphanumeric() || letter == '-'
    });
    all.into_iter()
        .filter(|word| {
            word.strip_prefix("--")
                .is_some_and(|name| name.starts_with(|first: char| first.is_ascii_lowercase()))
        })
        .collect()
}

const COMMANDS: &[&[&str]] = &[
    &["demo"],
    &["serve"],
    &["check"],
    &["run"],
    &["test"],
    &["draw"],
    &["explain"],
    &["user", "password"],
    &["user", "list"],
    &["key", "add"],
    &["key", "list"],
    &["key", "remove"],
    &["verify"],
    &["verify"],
];

#[test]
fn every_command_and_option_is_in_the_manual() {
    let top = help(&[]);
    let listed = top.split("Commands:").nth(1).unwrap();
    let listed = listed.split("Options:").next().unwrap();
    for line in listed.lines().filter(|line| !line.trim().is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        let known = COMMANDS
            .iter()
            .any(|command| command.first() == Some(&name));
        assert!(known || name == "help", "`{name}` is not in this test");
    }
    for language in LANGUAGES {
        let page = read(&format!("docs/{language}/operating.md"));
        let rows: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("| `tongban "))
            .collect();
        let mut missing = Vec::new();
        for command in COMMANDS {
            let name = format!("`tongban {}", command.join(" "));
            let Some(row) = rows.iter().find(|row| row.contains(&name)) else {
                missing.push(format!("{language}: {command:?}"));
                continue;
            };
            let told = options(row);
            let wanted = options(&help(command));
            let lacks = wanted
                .iter()
                .filter(|option| *option != "--help" && !told.contains(*option));
            missing.extend(lacks.map(|option| format!("{language}: {command:?} {option}")));
        }
        assert_none(&missing);
    }
}

#[test]
fn every_option_of_the_manual_exists() {
    let known: BTreeSet<String> = COMMANDS
        .iter()
        .flat_map(|command| options(&help(command)))
        .collect();
    for language in LANGUAGES {
        let text = [manual(language), read("README.md"), read("README.zh-CN.md")].concat();
        for line in text.lines().filter(|line| line.contains("tongban ")) {
            // What follows on the line may belong to another program.
            let ours = line.split("tongban ").skip(1);
            for part in ours.flat_map(|part| part.split(['|', ')', '`', '#', ';']).next()) {
                for option in options(part) {
                    assert!(known.contains(&option), "{language}: {option} in {line}");
                }
            }
        }
    }
}

#[test]
fn every_address_of_the_api_is_in_the_manual() {
    let document: serde_json::Value =
        serde_json::from_str(tongban_server::api::document::text(true)).unwrap();
    let paths = document.get("paths").unwrap().as_object().unwrap();
    assert!(paths.len() > 30);
    for language in LANGUAGES {
        let page = read(&format!("docs/{language}/integrating.md"));
        let console = read(&format!("docs/{language}/console.md"));
        let mut missing = Vec::new();
        for path in paths.keys() {
            // Neighbours of an address are given by their end: `…/suspend`.
            let end = path.rsplit_once('}').map_or("", |(_, end)| end);
            let short = format!("`…{end}`");
            let told = [&page, &console]
                .iter()
                .any(|text| text.contains(path.as_str()))
                || (!end.is_empty() && page.contains(&short));
            if !told {
                missing.push(format!("{language}: {path}"));
            }
        }
        assert_none(&missing);
        let known: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
        for span in page.split('`').skip(1).step_by(2) {
            let words = span.split([' ', '?']);
            for path in words.filter(|word| word.starts_with("/api/v1/") && !word.ends_with('s')) {
                let generic = ["seal", "cookbook"].iter().any(|pack| path.contains(pack));
                assert!(generic || known.contains(path), "{language}: {path}");
            }
        }
    }
}

#[test]
fn every_scope_right_and_problem_is_in_the_manual() {
    let scopes = tongban_server::security::key::Scope::NAMES
        .iter()
        .map(|(name, _)| (*name).to_owned());
    assert_none(&lacking("integrating.md", &scopes.collect()));
    let source = read("engine/server/src/problem.rs");
    let kinds = source
        .split("StatusCode::")
        .skip(1)
        .filter_map(|after| after.split(';').next())
        .filter_map(|call| call.split('"').nth(1))
        .filter(|word| {
            word.chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '-')
        });
    let kinds: BTreeSet<String> = kinds.map(str::to_owned).collect();
    assert!(kinds.len() > 8, "{kinds:?}");
    assert_none(&lacking("integrating.md", &kinds));
    let rights = tongban_org::Function::NAMES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_none(&lacking("operating.md", &rights));
}

/// `bodyBytes` of `body_bytes`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let (initial, rest) = part.split_at(1);
        [name, initial.to_uppercase(), rest.to_owned()].concat()
    })
}

/// The members that a file of settings may have: the public fields of the structs that are read from it.
fn fields(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut reads = false;
    let mut skipped = false;
    let mut renamed = None;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[derive") {
            reads = line.contains("Deserialize");
        }
        if line.starts_with("#[serde(") {
            skipped |= line.contains("skip)") || line.contains("flatten");
            renamed = line
                .split_once("rename = \"")
                .and_then(|(_, rest)| rest.split('"').next())
                .map(str::to_owned)
                .or(renamed);
        }
        let name = line
            .strip_prefix("pub ")
            .and_then(|line| line.split_once(": "))
            .map(|(name, _)| name)
            .filter(|name| {
                name.chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter == '_')
            });
        if let Some(name) = name {
            if reads && !skipped {
                found.insert(renamed.take().unwrap_or_else(|| camel(name)));
            }
            (skipped, renamed) = (false, None);
        }
        if line == "}" {
            (reads, skipped, renamed) = (false, false, None);
        }
    }
    found
}

#[test]
fn every_setting_is_in_the_manual() {
    for (file, least) in [
        ("engine/server/src/config.rs", 20),
        ("engine/server/src/config/mail.rs", 8),
        ("engine/server/src/config/events.rs", 6),
        ("plugins/process/src/settings.rs", 10),
        ("plugins/http/src/connectors.rs", 14),
        ("engine/org/src/settings.rs", 20),
        ("engine/org/src/calendar.rs", 9),
    ] {
        let members = fields(&read(file));
        assert!(members.len() >= least, "{file}: {members:?}");
        assert_none(&lacking("operating.md", &members));
    }
}

#[test]
fn the_sample_of_the_settings_is_read_as_it_stands() {
    let site = tempfile::tempdir().unwrap();
    let config = site.path().join("config");
    fs::create_dir_all(&config).unwrap();
    let sample = read("config/tongban.yaml");
    let is_setting = |line: &str| {
        let rest = line.trim_start();
        let name: String = rest
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let after = rest.get(name.len()..).unwrap_or_default();
        !name.is_empty() && (after.starts_with(": ") || after == ":")
    };
    let set: Vec<&str> = sample
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| is_setting(line))
        .collect();
    assert!(set.len() > 25, "{set:#?}");
    fs::write(config.join("tongban.yaml"), set.join("\n")).unwrap();
    let read = tongban_server::Config::load(site.path());
    assert!(read.is_ok(), "{}", read.unwrap_err());
}

#[test]
fn every_member_of_a_packs_files_is_in_the_manual() {
    let shapes: serde_json::Value =
        serde_yaml::from_str(&read("engine/runtime/src/pack/files.yaml")).unwrap();
    let mut members = BTreeSet::new();
    for file in ["pack", "register", "parameters"] {
        collect_members(shapes.get(file).unwrap(), &mut members);
    }
    for part in ["right", "sample", "registerRight", "dated"] {
        collect_members(
            shapes.pointer(&format!("/$defs/{part}")).unwrap(),
            &mut members,
        );
    }
    assert!(members.len() > 40, "{members:?}");
    assert_none(&lacking("packs.md", &members));
    let source = read("engine/runtime/src/pack/check/schemas.rs");
    let keywords = source
        .split("const KEYWORDS")
        .nth(1)
        .and_then(|rest| rest.split("];").next())
        .unwrap();
    let keywords: BTreeSet<String> = keywords
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|keyword| !["x-refusal", "x-warn", "x-accept"].contains(keyword))
        .map(str::to_owned)
        .collect();
    assert!(keywords.len() > 10, "{keywords:?}");
    assert_none(&lacking("packs.md", &keywords));
}

/// The names of the properties of a schema and of those below it.
fn collect_members(schema: &serde_json::Value, into: &mut BTreeSet<String>) {
    let properties = schema.get("properties").and_then(|all| all.as_object());
    for (name, member) in properties.into_iter().flatten() {
        into.insert(name.clone());
        collect_members(member, into);
    }
    if let Some(more) = schema
        .get("additionalProperties")
        .filter(|more| more.is_object())
    {
        collect_members(more, into);
    }
}

#[test]
fn every_member_of_metadata_is_in_the_manual() {
    let source = read("engine/dsl/src/parse/metadata.rs");
    let mut members = BTreeSet::new();
    for list in ["DOCUMENT", "TASK", "CLOCK"] {
        let names = source
            .split(&format!("const {list}: &[&str] = &["))
            .nth(1)
            .and_then(|rest| rest.split("];").next())
            .unwrap_or_else(|| panic!("{list} is not there"));
        members.extend(names.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    assert!(members.len() > 15, "{members:?}");
    assert_none(&lacking("authoring.md", &members));
}

#[test]
fn every_metric_is_in_the_manual_and_back() {
    let sources = ["counters", "health"]
        .map(|name| read(&format!("engine/server/src/{name}.rs")))
        .concat();
    let name = |text: &str| -> BTreeSet<String> {
        words(text, |letter| letter.is_ascii_lowercase() || letter == '_')
            .into_iter()
            .filter(|word| word.starts_with("tongban_"))
            .collect()
    };
    let made = name(&sources);
    assert!(made.len() > 12, "{made:?}");
    for language in LANGUAGES {
        assert_eq!(
            made,
            name(&read(&format!("docs/{language}/operating.md"))),
            "{language}"
        );
    }
}

#[test]
fn every_code_that_a_page_names_exists() {
    let mut named = 0;
    let own = ["README.md", "README.zh-CN.md", "ARCHITECTURE.md"].map(read);
    for text in LANGUAGES.map(manual).into_iter().chain(own) {
        for code in words(&text, |letter| letter.is_ascii_alphanumeric()) {
            let number = code.strip_prefix("TB").filter(|rest| rest.len() == 4);
            if number.is_some_and(|rest| rest.chars().all(|letter| letter.is_ascii_digit())) {
                assert!(tongban_dsl::codes::explain(&code).is_some(), "{code}");
                named += 1;
            }
        }
    }
    assert!(named > 200, "{named}");
}

/// The anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

#[test]
fn links_lead_to_headings_that_are_there() {
    let mut followed = 0;
    for language in LANGUAGES {
        for name in pages() {
            let text = read(&format!("docs/{language}/{name}"));
            for target in text
                .split("](")
                .skip(1)
                .filter_map(|part| part.split(')').next())
            {
                let Some((page, place)) = target.split_once('#') else {
                    continue;
                };
                if !page.is_empty() && !page.ends_with(".md") {
                    continue;
                }
                let page = if page.is_empty() { &name } else { page };
                let there = read(&format!("docs/{language}/{page}"));
                let mut headings = there.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|heading| anchor(heading) == place),
                    "{language}/{name}: {target}"
                );
                followed += 1;
            }
        }
    }
    assert!(followed > 30, "{followed}");
}

/// Whether a word in capitals stands for something, as in `--filter TEXT`: those are in the page's language.
fn has_placeholder(span: &str) -> bool {
    span.split(|letter: char| !letter.is_ascii_alphabetic())
        .any(|word| word.len() > 3 && word.chars().all(|letter| letter.is_ascii_uppercase()))
}

/// What stands in code in the first column of a page's tables, in order; words of a language left out.
fn first_columns(text: &str) -> Vec<String> {
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.replace("\\|", "/").split('|').nth(1).map(str::to_owned));
    cells
        .flat_map(|cell| {
            let spans = cell.split('`').skip(1).step_by(2).map(str::to_owned);
            spans.collect::<Vec<_>>()
        })
        .filter(|span| span.is_ascii() && !has_placeholder(span))
        .collect()
}

#[test]
fn both_languages_have_the_same_tables_headings_and_blocks() {
    let count = |text: &str, mark: &str| text.lines().filter(|line| line.starts_with(mark)).count();
    for name in pages().into_iter().filter(|name| name != "diagnostics.md") {
        let [english, chinese] = LANGUAGES.map(|language| read(&format!("docs/{language}/{name}")));
        for mark in ["```", "## ", "### ", "| "] {
            assert_eq!(
                count(&english, mark),
                count(&chinese, mark),
                "{name}: `{mark}`"
            );
        }
        let (ours, theirs) = (first_columns(&english), first_columns(&chinese));
        let english_only: Vec<_> = ours.iter().filter(|word| !theirs.contains(word)).collect();
        let chinese_only: Vec<_> = theirs.iter().filter(|word| !ours.contains(word)).collect();
        assert!(
            english_only.is_empty() && chinese_only.is_empty(),
            "{name}: only English {english_only:?}, only Chinese {chinese_only:?}"
        );
    }
}
