//! What expectations name must exist, too.

use tongban_runtime::pack::Library;

use super::{Finder, below, known};
use crate::scenario::expected::Expect;
use crate::scenario::rules::rule_ids;

/// The names that packs have.
pub(super) struct Words {
    /// Workflows, those with faults included.
    pub workflows: Vec<String>,
    /// Registers.
    pub registers: Vec<String>,
    /// Roles of packs.
    pub roles: Vec<String>,
    /// Rule files: `pack/rules/x.rhai`.
    pub rule_files: Vec<String>,
    /// Templates of mails, the engine's own included.
    mails: Vec<String>,
}

impl Words {
    pub fn of(library: &Library) -> Words {
        let mut words = Words {
            workflows: Vec::new(),
            registers: Vec::new(),
            roles: Vec::new(),
            rule_files: Vec::new(),
            mails: tongban_runtime::words::letters()
                .map(str::to_string)
                .collect(),
        };
        for pack in library.packs() {
            let names = pack.workflow_names().into_iter();
            words
                .workflows
                .extend(names.map(|name| format!("{}/{name}", pack.name())));
            words.registers.extend(pack.registers.keys().cloned());
            words.roles.extend(pack.manifest.roles.keys().cloned());
            for path in pack.files.keys() {
                if path.ends_with(".rhai") {
                    words.rule_files.push(format!("{}/{path}", pack.name()));
                }
                // `mails/told.zh-CN.md` is `mails/told`.
                let mail = path
                    .strip_suffix(".md")
                    .filter(|_| path.starts_with("mails/"));
                if let Some((template, _)) = mail.and_then(|mail| mail.rsplit_once('.')) {
                    words.mails.push(template.to_string());
                }
            }
        }
        for list in [&mut words.roles, &mut words.mails] {
            list.sort();
            list.dedup();
        }
        words
    }
}

const STATUS: [&str; 5] = ["waiting", "completed", "faulted", "cancelled", "suspended"];
const TASK: [&str; 7] = [
    "completed",
    "skipped",
    "faulted",
    "cancelled",
    "running",
    "not reached",
    "late",
];
const CARDS: [&str; 3] = ["blue", "yellow", "red"];
const HISTORY: [&str; 7] = [
    "step", "outcome", "by", "comment", "channel", "reused", "round",
];
const CHILDREN: [&str; 6] = ["workflow", "status", "number", "title", "outcome", "output"];
/// Acts that the history tells in place of an outcome.
const ACTS: [&str; 12] = [
    "submit",
    "claim",
    "unclaim",
    "return",
    "correct",
    "resubmit",
    "comment",
    "transfer",
    "delegate",
    "addSigner",
    "withdraw",
    "opinion",
];
const VERDICTS: [&str; 3] = ["fit", "unfit", "undetermined"];

impl Finder<'_> {
    pub(super) fn expect(&mut self, pointer: &str, expected: &Expect) {
        let of = expected.of.as_deref();
        self.case(pointer, of);
        if let Some(status) = &expected.status {
            self.word(&format!("{pointer}/status"), "status", status, &STATUS);
        }
        for (path, wanted) in &expected.tasks {
            let pointer = below(&format!("{pointer}/tasks"), path);
            self.at_step(&pointer, of, path);
            if let Some(word) = wanted.as_str() {
                self.word(&pointer, "word for a task", word, &TASK);
            }
        }
        self.clocks(pointer, expected);
        self.open(pointer, expected);
        self.mails(pointer, expected);
        for (at, decision) in expected.history.iter().flatten().enumerate() {
            let pointer = format!("{pointer}/history/{at}");
            for (name, _) in decision.entries() {
                self.word(&below(&pointer, name), "member", name, &HISTORY);
            }
            if let Some(person) = decision.text("by") {
                self.person(&format!("{pointer}/by"), person);
            }
            let step = decision.text("step");
            if let Some(step) = step.filter(|step| *step != "applicant") {
                self.at_step(&format!("{pointer}/step"), of, step);
                if let Some(outcome) = decision.text("outcome") {
                    self.outcome(&format!("{pointer}/outcome"), of, step, outcome, &ACTS);
                }
            }
        }
        self.beside(pointer, expected);
    }

    fn clocks(&mut self, pointer: &str, expected: &Expect) {
        let of = expected.of.as_deref();
        let is_step = |name: &str| name != "case" && !name.starts_with("item/");
        for name in expected.clocks.keys().filter(|name| is_step(name)) {
            self.at_step(&below(&format!("{pointer}/clocks"), name), of, name);
        }
        for (at, wanted) in expected.cards.iter().flatten().enumerate() {
            let pointer = format!("{pointer}/cards/{at}");
            if is_step(&wanted.clock) {
                self.at_step(&format!("{pointer}/clock"), of, &wanted.clock);
            }
            for (n, card) in wanted.cards.iter().enumerate() {
                self.word(&format!("{pointer}/cards/{n}"), "card", card, &CARDS);
            }
        }
    }

    fn open(&mut self, pointer: &str, expected: &Expect) {
        let of = expected.of.as_deref();
        for (at, item) in expected.open.iter().flatten().enumerate() {
            let pointer = format!("{pointer}/open/{at}");
            if item.step != "applicant" {
                self.at_step(&format!("{pointer}/step"), of, &item.step);
            }
            for (n, person) in item.to.iter().flatten().enumerate() {
                self.person(&format!("{pointer}/to/{n}"), person);
            }
            for path in item.prefilled.keys() {
                self.field(&below(&format!("{pointer}/prefilled"), path), of, path);
            }
        }
    }

    fn mails(&mut self, pointer: &str, expected: &Expect) {
        let known = self.words.mails.clone();
        for (at, mail) in expected.mails.iter().flatten().enumerate() {
            let pointer = format!("{pointer}/mails/{at}");
            if !known.contains(&mail.template) {
                let known = known.iter().map(String::as_str);
                self.missing(
                    &format!("{pointer}/template"),
                    "mail",
                    &mail.template,
                    known,
                );
            }
            for (n, to) in mail.to.iter().enumerate() {
                let pointer = format!("{pointer}/to/{n}");
                match (to.as_str(), to.text("unit")) {
                    (Some(person), _) => self.person(&pointer, person),
                    (None, Some(unit)) => self.unit(&format!("{pointer}/unit"), unit),
                    _ => {}
                }
            }
        }
    }

    /// What is not about the case itself.
    fn beside(&mut self, pointer: &str, expected: &Expect) {
        let of = expected.of.as_deref();
        for (register, records) in &expected.registers {
            let pointer = below(&format!("{pointer}/registers"), register);
            self.register(&pointer, register);
            let schema = self.library.register(register);
            let added = schema.and_then(|document| document.get("adds")).cloned();
            let schema = schema.and_then(|document| document.get("schema")).cloned();
            for (at, record) in records.iter().enumerate() {
                for (name, _) in record.entries() {
                    if added
                        .as_ref()
                        .is_some_and(|added| added.get(name).is_some())
                    {
                        continue;
                    }
                    let lack = schema
                        .as_ref()
                        .and_then(|schema| known::lacks(schema, name));
                    if let Some(lack) = lack {
                        let pointer = below(&format!("{pointer}/{at}"), name);
                        let known = lack.known.iter().map(String::as_str);
                        self.missing(&pointer, "field", name, known);
                    }
                }
            }
        }
        for (at, field) in expected
            .refused
            .iter()
            .flat_map(|refused| refused.fields())
            .enumerate()
        {
            self.field(&format!("{pointer}/refused/{at}/field"), of, &field.field);
        }
        for workflow in expected.started.keys() {
            self.workflow_at(&below(&format!("{pointer}/started"), workflow), workflow);
        }
        for (at, child) in expected.children.iter().flatten().enumerate() {
            let pointer = format!("{pointer}/children/{at}");
            for (name, _) in child.entries() {
                self.word(&below(&pointer, name), "member", name, &CHILDREN);
            }
            if let Some(workflow) = child.text("workflow") {
                self.workflow_at(&format!("{pointer}/workflow"), workflow);
            }
        }
        for (at, call) in expected.calls.iter().flatten().enumerate() {
            self.function(&format!("{pointer}/calls/{at}/call"), &call.call);
        }
        let known = self.known(of).map(|known| known.search.clone());
        for name in expected.search.keys() {
            if let Some(known) = known.as_ref().filter(|known| !known.contains(name)) {
                let pointer = below(&format!("{pointer}/search"), name);
                let known = known.iter().map(String::as_str);
                self.missing(&pointer, "search field", name, known);
            }
        }
    }

    /// What a scenario of a rule file expects.
    pub(super) fn rule_rows(&mut self, pointer: &str, rule: &str, expected: &Expect) {
        if let Some(verdict) = &expected.verdict {
            self.word(&format!("{pointer}/verdict"), "verdict", verdict, &VERDICTS);
        }
        let source = rule
            .split_once('/')
            .and_then(|(pack, path)| self.library.pack(pack)?.files.get(path).cloned());
        let Some(source) = source else {
            return;
        };
        let ids = rule_ids(&source);
        for (at, row) in expected.trace.iter().flatten().enumerate() {
            let pointer = format!("{pointer}/trace/{at}");
            if let Some(id) = row
                .text("rule")
                .filter(|id| !ids.iter().any(|known| known == id))
            {
                let known = ids.iter().map(String::as_str);
                self.missing(&format!("{pointer}/rule"), "rule", id, known);
            }
            if let Some(result) = row.text("result") {
                self.word(&format!("{pointer}/result"), "verdict", result, &VERDICTS);
            }
        }
    }
}
