//! The log: lines that an operator needs, without secrets or personal data, whatever `RUST_LOG` asks for.

use std::panic::{self, Location};
use std::thread;

use log::{Level, Log, Metadata, Record};

use crate::log_safe::one_line;

/// The default of `RUST_LOG`. actix_http logs every malformed request as an error, which would let any visitor flood
/// the log.
const DEFAULT: &str = "info,actix_server=warn,actix_http=off";

/// Starts logging to standard error, filtered by `RUST_LOG`, with one line for each panic.
pub fn start() {
    let chosen = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(DEFAULT)).build();
    let most = chosen.filter();
    // Fails only if a logger is set already; then that one stays.
    if log::set_boxed_logger(Box::new(Discreet { chosen })).is_ok() {
        log::set_max_level(most);
    }
    panic::set_hook(Box::new(|panic| {
        log::error!("{}", panic_line(panic.location(), thread::current().name()));
    }));
}

/// The log line of a panic: its place only. Its message may hold user input.
fn panic_line(location: Option<&Location>, thread: Option<&str>) -> String {
    let place = location.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!("the thread {} panicked at {place}", thread.unwrap_or("without a name"))
}

/// Drops other crates' debug and trace lines: they may hold what visitors send. Each record is one line.
struct Discreet {
    chosen: env_logger::Logger,
}

impl Discreet {
    fn may_log(metadata: &Metadata) -> bool {
        let target = metadata.target();
        let is_ours = target == "techkraft" || target.starts_with("techkraft::");
        is_ours || metadata.level() <= Level::Info
    }
}

impl Log for Discreet {
    fn enabled(&self, metadata: &Metadata) -> bool {
        Self::may_log(metadata) && self.chosen.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let line = one_line(record.args());
            let mut copy = Record::builder();
            copy.metadata(record.metadata().clone());
            self.chosen.log(&copy.args(format_args!("{line}")).build());
        }
    }

    fn flush(&self) {
        self.chosen.flush();
    }
}

#[cfg(test)]
mod tests {
    use log::LevelFilter;

    use super::*;

    #[test]
    fn debug_lines_of_other_crates_are_dropped_whatever_rust_log_says() {
        let chosen = env_logger::Builder::new()
            .filter(None, LevelFilter::Trace)
            .filter(Some("actix_http::h1::dispatcher"), LevelFilter::Trace)
            .build();
        let logger = Discreet { chosen };
        let passes = |target, level| logger.enabled(&Metadata::builder().target(target).level(level).build());
        for (target, level, may) in [
            ("actix_http::h1::dispatcher", Level::Trace, false),
            ("actix_http::h1::dispatcher", Level::Debug, false),
            ("techkraftish", Level::Debug, false),
            ("r2d2", Level::Warn, true),
            ("techkraft", Level::Trace, true),
            ("techkraft::request", Level::Debug, true),
        ] {
            assert_eq!(passes(target, level), may, "{target} {level}");
        }
    }

    #[test]
    fn a_panic_is_logged_with_its_place() {
        let line = panic_line(Some(Location::caller()), Some("desk"));
        assert!(line.starts_with("the thread desk panicked at src/logging.rs:"), "{line}");
        assert!(panic_line(None, None).contains("unknown place"));
    }
}
