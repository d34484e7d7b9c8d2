//! The SQL of what a reset throws away. It is counted on the spot: the sales' own counts may be a minute old.

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::admin::reseed::Losses;
use crate::booking::BookingStatus;
use crate::db::Db;
use crate::events::editing;
use crate::events::store::KEPT_TICKETS;
use crate::money::Money;
use crate::payment::store::reset::has_real_payments;
use crate::schema::{booking_lines, bookings, scans};

/// What the tickets that were not given back cost.
const KEPT_MINOR: &str =
    "CAST(SUM((booking_lines.quantity - booking_lines.returned) * booking_lines.unit_price_minor) AS BIGINT)";

/// Counts what a reset of a concert's sale throws away.
///
/// # Errors
/// `NotFound`, or a database error.
pub fn of_concert(db: &mut Db, slug: &str) -> QueryResult<Losses> {
    let event = editing::store::find(db, slug)?;
    let of_event = bookings::table.filter(bookings::event_id.eq(event.id));
    let counts: Vec<(BookingStatus, i64)> =
        of_event.group_by(bookings::status).select((bookings::status, count_star())).load(db)?;
    let tickets: Vec<(BookingStatus, i64, i64)> = booking_lines::table
        .inner_join(bookings::table)
        .filter(bookings::event_id.eq(event.id))
        .group_by(bookings::status)
        .select((bookings::status, sql::<BigInt>(KEPT_TICKETS), sql::<BigInt>(KEPT_MINOR)))
        .load(db)?;
    let count = |wanted| counts.iter().find(|it| it.0 == wanted).map_or(0, |it| it.1);
    let kept = |wanted| tickets.iter().find(|it| it.0 == wanted).map_or((0, 0), |it| (it.1, it.2));
    let (sold, revenue_minor) = kept(BookingStatus::Confirmed);
    Ok(Losses {
        confirmed: count(BookingStatus::Confirmed),
        held: count(BookingStatus::Held),
        ended: count(BookingStatus::Canceled) + count(BookingStatus::Expired),
        sold,
        held_tickets: kept(BookingStatus::Held).0,
        revenue: Money::new(revenue_minor, &event.currency),
        has_real_payments: has_real_payments(db, slug)?,
        scans: scans::table.filter(scans::event_id.eq(event.id)).count().get_result(db)?,
        event,
    })
}
