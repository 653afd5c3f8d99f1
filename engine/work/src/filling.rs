//! What is filled in: edits of an approver, answers of a respondent, and what the
//! author asks of an outcome.

use tongban_expr::Value;

use crate::field::{changed, difference, says, touched};
use crate::figures::FIGURES;
use crate::item::Item;
use crate::standing::Hold;
use crate::{FormFault, Refusal, World};

/// What an answer says, apart from data.
pub(crate) struct Said<'a> {
    pub outcome: &'a str,
    pub comment: Option<&'a str>,
    pub reason: Option<&'a str>,
}

/// What the form looks like after the edits of an approver, when there are any.
pub(crate) fn edited(
    item: &Item,
    hold: &Hold,
    change: &Value,
    outcome: &str,
    statement: Option<&str>,
    world: &World<'_>,
) -> Result<Option<Value>, Refusal> {
    let form_ref = world.case.form_ref.as_ref();
    let schema = form_ref
        .and_then(|form| world.forms.schema(form))
        .unwrap_or_default();
    let respondent = world.case.starter.as_deref() == Some(hold.signer.as_str());
    let form = changed(&world.case.form, change, |path| {
        if !respondent && says(&schema, path, FIGURES) {
            return Err(Refusal::Figures {
                field: path.to_owned(),
            });
        }
        match item.spec.fields.may_edit(path) && !hold.opinion {
            true => Ok(()),
            false => Err(Refusal::FieldNotEditable {
                field: path.to_owned(),
            }),
        }
    })?;
    // INVARIANT: a figure is not changed with the group around it either.
    if let Some(field) = touched(&schema, &world.case.form, &form, FIGURES).filter(|_| !respondent)
    {
        return Err(Refusal::Figures { field });
    }
    if outcome == item.spec.first() && !hold.opinion {
        let faults = item.spec.fields.missing(&form);
        if !faults.is_empty() {
            return Err(Refusal::FormFaults { faults });
        }
    }
    if form == world.case.form {
        return Ok(None);
    }
    if let Some(form_ref) = form_ref {
        // Faults that the form had before are not this person's to mend.
        let known = world
            .forms
            .faults(form_ref, None, &world.case.form, world.case);
        let found = world.forms.faults(form_ref, None, &form, world.case);
        check_faults(
            found
                .into_iter()
                .filter(|fault| !known.contains(fault))
                .collect(),
            statement,
        )?;
    }
    Ok(Some(form))
}

/// The form as a respondent filled it in, checked.
pub(crate) fn fill(
    item: &Item,
    data: Option<&Value>,
    change: &Value,
    statement: Option<&str>,
    world: &World<'_>,
) -> Result<Value, Refusal> {
    let form = item.spec.form.as_ref();
    let schema = form
        .and_then(|form| world.forms.schema(form))
        .unwrap_or_default();
    let rights = &item.spec.fields;
    let filled = filled_form(&item.data, data, change, |path| {
        rights.may_fill(path) && !says(&schema, path, "readOnly")
    })?;
    let mut faults = rights.missing(&filled);
    if let Some(form) = form {
        faults.extend(
            world
                .forms
                .faults(form, item.spec.check.as_deref(), &filled, world.case),
        );
    }
    check_faults(faults, statement)?;
    Ok(filled)
}

/// Lays what was sent over what was there. What a step locks or hides may be
/// left out or sent unchanged; anything else is refused.
pub(crate) fn filled_form(
    base: &Value,
    data: Option<&Value>,
    change: &Value,
    may: impl Fn(&str) -> bool,
) -> Result<Value, Refusal> {
    let data = data.filter(|data| !data.is_null());
    if let Some(data) = data.filter(|data| data.as_object().is_none()) {
        let reason = format!("`data` is an object, found {}", data.kind_name());
        return Err(Refusal::BadChange { reason });
    }
    let sent = data.map_or_else(|| base.clone(), |data| base.clone().merged(data));
    let filled = changed(&sent, change, |_| Ok(()))?;
    match difference(base, &filled)
        .into_iter()
        .find(|one| !may(&one.field))
    {
        Some(locked) => Err(Refusal::FieldNotEditable {
            field: locked.field,
        }),
        None => Ok(filled),
    }
}

/// Errors stop; warnings want a statement.
pub(crate) fn check_faults(found: Vec<FormFault>, statement: Option<&str>) -> Result<(), Refusal> {
    let (warnings, faults): (Vec<_>, Vec<_>) = found.into_iter().partition(|fault| fault.warning);
    if !faults.is_empty() {
        return Err(Refusal::FormFaults { faults });
    }
    let stated = statement.is_some_and(|statement| !statement.trim().is_empty());
    if !warnings.is_empty() && !stated {
        return Err(Refusal::StatementRequired { warnings });
    }
    Ok(())
}

pub(crate) fn check_said(item: &Item, said: &Said<'_>, world: &World<'_>) -> Result<(), Refusal> {
    let outcome = said.outcome.to_owned();
    if item.spec.outcome(said.outcome).is_none() {
        return Err(Refusal::UnknownOutcome {
            outcome,
            expected: item.spec.outcome_names(),
        });
    }
    if let Some(list) = item.spec.reasons.get(said.outcome) {
        let codes = world.forms.codes(list).unwrap_or_default();
        let expected: Vec<String> = codes.into_iter().map(|(code, _)| code).collect();
        match said.reason {
            None => return Err(Refusal::ReasonRequired { outcome, expected }),
            Some(reason) if !expected.is_empty() && !expected.iter().any(|code| code == reason) => {
                return Err(Refusal::UnknownReason {
                    reason: reason.to_owned(),
                    expected,
                });
            }
            Some(_) => {}
        }
    }
    if item
        .spec
        .comment
        .iter()
        .any(|wanted| wanted == said.outcome)
        && said.comment.is_none()
    {
        return Err(Refusal::CommentRequired { outcome });
    }
    Ok(())
}
