//! The counters of the rate limiter, in a table of fixed size.
//!
//! A rate limiter remembers one time for each client: until when its requests are used up. A client whose time is in
//! the past is as good as a new one and needs no memory. So the clients share a fixed number of cells, in buckets of
//! eight: a client's hash chooses its bucket and its tag there, and a client without a cell takes the one with the
//! earliest time, which is mostly in the past. In a bucket full of active clients, the one that has used up the least
//! is forgotten. So the heaviest clients are remembered longest, however many addresses an attacker has, and no client
//! is limited for the requests of another.
//!
//! The hash is keyed with random numbers (SipHash), so nobody can find out which clients share a bucket. A cell is one
//! atomic word: no lock. Memory is allocated by the block of buckets when a first client falls into it, so that a quiet
//! server pays for few of them.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use governor::nanos::Nanos;
use governor::state::StateStore;

/// Cells in a bucket: with more of them, the table forgets clients later. Eight words are one cache line.
const BUCKET: usize = 8;

/// Buckets in a block: 4 KiB of memory.
const BLOCK: usize = 64;

/// Bits of a word that distinguish the clients of a bucket. Two with the same tag count as one: in a full bucket that
/// is one client in 32,000.
const TAG_BITS: u32 = 18;
/// The other 46 bits are the time since the start in steps of 4 µs (2^12 ns), enough for nine years.
const TIME_BITS: u32 = u64::BITS - TAG_BITS;
const STEP_BITS: u32 = 12;
/// Times are rounded down to this. Rates use whole steps, so that rounding does not shorten a burst.
pub const STEP: Duration = Duration::from_nanos(1 << STEP_BITS);
const TIME_MAX: u64 = (1 << TIME_BITS) - 1;

/// The table. Each cell has 8 bytes. A clone is the same table.
pub struct Cells<K> {
    blocks: Arc<[OnceLock<Box<[Bucket]>>]>,
    buckets: usize,
    hasher: RandomState,
    of: PhantomData<fn(K)>,
}

impl<K> Clone for Cells<K> {
    fn clone(&self) -> Self {
        let (blocks, hasher) = (Arc::clone(&self.blocks), self.hasher.clone());
        Self { blocks, buckets: self.buckets, hasher, of: PhantomData }
    }
}

/// One cache line.
#[derive(Default)]
#[repr(align(64))]
struct Bucket([AtomicU64; BUCKET]);

impl<K> Cells<K> {
    /// With `count` cells, rounded up to whole buckets.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let buckets = count.div_ceil(BUCKET).max(1);
        let blocks = (0..buckets.div_ceil(BLOCK)).map(|_| OnceLock::new()).collect();
        Self { blocks, buckets, hasher: RandomState::new(), of: PhantomData }
    }

    fn bucket(&self, index: usize) -> &Bucket {
        let new_block = || (0..BLOCK).map(|_| Bucket::default()).collect();
        &self.blocks[index / BLOCK].get_or_init(new_block)[index % BLOCK]
    }
}

impl<K: Hash> Cells<K> {
    /// Gives a client back what it has used up: `time` of it.
    pub fn give_back(&self, key: &K, time: Duration) {
        let given = |used_until: Option<Nanos>| {
            used_until.map(|until| ((), until.saturating_sub(time.into()))).ok_or(())
        };
        // A client without a cell has used up nothing.
        _ = self.measure_and_replace(key, given);
    }
}

impl<K: Hash> StateStore for Cells<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let hash = self.hasher.hash_one(key);
        let tag = hash >> TIME_BITS;
        // The remainder is smaller than the number of buckets, so it fits an index.
        let Bucket(cells) = self.bucket((hash & TIME_MAX) as usize % self.buckets);
        loop {
            let (cell, word) = find(cells, tag);
            let used_until = (word >> TIME_BITS == tag).then(|| Nanos::new((word & TIME_MAX) << STEP_BITS));
            let (outcome, until) = decide(used_until)?;
            let new = tag << TIME_BITS | steps(until);
            // If another thread was faster, decide again on its value.
            if cell.compare_exchange_weak(word, new, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return Ok(outcome);
            }
        }
    }
}

/// The client's own cell, otherwise the one whose client has used up the least. An unused cell has the earliest time.
fn find(cells: &[AtomicU64; BUCKET], tag: u64) -> (&AtomicU64, u64) {
    let mut least = (&cells[0], cells[0].load(Ordering::Relaxed));
    for cell in cells {
        let word = cell.load(Ordering::Relaxed);
        if word >> TIME_BITS == tag {
            return (cell, word);
        }
        if word & TIME_MAX < least.1 & TIME_MAX {
            least = (cell, word);
        }
    }
    least
}

fn steps(time: Nanos) -> u64 {
    (time.as_u64() >> STEP_BITS).min(TIME_MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// Sets the client's time, and returns the previous one.
    fn put(cells: &Cells<u32>, client: u32, until: u64) -> Option<u64> {
        let put: Result<_, ()> =
            cells.measure_and_replace(&client, |before| Ok((before.map(Nanos::as_u64), Nanos::new(until))));
        put.expect("it never refuses")
    }

    #[test]
    fn a_client_is_found_again_and_times_are_rounded_to_steps() {
        let cells = Cells::new(64);
        assert_eq!(put(&cells, 7, 5_000), None);
        assert_eq!(put(&cells, 7, 4_096), Some(4_096));
        assert_eq!(put(&cells, 7, u64::MAX), Some(4_096));
        assert_eq!(put(&cells, 7, 0), Some(TIME_MAX << STEP_BITS));
    }

    #[test]
    fn a_full_bucket_forgets_the_client_that_used_up_the_least() {
        let remembers_the_heaviest = |_: &i32| {
            let cells = Cells::new(1);
            // The heaviest client comes first, then a thousand others.
            put(&cells, 0, 1 << 40);
            for client in 1..1_000 {
                put(&cells, client, 1 << 30);
            }
            put(&cells, 0, 1 << 40) == Some(1 << 40)
        };
        // Rarely, one of the thousand looks like the heaviest: a cell keeps only a part of a client's hash.
        assert!((0..20).filter(remembers_the_heaviest).count() >= 15);
    }

    #[test]
    fn what_is_given_back_was_never_used() {
        let cells = Cells::new(64);
        let other = cells.clone();
        cells.give_back(&1, Duration::from_secs(1));
        put(&cells, 1, 3 << 12);
        other.give_back(&1, STEP);
        assert_eq!(put(&cells, 1, 0), Some(2 << 12));
        cells.give_back(&1, Duration::from_secs(1));
        assert_eq!(put(&cells, 1, 0), Some(0));
    }

    #[test]
    fn a_rejection_writes_nothing() {
        let cells = Cells::new(1);
        put(&cells, 1, 4_096);
        let refused: Result<(), &str> = cells.measure_and_replace(&2, |_| Err("limited"));
        assert_eq!(refused, Err("limited"));
        assert_eq!(put(&cells, 1, 0), Some(4_096));
    }

    /// With a plain store instead of compare-and-exchange, up to half of the steps were lost.
    #[test]
    fn concurrent_threads_lose_no_count() {
        const THREADS: u64 = 4;
        const TIMES: u64 = 300_000;
        let (cells, start) = (Cells::new(8), Barrier::new(THREADS as usize));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..TIMES {
                        let step = |before: Option<Nanos>| {
                            Ok::<_, ()>(((), Nanos::new(before.map_or(0, Nanos::as_u64) + 4_096)))
                        };
                        cells.measure_and_replace(&1_u32, step).expect("it never refuses");
                    }
                });
            }
        });
        assert_eq!(put(&cells, 1, 0), Some(THREADS * TIMES * 4_096));
    }
}
