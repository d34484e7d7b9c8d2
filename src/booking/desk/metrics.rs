//! The desk's metrics: how many orders wait, whether the worker is alive, and how orders ended.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::booking::BookingOutcome;
use crate::error::Error;
use crate::heartbeat::Heartbeat;

type Label = [(&'static str, &'static str); 1];

/// Powers of two up to [`BATCH_SIZE`](super::BATCH_SIZE).
const BATCH_ORDERS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// From a disk with a write cache to a wait for a database lock.
const COMMIT_SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The values of the label `outcome`, as [`outcome_label`] returns them.
const OUTCOME_LABELS: [&str; 10] = [
    "booked",
    "replayed",
    "not_enough",
    "over_person_limit",
    "not_on_sale",
    "other_total",
    "key_reused",
    "unknown_ticket_type",
    "busy",
    "failed",
];

/// The state of the queue and the worker, and the counters that Prometheus reads.
#[derive(Debug)]
pub(super) struct DeskMetrics {
    /// Orders in the queue.
    waiting: AtomicUsize,
    /// True from the first order of a batch until its last reply.
    is_at_work: AtomicBool,
    /// The worker beats it.
    pub(super) heartbeat: Heartbeat,
    bookings: Family<Label, Counter>,
    batch_orders: Histogram,
    commit_seconds: Histogram,
    retries: Counter,
}

impl Default for DeskMetrics {
    fn default() -> Self {
        let bookings = Family::<Label, Counter>::default();
        // Export every outcome as 0: `increase()` misses the first increment of a new series.
        for label in OUTCOME_LABELS {
            drop(bookings.get_or_create(&[("outcome", label)]));
        }
        Self {
            waiting: AtomicUsize::default(),
            is_at_work: AtomicBool::default(),
            heartbeat: Heartbeat::default(),
            bookings,
            batch_orders: Histogram::new(BATCH_ORDERS),
            commit_seconds: Histogram::new(COMMIT_SECONDS),
            retries: Counter::default(),
        }
    }
}

impl DeskMetrics {
    /// An order is about to enter the queue.
    pub(super) fn note_waiting(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// The order did not enter: the queue is full.
    pub(super) fn note_rejected(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// The worker has taken an order out of the queue.
    pub(super) fn note_taken(&self) {
        // Set first, so that no reader sees the order neither waiting nor at work.
        self.is_at_work.store(true, Ordering::Release);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// The worker has answered every order that it took, and looks for more.
    pub(super) fn note_idle(&self) {
        self.is_at_work.store(false, Ordering::Release);
        self.heartbeat.beat();
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Whether no order waits and none is being booked.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting() == 0 && !self.is_at_work.load(Ordering::Acquire)
    }

    /// Counts how an order ended.
    pub(super) fn count(&self, outcome: &Result<BookingOutcome, Error>) {
        self.bookings.get_or_create(&[("outcome", outcome_label(outcome))]).inc();
    }

    /// Counts a committed batch.
    pub(super) fn note_batch(&self, orders: usize, took: Duration) {
        self.batch_orders.observe(orders as f64);
        self.commit_seconds.observe(took.as_secs_f64());
    }

    /// Counts a batch that is tried again.
    pub(super) fn note_retry(&self) {
        self.retries.inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("bookings", "Orders by outcome", self.bookings.clone());
        let batches = self.batch_orders.clone();
        registry.register("desk_batch_orders", "Orders per committed batch", batches);
        let help = "Time to commit a batch";
        let commits = self.commit_seconds.clone();
        registry.register_with_unit("desk_commit", help, Unit::Seconds, commits);
        let help = "Batches retried because the database was unreachable or locked";
        registry.register("desk_retries", help, self.retries.clone());
    }
}

fn outcome_label(outcome: &Result<BookingOutcome, Error>) -> &'static str {
    match outcome {
        Ok(BookingOutcome::Booked(_)) => "booked",
        Ok(BookingOutcome::Replayed(_)) => "replayed",
        Ok(BookingOutcome::NotEnough { .. }) => "not_enough",
        Ok(BookingOutcome::OverPersonLimit { .. }) => "over_person_limit",
        Ok(BookingOutcome::NotOnSale { .. }) => "not_on_sale",
        Ok(BookingOutcome::OtherTotal { .. }) => "other_total",
        Ok(BookingOutcome::KeyReused(_)) => "key_reused",
        Ok(BookingOutcome::UnknownTicketType) => "unknown_ticket_type",
        Err(Error::Busy | Error::OutcomeUnknown) => "busy",
        Err(_) => "failed",
    }
}
