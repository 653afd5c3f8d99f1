//! The arguments of `approve`, `collect` and `notice`, read once when a task
//! is entered and stored with the item.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tongban_expr::Value;
use tongban_org::{Budget, Selector};

use crate::field::FieldRights;
use crate::{Resume, Siblings, Signing, WorkError};

/// What a function asks of people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    /// Who is asked.
    pub to: Vec<Selector>,
    /// Who is not, though a selector names him.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Selector>,
    /// How answers come together.
    pub mode: Mode,
    /// What a vote must reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<u32>,
    /// What people may answer; the first is what a joint vote must reach.
    pub outcomes: Vec<Outcome>,
    /// Outcomes that want a comment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comment: Vec<String>,
    /// Code lists of reasons by outcome.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, String>,
    /// Rights on the fields of the form.
    #[serde(skip_serializing_if = "FieldRights::is_default")]
    pub fields: FieldRights,
    /// The form: a reference or a schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Value>,
    /// A rule file that checks the form besides its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What is shown beside the form.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub show: Value,
    /// Whether and how a correction may be asked for (补正).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct: Option<CorrectSpec>,
    /// Whether and where a case may be sent back to.
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    pub returns: Option<ReturnSpec>,
    /// When whoever is asked is the applicant.
    #[serde(rename = "self")]
    pub self_rule: SelfRule,
    /// When nobody is left to ask.
    pub empty: EmptyRule,
    /// When somebody approved this case before.
    pub repeat: RepeatRule,
    /// Whether a decision is signed.
    #[serde(skip_serializing_if = "is_false")]
    pub sign: bool,
    /// The outcome when the deadline passes; none means that nothing is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Opened together with other cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchSpec>,
    /// A public notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeSpec>,
    /// Whether the form may be filled in without a connection.
    #[serde(skip_serializing_if = "is_false")]
    pub offline: bool,
    /// What the device records besides: `photo`, `position`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capture: Vec<String>,
}

/// How the answers of several people come together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// The first decision decides (或签).
    #[default]
    Any,
    /// Everybody must reach the first outcome (会签).
    All,
    /// One after the other (依次审批).
    Sequence,
    /// So many percent of the signers.
    Share,
    /// So many signers.
    Count,
    /// So much weight.
    Weight,
    /// So many of each unit (分组会签).
    Group,
}

/// One possible answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The name that the process routes by.
    pub name: String,
    /// The button's title.
    pub title: String,
    /// Whether it refuses a natural person: never by machine.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refusal: bool,
}

/// 补正: one list of what is missing; clocks stand still meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CorrectSpec {
    /// How long the applicant has.
    pub due: Option<Budget>,
    /// How often it may be asked for.
    pub times: u32,
    /// `withdraw`, or an outcome; none gives the case back to the officer.
    pub at_timeout: Option<String>,
}

/// Where a case may be sent back to, and how it comes forward again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnSpec {
    /// `applicant`, `previous`, `any` or paths of tasks.
    pub to: Vec<String>,
    /// Fixed by the author; none lets the returner choose.
    pub resume: Option<Resume>,
    /// Fixed by the author; none lets the returner choose.
    pub siblings: Option<Siblings>,
    /// Fixed by the author; none lets the returner choose.
    pub signing: Option<Signing>,
    /// Whether reasons are given field by field.
    pub fields: bool,
    /// Returns per instance; 0 means none.
    pub max: u32,
}

/// When whoever is asked is the applicant (审批人=发起人).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SelfRule {
    /// His superior is asked instead.
    #[default]
    Superior,
    /// He decides himself.
    Allow,
    /// His place counts as approved, with a recorded decision.
    Skip,
    /// The head of his unit is asked instead.
    Head,
}

/// When nobody is left to ask (审批人为空).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EmptyRule {
    /// The administrator of the unit.
    #[default]
    Administrator,
    /// Counts as approved, with a recorded decision.
    Pass,
    /// Counts as the last outcome, with a recorded decision.
    Reject,
    /// These people.
    Others(Vec<Selector>),
}

/// When somebody approved this case before (自动去重).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RepeatRule {
    /// He is asked again.
    #[default]
    Ask,
    /// His first approval counts.
    First,
    /// His approval counts when it was the step before.
    Adjacent,
}

/// Work that a level takes up together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchSpec {
    /// Search fields that cases of one batch share.
    pub by: Vec<String>,
    /// Whether the item opens only when all of them have arrived.
    pub complete: bool,
}

/// A public notice (公示).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeSpec {
    /// The template.
    pub template: String,
    /// What the public sees, masked.
    pub data: Value,
    /// The process that objections start.
    pub objections: Option<String>,
    /// Whether the notice waits for the objections' outcomes.
    pub wait: bool,
}

/// The bound on returns of one instance when the author names none.
pub const RETURNS_MAX: u32 = 10;

impl Spec {
    /// Reads the arguments of a function.
    ///
    /// # Errors
    /// [`WorkError::Argument`] names the argument; [`WorkError::Forbidden`] a
    /// rule of the engine that it breaks.
    pub fn parse(function: &str, args: &Value) -> Result<Self, WorkError> {
        let collects = function == "collect";
        let to = selectors("to", args.get("to"))?;
        let outcomes = outcomes(args.get("outcomes"), collects)?;
        let spec = Self {
            except: selectors("except", args.get("except"))?,
            mode: word("mode", args, MODES)?.unwrap_or_default(),
            pass: pass(args.get("pass"))?,
            comment: comments(args.get("comment"), &outcomes)?,
            reasons: reasons(args.get("reasons"), &outcomes)?,
            fields: FieldRights::parse(args.get("fields"))
                .map_err(|reason| argument("fields", reason))?,
            form: args.get("form").filter(|form| !form.is_null()).cloned(),
            check: args.text("check").map(str::to_owned),
            show: args.get("show").cloned().unwrap_or_default(),
            correct: args
                .get("correct")
                .filter(|spec| !spec.is_null())
                .map(correct)
                .transpose()?,
            returns: args
                .get("return")
                .filter(|spec| !spec.is_null())
                .map(returns)
                .transpose()?,
            self_rule: match word("self", args, SELF_RULES)? {
                Some(rule) => rule,
                None if collects || to == [Selector::Applicant] => SelfRule::Allow,
                None => SelfRule::Superior,
            },
            empty: empty(args.get("empty"))?,
            repeat: word("repeat", args, REPEAT_RULES)?.unwrap_or_default(),
            sign: flag(args, "sign"),
            timeout: args.text("timeout").map(str::to_owned),
            batch: args.get("batch").filter(|spec| !spec.is_null()).map(batch),
            notice: None,
            offline: flag(args, "offline"),
            capture: texts(args.get("capture")),
            to,
            outcomes,
        };
        spec.keep_the_rules()?;
        Ok(spec)
    }

    /// Reads the arguments of `notice`.
    ///
    /// # Errors
    /// [`WorkError::Argument`].
    pub fn parse_notice(args: &Value) -> Result<Self, WorkError> {
        let template = args
            .text("template")
            .ok_or_else(|| argument("template", "expected a name, found none".into()))?;
        if args.get("due").is_none_or(Value::is_null) {
            return Err(argument(
                "due",
                "a notice has an end: expected a budget, found none".into(),
            ));
        }
        let objections = args.get("objections");
        let data = args.get("data").cloned().unwrap_or_default();
        Ok(Self {
            notice: Some(NoticeSpec {
                template: template.to_owned(),
                data: crate::mask::masked(&data, args.get("mask").unwrap_or(&Value::Null)),
                objections: objections
                    .and_then(|given| given.text("workflow"))
                    .map(str::to_owned),
                wait: objections.is_some_and(|given| flag(given, "wait")),
            }),
            ..Self::default()
        })
    }

    /// The first outcome: what a joint vote must reach.
    pub fn first(&self) -> &str {
        self.outcomes
            .first()
            .map_or("approved", |outcome| &outcome.name)
    }

    /// The names of all outcomes.
    pub fn outcome_names(&self) -> Vec<String> {
        self.outcomes
            .iter()
            .map(|outcome| outcome.name.clone())
            .collect()
    }

    /// One outcome.
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.name == name)
    }

    fn keep_the_rules(&self) -> Result<(), WorkError> {
        let by_machine = [
            self.timeout.as_deref(),
            self.correct
                .as_ref()
                .and_then(|spec| spec.at_timeout.as_deref()),
        ];
        let last = self.outcomes.last().map(|outcome| outcome.name.as_str());
        let by_rule = if self.empty == EmptyRule::Reject {
            last
        } else {
            None
        };
        for name in by_machine.into_iter().flatten().chain(by_rule) {
            if self.outcome(name).is_some_and(|outcome| outcome.refusal) {
                let why = format!(
                    "outcome `{name}` refuses a person; a machine never does: a person must decide"
                );
                return Err(WorkError::Forbidden(why));
            }
        }
        if self.mode == Mode::Share && self.pass.is_some_and(|share| !(1..=100).contains(&share)) {
            return Err(argument("pass", "a share is 1 to 100 percent".into()));
        }
        let votes = matches!(self.mode, Mode::Share | Mode::Count | Mode::Weight);
        if votes && self.pass.is_none() {
            return Err(argument(
                "pass",
                "this mode wants `pass` with share, count or weight".into(),
            ));
        }
        Ok(())
    }
}

const MODES: &[(&str, Mode)] = &[
    ("any", Mode::Any),
    ("all", Mode::All),
    ("sequence", Mode::Sequence),
    ("share", Mode::Share),
    ("count", Mode::Count),
    ("weight", Mode::Weight),
    ("group", Mode::Group),
];
const SELF_RULES: &[(&str, SelfRule)] = &[
    ("superior", SelfRule::Superior),
    ("allow", SelfRule::Allow),
    ("skip", SelfRule::Skip),
    ("head", SelfRule::Head),
];
const REPEAT_RULES: &[(&str, RepeatRule)] = &[
    ("ask", RepeatRule::Ask),
    ("first", RepeatRule::First),
    ("adjacent", RepeatRule::Adjacent),
];
const RESUMES: &[(&str, Option<Resume>)] = &[
    ("rerun", Some(Resume::Rerun)),
    ("direct", Some(Resume::Direct)),
    ("choose", None),
];
const SIBLINGS: &[(&str, Option<Siblings>)] = &[
    ("keep", Some(Siblings::Keep)),
    ("cancel", Some(Siblings::Cancel)),
    ("choose", None),
];
const SIGNINGS: &[(&str, Option<Signing>)] = &[
    ("all", Some(Signing::All)),
    ("returner", Some(Signing::Returner)),
    ("open", Some(Signing::Open)),
    ("choose", None),
];

fn word<T: Copy>(name: &str, args: &Value, known: &[(&str, T)]) -> Result<Option<T>, WorkError> {
    let Some(given) = args.get(name).filter(|given| !given.is_null()) else {
        return Ok(None);
    };
    let found = given
        .as_str()
        .and_then(|given| known.iter().find(|(word, _)| *word == given));
    found.map(|(_, meaning)| Some(*meaning)).ok_or_else(|| {
        let expected: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        argument(
            name,
            format!(
                "expected one of {}, found {}",
                expected.join(", "),
                given.to_json()
            ),
        )
    })
}

pub(crate) fn argument(name: &str, reason: String) -> WorkError {
    WorkError::Argument {
        argument: name.to_owned(),
        reason,
    }
}

fn flag(args: &Value, name: &str) -> bool {
    args.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let Some(value) = value else {
        return Vec::new();
    };
    match value.as_str() {
        Some(text) => vec![text.to_owned()],
        None => value
            .items()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    }
}

fn selectors(name: &str, value: Option<&Value>) -> Result<Vec<Selector>, WorkError> {
    value
        .map_or(Ok(Vec::new()), Selector::parse_list)
        .map_err(|error| argument(name, error.to_string()))
}

fn outcomes(value: Option<&Value>, collects: bool) -> Result<Vec<Outcome>, WorkError> {
    let make = |name: &str, title: &str, refusal: bool| Outcome {
        name: name.to_owned(),
        title: title.to_owned(),
        refusal,
    };
    let Some(given) = value.filter(|given| !given.is_empty() && !given.is_null()) else {
        return Ok(match collects {
            true => vec![make("submitted", "提交", false)],
            false => vec![
                make("approved", "同意", false),
                make("rejected", "不同意", false),
            ],
        });
    };
    let mut outcomes = Vec::new();
    for (name, title) in given.entries() {
        match title.as_str().or_else(|| title.text("title")) {
            Some(text) => outcomes.push(make(name.as_str(), text, flag(title, "x-refusal"))),
            None => {
                return Err(argument(
                    "outcomes",
                    format!("`{name}` wants a title, found {}", title.to_json()),
                ));
            }
        }
    }
    match outcomes.is_empty() {
        true => Err(argument(
            "outcomes",
            format!("expected names with titles, found {}", given.to_json()),
        )),
        false => Ok(outcomes),
    }
}

fn pass(value: Option<&Value>) -> Result<Option<u32>, WorkError> {
    let Some(given) = value.filter(|given| !given.is_null()) else {
        return Ok(None);
    };
    let keys = ["each", "count", "share", "weight"];
    let found = keys.iter().find_map(|key| given.get(key)).or(Some(given));
    let number = found
        .and_then(Value::as_i64)
        .and_then(|number| u32::try_from(number).ok())
        .filter(|n| *n > 0);
    number.map(Some).ok_or_else(|| {
        argument(
            "pass",
            format!(
                "expected each, count, share or weight with a number above 0, found {}",
                given.to_json()
            ),
        )
    })
}

fn comments(value: Option<&Value>, outcomes: &[Outcome]) -> Result<Vec<String>, WorkError> {
    let all = || outcomes.iter().map(|outcome| outcome.name.clone());
    let on_reject = || all().skip(1).collect();
    let Some(given) = value.filter(|given| !given.is_null()) else {
        return Ok(on_reject());
    };
    match given.as_str() {
        Some("optional") => Ok(Vec::new()),
        Some("required") => Ok(all().collect()),
        Some("onReject") => Ok(on_reject()),
        None if given.as_object().is_some() => {
            let required = |(_, policy): &(_, &Value)| policy.as_str() == Some("required");
            Ok(given
                .entries()
                .filter(required)
                .map(|(name, _)| name.to_string())
                .collect())
        }
        _ => {
            let reason = format!(
                "expected optional, required, onReject or outcomes, found {}",
                given.to_json()
            );
            Err(argument("comment", reason))
        }
    }
}

fn reasons(
    value: Option<&Value>,
    outcomes: &[Outcome],
) -> Result<BTreeMap<String, String>, WorkError> {
    let mut lists = BTreeMap::new();
    for (outcome, list) in value.into_iter().flat_map(Value::entries) {
        let known = outcomes.iter().any(|known| known.name == outcome.as_str());
        match list.as_str() {
            Some(list) if known => drop(lists.insert(outcome.to_string(), list.to_owned())),
            _ => {
                let reason = format!(
                    "expected a code list for one of the outcomes, found `{outcome}`: {}",
                    list.to_json()
                );
                return Err(argument("reasons", reason));
            }
        }
    }
    Ok(lists)
}

fn correct(given: &Value) -> Result<CorrectSpec, WorkError> {
    let due = given.get("due").map(Budget::parse).transpose();
    let times = given.get("times").and_then(Value::as_i64).unwrap_or(1);
    Ok(CorrectSpec {
        due: due.map_err(|error| argument("correct.due", error.to_string()))?,
        times: u32::try_from(times)
            .map_err(|_| argument("correct.times", "expected a number above 0".into()))?,
        at_timeout: given.text("atTimeout").map(str::to_owned),
    })
}

fn returns(given: &Value) -> Result<ReturnSpec, WorkError> {
    let to = texts(given.get("to"));
    if to.is_empty() {
        return Err(argument(
            "return.to",
            format!("expected targets, found {}", given.to_json()),
        ));
    }
    let max = given
        .get("max")
        .and_then(Value::as_i64)
        .map_or(Ok(RETURNS_MAX), u32::try_from);
    Ok(ReturnSpec {
        to,
        resume: word("resume", given, RESUMES)?.flatten(),
        siblings: word("siblings", given, SIBLINGS)?.flatten(),
        signing: word("signing", given, SIGNINGS)?.unwrap_or(Some(Signing::All)),
        fields: flag(given, "fields"),
        max: max.map_err(|_| argument("return.max", "expected a number, 0 means none".into()))?,
    })
}

fn empty(value: Option<&Value>) -> Result<EmptyRule, WorkError> {
    let Some(given) = value.filter(|given| !given.is_null()) else {
        return Ok(EmptyRule::default());
    };
    Ok(match given.as_str() {
        Some("administrator") => EmptyRule::Administrator,
        Some("pass" | "skip") => EmptyRule::Pass,
        Some("reject") => EmptyRule::Reject,
        _ => EmptyRule::Others(selectors("empty", Some(given))?),
    })
}

fn batch(given: &Value) -> BatchSpec {
    BatchSpec {
        by: texts(given.get("by")),
        complete: given.text("opens") == Some("complete"),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
