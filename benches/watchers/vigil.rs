//! Watchers who poll while others book.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde::Serialize;

use crate::Result;
use crate::crowd;
use crate::site::{Site, room};
use testkit::bench::database::SaleDatabase;
use testkit::bench::form::Form;
use testkit::bench::histogram::Histogram;
use testkit::bench::machine::{Usage, processor_seconds};
use testkit::bench::rush::BenchRush;

pub const SLUG: &str = "midnight-parade";

/// The most crowds that one vigil may have. Each crowd of each vigil has an address of its own, because the kernel
/// keeps the ports of a closed connection for a minute.
const CROWDS_MAX: usize = 50;

pub struct Vigil {
    /// Counted from 0.
    pub number: usize,
    pub watchers: usize,
    pub measured: Duration,
    pub postmaster: u32,
    /// The path that everybody polls.
    pub path: String,
}

/// The results of a vigil.
#[derive(Debug, Serialize)]
pub struct Seen {
    pub watchers: usize,
    pub servers: usize,
    pub descriptors: usize,
    pub polls_per_second: f64,
    /// The share of answers with a body: tickets had been sold since the watcher's last poll.
    pub changed_share: f64,
    pub poll_p50_ms: f64,
    pub poll_p95_ms: f64,
    pub poll_p99_ms: f64,
    /// Polls that had no answer when the watcher's next poll was due.
    pub late: u64,
    pub errors: u64,
    pub bookings_per_second: f64,
    pub booking_p50_ms: f64,
    pub booking_p95_ms: f64,
    pub booking_p99_ms: f64,
    pub booking_errors: u64,
    pub server_cores: f64,
    pub postgres_cores: f64,
    pub load_cores: f64,
    pub rss_mib: f64,
    pub kib_per_connection: f64,
    /// How often all servers together read the board from the database.
    pub board_reads_per_second: f64,
    pub verify: bool,
}

impl Vigil {
    pub fn keep(&self, url: &str, folder: &Path) -> Result<Seen> {
        let sale = SaleDatabase::prepare(url, folder)?;
        let site = Site::start(url, folder, self.watchers)?;
        let empty_mib = site.resident_mib()?;
        eprintln!("{} watchers arrive at {} servers", self.watchers, site.servers.len());
        let mut crowds = self.crowds(&site)?;
        let full_mib = site.resident_mib()?;
        eprintln!("{} watchers poll", self.watchers);
        crowds.iter_mut().try_for_each(Crowd::begin)?;
        crowds.iter_mut().try_for_each(|crowd| crowd.expect("begun"))?;

        let rush =
            BenchRush::begin(site.address, self.measured, |_| Form::new(sale.ticket_type_id, site.address))?;
        let used = || Usage::of(&site.pids(), self.postmaster);
        let load =
            |crowds: &[Crowd]| crowds.iter().map(|it| processor_seconds(it.child.id())).sum::<Result<f64>>();
        let (begun, before, load_before) = (Instant::now(), used()?, load(&crowds)?);
        let reads_before = board_reads(url)?;
        // Measure while all processes still run: the processor time of an ended process cannot be read.
        thread::sleep(self.measured.saturating_sub(Duration::from_millis(500)));
        let seconds = begun.elapsed().as_secs_f64();
        let (after, load_after, rss_mib) = (used()?.since(&before), load(&crowds)?, site.resident_mib()?);
        let reads = (board_reads(url)? - reads_before) as f64 / seconds;
        let bookings = rush.end()?;
        let mut polls = Polls::default();
        crowds.into_iter().try_for_each(|crowd| crowd.end(&mut polls))?;
        Ok(Seen {
            watchers: self.watchers,
            servers: site.servers.len(),
            descriptors: site.descriptors,
            polls_per_second: polls.latencies.count() as f64 / self.measured.as_secs_f64(),
            changed_share: polls.changed as f64 / polls.latencies.count() as f64,
            poll_p50_ms: polls.latencies.percentile_ms(0.50),
            poll_p95_ms: polls.latencies.percentile_ms(0.95),
            poll_p99_ms: polls.latencies.percentile_ms(0.99),
            late: polls.late,
            errors: polls.errors,
            bookings_per_second: bookings.latencies.count() as f64 / self.measured.as_secs_f64(),
            booking_p50_ms: bookings.latencies.percentile_ms(0.50),
            booking_p95_ms: bookings.latencies.percentile_ms(0.95),
            booking_p99_ms: bookings.latencies.percentile_ms(0.99),
            booking_errors: bookings.errors,
            server_cores: after.server_seconds / seconds,
            postgres_cores: after.postgres_seconds / seconds,
            load_cores: (after.own_seconds + load_after - load_before) / seconds,
            rss_mib,
            kib_per_connection: (full_mib.max(rss_mib) - empty_mib) * 1024.0 / self.watchers as f64,
            board_reads_per_second: reads,
            verify: sale.is_true(bookings.latencies.count(), bookings.errors)?,
        })
    }

    pub fn crowds(&self, site: &Site) -> Result<Vec<Crowd>> {
        // One crowd has one address, which has ports for that many watchers.
        let each = room(site.descriptors).min(20_000);
        let count = self.watchers.div_ceil(each);
        let share = |number: usize| self.watchers / count + usize::from(number < self.watchers % count);
        (0..count).map(|number| Crowd::arrive(self, site, number, share(number))).collect()
    }
}

/// How often the board was read. For each read PostgreSQL scans the whole table of concerts, which is small; nothing
/// else scans it.
fn board_reads(url: &str) -> Result<i64> {
    let scans =
        diesel::dsl::sql::<BigInt>("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'events'");
    Ok(scans.get_result(&mut PgConnection::establish(url)?)?)
}

/// A process of watchers.
pub struct Crowd {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

#[derive(Default)]
pub struct Polls {
    pub latencies: Histogram,
    changed: u64,
    pub late: u64,
    pub errors: u64,
}

impl Crowd {
    fn arrive(vigil: &Vigil, site: &Site, number: usize, watchers: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([crowd::ROLE, &site.address.to_string(), &vigil.path])
            .args(
                [vigil.number * CROWDS_MAX + number + 1, watchers, vigil.measured.as_secs() as usize]
                    .map(|it| it.to_string()),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("no input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut crowd = Self { child, input, output };
        crowd.expect("ready")?;
        Ok(crowd)
    }

    /// Starts the polls. The crowd prints `begun` when every watcher has polled once.
    pub fn begin(&mut self) -> Result<()> {
        writeln!(self.input)?;
        Ok(())
    }

    pub fn expect(&mut self, word: &str) -> Result<()> {
        let line = self.line()?;
        if line == word { Ok(()) } else { Err(format!("a crowd says {line:?}, not {word:?}").into()) }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    pub fn end(mut self, polls: &mut Polls) -> Result<()> {
        let counts = self.line()?;
        let mut counts = counts.split(' ').map(|it| it.parse::<u64>().unwrap_or_default());
        let mut count = || counts.next().ok_or("a crowd has ended early");
        polls.changed += count()?;
        polls.late += count()?;
        polls.errors += count()?;
        polls.latencies.merge(&Histogram::from_line(&self.line()?));
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // Ignore the errors of a process that has already ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
