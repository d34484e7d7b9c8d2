//! A question to the database, whose answer many want. It is put at most twice a second, by one at a time, and
//! one that is left unanswered is not put again until it is: whoever asks a server how it is, however often,
//! costs the database next to nothing, and a database that hangs holds one connection, not all.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::db::Database;

/// For how long what the database has said is taken for true.
const KNOWN_FOR: Duration = Duration::from_millis(500);
/// How long it may take to answer, and a connection to come free.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// What the database said.
#[derive(Debug, Clone)]
pub(super) struct Answer<T> {
    pub(super) took: Duration,
    pub(super) said: Result<T, &'static str>,
}

pub(super) struct Inquiry<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    known: Option<(Instant, Answer<T>)>,
    /// A question that has not been answered yet, and when it was put.
    open: Option<(Instant, JoinHandle<Result<T, String>>)>,
}

impl<T> Default for Inquiry<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { known: None, open: None }) }
    }
}

impl<T: Clone + Send + 'static> Inquiry<T> {
    /// What the database says, or has just said. The question may block its thread.
    pub(super) async fn answer(
        &self,
        db: &Database,
        question: fn(&Database) -> Result<T, String>,
    ) -> Answer<T> {
        let mut state = self.state.lock().await;
        if let Some((at, answer)) = &state.known
            && at.elapsed() < KNOWN_FOR
        {
            return answer.clone();
        }
        let answer = state.ask(db, question).await;
        state.known = Some((Instant::now(), answer.clone()));
        answer
    }
}

impl<T: Send + 'static> State<T> {
    async fn ask(&mut self, db: &Database, question: fn(&Database) -> Result<T, String>) -> Answer<T> {
        let (put_at, mut task) = self.open.take().unwrap_or_else(|| {
            let db = db.clone();
            (Instant::now(), spawn_blocking(move || question(&db)))
        });
        let said = match tokio::time::timeout(PATIENCE, &mut task).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => {
                log::debug!("the database was asked how it is: {error}");
                Err("it cannot be reached, or does not answer as it should")
            }
            Ok(Err(_)) => Err("asking it went wrong"),
            Err(_) => {
                self.open = Some((put_at, task));
                Err("it does not answer")
            }
        };
        Answer { took: put_at.elapsed(), said }
    }
}
