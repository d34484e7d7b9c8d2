//! Reads Stripe's list of events once an hour and at the start, by one server at a time: an event that never
//! came as a webhook is in the list. Each goes into the same inbox, which keeps an event only once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web;
use chrono::{NaiveDateTime, TimeDelta};
use tokio::time::Instant;

use crate::db::{Database, clock};
use crate::error::Error;
use crate::payment::settings::StripeConfig;
use crate::payment::store::clocks::{self, PacedEndpoint, RECONCILED, RECONCILING};
use crate::payment::store::inbox::{self, NewEvent};
use crate::payment::stripe::StripeClient;
use crate::payment::stripe::event::EventObject;

const EVERY: Duration = Duration::from_secs(3600);
/// How long one server has for a page of it.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// Events may be listed late, and clocks differ.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// How long handled events are kept: Stripe's list goes back 30 days, so what is forgotten is never read again.
const KEPT: TimeDelta = TimeDelta::days(35);
/// How far back the first look goes: as long as Stripe sends a webhook again.
const FIRST: TimeDelta = TimeDelta::days(3);
/// The wait after a look that failed, or that another server makes.
const AGAIN: Duration = Duration::from_secs(60);

/// Reads the list, now and then.
pub struct Reconciler {
    db: Database,
    stripe: Arc<StripeClient>,
    per_second: u32,
    next: Instant,
    is_at_work: Arc<AtomicBool>,
    has_to_look_again: Arc<AtomicBool>,
}

impl Reconciler {
    #[must_use]
    pub fn new(db: Database, stripe: Arc<StripeClient>, config: &StripeConfig) -> Self {
        Self {
            db,
            stripe,
            per_second: config.per_second,
            next: Instant::now(),
            is_at_work: Arc::default(),
            has_to_look_again: Arc::default(),
        }
    }

    /// Begins a look, if it is time for one. It goes on by itself: what it finds is in the inbox.
    pub fn begin_if_due(&mut self) {
        if self.has_to_look_again.swap(false, Ordering::AcqRel) {
            self.next = Instant::now() + AGAIN;
        }
        if Instant::now() < self.next || self.is_at_work.swap(true, Ordering::AcqRel) {
            return;
        }
        self.next = Instant::now() + EVERY;
        let (db, stripe, per_second) = (self.db.clone(), Arc::clone(&self.stripe), self.per_second);
        let (is_at_work, has_to_look_again) =
            (Arc::clone(&self.is_at_work), Arc::clone(&self.has_to_look_again));
        actix_web::rt::spawn(async move {
            let read = web::block(move || read(&db, &stripe, per_second)).await;
            match read.map_err(Error::from).flatten() {
                Ok(Some(0)) => {}
                // The other server may stop before the end of the list.
                Ok(None) => has_to_look_again.store(true, Ordering::Release),
                Ok(Some(missed)) => log::warn!("{missed} Stripe events came without a webhook"),
                Err(error) => {
                    log::warn!("cannot read Stripe's events: {error}");
                    has_to_look_again.store(true, Ordering::Release);
                }
            }
            is_at_work.store(false, Ordering::Release);
        });
    }
}

/// Reads what has happened since the last look. Returns how many events were new; `None`: another server
/// reads them.
fn read(db: &Database, stripe: &StripeClient, per_second: u32) -> Result<Option<usize>, Error> {
    let begun = db.write_blocking(|db| {
        let now = clock(db)?;
        if !clocks::take_lease(db, RECONCILING, now, now + LEASE)? {
            return Ok(None);
        }
        Ok(Some((now, clocks::read(db, RECONCILED)?.unwrap_or(now - FIRST))))
    })?;
    let Some((now, last)) = begun else { return Ok(None) };
    let missed = read_since(db, stripe, per_second, last - OVERLAP);
    while db.write_blocking(|db| inbox::forget(db, now - KEPT))? > 0 {}
    // Only a list that was read to its end counts. Otherwise the next look begins where this one began.
    let is_read = missed.is_ok();
    db.write_blocking(|db| {
        if is_read {
            clocks::set(db, RECONCILED, now)?;
        }
        let over = clock(db)?;
        clocks::set(db, RECONCILING, over)
    })?;
    missed.map(Some)
}

fn read_since(
    db: &Database,
    stripe: &StripeClient,
    per_second: u32,
    since: NaiveDateTime,
) -> Result<usize, Error> {
    let since = since.and_utc().timestamp();
    let (mut after, mut missed) = (None::<String>, 0);
    loop {
        let wait = db.write_blocking(|db| {
            let now = clock(db)?;
            clocks::set(db, RECONCILING, now + LEASE)?;
            Ok(clocks::reserve(db, PacedEndpoint::List, 1, per_second, (now, TimeDelta::MAX))?.0 - now)
        })?;
        std::thread::sleep(wait.to_std().unwrap_or_default());
        let page = stripe.events(since, after.as_deref());
        let page = page.map_err(|failure| Error::Internal(failure.to_string()))?;
        after = page.data.last().map(|event| event.id.clone());
        let events: Vec<NewEvent> = page.data.iter().filter_map(EventObject::to_keep).collect();
        missed += db.write_blocking(|db| {
            let (now, mut new) = (clock(db)?, 0);
            for event in &events {
                new += usize::from(inbox::receive(db, event, now)?);
            }
            Ok(new)
        })?;
        if !page.has_more || after.is_none() {
            return Ok(missed);
        }
    }
}
