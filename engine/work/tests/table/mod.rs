//! A desk on the sample site, driven by hand. Every act is followed by a
//! round trip of the state through JSON, and a refusal must change nothing.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::collections::BTreeMap;

use tongban_expr::{Value, value};
use tongban_org::{Absence, CalendarFile, Organisation, OrganisationFile, PersonEntry};
use tongban_work::{
    Act, AskApplicant, CaseFacts, Channel, Desk, FormFault, Forms, JumpRequest, MailKind, Opening,
    Out, Refusal, Reopen, What, WorkError, World,
};

pub fn ms(text: &str) -> i64 {
    let text = if text.len() == 10 {
        format!("{text}T09:00:00+08:00")
    } else {
        text.to_owned()
    };
    text.parse::<jiff::Timestamp>()
        .expect("an instant")
        .as_millisecond()
}

fn calendars() -> Vec<CalendarFile> {
    [
        include_str!("../../../../config/calendars/china.yaml"),
        include_str!("../../../../config/calendars/china-2025.yaml"),
        include_str!("../../../../config/calendars/china-2026.yaml"),
        include_str!("../../../../config/calendars/china-2027.yaml"),
    ]
    .into_iter()
    .map(|text| serde_yaml::from_str(text).expect("the calendar is well formed"))
    .collect()
}

fn site() -> OrganisationFile {
    serde_yaml::from_str(include_str!("../../../../config/organisation.yaml"))
        .expect("the site is well formed")
}

/// The forms of the tests: `required` of a schema is checked, `x-warn` names
/// a field that must be empty or be explained.
#[derive(Default)]
pub struct Book {
    pub schemas: BTreeMap<String, Value>,
    pub codes: BTreeMap<String, Vec<(String, String)>>,
    pub decided: Vec<String>,
    pub batch_complete: bool,
}

impl Forms for Book {
    fn schema(&self, form: &Value) -> Option<Value> {
        self.schemas.get(form.as_str()?).cloned()
    }

    fn faults(
        &self,
        form: &Value,
        _check: Option<&str>,
        data: &Value,
        _case: &CaseFacts,
    ) -> Vec<FormFault> {
        let schema = self.schema(form).unwrap_or_default();
        let required = schema
            .get("required")
            .into_iter()
            .flat_map(|list| list.items().cloned().collect::<Vec<_>>());
        let empty = |field: &str| {
            data.at(field)
                .is_none_or(|value| value.is_null() || value.as_str() == Some(""))
        };
        let mut faults: Vec<FormFault> = required
            .filter_map(|field| field.as_str().map(str::to_owned))
            .filter(|field| empty(field))
            .map(|field| FormFault::required(&field))
            .collect();
        if let Some(field) = schema.text("x-warn").filter(|field| !empty(field)) {
            faults.push(FormFault {
                warning: true,
                keyword: "x-check".into(),
                ..FormFault::required(field)
            });
        }
        faults
    }

    fn codes(&self, list: &str) -> Option<Vec<(String, String)>> {
        self.codes.get(list).cloned()
    }

    fn decided(&self, _step: &str, _of: &str) -> Vec<String> {
        self.decided.clone()
    }

    fn batch_complete(&self, _place: &str, _by: &[String]) -> bool {
        self.batch_complete
    }
}

pub struct Table {
    pub desk: Desk,
    pub org: Organisation,
    pub case: CaseFacts,
    pub forms: Book,
    pub now_ms: i64,
}

impl Table {
    /// A case that li-na of transport started on a Monday before the May holidays.
    pub fn new() -> Self {
        Self::with(site())
    }

    /// The same with `count` more people `p0`, `p1` … of the group `many`.
    pub fn crowd(count: usize) -> Self {
        let mut file = site();
        let ids: Vec<String> = (0..count).map(|index| format!("p{index}")).collect();
        for id in &ids {
            let text = format!("{{ id: {id}, name: {id}, unit: transport }}");
            let person: PersonEntry = serde_yaml::from_str(&text).expect("a person");
            file.people.push(person);
        }
        let text = format!(
            "[{{ id: many, title: many, members: [{}] }}]",
            ids.join(", ")
        );
        let groups: Vec<tongban_org::GroupEntry> = serde_yaml::from_str(&text).expect("a group");
        file.groups.extend(groups);
        Self::with(file)
    }

    pub fn with(file: OrganisationFile) -> Self {
        let org = Organisation::build(&file, &calendars()).expect("the site has no faults");
        let case = CaseFacts {
            id: "case-1".into(),
            number: "GX2026-00001".into(),
            title: "共享申请".into(),
            workflow: "sharing/apply".into(),
            url: "/cases/case-1".into(),
            starter: Some("li-na".into()),
            unit: Some("transport".into()),
            form: value!({"resource": "r", "scope": {"items": ["a", "b"], "mode": "api"}, "security": "s", "class": null}),
            form_ref: Some("forms/application.yaml".into()),
            chosen: BTreeMap::new(),
        };
        let mut forms = Book {
            batch_complete: true,
            ..Book::default()
        };
        forms.schemas.insert(
            "forms/application.yaml".into(),
            value!({
                "required": ["resource", "security"],
                "properties": {"resource": {"readOnly": true}, "figures": {"x-figures": true}}
            }),
        );
        let codes = [("scope", "超必要范围"), ("law", "法律禁止")];
        forms.codes.insert(
            "refusal".into(),
            codes
                .map(|(code, title)| (code.into(), title.into()))
                .to_vec(),
        );
        Self {
            desk: Desk::default(),
            org,
            case,
            forms,
            now_ms: ms("2026-04-27"),
        }
    }

    pub fn world(&self) -> World<'_> {
        World {
            now_ms: self.now_ms,
            org: &self.org,
            case: &self.case,
            forms: &self.forms,
        }
    }

    pub fn at(&mut self, text: &str) -> &mut Self {
        self.now_ms = ms(text);
        self
    }

    /// Opens a task of this path; the run id is the path too.
    pub fn open(&mut self, path: &str, function: &str, args: Value) -> Result<Vec<Out>, WorkError> {
        self.enter(path, path, function, args, Reopen::Fresh)
    }

    pub fn enter(
        &mut self,
        run_id: &str,
        path: &str,
        function: &str,
        args: Value,
        reopen: Reopen,
    ) -> Result<Vec<Out>, WorkError> {
        let opening = Opening {
            run_id: run_id.into(),
            path: path.into(),
            place: path.into(),
            function: function.into(),
            args,
            title: Some(path.into()),
            reopen,
        };
        self.on_desk(|desk, world| desk.open(opening, world))
    }

    /// Opens an `approve` and gives its number; nothing may go wrong.
    pub fn approve(&mut self, path: &str, args: Value) -> u32 {
        self.open(path, "approve", args).expect("the task opens");
        self.desk.items().last().expect("an item was opened").n
    }

    pub fn ask_applicant(&mut self, jump: &JumpRequest) -> u32 {
        let ask = AskApplicant {
            run_id: "@applicant".into(),
            fields: jump.fields.clone(),
            comment: jump.comment.clone(),
            by: jump.by.clone(),
        };
        self.on_desk(|desk, world| desk.ask_applicant(ask, world))
            .expect("there is an applicant");
        self.desk.items().last().expect("an item was opened").n
    }

    /// Does something that may fail; a failure must leave the desk as it was.
    pub fn on_desk<T, E>(
        &mut self,
        f: impl FnOnce(&mut Desk, &World<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let before = self.desk.clone();
        let mut desk = before.clone();
        let world = World {
            now_ms: self.now_ms,
            org: &self.org,
            case: &self.case,
            forms: &self.forms,
        };
        let result = f(&mut desk, &world);
        if result.is_err() {
            assert_eq!(desk, before, "a refusal changed the desk");
        }
        let text = serde_json::to_string(&desk).expect("the desk serialises");
        let back: Desk = serde_json::from_str(&text).expect("the desk is read back");
        assert_eq!(back, desk, "the desk changed on its way through JSON");
        self.desk = desk;
        result
    }

    pub fn act(&mut self, who: &str, n: u32, what: What) -> Result<Vec<Out>, Refusal> {
        let act = Act {
            n,
            round: None,
            who: who.into(),
            for_whom: None,
            channel: Channel::Console,
            seen_digest: None,
            what,
        };
        self.send(act)
    }

    pub fn send(&mut self, act: Act) -> Result<Vec<Out>, Refusal> {
        let outs = self.on_desk(|desk, world| desk.act(act, world))?;
        for out in &outs {
            if let Out::Form(change) = out {
                self.case.form = change.form.clone();
            }
        }
        Ok(outs)
    }

    pub fn decide(&mut self, who: &str, n: u32, outcome: &str) -> Result<Vec<Out>, Refusal> {
        self.act(who, n, decide(outcome))
    }

    pub fn due(&mut self) -> Vec<Out> {
        self.on_desk(|desk, world| Ok::<_, ()>(desk.due(world)))
            .expect("it cannot fail")
    }

    /// Lets time pass event by event, as the runtime's wakes do.
    pub fn advance(&mut self, to: &str) -> Vec<Out> {
        let (end, mut outs) = (ms(to), Vec::new());
        while let Some(next) = self.desk.next_due_ms().filter(|next| *next <= end) {
            self.now_ms = next.max(self.now_ms);
            outs.extend(self.due());
        }
        self.now_ms = end;
        outs
    }

    /// People who may act on an item, in order.
    pub fn waits_for(&self, n: u32) -> Vec<String> {
        let item = self.desk.item(n).expect("the item exists");
        item.current()
            .into_iter()
            .map(|(person, _)| person.to_owned())
            .collect()
    }

    pub fn absent(&mut self, person: &str, agent: &str) {
        let agent = Some(agent.to_owned());
        self.org.add_absence(Absence {
            person: person.into(),
            agent,
            from_ms: 0,
            to_ms: None,
            of: Vec::new(),
        });
    }
}

pub fn decide(outcome: &str) -> What {
    said(outcome, None)
}

/// A decision with the comment 因为, and a reason when one is given.
pub fn said(outcome: &str, reason: Option<&str>) -> What {
    What::Decide {
        outcome: outcome.into(),
        comment: Some("因为".into()),
        reason: reason.map(str::to_owned),
        change: Value::Null,
        statement: None,
    }
}

pub fn edit(outcome: &str, change: Value) -> What {
    What::Decide {
        outcome: outcome.into(),
        comment: None,
        reason: None,
        change,
        statement: None,
    }
}

pub fn submit(data: Value) -> What {
    What::Submit {
        outcome: None,
        data: Some(data),
        change: Value::Null,
        comment: None,
        reason: None,
        statement: None,
    }
}

pub fn resubmit(change: Value) -> What {
    What::Resubmit {
        data: None,
        change,
        comment: None,
        statement: None,
    }
}

/// The output of the task that these wishes complete.
pub fn output(outs: &[Out]) -> Option<&Value> {
    outs.iter().find_map(|out| match out {
        Out::Completed { output, .. } => Some(output),
        _ => None,
    })
}

pub fn outcome(outs: &[Out]) -> Option<&str> {
    output(outs).and_then(|output| output.text("outcome"))
}

pub fn jump(outs: &[Out]) -> Option<&JumpRequest> {
    outs.iter().find_map(|out| match out {
        Out::Jump(jump) => Some(jump),
        _ => None,
    })
}

pub fn mails(outs: &[Out], kind: MailKind) -> Vec<String> {
    let to = |out: &Out| match out {
        Out::Mail(mail) if mail.kind == kind => Some(mail.to.clone()),
        _ => None,
    };
    outs.iter().filter_map(to).collect()
}

/// The ledger rows of these wishes as `clock kind ground`.
pub fn entries(outs: &[Out]) -> Vec<String> {
    let row = |out: &Out| match out {
        Out::ClockEntry(row) => Some(format!(
            "{} {} {}",
            row.clock,
            row.kind,
            row.ground.clone().unwrap_or_default()
        )),
        _ => None,
    };
    outs.iter()
        .filter_map(row)
        .map(|text| text.trim_end().to_owned())
        .collect()
}
