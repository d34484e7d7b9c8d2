//! Two windows compete for too few tickets.

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Visitor};

#[tokio::test]
async fn two_windows_race_for_the_last_ticket_and_one_is_told_so() {
    let site = open_site();
    let vip = site.tier("VIP");
    site.set_available(&vip, 1);
    let (ada, bob) = tokio::join!(Visitor::arrive(&site), Visitor::arrive(&site));
    for (visitor, name) in [(&ada, "Ada"), (&bob, "Bob")] {
        visitor.open_checkout(&vip).await;
        visitor.fill_in(name, EMAIL).await;
    }
    tokio::join!(ada.click(CONFIRM), bob.click(CONFIRM));

    // Each element may be in the page a moment before it is visible.
    let is_confirmed =
        format!("document.querySelector('{CONFIRMATION}')?.checkVisibility({{ opacityProperty: true }})");
    let is_told = "document.querySelector('#checkout')?.innerText.includes('is sold out')";
    let is_over = format!("{is_confirmed} || {is_told}");
    tokio::join!(ada.until(&is_over), bob.until(&is_over));
    let (ada_won, bob_won) = (ada.is_seen(CONFIRMATION).await, bob.is_seen(CONFIRMATION).await);
    assert!(ada_won != bob_won, "one of two gets the last ticket; Ada: {ada_won}, Bob: {bob_won}");
    let loser = if ada_won { bob } else { ada };
    let told = loser.text("#checkout").await;
    for part in ["VIP is sold out", "Nothing was booked", "Front Row"] {
        assert!(told.contains(part), "{part} is missing from {told}");
    }
    assert_eq!((site.available(&vip), site.booking_count()), (0, 1));

    // The checkout of the other ticket type keeps what was typed.
    loser.click("#checkout .others button").await;
    loser.see("#checkout-email").await;
    assert_eq!(loser.ask::<String>("document.querySelector('#checkout-email').value").await, EMAIL);
    loser.click(CONFIRM).await;
    assert!(loser.text(CONFIRMATION).await.contains("Front Row"));
}

#[tokio::test]
async fn a_buyer_who_wants_more_than_is_left_is_offered_what_is_left() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.fill(&vip.quantity(), "5").await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;
    site.set_available(&vip, 2);
    visitor.click(CONFIRM).await;

    let message = visitor.text(&format!("{}-error", vip.checkout_quantity())).await;
    assert!(message.contains("Only 2 tickets left. We changed your quantity to 2."), "{message}");
    let typed: Vec<String> = visitor
        .ask("['quantity', 'name', 'email'].map((it) => document.querySelector(`#checkout [name=${it}]`).value)")
        .await;
    assert_eq!(typed, ["2", NAME, EMAIL]);
    assert_eq!(visitor.text("#checkout [data-total]").await, "$200.00");
    assert_eq!(site.booking_count(), 0);

    visitor.click(CONFIRM).await;
    assert!(visitor.text(CONFIRMATION).await.contains("2 × VIP"));
    assert_eq!(site.available(&vip), 0);
}
