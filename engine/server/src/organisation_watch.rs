//! A change of the organisation or a calendar takes effect while the server runs: the files are looked at now and then,
//! and all open work finds its people and deadlines anew.

use std::path::PathBuf;
use std::time::Duration;

use tongban_runtime::Runtime;
use tongban_runtime::pack::Library;

use crate::config::Config;
use crate::site;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// The files of the organisation, and by which mark their content is known.
pub struct OrganisationWatch {
    file: PathBuf,
    calendars: PathBuf,
    library: Library,
    runtime: Runtime,
    mark: String,
}

impl OrganisationWatch {
    /// Begins with the files as they are now, which the runtime has been given.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn new(config: &Config, library: Library, runtime: Runtime) -> anyhow::Result<Self> {
        let (file, calendars) = (config.organisation.clone(), config.calendars.clone());
        let mark = site::organisation_mark(&file, &calendars, &library)?;
        Ok(Self {
            file,
            calendars,
            library,
            runtime,
            mark,
        })
    }

    /// Looks at the files for as long as the process lives.
    pub async fn run(mut self) {
        if let Err(error) = self.runtime.organisation_is(&self.mark).await {
            tracing::error!(%error, "open work could not be brought up to the new organisation; it is tried again at the next start");
        }
        loop {
            tokio::time::sleep(EVERY).await;
            self.look().await;
        }
    }

    /// Takes the files over when they are others; true when they were. Files with faults change nothing: the
    /// organisation that is in force stays.
    pub async fn look(&mut self) -> bool {
        let Ok(mark) = site::organisation_mark(&self.file, &self.calendars, &self.library) else {
            // A file that is being replaced; the next look finds it.
            return false;
        };
        if mark == self.mark {
            return false;
        }
        let read = site::organisation_of(&self.file, &self.calendars, &self.library);
        self.mark = mark;
        let organisation = match read {
            Ok(organisation) => std::sync::Arc::unwrap_or_clone(organisation),
            Err(error) => {
                tracing::error!(%error, "the changed organisation has faults: the one before stays in force");
                return false;
            }
        };
        let became = self
            .runtime
            .organisation_becomes(organisation, &self.mark)
            .await;
        match became {
            Ok(()) => tracing::info!("the changed organisation is in force"),
            Err(error) => {
                tracing::error!(%error, "the changed organisation is in force, and open work follows at the next start");
            }
        }
        true
    }
}
