//! Tickets of two ticket types in one booking.

use thirtyfour::Key;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Site, Visitor};

const OTHERS: &str = "#checkout-content summary";
const TOTAL: &str = "#checkout-content [data-total]";
const FOCUSED: &str = "document.activeElement?.id";

#[tokio::test]
async fn by_mouse() {
    let site = open_site();
    let (vip, front_row) = (site.tier("VIP"), site.tier("Front Row"));
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&vip).await;
    assert!(!visitor.is_seen(&front_row.checkout_quantity()).await, "one ticket type is the usual");
    visitor.click(OTHERS).await;
    let more = format!("#checkout .stepper:has({}) [data-step='1']", front_row.checkout_quantity());
    visitor.click(&more).await;
    visitor.click(&more).await;
    assert_eq!(visitor.text(TOTAL).await, "$200.00");
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    check_booked(&visitor, &site).await;
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn by_keyboard() {
    let site = open_site();
    let (vip, front_row) = (site.tier("VIP"), site.tier("Front Row"));
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.until(&format!("{FOCUSED} === 'checkout-name'")).await;
    visitor.tab_back().await;
    visitor.until("document.activeElement?.matches('summary')").await;
    visitor.press(Key::Enter).await;
    visitor.press(Key::Tab).await;
    visitor.press(Key::Tab).await;
    visitor.until(&format!("{FOCUSED} === 'checkout-quantity-{}'", front_row.id)).await;
    visitor.press(Key::Up).await;
    visitor.press(Key::Up).await;
    assert_eq!(visitor.text(TOTAL).await, "$200.00");
    while visitor.ask::<String>(FOCUSED).await != "checkout-name" {
        visitor.press(Key::Tab).await;
    }
    visitor.press(NAME).await;
    visitor.press(Key::Tab).await;
    visitor.press(EMAIL).await;
    visitor.press(Key::Enter).await;
    check_booked(&visitor, &site).await;
}

#[tokio::test]
async fn without_javascript() {
    let site = open_site();
    let (vip, front_row) = (site.tier("VIP"), site.tier("Front Row"));
    let visitor = Visitor::without_javascript(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.click(OTHERS).await;
    visitor.fill(&front_row.checkout_quantity(), "2").await;
    visitor.fill_in(NAME, "nowhere").await;
    visitor.click(CONFIRM).await;
    // The list with the chosen ticket type is open, and the total includes it.
    visitor.see("#checkout-email-error").await;
    let quantity = visitor.see(&front_row.checkout_quantity()).await;
    assert_eq!(quantity.value().await.expect("a value").as_deref(), Some("2"));
    assert_eq!(visitor.text(TOTAL).await, "$200.00");
    visitor.fill("#checkout-email", EMAIL).await;
    visitor.click(CONFIRM).await;
    check_booked(&visitor, &site).await;
}

/// Checks a booking of one VIP ticket and two of Front Row.
async fn check_booked(visitor: &Visitor, site: &Site) {
    let confirmation = visitor.text(CONFIRMATION).await;
    for part in ["You’re going!", "1 × VIP", "$100.00", "2 × Front Row", "$200.00", NAME, EMAIL] {
        assert!(confirmation.contains(part), "{part} is missing from {confirmation}");
    }
    assert_eq!(site.booking_count(), 1);
    let left = ["VIP", "Front Row", "General Admission"].map(|name| site.available(&site.tier(name)));
    assert_eq!(left, [99, 198, 1_000]);
    let address: String = visitor.ask("document.querySelector('[data-booked]').dataset.booked").await;
    visitor.visit(&address).await;
    let tickets: u32 = visitor.ask("document.querySelectorAll('.ticket').length").await;
    assert_eq!(tickets, 3);
}
