//! nginx's logs, including its error log, and our own log contain no keys.

use std::time::Duration;

use testkit::wait::within;

use crate::keys::{Keys, visits};
use crate::nginx::front::Front;

/// Seen to fail with the format `combined` and with nginx's own error log: both contained the booking's token.
#[test]
fn no_key_is_in_any_log() {
    let mut front = Front::open();
    let browser = Front::browser();
    let booking = front.book(&browser, "Ada Lovelace");
    let keys = Keys::of(&booking);
    for (path, referer) in visits(&keys) {
        let request = browser.get(front.url(&path)).header("referer", front.url(&referer));
        request.send().expect("an answer");
    }
    // nginx would log an error in another file, with the whole request.
    front.server.kill();
    let failed =
        browser.get(front.url(&booking)).header("referer", front.url(&booking)).send().expect("an answer");
    assert_eq!(failed.status(), 502);
    let log = || front.nginx_logged();
    within(Duration::from_secs(10), "the log", || log().contains("502"));
    keys.assert_unknown_to(&log());
    keys.assert_unknown_to(&front.server.logged());
    // The log has what an operator looks for.
    let cut = &booking[.."/bookings/".len() + 4];
    for line in [format!("\"GET {cut}... HTTP/1.1\" 200"), "\"GET /bookings/find HTTP/1.1\" 200".into()] {
        assert!(log().contains(&line), "{line} in {}", log());
    }
}
