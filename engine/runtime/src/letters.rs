//! What the desk wants done: answers for the machine, decisions, letters, who may see the case.

use tongban_core::{ContextChange, Event, Jump, JumpInput, Mode, Right, Siblings, Signing, Target};
use tongban_expr::{Value, value};
use tongban_store::{ClockEntryRow, DecisionRow, MailLinkRow, MailRow};
use tongban_work::{JumpRequest, Kind, MailRequest, Out, Resume, ReturnTo};

use crate::activation::Activation;
use crate::error::RuntimeError;
use crate::link::nonce_text;

/// A letter to one person.
pub(crate) struct Letter {
    pub to: String,
    pub template: String,
    pub data: Value,
    /// The work item that it is about.
    pub item: Option<u32>,
    /// The round that its link lets this person decide in.
    pub link: Option<u32>,
    pub by_mail: bool,
}

impl Activation<'_> {
    pub(crate) fn take_outs(&mut self, outs: Vec<Out>) {
        for out in outs {
            self.take_out(out);
        }
    }

    fn take_out(&mut self, out: Out) {
        match out {
            Out::Completed { run_id, output } => {
                self.queue.push_back(Event::Returned { run_id, output })
            }
            Out::Jump(request) => self.queue.push_back(Event::jump(jump(request))),
            Out::Form(change) => {
                let difference = Value::of(&change.difference).unwrap_or(Value::Null);
                self.note("form", value!({
                    "by": (change.by.as_str()), "n": (i64::from(change.n)), "why": (change.why.as_str()), "difference": (difference)
                }));
                self.queue.push_back(Event::Form { form: change.form });
            }
            Out::Mail(request) => self.mail(request),
            Out::Decision(row) => {
                let row = self.decision(row);
                self.out.decide(row);
            }
            Out::ClockEntry(row) => {
                let instance_id = self.id().to_owned();
                self.out.clock_entries.push(ClockEntryRow {
                    instance_id,
                    id: row.clock,
                    seq: i64::from(row.seq),
                    kind: row.kind,
                    ground: row.ground,
                    at_ms: row.at_ms,
                    by_id: Some(row.by),
                    why: Some(row.why),
                });
            }
            Out::Party { principal, why } => {
                let id = self.id().to_owned();
                self.out
                    .party(principal.to_string(), &id, &why, self.now_ms);
            }
            Out::Note(note) => {
                let data = Value::of(&note).unwrap_or(Value::Null);
                self.out.notes.push(data);
            }
            Out::Withdrawn { reason } => self.queue.push_back(Event::Cancel { reason }),
            Out::Late {
                place, level, card, ..
            } => self.late.push((place, level, card.map(|card| card.word()))),
        }
    }

    /// A note for the history.
    pub(crate) fn note(&mut self, kind: &str, data: Value) {
        self.out
            .notes
            .push(value!({ "kind": (kind), "atMs": (self.now_ms), "data": (data) }));
    }

    fn mail(&mut self, request: MailRequest) {
        let MailRequest {
            to,
            kind,
            template,
            n,
            round,
            link,
            data,
        } = request;
        let template = template
            .filter(|template| self.ready.has_template(template))
            .unwrap_or_else(|| kind.template().to_owned());
        self.letter(Letter {
            to,
            template,
            data,
            item: n,
            link: link.then_some(round),
            by_mail: true,
        });
    }

    /// Gives the case its title before the end of its first activation, where letters need it already.
    fn name_case(&mut self) {
        if !self.state.head.title.is_empty() || self.ready.has_no_case() {
            return;
        }
        let fields = tongban_core::case_fields(&self.ready.program, &self.state.flow, &self.env);
        if let Some(title) = fields.ok().and_then(|fields| fields.title) {
            self.state.head.title = title;
            self.refresh_environment();
        }
    }

    /// The task whose title a letter bears, which its reader may know by a title in another language.
    fn titled_by(&self, item: Option<u32>, data: &Value) -> Option<String> {
        let item = self.state.desk.item(item?)?;
        let authors = matches!(item.kind, Kind::Approve | Kind::Collect | Kind::Notice);
        let same = data.text("title") == Some(item.title.as_str());
        (authors && same).then(|| item.path.clone())
    }

    /// Writes a letter's row; it is rendered when it is sent, so that no link rests in the database.
    pub(crate) fn letter(&mut self, letter: Letter) {
        self.name_case();
        let id = self.node.ids.uuid(self.now_ms);
        let address = self
            .organisation
            .person(&letter.to)
            .and_then(|person| person.email.as_deref());
        let sent = letter.by_mail && address.is_some();
        let mut nonce = None;
        if let (Some(round), Some(n), true) = (letter.link, letter.item, sent) {
            let fresh = nonce_text(self.node.ids.nonce());
            self.out.links.push(MailLinkRow {
                nonce: fresh.clone(),
                instance_id: self.id().to_owned(),
                n: i64::from(n),
                round: i64::from(round),
                person_id: letter.to.clone(),
                purpose: "decide".to_owned(),
                expires_at_ms: self.now_ms + self.node.settings.link_ttl_ms,
                used_at_ms: None,
            });
            nonce = Some(fresh);
        }
        let task = self.titled_by(letter.item, &letter.data);
        let data = value!({
            "task": (task.map_or(Value::Null, Value::from)),
            "bundle": (self.ready.digest.as_str()),
            "form": (self.state.flow.form().clone()),
            "steps": (self.state.flow.steps()),
            "data": (letter.data),
            "workflow": (self.env.workflow.clone()),
            "link": (nonce.as_deref().map_or(Value::Null, Value::from)),
            "now": (self.now_ms)
        });
        self.out.mails.push(MailRow {
            message_id: format!("<{id}@{}>", self.node.settings.mail_domain),
            id,
            instance_id: Some(self.id().to_owned()),
            item_n: letter.item.map(i64::from),
            person_id: Some(letter.to),
            template: letter.template,
            data: tongban_expr::secret::masked(&data).to_json(),
            attempt: 0,
            status: if sent { "waiting" } else { "withdrawn" }.to_owned(),
            error: (letter.by_mail && !sent).then(|| "the person has no mail address".to_owned()),
            at_ms: self.now_ms,
            ready_at_ms: self.now_ms,
        });
    }

    /// Reminds the people whom the unfinished cases of a batch wait for, in units of one level.
    pub(crate) async fn tell_late(
        &mut self,
        place: &str,
        level: &str,
        card: Option<&'static str>,
    ) -> Result<(), RuntimeError> {
        let batches = self
            .state
            .memory
            .batches
            .values()
            .filter(|batch| batch.place == place);
        let children: Vec<String> = batches
            .flat_map(|batch| batch.running.values().cloned())
            .collect();
        let mut told = std::collections::BTreeSet::new();
        for child in children {
            for item in self
                .node
                .store
                .work_items(&child)
                .await?
                .into_iter()
                .filter(|item| item.closed_at_ms.is_none())
            {
                let unit = item.unit_id.as_deref().unwrap_or_default();
                if tongban_expr::Units::ancestor(&*self.organisation, unit, level).is_none() {
                    continue;
                }
                for row in self.node.store.candidates(&child, item.n).await? {
                    told.extend(row.candidate.strip_prefix("person:").map(str::to_owned));
                }
            }
        }
        let template = if card.is_some() {
            "work/card"
        } else {
            "work/reminder"
        };
        for to in told {
            let data = value!({ "title": (self.state.head.title.as_str()), "card": (card.map_or(Value::Null, Value::from)) });
            self.letter(Letter {
                to,
                template: template.to_owned(),
                data,
                item: None,
                link: None,
                by_mail: true,
            });
        }
        Ok(())
    }

    fn decision(&self, row: tongban_work::DecisionRow) -> DecisionRow {
        let form = match (&row.form, &row.reason) {
            (None, None) => None,
            (form, reason) => Some(value!({
                "form": (form.clone().unwrap_or(Value::Null)),
                "reason": (reason.as_deref().map_or(Value::Null, Value::from))
            })),
        };
        DecisionRow {
            instance_id: self.id().to_owned(),
            n: i64::from(row.n),
            round: i64::from(row.round),
            signer_id: row.signer_id,
            person_id: row.person_id,
            for_id: row.for_id,
            act: row.act,
            comment: row.comment,
            form: form.map(|form| form.to_json()),
            seen_digest: row.seen_digest,
            channel: row.channel,
            at_ms: row.at_ms,
            kept_from: row.kept_from.map(i64::from),
        }
    }
}

fn jump(request: JumpRequest) -> Jump {
    let to = match request.to {
        ReturnTo::Applicant => Target::Applicant,
        ReturnTo::Previous => Target::Previous,
        ReturnTo::Step(path) => Target::Task(path),
    };
    Jump {
        from: request.from,
        to,
        input: JumpInput::Checkpoint,
        mode: match request.resume {
            Resume::Rerun => Mode::Rerun,
            Resume::Direct => Mode::Direct,
        },
        siblings: match request.siblings {
            tongban_work::Siblings::Keep => Siblings::Keep,
            tongban_work::Siblings::Cancel => Siblings::Cancel,
        },
        signing: match request.signing {
            tongban_work::Signing::All => Signing::All,
            tongban_work::Signing::Returner => Signing::Returner,
            tongban_work::Signing::Open => Signing::Open,
        },
        context: ContextChange::Keep,
        fields: request.fields,
        comment: request.comment,
        reason: String::new(),
        by: request.by,
        right: if request.withdrawal {
            Right::Withdrawal
        } else {
            Right::Return
        },
        // The desk has counted against the author's `return.max`.
        limit: Some(u32::MAX),
    }
}
