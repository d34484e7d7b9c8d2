//! The pages, and one visitor who reads each of them again and again.

use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use reqwest::redirect::Policy;
use testkit::bench::Result;
use testkit::bench::histogram::Histogram;
use testkit::bench::server::BenchServer;

use crate::fill::{Filled, LARGE};

/// How many reads of each page are measured.
const READS: usize = 40;
/// How many reads come before them, so that the database has its query plans.
const WARM_UP: usize = 3;
/// After the first request for a concert the server counts its bookings in the background, once a minute for all
/// visitors. That takes about a second.
const COUNTED_AFTER: Duration = Duration::from_secs(5);
/// After the first request for the sales the server verifies all counts in the background. It spends at most a
/// hundredth of the time on that, so with a million bookings it verifies them once in twenty minutes.
const VERIFIED_AFTER: Duration = Duration::from_secs(120);
/// An answer that takes longer is an error.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A page, how long its reads took, and its length.
#[derive(Debug, Clone)]
pub struct PageTime {
    pub path: String,
    pub first_ms: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub bytes: usize,
}

/// Pages that everybody may read, and pages of the organizer. `{token}`, `{reference}`, `{large}` and `{type}` stand
/// for values of the database.
const PAGES: [&str; 44] = [
    "/",
    "/?page=8",
    "/events/{large}",
    "/events/concert-300",
    "/events/{large}/availability",
    "/events/{large}/calendar.ics",
    "/bookings/{token}",
    "/bookings/find",
    "/bookings/new?ticket_type={type}&quantity=1",
    "/sitemap.xml",
    "/api/v1/events",
    "/api/v1/events/{large}",
    "/api/v1/events/{large}/ticket-types",
    "/api/v1/bookings/{token}",
    "/api/docs",
    "/admin",
    "/admin/sales",
    "/admin/events",
    "/admin/events?view=past&page=3",
    "/admin/events?q=concert+260",
    "/admin/events/new",
    "/admin/events/{large}",
    "/admin/events/{large}/dashboard",
    "/admin/events/{large}/edit",
    "/admin/events/{large}/preview",
    "/admin/events/{large}/terms",
    "/admin/events/{large}/postponement",
    "/admin/events/{large}/cancellation",
    "/admin/events/{large}/export",
    "/admin/events/concert-300",
    "/admin/bookings",
    "/admin/bookings?event={large}",
    "/admin/bookings?event={large}&status=canceled",
    "/admin/bookings?q=Ada+Number+5",
    "/admin/bookings?q=nobody+has+this+name",
    "/admin/bookings?q=ada.1000@example.org",
    "/admin/bookings?q={reference}",
    "/admin/bookings/{reference}",
    "/admin/mails",
    "/admin/mails?state=failed",
    "/admin/audit-log",
    "/admin/gates",
    "/admin/check-in",
    "/admin/account",
];

/// The pages that poll while bookings are measured.
const POLLS: [&str; 3] = ["/admin/sales", "/admin/events/{large}/dashboard", "/admin/bookings?event={large}"];

/// A browser in which the organizer is signed in.
pub struct Visitor {
    client: Client,
    origin: String,
}

impl Visitor {
    pub fn sign_in(server: &BenchServer, filled: &Filled) -> Result<Self> {
        let client =
            Client::builder().cookie_store(true).redirect(Policy::none()).timeout(TIMEOUT).build()?;
        let origin = format!("http://{}", server.address);
        let form = [("username", "admin"), ("password", &filled.password)];
        let answer = client.post(format!("{origin}/admin/sign-in")).form(&form).send()?;
        if answer.status() != 303 {
            return Err(format!("nobody can sign in: {}", answer.status()).into());
        }
        Ok(Self { client, origin })
    }

    /// Reads a page to its end. Returns how long that took, and the length of the page.
    pub fn read(&self, path: &str) -> Result<(Duration, usize)> {
        let begun = Instant::now();
        let answer = self.client.get(format!("{}{path}", self.origin)).send()?;
        let status = answer.status();
        let bytes = answer.bytes()?.len();
        // A search for a reference redirects to its booking.
        if status != 200 && status != 303 {
            return Err(format!("{path}: {status}").into());
        }
        Ok((begun.elapsed(), bytes))
    }

    fn wait_until_verified(&self) -> Result<()> {
        let begun = Instant::now();
        while !self
            .client
            .get(format!("{}/admin/sales", self.origin))
            .send()?
            .text()?
            .contains("Counts verified")
        {
            if begun.elapsed() > VERIFIED_AFTER {
                return Err("the counts are not verified".into());
            }
            thread::sleep(Duration::from_millis(500));
        }
        Ok(())
    }

    /// Reads the file of an export without keeping it. Returns the number of its lines, and how long it took.
    pub fn export(&self, path: &str) -> Result<(u64, Duration)> {
        let begun = Instant::now();
        let mut answer = self.client.get(format!("{}{path}", self.origin)).send()?;
        if answer.status() != 200 {
            return Err(format!("{path}: {}", answer.status()).into());
        }
        let mut lines = LineCounter(0);
        answer.copy_to(&mut lines)?;
        Ok((lines.0, begun.elapsed()))
    }

    /// Reads the pages that an open page of the organizer polls.
    pub fn poll(&self, filled: &Filled) -> Result<()> {
        for path in POLLS {
            self.read(&named(path, filled))?;
        }
        Ok(())
    }
}

struct LineCounter(u64);

impl std::io::Write for LineCounter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub fn read_all(server: &BenchServer, filled: &Filled) -> Result<Vec<PageTime>> {
    let visitor = Visitor::sign_in(server, filled)?;
    let mut pages = Vec::new();
    let first = PAGES.map(|pattern| visitor.read(&named(pattern, filled)));
    thread::sleep(COUNTED_AFTER);
    visitor.wait_until_verified()?;
    for (pattern, first) in PAGES.into_iter().zip(first) {
        let path = named(pattern, filled);
        let (first, bytes) = first?;
        for _ in 0..WARM_UP {
            visitor.read(&path)?;
        }
        let (mut times, mut most) = (Histogram::default(), bytes);
        for _ in 0..READS {
            let (took, bytes) = visitor.read(&path)?;
            times.add(took);
            most = most.max(bytes);
        }
        pages.push(PageTime {
            path: pattern.to_owned(),
            first_ms: first.as_secs_f64() * 1000.0,
            p50_ms: times.percentile_ms(0.5),
            p95_ms: times.percentile_ms(0.95),
            bytes: most,
        });
    }
    Ok(pages)
}

fn named(path: &str, filled: &Filled) -> String {
    path.replace("{large}", LARGE)
        .replace("{token}", &filled.token)
        .replace("{reference}", &filled.reference)
        .replace("{type}", &filled.ticket_type_id.to_string())
}
