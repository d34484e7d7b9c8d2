//! Limits what hashing passwords costs. A hash takes 19 MiB and tens of milliseconds on purpose, so a server
//! runs one at a time, on the blocking pool.
//!
//! A few attempts wait; when too many do, the next one is told to come back later. Attempts from unknown
//! browsers start at most five times a second, so that a flood of them leaves the processor, and on SQLite the
//! one writer, to the buyers. A browser in which the account has signed in before has places of its own and
//! waits for one unknown browser at most.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use crate::error::Error;

/// Attempts that wait or run, for known and for unknown browsers each.
const PLACES: usize = 8;
/// An attempt that has waited this long is sent away.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Between the starts of two attempts from unknown browsers. It bounds the processor time of a flood, and its
/// writes: each wrong password is counted and logged.
const UNKNOWN_INTERVAL: Duration = Duration::from_millis(200);

/// One hash at a time, and a bounded number of attempts that wait for it.
pub struct PasswordQueue {
    hash: Arc<Semaphore>,
    known: Arc<Semaphore>,
    unknown: Arc<Semaphore>,
    /// When the next unknown browser may start. Its lock lets them through one by one.
    next_unknown: Mutex<Instant>,
}

/// The right to hash. Clones share it; the next attempt starts when the last one is dropped.
#[derive(Clone)]
pub struct HashPermit {
    _held: Arc<[OwnedSemaphorePermit; 2]>,
}

impl Default for PasswordQueue {
    fn default() -> Self {
        Self {
            hash: Arc::new(Semaphore::new(1)),
            known: Arc::new(Semaphore::new(PLACES)),
            unknown: Arc::new(Semaphore::new(PLACES)),
            next_unknown: Mutex::new(Instant::now()),
        }
    }
}

impl PasswordQueue {
    /// Waits until the caller may hash. `is_known`: the account has signed in before in that browser.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait, or after [`WAIT_MAX`].
    pub async fn acquire(&self, is_known: bool) -> Result<HashPermit, Error> {
        let places = if is_known { &self.known } else { &self.unknown };
        let place = Arc::clone(places).try_acquire_owned().map_err(|_| Error::Busy)?;
        let wait = if is_known {
            timeout(WAIT_MAX, self.acquire_hash()).await
        } else {
            timeout(WAIT_MAX, self.acquire_hash_for_unknown()).await
        };
        Ok(HashPermit { _held: Arc::new([place, wait.map_err(|_| Error::Busy)??]) })
    }

    async fn acquire_hash_for_unknown(&self) -> Result<OwnedSemaphorePermit, Error> {
        let mut next_unknown = self.next_unknown.lock().await;
        sleep_until(*next_unknown).await;
        let permit = self.acquire_hash().await?;
        *next_unknown = Instant::now() + UNKNOWN_INTERVAL;
        Ok(permit)
    }

    async fn acquire_hash(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.hash).acquire_owned().await.map_err(|_| Error::Busy)
    }
}

impl HashPermit {
    /// Runs `work` on the blocking pool. The permit is held until the work ends, also when the caller is gone.
    ///
    /// # Errors
    /// [`Error::Internal`] when the work panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self.clone();
        let run = move || {
            let result = work();
            drop(permit);
            result
        };
        web::block(run).await.map_err(|_| Error::Internal("hashing a password broke off".into()))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::rt::task::JoinHandle;

    use super::*;

    /// Starts to wait for a permit, and returns when it waits.
    async fn wait_for_permit(
        queue: &Arc<PasswordQueue>,
        is_known: bool,
    ) -> JoinHandle<Result<HashPermit, Error>> {
        let queue = Arc::clone(queue);
        let waiting = actix_web::rt::spawn(async move { queue.acquire(is_known).await });
        tokio::task::yield_now().await;
        waiting
    }

    #[actix_web::test]
    async fn one_hash_at_a_time_and_a_bounded_queue_with_known_browsers_first() {
        let queue = Arc::new(PasswordQueue::default());
        let first = queue.acquire(false).await.expect("nobody else is there");
        let mut unknown = Vec::new();
        for _ in 1..PLACES {
            unknown.push(wait_for_permit(&queue, false).await);
        }
        assert!(matches!(queue.acquire(false).await, Err(Error::Busy)), "the queue is full");
        let known = wait_for_permit(&queue, true).await;
        assert!(unknown.iter().all(|it| !it.is_finished()) && !known.is_finished(), "one at a time");

        drop(first);
        let known = known.await.expect("it runs").expect("a full queue keeps no known browser out");
        assert!(unknown.iter().all(|it| !it.is_finished()), "the known browser goes first");
        assert_eq!(known.run(|| 6 * 7).await.expect("a result"), 42);

        // An attempt that is abandoned gives its place to others.
        unknown.remove(0).abort();
        drop(known);
        for attempt in unknown {
            drop(attempt.await.expect("it runs").expect("a permit"));
        }
        queue.acquire(false).await.expect("the queue is empty again");
    }

    #[actix_web::test]
    async fn unknown_browsers_start_five_times_a_second_at_most() {
        let queue = PasswordQueue::default();
        let begun = Instant::now();
        for _ in 0..3 {
            drop(queue.acquire(false).await.expect("a permit"));
        }
        assert!(begun.elapsed() >= UNKNOWN_INTERVAL * 2);
        let begun = Instant::now();
        for _ in 0..3 {
            drop(queue.acquire(true).await.expect("a permit"));
        }
        assert!(begun.elapsed() < UNKNOWN_INTERVAL, "known browsers do not wait");
    }

    #[actix_web::test]
    async fn a_panic_frees_the_queue() {
        let queue = PasswordQueue::default();
        let permit = queue.acquire(true).await.expect("a permit");
        let broken = permit.run(|| assert_eq!(1, 2, "on purpose")).await;
        assert!(matches!(broken, Err(Error::Internal(_))));
        drop(permit);
        let permit = queue.acquire(true).await.expect("a permit");
        assert_eq!(permit.run(|| 1).await.expect("a result"), 1);
    }

    #[actix_web::test]
    async fn an_abandoned_hash_keeps_its_permit_until_it_ends() {
        let queue = Arc::new(PasswordQueue::default());
        let permit = queue.acquire(true).await.expect("a permit");
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let hash = actix_web::rt::spawn(async move { permit.run(move || ended.recv()).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        hash.abort();
        let next = wait_for_permit(&queue, true).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!next.is_finished(), "the first hash still runs");
        end.send(()).expect("it waits");
        next.await.expect("it runs").expect("a permit");
    }
}
