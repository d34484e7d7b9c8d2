//! Anybody can book with any address, so the number of mails to one address is limited.

use reqwest::blocking::Response;

use super::contents::{mails, parse};
use super::wait_for_states;
use crate::support::{TestApp, browser, header};

/// Seen to fail without the limit: six mails within a second.
#[test]
fn an_address_gets_only_so_many_mails_and_the_others_wait() {
    let app = TestApp::spawn_with(|config| config.mail.limits.per_recipient = "2/hour".parse().ok());
    let book = |email: &str| -> Response {
        let checkout = app.open_checkout("General Admission", 1);
        let booked = app.confirm_for(email, &browser(), &checkout, 1);
        assert_eq!(booked.status(), 303);
        booked
    };
    for spelling in ["ada@example.org", "Ada@Example.org", "ADA@example.ORG", "ada@example.org"] {
        book(spelling);
    }
    wait_for_states(&app, &[("queued", 2), ("sent", 2)]);
    // Booking and canceling in turn does not cause more mails.
    let place = header(&book("ada@example.org"), "location").to_owned();
    assert_eq!(app.cancel_at(&browser(), app.address, &place).status(), 303);
    book("grace@example.org");
    wait_for_states(&app, &[("queued", 4), ("sent", 3)]);
    let waits = "state = 'queued' AND last_error = 'too many mails to this address'";
    assert_eq!(app.count(&format!("mails WHERE {waits}")), 4);

    // The owner can ask for the link to all bookings.
    assert_eq!(app.post("/bookings/find", &[("email", "ada@example.org")]).status(), 303);
    wait_for_states(&app, &[("queued", 4), ("sent", 4)]);
}

/// Seen to fail without the combined mail: one mail every fifteen seconds, and mails that had waited for a day were
/// given up.
#[test]
fn what_had_to_wait_goes_out_in_one_mail() {
    let app =
        TestApp::spawn_with(|config| config.mail.limits.per_recipient = "4/minute burst 2".parse().ok());
    let book = |email: &str| {
        let checkout = app.open_checkout("General Admission", 1);
        header(&app.confirm_for(email, &browser(), &checkout, 1), "location").to_owned()
    };
    for _ in 0..11 {
        book("ada@example.org");
    }
    let own = app.url(&book("Ada@example.org"));
    // Days later, they are still waiting.
    let waits = "last_error = 'too many mails to this address'";
    wait_for_states(&app, &[("queued", 10), ("sent", 2)]);
    app.database.execute(&format!("UPDATE mails SET queued_at = '2026-01-01 00:00:00' WHERE {waits}"));
    wait_for_states(&app, &[("sent", 12)]);
    let mails = mails(&app, 3);
    let digest = mails
        .iter()
        .map(|bytes| parse(bytes))
        .find(|mail| mail.subject() == Some("Your 10 bookings are confirmed"));
    let digest = digest.expect("one for the ten that had to wait");
    for text in [digest.body_text(0).expect("text"), digest.body_html(0).expect("HTML")] {
        assert_eq!(text.matches("Booked").count(), 10, "{text}");
        assert!(text.contains(&own) && text.contains("/bookings/find"), "{text}");
        assert!(!text.contains("Lovelace"), "nobody's words: {text}");
    }
}
