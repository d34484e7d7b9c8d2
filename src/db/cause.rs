//! What an error of the database means: whether trying again helps.
//!
//! PostgreSQL's messages are in the language that its administrator has chosen, so they are not compared
//! here. Diesel turns the SQLSTATEs that it knows into kinds; the others are recognized by the other fields
//! of the error. SQLite's messages are in English only, and Diesel passes on nothing else.

use std::time::Duration;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

use DatabaseErrorKind::{
    CheckViolation, ClosedConnection, ForeignKeyViolation, SerializationFailure, UniqueViolation, Unknown,
};

/// Whether the database itself has answered, so that the connection is good.
pub(super) fn is_answer(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::NotFound
            | DieselError::DatabaseError(
                UniqueViolation | ForeignKeyViolation | CheckViolation | SerializationFailure,
                _
            )
    )
}

/// Whether the same work may succeed when it is tried again. A unique violation is passing: the next attempt
/// knows the key or the reference that was in the way.
pub(super) fn is_passing(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(UniqueViolation | SerializationFailure | ClosedConnection, _) => true,
        DieselError::NotFound | DieselError::RollbackTransaction => true,
        DieselError::DatabaseError(Unknown, information) => {
            sqlite_is_locked(&**information) || is_short_of_something(&**information)
        }
        _ => false,
    }
}

/// Whether other transactions were in the way: trying again is safe, and helps. `locked_after`: an unknown
/// error of PostgreSQL that came after this time or later was caused by a lock (SQLSTATE 55P03 or 57014).
pub(super) fn is_contention(error: &DieselError, took: Duration, locked_after: Duration) -> bool {
    match error {
        DieselError::DatabaseError(SerializationFailure, _) => true,
        DieselError::DatabaseError(Unknown, information) => {
            took >= locked_after || sqlite_is_locked(&**information) || is_short_in_postgres(&**information)
        }
        _ => false,
    }
}

/// Whether a database could not write because it was short of space, or of something else that may become
/// free again.
pub(super) fn is_short(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(Unknown, information) if is_short_of_something(&**information))
}

fn is_short_of_something(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    sqlite_has_no_room(information) || is_short_in_postgres(information)
}

/// SQLSTATE 53100 (the disk is full), 53200 (no memory for locks), 40P01 (a deadlock): PostgreSQL adds a hint
/// for its administrator, and no position in the statement. An error in the statement itself has a position;
/// a lock that did not become free in time, and every error that this program raises, has no hint.
fn is_short_in_postgres(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    information.hint().is_some() && information.statement_position().is_none()
}

/// `SQLITE_BUSY`.
fn sqlite_is_locked(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    information.message() == "database is locked"
}

/// `SQLITE_FULL`, and `SQLITE_IOERR` if a file may not grow.
fn sqlite_has_no_room(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    matches!(information.message(), "database or disk is full" | "disk I/O error")
}
