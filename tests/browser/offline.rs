//! Tickets without a network: a page that was opened once opens again, says how old it is, and is deleted when it
//! should be.

use std::time::Duration;

use crate::open_site;
use crate::support::Visitor;
use crate::tickets::open_tickets;

const SAVED: &str = "[data-saved]";
const WAIT: Duration = Duration::from_secs(60);

/// The paths of the pages that the browser keeps for offline use.
async fn kept(visitor: &Visitor) -> Vec<String> {
    visitor
        .run(
            "return caches.open('tickets').then((it) => it.keys())
               .then((keys) => keys.map((key) => new URL(key.url).pathname));",
        )
        .await
}

/// Waits until the browser keeps exactly these pages, and their stylesheet and font.
async fn until_kept(visitor: &Visitor, pages: &[&str]) {
    let started = std::time::Instant::now();
    loop {
        let kept = kept(visitor).await;
        let mut found: Vec<&str> =
            kept.iter().map(String::as_str).filter(|path| !path.starts_with("/static/")).collect();
        found.sort_unstable();
        let mut wanted = pages.to_vec();
        wanted.sort_unstable();
        let has = |end: &str| kept.iter().any(|path| path.ends_with(end));
        if found == wanted && (pages.is_empty() || has(".css") && has(".woff2") && has(".js")) {
            return;
        }
        assert!(started.elapsed() < WAIT, "{kept:?} and not {pages:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn codes(visitor: &Visitor) -> Vec<String> {
    visitor.ask("[...document.querySelectorAll('[data-ticket-code]')].map((it) => it.textContent)").await
}

#[tokio::test]
async fn tickets_that_were_opened_once_open_without_a_network() {
    let mut site = open_site();
    let buyer = Visitor::arrive(&site).await;
    let shown = open_tickets(&buyer, &site, "VIP", 2).await;
    let booking = buyer.path().await;
    until_kept(&buyer, &[&booking]).await;
    let friends = buyer.ask::<String>("document.querySelector('[data-share]').getAttribute('href')").await;
    buyer.visit(&friends).await;
    until_kept(&buyer, &[&booking, &friends]).await;
    assert!(!buyer.is_seen(SAVED).await, "it is fresh");

    site.stop();
    for (path, codes_there) in [(&booking, &shown[..]), (&friends, &shown[..1])] {
        buyer.visit(path).await;
        assert_eq!(codes(&buyer).await, codes_there, "{path}");
        assert!(buyer.text(SAVED).await.contains("This page was saved on "), "{path}");
        let width: f64 =
            buyer.ask("document.querySelector('.ticket__qr').getBoundingClientRect().width").await;
        assert!(width > 100.0, "it has its styles: {width}");
        let has_font: bool = buyer.ask("document.fonts.check('16px \"Bricolage Grotesque\"')").await;
        assert!(has_font, "{path}");
    }

    site.start_again();
    buyer.visit(&booking).await;
    assert!(!buyer.is_seen(SAVED).await, "it is fresh again");
    buyer.visit(&format!("{booking}/cancellation")).await;
    buyer.click("#main form button[type=submit]").await;
    buyer.see(".confirmation--canceled").await;
    until_kept(&buyer, &[]).await;
}

#[tokio::test]
async fn nothing_else_is_kept_and_a_forgotten_buyer_leaves_nothing() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    buyer.book_and_be_remembered(&site.tier("General Admission")).await;
    buyer.until("location.pathname.startsWith('/bookings/')").await;
    buyer.driver().refresh().await.expect("a page");
    let booking = buyer.path().await;
    until_kept(&buyer, &[&booking]).await;
    for path in ["/bookings/find", &format!("{booking}/cancellation"), "/", "/admin/sign-in", &booking] {
        buyer.visit(path).await;
    }
    until_kept(&buyer, &[&booking]).await;
    buyer.visit("/").await;
    buyer.click("form[action='/buyer/forget'] button").await;
    buyer.until("!document.querySelector('form[action=\"/buyer/forget\"]')").await;
    until_kept(&buyer, &[]).await;
}
