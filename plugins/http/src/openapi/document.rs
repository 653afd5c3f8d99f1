//! Fetches documents, from the pack or from an allowed host, and keeps them a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use tongban_expr::Value;
use tongban_plugin::{ActCall, Failure};

use crate::call::Sender;
use crate::digest::hex;
use crate::request::{Output, Plan};

/// How long a document is kept.
const KEPT: Duration = Duration::from_secs(300);
/// How many documents are kept.
const DOCUMENTS_MAX: usize = 16;

type Key = (Option<String>, String);

/// The documents of this process.
#[derive(Default)]
pub(super) struct Documents {
    kept: Mutex<HashMap<Key, (Instant, Arc<Value>)>>,
}

impl Documents {
    pub(super) async fn get(
        &self,
        sender: &Sender,
        place: &str,
        authentication: Option<Value>,
        call: &ActCall<'_>,
    ) -> Result<Arc<Value>, Failure> {
        if let Some(path) = in_pack(place) {
            return self.of_pack(path, call).await;
        }
        let key = (call.unit.map(ToOwned::to_owned), place.to_owned());
        let open = authentication.is_none();
        if open && let Some(document) = self.known(&key) {
            return Ok(document);
        }
        let plan = Plan {
            method: "GET".to_owned(),
            endpoint: place.to_owned(),
            authentication,
            headers: Value::Null,
            query: Value::Null,
            body: None,
            output: Output::Raw,
            redirect: true,
        };
        let raw = sender.perform(&plan, call).await?;
        let bytes = STANDARD
            .decode(raw.as_str().unwrap_or_default())
            .unwrap_or_default();
        let document = Arc::new(parse(bytes).await?);
        if open {
            self.keep(key, &document);
        }
        Ok(document)
    }

    /// A file of the bundle that the case runs: known again by its content.
    async fn of_pack(&self, path: &str, call: &ActCall<'_>) -> Result<Arc<Value>, Failure> {
        let text = call
            .ports
            .templates
            .file(path)
            .ok_or_else(|| Failure::configuration(format!("the pack has no file `{path}`")))?;
        let key = (None, hex(&Sha256::digest(text.as_bytes())));
        if let Some(document) = self.known(&key) {
            return Ok(document);
        }
        let document = Arc::new(parse(text.as_bytes().to_vec()).await?);
        self.keep(key, &document);
        Ok(document)
    }

    fn keep(&self, key: Key, document: &Arc<Value>) {
        let mut kept = self.kept.lock();
        if kept.len() >= DOCUMENTS_MAX {
            kept.clear();
        }
        kept.insert(key, (Instant::now() + KEPT, document.clone()));
    }

    fn known(&self, key: &Key) -> Option<Arc<Value>> {
        let kept = self.kept.lock();
        let (until, document) = kept.get(key)?;
        (*until > Instant::now()).then(|| document.clone())
    }
}

/// The path of a document of the pack: behind `pack://`, or without a scheme.
pub(super) fn in_pack(place: &str) -> Option<&str> {
    match place.strip_prefix("pack://") {
        Some(path) => Some(path),
        None => (!place.contains("://")).then_some(place),
    }
}

/// Reads a document beside the calls of others: a large one takes a while.
async fn parse(bytes: Vec<u8>) -> Result<Value, Failure> {
    let document = tokio::task::spawn_blocking(move || {
        Value::from_json_bytes(&bytes)
            .ok()
            .or_else(|| serde_yaml::from_slice(&bytes).ok())
            .unwrap_or_default()
    })
    .await
    .map_err(|_| Failure::runtime("the document could not be read"))?;
    let version = document
        .text("openapi")
        .or_else(|| document.text("swagger"))
        .unwrap_or_default();
    if ["3.0", "3.1", "2.0"]
        .iter()
        .any(|known| version.starts_with(known))
    {
        Ok(document)
    } else {
        Err(Failure::configuration(format!(
            "expected a document of OpenAPI 3.0, 3.1 or Swagger 2.0 in JSON or YAML, found version `{version}`"
        )))
    }
}
