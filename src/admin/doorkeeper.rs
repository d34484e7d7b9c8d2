//! The doorkeeper looks at passwords, one after another.
//!
//! Looking at one is dear on purpose: 19 MiB and tens of milliseconds. So there is one pair of hands for it
//! in each server, whatever the crowd at the door: the memory of one hash, at most one core, and that at a
//! low priority, so that whoever buys tickets goes first. The others wait in a short line, few from each
//! network, so that one who pushes fills it for nobody else, and come to the front five times a second at
//! most; organizers in a browser that is known have a line of their own, which goes first and at any pace. When
//! the line is full one is told so at once, and to come back.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::password;
use crate::error::{Error, StartError};

/// Places in each of the two lines: that of known browsers, and that of the others.
const PLACES: usize = 8;
/// Of those, places for one network.
const PLACES_OF_A_NETWORK: usize = 2;
/// Whoever has not come to the front by then is sent away.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// From one stranger's turn to the next. It bounds what a flood costs, whatever its size: the processor, and
/// the disk, because each wrong password is written down, and on SQLite a booking waits for that.
const STRANGERS_PACE: Duration = Duration::from_millis(200);

/// The niceness of the hands, from 0 to 19: where the processor is short they get a tenth of what a thread
/// that serves gets.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

type Work = Box<dyn FnOnce() + Send>;

/// One pair of hands, and the lines before it.
pub struct Doorkeeper(Arc<Door>);

struct Door {
    lines: Mutex<Lines>,
    hands: mpsc::Sender<Work>,
}

#[derive(Default)]
struct Lines {
    is_busy: bool,
    /// When the last stranger's turn began.
    last_stranger: Option<Instant>,
    known: VecDeque<Place>,
    strangers: VecDeque<Place>,
}

struct Place {
    network: IpAddr,
    call: oneshot::Sender<Turn>,
}

/// The doorkeeper's attention. When it is dropped, the next one's turn begins.
pub struct Turn(Option<Arc<Door>>);

impl Doorkeeper {
    /// Hires one.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn hire() -> Result<Self, StartError> {
        let (hands, work) = mpsc::channel::<Work>();
        thread::Builder::new()
            .name("doorkeeper".into())
            .spawn(move || {
                step_back();
                password::warm_up();
                for work in work {
                    // What breaks in one visitor's turn is not the next one's trouble.
                    let _ = catch_unwind(AssertUnwindSafe(work));
                }
            })
            .map_err(|e| StartError::new(format!("no thread for the doorkeeper: {e}")))?;
        Ok(Self(Arc::new(Door { lines: Mutex::default(), hands })))
    }

    /// Waits in line. `is_known`: the account has signed in before in that browser.
    ///
    /// # Errors
    /// [`Error::Busy`] when the line is full or does not move.
    pub async fn turn(&self, network: IpAddr, is_known: bool) -> Result<Turn, Error> {
        let (call, mut called) = oneshot::channel();
        self.0.lines().join(Place { network, call }, is_known)?;
        let sent_away = Instant::now() + WAIT_MAX;
        while Instant::now() < sent_away {
            Arc::clone(&self.0).call_next();
            // Nobody else says when a stranger's time has come.
            if let Ok(turn) = tokio::time::timeout(STRANGERS_PACE / 8, &mut called).await {
                return turn.map_err(|_| Error::Busy);
            }
        }
        Err(Error::Busy)
    }
}

impl Lines {
    fn join(&mut self, place: Place, is_known: bool) -> Result<(), Error> {
        let line = if is_known { &mut self.known } else { &mut self.strangers };
        // Who has walked away holds no place.
        line.retain(|place| !place.call.is_closed());
        let of_network = line.iter().filter(|other| other.network == place.network).count();
        if line.len() >= PLACES || of_network >= PLACES_OF_A_NETWORK {
            return Err(Error::Busy);
        }
        line.push_back(place);
        Ok(())
    }

    /// Whose turn it is.
    fn next(&mut self, now: Instant) -> Option<Place> {
        if self.is_busy {
            return None;
        }
        let next = self.known.pop_front().or_else(|| {
            let is_time = self.last_stranger.is_none_or(|last| now >= last + STRANGERS_PACE);
            let stranger = if is_time { self.strangers.pop_front() } else { None };
            if stranger.is_some() {
                self.last_stranger = Some(now);
            }
            stranger
        });
        self.is_busy = next.is_some();
        next
    }
}

impl Door {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the turn, when nobody has it, to the first who is still there.
    fn call_next(self: Arc<Self>) {
        loop {
            let Some(place) = self.lines().next(Instant::now()) else { return };
            match place.call.send(Turn(Some(Arc::clone(&self)))) {
                Ok(()) => return,
                // Not dropped with the door in it: that would call the next one, too.
                Err(mut turn) => {
                    turn.0 = None;
                    self.lines().is_busy = false;
                }
            }
        }
    }
}

impl Turn {
    /// Has work done by the doorkeeper's hands, off every other thread.
    ///
    /// # Errors
    /// [`Error::Internal`] when it breaks.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let work = move || drop(answer.send(work()));
        if let Some(door) = &self.0 {
            let _ = door.hands.send(Box::new(work));
        }
        answered.await.map_err(|_| Error::Internal("the doorkeeper's work broke".into()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(door) = self.0.take() {
            door.lines().is_busy = false;
            door.call_next();
        }
    }
}

#[cfg(target_os = "linux")]
fn step_back() {
    use rustix::process::{getpriority_process, setpriority_process};
    // On Linux the niceness is a thread's own.
    let set = getpriority_process(None).and_then(|now| setpriority_process(None, now.max(NICENESS)));
    set.unwrap_or_else(|e| log::warn!("the doorkeeper keeps its priority: {e}"));
}

/// Elsewhere it is the whole process's.
#[cfg(not(target_os = "linux"))]
fn step_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }

    /// Puts somebody in line, and waits until they stand there.
    async fn stand_in_line(
        door: &Arc<Doorkeeper>,
        last: u8,
        is_known: bool,
    ) -> actix_web::rt::task::JoinHandle<Result<Turn, Error>> {
        let door = Arc::clone(door);
        let waiting = actix_web::rt::spawn(async move { door.turn(network(last), is_known).await });
        tokio::task::yield_now().await;
        waiting
    }

    #[actix_web::test]
    async fn one_at_a_time_the_known_first_and_few_of_one_network() {
        let door = Arc::new(Doorkeeper::hire().expect("a thread"));
        let first = door.turn(network(0), false).await.expect("nobody else is there");
        let mut strangers = Vec::new();
        for last in [1, 1, 2, 2, 3, 3, 4] {
            strangers.push(stand_in_line(&door, last, false).await);
        }
        let third_of_network = door.turn(network(1), false).await;
        assert!(matches!(third_of_network, Err(Error::Busy)), "a network has two places");
        strangers.push(stand_in_line(&door, 5, false).await);
        assert!(matches!(door.turn(network(6), false).await, Err(Error::Busy)), "the line is full");

        let known = stand_in_line(&door, 1, true).await;
        assert!(strangers.iter().all(|it| !it.is_finished()) && !known.is_finished(), "one at a time");
        drop(first);
        let known = known.await.expect("it runs").expect("the known browser goes first");
        assert!(strangers.iter().all(|it| !it.is_finished()));
        assert_eq!(known.run(|| 6 * 7).await.expect("an answer"), 42);

        // One who walks away holds up nobody.
        strangers.remove(0).abort();
        drop(known);
        for stranger in strangers {
            drop(stranger.await.expect("it runs").expect("their turn"));
        }
        door.turn(network(0), false).await.expect("all have gone");
    }

    #[actix_web::test]
    async fn what_breaks_in_one_turn_is_over_in_the_next() {
        let door = Doorkeeper::hire().expect("a thread");
        let turn = door.turn(network(1), false).await.expect("a turn");
        let broken = turn.run(|| assert_eq!(1, 2, "on purpose")).await;
        assert!(matches!(broken, Err(Error::Internal(_))));
        drop(turn);
        let turn = door.turn(network(1), false).await.expect("a turn");
        assert_eq!(turn.run(|| 1).await.expect("an answer"), 1);
    }
}
