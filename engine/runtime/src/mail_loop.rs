//! Mails: at least once, at most N attempts, one Message-ID, one thread for each instance.

use std::sync::Arc;

use futures_util::future::{Either, select};
use tongban_core::{Error, ErrorKind};
use tongban_expr::{Value, value};
use tongban_plugin::{MailFailure, MailTransport, Message};
use tongban_store::{Change, IncidentRow, MailRow, MailTried};

use crate::bundles::Ready;
use crate::error::RuntimeError;
use crate::lane::Class;
use crate::link::{LinkTerms, nonce_bytes};
use crate::node::Node;
use crate::render::render;
use crate::words::BundleWords;

/// The longest pause before another attempt.
const PAUSE_MAX_MS: i64 = 3_600_000;

impl Node {
    /// Sends what is due; true when there was something.
    pub(crate) async fn send_mails(self: &Arc<Self>) -> Result<bool, RuntimeError> {
        let mails = self.claim_mails(50).await?;
        let some = !mails.is_empty();
        for mail in mails {
            self.send_mail(mail).await?;
        }
        Ok(some)
    }

    pub(crate) async fn claim_mails(&self, limit: i64) -> Result<Vec<MailRow>, RuntimeError> {
        if self.transport.is_none() {
            return Ok(Vec::new());
        }
        let now_ms = self.clock.now_ms();
        let until_ms = now_ms + self.settings.lease_ms;
        Ok(self.store.mail_claim(now_ms, until_ms, limit).await?)
    }

    pub(crate) async fn send_mail(self: &Arc<Self>, mail: MailRow) -> Result<(), RuntimeError> {
        let Some(transport) = self.transport.clone() else {
            return Ok(());
        };
        // Counted by the claim, before the first byte leaves: a crash in the middle counts too.
        let attempt = mail.attempt;
        let most = i64::from(self.settings.mail_attempts);
        let last = attempt >= most;
        let failure = match self.letter_of(&mail).await {
            Ok(_) if attempt > most => MailFailure::permanent(
                None,
                format!("its outcome is not known after {most} attempts"),
            ),
            Ok(message) => match self.convey(&*transport, &mail, &message).await {
                Ok(()) => {
                    return self
                        .tried(&mail, attempt, "sent", None, self.clock.now_ms(), None)
                        .await;
                }
                Err(failure) => failure,
            },
            Err(error) => MailFailure::permanent(None, error.to_string()),
        };
        let text = failure.to_string();
        if failure.is_transient() && !last {
            let first = self.settings.mail_pause_ms;
            let doubled = first.saturating_mul(1 << attempt.clamp(1, 16).saturating_sub(1));
            let again_ms = self.clock.now_ms() + doubled.min(PAUSE_MAX_MS.max(first));
            return self
                .tried(&mail, attempt, "waiting", Some(text), again_ms, None)
                .await;
        }
        let detail = format!(
            "the mail {} to `{}` was not sent: {text}",
            mail.id,
            mail.person_id.clone().unwrap_or_default()
        );
        let incident = IncidentRow {
            id: format!("mail:{}", mail.id),
            instance_id: mail.instance_id.clone(),
            kind: "mail".to_owned(),
            error: Error::new(ErrorKind::Communication, detail)
                .to_value()
                .to_json(),
            at_ms: self.clock.now_ms(),
            closed_by: None,
            closed_at_ms: None,
        };
        self.tried(
            &mail,
            attempt,
            "failed",
            Some(text),
            self.clock.now_ms(),
            Some(incident),
        )
        .await
    }

    /// Hands a letter over. A relay may take minutes for its last reply: meanwhile the mail stays this node's.
    async fn convey(
        &self,
        transport: &dyn MailTransport,
        mail: &MailRow,
        message: &Message,
    ) -> Result<(), MailFailure> {
        let renewal_ms = u64::try_from(self.settings.lease_ms / 3).unwrap_or(10_000);
        let mut sending = transport.send(message);
        loop {
            match select(sending, self.clock.sleep(renewal_ms)).await {
                Either::Left((sent, _)) => return sent,
                Either::Right(((), unfinished)) => {
                    let until_ms = self.clock.now_ms() + self.settings.lease_ms;
                    let renewed = self
                        .store
                        .mail_renew(&mail.id, mail.attempt, until_ms)
                        .await;
                    if let Err(error) = renewed {
                        tracing::warn!(mail = mail.id, %error, "the lease of a mail could not be prolonged");
                    }
                    sending = unfinished;
                }
            }
        }
    }

    async fn tried(
        &self,
        mail: &MailRow,
        attempt: i64,
        status: &str,
        error: Option<String>,
        ready_at_ms: i64,
        incident: Option<IncidentRow>,
    ) -> Result<(), RuntimeError> {
        let mut change = Change::without_instance(self.clock.now_ms());
        change.add(MailTried {
            id: mail.id.clone(),
            attempt,
            status: status.to_owned(),
            error,
            ready_at_ms,
        });
        if let Some(incident) = incident {
            change.add(incident);
        }
        self.commit(Class::Background, change).await?;
        Ok(())
    }

    /// A mail as it is sent, with the link's token made at this moment.
    pub(crate) async fn letter_of(&self, mail: &MailRow) -> Result<Message, RuntimeError> {
        let broken = |what: &str| RuntimeError::Internal(format!("the mail {}: {what}", mail.id));
        let data = Value::from_json(&mail.data).map_err(|error| broken(&error.to_string()))?;
        let digest = data
            .get("bundle")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let ready = self.bundles.get(self, digest).await?;
        let organisation = self.organisation();
        let person = mail
            .person_id
            .as_deref()
            .and_then(|id| organisation.person(id));
        let person = person.ok_or_else(|| broken("its receiver is not known"))?;
        let language = person.language.tag();
        let source = ready
            .template(&mail.template, language)
            .ok_or_else(|| broken("its template is not there"))?;
        let link = self.link_of(&data).await?;
        let variables = value!({
            "form": (data.get("form").cloned().unwrap_or(Value::Null)),
            "steps": (data.get("steps").cloned().unwrap_or(Value::Null)),
            "data": (titled(&data, &ready, language)),
            "workflow": (data.get("workflow").cloned().unwrap_or(Value::Null)),
            "now": (data.get("now").cloned().unwrap_or(Value::Null)),
            "to": { "id": (person.id.as_str()), "name": (person.name.as_str()) },
            "link": (link.as_deref().map_or(Value::Null, Value::from))
        });
        let words = BundleWords::new(
            ready,
            Arc::clone(&organisation),
            self.settings.zone.clone(),
            language,
        );
        let rendered = render(&source, &variables, Arc::new(words))
            .map_err(|error| broken(&error.to_string()))?;
        let thread = mail
            .instance_id
            .as_deref()
            .map(|id| format!("<case.{id}@{}>", self.settings.mail_domain));
        Ok(Message {
            from: self.settings.mail_from.clone(),
            to: person.email.clone().unwrap_or_default(),
            subject: rendered.subject,
            text: rendered.text,
            html: Some(rendered.html),
            message_id: mail.message_id.clone(),
            // All mails of a case answer the same, which makes them one thread without looking up the first.
            in_reply_to: thread.clone(),
            references: thread.into_iter().collect(),
            headers: Vec::new(),
        })
    }

    /// The address behind a link's nonce.
    async fn link_of(&self, data: &Value) -> Result<Option<String>, RuntimeError> {
        let Some(nonce) = data.get("link").and_then(Value::as_str) else {
            return Ok(None);
        };
        let (Some(row), Some(bytes)) = (self.store.mail_link(nonce).await?, nonce_bytes(nonce))
        else {
            return Ok(None);
        };
        let terms = terms_of(&row);
        Ok(self
            .link_keys
            .token(bytes, &terms)
            .map(|token| format!("{}/link/{token}", self.settings.base_url)))
    }
}

/// What a letter says, with the titles by which its reader knows the task and single fields.
fn titled(letter: &Value, ready: &Ready, language: &str) -> Value {
    let mut data = letter.get("data").cloned().unwrap_or(Value::Null);
    let task = letter
        .text("task")
        .filter(|_| !language.starts_with("zh"))
        .and_then(|path| crate::titles::english(&ready.definition.tasks, path));
    if let Some(title) = task {
        data.set("title", title);
    }
    let (Some(fields), Some(form)) = (
        data.get("fields").and_then(Value::as_list),
        ready.start_form(),
    ) else {
        return data;
    };
    let key = if language.starts_with("zh") {
        "title"
    } else {
        "x-en"
    };
    let one = |field: &Value| {
        let schema = field
            .text("field")
            .and_then(|path| form.field(path))
            .unwrap_or(Value::Null);
        let title = schema
            .get(key)
            .or_else(|| schema.get("title"))
            .cloned()
            .unwrap_or(Value::Null);
        field.clone().with("title", title)
    };
    let fields: Vec<Value> = fields.iter().map(one).collect();
    data.set("fields", fields);
    data
}

/// What a link's row says that the link is good for.
pub(crate) fn terms_of(row: &tongban_store::MailLinkRow) -> LinkTerms {
    LinkTerms {
        instance: row.instance_id.clone(),
        n: u32::try_from(row.n).unwrap_or(0),
        round: u32::try_from(row.round).unwrap_or(0),
        person: row.person_id.clone(),
        purpose: row.purpose.clone(),
        expires_at_ms: row.expires_at_ms,
    }
}
