//! What can be typed behind `techkraft`.

use clap::{Parser, Subcommand};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Migrate, seed when empty, and serve the site (the default)
    Serve,
    /// Bring the database to the newest schema, and stop
    Migrate,
    /// Migrate, add the concert of the seed when there is none, and stop
    Seed,
    /// Count everything again and print the table; exit 1 when anything is untrue
    Verify,
    /// Set the admin's password, asked for at the terminal or read from standard input, and stop
    SetAdminPassword,
}
