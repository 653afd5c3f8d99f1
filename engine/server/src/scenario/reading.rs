//! Reads a scenario file: piece by piece, so that every fault is told at once and each at its place.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use tongban_dsl::{Diagnostic, Placed, codes};

use super::expected::{Expect, ExpectCall, ExpectCards, ExpectMail, OpenItem, RefusedField};
use super::file::{Given, GivenCase, Mock, Scenario, ScenarioFile, Start};
use super::step::Step;

/// Where things stand in a file: lines from 1.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// By scenario.
    pub scenarios: Vec<ScenarioLines>,
}

/// Where the parts of a scenario stand.
#[derive(Clone, Debug, Default)]
pub struct ScenarioLines {
    /// Its title.
    pub test: usize,
    /// Its start, or that of the file.
    pub start: usize,
    /// Each step.
    pub steps: Vec<usize>,
    /// What is expected at the end.
    pub expect: usize,
}

/// A file that could be read.
pub struct Read {
    /// What it says.
    pub file: ScenarioFile,
    /// Where.
    pub lines: Lines,
    /// For faults that are found later.
    pub placed: Placed,
}

/// Reads the text of a scenario file; else everything that is wrong with it.
pub fn read(source: &str) -> Result<Read, Vec<Diagnostic>> {
    let mut placed = tongban_dsl::read_yaml_placed(source);
    let broken: Vec<Diagnostic> = placed
        .diagnostics
        .iter()
        .filter(|fault| fault.is_error())
        .cloned()
        .collect();
    if !broken.is_empty() {
        return Err(broken);
    }
    let value = placed.value.take().unwrap_or_default();
    let mut reader = Reader {
        placed: &placed,
        faults: Vec::new(),
    };
    let json = match serde_json::to_value(value) {
        Ok(json) => json,
        Err(error) => {
            reader.fault("", error.to_string());
            return Err(reader.faults);
        }
    };
    reader.file(&json);
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    let lines = lines(&json, &placed);
    match serde_path_to_error::deserialize::<_, ScenarioFile>(json) {
        Ok(file) => Ok(Read {
            file,
            lines,
            placed,
        }),
        Err(error) => {
            let mut reader = Reader {
                placed: &placed,
                faults: Vec::new(),
            };
            reader.fault(
                &super::pointer(&error.path().to_string()),
                error.inner().to_string(),
            );
            Err(reader.faults)
        }
    }
}

fn lines(json: &Json, placed: &Placed) -> Lines {
    let line = |pointer: &str| placed.place(pointer).line as usize;
    let scenarios = json.get("scenarios").and_then(Json::as_array);
    let of = |(at, scenario): (usize, &Json)| {
        let steps = scenario.get("steps").and_then(Json::as_array);
        ScenarioLines {
            test: line(&format!("/scenarios/{at}/test")),
            start: if scenario.get("start").is_some() {
                line(&format!("/scenarios/{at}/start"))
            } else {
                line("/start")
            },
            steps: (0..steps.map_or(0, Vec::len))
                .map(|step| line(&format!("/scenarios/{at}/steps/{step}")))
                .collect(),
            expect: line(&format!("/scenarios/{at}/expect")),
        }
    };
    Lines {
        scenarios: scenarios
            .into_iter()
            .flatten()
            .enumerate()
            .map(of)
            .collect(),
    }
}

struct Reader<'a> {
    placed: &'a Placed,
    faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn fault(&mut self, pointer: &str, message: String) {
        let span = self.placed.place(pointer);
        let help = self.placed.behind_comma(pointer);
        self.faults
            .push(Diagnostic::error(codes::PACK_SCENARIO, span, message).help_if(help));
    }

    /// One value on its own.
    fn piece<T: DeserializeOwned>(&mut self, pointer: &str, value: &Json) {
        if let Err(error) = serde_path_to_error::deserialize::<_, T>(value.clone()) {
            let inside = super::pointer(&error.path().to_string());
            let named = error.path().to_string();
            let message = if named == "." || named.is_empty() {
                error.inner().to_string()
            } else {
                format!("`{named}`: {}", error.inner())
            };
            self.fault(&format!("{pointer}{inside}"), message);
        }
    }

    /// Each value of a list on its own.
    fn list<T: DeserializeOwned>(&mut self, pointer: &str, value: &Json) {
        let Some(items) = value.as_array() else {
            self.fault(pointer, "expected a list".to_string());
            return;
        };
        for (at, item) in items.iter().enumerate() {
            self.piece::<T>(&format!("{pointer}/{at}"), item);
        }
    }

    /// A member on its own, as the only one of what it belongs to.
    fn member<T: DeserializeOwned>(&mut self, pointer: &str, name: &str, value: &Json) {
        let alone = Json::Object(Map::from_iter([(name.to_string(), value.clone())]));
        self.piece::<T>(pointer, &alone);
    }

    fn object<'j>(&mut self, pointer: &str, value: &'j Json) -> Option<&'j Map<String, Json>> {
        if value.is_object() {
            return value.as_object();
        }
        self.fault(pointer, "expected members with values".to_string());
        None
    }

    fn known(&mut self, pointer: &str, members: &Map<String, Json>, known: &[&str]) {
        for name in members
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
        {
            let mut message = format!("there is no `{name}` here; expected {}", known.join(", "));
            if matches!(name.as_str(), "now" | "workflow" | "rule") && known.contains(&"test") {
                message = format!("`{name}` belongs to the file, beside `scenarios`");
            } else if let Some(near) = nearest(name, known.iter().copied()) {
                message = format!("there is no `{name}` here; did you mean `{near}`?");
            }
            self.fault(&format!("{pointer}/{name}"), message);
        }
    }

    fn file(&mut self, json: &Json) {
        let Some(members) = self.object("", json) else {
            return;
        };
        let known = ["workflow", "rule", "now", "given", "start", "scenarios"];
        self.known("", members, &known);
        let rule = members.contains_key("rule");
        if members.contains_key("workflow") == rule {
            self.fault("", "expected either `workflow` or `rule`".to_string());
        }
        for name in ["workflow", "rule", "now"] {
            if let Some(value) = members.get(name) {
                self.piece::<String>(&format!("/{name}"), value);
            }
        }
        match members.get("now").and_then(Json::as_str) {
            Some(now) => {
                if let Err(error) = now.parse::<jiff::Timestamp>() {
                    let message = format!("`{now}` is not an instant with an offset: {error}");
                    self.fault("/now", message);
                }
            }
            None if !rule && !members.contains_key("now") => self.fault(
                "",
                "`now` is missing: a scenario begins at a given instant".to_string(),
            ),
            None => {}
        }
        if let Some(given) = members.get("given") {
            self.given("/given", given);
        }
        if let Some(start) = members.get("start") {
            self.start("/start", start);
        }
        match members
            .get("scenarios")
            .map(|scenarios| (scenarios, scenarios.as_array()))
        {
            Some((_, Some(scenarios))) => {
                for (at, scenario) in scenarios.iter().enumerate() {
                    let pointer = format!("/scenarios/{at}");
                    self.scenario(&pointer, scenario);
                    for name in ["input", "change"] {
                        if !rule && scenario.get(name).is_some() {
                            let message = format!(
                                "`{name}` is for the scenarios of a rule; of a case it stands in `start`: `start: {{ by: …, {name}: … }}`"
                            );
                            self.fault(&format!("{pointer}/{name}"), message);
                        }
                    }
                }
            }
            Some(_) => self.fault("/scenarios", "expected a list of scenarios".to_string()),
            None => self.fault("", "`scenarios` is missing".to_string()),
        }
    }

    fn given(&mut self, pointer: &str, value: &Json) {
        let Some(members) = self.object(pointer, value) else {
            return;
        };
        for (name, value) in members {
            let inside = format!("{pointer}/{name}");
            match name.as_str() {
                "cases" => self.list::<GivenCase>(&inside, value),
                _ => self.member::<Given>(pointer, name, value),
            }
        }
    }

    fn start(&mut self, pointer: &str, value: &Json) {
        if value.is_array() {
            self.list::<Start>(pointer, value);
        } else {
            self.piece::<Start>(pointer, value);
        }
    }

    fn scenario(&mut self, pointer: &str, value: &Json) {
        let Some(members) = self.object(pointer, value) else {
            return;
        };
        if !members.contains_key("test") {
            self.fault(pointer, "`test`, the title, is missing".to_string());
        }
        let known = [
            "test",
            "start",
            "input",
            "change",
            "registers",
            "given",
            "mocks",
            "steps",
            "expect",
        ];
        self.known(pointer, members, &known);
        for (name, value) in members {
            let inside = format!("{pointer}/{name}");
            match name.as_str() {
                "test" => self.piece::<String>(&inside, value),
                "start" => self.start(&inside, value),
                "given" => self.given(&inside, value),
                "mocks" => self.mocks(&inside, value),
                "steps" => match value.as_array() {
                    Some(steps) => {
                        for (at, step) in steps.iter().enumerate() {
                            self.step(&format!("{inside}/{at}"), step);
                        }
                    }
                    None => self.fault(&inside, "expected a list of steps".to_string()),
                },
                "expect" => self.expect(&inside, value),
                "change" | "registers" => {
                    let title = Json::String(String::new());
                    let alone = [("test".to_string(), title), (name.clone(), value.clone())];
                    self.piece::<Scenario>(pointer, &Json::Object(Map::from_iter(alone)));
                }
                _ => {}
            }
        }
    }

    fn mocks(&mut self, pointer: &str, value: &Json) {
        self.list::<Mock>(pointer, value);
        for (at, mock) in value.as_array().into_iter().flatten().enumerate() {
            let inside = format!("{pointer}/{at}");
            let has = |name: &str| mock.get(name).is_some();
            if has("call") == has("workflow") {
                self.fault(&inside, "expected either `call` or `workflow`".to_string());
            }
            if has("output") && has("error") {
                self.fault(
                    &inside,
                    "expected `output` or `error`, found both".to_string(),
                );
            }
            if has("workflow") && (has("with") || has("times")) {
                let message =
                    "`with` and `times` are for functions; a played workflow answers every start";
                self.fault(&inside, message.to_string());
            }
        }
    }

    fn step(&mut self, pointer: &str, value: &Json) {
        let inner = value.as_object().filter(|step| step.len() == 1);
        match inner.and_then(|step| step.iter().next()) {
            Some((name, expected)) if name == "expect" => {
                self.expect(&format!("{pointer}/expect"), expected);
            }
            Some((name, refused)) if name == "refuses" => {
                self.step(&format!("{pointer}/refuses"), refused);
            }
            _ => self.piece::<Step>(pointer, value),
        }
    }

    fn expect(&mut self, pointer: &str, value: &Json) {
        let Some(members) = self.object(pointer, value) else {
            return;
        };
        for (name, value) in members {
            let inside = format!("{pointer}/{name}");
            match name.as_str() {
                "open" => self.list::<OpenItem>(&inside, value),
                "mails" => self.list::<ExpectMail>(&inside, value),
                "cards" => self.list::<ExpectCards>(&inside, value),
                "calls" => self.list::<ExpectCall>(&inside, value),
                "refused" if value.is_array() => self.list::<RefusedField>(&inside, value),
                "refused" if !value.is_string() => self.fault(
                    &inside,
                    "expected a list of `{ field }`, or a part of what is said".to_string(),
                ),
                _ => self.member::<Expect>(pointer, name, value),
            }
            self.says_something(&inside, name, value);
        }
    }

    /// An empty list says that there is nothing of the kind; an empty object would say nothing at all.
    fn says_something(&mut self, pointer: &str, name: &str, value: &Json) {
        let example = match name {
            "registers" => "`grants: []` says that the register has no records",
            "started" => "`housing/vetting: 0` says that none was started",
            "tasks" => "`review: not reached`",
            "clocks" => "`case: { overdue: false }`",
            "search" => "`status: open`",
            "waitsFor" => "`[{ of: NUMBER, step: review }]`",
            _ => return,
        };
        let empty = value.as_object().is_some_and(Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty);
        if empty {
            let message = format!("`{name}` is empty and says nothing; for example {example}");
            self.fault(pointer, message);
        }
    }
}

/// The known word that is nearest to one that is not known.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::normalized_damerau_levenshtein(word, name), name))
        .filter(|(likeness, _)| *likeness > 0.55)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}
