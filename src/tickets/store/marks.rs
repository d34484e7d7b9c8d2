//! The SQL of bookings whose payment the staff have to know about. A gate loads them before it scans their
//! tickets, so that it can say so without a network.

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::booking::BookingStatus;
use crate::db::Db;
use crate::payment::PaidOnline;
use crate::payment::store::online::paid_online;
use crate::schema::{bookings, payments, refunds};

/// The same condition as in the partial index.
const IS_MARKING: &str = "refunds.source IN ('outside', 'dispute') AND refunds.state <> 'failed'";
/// The most marks that are listed: more than the disputes and refunds at the provider that a concert has
/// while it still lets people in.
const MARKS_MAX: i64 = 500;

/// The references of these bookings, each with what the staff are told when one of its tickets is scanned.
pub fn marks(db: &mut Db, event_id: i64) -> QueryResult<Vec<(String, String)>> {
    let marked: Vec<(i64, String)> = refunds::table
        .inner_join(payments::table.inner_join(bookings::table))
        .filter(sql::<Bool>(IS_MARKING))
        .filter(bookings::event_id.eq(event_id))
        .filter(bookings::status.eq(BookingStatus::Confirmed))
        .order(refunds::id.desc())
        .limit(MARKS_MAX)
        .select((bookings::id, bookings::reference))
        .load(db)?;
    let ids: Vec<i64> = marked.iter().map(|it| it.0).collect();
    // If a booking was paid twice, the payment that is kept comes last and counts, as for a scan.
    let online: HashMap<i64, PaidOnline> = paid_online(db, &ids)?.into_iter().collect();
    let references: BTreeMap<i64, String> = marked.into_iter().collect();
    let mark = |(id, reference): (i64, String)| Some((reference, online.get(&id)?.mark()?));
    Ok(references.into_iter().filter_map(mark).collect())
}
