//! The desk: the one place where tickets are claimed. Pages hand an order in and get its outcome back;
//! what stands behind the desk is nobody else's business.
//!
//! One hot row can be changed once per commit, and a commit waits for the disk. So orders wait in a
//! bounded queue, and one worker books all that wait in one transaction. The queue fills by itself while
//! the disk works: a lone order waits for nobody, and a rush is carried at the speed of the machine.

mod figures;
mod letter_box;
mod order_slip;
mod sold_out;
mod vitals;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use chrono::Utc;
use prometheus_client::registry::Registry;

use self::order_slip::OrderSlip;
use self::sold_out::SoldOut;
use self::vitals::Vitals;
use self::worker::Worker;
use super::store::{self, Batch};
use super::{Booking, Order, Outcome};
use crate::db::{Database, Failure};
use crate::error::Error;
use crate::events::board::Board;
use crate::outbox::wakeup::Wakeup;
use crate::start_error::StartError;

/// The limits of the desk.
#[derive(Debug, Clone, Copy)]
pub struct DeskLimits {
    /// Orders that may wait; the next one is told that it is busy.
    pub queue_length: usize,
    /// Orders in one transaction.
    pub batch_size: usize,
    /// How long an order may wait for its turn before it is given up.
    pub deadline: Duration,
}

/// The one door to a booking.
pub struct Desk {
    queue: SyncSender<OrderSlip>,
    vitals: Arc<Vitals>,
    sold_out: Arc<SoldOut>,
    limits: DeskLimits,
}

impl Desk {
    /// Opens the desk: starts its worker, which shows on the board what it has sold, and rings for the mail
    /// to be sent.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn open(
        db: &Database,
        board: Arc<Board>,
        mail: Arc<Wakeup>,
        limits: DeskLimits,
    ) -> Result<Self, StartError> {
        let mut writer = db.writer();
        Self::with_books(limits, board, mail, move |orders| {
            writer.run(|db| store::book_batch::<true>(db, orders))
        })
    }

    /// A desk that books and queues no mail. The benchmark's measure of the outbox.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn without_mail(db: &Database, board: Arc<Board>, limits: DeskLimits) -> Result<Self, StartError> {
        log::warn!("DESK_WITHOUT_MAIL: bookings have no confirmations");
        let mut writer = db.writer();
        let books = move |orders: &[&Order]| writer.run(|db| store::book_batch::<false>(db, orders));
        Self::with_books(limits, board, Arc::default(), books)
    }

    /// A desk whose books are closed: every order goes its whole way, and nothing is written. The
    /// benchmark's measure of all but the database.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn pretend(board: Arc<Board>, limits: DeskLimits) -> Result<Self, StartError> {
        log::warn!("DESK_PRETENDS: orders are answered, and nothing is booked");
        Self::with_books(limits, board, Arc::default(), |orders| Ok(pretended(orders)))
    }

    fn with_books(
        limits: DeskLimits,
        board: Arc<Board>,
        mail: Arc<Wakeup>,
        books: impl FnMut(&[&Order]) -> Result<Batch, Failure> + Send + 'static,
    ) -> Result<Self, StartError> {
        let (queue, slips) = sync_channel(limits.queue_length);
        let vitals = Arc::<Vitals>::default();
        let sold_out = Arc::new(SoldOut::default());
        let shown = (board, Arc::clone(&sold_out), mail);
        let worker = Worker::new(Box::new(books), slips, Arc::clone(&vitals), shown, limits);
        thread::Builder::new()
            .name("desk".into())
            .spawn(move || worker.run())
            .map_err(|e| StartError::new(format!("the desk cannot start its thread: {e}")))?;
        Ok(Self { queue, vitals, sold_out, limits })
    }

    /// Books the order, and answers once that is committed.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait, when the order's turn did not come in time, or when the
    /// database stayed away; database errors. Sending the same order again, with its key, is then safe.
    pub async fn book(&self, order: impl Into<Arc<Order>>) -> Result<Outcome, Error> {
        let outcome = self.settle(order.into()).await;
        self.vitals.figures.count(&outcome);
        outcome
    }

    async fn settle(&self, order: Arc<Order>) -> Result<Outcome, Error> {
        if self.sold_out.refuses(&order) {
            return Ok(Outcome::NotEnough { left: 0 });
        }
        let (slip, mut answer) = OrderSlip::new(order, self.limits.deadline);
        let claim = slip.claim();
        self.hand_in(slip)?;
        match tokio::time::timeout(self.limits.deadline, &mut answer).await {
            Ok(outcome) => outcome.unwrap_or_else(|_| Err(worker_is_gone())),
            // Given up, unless the worker has just taken it: then it is booked or refused in a moment.
            Err(_) if claim.take() => Err(Error::Busy),
            Err(_) => answer.await.unwrap_or_else(|_| Err(worker_is_gone())),
        }
    }

    fn hand_in(&self, slip: OrderSlip) -> Result<(), Error> {
        // Counted before the worker can have taken it.
        self.vitals.note_waiting();
        self.queue.try_send(slip).map_err(|_| {
            self.vitals.note_refused();
            Error::Busy
        })
    }

    /// How many orders wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.vitals.waiting()
    }

    #[must_use]
    pub fn limits(&self) -> DeskLimits {
        self.limits
    }

    /// How much of the queue is taken: 0 to 1.
    #[must_use]
    pub fn queue_fill(&self) -> f64 {
        self.waiting() as f64 / self.limits.queue_length as f64
    }

    /// How long ago the worker was last seen to be at it. It shows itself every second, and is silent for
    /// longer only while the database does not answer it.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.vitals.pulse.age()
    }

    /// Whether the worker was seen so lately, or waits for the database.
    #[must_use]
    pub fn is_alive(&self, silence_max: Duration) -> bool {
        self.vitals.pulse.is_alive(silence_max)
    }

    /// Waits until nothing waits and nothing is being booked, for as long as an order may wait at most;
    /// whether it came to that.
    pub async fn finish(&self) -> bool {
        let finished = async {
            while !self.vitals.is_at_rest() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(self.limits.deadline, finished).await.is_ok()
    }

    /// Has the desk's figures shown.
    pub fn register(&self, registry: &mut Registry) {
        self.vitals.figures.register(registry);
    }

    /// Tickets have come back: what was known to be sold out may not be.
    pub fn restocked(&self) {
        self.sold_out.forget();
    }
}

fn pretended(orders: &[&Order]) -> Batch {
    let now = Utc::now().naive_utc();
    let booked = |order: &&Order| Outcome::Booked(Booking::of(order, 0, "USD".into(), now));
    Batch { outcomes: orders.iter().map(booked).collect(), ..Batch::default() }
}

fn worker_is_gone() -> Error {
    Error::Internal("the desk's worker has dropped an order".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::buyer::Buyer;

    #[actix_web::test]
    async fn a_panic_costs_the_desk_one_batch_only() {
        let limits = DeskLimits { queue_length: 10, batch_size: 10, deadline: Duration::from_secs(5) };
        let mut is_first = true;
        let books = move |orders: &[&Order]| {
            assert!(!std::mem::take(&mut is_first), "the first batch goes wrong");
            Ok(pretended(orders))
        };
        let desk = Desk::with_books(limits, Arc::default(), Arc::default(), books).unwrap();
        let buyer = Buyer { name: "Ada".into(), email: "ada@example.org".into() };
        let order = Order { ticket_type_id: 1, quantity: 1, buyer, request_key: "a key".into() };
        assert!(matches!(desk.book(order.clone()).await, Err(Error::Internal(_))));
        assert!(matches!(desk.book(order).await, Ok(Outcome::Booked(_))));
    }
}
