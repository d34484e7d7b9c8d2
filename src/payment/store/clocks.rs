//! The SQL of what servers agree on: how fast the provider is asked, and who reads its lists.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use crate::db::Db;
use crate::schema::payment_clocks;

/// The kinds of calls that the provider limits separately. Each has its own pace, so that making pages does
/// not keep payments from being noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PacedEndpoint {
    Create,
    Read,
    Expire,
    Refund,
    List,
}

impl PacedEndpoint {
    pub const ALL: [Self; 5] = [Self::Create, Self::Read, Self::Expire, Self::Refund, Self::List];

    const fn clock(self) -> &'static str {
        match self {
            Self::Create => "pace create",
            Self::Read => "pace read",
            Self::Expire => "pace expire",
            Self::Refund => "pace refund",
            Self::List => "pace list",
        }
    }
}

/// Until when the provider's events were read.
pub const RECONCILED: &str = "reconciled";
/// Until when one server has the turn to read them.
pub const RECONCILING: &str = "reconciling";

/// Reserves turns for calls, one after the other. Returns when the first call may be made, and how many of
/// the calls have a turn within `most`. Servers that reserve at the same time wait for each other at the row.
/// Runs inside the caller's write transaction.
pub fn reserve(
    db: &mut Db,
    endpoint: PacedEndpoint,
    calls: usize,
    per_second: u32,
    (now, most): (NaiveDateTime, TimeDelta),
) -> QueryResult<(NaiveDateTime, usize)> {
    let first = lock(db, endpoint.clock(), now)?.max(now);
    let has_turn =
        |call: &usize| first + gap(per_second) * i32::try_from(*call).unwrap_or(i32::MAX) - now <= most;
    let granted = (0..calls).take_while(has_turn).count();
    let next = first + gap(per_second) * i32::try_from(granted).unwrap_or(i32::MAX);
    set(db, endpoint.clock(), next)?;
    Ok((first, granted))
}

/// Between two calls.
#[must_use]
pub fn gap(per_second: u32) -> TimeDelta {
    TimeDelta::microseconds(1_000_000 / i64::from(per_second.max(1)))
}

/// Takes a turn that only one server has at a time, for the time of a lease. Returns whether this server got
/// it.
pub fn take_lease(db: &mut Db, name: &str, now: NaiveDateTime, until: NaiveDateTime) -> QueryResult<bool> {
    if lock(db, name, now)? > now {
        return Ok(false);
    }
    set(db, name, until)?;
    Ok(true)
}

/// A clock's time. `None`: nobody has set it.
pub fn read(db: &mut Db, name: &str) -> QueryResult<Option<NaiveDateTime>> {
    payment_clocks::table.find(name).select(payment_clocks::at).first(db).optional()
}

/// Sets a clock.
pub fn set(db: &mut Db, name: &str, at: NaiveDateTime) -> QueryResult<()> {
    let query = match db {
        Db::Postgres(_) => {
            "INSERT INTO payment_clocks (name, at) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET at = excluded.at"
        }
        Db::Sqlite(_) => {
            "INSERT INTO payment_clocks (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at"
        }
    };
    match db {
        Db::Postgres(pg) => {
            diesel::sql_query(query).bind::<Text, _>(name).bind::<Timestamp, _>(at).execute(pg)?
        }
        Db::Sqlite(sqlite) => {
            diesel::sql_query(query).bind::<Text, _>(name).bind::<Timestamp, _>(at).execute(sqlite)?
        }
    };
    Ok(())
}

/// A clock's time, locked until the transaction ends. `now`: where it starts.
fn lock(db: &mut Db, name: &str, now: NaiveDateTime) -> QueryResult<NaiveDateTime> {
    if let Db::Postgres(pg) = db {
        // The row is inserted before it is locked: two servers that both found no row would not wait for each
        // other.
        diesel::sql_query(
            "INSERT INTO payment_clocks (name, at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind::<Text, _>(name)
        .bind::<Timestamp, _>(now)
        .execute(pg)?;
        return payment_clocks::table.find(name).select(payment_clocks::at).for_update().first(pg);
    }
    Ok(read(db, name)?.unwrap_or(now))
}
