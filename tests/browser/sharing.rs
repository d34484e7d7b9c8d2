//! A buyer sends a ticket to a friend, and the screen stays on while a code is shown.

use serde_json::json;

use crate::open_site;
use crate::support::Visitor;
use crate::tickets::open_tickets;

const SHARE: &str = "#ticket-2 [data-share]";

/// Runs a script before every page, which records calls of browser functions instead of making them.
async fn watch(visitor: &Visitor, script: &str) {
    visitor.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
}

#[tokio::test]
async fn a_ticket_is_sent_to_a_friend() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    let shown = open_tickets(&buyer, &site, "VIP", 2).await;
    let booking = buyer.path().await;
    watch(
        &buyer,
        "Object.defineProperty(navigator, 'share', { value: undefined, configurable: true });
         navigator.clipboard.writeText = async (text) => { window.copied = text; };",
    )
    .await;
    buyer.visit(&booking).await;
    buyer.click(SHARE).await;
    buyer.until("document.querySelector('#ticket-2 [data-copied]').textContent === 'Link copied'").await;
    let copied: String = buyer.ask("window.copied").await;
    let path = copied.strip_prefix(&site.url("")).expect("an absolute link").to_owned();
    assert!(path.starts_with("/tickets/"), "{copied}");
    assert_eq!(buyer.path().await, booking, "the page stays");

    let _: () = buyer
        .run(
            "Object.defineProperty(navigator, 'share', { value: async (data) => { window.shared = data; } });",
        )
        .await;
    buyer.click(SHARE).await;
    buyer.until("window.shared").await;
    assert_eq!(buyer.ask::<String>("window.shared.url").await, copied);
    assert_eq!(buyer.ask::<String>("window.shared.title").await, "Ticket for Midnight Parade");

    let friend = Visitor::without_javascript(&site).await;
    friend.visit(&path).await;
    assert_eq!(friend.text("[data-ticket-code]").await, shown[1]);
    assert!(!friend.is_seen("[data-share]").await);
    // Without a script, the buyer follows the link to the page whose address they can send.
    friend.visit(&booking).await;
    friend.click(SHARE).await;
    friend.until(&format!("location.pathname === '{path}'")).await;
}

#[tokio::test]
async fn on_the_day_the_code_comes_first() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    buyer.resize(390, 844).await;
    open_tickets(&buyer, &site, "VIP", 1).await;
    let booking = buyer.path().await;
    let friends = buyer.ask::<String>("document.querySelector('[data-share]').getAttribute('href')").await;
    let is_first = "document.querySelector('.ticket__qr').getBoundingClientRect().top
                    < document.querySelector('h1').getBoundingClientRect().top";
    assert!(!buyer.ask::<bool>(is_first).await, "months before");
    // The concert has begun, regardless of the time of day at the venue.
    let hour = chrono::TimeDelta::hours(1);
    let (begun, ends) = (chrono::Utc::now() - hour, chrono::Utc::now() + hour);
    let at = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%d %H:%M:%S").to_string();
    site.change_concert(&format!("starts_at = '{}', ends_at = '{}'", at(begun), at(ends)));
    for path in [&booking, &friends] {
        buyer.visit(path).await;
        assert!(buyer.ask::<bool>(is_first).await, "{path}");
        let bottom: f64 =
            buyer.ask("document.querySelector('.ticket__qr').getBoundingClientRect().bottom").await;
        assert!(bottom < 844.0, "{path}: the whole code is on the first screen: {bottom}");
        // Seen to fail when the ticket keeps the overlap with the poster's edge that it has on other days: it covered
        // the site's header.
        let below = "document.querySelector('.tickets').getBoundingClientRect().top
                     >= document.querySelector('.site-header').getBoundingClientRect().bottom";
        assert!(buyer.ask::<bool>(below).await, "{path}: it covers the header");
    }
}

#[tokio::test]
async fn the_screen_stays_on_while_a_code_is_shown() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    open_tickets(&buyer, &site, "VIP", 1).await;
    let booking = buyer.path().await;
    watch(
        &buyer,
        "window.locks = 0;
         navigator.wakeLock.request = async () => {
           window.locks += 1;
           return { release: async () => { window.locks -= 1; }, addEventListener() {} };
         };",
    )
    .await;
    buyer.visit(&booking).await;
    let _: () = buyer.run("document.querySelector('.ticket__qr').scrollIntoView({ block: 'center' });").await;
    buyer.until("window.locks === 1").await;
    buyer.resize(390, 400).await;
    let _: () = buyer.run("scrollTo(0, document.body.scrollHeight);").await;
    buyer.until("window.locks === 0").await;
}
