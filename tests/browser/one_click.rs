//! Booking with one click: only for buyers who have asked for it, and with a moment to undo it.

use std::time::Duration;

use serde_json::json;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Site, Visitor};

/// Gives the test all the time it needs to press the button: the booking's time is in the future, and animations
/// stop.
async fn stop_the_clock(site: &Site, visitor: &Visitor) {
    site.run_sql("UPDATE bookings SET created_at = '2099-01-01 00:00:00'");
    visitor.cdp("Animation.setPlaybackRate", json!({ "playbackRate": 0 })).await;
}

/// Opens the concert in a browser whose animations can be stopped.
async fn arrive_with_animations(site: &Site) -> Visitor {
    let visitor = Visitor::new(site).await;
    visitor.cdp("Animation.enable", json!({})).await;
    visitor.visit("/").await;
    visitor
}

const MASKED: &str = "a•••@example.org";
const UNDO: &str = ".undo__button";
/// The ten seconds to undo, and much extra time for a busy machine.
const UNDO_WAIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn who_ticks_the_box_books_the_next_time_with_one_click() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.book(&vip, 1).await;
    visitor.close_dialog().await;
    visitor.visit("/").await;
    assert!(!visitor.is_seen(&vip.book_now_button()).await, "nobody has asked for it");

    visitor.book_and_be_remembered(&vip).await;
    visitor.close_dialog().await;
    visitor.until("location.pathname === '/'").await;
    // First without a reload, and then on the next visit.
    for booked in [3, 4] {
        let express = visitor.text("#express").await;
        assert!(express.contains("Welcome back, Ada.") && express.contains(MASKED), "{express}");
        let page: String = visitor.ask("document.documentElement.outerHTML").await;
        assert!(!page.contains(EMAIL), "nobody who uses the device reads an address");
        assert!(visitor.is_seen(&vip.book_button()).await, "the checkout stays");
        visitor.click(&vip.book_now_button()).await;
        assert!(visitor.text(CONFIRMATION).await.contains("1 × VIP"));
        assert_eq!(site.booking_count(), booked);
        visitor.visit("/").await;
    }
    assert_eq!(site.available(&vip), 96);

    visitor.open_checkout(&vip).await;
    assert!(visitor.ask::<bool>("document.querySelector('.checkout__remember input').checked").await);
    visitor.click("#checkout .dialog__close").await;
    visitor.click("#express button").await;
    visitor.until("!document.querySelector('#express button')").await;
    assert!(!visitor.is_seen(&vip.book_now_button()).await);
    visitor.open_checkout(&vip).await;
    let typed: String = visitor.ask("document.querySelector('#checkout-email').value").await;
    assert_eq!(typed, "", "forgotten");
}

#[tokio::test]
async fn a_one_click_booking_can_be_undone() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = arrive_with_animations(&site).await;
    visitor.book_and_be_remembered(&vip).await;
    assert!(!visitor.is_seen(UNDO).await, "this one took a whole form");
    visitor.close_dialog().await;
    visitor.cdp("Animation.setPlaybackRate", json!({ "playbackRate": 0 })).await;
    visitor.click(&vip.book_now_button()).await;
    visitor.see(CONFIRMATION).await;
    stop_the_clock(&site, &visitor).await;
    let booking = visitor.path().await;
    assert!(visitor.text(".undo").await.contains("Due at the venue: $100.00"));
    visitor.click(UNDO).await;
    visitor.until("document.querySelector('h1').innerText === 'Booking canceled'").await;
    assert_eq!((visitor.path().await, site.available(&vip)), (booking, 99));
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn without_javascript_the_page_of_the_booking_has_the_button_and_after_ten_seconds_not_any_more() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = arrive_with_animations(&site).await;
    visitor.book_and_be_remembered(&vip).await;
    visitor.close_dialog().await;
    visitor.click(&vip.book_now_button()).await;
    visitor.see(CONFIRMATION).await;
    stop_the_clock(&site, &visitor).await;
    let booking = visitor.path().await;
    visitor.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    visitor.visit(&booking).await;
    visitor.click(UNDO).await;
    visitor.see(".confirmation--canceled").await;
    assert_eq!(site.available(&vip), 99);

    visitor.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": false })).await;
    visitor.visit("/").await;
    visitor.cdp("Animation.setPlaybackRate", json!({ "playbackRate": 1 })).await;
    visitor.click(&vip.book_now_button()).await;
    visitor.see(CONFIRMATION).await;
    let is_gone = format!("getComputedStyle(document.querySelector('{UNDO}')).visibility === 'hidden'");
    visitor.until_within(UNDO_WAIT, &is_gone).await;
    site.run_sql("UPDATE bookings SET created_at = '2026-01-01 00:00:00'");
    // A buyer who sends it nevertheless gets an error, and the remaining choices.
    let _: () = visitor.run("document.querySelector('.undo').requestSubmit()").await;
    visitor.see("#choices-error").await;
    assert!(visitor.text("#choices-error").await.contains("too late to undo"));
    assert_eq!(site.available(&vip), 98);
}

#[tokio::test]
async fn a_booking_that_fails_is_remembered_by_nobody_and_nothing_typed_is_lost() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.ask_to_be_remembered().await;
    site.set_available(&vip, 0);
    visitor.click(CONFIRM).await;
    let other = "#checkout .others li:first-child button";
    assert_eq!(visitor.text(other).await, "Front Row $50.00 200 left Book instead");
    visitor.click(other).await;
    visitor.see("#checkout-name").await;
    let typed: (String, String, bool) = visitor
        .ask(
            "[document.querySelector('#checkout-name').value, document.querySelector('#checkout-email').value,
              document.querySelector('.checkout__remember input').checked]",
        )
        .await;
    assert_eq!(typed, (NAME.to_owned(), EMAIL.to_owned(), true));
    visitor.visit("/").await;
    assert!(!visitor.is_seen("#express button").await, "nobody is welcomed back");
}
