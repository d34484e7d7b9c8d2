//! A crowd that polls while others book: the server hears of it about once a second.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;

use crate::nginx::front::{FRAGMENT, Front, between, header, unpacked};

const CLIENTS: usize = 24;
const LOAD: Duration = Duration::from_secs(8);
/// As browsers say it, older ones, scripts, and those who try to make copies of their own.
const ENCODINGS: [&str; 6] =
    ["gzip, deflate, br, zstd", "gzip", "identity", "br;q=1.0, gzip;q=0", "gzip;q=0.5, x-$", "deflate"];

/// What the crowd has heard: how often each status and encoding.
type Heard = Mutex<BTreeMap<(u16, String), usize>>;

/// Tried, each with the requests that then reached the server in 8 s: `Vary` not ignored, 28; no
/// `proxy_cache_lock`, 27; the query in the key, 376. Without `gunzip` there was gzip for who cannot read it.
#[test]
fn a_crowd_costs_the_server_one_request_a_second() {
    let front = Front::open();
    let heard = Heard::default();
    let before = front.origin_requests_of(FRAGMENT);
    let begun = Instant::now();
    let booked = thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (front, heard) = (&front, &heard);
            scope.spawn(move || poll_until(front, begun + LOAD, client, heard));
        }
        book_until(&front, begun + LOAD)
    });
    let (polls, seconds) =
        (heard.lock().expect("a lock").values().sum::<usize>(), begun.elapsed().as_secs_f64());
    let asked = front.origin_requests_of(FRAGMENT) - before;
    println!("{polls} polls and {booked} bookings in {seconds:.1} s: {asked} reached the server");
    println!("by status and encoding: {:?}", heard.lock().expect("a lock"));

    assert!(polls > 2000 && booked > 10, "that was no crowd");
    // One more for the copy to begin with, and one that the second's edges may cost.
    assert!(asked as f64 <= seconds + 2.0, "{asked} requests in {seconds:.1} s");
    assert!(asked >= 3, "{asked}: the fragment was not asked for again");
    let answered =
        |status, encoding: &str| heard.lock().expect("a lock").contains_key(&(status, encoding.into()));
    assert!(answered(200, "gzip") && answered(200, "identity") && answered(304, ""));

    // What was booked last is shown to all who ask after the second.
    thread::sleep(Duration::from_millis(2100));
    assert_eq!(
        left(&front.get(&Front::browser(), FRAGMENT).text().expect("a fragment")),
        100 - booked as i32
    );
    front.database.assert_books_balance();
}

/// A 304 comes from the copy too.
#[test]
fn a_browser_that_knows_the_state_is_told_so_by_nginx() {
    let front = Front::open();
    let browser = Front::browser();
    let first = front.get(&browser, FRAGMENT);
    let tag = header(&first, "etag").to_owned();
    assert!(tag.starts_with("W/"), "{tag}");
    assert_eq!(header(&first, "vary"), "accept-encoding");
    assert_eq!(header(&first, "cache-control"), "public, max-age=1, stale-while-revalidate=2");
    for (sent, status) in [(tag.as_str(), 304), (&format!("\"x\", {tag}"), 304), ("W/\"1.1-5s-x\"", 200)] {
        let answer =
            browser.get(front.url(FRAGMENT)).header("if-none-match", sent).send().expect("an answer");
        assert_eq!((answer.status().as_u16(), header(&answer, "etag")), (status, tag.as_str()), "{sent}");
        assert_eq!(header(&answer, "x-cache-status"), "HIT");
        assert_eq!(answer.bytes().expect("a body").is_empty(), status == 304);
    }
    assert_eq!(front.origin_requests_of(FRAGMENT), 1);
}

/// On a quiet day nobody is shown the answer to somebody else's poll of long ago. Tried: with
/// `proxy_cache_background_update` the count was the one of five seconds before.
#[test]
fn a_lone_visitor_sees_the_counts_of_now() {
    let front = Front::open();
    let browser = Front::browser();
    assert_eq!(left(&front.get(&browser, FRAGMENT).text().expect("a fragment")), 100);
    front.book(&Front::browser(), "Ada Lovelace");
    thread::sleep(Duration::from_secs(3));
    assert_eq!(left(&front.get(&browser, FRAGMENT).text().expect("a fragment")), 99);
}

/// One client of the crowd: every answer is the fragment, in an encoding that it reads, and never an older
/// one than before.
fn poll_until(front: &Front, end: Instant, client: usize, heard: &Heard) {
    let browser = Front::browser();
    let accepted = ENCODINGS[client % ENCODINGS.len()];
    let (mut tag, mut least_left) = (String::new(), i32::MAX);
    for round in 0.. {
        if Instant::now() > end {
            return;
        }
        let answer = poll(front, &browser, accepted, client.is_multiple_of(2).then_some(&tag), round);
        let (status, encoding) = (answer.status().as_u16(), header(&answer, "content-encoding").to_owned());
        tag = header(&answer, "etag").to_owned();
        assert_eq!(header(&answer, "set-cookie"), "");
        let body = answer.bytes().expect("a body");
        let reads_gzip = ["gzip", "gzip, deflate, br, zstd", "gzip;q=0.5, x-$"].contains(&accepted);
        if status == 200 {
            assert_eq!(encoding == "gzip", reads_gzip, "{accepted} was answered with {encoding}");
            let html = unpacked(&encoding, &body);
            assert!(
                html.trim_start().starts_with("<div id=\"availability\"")
                    && html.trim_end().ends_with("</div>")
            );
            assert!(left(&html) <= least_left, "back in time: {} after {least_left}", left(&html));
            least_left = left(&html);
        }
        let encoding = if encoding.is_empty() && status == 200 { "identity".into() } else { encoding };
        *heard.lock().expect("a lock").entry((status, encoding)).or_default() += 1;
        thread::sleep(Duration::from_millis(10));
    }
}

fn poll(
    front: &Front,
    browser: &Client,
    accepted: &str,
    tag: Option<&String>,
    round: usize,
) -> reqwest::blocking::Response {
    // A query that differs each time makes no copy of its own.
    let mut request = browser.get(front.url(&format!("{FRAGMENT}?round={round}")));
    request = request.header("accept-encoding", accepted).header("hx-request", "true");
    if let Some(tag) = tag {
        request = request.header("if-none-match", tag);
    }
    request.send().expect("an answer")
}

fn book_until(front: &Front, end: Instant) -> usize {
    let mut booked = 0;
    while Instant::now() < end {
        front.book(&Front::browser(), "Ada Lovelace");
        booked += 1;
        thread::sleep(Duration::from_millis(200));
    }
    booked
}

/// What is left of the first tier.
fn left(html: &str) -> i32 {
    between(html, "<strong>$100.00</strong>", "of 100 left")
        .rsplit("<strong>")
        .next()
        .and_then(|count| count.trim().trim_end_matches("</strong>").parse().ok())
        .expect("a count")
}
