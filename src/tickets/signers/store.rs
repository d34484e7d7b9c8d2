//! The SQL of signers. A signer is a row of `secrets`: its name holds the fingerprint, its value the time (UTC) since
//! which another secret signs, and nothing while it signs itself.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::{count_star, max};
use diesel::prelude::*;

use super::UnusedTickets;
use crate::booking::BookingStatus;
use crate::db::{self, Db};
use crate::events::EventState;
use crate::schema::{bookings, events, secrets};

const PREFIX: &str = "signer ";
const TIME: &str = "%Y-%m-%d %H:%M:%S";
/// For as long after another secret has taken over, a server that was not restarted yet may have signed with it.
const ROLLOUT: TimeDelta = TimeDelta::days(1);

/// A secret that has signed, and until when.
struct SecretSpan {
    fingerprint: String,
    /// `None`: it signs now.
    until: Option<NaiveDateTime>,
}

fn all(db: &mut Db) -> QueryResult<Vec<SecretSpan>> {
    let rows: Vec<(String, String)> =
        secrets::table.filter(secrets::name.like(format!("{PREFIX}%"))).load(db)?;
    let signer = |(name, value): (String, String)| SecretSpan {
        fingerprint: name.strip_prefix(PREFIX).unwrap_or_default().to_owned(),
        until: NaiveDateTime::parse_from_str(&value, TIME).ok(),
    };
    Ok(rows.into_iter().map(signer).collect())
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

/// Notes that the first of the fingerprints signs from now on, and no other.
pub fn note(db: &mut Db, fingerprints: &[String]) -> QueryResult<()> {
    let now = db::clock(db)?.format(TIME).to_string();
    let mut noted = all(db)?;
    for fingerprint in fingerprints {
        if !noted.iter().any(|signer| signer.fingerprint == *fingerprint) {
            let row = (secrets::name.eq(format!("{PREFIX}{fingerprint}")), secrets::value.eq(&now));
            let until = NaiveDateTime::parse_from_str(&now, TIME).ok();
            // In a savepoint: another server that starts may have been faster.
            let inserted = db.transaction(|db| diesel::insert_into(secrets::table).values(row).execute(db));
            drop(inserted);
            noted.push(SecretSpan { fingerprint: fingerprint.clone(), until });
        }
    }
    for signer in noted {
        let is_current = fingerprints.first() == Some(&signer.fingerprint);
        let value = match (is_current, signer.until) {
            (true, Some(_)) => "",
            (false, None) => &now,
            _ => continue,
        };
        let row = secrets::table.find(format!("{PREFIX}{}", signer.fingerprint));
        diesel::update(row).set(secrets::value.eq(value)).execute(db)?;
    }
    Ok(())
}

/// The tickets that none of the known secrets has signed; with no known secrets at all: all that are sold.
pub fn unused(db: &mut Db, known: Option<&[String]>) -> QueryResult<Option<UnusedTickets>> {
    let now = db::clock(db)?;
    let last = match known {
        None => Some(now),
        Some(known) => {
            let unknown = all(db)?.into_iter().filter(|signer| !known.contains(&signer.fingerprint));
            unknown.map(|signer| signer.until.unwrap_or(now)).max()
        }
    };
    last.map_or(Ok(None), |last| sold_until(db, last, now))
}

/// The tickets that a secret may have signed.
pub fn signed_by(db: &mut Db, fingerprint: &str) -> QueryResult<Option<UnusedTickets>> {
    let now = db::clock(db)?;
    let signer = all(db)?.into_iter().find(|signer| signer.fingerprint == fingerprint);
    let until = signer.and_then(|signer| signer.until).unwrap_or(now);
    sold_until(db, until, now)
}

/// What was sold until a time, of concerts that are not over.
fn sold_until(db: &mut Db, until: NaiveDateTime, now: NaiveDateTime) -> QueryResult<Option<UnusedTickets>> {
    let (bookings, ends) = bookings::table
        .inner_join(events::table)
        .filter(bookings::status.eq(BookingStatus::Confirmed))
        .filter(bookings::created_at.le(until + ROLLOUT))
        .filter(events::ends_at.gt(now))
        .filter(events::state.eq_any([EventState::Draft, EventState::Published]))
        .select((count_star(), max(events::ends_at)))
        .first::<(i64, Option<NaiveDateTime>)>(db)?;
    Ok(ends.map(|until| UnusedTickets { bookings, until }))
}
