//! Scenario files: a workflow, events in, effects out and nothing more. Between any two events the
//! state goes through its stored text; every step is taken twice and must come out the same; every
//! answer is sent a second time and must change nothing.

mod runner;

use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use tongban_expr::Value;

use crate::runner::scenario;

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    let mut trials = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a readable case file");
        let (cases, faults) = tongban_dsl::read_yaml(&text);
        assert!(faults.is_empty(), "{}: {faults:?}", file.display());
        let stem = file
            .file_stem()
            .expect("a file name")
            .to_string_lossy()
            .into_owned();
        for case in cases.unwrap_or_default().items() {
            let case: Value = case.clone();
            let name = format!(
                "{stem}::{}",
                case.text("case").expect("every case has a name")
            );
            trials.push(Trial::test(name, move || {
                scenario::run(&case).map_err(Failed::from)
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
