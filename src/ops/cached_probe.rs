//! A question to the database whose answer is cached. It is asked at most twice a second, by one caller at a time, and
//! not again while it is unanswered. So health checks, however frequent, cost the database next to nothing, and a
//! database that hangs occupies one connection, not all.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::db::Database;

/// How long a result is used again.
const CACHED_FOR: Duration = Duration::from_millis(500);
/// How long the probe may take, waiting for a free connection included.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);

/// What the database answered.
#[derive(Debug, Clone)]
pub(super) struct ProbeResult<T> {
    pub(super) took: Duration,
    pub(super) found: Result<T, &'static str>,
}

/// A function that asks the database, and may block its thread.
type Probe<T> = fn(&Database) -> Result<T, String>;

pub(super) struct CachedProbe<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    cached: Option<(Instant, ProbeResult<T>)>,
    /// A probe that has not finished yet, and when it started.
    running: Option<(Instant, JoinHandle<Result<T, String>>)>,
}

impl<T> Default for CachedProbe<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { cached: None, running: None }) }
    }
}

impl<T: Clone + Send + 'static> CachedProbe<T> {
    /// The cached result if it is fresh, otherwise a new one.
    pub(super) async fn get(&self, db: &Database, probe: Probe<T>) -> ProbeResult<T> {
        let mut state = self.state.lock().await;
        if let Some((at, result)) = &state.cached
            && at.elapsed() < CACHED_FOR
        {
            return result.clone();
        }
        let result = state.run(db, probe).await;
        state.cached = Some((Instant::now(), result.clone()));
        result
    }
}

impl<T: Send + 'static> State<T> {
    async fn run(&mut self, db: &Database, probe: Probe<T>) -> ProbeResult<T> {
        let (started, mut task) = self.running.take().unwrap_or_else(|| {
            let db = db.clone();
            (Instant::now(), spawn_blocking(move || probe(&db)))
        });
        let found = match tokio::time::timeout(TIMEOUT, &mut task).await {
            Ok(Ok(Ok(found))) => Ok(found),
            Ok(Ok(Err(error))) => {
                log::debug!("database probe failed: {error}");
                Err("unreachable, or gives wrong answers")
            }
            Ok(Err(_)) => Err("the probe failed"),
            Err(_) => {
                self.running = Some((started, task));
                Err("no response")
            }
        };
        ProbeResult { took: started.elapsed(), found }
    }
}
