//! A booking is canceled, and every other browser shows its tickets on sale again.

use std::time::Duration;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Visitor};

/// One poll with its jitter, and much extra time for a busy machine.
const A_POLL: Duration = Duration::from_secs(60);
const CANCEL: &str = "a[href$='/cancellation']";

#[tokio::test]
async fn what_one_buyer_gives_back_another_sees_within_a_poll() {
    let site = open_site();
    let vip = site.tier("VIP");
    site.set_available(&vip, 2);
    let (buyer, watcher) = tokio::join!(Visitor::arrive(&site), Visitor::arrive(&site));
    buyer.book(&vip, 2).await;
    watcher.until_left(&vip, 0, A_POLL).await;
    assert!(watcher.text(&vip.card()).await.contains("SOLD OUT"));

    // Starts in the dialog in which the booking was confirmed.
    assert!(buyer.text(CONFIRMATION).await.contains("You can cancel until"));
    let booking = buyer.path().await;
    buyer.click(CANCEL).await;
    buyer.see("#cancellation-heading").await;
    assert_eq!(buyer.path().await, format!("{booking}/cancellation"));
    buyer.click("main form button[type=submit]").await;
    buyer.until("document.querySelector('h1').innerText === 'Booking canceled'").await;
    assert_eq!(buyer.path().await, booking);
    assert!(!buyer.is_seen(CANCEL).await && !buyer.is_seen("a[href$='calendar.ics']").await);
    watcher.until_left(&vip, 2, A_POLL).await;
    assert!(watcher.is_seen(&vip.book_button()).await);
    assert_eq!(buyer.complaints().await, Vec::<String>::new());
    assert_eq!(site.available(&vip), 2);
}

#[tokio::test]
async fn without_javascript_a_double_click_cancels_once() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::without_javascript(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    visitor.click(CANCEL).await;
    visitor.double_click("main form button[type=submit]").await;
    visitor.see(".confirmation--canceled").await;
    assert_eq!(site.available(&vip), 100);
    // Going back to the question and sending it again does not cancel twice.
    visitor.driver().back().await.expect("a page");
    visitor.driver().refresh().await.expect("a page");
    visitor.see(".confirmation--canceled").await;
    assert_eq!(site.available(&vip), 100);
}

#[tokio::test]
async fn the_organizer_finds_a_booking_and_cancels_it() {
    let site = open_site();
    let vip = site.tier("VIP");
    let (buyer, organizer) = tokio::join!(Visitor::arrive(&site), Visitor::new(&site));
    buyer.book(&vip, 3).await;
    let reference: String =
        buyer.ask("document.querySelector('[data-booked]').innerText.match(/TK-....-..../)[0]").await;
    organizer.sign_in(&site).await;
    organizer.fill("#q", &reference.to_lowercase().replace('-', " ")).await;
    organizer.click(".booking-search button").await;
    organizer.see("#booking-heading").await;
    assert_eq!(organizer.path().await, format!("/admin/bookings/{reference}"));
    organizer.click(CANCEL).await;
    organizer.see("#cancellation-heading").await;
    organizer.click("main form[action$='/cancellation'] button").await;
    organizer.until("document.querySelector('main').innerText.includes('Canceled on')").await;
    assert_eq!(site.available(&vip), 100);
    assert_eq!(organizer.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_header_leads_to_ones_bookings_and_never_says_whose_there_are() {
    let site = open_site();
    let visitor = Visitor::without_javascript(&site).await;
    visitor.visit("/nowhere").await;
    visitor.click("header a[href='/bookings/find']").await;
    visitor.fill("#lookup-email", "nobody@example.org").await;
    visitor.click("main form button[type=submit]").await;
    assert!(visitor.text("#main [role=status]").await.contains("If we find bookings for that address"));
}
