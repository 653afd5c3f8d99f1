//! The manual's examples: files that a page names are written to a folder and checked and tested as an author would.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails loudly"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use tongban_tests::{binary, root};

/// The fenced blocks of a page whose first line names a file: its path and its text without that line.
fn files_of(page: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with("```") || line == "```" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let Some((first, rest)) = block.split_first() else {
            continue;
        };
        let named = ["# file: ", "// file: ", "<!-- file: "]
            .iter()
            .find_map(|mark| first.strip_prefix(mark));
        if let Some(name) = named {
            files.push((
                name.trim_end_matches("-->").trim().to_string(),
                rest.join("\n") + "\n",
            ));
        }
    }
    files
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn run(site: &Path, arguments: &[&str]) {
    let output = Command::new(binary())
        .args(arguments)
        .current_dir(site)
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success(),
        "tongban {}: {said}",
        arguments.join(" ")
    );
}

/// A site with the pack of a page as the page says, and with one more role for 王磊.
fn site_of(page: &str, role: &str) -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    copy_folder(&root().join("config"), &site.path().join("config"));
    let text = fs::read_to_string(root().join(page)).unwrap();
    let files = files_of(&text);
    assert!(files.len() >= 7, "{page} shows {} files", files.len());
    for (name, content) in files {
        let path = site.path().join("workflows").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let organisation = site.path().join("config/organisation.yaml");
    let people = fs::read_to_string(&organisation).unwrap();
    let keeper = people.replace(
        "roles: [catalog-officer,",
        &format!("roles: [{role}, catalog-officer,"),
    );
    assert_ne!(people, keeper, "the page gives 王磊 the role `{role}`");
    fs::write(&organisation, keeper).unwrap();
    site
}

/// Builds the pack of a page, checks and tests it.
fn first_process(page: &str) {
    let site = site_of(page, "seal-keeper");
    run(site.path(), &["check", "workflows/seal"]);
    run(site.path(), &["test", "workflows/seal"]);
}

/// The processes of the cookbook, each played by the scenarios beside this test.
fn cookbook(page: &str) {
    let site = site_of(page, "keeper");
    let folder = site.path().join("workflows/cookbook");
    copy_folder(&root().join("tests/manual/cookbook"), &folder.join("tests"));
    for workflow in fs::read_dir(folder.join("workflows")).unwrap() {
        let scenarios = workflow.unwrap().path().with_extension("test.yaml");
        let name = scenarios.file_name().unwrap();
        assert!(
            folder.join("tests").join(name).is_file(),
            "{page}: nothing plays {}",
            name.to_string_lossy()
        );
    }
    run(site.path(), &["check", "workflows/cookbook"]);
    run(site.path(), &["test", "workflows/cookbook"]);
}

#[test]
fn the_cookbook_works_as_written() {
    cookbook("docs/en/cookbook.md");
}

#[test]
fn the_cookbook_works_as_written_in_chinese() {
    cookbook("docs/zh-CN/cookbook.md");
}

/// What a block says after a mark in its comment lines: `# input: {…}`.
fn said<'a>(block: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    block
        .lines()
        .filter_map(move |line| line.strip_prefix(mark))
}

/// Whether everything that `expected` says stands in `found`; lists match item by item.
fn within(expected: &serde_json::Value, found: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object};
    match (expected, found) {
        (Object(expected), Object(found)) => expected
            .iter()
            .all(|(name, value)| found.get(name).is_some_and(|found| within(value, found))),
        (Array(expected), Array(found)) => {
            expected.len() == found.len()
                && expected
                    .iter()
                    .zip(found)
                    .all(|(one, other)| within(one, other))
        }
        _ => expected == found,
    }
}

/// Runs every process of a page that begins with `# run: NAME` and compares what it prints with the JSON below it.
fn processes_run(page: &str, at_least: usize) {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let blocks = blocks_of(&text, &["yaml", "json"]);
    let mut run = 0;
    for (place, block) in blocks.iter().enumerate() {
        let Some(name) = block
            .strip_prefix("# run: ")
            .and_then(|rest| rest.lines().next())
        else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            path
        };
        let mut command = Command::new(binary());
        command
            .arg("run")
            .arg(write(name, block))
            .args(["--fast-forward", "--format", "json"]);
        if let Some(input) = said(block, "# input: ").next() {
            command.arg("--input").arg(write("input.json", input));
        }
        for (number, event) in said(block, "# event: ").enumerate() {
            command
                .arg("--event")
                .arg(write(&format!("event-{number}.json"), event));
        }
        let output = command.output().unwrap();
        let found: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
                panic!("{page} {name}: {}", String::from_utf8_lossy(&output.stderr))
            });
        let expected: serde_json::Value = serde_json::from_str(&blocks[place + 1]).unwrap();
        assert!(within(&expected, &found), "{page} {name}: {found}");
        run += 1;
    }
    assert!(run >= at_least, "{page} shows {run} processes");
}

/// The fenced blocks of a page, without their fences, in one of these languages.
fn blocks_of(page: &str, languages: &[&str]) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if languages.contains(&language) {
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

#[test]
fn every_task_runs_as_written() {
    processes_run("docs/en/tasks.md", 15);
    processes_run("docs/en/expressions.md", 3);
}

/// The words that stand in code in the first column of a page's tables.
fn named_in_tables(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    text.lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(|line| {
            line.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_variable_is_explained() {
    for language in ["en", "zh-CN"] {
        let named = named_in_tables(&format!("docs/{language}/expressions.md"));
        for variable in tongban_expr::Scope::NAMES {
            assert!(
                named.iter().any(|name| name == variable),
                "{language}: {variable}"
            );
        }
    }
}

/// Every word in the code spans of a page.
fn words_in_code(page: &str) -> std::collections::HashSet<String> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let spans = text.split('`').skip(1).step_by(2).chain(text.split("**"));
    spans
        .flat_map(|span| span.split(|letter: char| !letter.is_alphanumeric() && letter != '.'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_function_and_each_of_its_arguments_is_explained() {
    for language in ["en", "zh-CN"] {
        let words = words_in_code(&format!("docs/{language}/functions.md"));
        let known = tongban_server::functions::all();
        let plugins = known.signatures().into_iter();
        let plugins = plugins.map(|signature| (&signature.name, &signature.arguments));
        let engine = tongban_dsl::signatures::engine().iter();
        let engine = engine.map(|signature| (&signature.name, &signature.arguments));
        let mut missing = Vec::new();
        for (name, arguments) in engine.chain(plugins) {
            let arguments = arguments.at("properties").into_iter();
            let arguments = arguments.flat_map(|all| all.entries());
            let own = std::iter::once(name.as_str()).chain(arguments.map(|(key, _)| &**key));
            missing.extend(
                own.filter(|word| !words.contains(*word))
                    .map(|word| format!("{name}: {word}")),
            );
        }
        assert!(
            missing.is_empty(),
            "docs/{language}/functions.md lacks {missing:?}"
        );
    }
}

#[test]
fn both_languages_show_the_same_processes() {
    for page in ["tasks.md", "expressions.md", "cookbook.md"] {
        let [english, chinese] = ["en", "zh-CN"].map(|language| {
            let text = fs::read_to_string(root().join("docs").join(language).join(page)).unwrap();
            blocks_of(&text, &["yaml", "json", "rust"])
        });
        assert_eq!(english, chinese, "{page}");
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut links = 0;
    for page in ["docs/README.md", "README.md", "README.zh-CN.md"]
        .map(|page| root().join(page))
        .into_iter()
        .chain(pages())
    {
        let text = fs::read_to_string(&page).unwrap();
        for part in text.split("](").skip(1) {
            let target = part
                .split(')')
                .next()
                .unwrap_or_default()
                .split('#')
                .next()
                .unwrap_or_default();
            if !target.ends_with(".md") {
                continue;
            }
            links += 1;
            assert!(
                page.parent().unwrap().join(target).is_file(),
                "{}: {target}",
                page.display()
            );
        }
    }
    assert!(links > 10);
}

fn pages() -> Vec<std::path::PathBuf> {
    let folders = ["docs/en", "docs/zh-CN"].map(|folder| root().join(folder));
    folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[test]
fn both_languages_have_the_same_pages() {
    let names = |language: &str| {
        let mut names: Vec<String> = fs::read_dir(root().join("docs").join(language))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("en"), names("zh-CN"));
}

#[test]
fn the_first_process_works_as_written() {
    first_process("docs/en/first-process.md");
}

#[test]
fn the_first_process_works_as_written_in_chinese() {
    first_process("docs/zh-CN/first-process.md");
}
