//! Rules and templates: that they can be compiled and rendered, and that a template exists in every language.

use std::sync::Arc;

use tongban_dsl::{Diagnostic, Span, codes};
use tongban_expr::Script;

use super::{Checking, beginning};
use crate::render;

impl Checking<'_> {
    pub(super) fn rules(&mut self) {
        let rules: Vec<(String, Arc<str>)> = self.files_with(".rhai");
        for (path, source) in rules {
            if let Err(error) = Script::compile(&source, &path) {
                let span = Span::of(&source, error.at.clone());
                let help = error.help.unwrap_or_else(|| {
                    "the manual, “Packs”, says what a rule file sees and gives".to_owned()
                });
                self.push(
                    &path,
                    Diagnostic::error(codes::PACK_RULE, span, error.message).help(help),
                );
            }
        }
    }

    fn files_with(&self, ending: &str) -> Vec<(String, Arc<str>)> {
        let files = self.pack.files.iter();
        files
            .filter(|(path, _)| path.ends_with(ending))
            .map(|(path, source)| (path.clone(), source.clone()))
            .collect()
    }

    pub(super) fn templates(&mut self) {
        let mut templates = self.files_with(".md");
        templates.retain(|(path, _)| path.starts_with("mails/") || path.starts_with("notices/"));
        for (path, source) in templates {
            if let Err(error) = render::check(&source) {
                let line = u32::try_from(error.line).unwrap_or(1).max(1);
                let before: usize = source
                    .split_inclusive('\n')
                    .take(line as usize - 1)
                    .map(str::len)
                    .sum();
                let text = source.get(before..).and_then(|rest| rest.lines().next());
                let length = text.map_or(0, str::len);
                let span = Span::of(&source, before..before + length);
                self.push(
                    &path,
                    Diagnostic::error(codes::PACK_TEMPLATE, span, error.message).help(
                        "templates have `{{ value }}`, `{% if … %}` and the filters `date unit code verdict outcome`",
                    ),
                );
            }
            let stem = path
                .strip_suffix(".md")
                .and_then(|path| path.rsplit_once('.'));
            match stem {
                Some((name, _)) => self.other_languages(&path, name),
                None => {
                    let language = self.pack.manifest.languages.first();
                    let language = language.map_or("zh-CN", String::as_str);
                    let name = path.trim_end_matches(".md");
                    self.push(
                        &path,
                        Diagnostic::error(
                            codes::PACK_TEMPLATE,
                            beginning(),
                            "the name of a template's file says its language",
                        )
                        .help(format!("rename it to `{name}.{language}.md`")),
                    );
                }
            }
        }
    }

    fn other_languages(&mut self, path: &str, name: &str) {
        for language in &self.pack.manifest.languages.clone() {
            let file = format!("{name}.{language}.md");
            if !self.pack.files.contains_key(&file) {
                let message = format!("the template `{name}` does not exist in `{language}`");
                self.push(
                    path,
                    Diagnostic::error(codes::PACK_TEMPLATE, beginning(), message).help(format!(
                        "write `{file}`, or take `{language}` out of `languages` in pack.yaml"
                    )),
                );
            }
        }
    }
}
