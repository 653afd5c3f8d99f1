//! What a scenario file names must exist: workflows, steps, people, functions, templates. Found before anything is
//! played, with the place of each.

use tongban_dsl::definition::{Definition, Task, TaskKind};
use tongban_dsl::{Diagnostic, Placed, codes};
use tongban_org::Organisation;
use tongban_runtime::pack::Library;

use super::file::{Given, Scenario, ScenarioFile};
use super::reading::nearest;
use super::step::{Step, Who};

/// Everything that a file names and that does not exist.
pub fn unknown(
    file: &ScenarioFile,
    placed: &Placed,
    library: &Library,
    organisation: &Organisation,
) -> Vec<Diagnostic> {
    let mut finder = Finder {
        placed,
        library,
        organisation,
        own_people: has_organisation(&file.given),
        steps: Vec::new(),
        faults: Vec::new(),
    };
    if let Some(workflow) = &file.workflow {
        match library.workflow(workflow) {
            Some((_, found)) => finder.steps = all_paths(&found.definition),
            None => {
                let all: Vec<String> = references(library).collect();
                finder.missing(
                    "/workflow",
                    "workflow",
                    workflow,
                    all.iter().map(String::as_str),
                );
            }
        }
    }
    if let Some(rule) = &file.rule {
        finder.rule(rule);
    }
    for (at, start) in file.start.iter().flat_map(|start| start.list()).enumerate() {
        let pointer = match &file.start {
            Some(super::file::OneOrMany::Many(_)) => format!("/start/{at}/by"),
            _ => "/start/by".to_string(),
        };
        finder.who(&pointer, &start.by);
    }
    finder.given("/given", &file.given);
    for (at, scenario) in file.scenarios.iter().enumerate() {
        finder.scenario(&format!("/scenarios/{at}"), scenario);
    }
    finder.faults
}

fn has_organisation(given: &Given) -> bool {
    given.organisation.is_some()
}

fn references(library: &Library) -> impl Iterator<Item = String> {
    library
        .packs()
        .flat_map(|pack| &pack.workflows)
        .map(|workflow| workflow.definition.reference())
}

struct Finder<'a> {
    placed: &'a Placed,
    library: &'a Library,
    organisation: &'a Organisation,
    /// The people are those of the file, which are known once it is played.
    own_people: bool,
    steps: Vec<String>,
    faults: Vec<Diagnostic>,
}

impl Finder<'_> {
    fn missing<'k>(
        &mut self,
        pointer: &str,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        let span = self.placed.place(pointer);
        let message = format!("there is no {what} `{name}`");
        let near = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        self.faults
            .push(Diagnostic::error(codes::PACK_SCENARIO, span, message).help_if(near));
    }

    fn rule(&mut self, rule: &str) {
        let found = rule.split_once('/').is_some_and(|(pack, path)| {
            self.library
                .pack(pack)
                .is_some_and(|pack| pack.files.contains_key(path))
        });
        if !found {
            let packs: Vec<String> = self
                .library
                .packs()
                .flat_map(|pack| {
                    let rules = pack.files.keys().filter(|path| path.ends_with(".rhai"));
                    rules.map(move |path| format!("{}/{path}", pack.name()))
                })
                .collect();
            self.missing("/rule", "rule file", rule, packs.iter().map(String::as_str));
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
        for (at, case) in given.cases.iter().enumerate() {
            self.workflow(&format!("{pointer}/cases/{at}/workflow"), &case.workflow);
        }
    }

    fn workflow(&mut self, pointer: &str, name: &str) {
        if self.library.workflow(name).is_none() {
            let all: Vec<String> = references(self.library).collect();
            self.missing(pointer, "workflow", name, all.iter().map(String::as_str));
        }
    }

    fn scenario(&mut self, pointer: &str, scenario: &Scenario) {
        let before = self.own_people;
        self.own_people |= has_organisation(&scenario.given);
        self.given(&format!("{pointer}/given"), &scenario.given);
        let functions = super::mocks::played_functions();
        for (at, mock) in scenario.mocks.iter().enumerate() {
            if let Some(workflow) = &mock.workflow {
                self.workflow(&format!("{pointer}/mocks/{at}/workflow"), workflow);
            }
            if let Some(call) = &mock.call
                && !functions.contains(call)
            {
                let pointer = format!("{pointer}/mocks/{at}/call");
                self.missing(
                    &pointer,
                    "function of a plugin",
                    call,
                    functions.iter().map(String::as_str),
                );
            }
        }
        for (at, step) in scenario.steps.iter().enumerate() {
            self.step(&format!("{pointer}/steps/{at}"), step);
        }
        self.expect(&format!("{pointer}/expect"), &scenario.expect);
        self.own_people = before;
    }

    fn expect(&mut self, pointer: &str, expected: &super::expected::Expect) {
        if expected.of.is_some() {
            return;
        }
        for path in expected.tasks.keys() {
            let pointer = format!("{pointer}/tasks/{}", path.replace('/', "~1"));
            self.at_step(&pointer, path);
        }
        for (at, item) in expected.open.iter().flatten().enumerate() {
            if item.step != "applicant" {
                self.at_step(&format!("{pointer}/open/{at}/step"), &item.step);
            }
            for (n, person) in item.to.iter().flatten().enumerate() {
                self.person(&format!("{pointer}/open/{at}/to/{n}"), person);
            }
        }
    }

    fn at_step(&mut self, pointer: &str, step: &str) {
        let path = super::play::path_of(step);
        if !self.steps.is_empty() && !self.steps.contains(&path) {
            let steps = self.steps.clone();
            self.missing(pointer, "step", step, steps.iter().map(String::as_str));
        }
    }

    fn person(&mut self, pointer: &str, id: &str) {
        if id != "system" && !self.own_people && self.organisation.person(id).is_none() {
            let people: Vec<&str> = self
                .organisation
                .people()
                .map(|person| person.id.as_str())
                .collect();
            self.missing(pointer, "person", id, people.into_iter());
        }
    }

    fn who(&mut self, pointer: &str, who: &Who) {
        if let Who::Person(id) = who {
            self.person(pointer, id);
        }
    }

    fn acts(&mut self, pointer: &str, of: Option<&String>, step: &str, by: &Who) {
        if of.is_none() {
            self.at_step(&format!("{pointer}/step"), step);
        }
        self.who(&format!("{pointer}/by"), by);
    }

    fn step(&mut self, pointer: &str, step: &Step) {
        match step {
            Step::Decide(act) => {
                let pointer = format!("{pointer}/decide");
                self.acts(&pointer, act.of.as_ref(), &act.step, &act.by);
            }
            Step::Submit(act) => {
                let pointer = format!("{pointer}/submit");
                self.acts(&pointer, act.of.as_ref(), &act.step, &act.by);
            }
            Step::Return(act) => {
                let pointer = format!("{pointer}/return");
                self.acts(&pointer, act.of.as_ref(), &act.step, &act.by);
            }
            Step::Correct(act) => {
                let pointer = format!("{pointer}/correct");
                self.acts(&pointer, act.of.as_ref(), &act.step, &act.by);
            }
            Step::Resubmit(act) => self.who(&format!("{pointer}/resubmit/by"), &act.by),
            Step::Object(act) => self.who(&format!("{pointer}/object/by"), &act.by),
            Step::Cancel(act) => self.who(&format!("{pointer}/cancel/by"), &act.by),
            Step::Expect(expected) => self.expect(&format!("{pointer}/expect"), expected),
            Step::Refuses(inner) => self.step(&format!("{pointer}/refuses"), inner),
            Step::Event(_) | Step::Advance(_) => {}
        }
    }
}

/// How deep functions may call each other.
pub(super) const CALLS_MAX: usize = 8;

/// The paths of all tasks of a definition in the order of the document, those of functions below every call of them.
pub(super) fn all_paths(definition: &Definition) -> Vec<String> {
    let mut found = Vec::new();
    paths(&definition.tasks, "", definition, 0, &mut found);
    found
}

/// The paths of all tasks below a list.
pub(super) fn paths(
    tasks: &[Task],
    above: &str,
    definition: &Definition,
    calls: usize,
    found: &mut Vec<String>,
) {
    for task in tasks {
        let path = super::coverage::below(above, &task.name.value);
        found.push(path.clone());
        for (_, inner) in task.scopes() {
            paths(inner, &path, definition, calls, found);
        }
        if let Some(body) = called(task, definition).filter(|_| calls < CALLS_MAX) {
            paths(
                std::slice::from_ref(body),
                &path,
                definition,
                calls + 1,
                found,
            );
        }
    }
}

/// The body of the document's own function that a task calls.
pub(super) fn called<'d>(task: &Task, definition: &'d Definition) -> Option<&'d Task> {
    match &task.kind {
        TaskKind::Call(call) => definition.reusables.functions.get(&call.function.value),
        _ => None,
    }
}
