//! What of a post is shown again on the page of an item, in the part of the page from which it came.

use serde_json::Value as Json;

use super::decide::PageFault;
use super::posted::Posted;
use crate::form::Fault;

/// The parts of the page besides the answer; each is a form of its own.
const PARTS: [&str; 4] = ["return", "correct", "hand", "comment"];

/// What of a post is shown again, in the part of the page from which it came.
#[derive(Default)]
pub struct Again<'a> {
    /// What the form holds.
    pub data: Option<Json>,
    /// Faults at fields of the form.
    pub fields: Vec<Fault>,
    /// Faults elsewhere on the page.
    pub page: Vec<PageFault>,
    posted: Option<&'a Posted>,
}

impl<'a> Again<'a> {
    /// What was posted, with what is wrong about it.
    pub fn of(
        posted: &'a Posted,
        data: Option<Json>,
        fields: Vec<Fault>,
        page: Vec<PageFault>,
    ) -> Self {
        Self {
            data,
            fields,
            page,
            posted: Some(posted),
        }
    }

    /// The part of the page that was posted; empty for the answer, or when nothing was.
    fn part(&self) -> &'static str {
        let act = self.posted.map_or("", |posted| posted.text("_act"));
        PARTS
            .into_iter()
            .find(|part| *part == act)
            .unwrap_or_default()
    }

    /// What was typed on the answer.
    pub fn answer(&self) -> Option<&'a Posted> {
        self.posted.filter(|_| self.part().is_empty())
    }

    /// What was typed in a part.
    pub fn in_part(&self, part: &str) -> Option<&'a Posted> {
        self.posted.filter(|_| self.part() == part)
    }

    /// What was typed in another part, ready to be shown.
    pub fn typed(&self) -> Typed {
        let names = [
            "_to", "_resume", "_items", "_who", "_way", "_text", "_comment",
        ];
        let posted = self.posted.filter(|_| !self.part().is_empty());
        let texts = names.into_iter().map(|name| {
            let text = posted.map_or("", |posted| posted.text(name));
            (name, text.to_owned())
        });
        Typed {
            part: self.part(),
            texts: texts.collect(),
        }
    }
}

/// What was typed in a part of the page besides the answer.
pub struct Typed {
    part: &'static str,
    texts: Vec<(&'static str, String)>,
}

impl Typed {
    /// Whether it is about this part, which then is open.
    pub fn is(&self, part: &str) -> bool {
        self.part == part
    }

    /// A text of a part.
    pub fn text(&self, part: &str, name: &str) -> &str {
        let found = self.texts.iter().find(|(known, _)| *known == name);
        found
            .filter(|_| self.is(part))
            .map_or("", |(_, text)| text.as_str())
    }
}
