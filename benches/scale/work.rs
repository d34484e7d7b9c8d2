//! Work that takes longer with more bookings: exports, `verify` and backups. Also bookings while an organizer's pages
//! poll.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::bench::Result;
use testkit::bench::form::Form;
use testkit::bench::machine::resident_mib;
use testkit::bench::results::median;
use testkit::bench::rush::{BenchRush, Bookings};
use testkit::bench::server::{BenchServer, techkraft};

use crate::fill::{Filled, LARGE};
use crate::pages::Visitor;

const TURN: Duration = Duration::from_secs(4);
const ROUNDS: usize = 5;
/// The interval at which an open page polls while its pace is quick. Each of the pages is polled at this interval.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// The pause between two measurements of the server's memory.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug, Clone, Copy)]
pub struct Export {
    pub rows: u64,
    pub rows_per_second: f64,
    pub more_mib: f64,
}

#[derive(Debug, Clone, Copy)]
pub struct Disturbance {
    pub alone_ms: f64,
    pub polled_ms: f64,
    pub ratio: f64,
    pub errors: u64,
}

/// Exports the large concert.
pub fn export(server: &BenchServer, filled: &Filled) -> Result<Export> {
    let visitor = Visitor::sign_in(server, filled)?;
    let path = format!("/admin/events/{LARGE}/bookings.csv");
    let before = resident_mib(server.pid())?;
    let is_done = AtomicBool::new(false);
    let (exported, most) = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most: f64 = 0.0;
            while !is_done.load(Ordering::Relaxed) {
                most = most.max(resident_mib(server.pid()).unwrap_or_default());
                thread::sleep(LOOK_EVERY);
            }
            most
        });
        let exported = visitor.export(&path);
        is_done.store(true, Ordering::Relaxed);
        (exported, watcher.join().unwrap_or(f64::NAN))
    });
    let (rows, took) = exported?;
    if rows < u64::try_from(filled.large_bookings)? {
        return Err(format!("only {rows} rows were exported").into());
    }
    Ok(Export { rows, rows_per_second: rows as f64 / took.as_secs_f64(), more_mib: (most - before).max(0.0) })
}

/// Runs a command of the program. Returns how many seconds it took, or an error if it failed.
pub fn command(filled: &Filled, arguments: &[&str]) -> Result<f64> {
    let begun = Instant::now();
    let output = techkraft(&filled.url, &filled.folder).args(arguments).output()?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&said)).into());
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Measures bookings in turns: without other load, and while the organizer's pages poll.
pub fn disturb(server: &BenchServer, filled: &Filled) -> Result<Disturbance> {
    let visitor = Visitor::sign_in(server, filled)?;
    let (mut alone, mut polled) = (Vec::new(), Vec::new());
    // The first turn is not counted, because the caches are cold.
    book(server, filled)?;
    for _ in 0..ROUNDS {
        alone.push(book(server, filled)?);
        let is_done = AtomicBool::new(false);
        let booked = thread::scope(|scope| {
            let polls = scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    visitor.poll(filled).map_err(|error| error.to_string())?;
                    thread::sleep(POLL_EVERY);
                }
                Ok::<_, String>(())
            });
            let booked = book(server, filled);
            is_done.store(true, Ordering::Relaxed);
            polls.join().map_err(|_| "the polls have panicked")??;
            booked
        });
        polled.push(booked?);
    }
    let p95 = |bookings: &Bookings| bookings.latencies.percentile_ms(0.95);
    let ratios = alone.iter().zip(&polled).map(|(alone, polled)| p95(polled) / p95(alone)).collect();
    Ok(Disturbance {
        alone_ms: median(alone.iter().map(p95).collect()),
        polled_ms: median(polled.iter().map(p95).collect()),
        ratio: median(ratios),
        errors: alone.iter().chain(&polled).map(|it| it.errors).sum(),
    })
}

fn book(server: &BenchServer, filled: &Filled) -> Result<Bookings> {
    BenchRush::begin(server.address, TURN, |_| Form::new(filled.ticket_type_id, server.address))?.end()
}
