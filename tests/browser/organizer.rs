//! The organizer watches the sale, and reseeds it.

use std::time::Duration;

use crate::open_site;
use crate::support::{EMAIL, NAME, Visitor};

const FRESH: Duration = Duration::from_secs(60);
/// Long enough for a poll, and for the page that it redirects to.
const SHOWN_OUT: Duration = Duration::from_secs(60);
const EVENT: &str = "Midnight Parade";

#[tokio::test]
async fn the_organizer_sees_bookings_come_in_and_reseeds() {
    let site = open_site();
    let vip = site.tier("VIP");
    let (buyer, organizer) = tokio::join!(Visitor::arrive(&site), Visitor::new(&site));
    organizer.sign_in(&site).await;
    assert!(organizer.text("#sales").await.contains("No bookings yet"));

    buyer.book(&vip, 2).await;
    organizer
        .until_within(FRESH, &format!("document.querySelector('#sales').innerText.includes('{NAME}')"))
        .await;
    let sales = organizer.text("#sales").await;
    for part in [EMAIL, "TK-", "$200.00"] {
        assert!(sales.contains(part), "{part} is missing from {sales}");
    }

    organizer.visit("/admin/reseed").await;
    let warning = organizer.text("#main").await;
    assert!(warning.contains("$200.00") && warning.contains(EVENT), "{warning}");
    organizer.fill("#event-name", "Midday Parade").await;
    organizer.fill("#password", &site.password).await;
    organizer.click("#main form button[type=submit]").await;
    assert!(organizer.text("#event-name-error").await.contains("Nothing was deleted"));
    assert_eq!(site.booking_count(), 1);

    organizer.fill("#event-name", EVENT).await;
    organizer.fill("#password", "not the password").await;
    organizer.click("#main form button[type=submit]").await;
    assert!(organizer.text("#password-error").await.contains("Nothing was deleted"));
    assert_eq!(site.booking_count(), 1);

    organizer.fill("#password", &site.password).await;
    organizer.click("#main form button[type=submit]").await;
    assert!(organizer.text("#toasts [data-toast]").await.contains("Sale reset"));
    assert_eq!(organizer.path().await, "/admin");
    assert_eq!(site.booking_count(), 0);
    // The buyer's page was open all the time, and shows the reseed.
    buyer.until_left(&vip, 100, FRESH).await;
}

#[tokio::test]
async fn a_wrong_password_opens_nothing_and_signing_out_closes() {
    let site = open_site();
    let organizer = Visitor::new(&site).await;
    organizer.visit("/admin").await;
    assert_eq!(organizer.path().await, "/admin/sign-in");
    organizer.fill("#password", "let-me-in").await;
    organizer.click("#main button[type=submit]").await;
    assert!(organizer.text("#sign-in-error").await.contains("Incorrect username or password"));

    organizer.sign_in(&site).await;
    organizer.click("header form button").await;
    organizer.until("location.pathname === '/admin/sign-in'").await;
    organizer.visit("/admin").await;
    assert_eq!(organizer.path().await, "/admin/sign-in");
}

#[tokio::test]
async fn a_new_password_ends_the_other_browser_and_is_the_one_that_opens() {
    const NEW: &str = "seven ladders under water";
    let site = open_site();
    // One browser has no JavaScript: everything works with plain forms.
    let (organizer, other) = tokio::join!(Visitor::without_javascript(&site), Visitor::new(&site));
    tokio::join!(organizer.sign_in(&site), other.sign_in(&site));
    organizer.click("header a[href='/admin/account']").await;
    organizer.click("#main a[href='/admin/password']").await;
    assert_eq!(organizer.path().await, "/admin/password");

    organizer.change_password(&site.password, NEW, "seven ladders under Water").await;
    assert!(organizer.text("#repeated-password-error").await.contains("don't match"));
    organizer.change_password("not the password", NEW, NEW).await;
    assert!(organizer.text("#current-password-error").await.contains("Nothing was changed"));
    organizer.change_password(&site.password, NEW, NEW).await;
    assert!(organizer.text("#toasts [data-toast]").await.contains("Your other session was ended"));
    assert_eq!(organizer.path().await, "/admin/account");

    // The other browser's page polls, learns that its session has ended, and redirects to the sign-in.
    other.until_within(SHOWN_OUT, "location.pathname === '/admin/sign-in'").await;
    assert!(other.text("#main").await.contains("Your session has ended"));
    other.fill("#password", &site.password).await;
    other.click("#main button[type=submit]").await;
    assert!(other.text("#sign-in-error").await.contains("Incorrect username or password"));
    other.fill("#password", NEW).await;
    other.click("#main button[type=submit]").await;
    other.see("#sales").await;
}

#[tokio::test]
async fn signing_out_everywhere_ends_both_browsers_and_the_audit_log_tells() {
    let site = open_site();
    let (organizer, other) = tokio::join!(Visitor::new(&site), Visitor::new(&site));
    organizer.sign_in(&site).await;
    other.sign_in(&site).await;
    organizer.visit("/admin/account").await;
    let sessions = organizer.text("fieldset").await;
    for part in ["This browser from 127.0.0.1", "Another browser from 127.0.0.1", "Everywhere"] {
        assert!(sessions.contains(part), "{part} is missing from {sessions}");
    }
    organizer.fill("#password", "not the password").await;
    organizer.click("#main form button").await;
    assert!(organizer.text("#password-error").await.contains("No session was ended"));
    organizer.fill("#password", &site.password).await;
    organizer.click("#main form button").await;
    assert!(organizer.text("#toasts [data-toast]").await.contains("2 sessions ended"));
    assert_eq!(organizer.path().await, "/admin/sign-in");
    other.until_within(SHOWN_OUT, "location.pathname === '/admin/sign-in'").await;

    organizer.sign_in(&site).await;
    organizer.click("header nav a[href='/admin/audit-log']").await;
    let log = organizer.text(".log").await;
    let place = |text: &str| log.find(text).unwrap_or_else(|| panic!("{text} is missing from {log}"));
    assert!(place("Signed in") < place("Signed out everywhere 2 sessions ended"));
    assert!(place("Signed out everywhere") < place("Wrong password"));
    assert!(place("Wrong password") < place("Account created admin command line"));
    organizer.run::<()>("document.querySelector('#action').value = 'password refused'").await;
    organizer.click(".filter button").await;
    organizer.until("location.search.includes('password')").await;
    let log = organizer.text(".log").await;
    assert!(log.contains("Wrong password") && !log.contains("Signed in"), "{log}");
}
