//! Who may see and do what with a case. What somebody may not see does not exist for them: every
//! such id answers 404, like one that never was.

use tongban_org::{Function, Object, Principal, ScopeOver};
use tongban_runtime::{CaseView, Objections, Operate, RuntimeError};
use tongban_store::InstanceRow;

use crate::app::App;
use crate::problem::Problem;
use crate::security::account::SignedIn;
use crate::security::identity::Client;

/// Who asks: a person, a unit through a key, or both.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The person.
    pub person: Option<&'a str>,
    /// The unit of the key, which speaks for its whole subtree.
    pub unit: Option<&'a str>,
}

impl SignedIn {
    /// The person as an asker.
    pub fn asker(&self) -> Asker<'_> {
        Asker {
            person: Some(&self.person),
            unit: None,
        }
    }
}

impl Client {
    /// The key as an asker: its person where it has one, else its unit.
    pub fn asker(&self) -> Asker<'_> {
        match &self.person {
            Some(person) => Asker {
                person: Some(person),
                unit: None,
            },
            None => Asker {
                person: None,
                unit: self.unit.as_deref(),
            },
        }
    }
}

/// The reach of an asker over lists of cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Cases of these parties.
    pub principals: Vec<String>,
    /// What rights reach.
    pub rights: Vec<Reached>,
}

/// The cases that one right reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Their workflows, as patterns.
    pub of: Vec<String>,
    /// Their units.
    pub over: Units,
}

/// The units of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Units {
    /// All of them.
    All,
    /// This one alone.
    One(String),
    /// This one and all below it.
    Below(String),
}

/// The principals by which an asker is party to cases.
pub fn principals(app: &App, asker: Asker<'_>) -> Vec<String> {
    match (asker.person, asker.unit) {
        // A unit's name stands for the rights over the unit, which not every member has.
        (Some(person), _) => {
            let held = app.organisation().principals(person);
            held.iter()
                .filter(|held| !matches!(held, Principal::Unit(_)))
                .map(ToString::to_string)
                .collect()
        }
        (None, Some(unit)) => vec![Principal::Unit(unit.to_owned()).to_string()],
        (None, None) => Vec::new(),
    }
}

/// Whether an asker may read a case.
///
/// # Errors
/// The database refused.
pub async fn sees(app: &App, asker: Asker<'_>, head: &InstanceRow) -> Result<bool, Problem> {
    let organisation = app.organisation();
    if let Some(person) = asker.person {
        if head.starter_id.as_deref() == Some(person) {
            return Ok(true);
        }
        let object = Object {
            workflow: Some(&head.workflow),
            unit: head.unit_id.as_deref(),
            starter: head.starter_id.as_deref(),
            reached: None,
        };
        if organisation.may(person, Function::View, &object).allowed {
            return Ok(true);
        }
    } else if let (Some(root), Some(unit)) = (asker.unit, head.unit_id.as_deref())
        && (unit == root || organisation.is_under(unit, root))
    {
        return Ok(true);
    }
    let parties = app
        .store()
        .party_of(&head.id, &principals(app, asker))
        .await
        .map_err(Problem::from)?;
    Ok(!parties.is_empty())
}

/// The head of a case that an asker may read.
///
/// # Errors
/// 404 when there is none, or none for this asker.
pub async fn head(app: &App, asker: Asker<'_>, id: &str) -> Result<InstanceRow, Problem> {
    if !looks_like_id(id) {
        return Err(Problem::not_found());
    }
    let found = app.store().instance_head(id).await.map_err(Problem::from)?;
    let head = found.ok_or_else(Problem::not_found)?;
    if sees(app, asker, &head).await? {
        Ok(head)
    } else {
        Err(Problem::not_found())
    }
}

/// A case that an asker may read.
///
/// # Errors
/// 404 when there is none, or none for this asker.
pub async fn case(
    app: &App,
    asker: Asker<'_>,
    id: &str,
) -> Result<(InstanceRow, CaseView), Problem> {
    let head = head(app, asker, id).await?;
    match app.runtime.case(id).await {
        Ok(case) => Ok((head, case)),
        Err(error @ RuntimeError::NotFound { .. }) => Err(error.into()),
        Err(error) => Err(error.into()),
    }
}

/// The fields that the steps of a case hide from somebody who takes part in it: they stay hidden
/// wherever else the form is shown. Whoever started the case sees it all.
pub fn hidden_fields(case: &CaseView, asker: Asker<'_>) -> Vec<String> {
    let Some(person) = asker
        .person
        .filter(|person| *person != case.head.starter.user)
    else {
        return Vec::new();
    };
    let items = case.desk.items().iter();
    let views = items.filter_map(|item| case.item(item.n, person));
    views.flat_map(|view| view.fields.hide).collect()
}

/// Whether an asker may do something with a case beyond reading it. A unit's key may operate the
/// cases of its unit when its scopes say so.
pub fn may(app: &App, asker: Asker<'_>, function: Function, head: &InstanceRow) -> bool {
    let organisation = app.organisation();
    match (asker.person, asker.unit, head.unit_id.as_deref()) {
        (Some(person), _, _) => {
            let object = Object {
                workflow: Some(&head.workflow),
                unit: head.unit_id.as_deref(),
                starter: head.starter_id.as_deref(),
                reached: None,
            };
            organisation.may(person, function, &object).allowed
        }
        (None, Some(root), Some(unit)) => unit == root || organisation.is_under(unit, root),
        _ => false,
    }
}

/// Whether an asker may operate a case. An application may be withdrawn by whoever started it;
/// everything else wants a right.
pub fn may_operate(app: &App, asker: Asker<'_>, what: &Operate, head: &InstanceRow) -> bool {
    let own = asker.person.is_some() && asker.person == head.starter_id.as_deref();
    match what {
        Operate::Cancel => own || may(app, asker, Function::Terminate, head),
        _ => may(app, asker, Function::Intervene, head),
    }
}

/// Whether an asker may start a workflow.
pub fn may_start(app: &App, asker: Asker<'_>, workflow: &str) -> bool {
    let organisation = app.organisation();
    // A unit is no person: its key starts what everybody may start.
    let Some(person) = asker.person else {
        let unit = asker.unit;
        return unit
            .is_some_and(|unit| organisation.everybody_may(Function::Start, workflow, unit));
    };
    let unit = organisation
        .person(person)
        .and_then(|person| person.unit.clone());
    let object = Object {
        workflow: Some(workflow),
        unit: unit.as_deref(),
        starter: Some(person),
        reached: None,
    };
    organisation.may(person, Function::Start, &object).allowed
}

/// Whether something may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Startable {
    /// It may.
    Yes,
    /// It was open to everybody while a notice stood, and the notice is over.
    Over,
    /// Not by this asker.
    No,
}

impl Startable {
    fn when(allowed: bool) -> Self {
        match allowed {
            true => Self::Yes,
            false => Self::No,
        }
    }

    /// Goes on when it may be started.
    ///
    /// # Errors
    /// 409 when the notice is over, else 404.
    pub fn checked(self) -> Result<(), Problem> {
        match self {
            Self::Yes => Ok(()),
            Self::Over => Err(Problem::notice_over()),
            Self::No => Err(Problem::not_found()),
        }
    }
}

/// Whether an asker may start a workflow that follows another case, by that one's number. It is
/// offered by `metadata.start` and not by a right.
///
/// # Errors
/// The database refused.
pub async fn may_follow(
    app: &App,
    asker: Asker<'_>,
    workflow: &str,
    number: &str,
) -> Result<Startable, Problem> {
    let found = app.store().instance_by_number(number).await;
    let Some(head) = found.map_err(Problem::from)? else {
        return Ok(Startable::No);
    };
    let case = app.runtime.case(&head.id).await?;
    // A public notice asks everybody; nothing else of the case is told to who does not see it.
    if asker.person.is_some() {
        match app.runtime.objections_of_anyone(&case, workflow).await? {
            Objections::Open => return Ok(Startable::Yes),
            Objections::Over => return Ok(Startable::Over),
            Objections::None => {}
        }
    }
    if !sees(app, asker, &head).await? {
        return Ok(Startable::No);
    }
    // A key of the applicant's unit speaks for the applicant.
    let person = match (asker.person, asker.unit, head.unit_id.as_deref()) {
        (Some(person), _, _) => person,
        (None, Some(key), Some(unit)) if key == unit => case.head.starter.user.as_str(),
        _ => return Ok(Startable::No),
    };
    let offered = app.runtime.follow_ups(&case, person).await?;
    let offered = offered.iter().any(|one| one.workflow == workflow);
    Ok(Startable::when(offered))
}

/// Whether an asker may begin a workflow in the console: by right, or because the case that it
/// follows offers it.
///
/// # Errors
/// The database refused.
pub async fn may_begin(
    app: &App,
    asker: Asker<'_>,
    workflow: &str,
    follows: Option<&str>,
) -> Result<Startable, Problem> {
    match follows {
        None => Ok(Startable::when(may_start(app, asker, workflow))),
        Some(number) => may_follow(app, asker, workflow, number).await,
    }
}

/// Whether an asker may start a workflow, with the number of another case where there is one: that
/// one offers it, or the asker has the right and sees the other case.
///
/// # Errors
/// The database refused.
pub async fn may_start_from(
    app: &App,
    asker: Asker<'_>,
    workflow: &str,
    number: Option<&str>,
) -> Result<Startable, Problem> {
    let offered = may_begin(app, asker, workflow, number).await?;
    let Some(number) = number.filter(|_| offered == Startable::No) else {
        return Ok(offered);
    };
    let found = app.store().instance_by_number(number).await;
    Ok(Startable::when(match found.map_err(Problem::from)? {
        Some(head) if may_start(app, asker, workflow) => sees(app, asker, &head).await?,
        _ => false,
    }))
}

/// The reach of an asker over lists, from parties and rights.
pub fn reach(app: &App, asker: Asker<'_>) -> Reach {
    let principals = principals(app, asker);
    let Some(person) = asker.person else {
        let rights = asker
            .unit
            .map(|unit| Reached {
                of: vec!["*".to_owned()],
                over: Units::Below(unit.to_owned()),
            })
            .into_iter()
            .collect();
        return Reach { principals, rights };
    };
    let mut rights = Vec::new();
    for scope in app.organisation().scopes(person, Function::View) {
        // A right that begins at a level is decided case by case; the list shows it once the person is a party.
        if scope.from_level.is_some() {
            continue;
        }
        let over = match scope.over {
            // Who started a case is a party to it.
            ScopeOver::Own => continue,
            ScopeOver::All => Units::All,
            ScopeOver::Unit(unit) => Units::One(unit),
            ScopeOver::Subtree(unit) => Units::Below(unit),
        };
        rights.push(Reached { of: scope.of, over });
    }
    Reach { principals, rights }
}

/// Whether a text can be an id at all: ours are short and plain.
fn looks_like_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 64
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Splits a work item's id, `INSTANCE.N`.
///
/// # Errors
/// 404 when it is none.
pub fn item_id(id: &str) -> Result<(&str, u32), Problem> {
    let (instance, n) = id.rsplit_once('.').ok_or_else(Problem::not_found)?;
    let n = n
        .parse()
        .ok()
        .filter(|n: &u32| n.to_string() == id.rsplit_once('.').map_or("", |(_, n)| n));
    n.filter(|_| looks_like_id(instance))
        .map(|n| (instance, n))
        .ok_or_else(Problem::not_found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_items_have_one_spelling() {
        assert_eq!(item_id("0190-a.3").expect("good"), ("0190-a", 3));
        for bad in [
            "0190-a",
            ".3",
            "a.03",
            "a.+3",
            "a.-1",
            "a.3x",
            "a/b.3",
            "a.99999999999",
        ] {
            assert_eq!(item_id(bad).expect_err(bad).status, 404, "{bad}");
        }
    }
}
