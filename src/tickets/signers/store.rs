//! The SQL of signers. A signer is a row of `secrets`: its name holds the fingerprint, and its value the time
//! (UTC) until which it may have signed. The value is empty while the secret still signs. Another row holds
//! the time since which it has signed. The very first secret has no such row, and older releases wrote none.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::{count_star, max};
use diesel::prelude::*;

use super::UnusedTickets;
use crate::booking::BookingStatus;
use crate::db::{self, Db};
use crate::events::EventState;
use crate::schema::{bookings, events, secrets};

const PREFIX: &str = "signer ";
const SINCE: &str = "signing since ";
/// Older releases wrote no fractions.
const TIME: &str = "%Y-%m-%d %H:%M:%S%.f";
/// How long a secret may still sign after another one has replaced it and lists it as a previous one: some
/// servers may not have been restarted yet.
const ROLLOUT: TimeDelta = TimeDelta::days(1);

/// A secret that has signed, and when.
struct SecretSpan {
    fingerprint: String,
    /// `None`: unknown, so perhaps from the beginning.
    since: Option<NaiveDateTime>,
    /// `None`: it signs now.
    until: Option<NaiveDateTime>,
}

fn all(db: &mut Db) -> QueryResult<Vec<SecretSpan>> {
    let mut rows = |prefix: &str| -> QueryResult<Vec<(String, String)>> {
        secrets::table.filter(secrets::name.like(format!("{prefix}%"))).load(db)
    };
    let (signers, begins) = (rows(PREFIX)?, rows(SINCE)?);
    let time = |value: &str| NaiveDateTime::parse_from_str(value, TIME).ok();
    let signer = |(name, value): (String, String)| {
        let fingerprint = name.strip_prefix(PREFIX).unwrap_or_default().to_owned();
        let begin = begins.iter().find(|(name, _)| name.strip_prefix(SINCE) == Some(&fingerprint));
        SecretSpan { since: begin.and_then(|(_, value)| time(value)), until: time(&value), fingerprint }
    };
    Ok(signers.into_iter().map(signer).collect())
}

/// Whether [`note`] has nothing to write.
pub fn is_noted(db: &mut Db, fingerprints: &[String]) -> QueryResult<bool> {
    let noted = all(db)?;
    let (current, previous) =
        fingerprints.split_first().map_or((None, fingerprints), |it| (Some(it.0), it.1));
    let signs = |signer: &SecretSpan| signer.until.is_none();
    Ok(noted.iter().all(|signer| signs(signer) == (Some(&signer.fingerprint) == current))
        && current.is_none_or(|it| noted.iter().any(|signer| signer.fingerprint == *it))
        && previous.iter().all(|it| noted.iter().any(|signer| signer.fingerprint == *it)))
}

/// Notes that the first of the fingerprints signs from now on, and no other. A secret that nothing was sold
/// under is forgotten: the program was started with it by mistake.
pub fn note(db: &mut Db, fingerprints: &[String]) -> QueryResult<()> {
    let now = db::clock(db)?;
    let text = |time: NaiveDateTime| time.format(TIME).to_string();
    let mut noted = all(db)?;
    for (index, fingerprint) in fingerprints.iter().enumerate() {
        if !noted.iter().any(|signer| signer.fingerprint == *fingerprint) {
            let until = text(now + ROLLOUT);
            let mut rows = vec![(format!("{PREFIX}{fingerprint}"), if index == 0 { "" } else { &until })];
            let since = text(now);
            // The very first secret has signed everything that is sold already, so it gets no start.
            if index == 0 && !noted.is_empty() {
                rows.push((format!("{SINCE}{fingerprint}"), &since));
            }
            for (name, value) in rows {
                let row = (secrets::name.eq(name), secrets::value.eq(value));
                // In a savepoint: another server that starts may have been faster.
                drop(db.transaction(|db| diesel::insert_into(secrets::table).values(row).execute(db)));
            }
        }
    }
    noted.retain(|signer| signer.until.is_none() != (fingerprints.first() == Some(&signer.fingerprint)));
    for signer in noted {
        let name = format!("{PREFIX}{}", signer.fingerprint);
        let is_known = fingerprints.contains(&signer.fingerprint);
        let is_mistake = |db: &mut Db| -> QueryResult<bool> {
            Ok(!is_known && signer.since.is_some() && sold(db, &signer, now)? == 0)
        };
        let until = match signer.until {
            // It signs again.
            Some(_) => String::new(),
            None if is_mistake(db)? => {
                let names = [name, format!("{SINCE}{}", signer.fingerprint)];
                diesel::delete(secrets::table.filter(secrets::name.eq_any(names))).execute(db)?;
                continue;
            }
            // A new secret that does not list this one is not rolled out server by server, because the
            // tickets that this one still signed would be refused. So this one ends now.
            None => text(if is_known { now + ROLLOUT } else { now }),
        };
        diesel::update(secrets::table.find(name)).set(secrets::value.eq(until)).execute(db)?;
    }
    Ok(())
}

/// How many bookings were made while a secret signed, whatever became of them.
fn sold(db: &mut Db, signer: &SecretSpan, now: NaiveDateTime) -> QueryResult<i64> {
    let since = signer.since.unwrap_or_default();
    let made = bookings::table.filter(bookings::created_at.between(since, signer.until.unwrap_or(now)));
    made.count().get_result(db)
}

/// The unused tickets that may have been signed by a secret that is not known; `None` for `known`: all unused
/// tickets.
pub fn unused(db: &mut Db, known: Option<&[String]>) -> QueryResult<Option<UnusedTickets>> {
    let now = db::clock(db)?;
    let Some(known) = known else { return unused_between(db, NaiveDateTime::default(), now, now) };
    let unknown = all(db)?.into_iter().filter(|signer| !known.contains(&signer.fingerprint));
    let mut times: Vec<_> =
        unknown.map(|signer| (signer.since.unwrap_or_default(), signer.until.unwrap_or(now))).collect();
    times.sort();
    // A time in which two secrets may have signed is counted once.
    let mut counted_until = NaiveDateTime::default();
    let mut found: Option<UnusedTickets> = None;
    for (since, until) in times {
        let more = unused_between(db, since.max(counted_until), until, now)?;
        counted_until = counted_until.max(until);
        if let Some(more) = more {
            let before = found.map_or(0, |found| found.bookings);
            let last = found.map_or(more.until, |found| found.until.max(more.until));
            found = Some(UnusedTickets { bookings: before + more.bookings, until: last });
        }
    }
    Ok(found)
}

/// The tickets that a secret may have signed.
pub fn signed_by(db: &mut Db, fingerprint: &str) -> QueryResult<Option<UnusedTickets>> {
    let now = db::clock(db)?;
    let signer = all(db)?.into_iter().find(|signer| signer.fingerprint == fingerprint);
    let (since, until) = signer.map_or((None, None), |signer| (signer.since, signer.until));
    unused_between(db, since.unwrap_or_default(), until.unwrap_or(now), now)
}

/// The bookings that were made in a period, of concerts that are not over.
fn unused_between(
    db: &mut Db,
    since: NaiveDateTime,
    until: NaiveDateTime,
    now: NaiveDateTime,
) -> QueryResult<Option<UnusedTickets>> {
    let (bookings, ends) = bookings::table
        .inner_join(events::table)
        .filter(bookings::status.eq(BookingStatus::Confirmed))
        .filter(bookings::created_at.between(since, until))
        .filter(events::ends_at.gt(now))
        .filter(events::state.eq_any([EventState::Draft, EventState::Published]))
        .select((count_star(), max(events::ends_at)))
        .first::<(i64, Option<NaiveDateTime>)>(db)?;
    Ok(ends.map(|until| UnusedTickets { bookings, until }))
}
