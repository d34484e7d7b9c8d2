//! `techkraft`: see `techkraft --help`.

use std::process::ExitCode;

use clap::Parser as _;
use techkraft::commands;
use techkraft::config::CommandLine;

/// What the desk's thread makes, the server's threads let go of; this one is quick at that, too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before the command line is read: its defaults may stand in `.env`.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        eprintln!("techkraft: .env cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    let command_line = CommandLine::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info,actix_server=warn"))
        .init();
    match commands::run(&command_line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("techkraft: {error}");
            ExitCode::FAILURE
        }
    }
}
