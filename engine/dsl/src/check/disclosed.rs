//! Passwords and keys that stand in the document as plain text.

use tongban_expr::Language;

use crate::codes;
use crate::definition::Template;
use crate::diagnostic::Diagnostic;

use super::checker::Checker;

/// Headers that carry a secret.
const HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth-token",
    "x-access-token",
    "token",
];
/// Properties of an authentication that are secrets.
const SECRET: &[&str] = &["password", "token", "secret", "assertion"];

impl Checker<'_> {
    /// `headers: { Authorization: Bearer abc }`.
    pub(super) fn disclosing_headers(&mut self, with: &Template) {
        let Some(headers) = with.get("headers") else {
            return;
        };
        for header in headers.entries() {
            let name = header.key.to_ascii_lowercase();
            if HEADERS.contains(&name.as_str()) {
                self.disclosed(&header.value, &header.key);
            }
        }
    }

    /// `basic: { username: a, password: '123456' }`, at any depth.
    pub(super) fn disclosing_authentication(&mut self, authentication: &Template) {
        for entry in authentication.entries() {
            if SECRET.contains(&&*entry.key) && entry.value.entries().is_empty() {
                self.disclosed(&entry.value, &entry.key);
            } else if &*entry.key != "endpoints" {
                self.disclosing_authentication(&entry.value);
            }
        }
    }

    fn disclosed(&mut self, value: &Template, name: &str) {
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else {
            return;
        };
        let mark = match self.definition.evaluate.language {
            Language::Jq => "$secrets",
            Language::Rhai => "secrets",
        };
        // What stands before a space is the scheme, `Bearer` or `Basic`.
        let scheme = match text.split_once(' ') {
            Some((scheme, _)) if scheme.chars().all(char::is_alphabetic) => format!("{scheme} "),
            _ => String::new(),
        };
        self.faults.push(
            Diagnostic::warning(
                codes::PLAIN_SECRET,
                value.span,
                format!(
                    "`{name}` stands here in plain text: everybody who reads the document reads it"
                ),
            )
            .help(format!(
                "declare `use: {{ secrets: [NAME] }}` and write '{scheme}${{ {mark}.NAME }}'"
            )),
        );
    }
}
