//! The organizer's changes reach the page while tickets are being sold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::{set_event, set_type};
use crate::support::{TestApp, browser};
use testkit::wait::within;

/// The ticket type whose facts change is the one that is being sold, on two servers: its stock keeps getting newer
/// versions.
#[test]
fn facts_reach_the_page_within_three_seconds_while_bookings_go_on() {
    let refresh = Duration::from_secs(1);
    let app = TestApp::spawn_with(|config| config.board_refresh = refresh);
    let other = app.another_server_with(|config| config.board_refresh = refresh);
    let servers = [app.address, other.address];
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for (buyer, server) in servers.into_iter().enumerate() {
            let (app, is_over) = (&app, &is_over);
            scope.spawn(move || {
                let client = browser();
                let id = app.id_of("General Admission");
                for turn in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let body = serde_json::json!({ "ticketTypeId": id, "quantity": 1, "name": "Ada Lovelace",
                        "email": format!("buyer-{buyer}-{turn}@example.org") });
                    let post = client.post(format!("http://{server}/api/v1/bookings")).json(&body);
                    let key = format!("a-key-of-a-buyer-{buyer}-{turn}");
                    let status = post.header("idempotency-key", key).send().expect("an answer").status();
                    assert!([201, 409].contains(&status.as_u16()), "{status}");
                }
            });
        }
        let _over = Over(&is_over);
        let sold = || app.database.tier("General Admission").sold;
        let name = "General Admission";
        for (what, change, says) in [
            ("a price", "price_minor = 1234", "$12.34"),
            ("a limit", "max_per_booking = 3", "General Admission tickets, up to 3<"),
            ("a text", "description = 'By the river'", "By the river"),
            ("more tickets", "capacity = capacity + 5, available = available + 5", "of 1,005 left"),
        ] {
            let before = sold();
            set_type(&app, name, change);
            for server in servers {
                within(Duration::from_secs(3), what, || page(server).contains(says));
            }
            assert!(sold() > before, "{what}: it sells meanwhile");
        }
        set_event(&app, "tagline = 'Until the morning'");
        for server in servers {
            within(Duration::from_secs(3), "the event's", || page(server).contains("Until the morning"));
        }
        set_event(&app, "paused = true");
        for server in servers {
            within(Duration::from_secs(3), "the pause", || page(server).contains("Paused by the organizer"));
        }
    });
    app.database.assert_books_balance();
}

/// Stops the buyers when it is dropped, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn page(server: std::net::SocketAddr) -> String {
    browser().get(format!("http://{server}/")).send().expect("an answer").text().expect("a page")
}
