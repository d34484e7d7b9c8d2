//! Restores a backup. Existing content is never deleted: it is renamed, and the result names it.

use std::fs;
use std::path::{Path, PathBuf};

use super::archive::{Archive, copy, write_beside};
use super::{DatabaseKind, beside, io_error, postgres, proof, stamp, store, sync_folder};
use crate::db::{self, Database, DatabaseUrl, pooler};
use crate::error::Error;
use crate::guard::secret::{self, SECRET_ENDING, SecretConfig};
use crate::log_safe::one_line;
use crate::reconciliation::{Reconciliation, reconcile};
use crate::start_error::StartError;
use crate::tickets::signers;

/// The result of a restore.
#[derive(Debug)]
pub struct Restored {
    /// The reconciliation of the restored database.
    pub books: Reconciliation,
    /// Where the previous content is now.
    pub aside: Option<String>,
    /// Warnings for the operator.
    pub remarks: Vec<String>,
}

/// Restores a backup into `DATABASE_URL` and reconciles it there. It is not migrated; the server does that when it
/// starts.
///
/// # Errors
/// One line: the backup is damaged or of the other kind of database, the database is not empty and `overwrite` is not
/// set, or other clients are connected. Nothing has been changed then, unless the line says that it was restored.
pub fn restore(
    url: &DatabaseUrl,
    path: &Path,
    overwrite: bool,
    secrets: &SecretConfig,
) -> Result<Restored, StartError> {
    let archive = Archive::find(path)?;
    let (kind, wanted) = (archive.kind()?, DatabaseKind::of(url));
    if kind != wanted {
        let wrong = format!("{} is a backup of {}", path.display(), kind.name());
        let hint = format!("name a database of {}", kind.name());
        return Err(StartError::setting("DATABASE_URL", &url.to_string(), &wrong, &hint));
    }
    let mut remarks = Vec::new();
    let aside = match url {
        DatabaseUrl::Sqlite(file) => {
            let aside = restore_sqlite(&archive, file, overwrite)?;
            remarks.extend(restore_secret(&archive, file)?);
            aside.map(|it| it.display().to_string())
        }
        DatabaseUrl::Postgres(place) => restore_postgres(&archive, url, place, overwrite)?,
    };
    let (books, warning) = Database::briefly(url, |db| {
        let counted = db.write_blocking(|db| {
            store::raise_versions(db)?;
            store::skip_lost_ids(db)?;
            reconcile(db)
        });
        let books = counted.map_err(|e| {
            let hint = "if an older release wrote it, run `techkraft migrate` and `techkraft verify` now";
            let why = one_line(&e);
            StartError::new(format!("it was restored, but its counts cannot be read: {why}; {hint}"))
        })?;
        Ok((books, signers::warning(secret::find(secrets, db)?.as_ref(), db)?))
    })?;
    remarks.extend(warning.map(|warning| format!("Warning: {warning}.")));
    Ok(Restored { books, aside, remarks })
}

fn restore_sqlite(archive: &Archive, file: &Path, overwrite: bool) -> Result<Option<PathBuf>, StartError> {
    let part = beside(file, ".restoring");
    copy(&archive.path, &part)?;
    let restored = proof::look_inside(archive, &DatabaseUrl::Sqlite(part.clone()))
        .and_then(|()| make_room(file, overwrite))
        .and_then(|aside| {
            fs::rename(&part, file).map_err(io_error("renamed", &part))?;
            sync_folder(file.parent().unwrap_or(Path::new(".")))?;
            Ok(aside)
        });
    if restored.is_err() {
        let _ = fs::remove_file(&part);
    }
    restored
}

/// Gives the existing database file a second name, so that a database exists at every moment. Its WAL has been
/// written back and removed by then.
fn make_room(file: &Path, overwrite: bool) -> Result<Option<PathBuf>, StartError> {
    let setting = |wrong: &str, hint: &str| {
        StartError::setting("DATABASE_URL", &format!("sqlite:{}", file.display()), wrong, hint)
    };
    if !file.exists() {
        // SQLite would replay the WAL of another file into this one.
        let stray =
            ["-wal", "-shm", "-journal"].map(|it| beside(file, it)).into_iter().find(|it| it.exists());
        return match stray {
            Some(stray) => {
                let wrong = format!("{} exists without its database", stray.display());
                Err(setting(&wrong, "move it away first"))
            }
            None => Ok(None),
        };
    }
    let unusable = |e: &dyn std::fmt::Display| {
        let wrong = format!("its previous content cannot be set aside: {}", one_line(&e));
        setting(
            &wrong,
            "stop the programs that use it; if it is damaged, move it away with its -wal and -shm",
        )
    };
    let has_content = Database::briefly(&DatabaseUrl::Sqlite(file.to_owned()), |db| {
        let has_content = db.read_primary_blocking(store::has_tables).map_err(|e| unusable(&e))?;
        if has_content && !overwrite {
            return Err(setting("a database already exists there", "--overwrite sets it aside"));
        }
        db.read_primary_blocking(store::lock_exclusively).map_err(|e| unusable(&e))?;
        Ok(has_content)
    })?;
    if !has_content {
        return Ok(None);
    }
    let aside = beside(file, &format!(".before-{}", stamp()));
    fs::hard_link(file, &aside).map_err(|e| unusable(&e))?;
    Ok(Some(aside))
}

/// Restores the secret that signed the backup's tickets, if none exists yet.
fn restore_secret(archive: &Archive, file: &Path) -> Result<Option<String>, StartError> {
    let there = beside(file, SECRET_ENDING);
    let Some(secret) = archive.secret() else {
        let remark = "The backup has no secret: set SECRET_KEY to the one that signed its tickets.";
        return Ok((!there.exists()).then(|| remark.into()));
    };
    if !there.exists() {
        write_beside(file, SECRET_ENDING, secret.as_bytes())?;
        return Ok(None);
    }
    let is_same = fs::read_to_string(&there).is_ok_and(|it| it.trim() == secret.trim());
    let remark = format!(
        "{} differs from the backup's secret: put the backup's into SECRET_KEY_PREVIOUS, or its tickets are refused.",
        there.display()
    );
    Ok((!is_same).then_some(remark))
}

fn restore_postgres(
    archive: &Archive,
    url: &DatabaseUrl,
    place: &str,
    overwrite: bool,
) -> Result<Option<String>, StartError> {
    let schema = postgres::schema(archive)?;
    pooler::check(url)?;
    let pg_restore = postgres::program_for(archive, url)?;
    let db = Database::open(url, 1)?;
    let setting =
        |wrong: &str, hint: &str| StartError::setting("DATABASE_URL", &url.to_string(), wrong, hint);
    // Held by the only connection until it is closed: a server that starts meanwhile waits before it migrates, and
    // would otherwise sell in the empty schema.
    if !db.read_primary_blocking(db::hold_migrations)? {
        return Err(setting("a server is starting on it", "stop the servers first"));
    }
    let has_content = db.read_primary_blocking(|db| store::schema_has_tables(db, &schema))?;
    if has_content && !overwrite {
        let wrong = format!("its schema {schema} already has tables");
        return Err(setting(&wrong, "name an empty database, or --overwrite sets them aside"));
    }
    if has_content && db.read_primary_blocking(store::others)? > 0 {
        return Err(setting("other clients are connected to it", "stop the servers first"));
    }
    let aside = has_content.then(|| format!("{schema}_before_{}", stamp().to_lowercase()));
    let made = db.write_blocking(|db| match &aside {
        Some(aside) => store::set_aside(db, &schema, aside),
        None => store::create_schema(db, &schema),
    });
    made.map_err(|e: Error| setting(&one_line(&e), "name an empty database that this user owns"))?;
    if let Err(error) = postgres::restore(&pg_restore, place, archive, &schema) {
        if let Some(aside) = &aside {
            db.write_blocking(|db| store::put_back(db, &schema, aside))?;
        }
        return Err(error);
    }
    db.read_primary_blocking(store::analyze)?;
    match db.read_primary_blocking(store::current_schema)? {
        Some(current) if current == schema => Ok(aside),
        _ => Err(setting(
            &format!(
                "the backup was restored into the schema {schema}, which is not the first in its search_path"
            ),
            "correct the search_path",
        )),
    }
}
