//! What a scenario file names must exist: workflows, steps, outcomes, people, functions, fields, templates, registers.
//! Found before anything is played, with the place of each.

mod expected;
mod known;

use std::collections::{BTreeMap, BTreeSet};

use tongban_dsl::{Diagnostic, Placed, codes};
use tongban_org::Organisation;
use tongban_runtime::pack::Library;

use self::expected::Words;
use self::known::Known;
use super::file::{Given, OneOrMany, Scenario, ScenarioFile, Start};
use super::reading::nearest;
use super::step::{Step, Who};

/// Everything that a file names and that does not exist. Without an organisation people are not looked up.
pub fn unknown(
    file: &ScenarioFile,
    placed: &Placed,
    library: &Library,
    organisation: Option<&Organisation>,
) -> Vec<Diagnostic> {
    let mut finder = Finder {
        placed,
        library,
        organisation,
        words: Words::of(library),
        functions: super::mocks::played_functions(),
        workflow: file.workflow.as_deref().unwrap_or_default(),
        under_test: None,
        others: BTreeMap::new(),
        cases: BTreeMap::new(),
        refused: false,
        faults: Vec::new(),
    };
    if has_organisation(&file.given) {
        // The people are those of the file, which are known once it is played.
        finder.organisation = None;
    }
    if let Some(workflow) = &file.workflow {
        finder.under_test = Known::of(workflow, library);
        finder.workflow_at("/workflow", workflow);
    }
    if let Some(rule) = &file.rule {
        finder.rule(rule);
    }
    finder.given("/given", &file.given);
    for (at, scenario) in file.scenarios.iter().enumerate() {
        let pointer = format!("/scenarios/{at}");
        finder.scenario(&pointer, file, scenario);
    }
    if let Some(start) = &file.start {
        finder.starts("/start", start);
    }
    finder.faults
}

fn has_organisation(given: &Given) -> bool {
    given.organisation.is_some()
}

pub(super) struct Finder<'a> {
    pub placed: &'a Placed,
    pub library: &'a Library,
    pub organisation: Option<&'a Organisation>,
    words: Words,
    /// The functions of plugins.
    pub functions: BTreeSet<String>,
    workflow: &'a str,
    under_test: Option<Known>,
    /// Other workflows of which cases are given.
    others: BTreeMap<String, Option<Known>>,
    /// The workflow of each case that the scenario names.
    cases: BTreeMap<String, String>,
    /// The scenario expects its start to be refused: its input may be as wrong as it likes.
    refused: bool,
    faults: Vec<Diagnostic>,
}

impl Finder<'_> {
    pub(super) fn fault(&mut self, pointer: &str, message: String, help: Option<String>) {
        let span = self.placed.place(pointer);
        let help = self.placed.behind_comma(pointer).or(help);
        self.faults
            .push(Diagnostic::error(codes::PACK_SCENARIO, span, message).help_if(help));
    }

    pub(super) fn missing<'k>(
        &mut self,
        pointer: &str,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        let known: Vec<&str> = known.collect();
        let near = nearest(name, known.iter().copied());
        let help = match near {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if (1..=12).contains(&known.len()) => {
                Some(format!("expected one of: {}", known.join(", ")))
            }
            None => None,
        };
        self.fault(pointer, format!("there is no {what} `{name}`"), help);
    }

    /// One of a few words.
    pub(super) fn word(&mut self, pointer: &str, what: &str, word: &str, known: &[&str]) {
        if !known.contains(&word) {
            self.missing(pointer, what, word, known.iter().copied());
        }
    }

    fn rule(&mut self, rule: &str) {
        let found = rule.split_once('/').is_some_and(|(pack, path)| {
            self.library
                .pack(pack)
                .is_some_and(|pack| pack.files.contains_key(path))
        });
        if !found {
            let rules = self.words.rule_files.clone();
            self.missing("/rule", "rule file", rule, rules.iter().map(String::as_str));
        }
    }

    fn given(&mut self, pointer: &str, given: &Given) {
        for (at, pack) in given.samples.iter().enumerate() {
            if self.library.pack(pack).is_none() {
                let packs: Vec<&str> = self.library.packs().map(|pack| pack.name()).collect();
                let pointer = format!("{pointer}/samples/{at}");
                self.missing(&pointer, "pack", pack, packs.into_iter());
            }
        }
        for register in given.registers.keys() {
            self.register(&below(&format!("{pointer}/registers"), register), register);
        }
        for (at, case) in given.cases.iter().enumerate() {
            let pointer = format!("{pointer}/cases/{at}");
            self.workflow_at(&format!("{pointer}/workflow"), &case.workflow);
            if !case.starter.user.is_empty() {
                self.person(&format!("{pointer}/starter/user"), &case.starter.user);
            }
            if !case.starter.unit.is_empty() {
                self.unit(&format!("{pointer}/starter/unit"), &case.starter.unit);
            }
            self.cases
                .insert(case.number.clone(), case.workflow.clone());
        }
    }

    pub(super) fn workflow_at(&mut self, pointer: &str, name: &str) {
        // What is there and has faults is told elsewhere.
        if !self.words.workflows.iter().any(|known| known == name) {
            let all = self.words.workflows.clone();
            self.missing(pointer, "workflow", name, all.iter().map(String::as_str));
        }
    }

    pub(super) fn register(&mut self, pointer: &str, name: &str) {
        if self.library.register(name).is_none() {
            let all = self.words.registers.clone();
            self.missing(pointer, "register", name, all.iter().map(String::as_str));
        }
    }

    pub(super) fn function(&mut self, pointer: &str, name: &str) {
        if !self.functions.contains(name) {
            let all: Vec<String> = self.functions.iter().cloned().collect();
            let known = all.iter().map(String::as_str);
            self.missing(pointer, "function of a plugin", name, known);
        }
    }

    fn scenario(&mut self, pointer: &str, file: &ScenarioFile, scenario: &Scenario) {
        let people = self.organisation;
        let cases = self.cases.clone();
        if has_organisation(&scenario.given) {
            self.organisation = None;
        }
        self.refused = scenario
            .expect
            .refused
            .as_ref()
            .is_some_and(|refused| !refused.is_accepted());
        self.given(&format!("{pointer}/given"), &scenario.given);
        for register in scenario.registers.keys() {
            self.register(&below(&format!("{pointer}/registers"), register), register);
        }
        for (at, mock) in scenario.mocks.iter().enumerate() {
            if let Some(workflow) = &mock.workflow {
                self.workflow_at(&format!("{pointer}/mocks/{at}/workflow"), workflow);
            }
            if let Some(call) = &mock.call {
                self.function(&format!("{pointer}/mocks/{at}/call"), call);
            }
        }
        self.name_cases(file, scenario);
        if let Some(start) = &scenario.start {
            self.starts(&format!("{pointer}/start"), start);
        }
        for (at, step) in scenario.steps.iter().enumerate() {
            self.step(&format!("{pointer}/steps/{at}"), step);
        }
        if let Some(rule) = &file.rule {
            self.rule_rows(&format!("{pointer}/expect"), rule, &scenario.expect);
        } else {
            self.expect(&format!("{pointer}/expect"), &scenario.expect);
        }
        self.organisation = people;
        self.cases = cases;
        self.refused = false;
    }

    /// The cases that a scenario may mean by `of`.
    fn name_cases(&mut self, file: &ScenarioFile, scenario: &Scenario) {
        let starts = scenario.start.as_ref().or(file.start.as_ref());
        let starts = starts.map(OneOrMany::list).unwrap_or_default();
        for (at, start) in starts.iter().enumerate() {
            let name = start.name.clone();
            let name = name.unwrap_or_else(|| format!("#{}", at + 1));
            self.cases.insert(name, self.workflow.to_string());
        }
        for step in &scenario.steps {
            if let Step::Object(object) = step {
                let name = object.name.clone();
                let name = name.unwrap_or_else(|| format!("#{}", self.cases.len() + 1));
                // Which workflow takes the objection is known once it is played.
                self.cases.insert(name, String::new());
            }
        }
    }

    fn starts(&mut self, pointer: &str, starts: &OneOrMany<Start>) {
        let all = starts.list();
        for (at, start) in all.iter().enumerate() {
            let pointer = match starts {
                OneOrMany::Many(_) => format!("{pointer}/{at}"),
                OneOrMany::One(_) => pointer.to_string(),
            };
            self.who(&format!("{pointer}/by"), &start.by);
            if self.refused {
                continue;
            }
            let inputs = start.input.entries().map(|(name, _)| name.to_string());
            let inputs: Vec<String> = inputs.collect();
            for name in &inputs {
                self.start_field(&below(&format!("{pointer}/input"), name), name);
            }
            let schema = self
                .under_test
                .as_ref()
                .and_then(|known| known.start.clone());
            let mut numbers = Vec::new();
            if let Some(schema) = &schema {
                known::numbers_for_texts(schema, &start.input, "", &mut numbers);
            }
            for (place, number) in numbers {
                let message = format!("a text is expected, found the number {number}");
                let help = format!("put it in quotes: '{number}'");
                self.fault(&format!("{pointer}/input{place}"), message, Some(help));
            }
            for path in start.change.keys() {
                self.start_field(&below(&format!("{pointer}/change"), path), path);
            }
        }
    }

    fn start_field(&mut self, pointer: &str, path: &str) {
        let schema = self
            .under_test
            .as_ref()
            .and_then(|known| known.start.as_ref());
        let lack = schema.and_then(|schema| known::lacks(schema, path));
        if let Some(lack) = lack {
            let known = lack.known.iter().map(String::as_str);
            self.missing(pointer, "field", &lack.name, known);
        }
    }

    /// What the workflow of a case has; `None` when that cannot be known.
    pub(super) fn known(&mut self, of: Option<&str>) -> Option<&Known> {
        let Some(name) = of else {
            return self.under_test.as_ref();
        };
        let workflow = self.cases.get(name)?.clone();
        if workflow == self.workflow {
            return self.under_test.as_ref();
        }
        let library = self.library;
        let known = self
            .others
            .entry(workflow)
            .or_insert_with_key(|workflow| Known::of(workflow, library));
        known.as_ref()
    }

    /// The case that a step means.
    pub(super) fn case(&mut self, pointer: &str, of: Option<&str>) {
        // Cases that others start have numbers that are known once they are played.
        let may_be_number = |name: &str| {
            !name.starts_with('#') && name.contains(|letter: char| letter.is_ascii_digit())
        };
        let unknown = |name: &&str| !self.cases.contains_key(*name) && !may_be_number(name);
        if let Some(name) = of.filter(unknown) {
            let all: Vec<String> = self.cases.keys().cloned().collect();
            let pointer = format!("{pointer}/of");
            self.missing(&pointer, "case", name, all.iter().map(String::as_str));
        }
    }

    pub(super) fn at_step(&mut self, pointer: &str, of: Option<&str>, step: &str) {
        let path = super::play::path_of(step);
        let Some(known) = self.known(of) else {
            return;
        };
        if !known.steps.contains(&path) {
            let steps = known.steps.clone();
            self.missing(pointer, "step", step, steps.iter().map(String::as_str));
        }
    }

    /// An outcome of a step; `more` are words that stand there besides.
    pub(super) fn outcome(
        &mut self,
        pointer: &str,
        of: Option<&str>,
        step: &str,
        outcome: &str,
        more: &[&str],
    ) {
        let path = super::play::path_of(step);
        let known = self.known(of).and_then(|known| known.outcomes.get(&path));
        let Some(known) = known.cloned() else {
            return;
        };
        if !known.iter().any(|name| name == outcome) && !more.contains(&outcome) {
            let what = format!("outcome of `{step}`");
            self.missing(pointer, &what, outcome, known.iter().map(String::as_str));
        }
    }

    pub(super) fn field(&mut self, pointer: &str, of: Option<&str>, path: &str) {
        let lack = self.known(of).and_then(|known| known.lacks_field(path));
        if let Some(lack) = lack {
            let known = lack.known.iter().map(String::as_str);
            self.missing(pointer, "field", &lack.name, known);
        }
    }

    pub(super) fn person(&mut self, pointer: &str, id: &str) {
        let Some(organisation) = self.organisation else {
            return;
        };
        if id != "system" && organisation.person(id).is_none() {
            let people = organisation.people().map(|person| person.id.as_str());
            self.missing(pointer, "person", id, people);
        }
    }

    pub(super) fn unit(&mut self, pointer: &str, id: &str) {
        let Some(organisation) = self.organisation else {
            return;
        };
        if organisation.unit(id).is_none() {
            let units = organisation.units().map(|unit| unit.id.as_str());
            self.missing(pointer, "unit", id, units);
        }
    }

    fn who(&mut self, pointer: &str, who: &Who) {
        let Some(organisation) = self.organisation else {
            return;
        };
        let holders = match who {
            Who::Person(id) => return self.person(pointer, id),
            Who::Role { role, unit } => {
                let roles = self.words.roles.clone();
                let anybody = !organisation.role_holders(role, None).is_empty();
                if !anybody && !roles.contains(role) {
                    let known = roles.iter().map(String::as_str);
                    return self.missing(&format!("{pointer}/role"), "role", role, known);
                }
                if let Some(unit) = unit
                    .as_ref()
                    .filter(|unit| organisation.unit(unit).is_none())
                {
                    return self.unit(&format!("{pointer}/unit"), unit);
                }
                organisation.role_holders(role, unit.as_deref())
            }
            Who::Post { post, unit } => {
                if !organisation.posts().any(|known| known.id == *post) {
                    let posts = organisation.posts().map(|post| post.id.as_str());
                    return self.missing(&format!("{pointer}/post"), "post", post, posts);
                }
                if organisation.unit(unit).is_none() {
                    return self.unit(&format!("{pointer}/unit"), unit);
                }
                organisation.post_holders(post, unit)
            }
            Who::Head(unit) => {
                if organisation.unit(unit).is_none() {
                    return self.unit(&format!("{pointer}/head"), unit);
                }
                organisation.heads(unit).to_vec()
            }
        };
        if holders.is_empty() {
            let help = "see `organisation.yaml`, or give the file an organisation of its own";
            self.fault(pointer, format!("nobody is {who}"), Some(help.to_string()));
        }
    }

    fn acts(&mut self, pointer: &str, of: Option<&str>, step: &str, by: &Who) {
        self.case(pointer, of);
        self.at_step(&format!("{pointer}/step"), of, step);
        self.who(&format!("{pointer}/by"), by);
    }

    fn fields<'p>(
        &mut self,
        pointer: &str,
        of: Option<&str>,
        paths: impl Iterator<Item = &'p String>,
    ) {
        for path in paths {
            self.field(&below(pointer, path), of, path);
        }
    }

    fn step(&mut self, pointer: &str, step: &Step) {
        match step {
            Step::Decide(act) => {
                let pointer = format!("{pointer}/decide");
                let of = act.of.as_deref();
                self.acts(&pointer, of, &act.step, &act.by);
                let at = format!("{pointer}/outcome");
                self.outcome(&at, of, &act.step, &act.outcome, &[]);
                self.fields(&format!("{pointer}/change"), of, act.change.keys());
            }
            Step::Submit(act) => {
                let pointer = format!("{pointer}/submit");
                let of = act.of.as_deref();
                self.acts(&pointer, of, &act.step, &act.by);
                if let Some(outcome) = &act.outcome {
                    self.outcome(&format!("{pointer}/outcome"), of, &act.step, outcome, &[]);
                }
                self.fields(&format!("{pointer}/change"), of, act.change.keys());
                let data = act.data.iter().flat_map(|data| data.entries());
                let data: Vec<String> = data.map(|(name, _)| name.to_string()).collect();
                self.fields(&format!("{pointer}/data"), of, data.iter());
            }
            Step::Return(act) => {
                let pointer = format!("{pointer}/return");
                let of = act.of.as_deref();
                self.acts(&pointer, of, &act.step, &act.by);
                self.goes_to(&format!("{pointer}/to"), of, &act.to);
                self.fields(&format!("{pointer}/fields"), of, act.fields.keys());
            }
            Step::Correct(act) => {
                let pointer = format!("{pointer}/correct");
                let of = act.of.as_deref();
                self.acts(&pointer, of, &act.step, &act.by);
                for (at, item) in act.items.iter().enumerate() {
                    self.field(&format!("{pointer}/items/{at}/field"), of, &item.field);
                }
            }
            Step::Resubmit(act) => {
                let pointer = format!("{pointer}/resubmit");
                self.case(&pointer, act.of.as_deref());
                self.who(&format!("{pointer}/by"), &act.by);
                let changes = format!("{pointer}/change");
                self.fields(&changes, act.of.as_deref(), act.change.keys());
            }
            Step::Object(act) => self.who(&format!("{pointer}/object/by"), &act.by),
            Step::Cancel(act) => self.who(&format!("{pointer}/cancel/by"), &act.by),
            Step::Expect(expected) => self.expect(&format!("{pointer}/expect"), expected),
            // What is refused may be wrong in any way, but for where it happens.
            Step::Refuses(inner) => self.refused_step(&format!("{pointer}/refuses"), inner),
            Step::Event(_) | Step::Advance(_) => {}
        }
    }

    fn refused_step(&mut self, pointer: &str, step: &Step) {
        let (word, of, at, by) = match step {
            Step::Decide(act) => ("decide", &act.of, &act.step, &act.by),
            Step::Submit(act) => ("submit", &act.of, &act.step, &act.by),
            Step::Return(act) => ("return", &act.of, &act.step, &act.by),
            Step::Correct(act) => ("correct", &act.of, &act.step, &act.by),
            _ => return,
        };
        self.acts(&format!("{pointer}/{word}"), of.as_deref(), at, by);
    }

    /// Where a return leads: a step is named from the one that returns, in its list or in one around it.
    fn goes_to(&mut self, pointer: &str, of: Option<&str>, to: &str) {
        if matches!(to, "applicant" | "previous") {
            return;
        }
        let Some(known) = self.known(of) else {
            return;
        };
        let ends = |step: &&String| *step == to || step.ends_with(&format!("/{to}"));
        if known.steps.iter().find(ends).is_none() {
            let steps = known.steps.clone();
            self.missing(pointer, "step", to, steps.iter().map(String::as_str));
        }
    }
}

/// The JSON pointer of a member.
pub(super) fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
