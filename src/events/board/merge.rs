//! Which of two readings of a concert is shown: the board's, or the one that was just read.
//!
//! Versions are times in milliseconds, by the clock of the database or of the server that made the change. Stock and
//! facts have separate versions: a rush keeps raising the version of the stock, and that must not keep an old price or
//! limit on the page.

use std::sync::Arc;

use chrono::NaiveDateTime;

use super::Listing;
use crate::events::{Concert, TicketType};

/// A version on the board that is older than this, and newer than a read, was lost in a failover or by
/// restoring a backup: no read is that late. A version that is this far in the future does not win over a
/// read either.
pub(super) const LOST_AFTER_MS: i64 = 30_000;
/// How far a version from another server may be ahead of what this server knows of the database.
const AHEAD_MAX_MS: i64 = 60_000;

/// The concert as it was read, except that newer versions on the board are kept. `before`: the concert on the
/// board when a read of the primary began. A version that the board already had then does not win: it was
/// published after its commit, so the primary knows it if it is real. Returns the same listing if nothing has
/// changed, so that its fragment is not rendered again.
pub(super) fn listing_of(
    read: &Concert,
    shown: Option<&Arc<Listing>>,
    before: Option<&Arc<Listing>>,
    now: NaiveDateTime,
) -> Arc<Listing> {
    let Some(shown) = shown else { return Arc::new(Listing::new(read.clone(), now)) };
    let is_newer = |known: i64, read: i64, before: Option<i64>| {
        let is_recent = millis(now).abs_diff(known) < LOST_AFTER_MS.unsigned_abs();
        known > read && before != Some(known) && is_recent
    };
    let facts_before = before.map(|listing| listing.event.facts_version);
    let event = if is_newer(shown.event.facts_version, read.event.facts_version, facts_before) {
        &shown.event
    } else {
        &read.event
    };
    let newest = |read: &TicketType| {
        let Some(known) = shown.ticket_type(read.id) else { return read.clone() };
        let before = before.and_then(|listing| listing.ticket_type(read.id));
        let keeps_facts =
            is_newer(known.facts_version, read.facts_version, before.map(|it| it.facts_version));
        let keeps_stock = is_newer(known.version, read.version, before.map(|it| it.version));
        let (facts, stock) = (if keeps_facts { known } else { read }, if keeps_stock { known } else { read });
        TicketType { available: stock.available, version: stock.version, ..facts.clone() }
    };
    let ticket_types = read.ticket_types.iter().map(newest).collect();
    let (held, former_slugs) = (read.held.clone(), read.former_slugs.clone());
    let concert = Concert { event: event.clone(), ticket_types, held, former_slugs };
    if shown.concert == concert && shown.is_as_of(now) {
        return Arc::clone(shown);
    }
    Arc::new(Listing::new(concert, now))
}

/// The newest version of anything in a concert.
pub(in crate::events) fn newest_version(concert: &Concert) -> i64 {
    let types = concert.ticket_types.iter().map(|it| it.version.max(it.facts_version));
    types.fold(concert.event.facts_version, i64::max)
}

/// The highest version that the database can have given by now. If its clock was set back, its versions go on
/// from the newest one.
pub(super) fn latest_version(now: NaiveDateTime, newest: i64) -> i64 {
    millis(now).max(newest).saturating_add(AHEAD_MAX_MS)
}

fn millis(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp_millis()
}
