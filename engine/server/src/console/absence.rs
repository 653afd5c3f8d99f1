//! One's own absence (离岗代理): from when to when, who acts meanwhile, and for whom one acts oneself.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tongban_org::Absence;
use tongban_store::{AbsenceRow, NO_DUE_MS};

use super::decide::PageFault;
use super::frame::{Frame, faulty_page, page as render};
use super::handing::{colleagues, person};
use super::item::page_lines;
use super::posted::Posted;
use super::start_list::title_of;
use crate::absences::{self, Unfit, Wanted};
use crate::app::App;
use crate::form::{FaultLine, civil_date};
use crate::language::InWords;
use crate::problem::Problem;
use crate::security::account::SignedIn;
use crate::security::identity::{Officer, Visitor};
use crate::words::fill;

#[derive(Template)]
#[template(path = "absence.html")]
struct AbsencePage {
    frame: Frame,
    faults: Vec<FaultLine>,
    rows: Vec<Row>,
    /// Those that an administrator set, and for whom one acts.
    others: Vec<(String, String)>,
    people: Vec<(String, String)>,
    processes: Vec<(String, String)>,
    from: String,
    to: String,
    who: String,
    of: String,
}

/// An absence that one keeps oneself.
struct Row {
    id: String,
    agent: String,
    days: String,
    of: String,
}

/// Shows the page.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Officer(signed_in): Officer,
) -> Result<Response, Problem> {
    let look = Look {
        app: &app,
        visitor: &visitor,
        signed_in: &signed_in,
    };
    render(&look.page(None, None).await?)
}

/// Keeps an absence, or ends one.
pub async fn act(
    State(app): State<App>,
    Officer(signed_in): Officer,
    posted: Posted,
) -> Result<Response, Problem> {
    let look = Look {
        app: &app,
        visitor: &posted.visitor,
        signed_in: &signed_in,
    };
    if let Some(id) = posted.filled("_end") {
        absences::end(&app, &signed_in.person, &id).await?;
        return Ok(Redirect::to("/absence?said=back").into_response());
    }
    let kept = match look.wanted(&posted) {
        Ok(wanted) => absences::add(&app, &signed_in.person, &wanted).await?,
        Err(fault) => return look.faulty(&posted, fault).await,
    };
    let words = posted.visitor.language.words();
    match kept {
        Ok(_) => Ok(Redirect::to("/absence?said=away").into_response()),
        Err(unfit) => {
            let (id, message) = match unfit {
                Unfit::Days => ("to", words.absence_days_wrong),
                Unfit::Agent => ("who", words.absence_agent_wrong),
                Unfit::Overlap => ("from", words.absence_overlaps),
                Unfit::Many => ("from", words.absence_many),
            };
            look.faulty(&posted, PageFault::new(id, message)).await
        }
    }
}

/// Somebody looking at the page.
struct Look<'a> {
    app: &'a App,
    visitor: &'a Visitor,
    signed_in: &'a SignedIn,
}

impl Look<'_> {
    /// What was posted; the first fault, when it cannot be meant.
    fn wanted(&self, posted: &Posted) -> Result<Wanted, PageFault> {
        let words = self.visitor.language.words();
        let day = |id: &str| {
            civil_date(posted.text(id)).ok_or_else(|| PageFault::new(id, words.absence_day_missing))
        };
        let from = day("from")?;
        let to = match posted.text("to") {
            "" => None,
            _ => Some(day("to")?),
        };
        let (organisation, now_ms) = (self.app.organisation(), self.app.now_ms());
        let agent = person(&organisation, posted.text("who"), now_ms, words);
        Ok(Wanted {
            from,
            to,
            agent: agent.map_err(|message| PageFault::new("who", &message))?,
            of: posted.filled("of"),
        })
    }

    async fn faulty(&self, posted: &Posted, fault: PageFault) -> Result<Response, Problem> {
        let page = self.page(Some(posted), Some(fault)).await?;
        faulty_page(StatusCode::UNPROCESSABLE_ENTITY, &page)
    }

    async fn page(
        &self,
        typed: Option<&Posted>,
        fault: Option<PageFault>,
    ) -> Result<AbsencePage, Problem> {
        let (app, language) = (self.app, self.visitor.language);
        let own = absences::own(app, &self.signed_in.person).await?;
        let views = app.runtime.workflows().await?;
        let processes: Vec<(String, String)> = views
            .iter()
            .map(|view| (view.workflow.clone(), title_of(view, language)))
            .collect();
        let text = |name: &str| typed.map_or_else(String::new, |posted| posted.text(name).into());
        Ok(AbsencePage {
            frame: Frame::new(app, self.visitor, "absence").with_faults(fault.is_some()),
            faults: page_lines(fault.as_slice()).collect(),
            others: self.others(&own),
            rows: own.iter().map(|row| self.row(row, &processes)).collect(),
            people: colleagues(app, std::slice::from_ref(&self.signed_in.person)),
            processes,
            from: text("from"),
            to: text("to"),
            who: text("who"),
            of: text("of"),
        })
    }

    fn row(&self, row: &AbsenceRow, processes: &[(String, String)]) -> Row {
        let words = self.visitor.language.words();
        let covered = absences::of(row).into_iter().map(|name| {
            let known = processes.iter().find(|(known, _)| *known == name);
            known.map_or(name, |(_, title)| title.clone())
        });
        let covered: Vec<String> = covered.collect();
        let agent = row.substitute_id.as_deref();
        Row {
            id: row.id.clone(),
            agent: agent
                .map(|agent| self.app.name_of(agent))
                .unwrap_or_default(),
            days: self.days(row.from_ms, row.until_ms),
            of: match covered.is_empty() {
                true => words.absence_all.to_owned(),
                false => covered.join("、"),
            },
        }
    }

    fn days(&self, from_ms: i64, until_ms: Option<i64>) -> String {
        let words = self.visitor.language.words();
        let calendar = self.app.organisation().calendar(None);
        let from = calendar.date_of(from_ms).to_string();
        match until_ms.filter(|until| *until < NO_DUE_MS) {
            Some(until) => {
                let to = calendar.date_of(until - 1).to_string();
                fill(words.absence_days, &[("from", &from), ("to", &to)])
            }
            None => fill(words.absence_from, &[("from", &from)]),
        }
    }

    /// What of absences concerns the person besides what the person keeps.
    fn others(&self, own: &[AbsenceRow]) -> Vec<(String, String)> {
        let (app, words) = (self.app, self.visitor.language.words());
        let (organisation, now_ms) = (app.organisation(), app.now_ms());
        let person = self.signed_in.person.as_str();
        let shown = |text: &str, who: &str, absence: &Absence| {
            let said = fill(text, &[("name", &app.name_of(who))]);
            (said, self.days(absence.from_ms, absence.to_ms))
        };
        let ahead = |absence: &&Absence| absence.to_ms.is_none_or(|to| to > now_ms);
        let kept = |absence: &&Absence| {
            let same = |row: &AbsenceRow| {
                row.from_ms == absence.from_ms && row.substitute_id == absence.agent
            };
            !own.iter().any(same)
        };
        let set = organisation
            .absences(person)
            .iter()
            .filter(ahead)
            .filter(kept);
        let set = set.map(|absence| {
            let agent = absence.agent.as_deref().unwrap_or_default();
            shown(words.absence_set, agent, absence)
        });
        let mut acts: Vec<&Absence> = organisation
            .absences_of_agent(person)
            .filter(ahead)
            .collect();
        acts.sort_by_key(|absence| (absence.from_ms, &absence.person));
        let acts = acts
            .into_iter()
            .map(|absence| shown(words.absence_acts, &absence.person, absence));
        set.chain(acts).collect()
    }
}
