//! A work item opened by a person who may see it: the view, its form, what the form holds.

use serde_json::Value as Json;
use tongban_runtime::CaseView;
use tongban_store::InstanceRow;
use tongban_work::{ItemView, OutcomeView};

use super::decide::plain;
use super::{outline, timeline, value};
use crate::api::body::json;
use crate::app::App;
use crate::form::{self, Access, Entries, Form};
use crate::language::{InWords, Language};
use crate::offers::{Lookup, Surroundings};
use crate::problem::Problem;
use crate::reveal::Look;
use crate::veil::Veil;
use crate::visibility::Asker;

/// An item with everything that its page needs.
pub struct Opened {
    /// The case.
    pub case: CaseView,
    /// The case's title.
    pub title: String,
    /// The item as its viewer sees it.
    pub view: ItemView,
    /// The item's form.
    pub form: Form,
    /// What the form holds.
    pub data: Json,
}

/// A target of a return.
pub struct Target {
    /// What is posted.
    pub word: String,
    /// What people read.
    pub title: String,
}

/// A form field that a return may mark.
pub struct Markable {
    /// The path.
    pub path: String,
    /// The title.
    pub title: String,
    /// Why it is marked, as typed before.
    pub why: String,
}

impl Opened {
    /// Opens an item for a person who may see it; `typed` is what was posted, on which choices hang.
    ///
    /// # Errors
    /// 404 when the item is not this person's business.
    pub async fn of(
        app: &App,
        case: CaseView,
        title: String,
        n: u32,
        person: &str,
        typed: Option<&Entries>,
        language: Language,
    ) -> Result<Self, Problem> {
        let view = case.item(n, person).ok_or_else(Problem::not_found)?;
        let schema = view
            .form
            .as_ref()
            .and_then(|form| case.form_schema(form))
            .map(|schema| json(&schema))
            .unwrap_or_default();
        let data = plain(&view.data);
        let sketched = typed.map(|entries| form::sketch(&data, entries));
        let around = Surroundings {
            workflow: &case.head.workflow,
            form: sketched.as_ref().unwrap_or(&data),
            starter: Some(case.head.starter.user.as_str()).filter(|user| !user.is_empty()),
            unit: case.head.starter.unit.as_deref(),
            language,
        };
        let lookup = Lookup::of(app, &schema, &around).await?;
        let form = form::build(&schema, &lookup);
        Ok(Self {
            case,
            title,
            view,
            form,
            data,
        })
    }

    /// The title of what is asked.
    pub fn task(&self, language: Language) -> String {
        let titles = outline::titles(&self.case, language);
        match self.case.desk.item(self.view.n) {
            Some(item) => timeline::step_title(item, &titles, language),
            None => self.view.title.clone(),
        }
    }

    /// The outcomes with their reasons, in the reader's language.
    pub fn outcomes(&self, language: Language) -> Vec<OutcomeView> {
        outcomes(&self.case, &self.view, language)
    }

    /// What somebody who only looks on does not see of the case.
    ///
    /// # Errors
    /// The database refused.
    pub async fn veil(
        &self,
        app: &App,
        asker: Asker<'_>,
        head: &InstanceRow,
    ) -> Result<Veil, Problem> {
        let case = &self.case;
        let look = Look {
            app,
            asker,
            head,
            case,
        };
        Veil::of(&look).await
    }

    /// What is shown beside the form, rendered.
    pub fn shown(&self, veil: &Veil, language: Language) -> Vec<(String, String)> {
        let shown = veil.told(json(&self.view.show));
        let members = shown.as_object().into_iter().flatten();
        members
            .map(|(title, data)| (title.clone(), value::render(data, language.words())))
            .collect()
    }

    /// The case's form as it is read.
    pub fn answers(&self, access: &Access, language: Language) -> String {
        form::render_read(&self.form, access, &self.data, language)
    }

    /// What changed since the round before.
    pub fn changes(&self, access: &Access, language: Language) -> Vec<form::Change> {
        let mut before = self.data.clone();
        for difference in &self.view.difference {
            put(&mut before, &difference.field, json(&difference.old));
        }
        let reading = form::Reading {
            language,
            masks: access.masks(),
        };
        form::changes(&self.form, &before, &self.data, reading)
    }

    /// Where the case may be sent back to.
    pub fn targets(&self, language: Language) -> Vec<Target> {
        let words = language.words();
        let titles = outline::titles(&self.case, language);
        let passed: Vec<&str> = self
            .case
            .desk
            .items()
            .iter()
            .map(|item| item.path.as_str())
            .collect();
        let mut targets = Vec::new();
        for word in self.view.returns.iter().flat_map(|returns| &returns.to) {
            let title = match word.as_str() {
                "applicant" => words.applicant.to_owned(),
                "previous" => words.previous_step.to_owned(),
                "any" => {
                    let others = passed.iter().filter(|path| **path != self.view.path);
                    targets.extend(others.map(|path| {
                        Target {
                            word: (*path).to_owned(),
                            title: titles
                                .get(*path)
                                .cloned()
                                .unwrap_or_else(|| (*path).to_owned()),
                        }
                    }));
                    continue;
                }
                path => {
                    let own = titles.iter().find(|(known, _)| {
                        known.rsplit('/').next() == Some(path) || *known == path
                    });
                    own.map_or_else(|| path.to_owned(), |(_, title)| title.clone())
                }
            };
            targets.push(Target {
                word: word.clone(),
                title,
            });
        }
        targets
    }
}

/// The outcomes of an item with their reasons, in the reader's language.
pub fn outcomes(case: &CaseView, view: &ItemView, language: Language) -> Vec<OutcomeView> {
    let item = case.desk.item(view.n);
    let said = |outcome: &OutcomeView| {
        let title = match (&outcome.title_en, language) {
            (Some(english), Language::English) => english.clone(),
            _ => outcome.title.clone(),
        };
        let list = item.and_then(|item| item.spec.reasons.get(&outcome.name));
        let reasons = list.and_then(|list| case.codes(list, language.tag()));
        OutcomeView {
            title,
            reasons: reasons.unwrap_or_else(|| outcome.reasons.clone()),
            ..outcome.clone()
        }
    };
    view.outcomes.iter().map(said).collect()
}

/// Puts a value at a path such as `list[1].n`, where its surroundings exist.
fn put(data: &mut Json, path: &str, value: Json) {
    let pointer = format!(
        "/{}",
        path.replace('[', "/").replace(']', "").replace('.', "/")
    );
    if let Some(place) = data.pointer_mut(&pointer) {
        *place = value;
    } else if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(object) = data.pointer_mut(parent).and_then(Json::as_object_mut)
    {
        object.insert(name.to_owned(), value);
    }
}
