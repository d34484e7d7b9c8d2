//! A page that stays open before sales open, when they open, and when they are paused or over.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use crate::open_site;
use crate::support::{Site, Visitor};

/// The server notices a direct change of the database later than a booking.
const NOTICED: Duration = Duration::from_secs(60);
const COUNTDOWN: &str = "document.querySelector('#availability [data-countdown]')?.textContent";

/// The page hardly polls here: its own clock opens the sale.
/// Seen to fail without the script: the page stayed closed for a minute.
#[tokio::test]
async fn a_sale_opens_by_itself_while_the_page_is_open() {
    let site = Site::open_with(testkit::binary(), &[("POLL_SECONDS", "60"), ("POLL_SECONDS_BUSY", "60")]);
    let vip = site.tier("VIP");
    let (visitor, plain) = tokio::join!(Visitor::new(&site), Visitor::without_javascript(&site));
    let opens = Utc::now() + TimeDelta::seconds(40);
    site.change_concert(&format!("sales_start_at = '{}'", opens.format("%Y-%m-%d %H:%M:%S%.6f")));
    visitor.visit("/").await;
    while !visitor.is_seen("[data-opens]").await {
        assert!(Utc::now() < opens, "the server never noticed that its sale is not open");
        tokio::time::sleep(Duration::from_millis(300)).await;
        visitor.visit("/").await;
    }
    plain.visit("/").await;
    assert!(!plain.is_seen(&vip.book_button()).await && !plain.is_seen("[data-countdown]").await);
    assert!(plain.text(".notice").await.contains("Reload this page then."));

    let is_soon = format!("/^Opens in 00:[0-2]\\d$/.test({COUNTDOWN})");
    visitor.until_within(Duration::from_secs(60), &is_soon).await;
    let hidden: String = visitor.ask("document.querySelector('[data-countdown]').ariaHidden").await;
    assert_eq!(hidden, "true", "nobody wants to hear every second");
    assert!(!visitor.is_seen(&vip.book_button()).await);
    assert_eq!(visitor.text("#availability > .sr-only[role=status]").await, "Not on sale yet.");

    let wait = (opens - Utc::now()).to_std().unwrap_or_default() + Duration::from_secs(12);
    visitor.until_within(wait, &format!("document.querySelector('{}')", vip.book_button())).await;
    assert!(Utc::now() >= opens, "too early");
    assert!(!visitor.is_seen(".notice").await);
    assert!(visitor.text("#availability > .sr-only[role=status]").await.contains("VIP: available."));
    visitor.book(&vip, 1).await;
    assert_eq!(site.available(&vip), 99);

    plain.visit("/").await;
    assert!(plain.is_seen(&vip.book_button()).await);
}

#[tokio::test]
async fn a_pause_and_a_cancellation_are_told_once_for_the_whole_concert() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.fill(&vip.quantity(), "3").await;
    let said = |words: &str| format!("document.querySelector('.notice')?.innerText.includes('{words}')");

    site.change_concert("paused = true");
    visitor.until_within(NOTICED, &said("Paused by the organizer")).await;
    assert!(!visitor.is_seen(&vip.book_button()).await);
    let times: usize =
        visitor.ask("document.querySelector('#availability').innerText.match(/paused/gi).length").await;
    assert_eq!(times, 2, "once to see, and once to hear");

    site.change_concert("paused = false");
    visitor.until_within(NOTICED, &format!("document.querySelector('{}')", vip.book_button())).await;
    assert!(!visitor.is_seen(".notice").await);

    site.change_concert("state = 'canceled'");
    visitor.until_within(NOTICED, &said("Canceled")).await;
    assert!(!visitor.is_seen(&vip.card()).await);
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
}
