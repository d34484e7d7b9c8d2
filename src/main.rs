//! `techkraft`: see `techkraft --help`.

use std::process::ExitCode;

use clap::Parser as _;
use techkraft::config::{CommandLine, env_file};
use techkraft::{commands, logging};

/// Memory allocated on the desk's thread is freed on worker threads; mimalloc's cross-thread free is cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything else: files that are written from here on are for this user alone.
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // Before the command line is read: its defaults may come from `.env`.
    if let Err(error) = env_file::load() {
        eprintln!("techkraft: {error}");
        return ExitCode::FAILURE;
    }
    let command_line = CommandLine::parse();
    logging::start();
    match commands::run(&command_line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("techkraft: {error}");
            ExitCode::FAILURE
        }
    }
}
