//! Who does a step: the applicant, a role of a unit, or the system.

use super::words::say;
use super::{Marks, Tongue};
use crate::definition::{Definition, Task, TaskKind, Template, TemplateKind};

/// Who does a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Actor {
    /// Steps with the same key stand in one lane.
    pub key: String,
    /// Title of the lane: the unit, or the role where the unit depends on the case.
    pub lane: String,
    /// Who it is within the lane; empty for the system.
    pub name: String,
}

impl Actor {
    /// Who it is, with the unit.
    pub fn full(&self) -> String {
        if self.lane == self.name {
            self.name.clone()
        } else {
            format!("{} {}", self.lane, self.name)
        }
    }
}

/// Key of the applicant's lane.
pub(super) const APPLICANT: &str = "applicant";
/// Key of the lane of everything that no person does.
pub(super) const SYSTEM: &str = "system";

/// Finds out who does what.
pub(super) struct Who<'a> {
    pub definition: &'a Definition,
    pub marks: &'a Marks,
}

impl Who<'_> {
    pub fn system(&self) -> Actor {
        Actor {
            key: SYSTEM.to_owned(),
            lane: say(self.tongue(), "系统", "System").to_owned(),
            name: String::new(),
        }
    }

    /// The people of a step; `None` when nobody acts on it.
    pub fn of(&self, task: &Task) -> Option<Actor> {
        let TaskKind::Call(call) = &task.kind else {
            return None;
        };
        let name = call.function.value.as_str();
        if !matches!(name, "approve" | "collect") {
            // A function of the document is done by whoever does its body.
            let body = self.definition.reusables.functions.get(name)?;
            return match &body.kind {
                TaskKind::Call(inner)
                    if matches!(inner.function.value.as_str(), "approve" | "collect") =>
                {
                    self.of(body)
                }
                _ => None,
            };
        }
        let to = call.with.as_ref().and_then(|with| with.get("to"));
        Some(to.map_or_else(|| self.somebody(), |to| self.selectors(to)))
    }

    fn tongue(&self) -> Tongue {
        self.marks.tongue
    }

    fn somebody(&self) -> Actor {
        let word = say(self.tongue(), "按情况确定的人", "Whoever is determined");
        Actor {
            key: "determined".to_owned(),
            lane: word.to_owned(),
            name: word.to_owned(),
        }
    }

    fn selectors(&self, to: &Template) -> Actor {
        let one = [to.clone()];
        let list = match &to.kind {
            TemplateKind::List(items) => items.as_slice(),
            _ => one.as_slice(),
        };
        let mut actors: Vec<Actor> = Vec::new();
        for actor in list.iter().map(|selector| self.selector(selector)) {
            match actors.iter_mut().find(|known| known.key == actor.key) {
                Some(known) if known.name != actor.name => {
                    known.name = format!("{}、{}", known.name, actor.name);
                }
                Some(_) => {}
                None => actors.push(actor),
            }
        }
        let glue = |part: &dyn Fn(&Actor) -> &str, between: &str| {
            actors.iter().map(part).collect::<Vec<&str>>().join(between)
        };
        if actors.is_empty() {
            return self.somebody();
        }
        Actor {
            key: glue(&|actor| &actor.key, "+"),
            lane: glue(&|actor| &actor.lane, "、"),
            name: glue(&|actor| &actor.name, "、"),
        }
    }

    fn selector(&self, selector: &Template) -> Actor {
        let tongue = self.tongue();
        if let Some(word) = selector.as_str() {
            if word == APPLICANT {
                let name = say(tongue, "申请人", "Applicant");
                return actor(APPLICANT, name, name);
            }
            return actor(word, word, word);
        }
        let names = &self.marks.names;
        let text = |key: &str| selector.get(key).and_then(Template::as_str);
        if let Some(user) = text("user") {
            let name = names.people.get(user).map_or(user, String::as_str);
            return actor(&format!("user:{user}"), name, name);
        }
        let place = selector
            .get("unit")
            .or_else(|| selector.get("head"))
            .or_else(|| selector.get("members"));
        let role = text("role").or_else(|| text("post"));
        let title = role.map(|role| names.roles.get(role).map_or(role, String::as_str));
        let within = match title {
            Some(title) => title,
            None if selector.get("head").is_some() => say(tongue, "负责人", "head"),
            None if selector.get("members").is_some() => say(tongue, "工作人员", "staff"),
            None => "",
        };
        if let Some(units) = place.and_then(literals) {
            let titles: Vec<&str> = units
                .iter()
                .map(|unit| names.units.get(*unit).map_or(*unit, String::as_str))
                .collect();
            let lane = if titles.len() > 2 {
                say(tongue, "各单位", "Several units").to_owned()
            } else {
                titles.join("、")
            };
            let within = if within.is_empty() { &lane } else { within };
            return actor(&format!("unit:{}", units.join(",")), &lane, within);
        }
        if let (Some(role), Some(title)) = (role, title) {
            // Roles of one unit stand in one lane, even where only the case knows which unit it is.
            let unit = place.and_then(Template::as_expression);
            let key = unit.map_or_else(
                || format!("role:{role}"),
                |unit| format!("unit:${{{}}}", unit.text.trim()),
            );
            return actor(&key, title, title);
        }
        self.other(selector, within)
    }

    /// Selectors that name nobody before there is a case.
    fn other(&self, selector: &Template, within: &str) -> Actor {
        let tongue = self.tongue();
        if !within.is_empty() {
            let lane = match (tongue, selector.get("head").is_some()) {
                (Tongue::Chinese, _) => format!("单位{within}"),
                (Tongue::English, true) => "Head of the unit".to_owned(),
                (Tongue::English, false) => "Staff of the unit".to_owned(),
            };
            return actor(&format!("within:{within}"), &lane, &lane);
        }
        let named = |key: &str| selector.get(key).and_then(Template::as_str);
        if let Some(group) = named("group") {
            return actor(&format!("group:{group}"), group, group);
        }
        if selector.get("chain").is_some() {
            let word = say(tongue, "逐级上级", "Superiors in turn");
            return actor("chain", word, word);
        }
        if selector.get("chosenBy").is_some() {
            let word = say(tongue, "指定的人", "Whoever is chosen");
            return actor("chosen", word, word);
        }
        self.somebody()
    }
}

fn actor(key: &str, lane: &str, name: &str) -> Actor {
    Actor {
        key: key.to_owned(),
        lane: lane.to_owned(),
        name: name.to_owned(),
    }
}

/// One text or a list of them; `None` when any of it is an expression.
fn literals(template: &Template) -> Option<Vec<&str>> {
    match &template.kind {
        TemplateKind::List(items) => items.iter().map(Template::as_str).collect(),
        _ => template.as_str().map(|one| vec![one]),
    }
}
