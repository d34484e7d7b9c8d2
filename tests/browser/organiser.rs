//! The organiser watches the sale, and starts it again.

use std::time::Duration;

use crate::open_site;
use crate::support::{EMAIL, NAME, Visitor};

const FRESH: Duration = Duration::from_secs(6);
const EVENT: &str = "Midnight Parade";

#[tokio::test]
async fn the_organiser_sees_bookings_come_in_and_reseeds() {
    let site = open_site();
    let vip = site.tier("VIP");
    let (buyer, organiser) = tokio::join!(Visitor::arrive(&site), Visitor::new(&site));
    organiser.sign_in(&site).await;
    assert!(organiser.text("#sales").await.contains("No bookings yet"));

    buyer.book(&vip, 2).await;
    organiser
        .until_within(FRESH, &format!("document.querySelector('#sales').innerText.includes('{NAME}')"))
        .await;
    let sales = organiser.text("#sales").await;
    for part in [EMAIL, "TK-", "$200.00"] {
        assert!(sales.contains(part), "{part} is missing from {sales}");
    }

    organiser.visit("/admin/reseed").await;
    let warning = organiser.text("#main").await;
    assert!(warning.contains("$200.00") && warning.contains(EVENT), "{warning}");
    organiser.fill("#event-name", "Midday Parade").await;
    organiser.click("#main form button[type=submit]").await;
    assert!(organiser.text("#event-name-error").await.contains("Nothing was deleted"));
    assert_eq!(site.booking_count(), 1);

    organiser.fill("#event-name", EVENT).await;
    organiser.click("#main form button[type=submit]").await;
    assert!(organiser.text("#toasts [data-toast]").await.contains("afresh"));
    assert_eq!(organiser.path().await, "/admin");
    assert_eq!(site.booking_count(), 0);
    // The buyer's page was open all the while.
    buyer.until_left(&vip, 100, FRESH).await;
}

#[tokio::test]
async fn a_wrong_password_opens_nothing_and_signing_out_closes() {
    let site = open_site();
    let organiser = Visitor::new(&site).await;
    organiser.visit("/admin").await;
    assert_eq!(organiser.path().await, "/admin/sign-in");
    organiser.fill("#password", "let-me-in").await;
    organiser.click("#main button[type=submit]").await;
    assert!(organiser.text("#sign-in-error").await.contains("do not belong together"));

    organiser.sign_in(&site).await;
    organiser.click("header form button").await;
    organiser.until("location.pathname === '/admin/sign-in'").await;
    organiser.visit("/admin").await;
    assert_eq!(organiser.path().await, "/admin/sign-in");
}
