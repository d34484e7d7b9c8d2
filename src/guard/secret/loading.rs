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

/// Loads the site's secrets: from `SECRET_KEY`, from a file beside the SQLite database, or from PostgreSQL, where all
/// servers find it. The first start without a setting generates one.
///
/// # Errors
/// If the secret cannot be read or written.
pub fn load(config: &SecretConfig, db: &Database) -> Result<Secrets, StartError> {
    let current = match (&config.current, db.file()) {
        (Some(secret), _) => secret.clone(),
        (None, Some(database)) => load_file(&beside(database))?,
        (None, None) => db.write_blocking(|db| store::secret(db, "signing", &generate()))?,
    };
    Ok(Secrets::new(current, config.previous.clone()))
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".secret");
    PathBuf::from(name)
}

fn load_file(path: &Path) -> Result<String, StartError> {
    let wrong = |what: &str, hint| StartError::setting("SECRET_KEY", &path.display().to_string(), what, hint);
    let unreadable =
        |e: std::io::Error| wrong(&e.to_string(), "make the file readable for this user, or set SECRET_KEY");
    if !path.exists() {
        let secret = generate();
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).and_then(|mut file| file.write_all(secret.as_bytes())).map_err(unreadable)?;
        return Ok(secret);
    }
    let secret = fs::read_to_string(path).map_err(unreadable)?.trim().to_owned();
    match weakness(&secret) {
        Some(what) => Err(wrong(what, "delete the file to get a new secret, or set SECRET_KEY")),
        None => Ok(secret),
    }
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
