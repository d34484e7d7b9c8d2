//! What an error of the database means: whether trying again helps.
//!
//! PostgreSQL speaks the language that its administrator has chosen, so its words decide nothing. Diesel names the
//! SQLSTATEs that it knows as kinds; the others are told by what else comes with the error, in any language. SQLite
//! speaks English only, and Diesel hands on nothing but its words.

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

/// Whether the same work may succeed when it is tried again. A unique violation passes: the key or the reference that
/// was in the way is known the next time.
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

/// Whether others were in the way: trying again is safe, and helps. `locked_after`: an error of PostgreSQL after so
/// long came of a lock (SQLSTATE 55P03 or 57014).
pub(super) fn is_contention(error: &DieselError, took: Duration, locked_after: Duration) -> bool {
    match error {
        DieselError::DatabaseError(SerializationFailure, _) => true,
        DieselError::DatabaseError(Unknown, information) => {
            took >= locked_after || sqlite_is_locked(&**information) || is_short_in_postgres(&**information)
        }
        _ => false,
    }
}

/// Whether a database could not write for want of room or of something else that comes back.
pub(super) fn is_short(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(Unknown, information) if is_short_of_something(&**information))
}

fn is_short_of_something(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    sqlite_has_no_room(information) || is_short_in_postgres(information)
}

/// SQLSTATE 53100 (the disk is full), 53200 (no memory for locks), 40P01 (a deadlock): PostgreSQL adds a hint for its
/// administrator, and no place in the statement. An error in the statement itself has a place; a lock that did not come
/// free in time, and everything that this program raises, has no hint.
fn is_short_in_postgres(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    information.hint().is_some() && information.statement_position().is_none()
}

/// `SQLITE_BUSY`.
fn sqlite_is_locked(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    information.message() == "database is locked"
}

/// `SQLITE_FULL`, and `SQLITE_IOERR` where a file may get no longer.
fn sqlite_has_no_room(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    matches!(information.message(), "database or disk is full" | "disk I/O error")
}
