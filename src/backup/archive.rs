//! A backup file on disk. It is written under a temporary name, synced, and renamed after it was verified, so a
//! file with a backup's name is always complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{DatabaseKind, beside, io_error, sync_folder};
use crate::db::wal::{has_log, lacks_log};
use crate::guard::secret::SECRET_ENDING;
use crate::start_error::StartError;

pub(super) const PART: &str = ".part";
pub(super) const UNPROVED: &str = ".unproved";
/// After the name of an unproved backup, and before a number: the folder of its proof.
pub(super) const PROOF: &str = ".proof-";
const CHECKSUM: &str = ".sha256";

/// Suffixes of the files that belong to a backup. They follow its name, which ends in `.unproved` until it is verified:
/// so the companions of a failed backup are never taken for those of a complete one.
pub(super) const COMPANIONS: [&str; 2] = [CHECKSUM, SECRET_ENDING];

/// A backup that is being written. Dropping it before [`Draft::seal`] removes the file.
#[derive(Debug)]
pub(super) struct Draft {
    part: PathBuf,
    path: PathBuf,
}

/// A complete backup file, verified or not.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) path: PathBuf,
}

impl Draft {
    /// Creates an empty file that only this user can read, because a backup holds personal data.
    pub(super) fn create(target: &Path, name: &str) -> Result<Self, StartError> {
        let path = if target.is_dir() { target.join(name) } else { target.to_owned() };
        if path.exists() {
            let message = format!("{} already exists; a backup never replaces a file", path.display());
            return Err(StartError::new(message));
        }
        let part = beside(&path, PART);
        private(&part).map_err(io_error("created", &part))?;
        Ok(Self { part, path })
    }

    /// The temporary file.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    /// Syncs the file to disk and writes its checksum and, for SQLite, the secret beside it.
    pub(super) fn seal(self, database: Option<&Path>) -> Result<Archive, StartError> {
        let file = File::open(&self.part).map_err(io_error("read", &self.part))?;
        file.sync_all().map_err(io_error("synced", &self.part))?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let checksum = format!("{}  {name}\n", sha256(&self.part)?);
        let unproved = beside(&self.path, UNPROVED);
        write_beside(&unproved, CHECKSUM, checksum.as_bytes())?;
        let secret = database.map(|file| beside(file, SECRET_ENDING)).filter(|file| file.exists());
        if let Some(secret) = secret {
            let text = fs::read(&secret).map_err(io_error("read", &secret))?;
            write_beside(&unproved, SECRET_ENDING, &text)?;
        }
        fs::rename(&self.part, &unproved).map_err(io_error("renamed", &self.part))?;
        Ok(Archive { path: unproved })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Fails after `seal`, which has renamed the file.
        let _ = fs::remove_file(&self.part);
    }
}

impl Archive {
    /// Opens an existing backup and verifies its checksum.
    pub(super) fn find(path: &Path) -> Result<Self, StartError> {
        let archive = Self { path: path.to_owned() };
        let sum = archive.companion(CHECKSUM);
        if !path.is_file() {
            return Err(StartError::new(format!("{}: no such file", path.display())));
        }
        if has_log(path) {
            let path = path.display();
            return Err(StartError::new(format!(
                "{path} has a separate log, {path}-wal; merge the two first, with `DATABASE_URL=sqlite:{path} techkraft verify`"
            )));
        }
        if lacks_log(path) {
            let path = path.display();
            return Err(StartError::new(format!(
                "{path} was copied without its log ({path}-wal), and the last bookings are not in it; put that file beside it, or use another backup"
            )));
        }
        if let Ok(line) = fs::read_to_string(&sum) {
            let expected = line.split_whitespace().next().unwrap_or_default();
            if sha256(path)? != expected {
                return Err(archive.is_damaged("it does not match its checksum"));
            }
        } else {
            log::warn!("{} has no checksum file: only its content is checked", path.display());
        }
        Ok(archive)
    }

    pub(super) fn is_damaged(&self, why: &str) -> StartError {
        StartError::new(format!("{} is damaged: {why}; use another backup", self.path.display()))
    }

    /// The kind of database, from the first bytes of the file.
    pub(super) fn kind(&self) -> Result<DatabaseKind, StartError> {
        let mut head = [0; 16];
        let mut file = File::open(&self.path).map_err(io_error("read", &self.path))?;
        let read = file.read(&mut head).map_err(io_error("read", &self.path))?;
        match &head[..read] {
            b"SQLite format 3\0" => Ok(DatabaseKind::Sqlite),
            [b'P', b'G', b'D', b'M', b'P', ..] => Ok(DatabaseKind::Postgres),
            _ => Err(self.is_damaged("it is neither an SQLite file nor a PostgreSQL dump")),
        }
    }

    /// The secret that signed its tickets, if it was stored beside the database.
    pub(super) fn secret(&self) -> Option<String> {
        fs::read_to_string(self.companion(SECRET_ENDING)).ok()
    }

    /// Renames a verified backup to its final name, after its companions: a backup has them from the start.
    pub(super) fn accept(self) -> Result<Self, StartError> {
        let path = self.final_path();
        for ending in COMPANIONS {
            let unproved = beside(&self.path, ending);
            if unproved.exists() {
                fs::rename(&unproved, beside(&path, ending)).map_err(io_error("renamed", &unproved))?;
            }
        }
        fs::rename(&self.path, &path).map_err(io_error("renamed", &self.path))?;
        sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(Self { path })
    }

    pub(super) fn bytes(&self) -> Result<u64, StartError> {
        Ok(fs::metadata(&self.path).map_err(io_error("read", &self.path))?.len())
    }

    /// The path of a companion. That of an unproved backup has the final name if an older release wrote it.
    fn companion(&self, ending: &str) -> PathBuf {
        let own = beside(&self.path, ending);
        if own.exists() { own } else { beside(&self.final_path(), ending) }
    }

    fn final_path(&self) -> PathBuf {
        let path = self.path.to_string_lossy();
        path.strip_suffix(UNPROVED).map_or_else(|| self.path.clone(), PathBuf::from)
    }
}

/// Writes a small file that only this user can read, and syncs it.
pub(super) fn write_beside(path: &Path, ending: &str, text: &[u8]) -> Result<(), StartError> {
    let (path, part) = (beside(path, ending), beside(path, &format!("{ending}{PART}")));
    let written = private(&part).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&part, &path)
    });
    written.map_err(io_error("written", &path))
}

/// Copies a file to one that only this user can read, and syncs it.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), StartError> {
    let mut source = File::open(from).map_err(io_error("read", from))?;
    let copied = private(to).and_then(|mut file| {
        io::copy(&mut source, &mut file)?;
        file.sync_all()
    });
    copied.map_err(io_error("written", to))
}

/// Creates a file that only this user can read, and truncates the remains of an interrupted run.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn sha256(path: &Path) -> Result<String, StartError> {
    let mut file = File::open(path).map_err(io_error("read", path))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(io_error("read", path))? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hex::encode(hash.finalize()))
}
