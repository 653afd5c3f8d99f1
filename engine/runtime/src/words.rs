//! What the templates of a bundle ask for: names of units, titles of codes, dates; and the standard templates.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tongban_expr::{Units, Value};
use tongban_org::Organisation;

use crate::bundles::Ready;
use crate::render::Words;

/// The words of one language for one bundle.
pub struct BundleWords {
    language: String,
    ready: Arc<Ready>,
    organisation: Arc<Organisation>,
    zone: TimeZone,
}

impl BundleWords {
    /// The words of a language.
    pub fn new(
        ready: Arc<Ready>,
        organisation: Arc<Organisation>,
        zone: TimeZone,
        language: &str,
    ) -> BundleWords {
        BundleWords {
            language: language.to_owned(),
            ready,
            organisation,
            zone,
        }
    }
}

impl Words for BundleWords {
    fn language(&self) -> &str {
        &self.language
    }

    fn unit(&self, id: &str) -> Option<String> {
        let unit = self.organisation.unit(id)?;
        let english = unit
            .name_en
            .clone()
            .filter(|_| !self.language.starts_with("zh"));
        english.or_else(|| Units::name(&*self.organisation, id))
    }

    fn code(&self, list: &str, code: &str) -> Option<String> {
        let facts = self.ready.forms.facts()?;
        facts
            .codes
            .title(list, code, &self.language)
            .map(str::to_owned)
    }

    fn date(&self, value: &Value) -> Option<String> {
        let at = match (value.as_i64(), value.as_str()) {
            (Some(millis), _) => Timestamp::from_millisecond(millis).ok()?,
            (None, Some(text)) => match text.parse::<Timestamp>() {
                Ok(at) => at,
                // A date without a time is shown as it is.
                Err(_) => return Some(text.to_owned()),
            },
            (None, None) => return None,
        };
        let local = at.to_zoned(self.zone.clone());
        let format = if self.language.starts_with("zh") {
            "%Y年%-m月%-d日 %H:%M"
        } else {
            "%-d %B %Y %H:%M"
        };
        Some(local.strftime(format).to_string())
    }
}

/// The names of the engine's own templates.
pub fn letters() -> impl Iterator<Item = &'static str> {
    STANDARD.iter().map(|(name, _, _)| *name)
}

/// The engine's own templates, for what the desk tells people; a pack may bring its own under the same name.
const STANDARD: &[(&str, &str, &str)] = &[
    (
        "work/task",
        include_str!("../mails/task.zh-CN.md"),
        include_str!("../mails/task.en.md"),
    ),
    (
        "work/correction",
        include_str!("../mails/correction.zh-CN.md"),
        include_str!("../mails/correction.en.md"),
    ),
    (
        "work/reminder",
        include_str!("../mails/reminder.zh-CN.md"),
        include_str!("../mails/reminder.en.md"),
    ),
    (
        "work/card",
        include_str!("../mails/card.zh-CN.md"),
        include_str!("../mails/card.en.md"),
    ),
    (
        "work/urge",
        include_str!("../mails/urge.zh-CN.md"),
        include_str!("../mails/urge.en.md"),
    ),
    (
        "work/handed",
        include_str!("../mails/handed.zh-CN.md"),
        include_str!("../mails/handed.en.md"),
    ),
    (
        "work/closed",
        include_str!("../mails/closed.zh-CN.md"),
        include_str!("../mails/closed.en.md"),
    ),
];

impl Ready {
    /// A template of the bundle in a language, else in the other one, else the engine's own of that name.
    pub fn template(&self, name: &str, language: &str) -> Option<Arc<str>> {
        let path = |language: &str| format!("{name}.{language}.md");
        let own = self.bundle.files.get(&path(language));
        let other = ["zh-CN", "en"]
            .into_iter()
            .find_map(|language| self.bundle.files.get(&path(language)));
        own.or(other).cloned().or_else(|| standard(name, language))
    }
}

fn standard(name: &str, language: &str) -> Option<Arc<str>> {
    let (_, chinese, english) = STANDARD.iter().find(|(known, _, _)| *known == name)?;
    Some(Arc::from(if language.starts_with("zh") {
        *chinese
    } else {
        *english
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render;

    #[test]
    fn the_standard_templates_are_sound_in_both_languages() {
        for (name, chinese, english) in STANDARD {
            for source in [chinese, english] {
                assert_eq!(render::check(source), Ok(()), "{name}");
            }
        }
    }
}
