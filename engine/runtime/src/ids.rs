//! Ids and chance, injected: UUIDv7 and the machine's entropy, or a seed.

use parking_lot::Mutex;

/// Where a node takes new ids, nonces and jitter from.
pub trait Ids: Send + Sync {
    /// A new UUIDv7 in text, ordered by `now_ms`.
    fn uuid(&self, now_ms: i64) -> String;

    /// Sixteen bytes that nobody can guess (a seeded source: that nobody else has).
    fn nonce(&self) -> [u8; 16];

    /// A number from `low` to `high`, both included.
    fn between(&self, low: u64, high: u64) -> u64;
}

/// The operating system's entropy.
#[derive(Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn uuid(&self, now_ms: i64) -> String {
        version_seven(now_ms, self.nonce())
    }

    fn nonce(&self) -> [u8; 16] {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes)
            .expect("an operating system without entropy cannot run a server");
        bytes
    }

    fn between(&self, low: u64, high: u64) -> u64 {
        within(u64::from_be_bytes(first_eight(self.nonce())), low, high)
    }
}

/// The same ids for the same seed: the simulator and `tongban test`.
#[derive(Debug)]
pub struct SeededIds {
    state: Mutex<u64>,
}

impl SeededIds {
    /// A source whose whole course follows from `seed`.
    pub fn new(seed: u64) -> SeededIds {
        SeededIds {
            state: Mutex::new(seed),
        }
    }

    /// The next number (SplitMix64).
    pub fn next(&self) -> u64 {
        let mut state = self.state.lock();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Ids for SeededIds {
    fn uuid(&self, now_ms: i64) -> String {
        version_seven(now_ms, self.nonce())
    }

    fn nonce(&self) -> [u8; 16] {
        ((u128::from(self.next()) << 64) | u128::from(self.next())).to_be_bytes()
    }

    fn between(&self, low: u64, high: u64) -> u64 {
        within(self.next(), low, high)
    }
}

fn version_seven(now_ms: i64, random: [u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, i, j, ..] = random;
    let millis = u64::try_from(now_ms).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j])
        .into_uuid()
        .to_string()
}

fn within(number: u64, low: u64, high: u64) -> u64 {
    let span = high.saturating_sub(low).saturating_add(1).max(1);
    low.saturating_add(number % span)
}

fn first_eight(bytes: [u8; 16]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = bytes;
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_ids_repeat_and_sort_by_time() {
        let (one, other) = (SeededIds::new(7), SeededIds::new(7));
        let early = one.uuid(1_000);
        assert_eq!(early, other.uuid(1_000));
        assert!(early < one.uuid(2_000));
        assert_ne!(one.uuid(2_000), one.uuid(2_000));
    }

    #[test]
    fn jitter_stays_in_its_span() {
        let ids = SeededIds::new(1);
        assert!(
            (0..100)
                .map(|_| ids.between(2, 10))
                .all(|millis| (2..=10).contains(&millis))
        );
    }
}
