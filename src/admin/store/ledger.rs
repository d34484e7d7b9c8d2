//! The SQL of the movements of a concert's money: each entry, and their sums.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::db::{Db, minute_sql};
use crate::payment::store::ledger::{EntryKind, SUMS};
use crate::schema::{bookings, ledger, payments};

/// A movement of money.
#[derive(Debug, Clone, Queryable)]
pub struct Movement {
    pub id: i64,
    /// UTC.
    pub entered_at: NaiveDateTime,
    pub kind: EntryKind,
    pub amount_minor: i64,
    pub currency: String,
    pub live: bool,
    pub provider_id: String,
    pub reference: String,
    pub buyer_name: String,
    pub method: Option<String>,
}

macro_rules! of_event {
    ($event_id:expr) => {
        ledger::table
            .inner_join(payments::table.inner_join(bookings::table))
            .filter(bookings::event_id.eq($event_id))
    };
}

/// How many entries a concert has.
pub fn movement_count(db: &mut Db, event_id: i64) -> QueryResult<i64> {
    of_event!(event_id).count().get_result(db)
}

/// The movements of a concert's money after an entry, the oldest first, at most `limit`.
pub fn movements_after(db: &mut Db, event_id: i64, after: i64, limit: i64) -> QueryResult<Vec<Movement>> {
    of_event!(event_id)
        .filter(ledger::id.gt(after))
        .order(ledger::id)
        .limit(limit)
        .select((
            ledger::id,
            ledger::entered_at,
            ledger::kind,
            ledger::amount_minor,
            ledger::currency,
            ledger::live,
            ledger::provider_id,
            bookings::reference,
            bookings::buyer_name,
            payments::method,
        ))
        .load(db)
}

/// The movements of a quarter of an hour, in one currency. The offsets of all time zones are whole quarters
/// of an hour, so each sum belongs to one day at the venue.
#[derive(Debug, Clone, QueryableByName)]
pub struct QuarterTotal {
    /// The first minute of the quarter, counted since 1970 (UTC).
    #[diesel(sql_type = BigInt)]
    pub minute: i64,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = BigInt)]
    pub paid: i64,
    /// What went back, including disputes.
    #[diesel(sql_type = BigInt)]
    pub back: i64,
    #[diesel(sql_type = BigInt)]
    pub fees: i64,
}

/// Adds up the movements of a concert's money. `live`: real money.
pub fn quarter_sums(db: &mut Db, event_id: i64, live: bool) -> QueryResult<Vec<QuarterTotal>> {
    let minute = minute_sql(db, "entered_at");
    let quarter = format!("{minute} - {minute} % 15");
    let query = format!(
        "SELECT {quarter} AS minute, currency, {SUMS} FROM ledger
         WHERE booking_id IN (SELECT id FROM bookings WHERE event_id = {event_id}) AND live = {live}
         GROUP BY {quarter}, currency"
    );
    diesel::sql_query(query).load(db)
}
