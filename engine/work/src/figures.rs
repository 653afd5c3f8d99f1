//! Only the respondent changes his figures: what a form marks with `x-figures`.

use tongban_expr::Value;
use tongban_org::Selector;

use crate::desk::Desk;
use crate::field::{difference, says, touched};
use crate::item::{Item, Kind};
use crate::spec::Spec;
use crate::standing::Hold;
use crate::{Refusal, WorkError, World};

/// The keyword of a form's schema that marks them.
pub(crate) const FIGURES: &str = "x-figures";

impl Desk {
    /// A step that lets a reviewer edit figures is refused as it is written.
    ///
    /// # Errors
    /// [`WorkError::Forbidden`] names the field.
    pub(crate) fn keep_figures(
        &self,
        kind: Kind,
        spec: &Spec,
        world: &World<'_>,
    ) -> Result<(), WorkError> {
        if kind != Kind::Approve || spec.fields.edit.is_empty() || spec.to == [Selector::Applicant]
        {
            return Ok(());
        }
        let schema = world
            .case
            .form_ref
            .as_ref()
            .and_then(|form| world.forms.schema(form));
        let Some(schema) = schema else { return Ok(()) };
        match spec
            .fields
            .edit
            .iter()
            .find(|field| says(&schema, field, FIGURES))
        {
            Some(field) => Err(WorkError::Forbidden(format!(
                "`fields.edit` names `{field}`, a respondent's figures: a reviewer returns the form, he never edits it"
            ))),
            None => Ok(()),
        }
    }

    /// Whether what somebody filled in leaves the figures alone that others answered with, when these were laid
    /// before him in another step: he would be their reviewer.
    ///
    /// # Errors
    /// [`Refusal::Figures`] names the field.
    pub(crate) fn leaves_figures(
        &self,
        item: &Item,
        hold: &Hold,
        filled: &Value,
        world: &World<'_>,
    ) -> Result<(), Refusal> {
        let schema = |form: Option<&Value>| form.and_then(|form| world.forms.schema(form));
        let Some(form) = schema(item.spec.form.as_ref()) else {
            return Ok(());
        };
        let elsewhere = |other: &&Item| {
            other.kind == Kind::Collect
                && other.path != item.path
                && schema(other.spec.form.as_ref()).as_ref() == Some(&form)
        };
        let answers = self.items.iter().filter(elsewhere).flat_map(|other| {
            let data = |own: &'_ Option<Value>| own.clone().unwrap_or_else(|| other.data.clone());
            let said = other.decisions.iter();
            said.map(move |decision| (decision.signer.clone(), data(&decision.data)))
        });
        let started = world.case.starter.clone().filter(|_| {
            let started_with = schema(world.case.form_ref.as_ref());
            started_with.as_ref() == Some(&form)
        });
        let started = started.map(|starter| (starter, world.case.form.clone()));
        // Whoever answered with them first is the respondent; others have only passed them on.
        let first = started.into_iter().chain(answers).find(|(_, figures)| {
            let has_any = touched(&form, &Value::Null, figures, FIGURES).is_some();
            has_any && touched(&form, figures, &item.data, FIGURES).is_none()
        });
        let Some((_, figures)) = first.filter(|(respondent, _)| *respondent != hold.signer) else {
            return Ok(());
        };
        let Some(place) = touched(&form, &figures, filled, FIGURES) else {
            return Ok(());
        };
        // Where the whole form is figures, the first of them that differs is named.
        let differs = difference(&figures, filled).into_iter().next();
        let field = match place.as_str() {
            "" => differs.map(|one| one.field).unwrap_or_default(),
            _ => place,
        };
        Err(Refusal::Figures { field })
    }
}
