//! `techkraft demo`: a throwaway site full of concerts and bookings, for people who want to see the program
//! before they have anything to sell.
//!
//! It has a database of its own in a temporary folder, and takes no setting but `BIND`: whatever site the environment
//! and `.env` speak of, its database is not opened, its secrets are not used, and no mail is sent. When the program
//! stops, the folder is deleted.
//!
//! The concert that a new site starts with does not belong here: see `events::seed`.

mod concerts;
mod history;
mod people;
mod program;
mod store;
mod visitors;

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, thread};

use actix_web::web;
use chrono::Utc;
use log::LevelFilter;

use self::visitors::Visitors;
use crate::app::App;
use crate::audit::Actor;
use crate::auth::store::accounts::{self, NewPassword};
use crate::auth::{USERNAME, password};
use crate::config::{CommandLine, Config, DEFAULT_BIND, Settings};
use crate::db::{self, Database};
use crate::log_safe::one_line;
use crate::page::{self, DemoAccount};
use crate::server::{self, Started};
use crate::start_error::StartError;
use crate::tickets::code::Code;
use crate::tickets::signers;

const REMOVAL_TRIES: usize = 10;
const REMOVAL_PAUSE: Duration = Duration::from_millis(50);

/// A demo whose database is filled.
pub struct Demo {
    config: Config,
    to_come: Vec<Code>,
    account: &'static DemoAccount,
    folder: DemoFolder,
}

impl Demo {
    /// Makes the folder, and the history in it. Of the settings only `BIND` is used.
    ///
    /// # Errors
    /// One line that says what went wrong.
    pub fn prepare(settings: &Settings) -> Result<Self, StartError> {
        let folder = DemoFolder::create()?;
        let config = config(settings.bind(), &folder.0)?;
        let password = password::generate();
        // The history is made up, and log lines about it would push the sign-in out of sight. So from here on
        // only warnings are logged; with `RUST_LOG`, only until the history is made.
        let level = log::max_level();
        log::set_max_level(LevelFilter::Warn);
        let to_come = fill(&config, &password);
        if env::var_os("RUST_LOG").is_some() {
            log::set_max_level(level);
        }
        let to_come = to_come?;
        let account = page::this_is_a_demo(DemoAccount { username: USERNAME, password });
        Ok(Self { config, to_come, account, folder })
    }

    /// The settings that its server starts with.
    #[must_use]
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// Says where it is, and lets visitors come. Called inside actix's runtime.
    pub fn open(&mut self, started: &Started) {
        let url = &started.public_url;
        println!("TechKraft Tickets  {url}");
        println!("Admin              {url}/admin");
        println!("Sign in as         {}", self.account.username);
        println!("Password           {}", self.account.password);
        println!(
            "This is a demo: everything is made up, no mail is sent, and all of it is deleted at the end (Ctrl+C)."
        );
        log::info!("the demo's files are in {}", self.folder.0.display());
        let visitors = Visitors::new(std::mem::take(&mut self.to_come));
        let app: web::Data<App> = started.app.clone();
        actix_web::rt::spawn(visitors.keep_coming(app));
    }
}

/// Makes the database, the account, and the history. Returns the tickets that are still to come to the gate.
fn fill(config: &Config, password: &str) -> Result<Vec<Code>, StartError> {
    db::migrate(&config.database_url)?;
    let new = NewPassword { hash: server::hash(password)?, first_password_ends_at: None };
    Database::briefly(&config.database_url, |db| {
        // Before anything is sold: a server does not start without the secret of tickets that are sold.
        signers::load(&config.secrets, db)?;
        db.write_blocking(|db| accounts::insert(db, USERNAME, &new, &Actor::server()))?;
        history::make(db, Utc::now().naive_utc())
    })
}

/// The settings of a demo in that folder. Nothing is taken from the environment.
fn config(bind: &str, folder: &Path) -> Result<Config, StartError> {
    let mut database = OsString::from("sqlite:");
    database.push(folder.join("demo.db"));
    let arguments = [
        "techkraft".into(),
        "--bind".into(),
        free(bind).into(),
        "--database-url".into(),
        database,
        "--mail-dir".into(),
        folder.join("mail").into_os_string(),
        // A reset would leave nothing but the sample concert.
        "--allow-reseed".into(),
        "false".into(),
    ];
    let line = CommandLine::without_environment(arguments).map_err(|e| StartError::new(one_line(&e)))?;
    Config::new(&line.settings)
}

/// The usual port may be another site's on this machine: then the kernel picks one that is free.
fn free(bind: &str) -> &str {
    if bind == DEFAULT_BIND && TcpListener::bind(bind).is_err() { "127.0.0.1:0" } else { bind }
}

/// Deleted with everything in it when the demo ends.
struct DemoFolder(PathBuf);

impl DemoFolder {
    fn create() -> Result<Self, StartError> {
        // Nobody else knows the name, and a folder that is there already is not taken.
        let folder = env::temp_dir().join(format!("techkraft-demo-{:016x}", rand::random::<u64>()));
        match fs::create_dir(&folder) {
            Ok(()) => Ok(Self(folder)),
            Err(e) => {
                let place = folder.display();
                Err(StartError::new(format!("the demo's folder {place} cannot be made: {e}; set TMPDIR")))
            }
        }
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        let mut removed = fs::remove_dir_all(&self.0);
        for _ in 0..REMOVAL_TRIES {
            // A thread may just have written its last file.
            if removed.is_ok() {
                return;
            }
            thread::sleep(REMOVAL_PAUSE);
            removed = fs::remove_dir_all(&self.0);
        }
        if let Err(error) = removed {
            log::warn!("{} cannot be removed: {error}", self.0.display());
        }
    }
}
