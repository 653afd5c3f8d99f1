//! Reading what is published: bundles by their digests, workflows by their names.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_store::WorkflowRow;

use crate::bundles::{Bundles, COLLECTOR, Origin, Ready};
use crate::error::RuntimeError;
use crate::node::Node;
use crate::pack::{Bundle, BundleManifest};

impl Bundles {
    /// The bundle of a digest. What an instance runs is always there.
    pub async fn get(&self, node: &Node, digest: &str) -> Result<Arc<Ready>, RuntimeError> {
        if let Some(ready) = self.known(digest) {
            return Ok(ready);
        }
        let base = digest.strip_suffix(COLLECTOR).unwrap_or(digest);
        let Some(row) = node.store.bundle(base).await? else {
            return Err(RuntimeError::not_found("bundle", digest));
        };
        let workflow = node.store.workflow(&row.workflow).await?;
        let manifest: BundleManifest = serde_json::from_str(&row.manifest).map_err(|error| {
            RuntimeError::Internal(format!("the manifest of the bundle {digest}: {error}"))
        })?;
        let files: BTreeMap<String, Arc<str>> = node
            .store
            .bundle_files(base)
            .await?
            .into_iter()
            .map(|(path, body)| (path, Arc::from(String::from_utf8_lossy(&body))))
            .collect();
        let bundle = Bundle::from_parts(base, manifest, files)
            .ok_or_else(|| RuntimeError::Internal(format!("the bundle {digest} lacks files")))?;
        let ready = Arc::new(Ready::of(
            bundle,
            workflow.and_then(|row| row.owner_unit),
            node.means(),
            base != digest,
            Origin::of(&row),
        )?);
        self.keep(digest, &ready);
        Ok(ready)
    }

    /// A workflow's current version, or the one that is asked for.
    pub async fn find(
        &self,
        node: &Node,
        workflow: &str,
        version: Option<&str>,
    ) -> Result<Arc<Ready>, RuntimeError> {
        let missing = || RuntimeError::not_found("workflow", workflow);
        if let Some(version) = version {
            let row = node
                .store
                .bundle_of(workflow, version)
                .await?
                .ok_or_else(missing)?;
            return self.get(node, &row.digest).await;
        }
        let row = self.pointer(node, workflow).await?.ok_or_else(missing)?;
        let digest = row.current_bundle.ok_or_else(missing)?;
        self.get(node, &digest).await
    }

    async fn pointer(
        &self,
        node: &Node,
        workflow: &str,
    ) -> Result<Option<WorkflowRow>, RuntimeError> {
        let now_ms = node.clock.now_ms();
        if let Some(row) = self.pointed(workflow, now_ms) {
            return Ok(Some(row));
        }
        let row = node.store.workflow(workflow).await?;
        self.point(workflow, row.as_ref(), now_ms);
        Ok(row)
    }
}
