//! `tests/conformance/broken.yaml`: documents as administrators really write them, and what `tongban check` must say.

use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

use crate::run::{check, whole};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Broken {
    /// What is wrong with it.
    broken: String,
    /// The document; its head is put before it when it begins with anything but `document:`.
    workflow: Option<String>,
    /// The document with nothing before it.
    file: Option<String>,
    /// The document where it is no text.
    bytes: Option<Vec<u8>>,
    /// What `…` in the document stands for.
    repeat: Option<Repeat>,
    /// The code of its first fault.
    code: String,
    /// LINE:COLUMN of that fault.
    at: String,
    /// What its message or its help says.
    says: Option<String>,
}

/// A text, many times.
#[derive(Deserialize)]
struct Repeat {
    text: String,
    times: usize,
    /// What follows it as often.
    #[serde(default)]
    close: String,
}

/// Every document of the file.
pub(crate) fn trials() -> Vec<Trial> {
    let path = tongban_tests::root().join("tests/conformance/broken.yaml");
    let text = std::fs::read_to_string(&path).expect("the file of broken documents");
    let all: Vec<Broken> =
        serde_yaml::from_str(&text).expect("a file of the form that the type above has");
    all.into_iter()
        .map(|one| Trial::test(format!("broken: {}", one.broken), move || told(&one)))
        .collect()
}

fn told(broken: &Broken) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("workflow.yaml");
    std::fs::write(&path, written(broken))?;
    let came = check(&path)?;
    if came.code != 2 {
        return Err(format!(
            "expected exit code 2, found {}: {}",
            came.code, came.printed
        )
        .into());
    }
    let all = came
        .object
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let error = all
        .iter()
        .find(|one| one["severity"] == "error")
        .ok_or_else(|| format!("no error: {}", came.printed))?;
    let place = format!("{}:{}", error["line"], error["column"]);
    let words = format!(
        "{} {}",
        error["message"].as_str().unwrap_or_default(),
        error["help"].as_str().unwrap_or_default()
    );
    if error["code"] != broken.code.as_str() || place != broken.at {
        return Err(format!(
            "expected {} at {}, found {} at {place}: {words}",
            broken.code, broken.at, error["code"]
        )
        .into());
    }
    if let Some(says) = &broken.says
        && !words.contains(says.as_str())
    {
        return Err(format!("expected the words `{says}`, found `{words}`").into());
    }
    // Expressions have the words of their own parsers, at the exact column.
    let of_expressions = broken.code.starts_with("TB04");
    if !of_expressions && error["help"].as_str().is_none_or(str::is_empty) {
        return Err(format!("it says no way out: {words}").into());
    }
    Ok(())
}

fn written(broken: &Broken) -> Vec<u8> {
    if let Some(bytes) = &broken.bytes {
        return bytes.clone();
    }
    let text = match (&broken.workflow, &broken.file) {
        (Some(workflow), _) => whole(workflow),
        (None, file) => file.clone().unwrap_or_default(),
    };
    let Some(repeat) = &broken.repeat else {
        return text.into();
    };
    let many = repeat.text.repeat(repeat.times) + &repeat.close.repeat(repeat.times);
    text.replace('…', &many).into()
}
