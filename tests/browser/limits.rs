//! A buyer who is rate limited loses nothing but a moment.

use std::time::Duration;

use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Site, Visitor};

/// The limit allows one booking, and the next one after this time.
const PAUSE: Duration = Duration::from_secs(15);
const LIMITS: [(&str, &str); 3] =
    [("RATE_LIMITS", "on"), ("RATE_LIMIT_BOOKINGS", "4/minute burst 1"), ("POLL_SECONDS_BUSY", "5")];
const KEY: &str = "document.querySelector('#checkout-content [name=request_key]').value";

fn open_limited_site() -> Site {
    Site::open_with(testkit::binary(), &LIMITS)
}

/// Somebody who shares the buyer's address has just booked, or tried to.
async fn use_up_the_limit(site: &Site) {
    let post = reqwest::Client::new().post(site.url("/bookings")).form(&[("a", "b")]);
    assert_eq!(post.send().await.expect("an answer").status(), 404);
}

/// Seen to fail without 429 in the noSwap list: the dialog showed the error page, and the form was gone.
#[tokio::test]
async fn the_dialog_says_how_long_to_wait_and_the_same_form_books() {
    let site = open_limited_site();
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&site.tier("VIP")).await;
    visitor.fill_in(NAME, EMAIL).await;
    let key: String = visitor.ask(KEY).await;

    use_up_the_limit(&site).await;
    visitor.click(CONFIRM).await;
    let toast = visitor.text("#checkout [data-toast]").await;
    assert!(toast.contains("Wait ") && toast.contains("seconds"), "{toast}");
    for (field, typed) in [("#checkout-name", NAME), ("#checkout-email", EMAIL)] {
        assert_eq!(visitor.see(field).await.value().await.expect("a value").as_deref(), Some(typed));
    }
    assert_eq!(visitor.ask::<String>(KEY).await, key, "the same form");
    assert_eq!(site.booking_count(), 0);

    let said = "document.querySelector('#checkout [data-toast]')?.textContent.includes('again now')";
    visitor.until_within(PAUSE * 4, said).await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!(site.booking_count(), 1);
}

#[tokio::test]
async fn without_javascript_a_page_says_it_and_the_way_back_leads_to_the_form() {
    let site = open_limited_site();
    let visitor = Visitor::without_javascript(&site).await;
    visitor.open_checkout(&site.tier("VIP")).await;
    visitor.fill_in(NAME, EMAIL).await;
    use_up_the_limit(&site).await;
    visitor.click(CONFIRM).await;
    assert_eq!(visitor.text("h1").await, "One moment, please");
    let wait = visitor.text(".notice-page__wait").await;
    assert!(wait.starts_with("Try again in ") && wait.ends_with("seconds."), "{wait}");

    visitor.driver().back().await.expect("a step back");
    for (field, typed) in [("#checkout-name", NAME), ("#checkout-email", EMAIL)] {
        assert_eq!(visitor.see(field).await.value().await.expect("a value").as_deref(), Some(typed));
    }
    tokio::time::sleep(PAUSE).await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!(site.booking_count(), 1);
}

#[tokio::test]
async fn without_javascript_a_reload_sends_it_again() {
    let site = open_limited_site();
    let visitor = Visitor::without_javascript(&site).await;
    visitor.open_checkout(&site.tier("VIP")).await;
    visitor.fill_in(NAME, EMAIL).await;
    use_up_the_limit(&site).await;
    visitor.click(CONFIRM).await;
    visitor.see(".notice-page__wait").await;
    tokio::time::sleep(PAUSE).await;
    visitor.driver().refresh().await.expect("a reload");
    visitor.see(CONFIRMATION).await;
    assert_eq!(site.booking_count(), 1);
}
