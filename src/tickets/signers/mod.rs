//! Which secrets have signed tickets that are still to be admitted. The database keeps a fingerprint of each secret and
//! the time when another one took its place, so that a secret that is lost, or dropped too early, is noticed before
//! the gate refuses its tickets.
//!
//! The secrets themselves do not belong here: see `guard::secret`.

mod store;

use chrono::NaiveDateTime;

use crate::db::Database;
use crate::guard::secret::{self, SecretConfig, Secrets};
use crate::start_error::StartError;

/// Bookings of concerts that are not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusedTickets {
    pub bookings: i64,
    /// When the last of their concerts is over (UTC).
    pub until: NaiveDateTime,
}

/// Loads the site's secrets. The first start makes one.
///
/// # Errors
/// One line: the secret cannot be read, or it is missing and a new one would not verify the tickets that are
/// sold.
pub fn load(config: &SecretConfig, db: &Database) -> Result<Secrets, StartError> {
    let Some(secrets) = secret::find(config, db)? else {
        if let Some(unused) = db.read_primary_blocking(|db| store::unused(db, None))? {
            return Err(lost(db, unused));
        }
        let secrets = secret::make(config, db)?;
        note(&secrets, db)?;
        return Ok(secrets);
    };
    note(&secrets, db)?;
    if let Some(warning) = warning(Some(&secrets), db)? {
        log::error!("{warning}");
    }
    for remark in previous(&secrets, db)? {
        log::info!("{remark}");
    }
    Ok(secrets)
}

fn lost(db: &Database, unused: UnusedTickets) -> StartError {
    let wrong = format!(
        "the secret that signed the tickets of {} is missing, and a new one would refuse them",
        bookings(unused)
    );
    let hint = match db.file() {
        Some(file) => format!(
            "put {0}.secret back (it stood beside the database, and stands beside each backup), or set SECRET_KEY to what it was",
            file.display()
        ),
        None => "set SECRET_KEY to what it was".into(),
    };
    StartError::setting("SECRET_KEY", "", &wrong, &hint)
}

/// Records which secret signs from now on. It writes only if something is new, because a write would have to
/// wait for a server that still sells.
fn note(secrets: &Secrets, db: &Database) -> Result<(), StartError> {
    let fingerprints = secrets.fingerprints();
    let is_noted = db.read_primary_blocking(|db| store::is_noted(db, &fingerprints))?;
    if !is_noted {
        db.write_blocking(|db| store::note(db, &fingerprints))?;
    }
    Ok(())
}

/// What an operator must know about tickets that these secrets do not verify; `None`: all are verified.
pub fn warning(secrets: Option<&Secrets>, db: &Database) -> Result<Option<String>, StartError> {
    let known = secrets.map(Secrets::fingerprints);
    let unused = db.read_primary_blocking(|db| store::unused(db, known.as_deref()))?;
    Ok(unused.map(|unused| {
        let setting = if known.is_some() { "SECRET_KEY_PREVIOUS" } else { "SECRET_KEY" };
        format!(
            "the tickets of {} were signed with a secret that is not configured, and the gate will refuse them: add it to {setting}, and keep it there until {}",
            bookings(unused),
            unused.until.format("%Y-%m-%d %H:%M UTC")
        )
    }))
}

/// How long each previous secret must stay.
fn previous(secrets: &Secrets, db: &Database) -> Result<Vec<String>, StartError> {
    let fingerprints = secrets.fingerprints();
    let previous = fingerprints.iter().skip(1).enumerate().map(|(index, fingerprint)| {
        let unused = db.read_primary_blocking(|db| store::signed_by(db, fingerprint))?;
        let name = format!("previous secret {}", index + 1);
        Ok(match unused {
            Some(unused) => format!(
                "{name} must stay until {}, when the last concert that was sold under it is over ({})",
                unused.until.format("%Y-%m-%d %H:%M UTC"),
                bookings(unused)
            ),
            None => format!("no ticket needs {name} any more: you can remove it"),
        })
    });
    previous.collect()
}

fn bookings(unused: UnusedTickets) -> String {
    let plural = if unused.bookings == 1 { "" } else { "s" };
    format!("{} booking{plural} of concerts that are not over", unused.bookings)
}
