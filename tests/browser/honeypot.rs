//! The honeypot, a field that only programs fill in: people cannot see it or reach it, and screen readers do not read
//! it.

use serde_json::json;
use thirtyfour::Key;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Visitor};

const IS_THERE: &str = "document.querySelectorAll('input[name=remarks]').length";
const IS_SEEN: &str = "[...document.querySelectorAll('.honeypot, .honeypot *')].some((it) =>
    it.checkVisibility() || it.getClientRects().length > 0)";
const TAKES_FOCUS: &str = "[...document.querySelectorAll('input[name=remarks]')].some((it) => {
    const before = document.activeElement;
    it.focus();
    const takes = document.activeElement === it;
    before?.focus();
    return takes;
})";

/// Everything that a screen reader could read, from Chromium's accessibility tree.
async fn accessible_text(visitor: &Visitor) -> String {
    visitor.cdp("Accessibility.enable", json!({})).await;
    let tree = visitor.cdp("Accessibility.getFullAXTree", json!({})).await;
    let nodes = tree["nodes"].as_array().expect("a tree").clone();
    let heard = nodes.iter().filter(|node| node["ignored"] == false);
    heard.map(|node| format!("{} {}\n", node["role"]["value"], node["name"]["value"])).collect()
}

async fn assert_that_people_know_nothing_of_it(visitor: &Visitor, count: usize) {
    assert_eq!(visitor.ask::<usize>(IS_THERE).await, count);
    assert!(!visitor.ask::<bool>(IS_SEEN).await, "it can be seen");
    assert!(!visitor.ask::<bool>(TAKES_FOCUS).await, "it takes the focus");
    let heard = accessible_text(visitor).await;
    assert!(heard.contains("Quantity"), "the tree is read: {heard}");
    assert!(!heard.contains("Leave this empty"), "{heard}");
}

#[tokio::test]
async fn people_know_nothing_of_the_honeypot_and_book() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.click(&vip.book_button()).await;
    visitor.see(CONFIRM).await;
    assert_that_people_know_nothing_of_it(&visitor, 1).await;
    visitor.fill("#checkout-name", NAME).await;
    // Tab goes from field to field to the button, with nothing in between.
    let mut passed = Vec::new();
    for _ in 0..3 {
        visitor.press(Key::Tab).await;
        passed
            .push(visitor.ask::<String>("document.activeElement.name || document.activeElement.type").await);
    }
    assert_eq!(passed, ["email", "remember", "submit"]);
    visitor.fill("#checkout-email", EMAIL).await;
    visitor.ask_to_be_remembered().await;
    visitor.click("#checkout-email").await;
    visitor.press(Key::Enter).await;
    visitor.see(CONFIRMATION).await;
    visitor.press(Key::Escape).await;
    visitor.until("!document.querySelector('dialog[open]')").await;
    // The buyer is remembered now, so the page has the express form.
    assert!(visitor.text("#express").await.contains("Welcome back"));
    assert_that_people_know_nothing_of_it(&visitor, 1).await;
    assert_eq!(site.booking_count(), 1);
}

#[tokio::test]
async fn a_program_that_fills_in_everything_is_shown_a_fresh_form() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.click(&vip.book_button()).await;
    visitor.see(CONFIRM).await;
    visitor.fill("#checkout-name", NAME).await;
    visitor.fill("#checkout-email", EMAIL).await;
    let _: () = visitor.run("document.querySelector('input[name=remarks]').value = 'x'").await;
    visitor.click(CONFIRM).await;
    visitor.see("#checkout-content [role=alert]").await;
    assert!(visitor.text("#checkout-content [role=alert]").await.contains("nothing was booked"));
    assert_eq!(site.booking_count(), 0);
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!(site.booking_count(), 1, "what was typed was still there");
}
