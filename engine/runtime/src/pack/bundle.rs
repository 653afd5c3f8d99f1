//! A bundle: one workflow and every file it reaches, named by the digest of its manifest. Instances keep the digest, so
//! that a file edited under running cases changes none of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The file of a bundle that holds what its forms and templates need of `pack.yaml`.
pub const PACK_FACTS: &str = "pack.json";

/// A published workflow with its files.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// blake3 of the manifest, in hex.
    pub digest: String,
    /// `namespace/name`.
    pub workflow: String,
    /// Semantic version.
    pub version: String,
    /// Names every file with its digest.
    pub manifest: Manifest,
    /// The files by pack-relative path.
    pub files: BTreeMap<String, Arc<str>>,
}

/// What a bundle's digest is taken of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `namespace/name`.
    pub workflow: String,
    /// Semantic version.
    pub version: String,
    /// Path of the workflow's document.
    pub document: String,
    /// Digest of each file, by path.
    pub files: BTreeMap<String, String>,
}

impl Bundle {
    /// Makes a bundle of a document and the files that it reaches.
    pub fn new(
        workflow: &str,
        version: &str,
        document: &str,
        files: BTreeMap<String, Arc<str>>,
    ) -> Bundle {
        let manifest = Manifest {
            workflow: workflow.to_string(),
            version: version.to_string(),
            document: document.to_string(),
            files: files
                .iter()
                .map(|(path, text)| (path.clone(), digest_of(text)))
                .collect(),
        };
        let bytes = serde_json::to_vec(&manifest).expect("a manifest of texts is always JSON");
        Bundle {
            digest: blake3::hash(&bytes).to_hex().to_string(),
            workflow: manifest.workflow.clone(),
            version: manifest.version.clone(),
            manifest,
            files,
        }
    }

    /// Rebuilds a bundle from its stored parts; `None` when a file of the manifest is missing.
    pub fn from_parts(
        digest: &str,
        manifest: Manifest,
        files: BTreeMap<String, Arc<str>>,
    ) -> Option<Bundle> {
        let whole = manifest.files.keys().all(|path| files.contains_key(path));
        whole.then(|| Bundle {
            digest: digest.to_string(),
            workflow: manifest.workflow.clone(),
            version: manifest.version.clone(),
            manifest,
            files,
        })
    }

    /// The text of the workflow's document.
    pub fn document(&self) -> &str {
        self.files
            .get(&self.manifest.document)
            .map_or("", |text| text)
    }

    /// The same bundle under another version: `--dev` publishes changed files as `+dev.N`.
    pub fn with_version(&self, version: &str) -> Bundle {
        Bundle::new(
            &self.workflow,
            version,
            &self.manifest.document,
            self.files.clone(),
        )
    }
}

/// The digest of one file.
pub fn digest_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
