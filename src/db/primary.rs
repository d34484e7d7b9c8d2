//! The primary, and how a server that is it no longer is told from one that is.
//!
//! After a fail-over the name in `DATABASE_URL` may lead to another server, and a connection to the former one
//! may go on to answer: what it says is old, and it takes no writes. So connections belong to a *term*: as soon
//! as one of them turns out to be to a server that takes no writes, the term ends, and no connection that was
//! opened in it is used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Bool;
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _};

use super::Db;
use crate::db::url::DatabaseUrl;

/// In libpq's words and seconds (but `tcp_user_timeout`: milliseconds): a machine that is gone without a
/// farewell is noticed within the time that a buyer waits (`DESK_DEADLINE_MS`), or twice that where it had
/// received the question.
const TIME_LIMITS: &str =
    "connect_timeout=3&tcp_user_timeout=5000&keepalives_idle=5&keepalives_interval=1&keepalives_count=5";

/// Of several hosts libpq would take the first that answers, a standby as well.
const WRITABLE: &str = "target_session_attrs=read-write";

/// The URL as the primary is reached with it. What it says itself wins: of two, libpq keeps the last.
pub(super) fn primary(url: &DatabaseUrl) -> DatabaseUrl {
    let DatabaseUrl::Postgres(url) = url else { return url.clone() };
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let hosts = place.split_once("://").map_or(place, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let hosts = hosts.rsplit('@').next().unwrap_or_default();
    let defaults =
        if hosts.contains(',') { format!("{TIME_LIMITS}&{WRITABLE}") } else { TIME_LIMITS.to_owned() };
    DatabaseUrl::Postgres(format!("{place}?{defaults}&{parameters}").trim_end_matches('&').into())
}

/// The terms of a database's primary; clones share them.
#[derive(Clone, Default)]
pub(super) struct Terms(Arc<AtomicU64>);

impl Terms {
    /// The number of the present one.
    pub(super) fn current(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Ends a term, once, however many find out at the same time.
    pub(super) fn end(&self, term: u64) {
        if self.0.compare_exchange(term, term + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            log::warn!("the database takes no writes there any more: every connection is opened anew");
        }
    }
}

/// Whether a server has said that it takes no writes: SQLSTATE 25006, `read_only_sql_transaction`, which is
/// what a standby says, and one that is being fenced off.
pub(super) fn takes_no_writes(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _))
}

/// Asks whether the server takes writes.
///
/// # Errors
/// What the database said.
pub(super) fn takes_writes(db: &mut Db) -> QueryResult<bool> {
    match db {
        Db::Sqlite(_) => Ok(true),
        Db::Postgres(pg) => {
            let question = "SELECT current_setting('transaction_read_only') = 'off' AS takes_writes";
            diesel::sql_query(question).get_result::<Standing>(pg).map(|it| it.takes_writes)
        }
    }
}

#[derive(QueryableByName)]
struct Standing {
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
    fn of_several_hosts_the_one_that_takes_writes_is_reached() {
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
    fn a_term_ends_once() {
        let terms = Terms::default();
        terms.end(0);
        terms.end(0);
        assert_eq!(terms.current(), 1);
    }
}
