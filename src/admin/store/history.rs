//! The SQL of what happened to a booking.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::admin::history::{BookingRecords, ScanRecord, UseRecord};
use crate::audit;
use crate::db::Db;
use crate::outbox::MailKind;
use crate::schema::{bookings, scans, used_tickets};

/// How many scans of one booking are read at most: somebody may scan one ticket all evening.
const SCANS_MAX: i64 = 100;

/// The rows about a booking.
pub fn of_booking(db: &mut Db, id: i64, reference: &str) -> QueryResult<BookingRecords> {
    let confirmed_at: Option<NaiveDateTime> =
        bookings::table.find(id).select(bookings::confirmed_at).first(db)?;
    let uses = used_tickets::table
        .filter(used_tickets::booking_id.eq(id))
        .order(used_tickets::seat)
        .select(UseRecord::as_select())
        .load(db)?;
    let scans = scans::table
        .filter(scans::booking_id.eq(id))
        .order(scans::id.desc())
        .limit(SCANS_MAX)
        .select(ScanRecord::as_select())
        .load(db)?;
    let entries = audit::store::of_subjects(db, &subjects(reference))?;
    Ok(BookingRecords { confirmed_at, uses, scans, entries })
}

/// What the audit log calls a booking, its corrections and its mails.
fn subjects(reference: &str) -> Vec<String> {
    let corrections = ["name", "email", "name and email"].map(|what| format!("{reference} ({what})"));
    let mails = MailKind::ALL.map(|kind| format!("{} of {reference}", kind.as_str()));
    [reference.to_owned()].into_iter().chain(corrections).chain(mails).collect()
}
