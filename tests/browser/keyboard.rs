//! A booking without a mouse, from start to end.

use thirtyfour::Key;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Visitor};

/// The maximum number of Tabs from the top of the page to the first ticket type's quantity: skip link, brand, one
/// button.
const TABS_MAX: usize = 8;

const FOCUSED: &str = "document.activeElement?.id";

#[tokio::test]
async fn a_ticket_is_booked_by_keyboard_alone() {
    let site = open_site();
    let vip = site.tier("VIP");
    let quantity = format!("tier-{}-quantity", vip.id);
    let visitor = Visitor::arrive(&site).await;
    tab_to(&visitor, &quantity).await;
    visitor.press(Key::Up).await;
    assert_eq!(visitor.text(&vip.book_button()).await, "Book VIP · $200.00");
    visitor.press(Key::Enter).await;

    visitor.see(CONFIRM).await;
    visitor.until(&format!("{FOCUSED} === 'checkout-name'")).await;
    visitor.press(NAME).await;
    visitor.press(Key::Tab).await;
    visitor.press(EMAIL).await;
    visitor.press(Key::Enter).await;

    assert!(visitor.text(CONFIRMATION).await.contains("2 × VIP"));
    visitor.until(&format!("{FOCUSED} === 'checkout-title'")).await;
    // While a dialog is open, the focus never moves to the page behind it.
    for _ in 0..8 {
        visitor.press(Key::Tab).await;
        let inside: bool = visitor
            .ask("!document.activeElement || document.activeElement === document.body || document.activeElement.closest('dialog') !== null")
            .await;
        assert!(inside, "the focus went behind the dialog");
    }
    visitor.press(Key::Escape).await;
    visitor.until("!document.querySelector('dialog[open]')").await;
    visitor.until("location.pathname === '/'").await;
    visitor.until(&format!("{FOCUSED} === '{quantity}'")).await;
    assert_eq!(site.booking_count(), 1);
}

#[tokio::test]
async fn the_skip_link_comes_first_and_leads_to_the_concert() {
    let site = open_site();
    let visitor = Visitor::arrive(&site).await;
    visitor.press(Key::Tab).await;
    assert_eq!(visitor.ask::<String>("document.activeElement.innerText").await, "Skip to content");
    visitor.press(Key::Enter).await;
    visitor.until(&format!("{FOCUSED} === 'main'")).await;
}

async fn tab_to(visitor: &Visitor, id: &str) {
    for _ in 0..TABS_MAX {
        visitor.press(Key::Tab).await;
        let focused: Option<String> = visitor.ask(FOCUSED).await;
        if focused.as_deref() == Some(id) {
            return;
        }
    }
    panic!("{id} is more than {TABS_MAX} presses of Tab away");
}
