//! A change of the organisation or a calendar takes effect while the server runs: the files are looked at now and then,
//! and all open work finds its people and deadlines anew. The absences that people keep themselves come on top of the
//! files; where only they change, only the work of those concerned is looked at.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tongban_org::Organisation;
use tongban_runtime::Runtime;
use tongban_runtime::pack::Library;
use tongban_store::{AbsenceRow, StoreError};

use crate::absences;
use crate::app::App;
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
    /// What the files say.
    written: Arc<Organisation>,
    /// What people keep on top of it.
    kept: Vec<AbsenceRow>,
}

impl OrganisationWatch {
    /// Begins with the files as they are now, and puts them in force with the absences that people keep.
    ///
    /// # Errors
    /// A file cannot be read, or the database refused.
    pub async fn new(config: &Config, library: Library, runtime: Runtime) -> anyhow::Result<Self> {
        let (file, calendars) = (config.organisation.clone(), config.calendars.clone());
        let mark = site::organisation_mark(&file, &calendars, &library)?;
        let written = site::organisation_of(&file, &calendars, &library)?;
        let mut watch = Self {
            file,
            calendars,
            library,
            runtime,
            mark,
            written,
            kept: Vec::new(),
        };
        watch.kept = watch.absences().await?;
        watch.runtime.organisation_place(watch.organisation());
        Ok(watch)
    }

    /// Looks at the files of an application for as long as the process lives.
    pub async fn run(app: App) {
        let mark = app.organisation_watch.lock().await.mark.clone();
        if let Err(error) = app.runtime.organisation_is(&mark).await {
            tracing::error!(%error, "open work could not be brought up to the new organisation; it is tried again at the next start");
        }
        loop {
            tokio::time::sleep(EVERY).await;
            app.organisation_watch.lock().await.look().await;
        }
    }

    /// Takes over what changed; true when something did. Files with faults change nothing: what they said before stays.
    pub async fn look(&mut self) -> bool {
        let rewritten = self.reread();
        let concerned = match self.absences().await {
            Ok(rows) => {
                let concerned = absences::concerned(&self.kept, &rows);
                self.kept = rows;
                concerned
            }
            Err(error) => {
                tracing::warn!(%error, "the absences could not be read; the next look finds them");
                BTreeSet::new()
            }
        };
        if !rewritten && concerned.is_empty() {
            return false;
        }
        let organisation = self.organisation();
        let became = match rewritten {
            true => {
                self.runtime
                    .organisation_becomes(organisation, &self.mark)
                    .await
            }
            false => {
                self.runtime
                    .organisation_becomes_for(organisation, &concerned)
                    .await
            }
        };
        match became {
            Ok(()) => tracing::info!("the changed organisation is in force"),
            Err(error) => {
                tracing::error!(%error, "the changed organisation is in force, and open work follows at the next start");
            }
        }
        true
    }

    /// Reads the files when they are others; true when they are and have no faults.
    fn reread(&mut self) -> bool {
        let Ok(mark) = site::organisation_mark(&self.file, &self.calendars, &self.library) else {
            // A file that is being replaced; the next look finds it.
            return false;
        };
        if mark == self.mark {
            return false;
        }
        self.mark = mark;
        match site::organisation_of(&self.file, &self.calendars, &self.library) {
            Ok(organisation) => {
                self.written = organisation;
                true
            }
            Err(error) => {
                tracing::error!(%error, "the changed organisation has faults: the one before stays in force");
                false
            }
        }
    }

    async fn absences(&self) -> Result<Vec<AbsenceRow>, StoreError> {
        let now_ms = self.runtime.node().clock.now_ms();
        self.runtime.store().absences_ahead(now_ms).await
    }

    /// What the files say, with the absences that people keep.
    fn organisation(&self) -> Organisation {
        let mut whole = Organisation::clone(&self.written);
        for row in &self.kept {
            if let Some(absence) = absences::in_force(&self.written, row) {
                whole.add_absence(absence);
            }
        }
        whole
    }
}
