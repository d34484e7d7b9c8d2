//! The way back. What was there is never lost: it is set aside, under a name that is told.

use std::fs;
use std::path::{Path, PathBuf};

use super::archive::{Archive, copy, write_beside};
use super::{DatabaseKind, beside, io_error, postgres, proof, stamp, store, sync_folder};
use crate::db::Database;
use crate::db::DatabaseUrl;
use crate::error::Error;
use crate::log_safe::one_line;
use crate::reconciliation::{Reconciliation, reconcile};
use crate::start_error::StartError;

/// What a restoration has come to.
#[derive(Debug)]
pub struct Restored {
    /// The books, counted in the database that was restored.
    pub books: Reconciliation,
    /// Where the former content is now.
    pub aside: Option<String>,
    /// What else has to be known.
    pub remarks: Vec<String>,
}

/// Puts a backup where `DATABASE_URL` says, as it is: who starts a server on it migrates it. Then its books
/// are counted there.
///
/// # Errors
/// One line, and nothing has been changed: the backup is damaged or of another database, there is content and
/// `overwrite` is not set, or somebody is connected.
pub fn restore(url: &DatabaseUrl, path: &Path, overwrite: bool) -> Result<Restored, StartError> {
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
    let counted = Database::open(url, 1)?.write_blocking(|db| {
        store::raise_versions(db)?;
        reconcile(db)
    });
    let books = counted.map_err(|e| {
        let hint = "if it is of an older release, `techkraft migrate` and `techkraft verify` go on from here";
        StartError::new(format!("it was restored, but its counts cannot be read: {}; {hint}", one_line(&e)))
    })?;
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

/// Gives the former database a second name, so that at no moment there is none; its WAL is gone by then.
fn make_room(file: &Path, overwrite: bool) -> Result<Option<PathBuf>, StartError> {
    let setting = |wrong: &str, hint: &str| {
        StartError::setting("DATABASE_URL", &format!("sqlite:{}", file.display()), wrong, hint)
    };
    if !file.exists() {
        // A log of another file would be played into this one.
        let stray =
            ["-wal", "-shm", "-journal"].map(|it| beside(file, it)).into_iter().find(|it| it.exists());
        return match stray {
            Some(stray) => {
                let wrong = format!("{} is there without its database", stray.display());
                Err(setting(&wrong, "move it away first"))
            }
            None => Ok(None),
        };
    }
    let unusable = |e: &dyn std::fmt::Display| {
        let wrong = format!("its former content cannot be set aside: {}", one_line(&e));
        setting(&wrong, "stop what uses it, or, when it is damaged, move it away with its -wal and -shm")
    };
    let db = Database::open(&DatabaseUrl::Sqlite(file.to_owned()), 1)?;
    let has_content = db.read_primary_blocking(store::has_tables).map_err(|e| unusable(&e))?;
    if has_content && !overwrite {
        return Err(setting("there is a database already", "--overwrite sets it aside"));
    }
    db.read_primary_blocking(store::have_for_oneself).map_err(|e| unusable(&e))?;
    drop(db);
    if !has_content {
        return Ok(None);
    }
    let aside = beside(file, &format!(".before-{}", stamp()));
    fs::hard_link(file, &aside).map_err(|e| unusable(&e))?;
    Ok(Some(aside))
}

/// The secret that the backup's tickets are signed with, when there is none yet.
fn restore_secret(archive: &Archive, file: &Path) -> Result<Option<String>, StartError> {
    let there = beside(file, ".secret");
    let Some(secret) = archive.secret() else {
        let remark = "No secret came with it: SECRET_KEY must be the one that its tickets were signed with.";
        return Ok((!there.exists()).then(|| remark.into()));
    };
    if !there.exists() {
        write_beside(file, ".secret", secret.as_bytes())?;
        return Ok(None);
    }
    let is_same = fs::read_to_string(&there).is_ok_and(|it| it.trim() == secret.trim());
    let remark = format!(
        "{} is another secret than the backup's: put the backup's into SECRET_KEY_PREVIOUS, or its tickets are refused.",
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
    let db = Database::open(url, 1)?;
    let setting =
        |wrong: &str, hint: &str| StartError::setting("DATABASE_URL", &url.to_string(), wrong, hint);
    let has_content = db.read_primary_blocking(|db| store::schema_has_tables(db, &schema))?;
    if has_content && !overwrite {
        let wrong = format!("there are tables in its schema {schema} already");
        return Err(setting(&wrong, "name an empty database, or --overwrite sets them aside"));
    }
    if has_content && db.read_primary_blocking(store::others)? > 0 {
        return Err(setting("others are connected to it", "stop the servers first"));
    }
    let aside = has_content.then(|| format!("{schema}_before_{}", stamp().to_lowercase()));
    let made = db.write_blocking(|db| match &aside {
        Some(aside) => store::set_aside(db, &schema, aside),
        None => store::create_schema(db, &schema),
    });
    made.map_err(|e: Error| setting(&one_line(&e), "name an empty database that this user owns"))?;
    if let Err(error) = postgres::restore(place, archive, &schema) {
        if let Some(aside) = &aside {
            db.write_blocking(|db| store::put_back(db, &schema, aside))?;
        }
        return Err(archive.is_damaged(&error.to_string()));
    }
    db.read_primary_blocking(store::analyze)?;
    match db.read_primary_blocking(store::current_schema)? {
        Some(current) if current == schema => Ok(aside),
        _ => Err(setting(
            &format!(
                "the backup is restored into the schema {schema}, which its search_path does not name first"
            ),
            "correct the search_path",
        )),
    }
}
