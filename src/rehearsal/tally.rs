//! What is measured while a rehearsal runs.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::money::grouped;

/// What a buyer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BuyerStep {
    Page,
    Place,
    Poll,
    Form,
    Booking,
}

/// How it ends for a buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuyerEnd {
    Booked(u32),
    /// Was told that nothing is left.
    SoldOut,
    /// Met errors until the last attempt.
    GaveUp,
}

/// The load of the server, sampled once a second.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Strain {
    /// How full the desk's queue is: 0 to 1.
    pub queue_fill: f64,
    pub under_stress: bool,
    /// The waiting room serves as many people as it may.
    pub at_room_limit: bool,
}

/// What was measured. Times are in microseconds.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub came: u32,
    pub booked: u32,
    pub tickets: u32,
    pub sold_out: u32,
    pub gave_up: u32,
    /// Every attempt, answered or not.
    pub requests: u32,
    pub times: BTreeMap<BuyerStep, Vec<u32>>,
    pub errors: BTreeMap<String, u32>,
    /// Bookings by second of the sale.
    pub by_second: BTreeMap<u64, u32>,
    pub last_booking: Option<Instant>,
    pub strain: Vec<Strain>,
    /// How late a timer on the buyers' own thread fired at worst, in milliseconds. A late timer means that
    /// the thread is overloaded.
    pub own_lag_ms: u32,
}

/// What the buyers' thread and the server have counted so far.
#[derive(Debug)]
pub(super) struct Tally {
    counts: Mutex<Counts>,
    starts: Instant,
}

impl Tally {
    /// `starts`: when the sale starts.
    pub(super) fn new(starts: Instant) -> Self {
        Self { counts: Mutex::default(), starts }
    }

    pub(super) fn came(&self) {
        self.counts.lock().came += 1;
    }

    /// A request is sent. It may fail, or take its time.
    pub(super) fn sent(&self) {
        self.counts.lock().requests += 1;
    }

    pub(super) fn took(&self, step: BuyerStep, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        self.counts.lock().times.entry(step).or_default().push(micros);
    }

    pub(super) fn failed(&self, step: BuyerStep, what: &str) {
        *self.counts.lock().errors.entry(format!("{step:?}: {what}")).or_default() += 1;
    }

    pub(super) fn ended(&self, end: BuyerEnd) {
        let now = Instant::now();
        let mut counts = self.counts.lock();
        match end {
            BuyerEnd::Booked(tickets) => {
                counts.booked += 1;
                counts.tickets += tickets;
                let second = now.saturating_duration_since(self.starts).as_secs();
                *counts.by_second.entry(second).or_default() += 1;
                counts.last_booking = Some(now);
            }
            BuyerEnd::SoldOut => counts.sold_out += 1,
            BuyerEnd::GaveUp => counts.gave_up += 1,
        }
    }

    pub(super) fn note_strain(&self, strain: Strain) {
        self.counts.lock().strain.push(strain);
    }

    pub(super) fn note_own_lag(&self, lag: Duration) {
        let mut counts = self.counts.lock();
        let lag = u32::try_from(lag.as_millis()).unwrap_or(u32::MAX);
        counts.own_lag_ms = counts.own_lag_ms.max(lag);
    }

    /// How far it is, in words.
    pub(super) fn progress(&self, buyers: u32) -> String {
        let counts = self.counts.lock();
        let waits = counts.came - counts.booked - counts.sold_out - counts.gave_up;
        let state = if Instant::now() < self.starts { "Before the sale" } else { "On sale" };
        format!(
            "{state}: {} of {} buyers have come, {} wait, {} have booked {} tickets.",
            grouped(counts.came),
            grouped(buyers),
            grouped(waits),
            grouped(counts.booked),
            grouped(counts.tickets)
        )
    }

    pub(super) fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts.lock())
    }
}
