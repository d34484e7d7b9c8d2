//! Where the secret comes from: the setting, a file beside the SQLite database, or PostgreSQL.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use rand::distr::{Alphanumeric, SampleString as _};

use super::Secrets;
use super::strength::weakness;
use crate::db::Database;
use crate::guard::store;
use crate::start_error::StartError;

/// The suffix of the file of the generated secret, which stands beside the SQLite file.
pub const SECRET_ENDING: &str = ".secret";

/// 64 characters, each one of 62: 381 bits.
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
/// If there is no `SECRET_KEY`, and the generated secret cannot be read.
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
    with_ending(database, SECRET_ENDING)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
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

/// Writes a new secret to a file of its own and gives it its name when it is complete: another server that starts reads
/// the whole secret or none.
fn write_file(path: &Path) -> Result<String, StartError> {
    let secret = generate();
    let new = with_ending(path, &format!(".{}", Alphanumeric.sample_string(&mut rand::rng(), 8)));
    let placed = write_new(&new, &secret).and_then(|()| place(&new, path, &secret));
    // If it stays, it is a file that nobody reads.
    drop(fs::remove_file(&new));
    match placed {
        Ok(()) => Ok(secret),
        // Another server was faster.
        Err(e) if e.kind() == ErrorKind::AlreadyExists => read_file(path)?.ok_or_else(|| unusable(path, &e)),
        Err(e) => Err(unusable(path, &e)),
    }
}

/// Gives a file its name, unless there is one with that name already.
fn place(new: &Path, path: &Path, secret: &str) -> io::Result<()> {
    match fs::hard_link(new, path) {
        // Some file systems have no links.
        Err(e) if e.kind() != ErrorKind::AlreadyExists => write_new(path, secret),
        placed => placed,
    }
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, secret: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()
}

fn unusable(path: &Path, error: &io::Error) -> StartError {
    let hint = "make the file readable for this user, or set SECRET_KEY";
    StartError::setting("SECRET_KEY", &path.display().to_string(), &error.to_string(), hint)
}

fn generate() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), LENGTH)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn servers_that_start_together_get_the_same_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        for round in 0..20 {
            let (path, barrier) = (folder.path().join(format!("{round}.secret")), Barrier::new(4));
            let (path, barrier) = (&path, &barrier);
            let secrets: Vec<String> = thread::scope(|scope| {
                let start = |_| {
                    scope.spawn(move || {
                        barrier.wait();
                        write_file(path).expect("a secret")
                    })
                };
                let servers: Vec<_> = (0..4).map(start).collect();
                servers.into_iter().map(|server| server.join().expect("a server")).collect()
            });
            assert!(secrets.iter().all(|secret| *secret == secrets[0]), "round {round}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 20, "nothing else stays");
    }

    #[test]
    fn generated_secrets_are_strong() {
        for _ in 0..50 {
            assert_eq!(weakness(&generate()), None);
        }
    }
}
