//! States of instances kept in memory between their activations, bounded in bytes.

use std::sync::Arc;

use indexmap::IndexMap;

/// The most bytes of encoded state that a node keeps.
pub const CACHE_BYTES: usize = 64 * 1024 * 1024;

struct Kept<T> {
    value: Arc<T>,
    bytes: usize,
    used: u64,
}

/// The least recently used leave first. Nothing here is ever the truth: an instance may move on elsewhere.
pub struct Cache<T> {
    kept: IndexMap<String, Kept<T>>,
    bytes: usize,
    limit: usize,
    turn: u64,
}

impl<T> Cache<T> {
    /// An empty cache of at most `limit` bytes.
    pub fn bounded(limit: usize) -> Cache<T> {
        Cache {
            kept: IndexMap::new(),
            bytes: 0,
            limit,
            turn: 0,
        }
    }

    /// What is kept under `id`.
    pub fn get(&mut self, id: &str) -> Option<Arc<T>> {
        self.turn += 1;
        let kept = self.kept.get_mut(id)?;
        kept.used = self.turn;
        Some(Arc::clone(&kept.value))
    }

    /// Keeps `value`, which weighs `bytes`. The last one is kept whatever it weighs: an instance that works through a
    /// large collection comes back at once.
    pub fn put(&mut self, id: &str, value: Arc<T>, bytes: usize) {
        self.forget(id);
        self.turn += 1;
        self.bytes += bytes;
        self.kept.insert(
            id.to_owned(),
            Kept {
                value,
                bytes,
                used: self.turn,
            },
        );
        if self.bytes > self.limit {
            self.shrink();
        }
    }

    /// Forgets what is kept under `id`.
    pub fn forget(&mut self, id: &str) {
        if let Some(kept) = self.kept.swap_remove(id) {
            self.bytes -= kept.bytes;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.bytes = 0;
    }

    /// Drops the oldest until half is free, so that a full cache is sorted once in many puts and not at each. The last
    /// one stays.
    fn shrink(&mut self) {
        let mut turns: Vec<(u64, usize)> = self
            .kept
            .values()
            .map(|kept| (kept.used, kept.bytes))
            .collect();
        turns.sort_unstable();
        let mut bytes = self.bytes;
        let mut gone = 0;
        for (used, weight) in turns {
            if bytes <= self.limit / 2 || used == self.turn {
                break;
            }
            bytes -= weight;
            gone = used;
        }
        self.kept.retain(|_, kept| kept.used > gone);
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_used_leave_and_the_bound_holds() {
        let mut cache = Cache::bounded(100);
        for number in 0..10 {
            cache.put(&number.to_string(), Arc::new(number), 10);
        }
        assert!(cache.get("0").is_some(), "used again just now");
        cache.put("10", Arc::new(10), 10);
        assert!(cache.bytes <= 100);
        assert!(cache.get("0").is_some() && cache.get("10").is_some());
        assert!(cache.get("1").is_none());
        cache.put("large", Arc::new(0), 1_000);
        assert!(cache.get("large").is_some(), "it is being worked on");
        assert_eq!(cache.kept.len(), 1);
        cache.put("small", Arc::new(0), 10);
        assert!(cache.get("large").is_none() && cache.get("small").is_some());
        assert_eq!(cache.bytes, 10);
    }
}
