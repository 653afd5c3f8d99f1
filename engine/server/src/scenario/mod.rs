//! `tongban test`: scenario files played on the real engine, in memory, under a virtual clock.

mod change;
mod coverage;
mod expect;
mod file;
mod matching;
mod mocks;
mod play;
mod rule;
mod stage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tongban_dsl::{Diagnostic, codes};
use tongban_org::Organisation;
use tongban_runtime::pack::Library;

pub use coverage::Coverage;
use file::{Scenario, ScenarioFile};
use play::Play;
pub use play::described;
use stage::Stage;

/// What scenarios are played with.
pub struct Suite {
    /// The packs.
    pub library: Library,
    /// The organisation of the site.
    pub organisation: Arc<Organisation>,
}

/// A scenario file and what is in it.
pub struct LoadedFile {
    /// The pack that it belongs to.
    pub pack: String,
    /// Its path.
    pub path: PathBuf,
    file: ScenarioFile,
}

/// What became of one scenario.
pub struct Outcome {
    /// The file.
    pub path: PathBuf,
    /// The scenario's title.
    pub test: String,
    /// Why it failed, and where the case stood.
    pub failure: Option<String>,
}

/// Reads a scenario file; the error names the place.
pub fn load(pack: &str, path: &Path, source: &str) -> Result<LoadedFile, String> {
    let file = read(source).map_err(|fault| {
        format!(
            "{}:{}:{}: {}",
            path.display(),
            fault.span.line,
            fault.span.column,
            fault.message
        )
    })?;
    Ok(LoadedFile {
        pack: pack.to_string(),
        path: path.to_path_buf(),
        file,
    })
}

/// Reads the text of a scenario file.
pub fn read(source: &str) -> Result<ScenarioFile, Diagnostic> {
    let mut placed = tongban_dsl::read_yaml_placed(source);
    if let Some(at) = placed.diagnostics.iter().position(Diagnostic::is_error) {
        return Err(placed.diagnostics.swap_remove(at));
    }
    let value = placed.value.take().unwrap_or_default();
    let fault = |path: &str, message: String| {
        Diagnostic::error(codes::PACK_SCENARIO, placed.place(&pointer(path)), message)
    };
    let json = serde_json::to_value(value).map_err(|error| fault("", error.to_string()))?;
    let file: ScenarioFile = serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        fault(&path, format!("`{path}`: {}", error.inner()))
    })?;
    if file.workflow.is_some() == file.rule.is_some() {
        return Err(fault(
            "",
            "expected either `workflow` or `rule`".to_string(),
        ));
    }
    Ok(file)
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

impl Suite {
    /// Plays every scenario of a file and notes what it covered.
    pub async fn play(&self, loaded: &LoadedFile, coverage: &mut Coverage) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for scenario in &loaded.file.scenarios {
            let failure = match &loaded.file.rule {
                Some(rule) => rule::play(&self.library, rule, scenario).err(),
                None => self
                    .play_workflow(&loaded.file, scenario, coverage)
                    .await
                    .err(),
            };
            outcomes.push(Outcome {
                path: loaded.path.clone(),
                test: scenario.test.clone(),
                failure,
            });
        }
        outcomes
    }

    async fn play_workflow(
        &self,
        file: &ScenarioFile,
        scenario: &Scenario,
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        let stage = Stage::build(self, file, scenario).await?;
        let mut play = Play::new(&stage);
        let outcome = play.run(file, scenario).await;
        for instance in play.instances() {
            if let (Ok(case), Ok(entries)) =
                (stage.case(instance).await, stage.history(instance).await)
            {
                coverage.note(&case.definition, &entries);
            }
        }
        outcome.map_err(|failure| format!("{}\n{}", failure.message, failure.stood))
    }
}
