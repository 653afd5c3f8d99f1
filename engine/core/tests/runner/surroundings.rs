//! Surroundings and an environment made of data.

use std::sync::Arc;

use tongban_core::{Env, FunctionInfo, Kind, Program, Surroundings, compile};
use tongban_expr::Value;

/// Functions by name: a kind, or `{kind, late}`; files by path.
pub struct Given {
    pub functions: Value,
    pub files: Value,
}

impl Given {
    /// The functions that every case knows, and no files.
    pub fn usual() -> Self {
        Self {
            functions: usual_functions(),
            files: Value::Null,
        }
    }
}

impl Surroundings for Given {
    fn function(&self, name: &str) -> Option<FunctionInfo> {
        let given = self.functions.get(name)?;
        let kind = match given.as_str().or_else(|| given.text("kind"))? {
            "read" => Kind::Read,
            "write" => Kind::Write,
            "act" => Kind::Act,
            "work" => Kind::Work,
            other => unreachable!("no kind {other}"),
        };
        let late = given
            .get("late")
            .into_iter()
            .flat_map(Value::items)
            .filter_map(Value::as_str);
        Some(FunctionInfo {
            kind,
            late: late.map(str::to_owned).collect(),
        })
    }

    fn file(&self, path: &str) -> Option<Arc<str>> {
        self.files.text(path).map(Arc::from)
    }
}

/// Functions that every case knows.
pub fn usual_functions() -> Value {
    tongban_expr::value!({
        "approve": "work", "collect": "work", "lookup": "read", "save": "write", "notify": "write",
        "http": "act", "openapi": "act", "send": "act",
        "batch": {"kind": "work", "late": ["input", "key"]}
    })
}

/// Compiles a text; a document without a head gets one.
pub fn program(text: &str, given: &Given) -> Result<Program, String> {
    let head = "document: { dsl: '1.0.3', namespace: test, name: case, version: '1.0.0' }\n";
    let text = if text.contains("document:\n")
        || text.contains("document: {") && text.starts_with("document")
    {
        text.to_owned()
    } else {
        format!("{head}{text}")
    };
    let parsed = tongban_dsl::parse(&text);
    let faults = |faults: &[tongban_dsl::Diagnostic]| -> String {
        faults
            .iter()
            .map(|fault| format!("{}:{} {}", fault.span.line, fault.code, fault.message))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let definition = parsed
        .definition
        .ok_or_else(|| faults(&parsed.diagnostics))?;
    compile(&definition, given).map_err(|diagnostics| faults(&diagnostics))
}

/// An environment with the facts of a case.
pub fn environment(facts: &Value) -> Env {
    let part = |name: &str| facts.get(name).cloned().unwrap_or_default();
    let zone = facts.text("zone").unwrap_or("Asia/Shanghai");
    Env {
        workflow: part("workflow"),
        runtime: tongban_expr::value!({"name": "tongban", "version": "test"}),
        params: part("params"),
        link: part("link"),
        secret_nonce: "nonce".to_owned(),
        zone: jiff::tz::TimeZone::get(zone).expect("a known zone"),
        ..Env::default()
    }
}
