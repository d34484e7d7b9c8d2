//! The secret that everything signed hangs on. Set by `SECRET_KEY`; otherwise made once and kept: beside
//! an SQLite file, where only this user reads it, or inside PostgreSQL, where every server finds it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rand::distr::{Alphanumeric, SampleString as _};

use super::store;
use crate::config::Config;
use crate::db::Database;
use crate::error::StartError;

/// 62 characters in 64 places: 381 bits.
const LENGTH: usize = 64;

/// The secret of this site.
///
/// # Errors
/// When the place where it is kept cannot be read or written.
pub fn load(config: &Config, db: &Database) -> Result<String, StartError> {
    if let Some(secret) = &config.secret_key {
        return Ok(secret.clone());
    }
    match config.database_url.file() {
        Some(database) => load_file(&beside(database)),
        None => Ok(db.write_here(|db| store::secret(db, "signing", &generate()))?),
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".secret");
    PathBuf::from(name)
}

fn load_file(path: &Path) -> Result<String, StartError> {
    let wrong = |e: std::io::Error| {
        let mend = "make that file readable for this user, or set SECRET_KEY";
        StartError::setting("SECRET_KEY", &path.display().to_string(), &e.to_string(), mend)
    };
    if !path.exists() {
        let secret = generate();
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).and_then(|mut file| file.write_all(secret.as_bytes())).map_err(wrong)?;
        return Ok(secret);
    }
    let secret = fs::read_to_string(path).map_err(wrong)?.trim().to_owned();
    if secret.len() < LENGTH / 2 {
        let mend = "delete it and a new one is made, or set SECRET_KEY";
        return Err(StartError::setting("SECRET_KEY", &path.display().to_string(), "too short", mend));
    }
    Ok(secret)
}

fn generate() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), LENGTH)
}
