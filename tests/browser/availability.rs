//! The ticket counts refresh by themselves, without disturbing a visitor who is choosing.

use std::time::Duration;

use serde_json::Value;

use crate::open_site;
use crate::support::Visitor;

/// The next poll shows a change, at most five seconds later. A direct change of the database, or a busy machine,
/// takes longer.
const NOTICED: Duration = Duration::from_secs(60);

const POLLS: &str =
    "performance.getEntriesByType('resource').filter((it) => it.name.endsWith('/availability')).length";

/// Records what the live region announces: the parts of it that change. It is not atomic.
const LISTEN: &str = "
    window.heard = [];
    const region = () => document.querySelector('#availability > .sr-only[role=status]');
    const elementOf = (node) => (node.nodeType === 1 ? node : node.parentElement);
    const partOf = (node) => elementOf(node)?.closest('.sr-only[role=status] p');
    new MutationObserver((records) => {
      const added = records.flatMap((it) => [...it.addedNodes]).filter((it) => it.isConnected);
      const isWhole = added.some((it) => it.contains(region()));
      const touched = [...added, ...records.map((it) => it.target)].map(partOf).filter(Boolean);
      const parts = isWhole ? [region()] : [...new Set(touched)];
      window.heard.push(...parts.map((it) => it.textContent.trim()));
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });";

const PLACES: &str = "[...document.querySelectorAll('#availability, #availability :is(article, h3, form, input, button, meter)')]
    .map((it) => it.getBoundingClientRect()).map((it) => [it.x, it.y, it.width, it.height].map(Math.round))";

#[tokio::test]
async fn a_booking_in_one_window_lowers_the_count_in_the_other() {
    let site = open_site();
    let vip = site.tier("VIP");
    let (watcher, buyer) = tokio::join!(Visitor::arrive(&site), Visitor::arrive(&site));
    let _: () = watcher.run("window.sameDocument = true;").await;
    buyer.book(&vip, 3).await;
    watcher.until_left(&vip, 97, NOTICED).await;
    assert!(watcher.ask::<bool>("window.sameDocument === true").await, "the page was reloaded");
}

#[tokio::test]
async fn what_is_typed_focused_and_heard_survives_the_polls() {
    let site = open_site();
    let (vip, front_row) = (site.tier("VIP"), site.tier("Front Row"));
    let visitor = Visitor::arrive(&site).await;
    visitor.fill(&vip.quantity(), "7").await;
    visitor.fill(&front_row.quantity(), "3").await;
    visitor.click(&vip.quantity()).await;
    let _: () = visitor.run(LISTEN).await;
    let places: Value = visitor.ask(PLACES).await;
    let scrolled: f64 = visitor.ask("scrollY").await;

    // Nothing changes: two polls without an announcement.
    wait_for_polls(&visitor, 2).await;
    assert_eq!(visitor.ask::<Vec<String>>("window.heard").await, Vec::<String>::new());

    for left in [95, 94] {
        site.set_available(&vip, left);
        site.set_available(&front_row, left + 100);
        visitor.until_left(&vip, left, NOTICED).await;
        visitor.until_left(&front_row, left + 100, NOTICED).await;
        assert_eq!(
            visitor.ask::<String>("document.activeElement.id").await,
            format!("tier-{}-quantity", vip.id)
        );
        assert_eq!(visitor.ask::<Value>(PLACES).await, places, "something jumped");
    }
    assert_eq!(visitor.ask::<f64>("scrollY").await, scrolled);
    for (tier, quantity, button) in
        [(&vip, "7", "Book VIP · $700.00"), (&front_row, "3", "Book Front Row · $150.00")]
    {
        let typed: String =
            visitor.ask(&format!("document.querySelector('{}').value", tier.quantity())).await;
        assert_eq!(typed, quantity);
        assert_eq!(visitor.text(&tier.book_button()).await, button);
    }
    // A screen reader does not announce a new count. It announces a change of state once, and only for that ticket
    // type.
    assert_eq!(visitor.ask::<Vec<String>>("window.heard").await, Vec::<String>::new());
    for (left, says) in [
        (39, "VIP: selling fast."),
        (38, ""),
        (9, "VIP: almost gone, fewer than 10 left."),
        (0, "VIP: sold out."),
        (60, "VIP: available."),
    ] {
        let _: () = visitor.run("window.heard = [];").await;
        site.set_available(&vip, left);
        visitor.until_left(&vip, left, NOTICED).await;
        let heard: Vec<String> = visitor.ask("window.heard").await;
        let expected = if says.is_empty() { Vec::new() } else { vec![says.to_owned()] };
        assert_eq!(heard, expected, "at {left}");
    }
}

#[tokio::test]
async fn tiers_run_low_and_sell_out_before_the_visitors_eyes() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    assert!(!visitor.text(&vip.card()).await.to_lowercase().contains("selling fast"));
    site.set_available(&vip, 39);
    visitor.until_left(&vip, 39, NOTICED).await;
    assert!(visitor.text(&vip.card()).await.to_lowercase().contains("selling fast"));

    site.set_available(&vip, 0);
    visitor.until_left(&vip, 0, NOTICED).await;
    let card = visitor.text(&vip.card()).await.to_lowercase();
    assert!(card.contains("sold out") && !card.contains("selling fast"), "{card}");
    assert!(!visitor.is_seen(&vip.book_button()).await);

    site.set_available(&vip, 4);
    visitor.until_left(&vip, 4, NOTICED).await;
    visitor.fill(&vip.quantity(), "2").await;
    assert_eq!(
        visitor.text(&vip.book_button()).await,
        "Book VIP · $200.00",
        "what came back works as before"
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_mentioned_until_it_is_back() {
    let mut site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    assert_eq!(notice(&visitor).await, "");
    site.stop();
    visitor.until_within(NOTICED, "document.querySelector('[data-connection-message]').innerText").await;
    assert!(notice(&visitor).await.contains("Reconnecting"));
    assert!(visitor.text(&vip.card()).await.contains("100 of 100"), "the last known numbers stay");

    site.set_available(&vip, 80);
    site.start_again();
    visitor.until_left(&vip, 80, NOTICED).await;
    visitor.until("!document.querySelector('[data-connection-message]').textContent").await;
}

async fn notice(visitor: &Visitor) -> String {
    visitor.ask("document.querySelector('[data-connection-message]').innerText").await
}

async fn wait_for_polls(visitor: &Visitor, polls: u32) {
    let before: u32 = visitor.ask(POLLS).await;
    visitor.until_within(NOTICED * polls, &format!("{POLLS} >= {}", before + polls)).await;
}
