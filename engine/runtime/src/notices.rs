//! Public notices of a case (公示) as people outside of it meet them: the text, and whether anybody may object.

use std::sync::Arc;

use tongban_dsl::definition::{StartTrigger, Template};
use tongban_expr::{Value, value};
use tongban_work::NoticeView;

use crate::case_view::CaseView;
use crate::error::RuntimeError;
use crate::facade::Runtime;
use crate::render::{Rendered, render};
use crate::words::BundleWords;

/// How the notices of a case take objections by a workflow from whoever reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objections {
    /// They take none.
    None,
    /// One takes them now.
    Open,
    /// They took them while they stood.
    Over,
}

impl CaseView {
    /// The notices of the case, each with what it tells the public.
    pub fn notices(&self) -> Vec<NoticeView> {
        self.with_world(|world| self.desk.notices(world))
    }

    /// Whether a notice of the case takes objections by a workflow now.
    pub fn takes_objections(&self, workflow: &str) -> bool {
        let takes =
            |notice: &NoticeView| notice.open && notice.objections.as_deref() == Some(workflow);
        self.notices().iter().any(takes)
    }
}

impl Runtime {
    /// How the notices of the case take objections by a workflow from whoever reads them: the workflow says
    /// `by: [anyone]` in so many words.
    pub async fn objections_of_anyone(
        &self,
        case: &CaseView,
        workflow: &str,
    ) -> Result<Objections, RuntimeError> {
        let mut notices = case.notices().into_iter();
        if !notices.any(|notice| notice.objections.as_deref() == Some(workflow)) {
            return Ok(Objections::None);
        }
        let views = self.workflows().await?;
        let Some(view) = views.iter().find(|view| view.workflow == workflow) else {
            return Ok(Objections::None);
        };
        let ready = self.node().bundles.get(self.node(), &view.digest).await?;
        let Some(start) = &ready.definition.document.metadata.start else {
            return Ok(Objections::None);
        };
        let noticed = match &start.on {
            StartTrigger::Notice { workflow } => workflow.value == case.head.workflow,
            _ => false,
        };
        let by = start.by.as_ref().and_then(Template::constant);
        let anyone = by.is_some_and(|by| by.items().any(|one| one.as_str() == Some("anyone")));
        Ok(match (noticed && anyone, case.takes_objections(workflow)) {
            (false, _) => Objections::None,
            (true, true) => Objections::Open,
            (true, false) => Objections::Over,
        })
    }

    /// The text of a notice in one language. Of the case it says what its author put into the template; `form` is the
    /// form as the reader may have it, `url` the page of the notice.
    pub async fn notice_text(
        &self,
        case: &CaseView,
        notice: &NoticeView,
        form: Value,
        url: &str,
        language: &str,
    ) -> Result<Rendered, RuntimeError> {
        let broken = |what: &str| {
            RuntimeError::Internal(format!("the notice `{}`: {what}", notice.template))
        };
        let source = case.ready.template(&notice.template, language);
        let source = source.ok_or_else(|| broken("its template is not there"))?;
        let variables = value!({
            "form": (form),
            "steps": (case.instance.steps()),
            "data": (notice.data.clone()),
            "workflow": {
                "id": (case.instance.id()), "definition": (case.head.workflow.as_str()),
                "number": (case.head.number.as_str()), "title": (case.head.title.as_str())
            },
            "now": (case.now_ms),
            "notice": {
                "title": (notice.title.as_str()), "from": (notice.from.as_str()),
                "to": (notice.to.as_str()), "url": (url)
            }
        });
        let words = BundleWords::new(
            Arc::clone(&case.ready),
            self.organisation(),
            self.node().settings.zone.clone(),
            language,
        );
        render(&source, &variables, Arc::new(words)).map_err(|error| broken(&error.to_string()))
    }
}
