//! Reading the arguments of a call: every fault is named with what was expected
//! and what was found, and the rules of the engine are kept.

use std::collections::BTreeMap;

use tongban_expr::Value;
use tongban_org::{Budget, Selector};

use crate::field::FieldRights;
use crate::spec::{
    BatchSpec, CorrectSpec, EmptyRule, Mode, NoticeSpec, Outcome, RETURNS_MAX, RepeatRule,
    ReturnSpec, SelfRule, Spec,
};
use crate::{Resume, Siblings, Signing, WorkError};

impl Spec {
    /// Reads the arguments of a function.
    ///
    /// # Errors
    /// [`WorkError::Argument`] names the argument; [`WorkError::Forbidden`] a
    /// rule of the engine that it breaks.
    pub fn parse(function: &str, args: &Value) -> Result<Self, WorkError> {
        let collects = function == "collect";
        if flag(args, "sign") {
            let why = "`sign` is not supported: there is no plugin that verifies a signature";
            return Err(WorkError::Forbidden(why.into()));
        }
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
    pub(crate) fn parse_notice(args: &Value) -> Result<Self, WorkError> {
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
        if self.to.iter().any(is_chosen) {
            let why = "`chosenBy` is not supported: nobody is asked whom he chooses";
            return Err(argument("to", why.into()));
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

fn is_chosen(selector: &Selector) -> bool {
    matches!(selector.weighed().0, Selector::ChosenBy { .. })
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
    let make = |name: &str, title: &str, english: Option<&str>| Outcome {
        name: name.to_owned(),
        title: title.to_owned(),
        title_en: english.map(str::to_owned),
        refusal: false,
    };
    let Some(given) = value.filter(|given| !given.is_empty() && !given.is_null()) else {
        return Ok(match collects {
            true => vec![make("submitted", "提交", Some("Submit"))],
            false => vec![
                make("approved", "同意", Some("Agree")),
                make("rejected", "不同意", Some("Do not agree")),
            ],
        });
    };
    let mut outcomes = Vec::new();
    for (name, title) in given.entries() {
        match title.as_str().or_else(|| title.text("title")) {
            Some(text) => outcomes.push(Outcome {
                refusal: flag(title, "x-refusal"),
                ..make(name.as_str(), text, title.text("x-en"))
            }),
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
