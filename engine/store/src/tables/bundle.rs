//! Published bundles: a workflow with every file it reaches, under the digest of its manifest.

use crate::change::Change;
use crate::db::statements;
use crate::error::StoreError;
use crate::store::Store;
use crate::tables::key::KeyRow;
use crate::write::rows;

rows! {
    /// A row of `bundle`.
    BundleRow: Ignore "bundle" key(digest) {
        /// The digest of the manifest.
        digest: String,
        /// `namespace/name`.
        workflow: String,
        /// The semantic version.
        version: String,
        /// Paths and digests, JSON.
        manifest: String,
        /// By whom it was published.
        published_by: String,
        /// When.
        published_at_ms: i64,
        /// `site`: a folder of this site; `api`: its scripts are evaluated in a process of their own.
        origin: String,
    }
    /// A bundle that the site itself has now, too: its scripts are its own.
    BundleTrusted: Upsert "bundle" key(digest) {
        /// The digest of the manifest.
        digest: String,
        /// `namespace/name`.
        workflow: String,
        /// The semantic version.
        version: String,
        /// Paths and digests, JSON.
        manifest: String,
        /// By whom it was published.
        published_by: String,
        /// When.
        published_at_ms: i64,
        /// `site`.
        origin: String,
    }
    /// A row of `bundle_file`.
    BundleFileRow: Ignore "bundle_file" key(bundle, path) {
        /// The bundle.
        bundle: String,
        /// The path inside the pack.
        path: String,
        /// The digest of its content.
        file_digest: String,
    }
    /// A row of `workflow`: the pointer to the current version.
    WorkflowRow: Upsert "workflow" key(name) {
        /// `namespace/name`.
        name: String,
        /// The current bundle; `None` when withdrawn.
        current_bundle: Option<String>,
        /// The unit that owns it.
        owner_unit: Option<String>,
        /// The current version.
        version: String,
    }
}

statements! {
    FILE_PUT = same("INSERT INTO file (digest, body) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    BUNDLE = same(
        "SELECT digest, workflow, version, manifest, published_by, published_at_ms, origin FROM bundle WHERE digest = $1");
    BUNDLE_OF = same(
        "SELECT digest, workflow, version, manifest, published_by, published_at_ms, origin FROM bundle
         WHERE workflow = $1 AND version = $2");
    BUNDLES = same(
        "SELECT digest, workflow, version, manifest, published_by, published_at_ms, origin FROM bundle
         WHERE workflow = $1 ORDER BY published_at_ms DESC, version DESC");
    BUNDLE_FILES = same(
        "SELECT b.path, f.body FROM bundle_file b JOIN file f ON f.digest = b.file_digest
         WHERE b.bundle = $1 ORDER BY b.path");
    WORKFLOW = same("SELECT name, current_bundle, owner_unit, version FROM workflow WHERE name = $1");
    WORKFLOWS = same("SELECT name, current_bundle, owner_unit, version FROM workflow ORDER BY name");
}

/// What a bundle consists of: paths inside the pack with their content.
pub type BundleFiles = Vec<(String, Vec<u8>)>;

impl BundleRow {
    /// The promise that `(workflow, version)` names one digest for ever. A change that publishes takes it; when it is
    /// taken, the holder's `digest` tells a repetition from other bytes under a used version.
    pub fn promise(&self) -> KeyRow {
        KeyRow {
            scope: "bundle".into(),
            value: format!("{}@{}", self.workflow, self.version),
            digest: self.digest.clone(),
            ..KeyRow::default()
        }
    }

    /// Begins the change that publishes this bundle: bundle, files, and the promise of its version. The pointer
    /// (`WorkflowRow`), schedules and listen shapes are added by the caller, so that all move together.
    pub fn publish(&self, files: &[(String, String)], at_ms: i64) -> Change {
        let mut change = Change::without_instance(at_ms);
        change.keys.push(self.promise());
        for (path, file_digest) in files {
            let (bundle, path, file_digest) =
                (self.digest.clone(), path.clone(), file_digest.clone());
            change.add(BundleFileRow {
                bundle,
                path,
                file_digest,
            });
        }
        change.add(self.clone());
        change
    }

    /// The same bundle as the site's own.
    pub fn trusted(self) -> BundleTrusted {
        BundleTrusted {
            digest: self.digest,
            workflow: self.workflow,
            version: self.version,
            manifest: self.manifest,
            published_by: self.published_by,
            published_at_ms: self.published_at_ms,
            origin: "site".to_owned(),
        }
    }
}

impl Store {
    /// Stores the content of a file under its digest. Storing it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`, `Resource`, `Database`.
    pub async fn file_put(&self, digest: &str, body: &[u8]) -> Result<(), StoreError> {
        self.inner
            .execute(FILE_PUT.call().text(digest).bytes(body))
            .await?;
        Ok(())
    }

    /// One bundle.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn bundle(&self, digest: &str) -> Result<Option<BundleRow>, StoreError> {
        Ok(self.inner.fetch(|| BUNDLE.call().text(digest)).await?.pop())
    }

    /// The bundle of a version.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn bundle_of(
        &self,
        workflow: &str,
        version: &str,
    ) -> Result<Option<BundleRow>, StoreError> {
        Ok(self
            .inner
            .fetch(|| BUNDLE_OF.call().text(workflow).text(version))
            .await?
            .pop())
    }

    /// All bundles of a workflow, newest first.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn bundles(&self, workflow: &str) -> Result<Vec<BundleRow>, StoreError> {
        Ok(self.inner.fetch(|| BUNDLES.call().text(workflow)).await?)
    }

    /// The files of a bundle, by path.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn bundle_files(&self, digest: &str) -> Result<BundleFiles, StoreError> {
        Ok(self
            .inner
            .fetch(|| BUNDLE_FILES.call().text(digest))
            .await?)
    }

    /// The pointer of a workflow.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn workflow(&self, name: &str) -> Result<Option<WorkflowRow>, StoreError> {
        Ok(self.inner.fetch(|| WORKFLOW.call().text(name)).await?.pop())
    }

    /// The pointers of all workflows, by name.
    ///
    /// # Errors
    /// `Unavailable`, `Database`.
    pub async fn workflows(&self) -> Result<Vec<WorkflowRow>, StoreError> {
        Ok(self.inner.fetch(|| WORKFLOWS.call()).await?)
    }
}
