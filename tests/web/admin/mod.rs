//! The organizer's pages.

mod audit_log;
mod booking_list;
mod booking_page;
mod booking_references;
mod booking_search;
mod bookings;
mod botnet;
mod concerts;
mod export;
mod first_password;
mod first_run;
mod holders;
mod invitations;
mod known_browsers;
mod messages;
mod password;
#[cfg(target_os = "linux")]
mod password_queue;
mod pictures;
mod reseed;
mod return_path;
mod roles;
mod sale;
mod second_factor;
mod sessions;
mod setup;
mod sign_in;
mod team;
mod terms;
mod throttle;
pub(crate) mod tokens;
mod while_selling;

use chrono::{TimeDelta, Utc};
use reqwest::blocking::Response;

use crate::support::audit::{audit, audited};
use crate::support::{TestApp, header};

fn count(app: &TestApp, from: &str) -> i64 {
    i64::try_from(app.database.count(from)).expect("a small number")
}

/// Makes each current wait last longer than the test, however slow the machine is.
fn prolong_waits(app: &TestApp) {
    let until = minutes_ago(-10);
    let waiting = "slowed_until > last_failed_at";
    app.database.execute(&format!("UPDATE sign_in_brakes SET slowed_until = {until} WHERE {waiting}"));
}

/// A time in SQL, UTC.
fn minutes_ago(minutes: i64) -> String {
    (Utc::now() - TimeDelta::minutes(minutes)).format("'%Y-%m-%d %H:%M:%S'").to_string()
}

/// Books for somebody, and returns the path of the confirmation.
fn book_as(app: &TestApp, email: &str, tier: &str, quantity: u32, name: &str) -> String {
    let checkout = app.open_checkout(tier, quantity);
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", &quantity.to_string()),
        ("name", name),
        ("email", email),
        ("request_key", &checkout.request_key),
    ];
    let response = app.post("/bookings", &form);
    assert_eq!(response.status(), 303, "{name}");
    header(&response, "location").to_owned()
}

/// Inserts bookings into the database directly, without the app.
fn book_many(app: &TestApp, count: u32) {
    let number = "SELECT 0 AS n UNION ALL SELECT n + 1 FROM numbers";
    app.database.execute(&format!(
        "INSERT INTO bookings (event_id, reference, token, request_key, order_hash, status, currency, total_minor,
             buyer_name, buyer_email, created_at, confirmed_at)
         WITH RECURSIVE numbers AS ({number} WHERE n < {count} - 1)
         SELECT t.event_id, 'TK-' || n, 'token ' || n, 'key ' || n, 0, 'confirmed', 'USD', t.price_minor,
             'Buyer ' || n, 'buyer' || n || '@example.org', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP
         FROM numbers CROSS JOIN ticket_types t WHERE t.name = 'General Admission';
         INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
         SELECT b.id, t.id, 1, t.price_minor FROM bookings b JOIN ticket_types t ON t.name = 'General Admission'",
    ));
}

/// A concert with one booking, of its only ticket.
fn add_concert(app: &TestApp, slug: &str, name: &str, buyer: &str) {
    app.database.execute(&format!(
        "INSERT INTO events (slug, name, tagline, venue, city, starts_at, ends_at, time_zone, currency, state)
         VALUES ('{slug}', '{name}', '', 'The Cellar', 'Chicago', '2027-07-01 01:00:00', '2027-07-01 04:00:00',
             'America/Chicago', 'USD', 'published');
         INSERT INTO ticket_types (event_id, name, price_minor, capacity, available, max_per_booking, position)
         SELECT id, 'Entry', 1500, 1, 0, 1, 1 FROM events WHERE slug = '{slug}';
         INSERT INTO bookings (event_id, reference, token, request_key, order_hash, status, currency, total_minor,
             buyer_name, buyer_email, created_at, confirmed_at)
         SELECT id, 'TK-2222-{slug}', 'token {slug}', 'key {slug}', 0, 'confirmed', 'USD', 1500, '{buyer}',
             'someone@example.net', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP FROM events WHERE slug = '{slug}';
         INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
         SELECT b.id, t.id, 1, 1500 FROM bookings b JOIN ticket_types t ON t.event_id = b.event_id
         WHERE b.token = 'token {slug}'"
    ));
}

/// A hidden field of the page's form, as a browser sends it.
pub(crate) fn hidden_field(page: &str, name: &'static str) -> Option<(&'static str, String)> {
    let value = page.split(&format!("name=\"{name}\" value=\"")).nth(1)?;
    value.split('"').next().map(|value| (name, value.to_owned()))
}

/// The answer to a form that was opened before somebody else's change.
const CHANGED_MEANWHILE: &str = "Someone else has changed this since you opened it. Nothing was changed.";

/// Asserts that the form was refused as stale. Returns the page.
pub(crate) fn assert_stale(answer: Response) -> String {
    let (status, page) = (answer.status(), answer.text().expect("a page"));
    assert_eq!(status, 409, "{page}");
    assert!(page.contains(CHANGED_MEANWHILE) && page.contains(">Open it again</a>"), "{page}");
    page
}
