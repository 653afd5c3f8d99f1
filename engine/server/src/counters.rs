//! The counters of `/metrics`, in the text format of Prometheus. Labels are fixed words only.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the process began.
#[derive(Debug, Default)]
pub struct Counters {
    answers: [AtomicU64; 5],
    sign_ins: AtomicU64,
    sign_in_failures: AtomicU64,
    starts: AtomicU64,
    acts: AtomicU64,
    events: AtomicU64,
    key_failures: AtomicU64,
    link_failures: AtomicU64,
}

/// What is counted beside answers.
#[derive(Debug, Clone, Copy)]
pub enum Counted {
    /// Somebody signed in.
    SignIn,
    /// Somebody failed to.
    SignInFailure,
    /// A case was started.
    Start,
    /// A person acted on a work item.
    Act,
    /// An event was taken.
    Event,
    /// A key of the API was wrong, or came too soon after wrong ones.
    KeyFailure,
    /// A link of a mail was wrong.
    LinkFailure,
}

impl Counters {
    /// Counts an answer by the class of its status.
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100).saturating_sub(1);
        if let Some(counter) = self.answers.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts something else.
    pub fn count(&self, what: Counted) {
        self.counter(what).fetch_add(1, Ordering::Relaxed);
    }

    fn counter(&self, what: Counted) -> &AtomicU64 {
        match what {
            Counted::SignIn => &self.sign_ins,
            Counted::SignInFailure => &self.sign_in_failures,
            Counted::Start => &self.starts,
            Counted::Act => &self.acts,
            Counted::Event => &self.events,
            Counted::KeyFailure => &self.key_failures,
            Counted::LinkFailure => &self.link_failures,
        }
    }

    /// The counters as text, then gauges that were read from the database.
    pub fn render(&self, gauges: &[(&'static str, &'static str, i64)]) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "# HELP tongban_http_answers_total Answers by class of status."
        );
        let _ = writeln!(text, "# TYPE tongban_http_answers_total counter");
        for (class, counter) in self.answers.iter().enumerate() {
            let _ = writeln!(
                text,
                "tongban_http_answers_total{{class=\"{}xx\"}} {}",
                class + 1,
                counter.load(Ordering::Relaxed)
            );
        }
        let counted = [
            (
                "tongban_sign_ins_total",
                "People who signed in.",
                Counted::SignIn,
            ),
            (
                "tongban_sign_in_failures_total",
                "Failed attempts to sign in.",
                Counted::SignInFailure,
            ),
            (
                "tongban_starts_total",
                "Cases started through this node.",
                Counted::Start,
            ),
            (
                "tongban_acts_total",
                "Acts on work items through this node.",
                Counted::Act,
            ),
            (
                "tongban_events_total",
                "Events taken through this node.",
                Counted::Event,
            ),
            (
                "tongban_key_failures_total",
                "Calls of the API with a wrong key.",
                Counted::KeyFailure,
            ),
            (
                "tongban_link_failures_total",
                "Visits of links of mails that do not exist.",
                Counted::LinkFailure,
            ),
        ];
        for (name, help, what) in counted {
            let value = self.counter(what).load(Ordering::Relaxed);
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}"
            );
        }
        for (name, help, value) in gauges {
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_every_counter_once_with_its_type() {
        let counters = Counters::default();
        counters.answered(200);
        counters.answered(204);
        counters.answered(404);
        counters.answered(999);
        counters.count(Counted::Start);
        let text = counters.render(&[("tongban_open_items", "Open work items.", 7)]);
        for line in [
            "tongban_http_answers_total{class=\"2xx\"} 2",
            "tongban_http_answers_total{class=\"4xx\"} 1",
            "tongban_starts_total 1",
            "tongban_acts_total 0",
            "# TYPE tongban_open_items gauge",
            "tongban_open_items 7",
        ] {
            assert_eq!(
                text.lines().filter(|found| *found == line).count(),
                1,
                "{line} in\n{text}"
            );
        }
    }
}
