//! The rows that a batch inserts, one prepared statement each.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

use crate::booking::{Booking, BookingLine};

/// A time as diesel writes it for SQLite. All rows of a batch have the same, so it is written once.
pub(super) fn timestamp_text(at: NaiveDateTime) -> String {
    at.format("%F %T%.f").to_string()
}

/// One row of `bookings`. Diesel recognizes the statement by this type, so its text is not built again for
/// each row.
pub(super) struct NewBooking<'a> {
    pub(super) booking: &'a Booking,
    pub(super) email: Option<&'a str>,
    pub(super) normalized_email: Option<String>,
    pub(super) external_id: Option<&'a str>,
    pub(super) request_key: &'a str,
    pub(super) order_hash: i64,
    /// As [`timestamp_text`] writes it.
    pub(super) created_at: &'a str,
    /// As [`timestamp_text`] writes it.
    pub(super) confirmed_at: Option<&'a str>,
}

impl QueryId for NewBooking<'_> {
    type QueryId = NewBooking<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for NewBooking<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let booking = self.booking;
        out.push_sql(
            "INSERT INTO bookings (id, event_id, reference, token, request_key, order_hash, status, currency, \
             total_minor, buyer_name, buyer_email, buyer_email_normalized, buyer_external_id, created_at, \
             confirmed_at) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(&booking.id)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&booking.event_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&booking.reference)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&booking.token)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.request_key)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.order_hash)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&booking.status)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&booking.currency)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&booking.total_minor)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&booking.buyer_name)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.email)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.normalized_email)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.external_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.created_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.confirmed_at)?;
        out.push_sql(") ON CONFLICT (request_key) DO NOTHING");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for NewBooking<'_> {}

/// One row of `booking_lines`.
pub(super) struct NewLine<'a>(pub(super) &'a BookingLine);

impl QueryId for NewLine<'_> {
    type QueryId = NewLine<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for NewLine<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(&self.0.booking_id)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.0.ticket_type_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Integer, _>(&self.0.quantity)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.0.unit_price_minor)?;
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for NewLine<'_> {}

/// The row of `confirmation_batches` for a batch: the ids of its bookings as a JSON array.
pub(super) struct NewConfirmations<'a> {
    pub(super) booking_ids: &'a str,
    /// As [`timestamp_text`] writes it.
    pub(super) queued_at: &'a str,
}

impl QueryId for NewConfirmations<'_> {
    type QueryId = NewConfirmations<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for NewConfirmations<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("INSERT INTO confirmation_batches (booking_ids, queued_at) VALUES (");
        out.push_bind_param::<Text, _>(self.booking_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.queued_at)?;
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for NewConfirmations<'_> {}
