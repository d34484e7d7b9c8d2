//! When the bookings of a concert are counted. Concerts with many bookings are counted in the background, one
//! after the other, each at most once a minute, however many people look, on however many servers. Nobody
//! waits for a count: the page shows the previous one, and when it was made. A count may lag, so it reads
//! from a replica if there is one.

use std::sync::Arc;

use actix_web::rt;
use chrono::NaiveDateTime;
use parking_lot::Mutex;

use super::remembered::RememberedCounts;
use super::{Sales, store};
use crate::db::Database;
use crate::error::Error;

/// Counts for everybody who looks.
#[derive(Clone, Default)]
pub struct SalesCounter {
    /// The concerts that are still to be counted; `None`: nobody counts.
    queue: Arc<Mutex<Option<Vec<i64>>>>,
    /// The counts of concerts with few bookings.
    pub remembered: RememberedCounts,
}

impl SalesCounter {
    /// Starts to count, in the background, those of the concerts whose count is due. `sales`: as they were
    /// read. `now`: UTC.
    pub fn count_behind(&self, db: &Database, sales: &[Sales], now: NaiveDateTime) {
        let due = sales.iter().filter(|it| it.is_count_due(now));
        let due: Vec<i64> = due.map(|it| it.event.id).collect();
        if due.is_empty() {
            return;
        }
        let mut queue = self.queue.lock();
        if let Some(queue) = queue.as_mut() {
            queue.extend(due.into_iter().filter(|id| !queue.contains(id)).collect::<Vec<_>>());
            return;
        }
        *queue = Some(due);
        drop(queue);
        let (mut turn, db) = (CountingTurn::new(self), db.clone());
        rt::spawn(async move {
            while let Some(id) = turn.next() {
                if let Err(error) = count(&db, id).await {
                    log::warn!("the bookings of concert {id} could not be counted: {error}");
                }
            }
        });
    }
}

/// The right to count. If its task is dropped before the last concert, by a panic or with its thread, the next who
/// looks starts again.
struct CountingTurn {
    queue: Arc<Mutex<Option<Vec<i64>>>>,
    is_over: bool,
}

impl CountingTurn {
    fn new(counter: &SalesCounter) -> Self {
        Self { queue: Arc::clone(&counter.queue), is_over: false }
    }

    /// The next concert to count. After the last one nobody counts.
    fn next(&mut self) -> Option<i64> {
        let mut queue = self.queue.lock();
        let next = queue.as_mut().and_then(Vec::pop);
        if next.is_none() {
            *queue = None;
            self.is_over = true;
        }
        next
    }
}

impl Drop for CountingTurn {
    fn drop(&mut self) {
        if !self.is_over {
            *self.queue.lock() = None;
        }
    }
}

async fn count(db: &Database, event_id: i64) -> Result<(), Error> {
    if !db.read_primary(move |db| store::is_due(db, event_id)).await? {
        return Ok(());
    }
    let counted = db.read(move |db| store::count_again(db, event_id)).await?;
    db.write(move |db| store::keep(db, event_id, &counted)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(concerts: &[i64]) -> (SalesCounter, CountingTurn) {
        let counter = SalesCounter::default();
        *counter.queue.lock() = Some(concerts.to_vec());
        let turn = CountingTurn::new(&counter);
        (counter, turn)
    }

    #[test]
    fn a_turn_that_breaks_off_lets_others_count() {
        let (counter, mut turn) = begun(&[1, 2]);
        assert_eq!(turn.next(), Some(2));
        drop(turn);
        assert_eq!(*counter.queue.lock(), None);
    }

    #[test]
    fn a_turn_that_is_over_does_not_end_that_of_another() {
        let (counter, mut turn) = begun(&[1]);
        assert_eq!([turn.next(), turn.next()], [Some(1), None]);
        let others = Some(vec![3]);
        (*counter.queue.lock()).clone_from(&others);
        drop(turn);
        assert_eq!(*counter.queue.lock(), others);
    }
}
