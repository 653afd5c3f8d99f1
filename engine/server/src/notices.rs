//! Public notices (公示) as everybody meets them, in the console and through the API: those that stand now, and the text
//! of one with what its form masks masked in it.

use serde::Serialize;
use tongban_runtime::CaseView;
use tongban_store::{InstanceRow, NoticeRow};
use tongban_work::NoticeView;
use utoipa::ToSchema;

use crate::api::body::{json, value};
use crate::api::cursor::{Place, cut};
use crate::app::App;
use crate::form::Masks;
use crate::language::Language;
use crate::problem::Problem;
use crate::visibility::item_id;

/// A notice in the list of those that stand.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoticeEntry {
    /// `INSTANCE.N`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The number of its case, which an objection gives as `link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The workflow of its case.
    pub workflow: String,
    /// The unit of its case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// Until when it stands, milliseconds UTC.
    pub due_at_ms: i64,
    /// Its page in the console.
    pub url: String,
}

/// Lists the notices that stand now, newest first; `text` is a part of the title or number.
///
/// # Errors
/// The database refused.
pub async fn open(
    app: &App,
    text: &str,
    place: Option<Place>,
    limit: i64,
) -> Result<(Vec<NoticeEntry>, Option<String>), Problem> {
    let before = place
        .as_ref()
        .map(|place| (place.at_ms, place.id.as_str(), place.n));
    let store = app.store();
    let rows = store.notices_open(text, app.now_ms(), before, limit + 1);
    let (rows, next) = cut(rows.await.map_err(Problem::from)?, limit, |row| Place {
        at_ms: row.opened_at_ms,
        id: row.instance_id.clone(),
        n: row.n,
    });
    let entries = rows.into_iter().map(|row| entry(app, row));
    Ok((entries.collect(), next))
}

fn entry(app: &App, row: NoticeRow) -> NoticeEntry {
    let calendar = app.organisation().calendar(row.unit_id.as_deref());
    let id = format!("{}.{}", row.instance_id, row.n);
    NoticeEntry {
        url: address(app, &id),
        id,
        title: row.title,
        number: row.number,
        workflow: row.workflow,
        unit: row.unit_id,
        from: calendar.date_of(row.opened_at_ms).to_string(),
        to: calendar.date_of(row.due_at_ms).to_string(),
        due_at_ms: row.due_at_ms,
    }
}

/// The page of a notice.
fn address(app: &App, id: &str) -> String {
    format!("{}/notices/{id}", app.site.url)
}

/// A notice with its case. Whether the reader may know more than that it is over is for the caller to ask.
pub struct Found {
    /// The head of the case.
    pub head: InstanceRow,
    /// The case.
    pub case: CaseView,
    /// The notice.
    pub notice: NoticeView,
}

impl Found {
    /// Finds a notice by its id, `INSTANCE.N`.
    ///
    /// # Errors
    /// 404 when there never was such a notice.
    pub async fn of(app: &App, id: &str) -> Result<Self, Problem> {
        let (instance, n) = item_id(id)?;
        let found = app.store().instance_head(instance).await;
        let head = found
            .map_err(Problem::from)?
            .ok_or_else(Problem::not_found)?;
        let case = app.runtime.case(instance).await?;
        let mut notices = case.notices().into_iter();
        let notice = notices.find(|notice| notice.n == n);
        let notice = notice.ok_or_else(Problem::not_found)?;
        Ok(Self { head, case, notice })
    }

    /// The text as its author wrote it, as HTML.
    ///
    /// # Errors
    /// The template cannot be rendered.
    pub async fn text(&self, app: &App, language: Language) -> Result<String, Problem> {
        let mut form = self.case.instance.form().clone();
        let schema = self.case.start_form_schema();
        if let Some(masks) = schema.and_then(|schema| Masks::of(&json(&schema))) {
            form = value(&masks.masked(json(&form)))?;
        }
        // The link of the text leads to the button below it.
        let url = format!(
            "{}#object",
            address(app, &format!("{}.{}", self.head.id, self.notice.n))
        );
        let text = app
            .runtime
            .notice_text(&self.case, &self.notice, form, &url, language.tag())
            .await?;
        Ok(text.html)
    }

    /// The notice as an entry of the list.
    pub fn entry(&self, app: &App) -> NoticeEntry {
        let id = format!("{}.{}", self.head.id, self.notice.n);
        NoticeEntry {
            url: address(app, &id),
            id,
            title: self.notice.title.clone(),
            number: self.head.number.clone(),
            workflow: self.head.workflow.clone(),
            unit: self.head.unit_id.clone(),
            from: self.notice.from.clone(),
            to: self.notice.to.clone(),
            due_at_ms: self.notice.due_at_ms,
        }
    }
}
