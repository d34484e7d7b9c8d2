//! The buttons that change the number of tickets, at the limit and above it.

use crate::open_site;
use crate::support::{EMAIL, NAME, Tier, Visitor};

const LIMIT: &str = "[data-limit]";

async fn limit_of(visitor: &Visitor, tier: &Tier) -> String {
    let place = format!("document.querySelector('{} {LIMIT}').textContent", tier.card());
    visitor.ask(&place).await
}

/// Seen to fail before the limit had a message: at the limit, "+" did nothing and said nothing; with a typed number
/// that is too large, "−" was marked as unavailable, but worked.
#[tokio::test]
async fn who_wants_too_many_is_told_which_limit_it_is() {
    let site = open_site();
    let vip = site.tier("VIP");
    site.run_sql(
        "UPDATE ticket_types SET max_per_person = 2, facts_version = facts_version + 1 WHERE name = 'VIP'",
    );
    let visitor = Visitor::arrive(&site).await;
    visitor.until(&format!("document.querySelector('{}').max === '2'", vip.form("[name=quantity]"))).await;
    let (plus, minus) = (vip.form("[data-step='1']"), vip.form("[data-step='-1']"));
    let is_off = async |button: &str| {
        visitor.ask::<String>(&format!("document.querySelector(\"{button}\").ariaDisabled")).await == "true"
    };
    visitor.click(&plus).await;
    assert!(is_off(&plus).await && !is_off(&minus).await);
    assert_eq!(limit_of(&visitor, &vip).await, "", "two may be had");
    visitor.click(&plus).await;
    assert_eq!(limit_of(&visitor, &vip).await, "Limit: 2 tickets per person.");
    assert!(visitor.text(&vip.book_button()).await.contains("$200.00"));
    visitor.click(&minus).await;
    assert_eq!(limit_of(&visitor, &vip).await, "");

    // The same with a typed number.
    let field = vip.form("[name=quantity]");
    visitor.run::<()>(&format!(
        "const it = document.querySelector('{field}'); it.value = 30; it.dispatchEvent(new Event('input', {{ bubbles: true }}))"
    )).await;
    assert_eq!(limit_of(&visitor, &vip).await, "Limit: 2 tickets per person.");
    assert!(is_off(&plus).await && !is_off(&minus).await);
    visitor.click(&minus).await;
    assert_eq!(visitor.ask::<String>(&format!("document.querySelector('{field}').value")).await, "2");
}

/// A typed number that is too small, no number, and a fraction.
#[tokio::test]
async fn the_buttons_count_from_any_typed_number() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    let field = vip.form("[name=quantity]");
    for (typed, step, counted) in [
        ("", "-1", "1"),
        ("", "1", "1"),
        ("0", "-1", "1"),
        ("-3", "-1", "1"),
        ("-3", "1", "1"),
        ("1.5", "1", "2"),
    ] {
        visitor.run::<()>(&format!("document.querySelector('{field}').value = '{typed}'")).await;
        visitor.click(&vip.form(&format!("[data-step='{step}']"))).await;
        let value: String = visitor.ask(&format!("document.querySelector('{field}').value")).await;
        assert_eq!(value, counted, "{typed:?} and {step}");
    }
}

/// The checkout names the limit too, and the server gives the same message for a typed number.
#[tokio::test]
async fn the_last_tickets_are_counted_in_the_checkout() {
    let site = open_site();
    let vip = site.tier("VIP");
    site.run_sql(
        "UPDATE ticket_types SET max_per_booking = 3, facts_version = facts_version + 1 WHERE name = 'VIP'",
    );
    let visitor = Visitor::arrive(&site).await;
    visitor.until(&format!("document.querySelector('{}').max === '3'", vip.form("[name=quantity]"))).await;
    visitor.visit(&format!("/bookings/new?ticket_type={}&quantity=3", vip.id)).await;
    visitor.click(".summary__line [data-step='1']").await;
    assert_eq!(visitor.text(LIMIT).await, "Limit: 3 tickets per booking.");
    visitor.run::<()>(
        "const it = document.querySelector('.summary__line [name=quantity]'); it.value = 30; it.dispatchEvent(new Event('input', { bubbles: true }))",
    ).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(".checkout__form .button--wide").await;
    assert_eq!(visitor.text(".field__error").await, "You can book up to 3 tickets at a time.");
    assert_eq!(site.booking_count(), 0);
}
