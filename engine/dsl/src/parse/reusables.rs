//! `use`: what tasks refer to by name.

use super::reader::{Reader, first_line};
use crate::codes;
use crate::definition::{Catalog, Extension, Reusables};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node};
use crate::shape;
use crate::signatures;
use crate::span::Spanned;

const USE: &[&str] = &[
    "authentications",
    "errors",
    "extensions",
    "functions",
    "retries",
    "secrets",
    "timeouts",
    "catalogs",
];
const EXTENDED: &[(&str, ())] = &[
    ("call", ()),
    ("composite", ()),
    ("emit", ()),
    ("extension", ()),
    ("for", ()),
    ("listen", ()),
    ("raise", ()),
    ("run", ()),
    ("set", ()),
    ("switch", ()),
    ("try", ()),
    ("wait", ()),
    ("all", ()),
];

impl Reader {
    pub fn reusables(&mut self, node: &Node) -> Reusables {
        let mut found = Reusables::default();
        if self.closed(node, "`use`", USE).is_none() {
            return found;
        }
        for field in self.named(node, "authentications") {
            let template = self.template(&field.value);
            shape::check(
                &template,
                signatures::authentication(),
                "an authentication",
                &mut self.diagnostics,
            );
            found
                .authentications
                .insert(field.key.to_string(), template);
        }
        for field in self.named(node, "errors") {
            if let Some(error) =
                self.error_definition(&field.value, &format!("the error `{}`", field.key))
            {
                found.errors.insert(field.key.to_string(), error);
            }
        }
        for field in self.named(node, "functions") {
            let task = self.named_task(&field);
            found.functions.insert(field.key.to_string(), task);
        }
        for field in self.named(node, "retries") {
            if let Some(policy) =
                self.retry_policy(&field.value, &format!("the retry policy `{}`", field.key))
            {
                found.retries.insert(field.key.to_string(), policy);
            }
        }
        for field in self.named(node, "timeouts") {
            if let Some(after) = self.after(&field.value, &format!("the timeout `{}`", field.key)) {
                found.timeouts.insert(field.key.to_string(), after);
            }
        }
        if let Some(secrets) = node.get("secrets") {
            found.secrets = self.texts(secrets, "`secrets`");
        }
        for field in self.named(node, "catalogs") {
            if let Some(catalog) = self.catalog(&field) {
                found.catalogs.insert(field.key.to_string(), catalog);
            }
        }
        if let Some(extensions) = node.get("extensions") {
            found.extensions = self.extensions(extensions);
        }
        found
    }

    fn named(&mut self, node: &Node, property: &str) -> Vec<Field> {
        match node.get(property) {
            Some(found) => self
                .object(found, &format!("`{property}`"))
                .unwrap_or_default()
                .to_vec(),
            None => Vec::new(),
        }
    }

    fn extensions(&mut self, node: &Node) -> Vec<Extension> {
        let items = self.list(node, "`extensions`").unwrap_or_default();
        let mut found = Vec::new();
        for item in items {
            let names = item.fields().len();
            if names != 1 {
                self.report(
                    Diagnostic::error(
                        codes::MANY_TASKS,
                        item.span,
                        format!("an item of `extensions` is one extension, found {names}"),
                    )
                    .help("write each extension as an item of its own: `- NAME: { extend: … }`"),
                );
            }
        }
        for field in items.iter().flat_map(|item| item.fields()) {
            let what = format!("the extension `{}`", field.key);
            if found
                .iter()
                .any(|known: &Extension| known.name.value == *field.key)
            {
                self.report(
                    Diagnostic::error(
                        codes::DUPLICATE_TASK,
                        field.key_span,
                        format!("{what} stands twice"),
                    )
                    .help("rename one: its tasks are named after it"),
                );
            }
            if self
                .closed(&field.value, &what, &["extend", "when", "before", "after"])
                .is_none()
            {
                continue;
            }
            let extend = self
                .required(&field.value, &what, "extend")
                .and_then(|extend| self.extended(extend));
            let when = field
                .value
                .get("when")
                .and_then(|when| self.condition(when, "`when`"));
            let before = field
                .value
                .get("before")
                .map(|tasks| self.tasks(tasks, &format!("`before` of {what}")))
                .unwrap_or_default();
            let after = field
                .value
                .get("after")
                .map(|tasks| self.tasks(tasks, &format!("`after` of {what}")))
                .unwrap_or_default();
            let name = Spanned::new(field.key.to_string(), field.key_span);
            if let Some(extend) = extend {
                found.push(Extension {
                    name,
                    extend,
                    when,
                    before,
                    after,
                });
            }
        }
        found
    }

    /// The kind of tasks that an extension extends.
    fn extended(&mut self, node: &Node) -> Option<Spanned<String>> {
        self.choice(node, "`extend`", EXTENDED)?;
        self.text(node, "`extend`")
    }

    /// A catalogue: a folder of the pack.
    fn catalog(&mut self, field: &Field) -> Option<Catalog> {
        let what = format!("the catalogue `{}`", field.key);
        self.closed(&field.value, &what, &["endpoint"])?;
        let endpoint = self.required(&field.value, &what, "endpoint")?;
        let endpoint = self.template(endpoint);
        shape::check(
            &endpoint,
            signatures::endpoint(),
            "an endpoint",
            &mut self.diagnostics,
        );
        let catalog = Catalog {
            name: Spanned::new(field.key.to_string(), field.key_span),
            span: field.value.span,
            endpoint,
        };
        if catalog.folder().is_none() {
            self.report(
                Diagnostic::error(
                    codes::UNSUPPORTED_CATALOG,
                    first_line(field.key_span),
                    format!("{what} lies outside the pack: nothing is fetched when a workflow is published"),
                )
                .help(format!(
                    "copy its functions to `catalogs/{0}/functions/NAME/VERSION/function.yaml` of the pack and write `endpoint: pack://catalogs/{0}`",
                    field.key
                )),
            );
        }
        Some(catalog)
    }
}
