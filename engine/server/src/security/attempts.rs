//! Limits on guessing: how many failed attempts one name and one address have, and until when they
//! wait. Waiting grows and ends by itself; nobody can lock another person out for ever.

use std::collections::HashMap;

use parking_lot::Mutex;

/// Failures that cost nothing.
const FREE: u32 = 5;
/// The first wait in seconds; it doubles with every further failure.
const FIRST_WAIT_S: u32 = 2;
/// The longest wait in seconds.
const LONGEST_WAIT_S: u32 = 300;
/// After so long without a failure a name starts afresh.
const FORGET_MS: i64 = 15 * 60 * 1000;
/// The most names that are remembered; the oldest go first.
const NAMES_MAX: usize = 50_000;

#[derive(Debug, Clone, Copy)]
struct Record {
    failures: u32,
    last_ms: i64,
}

impl Record {
    fn wait_until_ms(&self, free: u32) -> i64 {
        if self.failures < free {
            return self.last_ms;
        }
        let doubled = FIRST_WAIT_S.saturating_mul(1 << (self.failures - free).min(16));
        self.last_ms + i64::from(doubled.min(LONGEST_WAIT_S)) * 1000
    }
}

/// What is being guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A person's password.
    Password,
    /// A key of the API.
    Key,
    /// The token of a mail's link.
    Link,
}

impl Door {
    fn names(self, name: &str, address: &str) -> [(String, u32); 2] {
        let word = match self {
            Self::Password => "user",
            Self::Key => "key",
            Self::Link => "link",
        };
        [
            (format!("{word} {name}"), FREE),
            (format!("{word} from {address}"), FREE * 10),
        ]
    }
}

/// Remembers failed attempts in memory, by name.
#[derive(Debug, Default)]
pub struct Attempts {
    records: Mutex<HashMap<String, Record>>,
}

impl Attempts {
    /// Seconds to wait before the next attempt of any of these names, `None` when it may come now.
    /// An address may fail ten times as often as a user, since many people share one.
    pub fn wait_s(&self, door: Door, name: &str, address: &str, now_ms: i64) -> Option<u32> {
        let records = self.records.lock();
        let names = door.names(name, address);
        // Who was right there lately does not wait for the strangers at the same address.
        let [(own, _), _] = &names;
        if records.get(own).is_some_and(|record| record.failures == 0) {
            return None;
        }
        let until = names
            .iter()
            .filter_map(|(name, free)| records.get(name).map(|record| record.wait_until_ms(*free)))
            .max()?;
        (until > now_ms).then(|| ((until - now_ms + 999) / 1000) as u32)
    }

    /// Counts a failure.
    pub fn failed(&self, door: Door, name: &str, address: &str, now_ms: i64) {
        let mut records = self.records.lock();
        if records.len() >= NAMES_MAX {
            records.retain(|_, record| now_ms - record.last_ms < FORGET_MS);
        }
        if records.len() >= NAMES_MAX {
            records.clear();
        }
        for (name, _) in door.names(name, address) {
            let record = records.entry(name).or_insert(Record {
                failures: 0,
                last_ms: now_ms,
            });
            if now_ms - record.last_ms >= FORGET_MS {
                record.failures = 0;
            }
            record.failures = record.failures.saturating_add(1);
            record.last_ms = now_ms;
        }
    }

    /// A success clears the name; the address keeps its failures, which may be at other names.
    pub fn succeeded(&self, door: Door, name: &str) {
        let [(own, _), _] = door.names(name, "");
        self.records.lock().remove(&own);
    }

    /// A success that is remembered: the name does not wait for failures of others at its address.
    pub fn known(&self, door: Door, name: &str, now_ms: i64) {
        let [(own, _), _] = door.names(name, "");
        let mut records = self.records.lock();
        if records.len() < NAMES_MAX {
            records.insert(
                own,
                Record {
                    failures: 0,
                    last_ms: now_ms,
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_is_bounded_and_ends() {
        let attempts = Attempts::default();
        for _ in 0..4 {
            attempts.failed(Door::Password, "li-na", "10.0.0.1", 0);
            assert_eq!(
                attempts.wait_s(Door::Password, "li-na", "10.0.0.1", 0),
                None
            );
        }
        attempts.failed(Door::Password, "li-na", "10.0.0.1", 0);
        assert_eq!(
            attempts.wait_s(Door::Password, "li-na", "10.0.0.1", 0),
            Some(2)
        );
        attempts.failed(Door::Password, "li-na", "10.0.0.1", 0);
        assert_eq!(
            attempts.wait_s(Door::Password, "li-na", "10.0.0.1", 0),
            Some(4)
        );
        for _ in 0..50 {
            attempts.failed(Door::Password, "li-na", "10.0.0.1", 0);
        }
        assert_eq!(
            attempts.wait_s(Door::Password, "li-na", "elsewhere", 0),
            Some(300)
        );
        assert_eq!(
            attempts.wait_s(Door::Password, "li-na", "elsewhere", 300_000),
            None
        );
    }

    #[test]
    fn spraying_over_many_names_from_one_address_is_slowed_too() {
        let attempts = Attempts::default();
        for at in 0..60 {
            attempts.failed(Door::Password, &format!("user-{at}"), "10.0.0.9", 0);
        }
        assert!(
            attempts
                .wait_s(Door::Password, "never-tried", "10.0.0.9", 0)
                .is_some()
        );
        assert_eq!(
            attempts.wait_s(Door::Password, "never-tried", "10.0.0.8", 0),
            None
        );
    }

    #[test]
    fn a_success_clears_the_name_but_not_the_address() {
        let attempts = Attempts::default();
        for _ in 0..8 {
            attempts.failed(Door::Password, "li-na", "a", 0);
        }
        attempts.succeeded(Door::Password, "li-na");
        assert_eq!(attempts.wait_s(Door::Password, "li-na", "a", 0), None);
    }

    #[test]
    fn doors_are_apart_and_who_was_right_does_not_wait_for_strangers() {
        let attempts = Attempts::default();
        for at in 0..60 {
            attempts.failed(Door::Key, &format!("key-{at}"), "10.0.0.9", 0);
        }
        assert!(attempts.wait_s(Door::Key, "mine", "10.0.0.9", 0).is_some());
        assert_eq!(attempts.wait_s(Door::Password, "mine", "10.0.0.9", 0), None);
        assert_eq!(attempts.wait_s(Door::Link, "mine", "10.0.0.9", 0), None);
        attempts.known(Door::Key, "mine", 0);
        assert_eq!(attempts.wait_s(Door::Key, "mine", "10.0.0.9", 0), None);
        attempts.failed(Door::Key, "mine", "10.0.0.9", 0);
        assert!(attempts.wait_s(Door::Key, "mine", "10.0.0.9", 0).is_some());
    }
}
