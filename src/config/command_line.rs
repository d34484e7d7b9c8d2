//! The command line: commands and their arguments.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::Settings;

/// Where the site listens unless it is told otherwise.
pub const DEFAULT_BIND: &str = "127.0.0.1:3000";

/// The command line of `techkraft`. Not `Debug`, like the settings: they hold passwords.
#[derive(Parser)]
#[command(name = "techkraft", version, about = "Sells concert tickets, and never the same one twice.")]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub settings: Settings,
}

impl CommandLine {
    /// A command line that takes nothing from the environment or from `.env`.
    ///
    /// # Errors
    /// What is wrong with the arguments.
    pub fn without_environment<A>(arguments: impl IntoIterator<Item = A>) -> Result<Self, clap::Error>
    where
        A: Into<OsString> + Clone,
    {
        let command = Self::command().mut_args(|argument| argument.env(None::<&'static str>));
        Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }
}

impl Settings {
    /// `BIND` as typed.
    #[must_use]
    pub fn bind(&self) -> &str {
        &self.bind
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Migrate, seed when empty, and serve the site (the default)
    Serve,
    /// Serve a throwaway site full of concerts and bookings, on a database of its own that is deleted at the
    /// end; it uses no setting except BIND
    Demo,
    /// Migrate the database to the newest schema, then exit
    Migrate(MigrateArguments),
    /// Migrate, add the sample concert if there is none, then exit
    Seed,
    /// Check the health of the server that runs with these settings, for containers and scripts; exit 1 if it
    /// does not answer
    Health(HealthArguments),
    /// Recount everything and print the table; exit 1 if anything is wrong
    Verify(VerifyArguments),
    /// Write a backup while the site is selling, and verify it by restoring it into a temporary database
    Backup(BackupArguments),
    /// Restore a backup into an empty database, and verify it
    Restore(RestoreArguments),
    /// Let simulated buyers book a copy of a concert through the running site, and print what was measured; exit 1 if
    /// the counts do not add up
    Rehearse(RehearseArguments),
    /// Check a place that was drawn in a waiting room
    #[command(subcommand)]
    Draw(DrawCommand),
    /// Set the admin password, from a prompt or from standard input, then exit
    SetAdminPassword,
    /// Create a temporary password, valid for one day, to sign in and choose another
    ResetAdminPassword,
    /// Remove an account's second factor, for somebody who has lost the phone and the recovery codes
    ResetSecondFactor(ResetSecondFactorArguments),
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ResetSecondFactorArguments {
    /// The account
    #[arg(default_value = "admin")]
    pub username: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct MigrateArguments {
    /// Grant this role of PostgreSQL read and write access to the tables, and nothing else: the role of the
    /// servers' DATABASE_URL, when another one owns the tables and runs this command
    #[arg(long, value_name = "ROLE")]
    pub grant_to: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RehearseArguments {
    /// The concert, as its address names it
    pub concert: String,
    /// How many buyers
    #[arg(long, value_name = "N", default_value = "1000")]
    pub buyers: i32,
    /// How long it takes at most
    #[arg(long, value_name = "M", default_value = "5")]
    pub minutes: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum DrawCommand {
    /// Compute a place's draw from what the waiting room's page shows; exit 1 if the seed is not the one whose
    /// fingerprint was shown before. Needs no database
    Check(DrawArguments),
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct DrawArguments {
    /// The seed, as the page shows it after the draw
    pub seed: String,
    /// Your number
    pub number: String,
    /// The fingerprint of the seed, as the page showed it before the draw
    #[arg(long, value_name = "SHA-256")]
    pub fingerprint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct HealthArguments {
    /// Ask whether visitors should be sent to it (/readyz), not only whether it runs (/healthz)
    #[arg(long)]
    pub ready: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct VerifyArguments {
    /// Also write the result to a file for node_exporter's textfile collector (Prometheus)
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
}

#[derive(Clone, PartialEq, Eq, Args)]
pub struct BackupArguments {
    /// A folder, where the backup is named after the time, or a new file
    pub path: PathBuf,
    /// Keep this many of the latest backups in the folder, and remove older ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: Option<u32>,
    /// Also keep the last backup of each day, for this many days
    #[arg(long, value_name = "N", requires = "keep", default_value = "0")]
    pub keep_days: u32,
    /// The PostgreSQL server on which each backup is verified, in a temporary database, as DATABASE_URL
    /// [default: the one that is backed up]
    #[arg(long, value_name = "URL", env = "BACKUP_PROVE_ON", hide_env_values = true)]
    pub prove_on: Option<String>,
    /// After a success, also write a file for node_exporter's textfile collector (Prometheus)
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
}

/// Without the URL, which may hold a password.
impl std::fmt::Debug for BackupArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackupArguments").field("path", &self.path).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RestoreArguments {
    /// The backup file
    pub path: PathBuf,
    /// Restore even if there is a database already; it is set aside, not deleted
    #[arg(long)]
    pub overwrite: bool,
}
