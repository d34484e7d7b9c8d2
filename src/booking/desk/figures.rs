//! What the desk has done, counted for whoever watches the server.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::booking::Outcome;
use crate::error::Error;

type Label = [(&'static str, &'static str); 1];

/// Up to the largest batch that may be set, each twice the one before; the default is among them.
const BATCH_ORDERS: [f64; 12] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0];
/// From a disk that answers from its cache to a lock that is waited for.
const COMMIT_SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// What [`name`] says.
const NAMES: [&str; 8] = [
    "booked",
    "replayed",
    "not_enough",
    "over_person_limit",
    "key_reused",
    "unknown_ticket_type",
    "busy",
    "failed",
];

#[derive(Debug)]
pub(super) struct Figures {
    bookings: Family<Label, Counter>,
    batch_orders: Histogram,
    commit_seconds: Histogram,
    retries: Counter,
}

impl Default for Figures {
    fn default() -> Self {
        let bookings = Family::<Label, Counter>::default();
        // Told from the start: what begins with its first 1 has never grown, for whoever asks by how much.
        for name in NAMES {
            drop(bookings.get_or_create(&[("outcome", name)]));
        }
        Self {
            bookings,
            batch_orders: Histogram::new(BATCH_ORDERS),
            commit_seconds: Histogram::new(COMMIT_SECONDS),
            retries: Counter::default(),
        }
    }
}

impl Figures {
    /// Counts how an order has ended.
    pub(super) fn count(&self, outcome: &Result<Outcome, Error>) {
        self.bookings.get_or_create(&[("outcome", name(outcome))]).inc();
    }

    /// Counts a batch that is committed.
    pub(super) fn note_batch(&self, orders: usize, took: Duration) {
        self.batch_orders.observe(orders as f64);
        self.commit_seconds.observe(took.as_secs_f64());
    }

    /// Counts a batch that is tried again.
    pub(super) fn note_retry(&self) {
        self.retries.inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("bookings", "Orders by how they ended", self.bookings.clone());
        let batches = self.batch_orders.clone();
        registry.register("desk_batch_orders", "Orders in a batch that was committed", batches);
        let help = "From the handing over of a batch to its commit";
        let commits = self.commit_seconds.clone();
        registry.register_with_unit("desk_commit", help, Unit::Seconds, commits);
        let help = "Batches tried again because the database was away or somebody was in the way";
        registry.register("desk_retries", help, self.retries.clone());
    }
}

fn name(outcome: &Result<Outcome, Error>) -> &'static str {
    match outcome {
        Ok(Outcome::Booked(_)) => "booked",
        Ok(Outcome::Replayed(_)) => "replayed",
        Ok(Outcome::NotEnough { .. }) => "not_enough",
        Ok(Outcome::OverPersonLimit { .. }) => "over_person_limit",
        Ok(Outcome::KeyReused(_)) => "key_reused",
        Ok(Outcome::UnknownTicketType) => "unknown_ticket_type",
        Err(Error::Busy) => "busy",
        Err(_) => "failed",
    }
}
