//! Limits what hashing passwords costs, and how many passwords an attacker can try. A hash takes 19 MiB and tens of
//! milliseconds on purpose, so a server runs one at a time, on the blocking pool.
//!
//! A browser in which the account has signed in before has places of its own. It waits for two unknown browsers at
//! most: the one that hashes, and the one that comes next. Attempts from unknown browsers wait in a [`FairQueue`] and
//! go at a [`SignInPace`]: five a second for a while, and then one a second. That bounds how many passwords are tried,
//! from however many networks. An account has no limit of its own: wrong passwords from other networks would lock the
//! organizer out in a new browser.

use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use parking_lot::Mutex as SyncMutex;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::fair_queue::FairQueue;
use super::password::{self, PasswordWeakness};
use crate::error::Error;

/// Attempts from known browsers that wait or run.
const KNOWN_PLACES: usize = 8;
/// An attempt that has waited this long is sent away.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How often attempts from unknown browsers start. It bounds the processor time of a flood, and its writes: each wrong
/// password is counted and recorded.
#[derive(Debug, Clone, Copy)]
pub struct SignInPace {
    /// Shortest time between two starts.
    pub spacing: Duration,
    /// Average time between two starts in the long run.
    pub interval: Duration,
    /// How many starts may be ahead of `interval` after a quiet time.
    pub burst: u32,
}

impl Default for SignInPace {
    fn default() -> Self {
        Self { spacing: Duration::from_millis(200), interval: Duration::from_secs(1), burst: 30 }
    }
}

/// One hash at a time, and a bounded number of attempts that wait for it.
pub struct PasswordQueue {
    hash: Arc<Semaphore>,
    known: Arc<Semaphore>,
    unknown: SyncMutex<FairQueue<oneshot::Sender<HashPermit>>>,
    /// Its lock lets unknown browsers through one by one.
    clock: Mutex<Clock>,
}

/// When the next unknown browser may start.
struct Clock {
    pace: SignInPace,
    next: Instant,
    /// When the next start would be due if every start had waited for the whole `interval`.
    due: Instant,
}

/// The right to hash. Clones share it; the next attempt starts when the last one is dropped.
#[derive(Clone)]
pub struct HashPermit {
    _held: Arc<(OwnedSemaphorePermit, Option<OwnedSemaphorePermit>)>,
}

impl Default for PasswordQueue {
    fn default() -> Self {
        Self::new(SignInPace::default())
    }
}

impl PasswordQueue {
    #[must_use]
    pub fn new(pace: SignInPace) -> Self {
        let now = Instant::now();
        Self {
            hash: Arc::new(Semaphore::new(1)),
            known: Arc::new(Semaphore::new(KNOWN_PLACES)),
            unknown: SyncMutex::default(),
            clock: Mutex::new(Clock { pace, next: now, due: now }),
        }
    }

    /// Waits until an attempt may hash, from a browser in which the account has signed in before.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait, or after [`WAIT_MAX`].
    pub async fn acquire_for_known(&self) -> Result<HashPermit, Error> {
        let place = Arc::clone(&self.known).try_acquire_owned().map_err(|_| Error::Busy)?;
        let hash = timeout(WAIT_MAX, self.acquire_hash()).await.map_err(|_| Error::Busy)??;
        Ok(HashPermit { _held: Arc::new((hash, Some(place))) })
    }

    /// Waits until an attempt may hash, from a browser that is not known, at this address.
    ///
    /// # Errors
    /// [`Error::Busy`] when an attempt from another network took this one's place, or after [`WAIT_MAX`].
    pub async fn acquire_for_unknown(&self, address: IpAddr) -> Result<HashPermit, Error> {
        let (turn, mut its_turn) = oneshot::channel();
        // An attempt that has to leave notices that its channel is closed.
        drop(self.unknown.lock().push(address, turn, &mut rand::rng()));
        let wait = async {
            loop {
                tokio::select! {
                    biased;
                    permit = &mut its_turn => return permit.map_err(|_| Error::Busy),
                    drawn = self.draw() => drawn?,
                }
            }
        };
        timeout(WAIT_MAX, wait).await.map_err(|_| Error::Busy)?
    }

    /// Remembers that a wrong password came from this address.
    pub fn note_failure(&self, address: IpAddr) {
        self.unknown.lock().note_failure(address);
    }

    /// Waits until one of the unknown browsers may start, and draws which. Every waiting attempt calls this,
    /// so that the draw goes on when others give up.
    async fn draw(&self) -> Result<(), Error> {
        let mut clock = self.clock.lock().await;
        sleep_until(clock.next_start()).await;
        let mut permit = HashPermit { _held: Arc::new((self.acquire_hash().await?, None)) };
        let mut unknown = self.unknown.lock();
        while let Some(turn) = unknown.pop(|turn| !turn.is_closed(), &mut rand::rng()) {
            match turn.send(permit) {
                Ok(()) => {
                    clock.start(Instant::now());
                    break;
                }
                Err(given_back) => permit = given_back,
            }
        }
        Ok(())
    }

    async fn acquire_hash(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.hash).acquire_owned().await.map_err(|_| Error::Busy)
    }
}

impl Clock {
    fn next_start(&self) -> Instant {
        // `None`: the machine started so recently that its clock does not reach back that far.
        let in_time = self.due.checked_sub(self.pace.interval * self.pace.burst);
        in_time.map_or(self.next, |in_time| self.next.max(in_time))
    }

    fn start(&mut self, now: Instant) {
        self.next = now + self.pace.spacing;
        self.due = self.due.max(now) + self.pace.interval;
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
        web::block(run).await.map_err(|_| Error::Internal("hashing a password was interrupted".into()))
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no randomness for the salt.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        hashed(self.run(move || password::hash(&password)).await?)
    }

    /// Hashes a new password, unless it is too weak.
    ///
    /// # Errors
    /// As [`HashPermit::hash`].
    pub async fn hash_new(&self, password: String) -> Result<Result<String, PasswordWeakness>, Error> {
        let hash = move || password::check(&password).map(|()| password::hash(&password));
        match self.run(hash).await? {
            Ok(hash) => hashed(hash).map(Ok),
            Err(weakness) => Ok(Err(weakness)),
        }
    }
}

fn hashed<E: Display>(hash: Result<String, E>) -> Result<String, Error> {
    hash.map_err(|e| Error::Internal(format!("the password cannot be hashed: {e}")))
}

#[cfg(test)]
mod tests {
    use actix_web::rt::task::JoinHandle;

    use super::super::fair_queue::PLACES;
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// Starts a task that waits for a permit, and returns once it waits.
    async fn wait_for_permit(
        queue: &Arc<PasswordQueue>,
        is_known: bool,
    ) -> JoinHandle<Result<HashPermit, Error>> {
        let queue = Arc::clone(queue);
        let waiting = actix_web::rt::spawn(async move {
            if is_known { queue.acquire_for_known().await } else { queue.acquire_for_unknown(HOME).await }
        });
        tokio::task::yield_now().await;
        waiting
    }

    #[actix_web::test]
    async fn one_hash_at_a_time_and_a_bounded_queue_with_known_browsers_first() {
        let queue = Arc::new(PasswordQueue::default());
        let first = queue.acquire_for_unknown(HOME).await.expect("nobody else is there");
        let mut unknown = Vec::new();
        for _ in 0..PLACES {
            unknown.push(wait_for_permit(&queue, false).await);
        }
        assert!(matches!(queue.acquire_for_unknown(HOME).await, Err(Error::Busy)), "the queue is full");
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
        queue.acquire_for_unknown(HOME).await.expect("the queue is empty again");
    }

    #[actix_web::test]
    async fn unknown_browsers_start_at_their_pace_and_known_ones_do_not_wait() {
        let pace =
            SignInPace { spacing: Duration::from_millis(10), interval: Duration::from_millis(100), burst: 3 };
        let queue = PasswordQueue::new(pace);
        let begun = Instant::now();
        for _ in 0..4 {
            drop(queue.acquire_for_unknown(HOME).await.expect("a permit"));
        }
        assert!(begun.elapsed() >= pace.spacing * 3);
        for _ in 0..2 {
            drop(queue.acquire_for_unknown(HOME).await.expect("a permit"));
        }
        assert!(begun.elapsed() >= pace.interval * 2, "after the burst");
        let queue = PasswordQueue::new(SignInPace { interval: WAIT_MAX * 2, burst: 0, ..pace });
        drop(queue.acquire_for_unknown(HOME).await.expect("the first does not wait"));
        let begun = Instant::now();
        for _ in 0..3 {
            drop(queue.acquire_for_known().await.expect("a permit"));
        }
        assert!(begun.elapsed() < WAIT_MAX, "known browsers do not wait");
    }

    #[actix_web::test]
    async fn a_panic_frees_the_queue() {
        let queue = PasswordQueue::default();
        let permit = queue.acquire_for_known().await.expect("a permit");
        let broken = permit.run(|| assert_eq!(1, 2, "on purpose")).await;
        assert!(matches!(broken, Err(Error::Internal(_))));
        drop(permit);
        let permit = queue.acquire_for_known().await.expect("a permit");
        assert_eq!(permit.run(|| 1).await.expect("a result"), 1);
    }

    #[actix_web::test]
    async fn an_abandoned_hash_keeps_its_permit_until_it_ends() {
        let queue = Arc::new(PasswordQueue::default());
        let permit = queue.acquire_for_known().await.expect("a permit");
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
