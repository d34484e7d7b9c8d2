//! A visitor who loads the pages all the time, and notes everything that a visitor should not see.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use techkraft::events::seed;

use testkit::rush::Rush;
use testkit::visitor::Visitor;

pub struct Looker {
    address: SocketAddr,
    /// The available tickets of each type at the last look.
    seen: Mutex<Vec<u32>>,
    looks: AtomicUsize,
}

impl Looker {
    pub fn at(address: SocketAddr) -> Self {
        Self { address, seen: Mutex::default(), looks: AtomicUsize::new(0) }
    }

    /// How many pages have come so far.
    pub fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }

    /// The available tickets of each type at the last look.
    pub fn seen(&self) -> Vec<u32> {
        self.seen.lock().expect("a lock").clone()
    }

    /// Waits until the pages show this capacity. A test raises the capacities directly in the database; only from
    /// then on do the numbers shrink.
    pub fn wait_for_capacity(&self, capacity: u32) {
        let mut visitor = Visitor::new(self.address);
        let capacity = format!("max=\"{capacity}\"");
        eventually("the tiers are shown with what they hold now", || {
            visitor.get("/").is_ok_and(|page| page.body.matches(&capacity).count() == 3)
        });
    }

    /// Looks until the rush is over. Meanwhile tickets are only sold, so the numbers must never grow.
    pub fn look(&self, rush: &Rush) {
        let mut visitor = Visitor::new(self.address);
        let availability = format!("/events/{}/availability", seed::concert().slug);
        while !rush.is_over() {
            for path in ["/", &availability] {
                match visitor.get(path) {
                    Ok(answer) if answer.status == 200 => self.note(&stock(&answer.body), rush),
                    other => rush.note_wrong(format!("{path}: {other:?}")),
                }
                self.looks.fetch_add(1, Ordering::Relaxed);
            }
            thread::sleep(Duration::from_millis(5));
        }
        println!("{} looks", self.looks());
    }

    fn note(&self, stock: &[u32], rush: &Rush) {
        let mut seen = self.seen.lock().expect("a lock");
        let is_later = seen.len() == stock.len() && seen.iter().zip(stock).all(|(before, now)| now <= before);
        if !seen.is_empty() && !is_later {
            rush.note_wrong(format!("{stock:?} was shown after {seen:?}"));
        }
        *seen = stock.to_vec();
    }
}

/// The available tickets of each type on a page.
pub fn stock(page: &str) -> Vec<u32> {
    let numbers = page.split("stock__count\"><span><strong>").skip(1);
    numbers.filter_map(|text| text.split('<').next()?.replace(',', "").parse().ok()).collect()
}
