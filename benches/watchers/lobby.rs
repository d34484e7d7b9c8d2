//! The lobby of a waiting room: everybody polls the line, and the lobby is drawn in the meantime.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use techkraft::queue::draw::DrawSeed;
use testkit::bench::database::SaleDatabase;

use crate::Result;
use crate::site::Site;
use crate::vigil::{Crowd, Polls, SLUG, Vigil};

/// The longest time that may pass from the start of the sale until the lobby is drawn.
const DRAWN_MS_MAX: f64 = 1_000.0;
const POLL_P99_MS_MAX: f64 = 20.0;
const LOOK_EVERY: Duration = Duration::from_millis(5);
const TIMEOUT: Duration = Duration::from_secs(30);

/// Measures the lobby with the people of `vigil`, on the database at `url`. Returns whether it kept the limits.
pub fn keep(vigil: &Vigil, url: &str, folder: &Path) -> Result<bool> {
    // Seeds the database and puts the tickets on sale.
    let _sale = SaleDatabase::prepare(url, folder)?;
    let mut database = PgConnection::establish(url)?;
    open(&mut database, vigil.watchers)?;
    let site = Site::start(url, folder, vigil.watchers)?;
    wait_for(site.address, "lobby", Instant::now() + TIMEOUT)?;
    let empty_mib = site.resident_mib()?;
    eprintln!("{} people come to the lobby at {} servers", vigil.watchers, site.servers.len());
    let mut crowds = vigil.crowds(&site)?;
    crowds.iter_mut().try_for_each(Crowd::begin)?;
    crowds.iter_mut().try_for_each(|crowd| crowd.expect("begun"))?;
    thread::sleep(vigil.measured / 2);
    let starts = Utc::now() + TimeDelta::seconds(3);
    database.batch_execute(&format!(
        "UPDATE events SET sales_start_at = '{}', facts_version = facts_version + 1",
        starts.format("%F %T%.6f")
    ))?;
    thread::sleep((starts - Utc::now()).to_std().unwrap_or_default());
    let begun = Instant::now();
    wait_for(site.address, "line", begun + TIMEOUT)?;
    let drawn_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let mut polls = Polls::default();
    let full_mib = site.resident_mib()?;
    crowds.into_iter().try_for_each(|crowd| crowd.end(&mut polls))?;
    let p99 = polls.latencies.percentile_ms(0.99);
    println!("\n{} people in the lobby: drawn {drawn_ms:.0} ms after the start of the sale", vigil.watchers);
    println!(
        "polls: p50 {:.2} ms, p95 {:.2} ms, p99 {p99:.2} ms, {} late, {} errors; {:.1} KiB for each connection",
        polls.latencies.percentile_ms(0.5),
        polls.latencies.percentile_ms(0.95),
        polls.late,
        polls.errors,
        (full_mib - empty_mib) * 1024.0 / vigil.watchers as f64
    );
    Ok(drawn_ms <= DRAWN_MS_MAX && p99 <= POLL_P99_MS_MAX && polls.errors == 0)
}

/// Adds a waiting room whose lobby is open, with that many people in it. The database only counts the people, and has
/// no row for each. The sale starts late enough for a rehearsal.
pub fn open(database: &mut PgConnection, people: usize) -> Result<()> {
    let seed = DrawSeed::generate();
    let starts = (Utc::now() + TimeDelta::hours(2)).format("%F %T");
    database.batch_execute(&format!(
        "UPDATE events SET sales_start_at = '{starts}', facts_version = facts_version + 1;
         INSERT INTO waiting_rooms (event_id, mode, opens_minutes, flow, most_per_second, seed, seed_hash, per_second)
         SELECT id, 'always', 1440, 'open', 200, '{}', '{}', 10 FROM events WHERE slug = '{SLUG}';
         INSERT INTO queue_arrivals SELECT id, 0, {people} FROM events WHERE slug = '{SLUG}'",
        seed.as_str(),
        seed.hash()
    ))?;
    Ok(())
}

/// Waits until the line that everybody polls has that phase.
fn wait_for(address: SocketAddr, phase: &str, until: Instant) -> Result<()> {
    let wanted = format!("data-line=\"{phase}\"");
    while Instant::now() < until {
        if line(address)?.contains(&wanted) {
            return Ok(());
        }
        thread::sleep(LOOK_EVERY);
    }
    Err(format!("the line is never in the phase {phase}").into())
}

/// The line that everybody polls.
fn line(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /events/{SLUG}/queue/line HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = BufReader::new(stream);
    let mut head = String::new();
    answer.read_line(&mut head)?;
    answer.read_to_string(&mut head)?;
    Ok(head)
}
