//! The SQL of the organizer's pages. This file resets the sale of the seed's concert.
//!
//! The SQL of what a feature does by itself does not belong here: it is in the feature's store.

pub mod export;
pub mod history;
pub mod ledger;
pub mod listing;
pub mod losses;
pub mod payments;
pub mod setup;
pub mod terms;

use diesel::prelude::*;

use crate::audit::{self, Action, Actor};
use crate::booking::search;
use crate::db::Db;
use crate::events;
use crate::events::seed::Seed;
pub use crate::events::store::clock;
use crate::outbox;
use crate::queue;
use crate::schema::{bookings, events as events_table, holds, ticket_types};
use crate::{payment, tickets};

/// Locks the ticket types of a concert in the order of their ids, as the desks do, so that there is no
/// deadlock. A booking of one of them has either committed, or waits for the lock. SQLite's write
/// transactions are alone anyway.
fn lock_ticket_types(db: &mut Db, slug: &str) -> QueryResult<()> {
    if let Db::Postgres(pg) = db {
        let of_event = events_table::table.filter(events_table::slug.eq(slug)).select(events_table::id);
        ticket_types::table
            .filter(ticket_types::event_id.eq_any(of_event))
            .order(ticket_types::id)
            .select(ticket_types::id)
            .for_no_key_update()
            .load::<i64>(pg)?;
    }
    Ok(())
}

/// Deletes the bookings of the seed's concert and puts it on sale again. Returns how many there were.
/// Runs inside the caller's transaction.
pub fn reseed(db: &mut Db, seed: &Seed, actor: &Actor) -> QueryResult<usize> {
    lock_ticket_types(db, seed.slug)?;
    outbox::store::batches::hold(db)?;
    // Ticket types, then holds, then bookings: a confirmation locks no ticket type, so it is waited for here.
    let of_event = bookings::table.filter(
        bookings::event_id
            .eq_any(events_table::table.filter(events_table::slug.eq(seed.slug)).select(events_table::id)),
    );
    diesel::delete(holds::table.filter(holds::booking_id.eq_any(of_event.select(bookings::id))))
        .execute(db)?;
    search::store::forget(db, seed.slug)?;
    payment::store::reset::forget_test_payments(db, seed.slug)?;
    let deleted = diesel::delete(of_event).execute(db)?;
    tickets::store::forget_scans(db, seed.slug)?;
    queue::store::restart(db, seed.slug)?;
    events::store::plant(db, seed)?;
    audit::store::record(db, actor, Action::Reseeded, seed.name, deleted)?;
    Ok(deleted)
}
