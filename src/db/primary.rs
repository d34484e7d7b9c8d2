//! The primary, and how a former primary is recognized.
//!
//! After a failover the name in `DATABASE_URL` may resolve to another server, while open connections still reach
//! the former primary: it answers with old data and rejects writes. So every connection belongs to an *epoch*. When
//! one connection turns out to reach a read-only server, the epoch ends, and no connection of that epoch is used
//! again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Bool;
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _};

use super::Db;
use crate::db::url::DatabaseUrl;

/// libpq parameters, in seconds (`tcp_user_timeout`: milliseconds). A host that vanishes is noticed within
/// `DESK_DEADLINE_MS`, or within twice that if it had acknowledged the query.
const TIME_LIMITS: &str =
    "connect_timeout=3&tcp_user_timeout=5000&keepalives_idle=5&keepalives_interval=1&keepalives_count=5";

/// Without it, libpq takes the first host that answers, even a standby.
const WRITABLE: &str = "target_session_attrs=read-write";

/// The URL with our defaults added. The URL's own parameters win: libpq keeps the last of two.
pub(super) fn primary(url: &DatabaseUrl) -> DatabaseUrl {
    let DatabaseUrl::Postgres(url) = url else { return url.clone() };
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let hosts = place.split_once("://").map_or(place, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let hosts = hosts.rsplit('@').next().unwrap_or_default();
    let defaults =
        if hosts.contains(',') { format!("{TIME_LIMITS}&{WRITABLE}") } else { TIME_LIMITS.to_owned() };
    DatabaseUrl::Postgres(format!("{place}?{defaults}&{parameters}").trim_end_matches('&').into())
}

/// Counts the changes of primary; clones share one counter.
#[derive(Clone, Default)]
pub(super) struct Epoch(Arc<AtomicU64>);

impl Epoch {
    /// The number of the current epoch.
    pub(super) fn current(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Ends an epoch, once, even if several threads notice at the same time.
    pub(super) fn end(&self, epoch: u64) {
        if self.0.compare_exchange(epoch, epoch + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            log::warn!("this database server no longer takes writes: reopening every connection");
        }
    }
}

/// Whether the server rejected a write as read-only: SQLSTATE 25006, `read_only_sql_transaction`, from a standby
/// or from a server that is being fenced off.
pub(super) fn takes_no_writes(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _))
}

/// Asks whether the server takes writes.
pub(super) fn takes_writes(db: &mut Db) -> QueryResult<bool> {
    match db {
        Db::Sqlite(_) => Ok(true),
        Db::Postgres(pg) => {
            let question = "SELECT current_setting('transaction_read_only') = 'off' AS takes_writes";
            diesel::sql_query(question).get_result::<PrimaryStatus>(pg).map(|it| it.takes_writes)
        }
    }
}

#[derive(QueryableByName)]
struct PrimaryStatus {
    #[diesel(sql_type = Bool)]
    takes_writes: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(url: &str) -> String {
        match primary(&DatabaseUrl::Postgres(url.into())) {
            DatabaseUrl::Postgres(url) => url,
            DatabaseUrl::Sqlite(_) => unreachable!("it was PostgreSQL"),
        }
    }

    #[test]
    fn several_hosts_ask_for_the_one_that_takes_writes() {
        let limits = TIME_LIMITS;
        assert_eq!(reached("postgres://a/x"), format!("postgres://a/x?{limits}"));
        assert_eq!(reached("postgres://u:p%2C@a/x"), format!("postgres://u:p%2C@a/x?{limits}"));
        let several = "postgres://u@a,b:5433/x";
        assert_eq!(reached(several), format!("{several}?{limits}&{WRITABLE}"));
        let own = "?sslmode=verify-full&target_session_attrs=any";
        assert_eq!(
            reached(&format!("{several}{own}")),
            format!("{several}?{limits}&{WRITABLE}&{}", &own[1..])
        );
    }

    #[test]
    fn an_epoch_ends_once() {
        let epoch = Epoch::default();
        epoch.end(0);
        epoch.end(0);
        assert_eq!(epoch.current(), 1);
    }
}
