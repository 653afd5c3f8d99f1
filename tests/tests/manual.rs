//! The manual's examples: files that a page names are written to a folder and checked and tested as an author would.

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
        let Some((first, rest)) = block.split_first() else { continue };
        let named = ["# file: ", "// file: ", "<!-- file: "].iter().find_map(|mark| first.strip_prefix(mark));
        if let Some(name) = named {
            files.push((name.trim_end_matches("-->").trim().to_string(), rest.join("\n") + "\n"));
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
    let output = Command::new(binary()).args(arguments).current_dir(site).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "tongban {}: {said}", arguments.join(" "));
}

/// Builds the pack of a page as the page says, and checks and tests it.
fn first_process(page: &str) {
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
    let keeper = people.replace("roles: [catalog-officer,", "roles: [seal-keeper, catalog-officer,");
    assert_ne!(people, keeper, "the page gives 王磊 the keeper's role");
    fs::write(&organisation, keeper).unwrap();
    run(site.path(), &["check", "workflows/seal"]);
    run(site.path(), &["test", "workflows/seal"]);
}

#[test]
fn the_first_process_works_as_written() {
    first_process("docs/en/first-process.md");
}

#[test]
fn the_first_process_works_as_written_in_chinese() {
    first_process("docs/zh-CN/first-process.md");
}
