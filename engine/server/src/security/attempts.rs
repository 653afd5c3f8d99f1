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
/// The most names that are remembered; the older half goes first.
const NAMES_MAX: usize = 50_000;
/// Of a longer name so much is remembered: whoever guesses chooses it.
const NAME_BYTES_MAX: usize = 64;

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
    fn word(self) -> &'static str {
        match self {
            Self::Password => "user",
            Self::Key => "key",
            Self::Link => "link",
        }
    }

    fn own(self, name: &str) -> String {
        let end = name.floor_char_boundary(NAME_BYTES_MAX);
        format!("{} {}", self.word(), name.get(..end).unwrap_or_default())
    }

    /// What an attempt counts for, each with the failures that cost nothing there. Many people share an address, so
    /// that it may fail ten times as often as a name.
    fn names<'a>(self, attempt: Attempt<'a>) -> impl Iterator<Item = (String, u32)> + use<'a> {
        let address = attempt
            .address
            .map(|address| (format!("{} from {address}", self.word()), FREE * 10));
        [(self.own(attempt.name), FREE)].into_iter().chain(address)
    }
}

/// Who tries, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The name that is tried.
    pub name: &'a str,
    /// Where the attempt comes from; `None` when it does not count there.
    pub address: Option<&'a str>,
}

impl<'a> Attempt<'a> {
    /// An attempt at a name from an address.
    pub fn from(name: &'a str, address: &'a str) -> Self {
        Self {
            name,
            address: Some(address),
        }
    }
}

/// Remembers failed attempts in memory, by name.
#[derive(Debug, Default)]
pub struct Attempts {
    records: Mutex<HashMap<String, Record>>,
}

impl Attempts {
    /// Seconds to wait before the next attempt, `None` when it may come now.
    pub fn wait_s(&self, door: Door, attempt: Attempt<'_>, now_ms: i64) -> Option<u32> {
        let records = self.records.lock();
        // Who was right there lately does not wait for the strangers at the same address.
        let own = records.get(&door.own(attempt.name));
        if own.is_some_and(|record| record.failures == 0) {
            return None;
        }
        let until = door
            .names(attempt)
            .filter_map(|(name, free)| records.get(&name).map(|record| record.wait_until_ms(free)))
            .max()?;
        (until > now_ms).then(|| ((until - now_ms + 999) / 1000) as u32)
    }

    /// Counts a failure.
    pub fn failed(&self, door: Door, attempt: Attempt<'_>, now_ms: i64) {
        let mut records = self.records.lock();
        make_room(&mut records, now_ms);
        for (name, _) in door.names(attempt) {
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

    /// An attempt that was counted before it was looked at came out well: it clears the name; the address keeps its
    /// other failures, which may be at other names.
    pub fn succeeded(&self, door: Door, attempt: Attempt<'_>) {
        let mut records = self.records.lock();
        for (name, _) in door.names(attempt).skip(1) {
            if let Some(record) = records.get_mut(&name) {
                record.failures = record.failures.saturating_sub(1);
            }
        }
        records.remove(&door.own(attempt.name));
    }

    /// A success that is remembered: the name does not wait for failures of others at its address.
    pub fn known(&self, door: Door, name: &str, now_ms: i64) {
        let mut records = self.records.lock();
        make_room(&mut records, now_ms);
        let record = Record {
            failures: 0,
            last_ms: now_ms,
        };
        records.insert(door.own(name), record);
    }
}

/// Keeps the memory bounded: what is forgotten goes, then the older half.
fn make_room(records: &mut HashMap<String, Record>, now_ms: i64) {
    if records.len() < NAMES_MAX {
        return;
    }
    records.retain(|_, record| now_ms - record.last_ms < FORGET_MS);
    if records.len() < NAMES_MAX {
        return;
    }
    let mut times: Vec<i64> = records.values().map(|record| record.last_ms).collect();
    let (_, middle, _) = times.select_nth_unstable(NAMES_MAX / 2);
    let middle = *middle;
    records.retain(|_, record| record.last_ms > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_is_bounded_and_ends() {
        let attempts = Attempts::default();
        for _ in 0..4 {
            attempts.failed(Door::Password, Attempt::from("li-na", "10.0.0.1"), 0);
            assert_eq!(
                attempts.wait_s(Door::Password, Attempt::from("li-na", "10.0.0.1"), 0),
                None
            );
        }
        attempts.failed(Door::Password, Attempt::from("li-na", "10.0.0.1"), 0);
        assert_eq!(
            attempts.wait_s(Door::Password, Attempt::from("li-na", "10.0.0.1"), 0),
            Some(2)
        );
        attempts.failed(Door::Password, Attempt::from("li-na", "10.0.0.1"), 0);
        assert_eq!(
            attempts.wait_s(Door::Password, Attempt::from("li-na", "10.0.0.1"), 0),
            Some(4)
        );
        for _ in 0..50 {
            attempts.failed(Door::Password, Attempt::from("li-na", "10.0.0.1"), 0);
        }
        assert_eq!(
            attempts.wait_s(Door::Password, Attempt::from("li-na", "elsewhere"), 0),
            Some(300)
        );
        assert_eq!(
            attempts.wait_s(Door::Password, Attempt::from("li-na", "elsewhere"), 300_000),
            None
        );
    }

    #[test]
    fn spraying_over_many_names_from_one_address_is_slowed_too() {
        let attempts = Attempts::default();
        for at in 0..60 {
            attempts.failed(
                Door::Password,
                Attempt::from(&format!("user-{at}"), "10.0.0.9"),
                0,
            );
        }
        assert!(
            attempts
                .wait_s(Door::Password, Attempt::from("never-tried", "10.0.0.9"), 0)
                .is_some()
        );
        assert_eq!(
            attempts.wait_s(Door::Password, Attempt::from("never-tried", "10.0.0.8"), 0),
            None
        );
    }

    #[test]
    fn a_success_clears_the_name_but_not_the_address() {
        let attempts = Attempts::default();
        for _ in 0..8 {
            attempts.failed(Door::Password, Attempt::from("li-na", "a"), 0);
        }
        for at in 0..60 {
            attempts.failed(Door::Password, Attempt::from(&format!("user-{at}"), "a"), 0);
        }
        attempts.succeeded(Door::Password, Attempt::from("li-na", "a"));
        assert_eq!(
            attempts.wait_s(Door::Password, Attempt::from("li-na", "elsewhere"), 0),
            None
        );
        assert!(
            attempts
                .wait_s(Door::Password, Attempt::from("never-tried", "a"), 0)
                .is_some()
        );
    }

    #[test]
    fn doors_are_apart_and_who_was_right_does_not_wait_for_strangers() {
        let attempts = Attempts::default();
        for at in 0..60 {
            attempts.failed(
                Door::Key,
                Attempt::from(&format!("key-{at}"), "10.0.0.9"),
                0,
            );
        }
        assert!(
            attempts
                .wait_s(Door::Key, Attempt::from("mine", "10.0.0.9"), 0)
                .is_some()
        );
        assert_eq!(
            attempts.wait_s(Door::Password, Attempt::from("mine", "10.0.0.9"), 0),
            None
        );
        assert_eq!(
            attempts.wait_s(Door::Link, Attempt::from("mine", "10.0.0.9"), 0),
            None
        );
        attempts.known(Door::Key, "mine", 0);
        assert_eq!(
            attempts.wait_s(Door::Key, Attempt::from("mine", "10.0.0.9"), 0),
            None
        );
        attempts.failed(Door::Key, Attempt::from("mine", "10.0.0.9"), 0);
        assert!(
            attempts
                .wait_s(Door::Key, Attempt::from("mine", "10.0.0.9"), 0)
                .is_some()
        );
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_newer_half_stays() {
        let attempts = Attempts::default();
        let long = "x".repeat(1 << 20);
        attempts.failed(Door::Password, Attempt::from(&long, "a"), 0);
        let longest = |attempts: &Attempts| {
            let records = attempts.records.lock();
            records.keys().map(String::len).max()
        };
        assert!(longest(&attempts) < Some(80));
        for at in 0..NAMES_MAX {
            let name = at.to_string();
            let attempt = Attempt {
                name: &name,
                address: None,
            };
            attempts.failed(Door::Link, attempt, at as i64);
        }
        for _ in 0..6 {
            attempts.failed(Door::Password, Attempt::from("li-na", "b"), 60_000);
        }
        assert!(attempts.records.lock().len() < NAMES_MAX);
        let newest = (NAMES_MAX - 1).to_string();
        assert!(
            attempts
                .records
                .lock()
                .contains_key(&Door::Link.own(&newest))
        );
        assert!(
            attempts
                .wait_s(Door::Password, Attempt::from("li-na", "c"), 60_000)
                .is_some()
        );
    }
}
