//! What cases say that they show (`shows`) is held against them: without the property in its document a case must fail.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::case::{Case, File};
use crate::place::without;
use crate::reference::table;
use crate::run::whole;

/// Where documents have the properties, by `SECTION/PROPERTY`.
type Places = BTreeMap<String, Vec<String>>;

/// A test for each case that says what it shows.
pub(crate) fn trials(files: &[File], port: u16) -> Vec<Trial> {
    let trial = |group: &str, case: &Arc<Case>| {
        let name = format!("shows: {group}: {}", case.case);
        let case = Arc::clone(case);
        Trial::test(name, move || shown(&case, port))
    };
    let shows = |case: &&Arc<Case>| !case.shows.is_empty();
    files
        .iter()
        .flat_map(|file| {
            let cases = file.cases.iter().filter(shows);
            cases.map(move |case| trial(&file.group, case))
        })
        .collect()
}

fn places() -> Result<Places, Failed> {
    let table = table()?;
    let properties = table.iter().flat_map(|section| {
        let properties = section.properties.iter();
        properties.map(|property| (section.key(property), property.places.clone()))
    });
    Ok(properties.collect())
}

fn shown(case: &Case, port: u16) -> Result<(), Failed> {
    let places = places()?;
    let document: Value = serde_yaml::from_str(&whole(&case.workflow))?;
    let mut faults = Vec::new();
    for key in &case.shows {
        let Some(places) = places.get(key) else {
            faults.push(format!("the reference has no `{key}`"));
            continue;
        };
        let lesser: Vec<Value> = places
            .iter()
            .filter_map(|place| without(&document, place))
            .collect();
        if lesser.is_empty() && !places.is_empty() && case.beside.is_empty() {
            faults.push(format!("its document has no `{key}`"));
        }
        for less in lesser {
            let (came, missed) = case.played(&apart(&less.to_string()), port)?;
            if missed.is_empty() {
                faults.push(format!("without `{key}` it goes as well: {}", came.printed));
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n").into())
    }
}

/// A document whose calls are counted by the stub apart from those of every other run.
fn apart(document: &str) -> String {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    ["flaky", "keys"]
        .iter()
        .fold(document.to_owned(), |text, path| {
            text.replace(&format!("/{path}/"), &format!("/again{run}/{path}/"))
        })
}
