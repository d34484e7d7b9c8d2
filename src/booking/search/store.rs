//! The SQL of the search's index.

use std::collections::{BTreeSet, HashSet};

use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text};

use super::{beginnings, end_of_range, reference_beginnings, words_of};
use crate::booking::buyer::normalized_email;
use crate::booking::store::{PERSON, reference_key};
use crate::db::{Db, clock, on_either};
use crate::schema::bookings;

diesel::table! {
    booking_words (word, booking_id) {
        word -> Text,
        booking_id -> BigInt,
    }
}

diesel::table! {
    /// One row.
    search_progress (id) {
        id -> Integer,
        last_booking_id -> BigInt,
    }
}

/// Bookings whose words are written in one transaction: some milliseconds of SQLite's only writer.
const AT_ONCE: i64 = 200;
/// Younger bookings are not indexed yet: on PostgreSQL, a booking with a smaller id may not be committed yet.
/// A batch takes much less time than this.
const RESTS_FOR: TimeDelta = TimeDelta::seconds(15);
/// A word that more bookings have is common: the newest bookings with it are found as quickly by comparing.
const FOUND_MAX: i64 = 2_000;
/// The rows of the index that are read for one beginning. A booking has a row for each of its words, and
/// several words may begin alike: "maria" and "maria.lopez@example.org".
const ROWS_MAX: i64 = 4 * FOUND_MAX;

/// The id up to which bookings are in the index.
pub fn indexed_until(db: &mut Db) -> QueryResult<i64> {
    let progress = search_progress::table.find(1).select(search_progress::last_booking_id);
    Ok(progress.first(db).optional()?.unwrap_or_default())
}

/// The bookings that have a word that begins with the typed one, in no order. `None`: there are too many.
fn find_by_word(db: &mut Db, word: &str) -> QueryResult<Option<HashSet<i64>>> {
    let (mut words, mut references) = (beginnings(word), reference_beginnings(word));
    if has_words_of_references(db)? {
        words.extend(references.drain(..).map(|beginning| reference_word(&beginning)));
    }
    let mut found = HashSet::new();
    for beginning in words {
        let mut of_word = booking_words::table
            .filter(booking_words::word.ge(&beginning))
            .select(booking_words::booking_id)
            .limit(ROWS_MAX + 1)
            .into_boxed();
        if let Some(end) = end_of_range(&beginning) {
            of_word = of_word.filter(booking_words::word.lt(end));
        }
        let rows = of_word.load::<i64>(db)?;
        // The rows that were not read may be of other bookings.
        if rows.len() > ROWS_MAX as usize {
            return Ok(None);
        }
        found.extend(rows);
    }
    for beginning in references {
        let end = end_of_range(&beginning).unwrap_or_default();
        let of_reference = bookings::table
            .filter(bookings::reference.ge(&beginning).and(bookings::reference.lt(end)))
            .select(bookings::id)
            .limit(FOUND_MAX + 1);
        found.extend(of_reference.load::<i64>(db)?);
    }
    Ok(Some(found).filter(|found| found.len() <= FOUND_MAX as usize))
}

/// The bookings of an address, in no order. `None`: there are too many.
pub fn find_by_email(db: &mut Db, email: &str) -> QueryResult<Option<HashSet<i64>>> {
    let of_person = bookings::table
        .filter(sql::<Text>(PERSON).eq(normalized_email(email)))
        .select(bookings::id)
        .limit(FOUND_MAX + 1);
    let found: HashSet<i64> = of_person.load(db)?.into_iter().collect();
    Ok(Some(found).filter(|found| found.len() <= FOUND_MAX as usize))
}

/// The most words that are looked up, each with queries of its own. The bookings found are then compared with
/// the other words.
const ASKED_MAX: usize = 8;

/// The bookings that have the rarest of these typed words. `None`: each is in too many.
pub fn find_by_rarest(db: &mut Db, words: &[String]) -> QueryResult<Option<HashSet<i64>>> {
    let mut rarest: Option<HashSet<i64>> = None;
    for word in words.iter().take(ASKED_MAX) {
        let found = find_by_word(db, word)?;
        rarest = match (rarest, found) {
            (Some(rarest), Some(found)) if rarest.len() <= found.len() => Some(rarest),
            (rarest, None) => rarest,
            (_, found) => found,
        };
    }
    Ok(rarest)
}

/// The part of a booking that is compared with typed words: its id, reference, name and address.
pub type ComparedBooking = (i64, String, String, Option<String>);

/// Bookings that are read at once to be compared.
pub const READ_AT_ONCE: i64 = 500;
/// Most bookings that one search compares one by one.
pub const COMPARED_MAX: i64 = 8_000;

/// The bookings after `last`, up to which the index reached before it was read, that fit. `None`: too many to compare.
pub fn find_unindexed(
    db: &mut Db,
    mut last: i64,
    fits: impl Fn(&ComparedBooking) -> bool,
) -> QueryResult<Option<Vec<i64>>> {
    let mut found = Vec::new();
    if is_far_behind(db, last)? {
        return Ok(None);
    }
    // These are all: what is booked meanwhile is not looked for.
    for _ in 0..COMPARED_MAX / READ_AT_ONCE {
        let rows: Vec<ComparedBooking> = bookings::table
            .filter(bookings::id.gt(last))
            .order(bookings::id)
            .limit(READ_AT_ONCE)
            .select((bookings::id, bookings::reference, bookings::buyer_name, bookings::buyer_email))
            .load(db)?;
        let Some((id, ..)) = rows.last() else { break };
        last = *id;
        found.extend(rows.iter().filter(|row| fits(row)).map(|row| row.0));
    }
    Ok(Some(found))
}

/// Whether the index lacks more bookings than are compared one by one: then none of them is compared.
fn is_far_behind(db: &mut Db, indexed_until: i64) -> QueryResult<bool> {
    let behind = bookings::table.filter(bookings::id.gt(indexed_until)).order(bookings::id);
    let beyond: Option<i64> = behind.offset(COMPARED_MAX).select(bookings::id).first(db).optional()?;
    Ok(beyond.is_some())
}

/// Some of a concert's newest confirmed bookings that fit, found by comparing. This is for words that many
/// bookings have: matches are found soon.
pub fn find_among_newest(
    db: &mut Db,
    event_id: i64,
    fits: impl Fn(&ComparedBooking) -> bool,
    at_most: usize,
) -> QueryResult<Vec<i64>> {
    let (mut found, mut before) = (Vec::new(), i64::MAX);
    for _ in 0..COMPARED_MAX / READ_AT_ONCE {
        let rows: Vec<ComparedBooking> = bookings::table
            .filter(bookings::event_id.eq(event_id))
            .filter(bookings::id.lt(before))
            .filter(sql::<Bool>("bookings.status = 'confirmed'"))
            .order(bookings::id.desc())
            .limit(READ_AT_ONCE)
            .select((bookings::id, bookings::reference, bookings::buyer_name, bookings::buyer_email))
            .load(db)?;
        let Some((id, ..)) = rows.last() else { break };
        before = *id;
        found.extend(rows.iter().filter(|row| fits(row)).map(|row| row.0));
        if found.len() >= at_most {
            break;
        }
    }
    found.truncate(at_most);
    Ok(found)
}

/// Whether references are found through words, because the table has no index on them.
fn has_words_of_references(db: &mut Db) -> QueryResult<bool> {
    Ok(reference_key(db)?.is_some())
}

/// The word for a reference in the index: "#7F3K9QXM" for TK-7F3K-9QXM. No word of a name or an address
/// begins with "#".
fn reference_word(reference: &str) -> String {
    format!("#{}", reference.trim_start_matches("TK-").replace('-', ""))
}

type Unwritten = (i64, String, String, Option<String>, NaiveDateTime);

/// The next bookings without words, the oldest first.
fn unwritten(db: &mut Db, after: i64, at_most: i64) -> QueryResult<Vec<Unwritten>> {
    let until = clock(db)? - RESTS_FOR;
    let next: Vec<Unwritten> = bookings::table
        .filter(bookings::id.gt(after))
        .order(bookings::id)
        .limit(at_most)
        .select((
            bookings::id,
            bookings::reference,
            bookings::buyer_name,
            bookings::buyer_email,
            bookings::created_at,
        ))
        .load(db)?;
    Ok(next.into_iter().take_while(|(.., created_at)| *created_at <= until).collect())
}

/// Whether there are bookings whose words are not written yet.
pub fn is_any_due(db: &mut Db) -> QueryResult<bool> {
    let after = indexed_until(db)?;
    Ok(!unwritten(db, after, 1)?.is_empty())
}

/// Writes the words of the next bookings, inside the caller's write transaction. Returns how many bookings
/// these were: 0 also when another server is writing now.
pub fn write_some(db: &mut Db) -> QueryResult<usize> {
    let progress = search_progress::table.find(1).select(search_progress::last_booking_id);
    let turn: Option<i64> = match db {
        Db::Postgres(pg) => progress.for_update().skip_locked().first(pg).optional()?,
        Db::Sqlite(sqlite) => progress.first(sqlite).optional()?,
    };
    let Some(after) = turn else { return Ok(0) };
    let next = unwritten(db, after, AT_ONCE)?;
    let Some((last, ..)) = next.last() else { return Ok(0) };
    let with_references = has_words_of_references(db)?;
    let words = next.iter().flat_map(|(id, reference, name, email, _)| {
        let reference = with_references.then(|| reference_word(reference));
        words_of(name, email.as_deref()).into_iter().chain(reference).map(move |word| (word, *id))
    });
    insert(db, words.collect())?;
    diesel::update(search_progress::table.find(1))
        .set(search_progress::last_booking_id.eq(last))
        .execute(db)?;
    Ok(next.len())
}

/// Updates the words of a booking after its name or address was corrected, in the same transaction.
pub fn rewrite(
    db: &mut Db,
    booking_id: i64,
    before: (&str, Option<&str>),
    now: (&str, Option<&str>),
) -> QueryResult<()> {
    let (before, now) = (words_of(before.0, before.1), words_of(now.0, now.1));
    let gone: Vec<&String> = before.difference(&now).collect();
    let of_booking = booking_words::table.filter(booking_words::booking_id.eq(booking_id));
    diesel::delete(of_booking.filter(booking_words::word.eq_any(gone))).execute(db)?;
    insert(db, now.into_iter().map(|word| (word, booking_id)).collect())
}

/// Deletes the words of a concert's bookings, before the bookings themselves are deleted. Runs inside the
/// caller's transaction.
pub fn forget(db: &mut Db, slug: &str) -> QueryResult<()> {
    let forgotten = diesel::sql_query(
        "DELETE FROM booking_words WHERE booking_id IN
             (SELECT b.id FROM bookings b JOIN events e ON e.id = b.event_id WHERE e.slug = $1)",
    );
    on_either!(db, connection => forgotten.bind::<Text, _>(slug).execute(connection)?);
    Ok(())
}

/// In one statement, however many words there are.
fn insert(db: &mut Db, words: BTreeSet<(String, i64)>) -> QueryResult<()> {
    match db {
        Db::Postgres(pg) => {
            let (words, ids): (Vec<String>, Vec<i64>) = words.into_iter().unzip();
            diesel::sql_query(
                "INSERT INTO booking_words (word, booking_id) SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING",
            )
            .bind::<Array<Text>, _>(words)
            .bind::<Array<BigInt>, _>(ids)
            .execute(pg)?;
        }
        Db::Sqlite(sqlite) => {
            let words = serde_json::to_string(&words)
                .map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))?;
            diesel::sql_query(
                "INSERT OR IGNORE INTO booking_words (word, booking_id)
                 SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)",
            )
            .bind::<Text, _>(words)
            .execute(sqlite)?;
        }
    }
    Ok(())
}
