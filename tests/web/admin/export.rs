//! The bookings of a concert as CSV.

use super::audited;
use crate::support::{TestApp, header};

#[test]
fn the_bookings_come_as_csv() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let checkout = app.open_checkout("VIP", 2);
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", "2"),
        ("name", "=1+1, \"Ada\""),
        ("email", "ada@example.org"),
        ("request_key", &checkout.request_key),
    ];
    assert_eq!(app.post("/bookings", &form).status(), 303);
    let response =
        organizer.get(app.url("/admin/events/midnight-parade/bookings.csv")).send().expect("an answer");
    assert_eq!(header(&response, "content-type"), "text/csv; charset=utf-8");
    let file = response.text().expect("a file");
    let mut lines = file.lines();
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with("reference,created_at,ticket_type,quantity,returned,"))
    );
    let line = lines.next().expect("a booking");
    assert!(
        line.contains("VIP,2,0,100.00,200.00,USD,\"'=1+1, \"\"Ada\"\"\",ada@example.org,,confirmed"),
        "{line}"
    );
    let exported = ("admin".into(), "midnight-parade".into(), 1, "127.0.0.1".into());
    assert_eq!(audited(&app, "bookings exported"), [exported]);
}
