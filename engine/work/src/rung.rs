//! Rungs: what happens on the way to a deadline, once each. A reminder that
//! comes again is a rung of its own each time.

use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_org::{Budget, BudgetError, Moment, Selector};

use crate::arguments::argument;
use crate::{Card, WorkError};

/// Something that happens once at a moment of a clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rung {
    /// `remind.0`, `escalate.1`, `timeout`, `end`.
    pub id: String,
    /// When.
    pub at: Moment,
    /// What.
    pub does: Does,
    /// The card that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// Who is told; nobody named means whoever holds it up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Selector>,
    /// The instant, while the clock runs; none when it lies before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
    /// When it fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_ms: Option<i64>,
    /// The pack's own letter, instead of the standard one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// How it comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
    /// Who takes over whatever nobody has answered (超时转办).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfer: Vec<Selector>,
}

/// How a reminder comes again: each time is a rung of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Again {
    /// So long after the time before, pauses not counted.
    pub every: Budget,
    /// How many times are left.
    pub left: u32,
    /// When it fired before; none for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<i64>,
}

/// What a rung does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Does {
    /// Reminds.
    Remind,
    /// Shows a card and tells.
    Escalate,
    /// Ends the item with an outcome that the author wrote.
    Timeout(String),
    /// Ends a notice.
    End,
}

/// How often a reminder with `every` comes when the author does not say.
const TIMES: i64 = 10;
/// How often it may come at most.
const TIMES_MAX: i64 = 100;

impl Rung {
    /// Reads the rungs of one list (`remind` or `escalate`).
    pub(crate) fn read_all(
        spec: &Value,
        list: &'static str,
        into: &mut Vec<Self>,
    ) -> Result<(), WorkError> {
        let given = spec.get(list).into_iter().flat_map(Value::items);
        for (index, given) in given.enumerate() {
            into.push(rung_of(given, list, index)?);
        }
        Ok(())
    }

    /// A rung of the engine's own at the deadline.
    pub(crate) fn at_end(id: &str, does: Does) -> Self {
        Self {
            id: id.to_owned(),
            at: Moment::Percent(100),
            does,
            card: None,
            to: Vec::new(),
            due_ms: None,
            fired_ms: None,
            template: None,
            again: None,
            transfer: Vec::new(),
        }
    }

    /// The rung that follows on this one when it comes again.
    pub(crate) fn next(&self, fired_ms: i64) -> Option<Self> {
        let again = self.again.as_ref()?;
        let left = again.left.checked_sub(1)?;
        let (base, time) = match self.id.split_once('#') {
            Some((base, time)) => (base, time.parse::<u32>().unwrap_or(1)),
            None => (self.id.as_str(), 1),
        };
        Some(Self {
            id: format!("{base}#{}", time + 1),
            due_ms: None,
            fired_ms: None,
            again: Some(Again {
                left,
                after_ms: Some(fired_ms),
                ..again.clone()
            }),
            ..self.clone()
        })
    }
}

fn rung_of(given: &Value, name: &'static str, index: usize) -> Result<Rung, WorkError> {
    let fault = |error: BudgetError| argument(name, error.to_string());
    let known: &[&str] = match name {
        "remind" => &["before", "after", "every", "times", "to", "template"],
        _ => &["after", "card", "to", "template", "transfer"],
    };
    if let Some((key, _)) = given
        .entries()
        .find(|(key, _)| !known.contains(&key.as_str()))
    {
        let reason = format!("`{key}` is not supported; expected {}", known.join(", "));
        return Err(argument(name, reason));
    }
    let at = match (given.get("before"), given.get("after")) {
        (Some(before), None) => Moment::parse_before(before).map_err(fault)?,
        (None, Some(after)) => Moment::parse_after(after).map_err(fault)?,
        _ => {
            let reason = format!(
                "expected either `before` or `after`, found {}",
                given.to_json()
            );
            return Err(argument(name, reason));
        }
    };
    let card = match given.text("card") {
        Some(word) => Some(Card::parse(word).ok_or_else(|| {
            let reason = format!("expected a card of blue, yellow or red, found `{word}`");
            argument(name, reason)
        })?),
        None => None,
    };
    let selectors = |key: &str| {
        given
            .get(key)
            .map_or(Ok(Vec::new()), Selector::parse_list)
            .map_err(|error| argument(name, format!("`{key}`: {error}")))
    };
    let does = match name {
        "remind" => Does::Remind,
        _ => Does::Escalate,
    };
    Ok(Rung {
        id: format!("{name}.{index}"),
        at,
        does,
        card,
        to: selectors("to")?,
        due_ms: None,
        fired_ms: None,
        template: given.text("template").map(str::to_owned),
        again: again(given, name)?,
        transfer: selectors("transfer")?,
    })
}

/// `every` and `times` of a reminder.
fn again(given: &Value, name: &'static str) -> Result<Option<Again>, WorkError> {
    let times = given.get("times").filter(|times| !times.is_null());
    let Some(every) = given.get("every").filter(|every| !every.is_null()) else {
        return match times {
            Some(_) => Err(argument(name, "`times` wants an `every` beside it".into())),
            None => Ok(None),
        };
    };
    let every =
        Budget::parse(every).map_err(|error| argument(name, format!("`every`: {error}")))?;
    if every.amount() == 0 {
        let reason = "`every`: expected a time of at least 1, such as { workingDays: 1 }";
        return Err(argument(name, reason.into()));
    }
    let count = times.map_or(Some(TIMES), Value::as_i64);
    let left = count
        .filter(|count| (1..=TIMES_MAX).contains(count))
        .and_then(|count| u32::try_from(count - 1).ok())
        .ok_or_else(|| argument(name, format!("`times`: expected 1 to {TIMES_MAX}")))?;
    Ok(Some(Again {
        every,
        left,
        after_ms: None,
    }))
}
