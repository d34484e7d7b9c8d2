//! Verifies a backup: restores it into a temporary database and runs the reconciliation there. A backup of an
//! older release is migrated there first; the backup file itself is not changed.

use std::fs;
use std::path::PathBuf;

use rand::RngExt as _;

use super::archive::{Archive, PROOF, copy};
use super::{DatabaseKind, beside, io_error, postgres, store, url};
use crate::db::DatabaseUrl;
use crate::db::{self, Database};
use crate::reconciliation::{Reconciliation, reconcile};
use crate::start_error::StartError;

/// Restores a backup into a temporary file or PostgreSQL database and reconciles it there.
///
/// # Errors
/// One line: that it is damaged, or why it cannot be verified.
pub(super) fn prove(archive: &Archive, server: &DatabaseUrl) -> Result<Reconciliation, StartError> {
    match (archive.kind()?, server) {
        (DatabaseKind::Sqlite, _) => {
            let folder = ThrowawayFolder::beside(archive)?;
            let file = folder.0.join("proof.db");
            copy(&archive.path, &file)?;
            let url = DatabaseUrl::Sqlite(file);
            look_inside(archive, &url)?;
            reconciled(&url)
        }
        (DatabaseKind::Postgres, DatabaseUrl::Postgres(server)) => {
            let schema = postgres::schema(archive)?;
            let pg_restore = postgres::program_for(archive, &DatabaseUrl::Postgres(server.clone()))?;
            let database = ThrowawayDatabase::on(server)?;
            let place = DatabaseUrl::Postgres(url::with_database(server, &database.name));
            Database::open(&place, 1)?.read_primary_blocking(|db| store::create_schema(db, &schema))?;
            let place = url::with_schema(&url::with_database(server, &database.name), &schema);
            postgres::restore(&pg_restore, &place, archive, &schema)?;
            reconciled(&DatabaseUrl::Postgres(place))
        }
        (DatabaseKind::Postgres, DatabaseUrl::Sqlite(_)) => {
            let message =
                format!("{} is a PostgreSQL dump; name a server to verify it on", archive.path.display());
            Err(StartError::new(message))
        }
    }
}

/// Runs SQLite's integrity check on a file.
pub(super) fn look_inside(archive: &Archive, url: &DatabaseUrl) -> Result<(), StartError> {
    let db = Database::open(url, 1).map_err(|e| archive.is_damaged(&e.to_string()))?;
    match db.read_primary_blocking(store::damage) {
        Ok(None) => Ok(()),
        Ok(Some(damage)) => Err(archive.is_damaged(&damage)),
        Err(error) => Err(archive.is_damaged(&crate::log_safe::one_line(&error))),
    }
}

fn reconciled(url: &DatabaseUrl) -> Result<Reconciliation, StartError> {
    db::migrate(url)?;
    Ok(Database::open(url, 1)?.read_primary_blocking(reconcile)?)
}

struct ThrowawayFolder(PathBuf);

impl ThrowawayFolder {
    fn beside(archive: &Archive) -> Result<Self, StartError> {
        let folder = beside(&archive.path, &format!("{PROOF}{}", std::process::id()));
        fs::create_dir(&folder).map_err(io_error("created", &folder))?;
        Ok(Self(folder))
    }
}

impl Drop for ThrowawayFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            log::warn!("{} cannot be removed: {error}", self.0.display());
        }
    }
}

struct ThrowawayDatabase {
    server: DatabaseUrl,
    name: String,
}

impl ThrowawayDatabase {
    fn on(server: &str) -> Result<Self, StartError> {
        let name = format!("techkraft_proof_{:08x}", rand::rng().random::<u32>());
        let server = DatabaseUrl::Postgres(server.to_owned());
        let made = Database::open(&server, 1)?.read_primary_blocking(|db| store::create_database(db, &name));
        made.map_err(|e| {
            let hint =
                "let this user create databases (ALTER ROLE … CREATEDB), or name another server (--prove-on)";
            StartError::new(format!(
                "the database for the verification cannot be created: {}; {hint}",
                crate::log_safe::one_line(&e)
            ))
        })?;
        Ok(Self { server, name })
    }
}

impl Drop for ThrowawayDatabase {
    fn drop(&mut self) {
        let dropped = Database::open(&self.server, 1).map_err(|e| e.to_string()).and_then(|db| {
            db.read_primary_blocking(|db| store::drop_database(db, &self.name)).map_err(|e| e.to_string())
        });
        if let Err(error) = dropped {
            log::warn!("the verification's database {} cannot be removed: {error}", self.name);
        }
    }
}
