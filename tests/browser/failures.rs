//! Error messages for visitors: what they say, how long they stay, and what a visitor can do then.

use std::time::Duration;

use serde_json::json;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Site, Visitor};

/// Longer than a success toast stays.
const LONG: Duration = Duration::from_secs(6);
const LIMITS: [(&str, &str); 4] = [
    ("RATE_LIMITS", "on"),
    ("RATE_LIMIT_BOOKINGS", "4/minute burst 1"),
    ("RATE_LIMIT_PAGES", "6/minute burst 4"),
    ("POLL_SECONDS_BUSY", "5"),
];

#[tokio::test]
async fn why_a_booking_failed_stays_above_its_button_until_it_is_sent_again() {
    let mut site = open_site();
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&site.tier("VIP")).await;
    visitor.fill_in(NAME, EMAIL).await;
    site.stop();
    visitor.click(CONFIRM).await;
    visitor.see("#checkout form [data-failure] [data-toast]").await;
    tokio::time::sleep(LONG).await;
    let failure = "#checkout form [role=alert] [data-toast]";
    assert!(visitor.text(failure).await.contains("you won’t be booked twice"));
    let above: bool = visitor
        .ask(&format!(
            "document.querySelector('{failure}').getBoundingClientRect().bottom
               <= document.querySelector('{CONFIRM}').getBoundingClientRect().top"
        ))
        .await;
    assert!(above, "it covers nothing");
    site.start_again();
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert!(!visitor.is_seen("[data-toast]").await);
}

#[tokio::test]
async fn an_error_when_opening_the_checkout_does_not_mention_bookings_and_stays() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    let offline = |is_off: bool| json!({ "offline": is_off, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    visitor.cdp("Network.enable", json!({})).await;
    visitor.cdp("Network.emulateNetworkConditions", offline(true)).await;
    visitor.click(&vip.book_button()).await;
    visitor.see("#toasts [data-toast]").await;
    tokio::time::sleep(LONG).await;
    let toast = visitor.text("#toasts [data-toast]").await;
    assert_eq!(toast, "We couldn’t reach the server. Check your connection and try again.");
    // The same close icon as on a message from the server.
    assert!(visitor.is_seen("#toasts [data-toast-dismiss] svg").await);
    visitor.click("[data-toast-dismiss]").await;
    visitor.until("!document.querySelector('#toasts [data-toast]')").await;
    visitor.cdp("Network.emulateNetworkConditions", offline(false)).await;
    visitor.open_checkout(&vip).await;
}

#[tokio::test]
async fn what_takes_long_says_that_it_goes_on() {
    // The deadline is longer than the four seconds after which the page says so, even on a busy machine.
    let site = Site::open_with(testkit::binary(), &[("DESK_DEADLINE_MS", "12000")]);
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.book_and_be_remembered(&vip).await;
    visitor.close_dialog().await;

    let disk = site.slow_disk();
    visitor.open_checkout(&vip).await;
    visitor.click(CONFIRM).await;
    let says =
        |place: &str| format!("document.querySelector('{place}')?.textContent.includes('Still working')");
    visitor.until(&says("#checkout form [data-slow]")).await;
    assert_eq!(visitor.text("#checkout form [data-slow]").await, "Still working – don’t close this page.");
    disk.end();
    visitor.see(CONFIRMATION).await;
    visitor.close_dialog().await;

    // One-click booking has no form, so the page itself says it.
    let disk = site.slow_disk();
    visitor.click(&vip.book_now_button()).await;
    visitor.until(&says("#toasts")).await;
    disk.end();
    visitor.see(CONFIRMATION).await;
    assert_eq!(visitor.ask::<String>("document.querySelector('#toasts').textContent.trim()").await, "");
}

fn open_limited_site() -> Site {
    Site::open_with(testkit::binary(), &LIMITS)
}

#[tokio::test]
async fn a_page_that_came_too_often_counts_down_and_comes_by_itself() {
    let site = open_limited_site();
    let visitor = Visitor::new(&site).await;
    let is_limited = async || {
        visitor.visit("/bookings/find").await;
        visitor.ask::<bool>("Boolean(document.querySelector('[data-retry-after]'))").await
    };
    let mut visits = 0;
    while !is_limited().await {
        visits += 1;
        assert!(visits < 10, "nothing is limited");
    }
    assert!(visitor.text(".notice-page__wait").await.starts_with("Try again in "));
    visitor.until_within(Duration::from_secs(60), "document.querySelector('#lookup-email')").await;
}

#[tokio::test]
async fn a_form_that_failed_is_found_again_as_it_was_filled_in() {
    let site = open_limited_site();
    let visitor = Visitor::new(&site).await;
    let vip = site.tier("VIP");
    visitor.visit(&format!("/bookings/new?ticket_type={}&quantity=2", vip.id)).await;
    visitor.fill_in(NAME, EMAIL).await;
    let post = reqwest::Client::new().post(site.url("/bookings")).form(&[("a", "b")]);
    assert_eq!(post.send().await.expect("an answer").status(), 404);
    // Sends the form as a browser does whose scripts have not loaded in time.
    let _: () = visitor.run("document.querySelector('.checkout__form').removeAttribute('hx-post');
        document.querySelector('.checkout__form').after(document.querySelector('.checkout__form').cloneNode(true));
        document.querySelector('.checkout__form').remove();").await;
    visitor.click(CONFIRM).await;
    assert_eq!(visitor.text("h1").await, "One moment, please");
    assert_eq!(visitor.text(".notice-page .button--primary").await, "Try again");
    visitor
        .until_within(Duration::from_secs(60), "document.body.innerText.includes('You can try again now.')")
        .await;
    visitor.click("[data-retry]").await;
    for (field, typed) in [("#checkout-name", NAME), ("#checkout-email", EMAIL)] {
        assert_eq!(visitor.see(field).await.value().await.expect("a value").as_deref(), Some(typed));
    }
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!(site.booking_count(), 1);
}
