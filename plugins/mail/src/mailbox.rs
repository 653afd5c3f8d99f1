//! A mailbox in memory: the demo's post office, which the console shows.

use std::collections::VecDeque;

use async_trait::async_trait;
use parking_lot::RwLock;
use tongban_plugin::{MailFailure, MailTransport, Message};

use crate::compose::compose;

/// Keeps the latest mails, newest last. A mail that comes again under its Message-ID replaces the
/// former one, as a reader's mail program would show it.
#[derive(Debug)]
pub struct Mailbox {
    capacity: usize,
    messages: RwLock<VecDeque<Message>>,
}

impl Mailbox {
    /// Makes an empty mailbox for so many mails; the oldest go first.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            messages: RwLock::new(VecDeque::new()),
        }
    }

    /// All mails, newest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.messages.read().iter().rev().cloned().collect()
    }

    /// The mails to one address, newest first. Case does not matter.
    #[must_use]
    pub fn messages_to(&self, address: &str) -> Vec<Message> {
        let wanted = bare(address);
        let mut messages = self.messages();
        messages.retain(|message| bare(&message.to) == wanted);
        messages
    }

    /// The mail with this Message-ID.
    #[must_use]
    pub fn message(&self, message_id: &str) -> Option<Message> {
        let messages = self.messages.read();
        messages
            .iter()
            .find(|message| message.message_id == message_id)
            .cloned()
    }
}

fn bare(address: &str) -> String {
    address
        .rsplit('<')
        .next()
        .unwrap_or_default()
        .trim_end_matches('>')
        .trim()
        .to_lowercase()
}

#[async_trait]
impl MailTransport for Mailbox {
    async fn send(&self, message: &Message) -> Result<(), MailFailure> {
        // What a real server would never get is refused here too.
        compose(message)?;
        let mut messages = self.messages.write();
        messages.retain(|known| known.message_id != message.message_id);
        if messages.len() >= self.capacity {
            messages.pop_front();
        }
        messages.push_back(message.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, to: &str) -> Message {
        Message {
            from: "tongban@city.example".to_owned(),
            to: to.to_owned(),
            subject: "x".to_owned(),
            text: "x".to_owned(),
            message_id: format!("<{id}@city.example>"),
            ..Message::default()
        }
    }

    #[tokio::test]
    async fn keeps_the_latest_and_each_once() {
        let mailbox = Mailbox::new(2);
        for (id, to) in [
            ("1", "a@b.example"),
            ("2", "李四 <A@B.example>"),
            ("2", "a@b.example"),
            ("3", "c@d.example"),
        ] {
            mailbox.send(&mail(id, to)).await.expect("sent");
        }
        let ids: Vec<String> = mailbox
            .messages()
            .into_iter()
            .map(|mail| mail.message_id)
            .collect();
        assert_eq!(ids, ["<3@city.example>", "<2@city.example>"]);
        assert_eq!(mailbox.messages_to("A@b.example").len(), 1);
        assert!(mailbox.message("<1@city.example>").is_none());
        assert!(mailbox.message("<3@city.example>").is_some());
    }

    #[tokio::test]
    async fn refuses_what_a_server_would_refuse() {
        let mailbox = Mailbox::new(2);
        let mut bad = mail("1", "a@b.example");
        bad.subject = "a\r\nBcc: c@d.example".to_owned();
        assert!(mailbox.send(&bad).await.is_err());
        assert!(mailbox.messages().is_empty());
    }
}
