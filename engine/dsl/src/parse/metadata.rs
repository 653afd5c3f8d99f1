//! `metadata`: our conventions, checked, because a misspelt clock would never ring.

use super::reader::{Reader, first_line};
use crate::chinese;
use crate::codes;
use crate::definition::{
    Case, CatchUp, Clock, DocumentMetadata, Entry, Pauses, Start, StartTrigger, TaskMetadata,
    Template,
};
use crate::diagnostic::Diagnostic;
use crate::node::{Field, Node, NodeKind};
use crate::span::Spanned;
use crate::suggest;

const DOCUMENT: &[&str] = &[
    "case",
    "start",
    "clock",
    "eventTtl",
    "timeZone",
    "catchUp",
    "businessKey",
];
const TASK: &[&str] = &[
    "title",
    "state",
    "clock",
    "pauses",
    "returnable",
    "again",
    "idempotencyKey",
];
const CLOCK: &[&str] = &[
    "title", "due", "promise", "stops", "basis", "remind", "escalate",
];

impl Reader {
    pub fn document_metadata(&mut self, node: &Node) -> DocumentMetadata {
        if self.object(node, "`metadata`").is_none() {
            return DocumentMetadata::default();
        }
        self.known_metadata(node, "`document.metadata`", DOCUMENT);
        let catch_up = [
            ("skip", CatchUp::Skip),
            ("once", CatchUp::Once),
            ("all", CatchUp::All),
        ];
        let time_zone = node
            .get("timeZone")
            .and_then(|zone| self.text(zone, "`timeZone`"));
        if let Some(zone) = time_zone
            .as_ref()
            .filter(|zone| jiff::tz::TimeZone::get(zone).is_err())
        {
            let near = suggest::nearest(
                &zone.value,
                [
                    "Asia/Shanghai",
                    "Asia/Urumqi",
                    "Asia/Hong_Kong",
                    "UTC",
                    "Etc/UTC",
                    "Europe/Paris",
                ],
            );
            self.report(
                Diagnostic::error(
                    codes::BAD_ZONE,
                    zone.span,
                    format!("there is no time zone `{}`", zone.value),
                )
                .help(format!(
                    "names come from the IANA database, for example {}",
                    near.unwrap_or("Asia/Shanghai")
                )),
            );
        }
        let unique = node.get("businessKey").and_then(|key| {
            self.closed(key, "`businessKey`", &["unique"])?;
            self.boolean(key.get("unique")?, "`unique`")
        });
        DocumentMetadata {
            case: node.get("case").and_then(|case| self.case_metadata(case)),
            start: node.get("start").and_then(|start| self.start(start)),
            clock: node.get("clock").and_then(|clock| self.clock(clock)),
            event_ttl: node
                .get("eventTtl")
                .and_then(|ttl| self.positive_duration(ttl, "`eventTtl`")),
            time_zone,
            catch_up: node
                .get("catchUp")
                .and_then(|catch| self.choice(catch, "`catchUp`", &catch_up))
                .unwrap_or_default(),
            business_key_unique: unique.unwrap_or(false),
            extra: self.extra(node),
        }
    }

    pub fn task_metadata(&mut self, node: &Node) -> TaskMetadata {
        if self.object(node, "`metadata`").is_none() {
            return TaskMetadata::default();
        }
        self.known_metadata(node, "a task's `metadata`", TASK);
        let mut flag = |name: &str| {
            node.get(name)
                .and_then(|found| self.boolean(found, &format!("`{name}`")))
                .unwrap_or(false)
        };
        let (returnable, again) = (flag("returnable"), flag("again"));
        TaskMetadata {
            title: self.text_or_expression(node, "title"),
            state: self.text_or_expression(node, "state"),
            clock: node.get("clock").and_then(|clock| self.clock(clock)),
            pauses: node.get("pauses").and_then(|pauses| self.pauses(pauses)),
            returnable,
            again,
            idempotency_key: self.text_or_expression(node, "idempotencyKey"),
            extra: self.extra(node),
        }
    }

    fn known_metadata(&mut self, node: &Node, what: &str, known: &[&str]) {
        for field in node
            .fields()
            .iter()
            .filter(|field| !known.contains(&&*field.key) && !field.key.starts_with("x-"))
        {
            let message = format!("{what} has no key `{}`", field.key);
            // The DSL leaves metadata open: a foreign key stays valid and is only pointed out, a slip is an error.
            self.report(match suggest::nearest(&field.key, known.iter().copied()) {
                Some(near) => Diagnostic::error(codes::UNKNOWN_METADATA, field.key_span, message)
                    .help(format!("did you mean `{near}`?")),
                None => Diagnostic::warning(codes::UNKNOWN_METADATA, field.key_span, message).help(
                    format!(
                        "expected one of {}; let a key of your own begin with `x-`",
                        suggest::list(known)
                    ),
                ),
            });
        }
    }

    fn extra(&mut self, node: &Node) -> Vec<Entry> {
        if let Some(english) = node
            .get("x-en")
            .filter(|english| english.as_str().is_none())
        {
            let message = format!("`x-en` must be a text, found {}", english.kind_name());
            self.report(
                Diagnostic::warning(codes::WRONG_TYPE, first_line(english.span), message)
                    .help("write the title for readers of English, or leave the key out"),
            );
        }
        self.entries(node)
            .into_iter()
            .filter(|entry| entry.key.starts_with("x-"))
            .collect()
    }

    fn text_or_expression(&mut self, node: &Node, name: &str) -> Option<Template> {
        let found = node.get(name)?;
        self.text(found, &format!("`{name}`"))?;
        Some(self.template(found))
    }

    fn case_metadata(&mut self, node: &Node) -> Option<Case> {
        self.closed(
            node,
            "`case`",
            &["title", "number", "key", "search", "links", "refusals"],
        )?;
        let number = node
            .get("number")
            .and_then(|number| self.text(number, "`number`"));
        if let Some(number) = &number {
            self.number_pattern(number);
        }
        let mut map = |name: &str| match node.get(name) {
            Some(found) if self.object(found, &format!("`{name}`")).is_some() => {
                self.entries(found)
            }
            _ => Vec::new(),
        };
        let (search, links) = (map("search"), map("links"));
        let refusals = node
            .get("refusals")
            .map(|found| self.texts(found, "`refusals`"))
            .unwrap_or_default();
        Some(Case {
            span: node.span,
            title: self.text_or_expression(node, "title"),
            number,
            key: self.text_or_expression(node, "key"),
            search,
            links,
            refusals,
        })
    }

    fn number_pattern(&mut self, number: &Spanned<String>) {
        let mut rest = number.value.as_str();
        let mut fault = None;
        let mut sequences = 0;
        while let Some(open) = rest.find('{') {
            let tail = rest.get(open + 1..).unwrap_or("");
            let Some(close) = tail.find('}') else {
                fault = Some("a `{` is not closed".to_owned());
                break;
            };
            let part = tail.get(..close).unwrap_or("");
            let sequence = part
                .strip_prefix("seq:")
                .and_then(|width| width.parse::<u8>().ok())
                .is_some_and(|width| (1..=12).contains(&width));
            sequences += usize::from(sequence);
            if !sequence && !matches!(part, "yyyy" | "mm" | "unit") {
                fault = Some(format!("`{{{part}}}` is not known"));
            }
            rest = tail.get(close + 1..).unwrap_or("");
        }
        if sequences > 1 {
            fault = Some("there is more than one {seq:n}".to_owned());
        }
        if let Some(fault) = fault {
            self.report(
                Diagnostic::error(
                    codes::BAD_NUMBER,
                    number.span,
                    format!("the pattern of case numbers is not understood: {fault}"),
                )
                .help("{yyyy}, {mm}, {unit} and one {seq:5}; or `none`"),
            );
        }
    }

    fn start(&mut self, node: &Node) -> Option<Start> {
        self.closed(node, "`start`", &["on", "by", "within"])?;
        let on = self.required(node, "`start`", "on")?;
        self.closed(
            on,
            "`on`",
            &["workflow", "outcome", "notice", "by", "within"],
        )?;
        let find = |name: &str| node.get(name).or_else(|| on.get(name));
        let by = find("by").map(|by| self.template(by));
        let within = find("within").map(|within| {
            self.due(within, "`within`");
            self.template(within)
        });
        let outcomes = match on.get("outcome") {
            Some(one) if matches!(one.kind, NodeKind::Text(_)) => {
                self.text(one, "`outcome`").into_iter().collect()
            }
            Some(many) => self.texts(many, "`outcome`"),
            None => Vec::new(),
        };
        let trigger = match (on.get("workflow"), on.get("notice")) {
            (Some(workflow), None) => StartTrigger::Case {
                workflow: self.text(workflow, "`workflow`")?,
                outcomes,
            },
            (None, Some(notice)) => StartTrigger::Notice {
                workflow: self.text(notice, "`notice`")?,
            },
            _ => {
                self.report(
                    Diagnostic::error(
                        codes::MISSING_PROPERTY,
                        first_line(on.span),
                        "`on` needs either `workflow` or `notice`",
                    )
                    .help("write `on: { workflow: pack/name, outcome: [refused] }`"),
                );
                return None;
            }
        };
        Some(Start {
            span: node.span,
            on: trigger,
            by,
            within,
        })
    }

    pub fn clock(&mut self, node: &Node) -> Option<Clock> {
        self.closed(node, "`clock`", CLOCK)?;
        for name in ["due", "promise"] {
            if let Some(found) = node.get(name) {
                self.due(found, &format!("`{name}`"));
            }
        }
        for name in ["remind", "escalate"] {
            if let Some(found) = node.get(name) {
                self.list(found, &format!("`{name}`"));
            }
        }
        let stops = node
            .get("stops")
            .map(|stops| self.texts(stops, "`stops`"))
            .unwrap_or_default();
        let mut template = |name: &str| node.get(name).map(|found| self.template(found));
        let (due, promise, basis) = (template("due"), template("promise"), template("basis"));
        let (remind, escalate) = (template("remind"), template("escalate"));
        let title = self.text_or_expression(node, "title");
        Some(Clock {
            span: node.span,
            title,
            due,
            promise,
            stops,
            basis,
            remind,
            escalate,
        })
    }

    /// `{workingDays|workingHours|days|hours|minutes: n}` or `{date}`.
    pub fn due(&mut self, node: &Node, what: &str) {
        const UNITS: &[&str] = &[
            "workingDays",
            "workingHours",
            "days",
            "hours",
            "minutes",
            "date",
        ];
        let message = match &node.kind {
            NodeKind::Map(fields)
                if fields.len() == 1 && fields.iter().all(|field| UNITS.contains(&&*field.key)) =>
            {
                fields.iter().for_each(|field| self.length_of_time(field));
                return;
            }
            NodeKind::Text(text) if text.contains("${") => return,
            NodeKind::Map(fields) => {
                match fields.iter().find(|field| !UNITS.contains(&&*field.key)) {
                    Some(field) => {
                        let near = chinese::key(&field.key, UNITS)
                            .or_else(|| suggest::nearest(&field.key, UNITS.iter().copied()));
                        let fault = Diagnostic::error(
                            codes::BAD_DUE,
                            field.key_span,
                            format!("{what} has no unit `{}`", field.key),
                        );
                        let help = near.map_or_else(
                            || format!("expected one of {}", suggest::list(UNITS)),
                            |near| format!("did you mean `{near}`?"),
                        );
                        self.report(fault.help(help));
                        return;
                    }
                    None => format!("{what} has exactly one unit, found {}", fields.len()),
                }
            }
            _ => format!(
                "{what} must be an object with one unit, found {}",
                node.kind_name()
            ),
        };
        let meant = node.as_str().and_then(crate::shape::due_meant);
        let help = match (meant, &node.kind) {
            (Some(meant), _) => format!("write `{meant}`"),
            (None, NodeKind::Int(count)) => format!("write `{{ workingDays: {count} }}`"),
            _ => "write for example `{ workingDays: 5 }`".to_owned(),
        };
        self.report(Diagnostic::error(codes::BAD_DUE, first_line(node.span), message).help(help));
    }

    /// The number behind a unit, or the day behind `date`.
    fn length_of_time(&mut self, field: &Field) {
        let what = format!("`{}`", field.key);
        match (&*field.key, &field.value.kind) {
            (_, NodeKind::Text(text)) if text.contains("${") => {}
            ("date", NodeKind::Text(_)) => {}
            ("date", _) => {
                self.wrong_type(&field.value, &what, "a text with a day such as 2026-01-31")
            }
            (_, NodeKind::Int(count)) if *count >= 0 => {}
            (_, NodeKind::Text(text)) if text.parse::<u32>().is_ok() => {
                let message = format!("{what} must be a whole number, found a text");
                let fault = Diagnostic::error(codes::BAD_DUE, field.value.span, message);
                self.report(fault.help("take the quotes away"));
            }
            _ => self.wrong_type(&field.value, &what, "a whole number, not negative"),
        }
    }

    fn pauses(&mut self, node: &Node) -> Option<Pauses> {
        self.closed(node, "`pauses`", &["ground", "basis"])?;
        let ground = self
            .required(node, "`pauses`", "ground")
            .and_then(|ground| self.text(ground, "`ground`"))?;
        Some(Pauses {
            span: node.span,
            ground,
            basis: node.get("basis").map(|basis| self.template(basis)),
        })
    }
}
