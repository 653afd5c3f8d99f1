//! Starting a case: the form, its draft, the page on which answers are checked.
//! Nothing is sent before that page is confirmed, and confirming twice starts one case.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value as Json;
use tongban_runtime::form::{FieldFault, NoCodes};
use tongban_runtime::{RuntimeError, Start};

use super::frame::{Frame, faulty_page, page};
use super::posted::Posted;
use super::time;
use crate::api::body::{json, value};
use crate::app::App;
use crate::counters::Counted;
use crate::drafts::{self, Place};
use crate::form::{self, Access, Decoded, Fault, FaultLine, Form, What};
use crate::language::{InWords, Language};
use crate::offers::{Lookup, Surroundings, with_defaults};
use crate::problem::Problem;
use crate::security::account::SignedIn;
use crate::security::identity::{Officer, Visitor};
use crate::security::secret::random_token;
use crate::visibility::{self, Startable};
use crate::words::fill;

#[derive(Template)]
#[template(path = "start_form.html")]
struct StartForm {
    frame: Frame,
    title: String,
    action: String,
    fields: String,
    faults: Vec<FaultLine>,
    holder: Option<String>,
    link: Option<String>,
    /// When the draft was saved that is shown, in words.
    draft: Option<String>,
}

#[derive(Template)]
#[template(path = "start_check.html")]
struct StartCheck {
    frame: Frame,
    title: String,
    action: String,
    answers: String,
    hidden: Vec<(String, String)>,
    warnings: Vec<String>,
    key: String,
    link: Option<String>,
}

/// The number of the case that a new one follows.
#[derive(Deserialize)]
pub struct StartQuery {
    #[serde(default)]
    link: String,
}

/// Shows the start form.
pub async fn form(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
    Path((namespace, name)): Path<(String, String)>,
    Query(query): Query<StartQuery>,
) -> Result<Response, Problem> {
    let asking = Asking {
        app: &app,
        visitor: &visitor,
        signed_in: &signed_in,
        workflow: format!("{namespace}/{name}"),
        link: Some(query.link).filter(|link| !link.is_empty()),
    };
    asking.startable().await?.checked()?;
    let starting = Starting::of(&asking, &Json::Null).await?;
    let draft = drafts::one(&app, asking.place()).await?;
    let (data, saved_at_ms) = match draft {
        Some(draft) => (draft.data, Some(draft.saved_at_ms)),
        None => (starting.form.prefilled(), None),
    };
    // Choices may hang on what is filled in already.
    let starting = Starting::of(&asking, &data).await?;
    let mut shown = starting.form_page(&app, &visitor, &data, Vec::new(), None);
    shown.draft = saved_at_ms.map(|at_ms| {
        let moment = time::moment(&app.site.zone, at_ms);
        fill(visitor.language.words().draft_shown, &[("time", &moment)])
    });
    page(&shown)
}

/// Takes the form: rows come and go, answers are checked, the case is started.
pub async fn submit(
    State(app): State<App>,
    Officer(signed_in): Officer,
    Path((namespace, name)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let visitor = &posted.visitor;
    let asking = Asking {
        app: &app,
        visitor,
        signed_in: &signed_in,
        workflow: format!("{namespace}/{name}"),
        link: posted.filled("_link"),
    };
    let access = Access::edit_all();
    let act = posted.text("_act");
    let startable = asking.startable().await?;
    // Who sends the same answers again after the notice is over is shown what became of them.
    if startable != Startable::Over || act != "submit" {
        startable.checked()?;
    }
    if act == "discard" {
        drafts::remove(&app, asking.place()).await?;
        return Ok(Redirect::to("/start?said=discarded").into_response());
    }
    // The first reading gives the answers on which later choices hang.
    let first = Starting::of(&asking, &Json::Null).await?;
    let sketch = form::sketch(&first.form.prefilled(), &posted.entries);
    let starting = Starting::of(&asking, &sketch).await?;
    let finished = matches!(act, "check" | "submit")
        && posted
            .entries
            .first("_add")
            .or(posted.entries.first("_remove"))
            .is_none();
    let base = starting.form.prefilled();
    let Decoded { mut data, faults } =
        form::decode(&starting.form, &access, &base, &posted.entries, finished)
            .map_err(unexpected)?;
    if act == "save" {
        drafts::save(&app, asking.place(), &data).await?;
        return Ok(Redirect::to("/start?said=saved").into_response());
    }
    if !finished {
        form::edit_rows(&starting.form, &access, &mut data, &posted.entries);
        return page(&starting.form_page(&app, visitor, &data, Vec::new(), None));
    }
    let (faults, warnings) = starting.check(&data, faults)?;
    if !faults.is_empty() {
        let lines = starting.lines(&faults, visitor.language);
        return faulty_page(
            StatusCode::UNPROCESSABLE_ENTITY,
            &starting.form_page(&app, visitor, &data, lines, None),
        );
    }
    match act {
        "submit" => starting.start(&asking, &posted, &data, startable).await,
        _ => page(&starting.check_page(&app, visitor, &data, warnings)),
    }
}

fn unexpected(name: String) -> Problem {
    Problem::malformed(format!(
        "the form has no field `{name}` that may be filled in"
    ))
}

/// Somebody who wants to start a case.
struct Asking<'a> {
    app: &'a App,
    visitor: &'a Visitor,
    signed_in: &'a SignedIn,
    workflow: String,
    /// The number of the case that the new one follows.
    link: Option<String>,
}

impl Asking<'_> {
    async fn startable(&self) -> Result<Startable, Problem> {
        let (asker, follows) = (self.signed_in.asker(), self.link.as_deref());
        visibility::may_begin(self.app, asker, &self.workflow, follows).await
    }

    /// Where what is begun here is kept.
    fn place(&self) -> Place<'_> {
        Place {
            person: &self.signed_in.person,
            workflow: &self.workflow,
            follows: self.link.as_deref(),
        }
    }
}

/// A start form with everything that it offers.
struct Starting {
    workflow: String,
    title: String,
    schema: Json,
    form: Form,
    link: Option<String>,
}

impl Starting {
    async fn of(asking: &Asking<'_>, data: &Json) -> Result<Self, Problem> {
        let (app, language) = (asking.app, asking.visitor.language);
        let (signed_in, workflow) = (asking.signed_in, asking.workflow.clone());
        let schema = json(&app.runtime.form(&workflow).await?);
        let around = Surroundings {
            workflow: &workflow,
            form: data,
            starter: Some(&signed_in.person),
            unit: signed_in.unit.as_deref(),
            language,
        };
        let organisation = app.organisation();
        let identity = organisation.person(&signed_in.person).and_then(|person| {
            let id = person.identity.clone()?;
            Some(serde_json::json!({ "name": person.name, "id": id }))
        });
        let schema = with_defaults(&schema, &around, identity.as_ref());
        let lookup = Lookup::of(app, &schema, &around).await?;
        let form = form::build(&schema, &lookup);
        let title = form.title.text(language).to_owned();
        let title = if title.is_empty() {
            workflow.clone()
        } else {
            title
        };
        Ok(Self {
            title,
            schema,
            form,
            workflow,
            link: asking.link.clone(),
        })
    }

    /// Adds what the schema says to what reading found; errors and warnings apart.
    fn check(
        &self,
        data: &Json,
        mut faults: Vec<Fault>,
    ) -> Result<(Vec<Fault>, Vec<FieldFault>), Problem> {
        let form = tongban_runtime::form::Form::compile(&value(&self.schema)?)
            .map_err(Problem::internal)?;
        let (warnings, errors): (Vec<_>, Vec<_>) = form
            .faults(&value(data)?, &NoCodes)
            .into_iter()
            .partition(|fault| fault.warning);
        faults.extend(errors.into_iter().map(field_fault));
        Ok((first_of_each(faults), warnings))
    }

    fn lines(&self, faults: &[Fault], language: Language) -> Vec<FaultLine> {
        faults
            .iter()
            .map(|fault| fault.line(&self.form, language))
            .collect()
    }

    fn action(&self) -> String {
        format!("/start/{}", self.workflow)
    }

    fn form_page(
        &self,
        app: &App,
        visitor: &Visitor,
        data: &Json,
        faults: Vec<FaultLine>,
        holder: Option<String>,
    ) -> StartForm {
        StartForm {
            frame: Frame::new(app, visitor, "start")
                .with_faults(!faults.is_empty() || holder.is_some()),
            title: self.title.clone(),
            action: self.action(),
            fields: form::render_fields(
                &self.form,
                &Access::edit_all(),
                data,
                &faults,
                visitor.language,
            ),
            faults,
            holder,
            link: self.link.clone(),
            draft: None,
        }
    }

    fn check_page(
        &self,
        app: &App,
        visitor: &Visitor,
        data: &Json,
        warnings: Vec<FieldFault>,
    ) -> StartCheck {
        let said = |fault: FieldFault| {
            field_fault(fault)
                .line(&self.form, visitor.language)
                .message
        };
        StartCheck {
            frame: Frame::new(app, visitor, "start"),
            title: self.title.clone(),
            action: self.action(),
            answers: form::render_read(
                &self.form,
                &Access::read_all().unmasked(),
                data,
                visitor.language,
            ),
            hidden: form::hidden_inputs(&self.form, &Access::edit_all(), data),
            warnings: warnings.into_iter().map(said).collect(),
            key: random_token(),
            link: self.link.clone(),
        }
    }

    async fn start(
        &self,
        asking: &Asking<'_>,
        posted: &Posted,
        data: &Json,
        startable: Startable,
    ) -> Result<Response, Problem> {
        let (app, visitor, signed_in) = (asking.app, asking.visitor, asking.signed_in);
        let key = posted
            .filled("_key")
            .filter(|key| key.len() <= 64)
            .map(|key| format!("console-{key}"));
        let start = Start {
            workflow: self.workflow.clone(),
            version: None,
            input: value(data)?,
            caller: signed_in.caller(),
            idempotency_key: key,
            link: self.link.clone(),
        };
        let confirmed = |id: &str| Redirect::to(&format!("/cases/{id}/confirmation"));
        if startable == Startable::Over {
            let before = app.runtime.started_before(&start).await?;
            let before = before.ok_or_else(Problem::notice_over)?;
            return Ok(confirmed(&before.id).into_response());
        }
        match app.runtime.start(start).await {
            Ok(started) => {
                app.counters.count(Counted::Start);
                // The case is durable: a draft that stays behind is a nuisance and no failure.
                if let Err(problem) = drafts::remove(app, asking.place()).await {
                    tracing::warn!(detail = ?problem.detail, "the draft of a started case stays");
                }
                Ok(confirmed(&started.id).into_response())
            }
            Err(RuntimeError::Invalid(faults)) => {
                let faults: Vec<Fault> = faults.into_iter().map(field_fault).collect();
                let lines = self.lines(&faults, visitor.language);
                faulty_page(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &self.form_page(app, visitor, data, lines, None),
                )
            }
            Err(RuntimeError::Conflict { instance, .. }) => {
                let seen = crate::visibility::head(app, signed_in.asker(), &instance)
                    .await
                    .is_ok();
                let holder = Some(if seen { instance } else { String::new() });
                faulty_page(
                    StatusCode::CONFLICT,
                    &self.form_page(app, visitor, data, Vec::new(), holder),
                )
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// A fault of the schema as a fault at a field of the page.
pub fn field_fault(fault: FieldFault) -> Fault {
    let what = match fault.keyword.as_str() {
        "required" | "const" => What::Required,
        _ => What::Said {
            chinese: fault.zh,
            english: fault.en,
        },
    };
    Fault::new(fault.field, what)
}

/// One fault for each field: the first says it best.
pub fn first_of_each(faults: Vec<Fault>) -> Vec<Fault> {
    let mut kept: Vec<Fault> = Vec::with_capacity(faults.len());
    for fault in faults {
        if !kept.iter().any(|other| other.name == fault.name) {
            kept.push(fault);
        }
    }
    kept
}
