//! What is masked in a case's form: who sees it anyhow, who may ask for it, and the trace of having asked. The console
//! and the API go through here.

use tongban_org::Function;
use tongban_runtime::CaseView;
use tongban_store::{AccessRow, Change, InstanceRow, Outcome};

use crate::api::operations::checked;
use crate::app::App;
use crate::problem::Problem;
use crate::visibility::{self, Asker};

/// Somebody looking at the form of a case.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The site.
    pub app: &'a App,
    /// Who looks.
    pub asker: Asker<'a>,
    /// The head of the case.
    pub head: &'a InstanceRow,
    /// The case.
    pub case: &'a CaseView,
}

impl Look<'_> {
    /// Whether the case is the looker's own: the applicant's, or for a key without a person one of its very unit.
    pub fn is_own(&self) -> bool {
        match self.asker.person {
            Some(person) => self.head.starter_id.as_deref() == Some(person),
            None => self.asker.unit.is_some() && self.asker.unit == self.head.unit_id.as_deref(),
        }
    }

    /// What is masked may be looked at by whoever takes part in the case or may read it by a right, not by those who
    /// only got a copy.
    pub fn may_reveal(&self) -> bool {
        let takes_part = |person: &str| {
            let items = self.case.desk.items().iter();
            let mut views = items.filter_map(|item| self.case.item(item.n, person));
            views.any(|view| view.status != "closed")
        };
        visibility::may(self.app, self.asker, Function::View, self.head)
            || self.asker.person.is_some_and(takes_part)
    }

    /// Leaves a trace of who looked and why; nothing may be shown before it is kept.
    ///
    /// # Errors
    /// The looker may not, the reason is none, the database refused.
    pub async fn reveal(&self, who: &str, why: &str, not_allowed: &str) -> Result<(), Problem> {
        if !self.may_reveal() {
            return Err(Problem::forbidden(not_allowed));
        }
        let why = checked(why)?;
        let now_ms = self.app.now_ms();
        let mut change = Change::without_instance(now_ms);
        change.add(AccessRow {
            id: uuid::Uuid::now_v7().to_string(),
            register: format!("case/{}", self.head.workflow),
            record_id: Some(self.head.id.clone()),
            who: who.to_owned(),
            why,
            fields: "[\"*\"]".to_owned(),
            count: 1,
            at_ms: now_ms,
        });
        let kept = self.app.store().commit_one(change).await;
        match kept.map_err(Problem::internal)? {
            Outcome::Committed { .. } => Ok(()),
            other => Err(Problem::internal(format!(
                "the access log did not take a row: {other:?}"
            ))),
        }
    }
}
