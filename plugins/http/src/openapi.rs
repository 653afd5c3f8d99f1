//! `call: openapi`: finds the operation in its document and sends it as an HTTP call.
//!
//! Reads OpenAPI 3.0 and 3.1 and Swagger 2.0. The document comes through the same allow-list.

mod document;
mod operation;
mod parameter;

use std::sync::Arc;

use async_trait::async_trait;
use tongban_expr::{Value, value};
use tongban_plugin::{Act, ActCall, Failure, Kind, Signature, Title};

use crate::call::Sender;
use crate::request::{Output, Plan, endpoint_of, given, redirect};

use document::Documents;
use operation::Operation;

pub(crate) struct OpenApi {
    signature: Signature,
    sender: Arc<Sender>,
    documents: Documents,
}

impl OpenApi {
    pub(crate) fn new(sender: Arc<Sender>) -> Self {
        let signature = Signature::new(
            "openapi",
            Kind::Act,
            Title::new("按接口描述调用", "OpenAPI call"),
        )
        .summary("Sends an operation that an OpenAPI document describes.")
        .arguments(value!({
            "type": "object",
            "required": ["document", "operationId"],
            "properties": {
                "document": { "type": "object" },
                "operationId": { "type": "string" },
                "parameters": { "type": ["object", "null"] },
                "authentication": { "type": ["object", "null"] },
                "output": { "enum": ["raw", "content", "response"] },
                "redirect": { "type": "boolean" },
            },
            "additionalProperties": false,
        }));
        Self {
            signature,
            sender,
            documents: Documents::default(),
        }
    }
}

#[async_trait]
impl Act for OpenApi {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    async fn perform(&self, args: &Value, call: &ActCall<'_>) -> Result<Value, Failure> {
        let document = given(args, "document")
            .and_then(|document| given(document, "endpoint"))
            .ok_or_else(|| {
                Failure::configuration("`call: openapi` needs `document.endpoint`, found none")
            })?;
        let (place, authentication) = endpoint_of(document)?;
        let id = given(args, "operationId")
            .and_then(Value::as_str)
            .ok_or_else(|| {
                Failure::configuration("`call: openapi` needs `operationId`, found none")
            })?;
        let document = self
            .documents
            .get(&self.sender, &place, authentication, call)
            .await?;
        let operation = Operation::find(&document, id)?;
        let none = Value::Null;
        let parameters = given(args, "parameters").unwrap_or(&none);
        let sent = operation.request(&place, parameters)?;
        let plan = Plan {
            method: sent.method,
            endpoint: sent.endpoint,
            authentication: given(args, "authentication").cloned(),
            headers: sent.headers,
            query: sent.query,
            body: sent.body,
            output: Output::of(args)?,
            redirect: redirect(args)?,
        };
        self.sender.perform(&plan, call).await
    }
}
