//! `techkraft`: see `techkraft --help`.

use std::process::ExitCode;

use clap::Parser as _;
use techkraft::commands;
use techkraft::config::CommandLine;

/// What the desk's thread makes, the server's threads let go of; this one is quick at that, too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is logged unless `RUST_LOG` says otherwise. Bytes that are no HTTP are answered with 400; to actix_http
/// each of them is an error, which would let any visitor fill the log and hide ours.
const LOG: &str = "info,actix_server=warn,actix_http=off";

fn main() -> ExitCode {
    // Before the command line is read: its defaults may stand in `.env`.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        eprintln!("techkraft: .env cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    let command_line = CommandLine::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOG)).init();
    match commands::run(&command_line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("techkraft: {error}");
            ExitCode::FAILURE
        }
    }
}
