//! A message into the bytes and the envelope that go over the wire.
//!
//! Nothing that a person typed reaches a header but through lettre's typed headers, and a line
//! break anywhere in a header is refused before that.

use std::str::FromStr;

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message as Composed};
use tongban_plugin::{MailFailure, Message};

/// Headers that the message's own fields make.
const OWN_HEADERS: [&str; 13] = [
    "from",
    "to",
    "cc",
    "bcc",
    "sender",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];
/// How long an address may be (RFC 5321 §4.5.3.1.3).
const ADDRESS_MAX: usize = 254;
/// How much of a subject is kept, in characters.
const SUBJECT_MAX: usize = 500;
/// How many Message-IDs of a thread are kept: the first and the latest.
const REFERENCES_MAX: usize = 20;

/// A mail that is ready to send.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
}

/// Composes a message.
///
/// # Errors
/// Always [`MailFailure::Permanent`]: the same message would fail again.
pub(crate) fn compose(message: &Message) -> Result<Letter, MailFailure> {
    guard_lines(message)?;
    let mut builder = Composed::builder()
        .from(mailbox("from", &message.from)?)
        .to(mailbox("to", &message.to)?)
        .subject(subject(&message.subject))
        .message_id(Some(message_id(&message.message_id)?))
        .date_now();
    let says_so = |(name, _): &(String, String)| name.eq_ignore_ascii_case("auto-submitted");
    if !message.headers.iter().any(says_so) {
        // Answers of absent people's machines should not come back as mails.
        builder = builder.raw_header(raw("Auto-Submitted", "auto-generated")?);
    }
    if let Some(answered) = &message.in_reply_to {
        builder = builder.in_reply_to(message_id(answered)?);
    }
    if !message.references.is_empty() {
        builder = builder.references(thread(&message.references)?);
    }
    for (name, value) in &message.headers {
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(refused(format!(
                "the header `{name}` is made from the message's own fields"
            )));
        }
        builder = builder.raw_header(raw(name, value)?);
    }
    let composed = match &message.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(
            message.text.clone(),
            html.clone(),
        )),
        None => builder.singlepart(SinglePart::plain(message.text.clone())),
    };
    let composed =
        composed.map_err(|why| refused(format!("the mail cannot be composed: {why}")))?;
    Ok(Letter {
        envelope: composed.envelope().clone(),
        bytes: composed.formatted(),
    })
}

fn refused(text: String) -> MailFailure {
    MailFailure::permanent(None, text)
}

fn guard_lines(message: &Message) -> Result<(), MailFailure> {
    let single = [
        ("from", Some(&message.from)),
        ("to", Some(&message.to)),
        ("subject", Some(&message.subject)),
        ("message_id", Some(&message.message_id)),
        ("in_reply_to", message.in_reply_to.as_ref()),
    ];
    let named = single
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)));
    let references = message.references.iter().map(|value| ("references", value));
    let headers = message
        .headers
        .iter()
        .flat_map(|(name, value)| [("headers", name), ("headers", value)]);
    for (name, value) in named.chain(references).chain(headers) {
        if value
            .chars()
            .any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}'))
        {
            return Err(refused(format!(
                "`{name}` has a line break or another control character, which could begin a header of its own"
            )));
        }
    }
    Ok(())
}

/// `a@b` or `Name <a@b>`, exactly one. lettre's own reader overlooks what stands behind the first.
fn mailbox(field: &str, text: &str) -> Result<Mailbox, MailFailure> {
    let text = text.trim();
    let (name, address) = match text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'))
    {
        Some((name, address)) => (name.trim().trim_matches('"').trim(), address),
        None => ("", text),
    };
    let wrong = || {
        refused(format!(
            "`{field}` expects one address such as name@domain, found `{text}`"
        ))
    };
    if address.len() > ADDRESS_MAX || address.starts_with('-') || name.contains(['<', '>']) {
        return Err(wrong());
    }
    let address = Address::from_str(address).map_err(|_| wrong())?;
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, address))
}

/// A longer subject is cut: a mail with a long title is better than none.
fn subject(text: &str) -> String {
    if text.chars().count() <= SUBJECT_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(SUBJECT_MAX - 1).collect();
    kept + "…"
}

fn message_id(text: &str) -> Result<String, MailFailure> {
    let inner = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    let fits = inner.is_some_and(|inner| {
        inner
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
            && inner.split_once('@').is_some_and(|(left, right)| {
                !left.is_empty() && !right.is_empty() && !right.contains('@')
            })
    });
    if fits {
        Ok(text.to_owned())
    } else {
        Err(refused(format!(
            "expected a Message-ID such as <id@domain>, found `{text}`"
        )))
    }
}

/// The thread, oldest first; a long one keeps its root and its end.
fn thread(references: &[String]) -> Result<String, MailFailure> {
    let ids = references
        .iter()
        .map(|id| message_id(id))
        .collect::<Result<Vec<_>, _>>()?;
    let skipped = ids.len().saturating_sub(REFERENCES_MAX);
    let kept: Vec<&str> = ids
        .iter()
        .enumerate()
        .filter(|(place, _)| *place == 0 || *place > skipped)
        .map(|(_, id)| id.as_str())
        .collect();
    Ok(kept.join(" "))
}

fn raw(name: &str, value: &str) -> Result<HeaderValue, MailFailure> {
    let name = HeaderName::new_from_ascii(name.to_owned())
        .map_err(|_| refused(format!("`{name}` is not a name of a header")))?;
    Ok(HeaderValue::new(name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            from: "同办 <tongban@city.example>".to_owned(),
            to: "chen-jie@police.example".to_owned(),
            subject: "待办:信息资源共享申请".to_owned(),
            text: "请办理。\n.\n第二行".to_owned(),
            html: Some("<p>请办理。</p>".to_owned()),
            message_id: "<m1@city.example>".to_owned(),
            in_reply_to: Some("<m0@city.example>".to_owned()),
            references: vec!["<m0@city.example>".to_owned()],
            headers: vec![(
                "List-Id".to_owned(),
                "cases <cases.city.example>".to_owned(),
            )],
        }
    }

    #[test]
    fn a_letter_has_both_parts_and_its_thread() {
        let letter = compose(&message()).expect("a letter");
        let text = String::from_utf8(letter.bytes).expect("ASCII");
        assert!(text.is_ascii());
        for words in [
            "Message-ID: <m1@city.example>\r\n",
            "In-Reply-To: <m0@city.example>\r\n",
            "References: <m0@city.example>\r\n",
            "To: chen-jie@police.example\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "List-Id: cases <cases.city.example>\r\n",
            "Subject: =?utf-8?b?",
            "multipart/alternative",
            "text/plain; charset=utf-8",
            "text/html; charset=utf-8",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert_eq!(letter.envelope.to().len(), 1);
    }

    #[test]
    fn a_line_break_in_a_header_is_refused() {
        type Change = fn(&mut Message);
        let changes: [Change; 9] = [
            |m| m.subject.push_str("\r\nBcc: all@city.example"),
            |m| m.subject.push('\n'),
            |m| m.to.push_str("\r\nBcc: all@city.example"),
            |m| m.from = "a\nb <a@b.example>".to_owned(),
            |m| m.message_id = "<a@b>\r\nX: y".to_owned(),
            |m| m.in_reply_to = Some("<a@b>\nX: y".to_owned()),
            |m| m.references.push("<a@b>\0".to_owned()),
            |m| m.headers.push(("X-A\r\nX-B".to_owned(), "c".to_owned())),
            |m| {
                m.headers
                    .push(("X-A".to_owned(), "b\r\n\r\nbody".to_owned()))
            },
        ];
        for change in changes {
            let mut bad = message();
            change(&mut bad);
            let failure = compose(&bad).expect_err("a failure");
            assert!(
                !failure.is_transient() && failure.to_string().contains("control character"),
                "{failure}"
            );
        }
    }

    /// The words of an encoded header, joined again.
    fn decoded(header: &str) -> String {
        use base64::Engine as _;
        let bytes: Vec<u8> = header
            .split("=?utf-8?b?")
            .skip(1)
            .flat_map(|word| {
                let (word, _) = word.split_once("?=").expect("an end");
                base64::engine::general_purpose::STANDARD
                    .decode(word)
                    .expect("base64")
            })
            .collect();
        String::from_utf8(bytes).expect("whole letters")
    }

    #[test]
    fn long_subjects_are_cut_and_folded() {
        let long = "共享申请:机动车登记信息𠮷".repeat(100);
        let mut mail = message();
        mail.subject.clone_from(&long);
        let letter = compose(&mail).expect("a letter");
        let text = String::from_utf8(letter.bytes).expect("ASCII");
        let header: String = text
            .split_once("Subject: ")
            .expect("a subject")
            .1
            .split("\r\n")
            .enumerate()
            .take_while(|(nth, line)| *nth == 0 || line.starts_with(' '))
            .map(|(nth, line)| {
                assert!(line.len() + if nth == 0 { 9 } else { 0 } <= 78, "{line}");
                let word = line.trim();
                assert!(word.len() <= 75, "{word}");
                // Each word of its own is whole letters (RFC 2047 §5).
                decoded(word);
                line.to_owned()
            })
            .collect();
        let kept = decoded(&header);
        assert_eq!(kept.chars().count(), SUBJECT_MAX);
        assert!(long.starts_with(kept.trim_end_matches('…')) && kept.ends_with('…'));
    }

    #[test]
    fn names_stay_names() {
        for name in [
            "李四, 王五",
            "Li, Si; Wang",
            "a@b.example",
            "\"quoted\"",
            "back\\slash",
            "=?utf-8?q?x?=",
            "很长的名字".repeat(40).as_str(),
        ] {
            let mut mail = message();
            mail.to = format!("{name} <a@b.example>");
            let letter = compose(&mail).expect("a letter");
            let to = letter.envelope.to();
            assert_eq!(to.len(), 1, "{name}");
            assert_eq!(AsRef::<str>::as_ref(&to[0]), "a@b.example", "{name}");
            let text = String::from_utf8(letter.bytes).expect("ASCII");
            assert!(text.split("\r\n").all(|line| line.len() <= 998), "{name}");
            assert_eq!(text.matches("\r\nTo: ").count(), 1);
        }
    }

    #[test]
    fn addresses_are_one_address() {
        for (to, good) in [
            ("a@b.example", true),
            ("  a@b.example ", true),
            ("李四 <a@b.example>", true),
            ("\"Li, Si\" <a@b.example>", true),
            ("a@b.example, c@d.example", false),
            ("a@b.example c@d.example", false),
            ("a@b.example;c@d.example", false),
            ("x <a@b.example> <c@d.example>", false),
            ("-oQ/tmp@b.example", false),
            ("a@", false),
            ("@b.example", false),
            ("a", false),
            ("", false),
            ("a@b@c.example", false),
            ("<a@b.example", false),
        ] {
            let mut mail = message();
            to.clone_into(&mut mail.to);
            assert_eq!(compose(&mail).is_ok(), good, "{to}");
        }
        let mut long = message();
        long.to = format!("a@{}.example", "b".repeat(300));
        assert!(compose(&long).is_err());
    }

    #[test]
    fn own_headers_and_bad_ids_are_refused() {
        for name in ["Bcc", "subject", "Content-Type", "bad name", "X:"] {
            let mut mail = message();
            mail.headers = vec![(name.to_owned(), "x".to_owned())];
            assert!(compose(&mail).is_err(), "{name}");
        }
        for id in [
            "",
            "m1",
            "<m1>",
            "m1@city",
            "<m 1@city>",
            "<a@b><c@d>",
            "<a@b@c>",
            "<中@b>",
        ] {
            let mut mail = message();
            id.clone_into(&mut mail.message_id);
            assert!(compose(&mail).is_err(), "{id}");
        }
    }

    #[test]
    fn says_once_that_a_machine_wrote_it() {
        for given in [None, Some("auto-replied")] {
            let mut mail = message();
            let headers = given.map(|value| ("Auto-Submitted".to_owned(), value.to_owned()));
            mail.headers = headers.into_iter().collect();
            let letter = compose(&mail).expect("a letter");
            let text = String::from_utf8(letter.bytes).expect("ASCII");
            assert_eq!(text.matches("Auto-Submitted: ").count(), 1);
            assert!(text.contains(given.unwrap_or("auto-generated")));
        }
    }

    #[test]
    fn a_long_thread_keeps_its_root_and_its_end() {
        let ids: Vec<String> = (0..50).map(|n| format!("<m{n}@b>")).collect();
        let kept = thread(&ids).expect("a thread");
        let kept: Vec<&str> = kept.split(' ').collect();
        assert_eq!(
            (kept.len(), kept[0], kept[1], kept[19]),
            (20, "<m0@b>", "<m31@b>", "<m49@b>")
        );
    }
}
