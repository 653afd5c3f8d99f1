//! Published bundles: a workflow with every file it reaches, under the digest of its manifest.

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
