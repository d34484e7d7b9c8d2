//! What visitors have noticed in each phase.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::rush::Rush;

/// Buyers make some hundred bookings a second, so if there is none for longer than this, nobody could book. It is
/// also the longest time that a buyer may have to wait in a rush.
const DOWN: Duration = Duration::from_secs(1);

/// The page views of visitors who only look.
#[derive(Debug, Default)]
pub struct Pages {
    pub shown: AtomicUsize,
    pub failed: AtomicUsize,
}

pub struct Phase {
    name: &'static str,
    begun: Instant,
    statuses: BTreeMap<u16, usize>,
    pages: (usize, usize),
}

pub struct Row {
    name: &'static str,
    took: Duration,
    booked: usize,
    busy: usize,
    cut_off: usize,
    pages: (usize, usize),
    /// The time in which nobody could book.
    down: Duration,
    longest: Duration,
}

impl Phase {
    pub fn begin(name: &'static str, rush: &Rush, pages: &Pages) -> Self {
        println!("{name} …");
        let statuses = rush.ledger.lock().expect("a lock").statuses.clone();
        Self { name, begun: Instant::now(), statuses, pages: seen(pages) }
    }

    pub fn end(self, rush: &Rush, pages: &Pages) -> Row {
        let (ended, now) = (Instant::now(), seen(pages));
        let ledger = rush.ledger.lock().expect("a lock");
        let count = |status: u16| {
            let of = |statuses: &BTreeMap<u16, usize>| statuses.get(&status).copied().unwrap_or_default();
            of(&ledger.statuses) - of(&self.statuses)
        };
        let confirmed = ledger.confirmed.iter().map(|it| it.at).filter(|at| (self.begun..ended).contains(at));
        let mut times: Vec<Instant> = confirmed.collect();
        times.sort_unstable();
        let took = ended - self.begun;
        times.push(ended);
        let gaps = std::iter::once(self.begun).chain(times.iter().copied()).zip(&times);
        let gaps: Vec<Duration> = gaps.map(|(before, after)| *after - before).collect();
        Row {
            name: self.name,
            took,
            booked: count(303),
            busy: count(503),
            cut_off: count(0),
            pages: (now.0 - self.pages.0, now.1 - self.pages.1),
            down: gaps.iter().filter(|gap| **gap > DOWN).sum(),
            longest: gaps.into_iter().max().unwrap_or_default(),
        }
    }
}

fn seen(pages: &Pages) -> (usize, usize) {
    (pages.shown.load(Ordering::Relaxed), pages.failed.load(Ordering::Relaxed))
}

pub fn print(rows: &[Row]) {
    println!(
        "\n| phase | seconds | booked | 503 | connections lost | pages shown | pages failed | longest time without a booking | availability |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for row in rows {
        print_row(row);
    }
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum();
    print_row(&Row {
        name: "**all of it**",
        took: rows.iter().map(|it| it.took).sum(),
        booked: sum(|it| it.booked),
        busy: sum(|it| it.busy),
        cut_off: sum(|it| it.cut_off),
        pages: (sum(|it| it.pages.0), sum(|it| it.pages.1)),
        down: rows.iter().map(|it| it.down).sum(),
        longest: rows.iter().map(|it| it.longest).max().unwrap_or_default(),
    });
}

fn print_row(row: &Row) {
    let share = 100.0 * (1.0 - row.down.as_secs_f64() / row.took.as_secs_f64());
    println!(
        "| {} | {:.0} | {} | {} | {} | {} | {} | {:.1} s | {share:.2} % |",
        row.name,
        row.took.as_secs_f64(),
        row.booked,
        row.busy,
        row.cut_off,
        row.pages.0,
        row.pages.1,
        row.longest.as_secs_f64()
    );
}
