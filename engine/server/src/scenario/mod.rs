//! `tongban test`: scenario files played on the real engine, in memory, under a virtual clock.
//!
//! `reading` and `references` find what is wrong with a file before anything is played; `given`, `stage`, `mocks` and
//! `stubs` build the world of a scenario; `play` lets people act in it and the clock go on; `expect` and `matching` hold
//! what came against what was expected; `coverage`, `branches` and `measure` count, `report` tells.

mod branches;
mod change;
mod coverage;
mod expect;
mod expected;
mod file;
mod given;
mod matching;
mod measure;
mod mocks;
mod observe;
mod play;
mod reading;
mod references;
pub mod report;
mod rule;
mod rules;
mod stage;
mod step;
mod steps;
mod stubs;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tongban_dsl::Diagnostic;
use tongban_org::Organisation;
use tongban_runtime::pack::{Library, Pack};

use coverage::RanCase;
pub use coverage::{Coverage, Ran};
use file::{Scenario, ScenarioFile};
use measure::RuleFiles;
pub use play::{Failure, described};
use play::{Play, Wrong};
use reading::{Lines, ScenarioLines};
use stage::Stage;

/// What scenarios are played with.
pub struct Suite {
    /// The packs.
    pub library: Library,
    /// The organisation of the site.
    pub organisation: Arc<Organisation>,
    /// The site's folder, whose calendars an organisation of a scenario has too.
    pub site: PathBuf,
    /// The rule files of the packs.
    rules: Arc<RuleFiles>,
}

/// A scenario file and what is in it.
pub struct LoadedFile {
    /// Its path.
    pub path: PathBuf,
    file: ScenarioFile,
    lines: Lines,
}

/// What became of one scenario.
pub struct Outcome {
    /// The file.
    pub path: PathBuf,
    /// The line of the scenario.
    pub line: usize,
    /// The scenario's title.
    pub test: String,
    /// Why it failed, and where the case stood.
    pub failure: Option<Failure>,
    /// Things to look at that are no failures.
    pub warnings: Vec<String>,
    /// How long it took.
    pub millis: u128,
    /// What it ran.
    pub ran: Ran,
}

/// Everything that is wrong with the text of a scenario file; without an organisation people are not looked up.
pub fn faults(
    source: &str,
    library: &Library,
    organisation: Option<&Organisation>,
) -> Vec<Diagnostic> {
    match reading::read(source) {
        Ok(read) => references::unknown(&read.file, &read.placed, library, organisation),
        Err(faults) => faults,
    }
}

/// Reads a scenario file and looks up what it names; else everything that is wrong with it.
pub fn load(path: &Path, source: &str, suite: &Suite) -> Result<LoadedFile, Vec<Diagnostic>> {
    let read = reading::read(source)?;
    let organisation = Some(suite.organisation.as_ref());
    let unknown = references::unknown(&read.file, &read.placed, &suite.library, organisation);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    Ok(LoadedFile {
        path: path.to_path_buf(),
        file: read.file,
        lines: read.lines,
    })
}

/// The JSON pointer of a path such as `scenarios[2].steps[0].decide`.
pub(crate) fn pointer(path: &str) -> String {
    let mut pointer = String::new();
    for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
        pointer.push('/');
        pointer.push_str(
            &part
                .trim_end_matches(']')
                .replace('~', "~0")
                .replace('/', "~1"),
        );
    }
    pointer
}

impl LoadedFile {
    /// The titles of its scenarios.
    pub fn titles(&self) -> impl Iterator<Item = &str> {
        self.file
            .scenarios
            .iter()
            .map(|scenario| scenario.test.as_str())
    }
}

impl Suite {
    /// What scenarios of these packs are played with.
    pub fn new(library: Library, organisation: Arc<Organisation>, site: PathBuf) -> Suite {
        let rules = Arc::new(RuleFiles::of(&library));
        Suite {
            library,
            organisation,
            site,
            rules,
        }
    }

    /// Makes a pack known to a coverage, so that what no scenario touches shows.
    pub fn know(&self, pack: &Pack, coverage: &mut Coverage) {
        coverage.know(pack, &self.rules);
    }

    /// Plays one scenario of a file; `None` when it has no such scenario.
    pub async fn play(&self, loaded: &LoadedFile, at: usize) -> Option<Outcome> {
        let scenario = loaded.file.scenarios.get(at)?;
        let lines = loaded.lines.scenarios.get(at).cloned().unwrap_or_default();
        let began = Instant::now();
        let mut ran = Ran::default();
        let mut warnings = Vec::new();
        let failure = match &loaded.file.rule {
            Some(rule) => {
                let (traces, held) = rule::play(self, rule, scenario, &mut ran.reached);
                ran.traces = traces;
                ran.rule = Some(rule.clone());
                held.err().map(|wrong| alone(wrong, &lines))
            }
            None => {
                let played =
                    self.play_workflow(&loaded.file, scenario, &lines, &mut ran, &mut warnings);
                played.await.err()
            }
        };
        Some(Outcome {
            path: loaded.path.clone(),
            line: lines.test,
            test: scenario.test.clone(),
            failure,
            warnings,
            millis: began.elapsed().as_millis(),
            ran,
        })
    }

    async fn play_workflow(
        &self,
        file: &ScenarioFile,
        scenario: &Scenario,
        lines: &ScenarioLines,
        ran: &mut Ran,
        warnings: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let stage = Stage::build(self, file, scenario)
            .await
            .map_err(|message| Failure {
                line: lines.test,
                at: "what is given".to_string(),
                message,
                ..Failure::default()
            })?;
        let mut play = Play::new(&stage);
        let outcome = play.run(file, scenario, lines).await;
        ran.reached = stage.watcher.reached();
        for instance in &stage.with_children(play.instances()).await {
            if let (Ok(case), Ok(entries)) =
                (stage.case(instance).await, stage.history(instance).await)
            {
                if let Ok(traces) = rule::traces_of_case(&stage, &case).await {
                    ran.traces.extend(traces);
                }
                ran.cases.push(RanCase {
                    definition: case.definition.clone(),
                    entries,
                    decisions: stage.decisions(instance).await.unwrap_or_default(),
                });
            }
        }
        if outcome.is_ok() {
            for at in stage.log.unused(&scenario.mocks) {
                let call = scenario.mocks.get(at).and_then(|mock| mock.call.as_deref());
                warnings.push(format!(
                    "mock {} of `{}` answered no call",
                    at + 1,
                    call.unwrap_or_default()
                ));
            }
        }
        outcome
    }
}

/// The failure of a rule that was run alone.
fn alone(wrong: Wrong, lines: &ScenarioLines) -> Failure {
    let (message, differences) = match wrong {
        Wrong::Failed(message) => (message, Vec::new()),
        Wrong::Differs(differences) => (String::new(), differences),
    };
    Failure {
        line: lines.expect,
        at: "at the end".to_string(),
        message,
        differences,
        stood: String::new(),
    }
}
