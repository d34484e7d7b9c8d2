//! What can be typed behind `techkraft`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::Settings;

/// The command line of `techkraft`. Not `Debug`, like the settings: they hold passwords.
#[derive(Parser)]
#[command(name = "techkraft", version, about = "Sells concert tickets, and never one twice.")]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Migrate, seed when empty, and serve the site (the default)
    Serve,
    /// Bring the database to the newest schema, and stop
    Migrate,
    /// Migrate, add the concert of the seed when there is none, and stop
    Seed,
    /// Count everything again and print the table; exit 1 when anything is untrue
    Verify(VerifyArguments),
    /// Write a backup while the site sells, and prove it by restoring it into a throwaway place
    Backup(BackupArguments),
    /// Put a backup in place of an empty database, and verify it
    Restore(RestoreArguments),
    /// Set the admin's password, asked for at the terminal or read from standard input, and stop
    SetAdminPassword,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct VerifyArguments {
    /// Also tell the outcome to Prometheus, in a file for node_exporter's textfile collector
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
}

#[derive(Clone, PartialEq, Eq, Args)]
pub struct BackupArguments {
    /// A folder, where the backup is named after its time, or a file that is not there yet
    pub path: PathBuf,
    /// Remove older backups of the folder, but for so many of the latest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep: Option<u32>,
    /// And but for the last one of each day, for so many days back
    #[arg(long, value_name = "N", requires = "keep", default_value = "0")]
    pub keep_days: u32,
    /// The PostgreSQL on which each backup is proved, in a database of its own, as DATABASE_URL [default: the one
    /// that is backed up]
    #[arg(long, value_name = "URL", env = "BACKUP_PROVE_ON", hide_env_values = true)]
    pub prove_on: Option<String>,
    /// Also tell of a success to Prometheus, in a file for node_exporter's textfile collector
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
    /// The backup
    pub path: PathBuf,
    /// Also where there is a database already, which is set aside, not deleted
    #[arg(long)]
    pub overwrite: bool,
}
