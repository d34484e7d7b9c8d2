use std::collections::HashMap;

use chrono::{NaiveDateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::{BookingLine, MailState, Sales, TierSales};
use crate::booking::Booking;
use crate::booking::cancellation::{self, Canceller, Outcome};
use crate::db::{Db, take_turn_to_fill};
use crate::events::seed::Seed;
use crate::events::{self, Event};
use crate::mail::{Kind, State};
use crate::schema::{
    admin_sessions, admins, audit_log, bookings, events as events_table, mails, ticket_types,
};

/// The id and the password hash of an account.
///
/// # Errors
/// What the database said.
pub fn find_admin(db: &mut Db, username: &str) -> QueryResult<Option<(i64, String)>> {
    admins::table
        .filter(admins::username.eq(username))
        .select((admins::id, admins::password_hash))
        .first(db)
        .optional()
}

/// Adds the account unless there is one; says whether it did.
///
/// # Errors
/// What the database said.
pub fn insert_admin(db: &mut Db, username: &str, password_hash: &str) -> QueryResult<bool> {
    take_turn_to_fill(db)?;
    if find_admin(db, username)?.is_some() {
        return Ok(false);
    }
    diesel::insert_into(admins::table)
        .values((
            admins::username.eq(username),
            admins::password_hash.eq(password_hash),
            admins::created_at.eq(Utc::now().naive_utc()),
        ))
        .execute(db)?;
    Ok(true)
}

/// Gives the account a new password, adding it when there is none, and signs it out everywhere.
///
/// # Errors
/// What the database said.
pub fn set_password(db: &mut Db, username: &str, password_hash: &str) -> QueryResult<()> {
    if insert_admin(db, username, password_hash)? {
        return Ok(());
    }
    let account = admins::table.filter(admins::username.eq(username));
    let id: i64 = diesel::update(account)
        .set(admins::password_hash.eq(password_hash))
        .returning(admins::id)
        .get_result(db)?;
    diesel::delete(admin_sessions::table.filter(admin_sessions::admin_id.eq(id))).execute(db)?;
    record(db, username, "password changed", username, 1)
}

/// Adds a session, and removes those that are over.
///
/// # Errors
/// What the database said.
pub fn insert_session(
    db: &mut Db,
    token_hash: &str,
    admin_id: i64,
    now: NaiveDateTime,
    expires_at: NaiveDateTime,
) -> QueryResult<()> {
    diesel::delete(admin_sessions::table.filter(admin_sessions::expires_at.le(now))).execute(db)?;
    diesel::insert_into(admin_sessions::table)
        .values((
            admin_sessions::token_hash.eq(token_hash),
            admin_sessions::admin_id.eq(admin_id),
            admin_sessions::created_at.eq(now),
            admin_sessions::expires_at.eq(expires_at),
        ))
        .execute(db)?;
    Ok(())
}

/// Whose session it is, if it is still good.
///
/// # Errors
/// What the database said.
pub fn find_session(db: &mut Db, token_hash: &str, now: NaiveDateTime) -> QueryResult<Option<String>> {
    admin_sessions::table
        .inner_join(admins::table)
        .filter(admin_sessions::token_hash.eq(token_hash))
        .filter(admin_sessions::expires_at.gt(now))
        .select(admins::username)
        .first(db)
        .optional()
}

/// Ends a session.
///
/// # Errors
/// What the database said.
pub fn delete_session(db: &mut Db, token_hash: &str) -> QueryResult<()> {
    diesel::delete(admin_sessions::table.find(token_hash)).execute(db)?;
    Ok(())
}

/// The sale of every concert, the next one first.
///
/// # Errors
/// What the database said.
pub fn sales(db: &mut Db) -> QueryResult<Vec<Sales>> {
    let events = events::store::list(db)?;
    events.into_iter().map(|event| sales_of(db, event)).collect()
}

/// The sale of one concert.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn sales_by_slug(db: &mut Db, slug: &str) -> QueryResult<Sales> {
    let event = events::store::find_by_slug(db, slug)?;
    sales_of(db, event)
}

fn sales_of(db: &mut Db, event: Event) -> QueryResult<Sales> {
    // PostgreSQL sums BIGINT into NUMERIC; cast back, both databases give one type.
    let sums: Vec<(i64, i64, i64, i64)> = bookings::table
        .inner_join(ticket_types::table)
        .filter(ticket_types::event_id.eq(event.id))
        .filter(bookings::status.eq("confirmed"))
        .group_by(bookings::ticket_type_id)
        .select((
            bookings::ticket_type_id,
            sql::<BigInt>("COUNT(*)"),
            sql::<BigInt>("CAST(SUM(bookings.quantity) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(bookings.total_cents) AS BIGINT)"),
        ))
        .load(db)?;
    let booking_count = sums.iter().map(|(_, count, ..)| count).sum();
    let by_tier: HashMap<i64, (i64, i64)> =
        sums.into_iter().map(|(id, _, sold, revenue)| (id, (sold, revenue))).collect();
    let tiers = events::store::ticket_types(db, event.id)?;
    let tiers = tiers.into_iter().map(|ticket_type| {
        let (sold, revenue_cents) = by_tier.get(&ticket_type.id).copied().unwrap_or_default();
        TierSales { ticket_type, sold, revenue_cents }
    });
    Ok(Sales { event, tiers: tiers.collect(), booking_count })
}

/// The newest bookings, at most `limit`, and how their confirmations fare.
///
/// # Errors
/// What the database said.
pub fn latest_bookings(db: &mut Db, limit: i64) -> QueryResult<Vec<BookingLine>> {
    let of_booking = mails::booking_id.eq(bookings::id.nullable());
    let confirmations = mails::table.on(of_booking.and(mails::kind.eq(Kind::Confirmation.as_str())));
    let rows = bookings::table
        .inner_join(ticket_types::table.inner_join(events_table::table))
        .left_join(confirmations)
        .order((bookings::created_at.desc(), bookings::id.desc()))
        .limit(limit)
        .select((
            Booking::as_select(),
            ticket_types::name,
            events_table::time_zone,
            mails::state.nullable(),
            mails::last_error.nullable(),
        ))
        .load(db)?;
    let with_mail = |(booking, ticket_type, time_zone, state, last_error): RowWithMail| {
        let mail = state.map(|state| MailState { state: State::parse(&state), last_error });
        BookingLine { mail, ..line((booking, ticket_type, time_zone)) }
    };
    Ok(rows.into_iter().map(with_mail).collect())
}

/// Every booking of a concert, the oldest first.
///
/// # Errors
/// What the database said.
pub fn bookings_of_event(db: &mut Db, slug: &str) -> QueryResult<Vec<BookingLine>> {
    let rows = bookings::table
        .inner_join(ticket_types::table.inner_join(events_table::table))
        .filter(events_table::slug.eq(slug))
        .order(bookings::id)
        .select((Booking::as_select(), ticket_types::name, events_table::time_zone))
        .load(db)?;
    Ok(rows.into_iter().map(line).collect())
}

/// A booking, the name of its tier, and the venue's zone.
type Row = (Booking, String, String);
/// The same, and the state and the error of the confirmation.
type RowWithMail = (Booking, String, String, Option<String>, Option<String>);

fn line((booking, ticket_type, time_zone): Row) -> BookingLine {
    BookingLine {
        total: booking.total(),
        unit_price: booking.unit_price(),
        reference: booking.reference,
        ticket_type,
        quantity: booking.quantity,
        buyer_name: booking.buyer_name,
        buyer_email: booking.buyer_email,
        status: booking.status,
        mail: None,
        created_at: booking.created_at,
        time_zone,
    }
}

/// Cancels a booking for the organiser. Runs inside the caller's transaction.
///
/// # Errors
/// `NotFound`, or what the database said.
pub fn cancel_booking(db: &mut Db, reference: String, actor: &str) -> QueryResult<Outcome> {
    let outcome = cancellation::store::cancel(db, &Canceller::Organiser { reference })?;
    if let Outcome::Cancelled { booking, .. } = &outcome {
        record(db, actor, "cancelled", &booking.reference, booking.quantity.into())?;
    }
    Ok(outcome)
}

/// Deletes the bookings of the seed's concert and puts it on sale afresh; returns how many there were.
/// Runs inside the caller's transaction.
///
/// # Errors
/// What the database said.
pub fn reseed(db: &mut Db, seed: &Seed, actor: &str) -> QueryResult<usize> {
    let tiers: Vec<i64> = ticket_types::table
        .inner_join(events_table::table)
        .filter(events_table::slug.eq(seed.slug))
        .order(ticket_types::id)
        .select(ticket_types::id)
        .load(db)?;
    // First of all the tiers' rows are locked: a booking that claims one of them has committed before and
    // is deleted below, or waits here and books from the new stock. One by one in the order of ids, as the
    // desks lock them, so that nobody waits in a circle.
    for id in &tiers {
        diesel::update(ticket_types::table.find(id))
            .set(ticket_types::version.eq(ticket_types::version + 1))
            .execute(db)?;
    }
    let deleted =
        diesel::delete(bookings::table.filter(bookings::ticket_type_id.eq_any(tiers))).execute(db)?;
    events::store::plant(db, seed)?;
    record(db, actor, "reseeded", seed.name, i64::try_from(deleted).unwrap_or(i64::MAX))?;
    Ok(deleted)
}

/// Writes a line of the audit log, in the caller's transaction: who did what to how many.
///
/// # Errors
/// What the database said.
pub(crate) fn record(
    db: &mut Db,
    actor: &str,
    action: &str,
    subject: &str,
    affected: i64,
) -> QueryResult<()> {
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::actor.eq(actor),
            audit_log::action.eq(action),
            audit_log::subject.eq(subject),
            audit_log::affected.eq(affected),
            audit_log::created_at.eq(Utc::now().naive_utc()),
        ))
        .execute(db)?;
    Ok(())
}
