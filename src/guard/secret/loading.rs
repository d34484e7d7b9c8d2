//! Where the secret comes from: the setting, a file beside the SQLite database, or PostgreSQL.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rand::distr::{Alphanumeric, SampleString as _};

use super::Secrets;
use super::strength::weakness;
use crate::db::Database;
use crate::guard::store;
use crate::start_error::StartError;

/// 64 characters out of 62: 381 bits.
const LENGTH: usize = 64;

/// The secrets that were set.
#[derive(Clone, Default)]
pub struct SecretConfig {
    pub current: Option<String>,
    pub previous: Vec<String>,
}

impl fmt::Debug for SecretConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretConfig({} previous)", self.previous.len())
    }
}

/// The site's secrets: `SECRET_KEY`, or else the generated secret. That one is in a file beside the SQLite
/// database, or in PostgreSQL, where all servers find it. `None`: there is neither. If `SECRET_KEY` is set,
/// the generated secret counts as a previous one: it signed the tickets that were sold before.
///
/// # Errors
/// If the generated secret cannot be read.
pub fn find(config: &SecretConfig, db: &Database) -> Result<Option<Secrets>, StartError> {
    let generated = || match db.file() {
        Some(database) => read_file(&beside(database)),
        None => Ok(db.read_primary_blocking(|db| store::find(db, SIGNING))?),
    };
    let Some(current) = config.current.clone() else {
        return Ok(generated()?.map(|current| Secrets::new(current, config.previous.clone())));
    };
    let generated = generated().unwrap_or_else(|error| {
        log::warn!("cannot read the generated secret, so SECRET_KEY is used alone: {error}");
        None
    });
    Ok(Some(Secrets::new(current, config.previous.iter().cloned().chain(generated).collect())))
}

/// Generates the site's secret and stores it. Servers that start together get the same one.
///
/// # Errors
/// If it cannot be written.
pub fn make(config: &SecretConfig, db: &Database) -> Result<Secrets, StartError> {
    let current = match db.file() {
        Some(database) => write_file(&beside(database))?,
        None => db.write_blocking(|db| store::secret(db, SIGNING, &generate()))?,
    };
    Ok(Secrets::new(current, config.previous.clone()))
}

/// The generated secret's name in PostgreSQL.
const SIGNING: &str = "signing";

/// The file of the generated secret.
fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".secret");
    PathBuf::from(name)
}

/// `None`: there is no such file.
fn read_file(path: &Path) -> Result<Option<String>, StartError> {
    if !path.exists() {
        return Ok(None);
    }
    let secret = fs::read_to_string(path).map_err(|e| unusable(path, &e))?.trim().to_owned();
    match weakness(&secret) {
        Some(what) => {
            let hint = "put the right file there, or set SECRET_KEY";
            Err(StartError::setting("SECRET_KEY", &path.display().to_string(), what, hint))
        }
        None => Ok(Some(secret)),
    }
}

fn write_file(path: &Path) -> Result<String, StartError> {
    let secret = generate();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(secret.as_bytes())?;
        file.sync_all()
    });
    match written {
        Ok(()) => Ok(secret),
        // Another server was faster.
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            read_file(path)?.ok_or_else(|| unusable(path, &e))
        }
        Err(e) => Err(unusable(path, &e)),
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> StartError {
    let hint = "make the file readable for this user, or set SECRET_KEY";
    StartError::setting("SECRET_KEY", &path.display().to_string(), &error.to_string(), hint)
}

fn generate() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_secrets_are_strong() {
        for _ in 0..50 {
            assert_eq!(weakness(&generate()), None);
        }
    }
}
