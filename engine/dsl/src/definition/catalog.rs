//! Catalogues of functions: folders of the pack with one file for each version of a function.

use crate::definition::expression::Template;
use crate::definition::{Definition, Resource};
use crate::span::{Span, Spanned};

/// The catalogue that needs no declaration: a folder of that name in the pack, then the functions of the site.
pub const DEFAULT_CATALOG: &str = "default";

/// One entry of `use.catalogs`.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    /// Its name and the place of it.
    pub name: Spanned<String>,
    /// Its place in the document.
    pub span: Span,
    /// Where it is: a text, or an object with `uri`.
    pub endpoint: Template,
}

impl Catalog {
    /// Its folder in the pack, without a slash at the end, when its address is `pack://folder`.
    #[must_use]
    pub fn folder(&self) -> Option<String> {
        let resource = Resource {
            span: self.span,
            name: None,
            endpoint: self.endpoint.clone(),
        };
        resource
            .pack_path()
            .map(|path| path.trim_end_matches('/').to_owned())
    }
}

/// What `call` names when it names a function of a catalogue: `name:version@catalog`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cataloged<'a> {
    /// The function.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The catalogue.
    pub catalog: &'a str,
}

impl<'a> Cataloged<'a> {
    /// The one version that the functions of a site have in the default catalogue.
    pub const SITE_VERSION: &'static str = "1.0.0";

    /// Reads `name:version@catalog`; anything else is the name of a function of another origin.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let (function, catalog) = text.rsplit_once('@')?;
        let (name, version) = function.split_once(':')?;
        let plain = |part: &str| {
            !part.is_empty() && !part.contains(['/', ':', '@']) && part != "." && part != ".."
        };
        [name, version, catalog]
            .into_iter()
            .all(plain)
            .then_some(Self {
                name,
                version,
                catalog,
            })
    }

    /// Its file inside the catalogue.
    #[must_use]
    pub fn file(&self) -> String {
        format!("functions/{}/{}/function.yaml", self.name, self.version)
    }
}

impl Definition {
    /// The folder of a catalogue in the pack: as declared, or that of the default catalogue; `None` when there is no such
    /// catalogue.
    #[must_use]
    pub fn catalog_folder(&self, name: &str) -> Option<String> {
        match self.reusables.catalogs.get(name) {
            Some(catalog) => catalog.folder(),
            None if name == DEFAULT_CATALOG => Some(format!("catalogs/{DEFAULT_CATALOG}")),
            None => None,
        }
    }

    /// The file of the pack that a call of a cataloged function reads: for `name:version@catalog`, or for the address of
    /// the file itself (`pack://…/function.yaml`).
    #[must_use]
    pub fn function_file(&self, call: &str) -> Option<String> {
        if let Some(path) = call.strip_prefix("pack://") {
            return Some(path.to_owned());
        }
        let cataloged = Cataloged::read(call)?;
        let folder = self.catalog_folder(cataloged.catalog)?;
        Some(format!("{folder}/{}", cataloged.file()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cataloged_name_has_three_plain_parts() {
        let read = Cataloged::read("log:0.5.2@global").expect("a name");
        assert_eq!(
            (read.name, read.version, read.catalog),
            ("log", "0.5.2", "global")
        );
        assert_eq!(read.file(), "functions/log/0.5.2/function.yaml");
        for other in [
            "log",
            "log@global",
            "log:1.0.0",
            "a/b:1@c",
            "..:1@c",
            "log:1@",
            "https://x.example/f@v1",
        ] {
            assert_eq!(Cataloged::read(other), None, "{other}");
        }
    }
}
