//! A backup on the disk. It is written under another name, synced, and renamed once it is proved: a file with a
//! backup's name is always complete.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{DatabaseKind, beside, io_error, sync_folder};
use crate::start_error::StartError;

const PART: &str = ".part";
const UNPROVED: &str = ".unproved";
const CHECKSUM: &str = ".sha256";
const SECRET: &str = ".secret";

/// The endings of what stands beside a backup.
pub(super) const COMPANIONS: [&str; 2] = [CHECKSUM, SECRET];
/// The endings of backups that were never finished.
pub(super) const UNFINISHED: [&str; 2] = [PART, UNPROVED];

/// A backup that is being written; gone when it is dropped before it is sealed.
#[derive(Debug)]
pub(super) struct Draft {
    part: PathBuf,
    path: PathBuf,
}

/// A backup that is whole: one that waits for its proof, or one that was found.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) path: PathBuf,
}

impl Draft {
    /// An empty file for the backup to be written into, readable for this user alone: it holds names.
    pub(super) fn create(target: &Path, name: &str) -> Result<Self, StartError> {
        let path = if target.is_dir() { target.join(name) } else { target.to_owned() };
        if path.exists() {
            let message = format!("{} is there already; a backup replaces no file", path.display());
            return Err(StartError::new(message));
        }
        let part = beside(&path, PART);
        private(&part).map_err(io_error("made", &part))?;
        Ok(Self { part, path })
    }

    /// Where it is written.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    /// Writes it through to the disk, with its checksum and the secret of an SQLite database beside it.
    pub(super) fn seal(self, database: Option<&Path>) -> Result<Archive, StartError> {
        let file = File::open(&self.part).map_err(io_error("read", &self.part))?;
        file.sync_all().map_err(io_error("written through", &self.part))?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let checksum = format!("{}  {name}\n", sha256(&self.part)?);
        let unproved = beside(&self.path, UNPROVED);
        write_beside(&self.path, CHECKSUM, checksum.as_bytes())?;
        let secret = database.map(|file| beside(file, SECRET)).filter(|file| file.exists());
        if let Some(secret) = secret {
            let text = fs::read(&secret).map_err(io_error("read", &secret))?;
            write_beside(&self.path, SECRET, &text)?;
        }
        fs::rename(&self.part, &unproved).map_err(io_error("renamed", &self.part))?;
        Ok(Archive { path: unproved })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Not there any more when it was sealed.
        let _ = fs::remove_file(&self.part);
    }
}

impl Archive {
    /// A backup that is there, and as it was when it was made as far as its checksum tells.
    pub(super) fn find(path: &Path) -> Result<Self, StartError> {
        let archive = Self { path: path.to_owned() };
        let sum = beside(&archive.final_path(), CHECKSUM);
        if !path.is_file() {
            return Err(StartError::new(format!("{}: no such file", path.display())));
        }
        if let Ok(line) = fs::read_to_string(&sum) {
            let expected = line.split_whitespace().next().unwrap_or_default();
            if sha256(path)? != expected {
                return Err(archive.is_damaged("it is not what its checksum was taken of"));
            }
        } else {
            log::warn!("{} has no checksum beside it: only what it holds can be looked at", path.display());
        }
        Ok(archive)
    }

    pub(super) fn is_damaged(&self, why: &str) -> StartError {
        StartError::new(format!("{} is damaged: {why}; use another backup", self.path.display()))
    }

    /// By its first bytes.
    pub(super) fn kind(&self) -> Result<DatabaseKind, StartError> {
        let mut head = [0; 16];
        let mut file = File::open(&self.path).map_err(io_error("read", &self.path))?;
        let read = file.read(&mut head).map_err(io_error("read", &self.path))?;
        match &head[..read] {
            b"SQLite format 3\0" => Ok(DatabaseKind::Sqlite),
            [b'P', b'G', b'D', b'M', b'P', ..] => Ok(DatabaseKind::Postgres),
            _ => Err(self.is_damaged("it is neither an SQLite file nor a dump of PostgreSQL")),
        }
    }

    /// The secret that its tickets were signed with, where it was kept beside the database.
    pub(super) fn secret(&self) -> Option<String> {
        fs::read_to_string(beside(&self.final_path(), SECRET)).ok()
    }

    /// It is proved, and gets its own name.
    pub(super) fn accept(self) -> Result<Self, StartError> {
        let path = self.final_path();
        fs::rename(&self.path, &path).map_err(io_error("renamed", &self.path))?;
        sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(Self { path })
    }

    pub(super) fn bytes(&self) -> Result<u64, StartError> {
        Ok(fs::metadata(&self.path).map_err(io_error("read", &self.path))?.len())
    }

    fn final_path(&self) -> PathBuf {
        let path = self.path.to_string_lossy();
        path.strip_suffix(UNPROVED).map_or_else(|| self.path.clone(), PathBuf::from)
    }
}

/// Writes a small file that only this user reads, through to the disk.
pub(super) fn write_beside(path: &Path, ending: &str, text: &[u8]) -> Result<(), StartError> {
    let (path, part) = (beside(path, ending), beside(path, &format!("{ending}{PART}")));
    let written = private(&part).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&part, &path)
    });
    written.map_err(io_error("written", &path))
}

/// Copies a file into one that only this user reads, through to the disk.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), StartError> {
    let mut source = File::open(from).map_err(io_error("read", from))?;
    let copied = private(to).and_then(|mut file| {
        io::copy(&mut source, &mut file)?;
        file.sync_all()
    });
    copied.map_err(io_error("written", to))
}

/// A file that only this user reads; what a run that was cut off has left there is emptied.
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
    Ok(hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
