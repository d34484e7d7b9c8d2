//! The desk claims tickets for orders. Handlers hand in an order and get its outcome.
//!
//! One hot row can be changed once per commit, and a commit waits for the disk. So orders wait in a bounded
//! queue, and one worker books everything that waits in one transaction. The queue fills while the disk
//! works: a lone order never waits for others, and a rush is booked in large batches.
//!
//! SQL does not belong here ([`super::store`] books the batch), and neither does HTTP.

mod locked_types;
mod metrics;
mod replies;
mod sold_out;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use tokio::sync::oneshot;

use self::metrics::DeskMetrics;
use self::replies::{Replies, Reply, ReplyThread};
use self::sold_out::SoldOut;
use self::worker::{BookingStore, DatabaseStore, Worker};
use super::store::Batch;
use super::{BookingOutcome, Order};
use crate::db::{Database, Failure};
use crate::error::Error;
use crate::events::board::Board;
use crate::outbox::wakeup::Wakeup;
use crate::start_error::StartError;

/// Most orders in one transaction.
pub const BATCH_SIZE: usize = 512;

/// The limits of the desk.
#[derive(Debug, Clone, Copy)]
pub struct DeskLimits {
    /// Orders that may wait; further ones get "busy".
    pub queue_length: usize,
    /// Orders in one transaction.
    pub batch_size: usize,
    /// How long an order may wait before it is given up.
    pub deadline: Duration,
}

/// Takes orders and books them in batches.
pub struct Desk {
    queue: SyncSender<QueuedOrder>,
    metrics: Arc<DeskMetrics>,
    sold_out: Arc<SoldOut>,
    limits: DeskLimits,
}

impl Desk {
    /// Opens the desk: starts its worker, which updates the board after each batch and wakes the outbox.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn open(
        db: &Database,
        board: Arc<Board>,
        outbox_wakeup: Arc<Wakeup>,
        limits: DeskLimits,
    ) -> Result<Self, StartError> {
        Self::start(limits, board, outbox_wakeup, Box::new(DatabaseStore(db.writer())))
    }

    /// Opens a desk that books with `book_batch`: for benchmarks, of a server without a database for example.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn with_store(
        limits: DeskLimits,
        board: Arc<Board>,
        outbox_wakeup: Arc<Wakeup>,
        book_batch: impl FnMut(&[&Order]) -> Result<Batch, Failure> + Send + 'static,
    ) -> Result<Self, StartError> {
        Self::start(limits, board, outbox_wakeup, Box::new(book_batch))
    }

    fn start(
        limits: DeskLimits,
        board: Arc<Board>,
        outbox_wakeup: Arc<Wakeup>,
        store: Box<dyn BookingStore>,
    ) -> Result<Self, StartError> {
        let (queue, queued) = sync_channel(limits.queue_length);
        let metrics = Arc::<DeskMetrics>::default();
        let sold_out = Arc::new(SoldOut::default());
        let informed = (board, Arc::clone(&sold_out), outbox_wakeup);
        let worker = Worker::new(store, queued, Arc::clone(&metrics), informed, limits);
        thread::Builder::new()
            .name("desk".into())
            .spawn(move || worker.run())
            .map_err(|e| StartError::new(format!("cannot start the desk's thread: {e}")))?;
        Ok(Self { queue, metrics, sold_out, limits })
    }

    /// Books the order, and returns once that is committed.
    ///
    /// # Errors
    /// [`Error::Busy`] when the queue is full, the deadline has passed, the database stayed unreachable, or
    /// somebody keeps a ticket type locked; [`Error::OutcomeUnknown`] when the connection was lost after the
    /// order had been sent; database errors. Sending the same order again, with its key, is then safe.
    pub async fn book(&self, order: impl Into<Arc<Order>>) -> Result<BookingOutcome, Error> {
        let outcome = self.settle(order.into()).await;
        self.metrics.count(&outcome);
        outcome
    }

    async fn settle(&self, order: Arc<Order>) -> Result<BookingOutcome, Error> {
        if self.sold_out.rejects(&order) {
            return Ok(BookingOutcome::NotEnough { left: vec![0; order.lines().len()] });
        }
        let (queued, mut reply) = QueuedOrder::new(order, self.limits.deadline);
        let decision = queued.decision();
        self.enqueue(queued)?;
        match tokio::time::timeout(self.limits.deadline, &mut reply).await {
            Ok(outcome) => outcome.unwrap_or_else(|_| Err(order_dropped())),
            // Given up, unless the worker has just taken it: then its outcome comes in a moment.
            Err(_) if decision.take() => Err(Error::Busy),
            Err(_) => reply.await.unwrap_or_else(|_| Err(order_dropped())),
        }
    }

    fn enqueue(&self, queued: QueuedOrder) -> Result<(), Error> {
        // Counted before the worker can take it.
        self.metrics.note_waiting();
        self.queue.try_send(queued).map_err(|_| {
            self.metrics.note_rejected();
            Error::Busy
        })
    }

    /// How many orders wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.metrics.waiting()
    }

    #[must_use]
    pub fn limits(&self) -> DeskLimits {
        self.limits
    }

    /// How full the queue is, from 0 to 1.
    #[must_use]
    pub fn queue_fill(&self) -> f64 {
        self.waiting() as f64 / self.limits.queue_length as f64
    }

    /// Time since the worker's last heartbeat. It beats every second, except while it waits for the
    /// database.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.metrics.heartbeat.age()
    }

    /// Whether the worker's heartbeat is recent enough, or the worker waits for the database.
    #[must_use]
    pub fn is_alive(&self, silence_max: Duration) -> bool {
        self.metrics.heartbeat.is_alive(silence_max)
    }

    /// Waits until no order waits and none is being booked, at most for one deadline; returns whether that
    /// was reached.
    pub async fn finish(&self) -> bool {
        let finished = async {
            while !self.metrics.is_idle() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(self.limits.deadline, finished).await.is_ok()
    }

    pub fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry);
    }

    /// Forgets which ticket types were sold out, because tickets may have come back.
    pub fn restocked(&self) {
        self.sold_out.forget();
    }
}

/// An order, its deadline, and where its reply goes.
struct QueuedOrder {
    order: Arc<Order>,
    deadline: Instant,
    decision: OrderDecision,
    reply_to: oneshot::Sender<Result<BookingOutcome, Error>>,
    thread: ReplyThread,
}

/// Decides who ends an order: the worker by booking it, or the handler by giving up. The first to take it
/// wins, so an order whose buyer was told "busy" is never booked afterward.
#[derive(Clone, Default)]
struct OrderDecision(Arc<AtomicBool>);

impl OrderDecision {
    /// Whether the caller is the first.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl QueuedOrder {
    fn new(
        order: Arc<Order>,
        wait_max: Duration,
    ) -> (Self, oneshot::Receiver<Result<BookingOutcome, Error>>) {
        let (reply_to, receiver) = oneshot::channel();
        let deadline = Instant::now() + wait_max;
        let (decision, thread) = (OrderDecision::default(), ReplyThread::current());
        (Self { order, deadline, decision, reply_to, thread }, receiver)
    }

    fn decision(&self) -> OrderDecision {
        self.decision.clone()
    }

    /// Whether the worker may book it: its handler still waits, and has not given up.
    fn is_wanted(&self) -> bool {
        !self.reply_to.is_closed() && self.decision.take()
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Adds the reply to those that are sent when the batch is done.
    fn reply(self, outcome: Result<BookingOutcome, Error>, replies: &mut Replies) {
        replies.add(self.thread, Reply { to: self.reply_to, outcome });
    }
}

fn order_dropped() -> Error {
    Error::Internal("the desk's worker dropped an order".into())
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::booking::buyer::Buyer;

    fn pretended(orders: &[&Order]) -> Batch {
        let now = Utc::now().naive_utc();
        let booked = |order: &&Order| {
            let codes = (String::new(), String::new());
            BookingOutcome::Booked(order.to_booking((1, 1, "USD".into()), Vec::new(), now, codes))
        };
        Batch { outcomes: orders.iter().map(booked).collect(), ..Batch::default() }
    }

    #[actix_web::test]
    async fn a_panic_costs_the_desk_one_batch_only() {
        let limits = DeskLimits { queue_length: 10, batch_size: 10, deadline: Duration::from_secs(5) };
        let mut is_first = true;
        let book_batch = move |orders: &[&Order]| {
            assert!(!std::mem::take(&mut is_first), "the first batch panics");
            Ok(pretended(orders))
        };
        let desk = Desk::with_store(limits, Arc::default(), Arc::default(), book_batch).unwrap();
        assert!(matches!(desk.book(order()).await, Err(Error::Internal(_))));
        assert!(matches!(desk.book(order()).await, Ok(BookingOutcome::Booked(_))));
    }

    fn order() -> Order {
        Order::of_one_type(1, 1, Buyer::with_email("Ada", "ada@example.org"), "a key".into())
    }

    #[actix_web::test]
    async fn an_order_that_may_have_been_booked_is_not_called_refused() {
        // Long enough for one attempt on a busy machine.
        let limits = DeskLimits { queue_length: 10, batch_size: 10, deadline: Duration::from_secs(1) };
        let open = |failure: fn(String) -> Failure| {
            let book_batch = move |_: &[&Order]| Err(failure("away".into()));
            Desk::with_store(limits, Arc::default(), Arc::default(), book_batch).unwrap()
        };
        assert!(matches!(open(Failure::Passing).book(order()).await, Err(Error::Busy)));
        assert!(matches!(open(Failure::Unknown).book(order()).await, Err(Error::OutcomeUnknown)));
    }
}
