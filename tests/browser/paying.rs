//! Paying online: from the concert, through the page of a fake Stripe, to the tickets.

use std::time::Duration;

use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Site, Visitor};
use testkit::stripe::{FakeStripe, stripe_settings};

const PAY: &str = ".payment__pay";

/// A shop whose concert is paid for online, and the fake Stripe that it uses.
fn open() -> (Site, FakeStripe) {
    let stripe = FakeStripe::start();
    let pace = [("POLL_SECONDS", "2"), ("POLL_SECONDS_BUSY", "2")];
    let settings = [&pace, &stripe_settings(stripe.url().leak())[..]].concat();
    let site = Site::open_with(testkit::binary(), &settings);
    site.change_concert("payment = 'online'");
    stripe.send_webhooks_to(&site.url("/webhooks/stripe"));
    (site, stripe)
}

/// Holds two VIP tickets, as soon as the page knows that they are paid for online.
async fn hold(site: &Site, visitor: &Visitor) {
    let vip = site.tier("VIP");
    for _ in 0..300 {
        visitor.visit(&format!("/bookings/new?ticket_type={}&quantity=2", vip.id)).await;
        if visitor.text("#checkout-content [data-due]").await.contains("held while you pay") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    visitor.see(PAY).await;
    assert!(visitor.text(".payment").await.contains("Your tickets are held"));
    assert_eq!(visitor.text(PAY).await, "Pay $200.00");
}

#[tokio::test]
async fn held_tickets_are_paid_for_with_two_clicks_and_come_by_themselves() {
    let (site, stripe) = open();
    let visitor = Visitor::arrive(&site).await;
    hold(&site, &visitor).await;
    // The countdown is visible, but not announced to screen readers yet.
    assert!(visitor.text("[data-left-shown]").await.ends_with(" left"));
    assert_eq!(visitor.ask::<String>("document.querySelector('[data-left-said]').textContent").await, "");
    assert_eq!(visitor.text(".test-mode").await, "Test mode: no money is taken.");
    visitor.click(".payment__more form:first-child button").await;
    assert!(visitor.text(".payment__more").await.contains("(4 left)"));
    // One click requests the payment page, and the browser goes there by itself.
    visitor.click(PAY).await;
    visitor.click("button[value='decline']").await;
    visitor.click("button[value='leave']").await;
    visitor.until("document.body.innerText.includes('Your bank declined the payment')").await;
    visitor.click(PAY).await;
    visitor.click("button[value='pay']").await;
    assert!(visitor.text(CONFIRMATION).await.contains("You’re going!"));
    assert_eq!((stripe.money(), site.available(&site.tier("VIP"))), ((20_000, 0), 98));
    visitor.click("a[href$='/receipt']").await;
    assert!(visitor.text(".receipt").await.contains("Visa ending in 4242"));
    // Ignores complaints about the fake Stripe, which has no icon.
    let complaints = visitor.complaints().await;
    let own: Vec<&String> = complaints.iter().filter(|it| !it.starts_with(&stripe.url())).collect();
    assert!(own.is_empty(), "{own:?}");
}

/// The worker may have the payment page before the browser has loaded the page that waits for it. Seen to fail without
/// the fragment: the buyer had to click a second time.
#[tokio::test]
async fn a_buyer_who_asked_to_pay_goes_on_also_when_the_payment_page_was_faster() {
    let (site, _stripe) = open();
    let visitor = Visitor::arrive(&site).await;
    hold(&site, &visitor).await;
    let path = visitor.path().await;
    let _: u16 = visitor.run(&format!("return (await fetch('{path}', {{ method: 'POST' }})).status;")).await;
    let is_open = format!("return (await (await fetch('{path}')).text()).includes('data-pay');");
    while !visitor.run::<bool>(&is_open).await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    visitor.visit("/").await;
    visitor.visit(&format!("{path}#pay")).await;
    visitor.see("button[value='decline']").await;
    visitor.driver().back().await.expect("the way back");
    visitor.until("location.pathname === '/'").await;
}

#[tokio::test]
async fn without_javascript_the_pages_reload_until_the_tickets_are_there() {
    let (site, stripe) = open();
    let visitor = Visitor::without_javascript(&site).await;
    hold(&site, &visitor).await;
    visitor.click(&format!("form {PAY}")).await;
    // The page reloads by itself until there is a link.
    visitor.see(&format!("a{PAY}")).await;
    visitor.click(&format!("a{PAY}")).await;
    visitor.click("button[value='pay']").await;
    assert!(visitor.text(CONFIRMATION).await.contains("You’re going!"));
    assert_eq!((stripe.money(), site.booking_count()), ((20_000, 0), 1));
}

#[tokio::test]
async fn a_screen_reader_hears_the_last_minute_and_then_that_it_is_over() {
    let (site, _stripe) = open();
    let visitor = Visitor::arrive(&site).await;
    hold(&site, &visitor).await;
    let ends = (chrono::Utc::now() + chrono::TimeDelta::seconds(80)).format("%F %T").to_string();
    site.run_sql(&format!("UPDATE holds SET held_until = '{ends}', pay_until = '{ends}'"));
    visitor.driver().refresh().await.expect("a reload");
    let said = "document.querySelector('[data-left-said]').textContent";
    assert_eq!(visitor.ask::<String>(said).await, "");
    // The time runs on although polls fail.
    let polls_fail = "window.fetch = async () => new Response('', { status: 503 });
                      setInterval(() => htmx.trigger('#payment', 'poll'), 1000);";
    visitor.run::<()>(polls_fail).await;
    visitor.until_within(Duration::from_secs(60), &format!("{said} === '1 minute left to pay.'")).await;
    // After the release, the booking's own page says what happened.
    visitor.click(".payment__more form:last-child button").await;
    visitor.until("document.body.innerText.includes('nothing was charged')").await;
    assert_eq!(site.available(&site.tier("VIP")), 100);
}
